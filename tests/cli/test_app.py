"""The program itself: help, version, exit statuses, and errors without a traceback."""

import subprocess
import sys

import pytest

import rlbackends
from rlbackends.cli.app import _COMMANDS
from rlbackends.errors import ModelError


def test_help_lists_every_command(program):
    ran = program("--help")
    assert ran.status == 0 and ran.err == ""
    for command in _COMMANDS:
        assert command in ran.out


@pytest.mark.parametrize("command", sorted(_COMMANDS))
def test_help_of_each_command_has_an_example_of_it(program, command):
    ran = program(command, "--help")
    assert ran.status == 0
    assert ran.out.startswith(f"Usage: rlbackends {command}")
    assert f"  rlbackends {command}" in ran.out.partition("Examples:")[2]


def test_version(program):
    assert program("--version").out.strip() == rlbackends.__version__


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["modles"], 'Unknown command "modles". Did you mean "models"?'),
        (["models", "--jsn"], "--jsn"),
        (["show"], "MODEL"),
        (["fit", "rescorla_wagner", "x.csv", "--backend", "stan"], '"stan"'),
        (["demo", "--draws", "many"], "--draws"),
    ],
)
def test_a_line_that_says_nothing_the_program_knows(program, arguments, words):
    ran = program(*arguments)
    assert ran.status == 2
    assert words in " ".join(ran.err.replace("│", " ").split())
    assert "Traceback" not in ran.err


def test_an_error_of_ours_is_one_message(program, monkeypatch):
    def fail():
        raise ModelError("a.py:3: this is wrong.")

    monkeypatch.setitem(rlbackends.catalogue.__dict__, "MODELS", {"broken": fail})
    ran = program("models")
    assert ran == (2, "", "error: a.py:3: this is wrong.\n")


def test_a_mistake_of_ours_keeps_its_traceback(program, monkeypatch):
    monkeypatch.setitem(rlbackends.catalogue.__dict__, "MODELS", {"broken": lambda: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        program("models")


def test_ctrl_c_is_said_and_has_its_status(program, monkeypatch):
    def stop():
        raise KeyboardInterrupt

    monkeypatch.setitem(rlbackends.catalogue.__dict__, "MODELS", {"slow": stop})
    assert program("models") == (130, "", "stopped.\n")


def test_ctrl_c_in_a_study_says_how_far_it_is(program, monkeypatch):
    def stop():
        raise KeyboardInterrupt("stopped: 3 of 20 jobs are done.")

    monkeypatch.setitem(rlbackends.catalogue.__dict__, "MODELS", {"slow": stop})
    assert program("models") == (130, "", "stopped: 3 of 20 jobs are done.\n")


def test_warnings_are_one_line_each_and_the_filters_come_back(program, monkeypatch):
    import warnings

    def warn():
        warnings.warn("look twice", UserWarning, stacklevel=1)
        return rlbackends.catalogue.rescorla_wagner()

    monkeypatch.setitem(rlbackends.catalogue.__dict__, "MODELS", {"rescorla_wagner": warn})
    before = warnings.filters[:]
    assert program("models").err == "warning: look twice\n"
    assert warnings.filters == before


def test_help_imports_nothing_heavy(run_python):
    loaded = run_python(
        "import sys\nfrom rlbackends.cli import main\nmain(['fit', '--help'])\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    ).partition("LOADED")[2]
    heavy = {"jax", "numpyro", "pymc", "pytensor", "numba", "arviz", "xarray", "pandas", "matplotlib", "scipy"}
    assert heavy.isdisjoint(loaded.split())


def test_it_runs_as_a_module_and_a_reader_may_leave(repository):
    command = [sys.executable, "-m", "rlbackends", "show", "rescorla_wagner", "--json"]
    with subprocess.Popen(
        command, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert "Traceback" not in said and "Exception" not in said


def test_a_terminal_without_greek_gets_question_marks(run_python):
    output = run_python(
        "from rlbackends.cli import main\nmain(['show', 'rescorla_wagner'])", env={"PYTHONIOENCODING": "ascii"}
    )
    assert "alpha ? (0, 1)" in output
