"""``export``: a program on standard output or in a file, its data beside it."""

import json

import pytest

COLUMNS = ["--subject", "id", "--trial", "n", "--column", "choice=response", "--column", "reward=gain"]


def test_a_program_is_printed(program):
    ran = program("export", "rescorla_wagner", "--to", "numpy")
    assert ran.status == 0, ran.err
    assert ran.out.startswith('"""Action values') and ran.out.endswith("    main()\n") and ran.err == ""
    compile(ran.out, "program.py", "exec")


def test_data_that_are_not_written_are_told(program, table):
    ran = program("export", "rescorla_wagner", table, *COLUMNS, "--to", "numpy")
    assert ran.status == 0, ran.err
    compile(ran.out, "program.py", "exec")
    assert "the data that this program reads are not printed; write both with --output FILE" in ran.err


def test_a_program_and_its_data_are_written(program, table, tmp_path):
    arguments = ("export", "rescorla_wagner", table, *COLUMNS, "--to", "numpy", "--fix", "beta=1.5", "--output", "mine")
    ran = program(*arguments)
    assert ran.status == 0, ran.err
    assert "mine.py   plain loops in NumPy and SciPy" in ran.out and "mine.data.json" in ran.out
    assert 'np.full(data["n_subjects"], 1.5)' in (tmp_path / "mine.py").read_text()
    assert json.loads((tmp_path / "mine.data.json").read_text())["choice"] == [[1, 0, 1, 0, 1]] * 2
    again = program(*arguments)
    assert again.status == 2 and "--output 'mine.py' exists" in again.err
    assert program(*arguments, "--overwrite").status == 0


def test_two_programs_share_their_data(program, table):
    arguments = ("export", "rescorla_wagner", table, *COLUMNS, "--output", "mine")
    for target in ("numpy", "stan"):
        assert program(*arguments, "--to", target).status == 0
    ran = program("export", "rescorla_wagner", "--to", "latex", "--output", ".")
    assert ran.status == 2 and "'.' is a folder" in ran.err


def test_a_document_takes_no_data_along(program, table, tmp_path):
    ran = program("export", "rescorla_wagner", table, *COLUMNS, "--to", "json", "--output", "mine.json")
    assert ran.status == 0, ran.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.json", "prl.csv"]
    assert program("show", "mine.json").status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rescorla_wagner", "--to", "julia"], '"julia"'),
        (["rescorla_wagner"], "--to"),
        (["rescorla_wagne", "--to", "numpy"], "rescorla_wagner"),
        (["rescorla_wagner", "--to", "numpy", "--output", "nowhere/mine"], "there is no folder 'nowhere'"),
        (["rescorla_wagner", "--to", "numpy", "--formula", "alpha ~ group"], "export: without data"),
        (["rescorla_wagner", "lost.csv", "--to", "numpy", "--subject", "id"], "lost.csv"),
    ],
)
def test_what_can_not_be_done_is_said(program, arguments, words):
    ran = program("export", *arguments)
    assert ran.status == 2
    assert words in " ".join(ran.err.replace("│", " ").split()) and "Traceback" not in ran.err
