"""``compare-samplers``: what reaches ``rl.compare_samplers``, and what is told and written of its answer."""

import pytest

import rlbackends as rl
from rlbackends.studies import Failure
from tests.studies.samplers.made_up import beside, comparison, row, tables


def answer(wrong=False, failed=False):
    rows = {"numpyro:nuts": row(), "pymc:nutpie": row(compiled=40.0, sampled=2.0, total=60.0, agrees=not wrong)}
    why = {"pymc:nuts": Failure("SamplerFailedError", "it is dead")} if failed else {}
    if failed:
        rows["pymc:nuts"] = {"kind": "chains", "failure": "it is dead"}
    return comparison(*tables(rows, {"pymc:nutpie": beside(z=9.0 if wrong else 2.0)}, "numpyro:nuts"), why)


@pytest.fixture
def asked(monkeypatch):
    """Return what ``rl.compare_samplers`` was called with; it answers at once."""
    found = {"answer": answer()}

    def record(model, data, samplers, **given):
        found.update(given, model=model.name, data=data.n_subjects, samplers=samplers)
        return found["answer"]

    monkeypatch.setattr(rl, "compare_samplers", record, raising=False)
    return found


@pytest.fixture
def given(table):
    return (
        "compare-samplers", "rescorla_wagner", table, "--subject", "id", "--trial", "n", "--column", "choice=response",
        "--column", "reward=gain",
    )  # fmt: skip


def test_settings_reach_the_call(program, asked, given):
    ran = program(
        *given, "--sampler", "numpyro:nuts:vectorized", "--sampler", "pymc:nutpie", "--pooling", "none", "--fix",
        "beta=2", "--draws", 80, "--tune", 90, "--chains", 3, "--cores", 1, "--seed", 11, "--target-accept", 0.9,
        "--cache", "cold", "--limit", 60, "--folder", "here", "--retry-failed",
    )  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    del asked["answer"]
    assert repr(asked.pop("population")) == "Population('none', beta=2)"
    assert asked == {
        "model": "rescorla_wagner", "data": 2, "samplers": ["numpyro:nuts:vectorized", "pymc:nutpie"], "draws": 80,
        "tune": 90, "chains": 3, "cores": 1, "seed": 11, "target_accept": 0.9, "cache": "cold", "limit": 60.0,
        "folder": "here", "retry_failed": True,
    }  # fmt: skip


def test_the_answer_is_told_and_written(program, asked, given, tmp_path):
    ran = program(*given, "--figure", "s.png", "--table", "s.csv")
    assert (ran.status, ran.err) == (0, "")
    assert asked["samplers"] is None and asked["folder"] == "rescorla_wagner-samplers"
    lines = [line.split() for line in ran.out.splitlines()]
    assert ["numpyro:nuts", "yes", "yes", "5.0", "10", "25", "1,000", "1,200", "100", "40"] in lines
    assert ["pymc:nutpie", "yes", "yes", "40", "1.003", "0", "0.90", "700"] in lines
    assert "pymc:nutpie agrees with numpyro:nuts: means differ by up to 2.0" in ran.out
    assert "pymc:nutpie is the fastest sampler: 500 effective draws a second" in ran.out
    assert (tmp_path / "s.png").read_bytes().startswith(b"\x89PNG")
    header, *rows = (tmp_path / "s.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("sampler,kind,agrees,converged,compile_seconds") and len(rows) == 2
    again = program(*given, "--table", "s.md")
    assert again.status == 0
    assert (tmp_path / "s.md").read_text(encoding="utf-8") == asked["answer"].to_markdown()


@pytest.mark.parametrize(
    ("changes", "words"), [({"wrong": True}, "DISAGREES with numpyro:nuts"), ({"failed": True}, "pymc:nuts failed")]
)
def test_the_status_says_whether_all_is_well(program, asked, given, changes, words):
    asked["answer"] = answer(**changes)
    ran = program(*given)
    assert ran.status == 1 and words in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--figure", "s.txt"], "--figure is 's.txt', expected a file that ends in .png, .pdf, .svg"),
        (["--table", "s.xlsx"], "--table is 's.xlsx', expected a file that ends in .csv, .md"),
        (["--table", "here.csv"], "--table 'here.csv' exists. Choose another name"),
        (["--column", "reward=gian"], "gian"),
    ],
)
def test_what_can_not_be_done_is_said_at_once(program, asked, given, tmp_path, arguments, words):
    (tmp_path / "here.csv").touch()
    ran = program(*(given[:-2] if "--column" in arguments else given), *arguments)
    assert ran.status == 2 and "samplers" not in asked
    assert ran.err.startswith("error: ") and words in ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sampler", "numpyro:nutz", "--sampler", "pymc:nutpye"], "has no sampler 'nutz'"),
        (["--sampler", "numpyro:nuts"], "there is one sampler, expected at least two"),
        (["--draws", 0], "draws is 0, expected a whole number of at least 50"),
    ],
)
def test_what_the_comparison_refuses_is_one_message(program, given, tmp_path, arguments, words):
    pytest.importorskip("numpyro")
    ran = program(*given, *arguments)
    assert ran.status == 2
    assert ran.err.startswith("error: ") and words in ran.err and "Traceback" not in ran.err
    assert not (tmp_path / "rescorla_wagner-samplers").exists()


def test_the_help_says_how_to_go_on(program):
    words = " ".join(program("compare-samplers", "--help").out.replace("│", " ").split())
    assert "A run that was stopped or killed goes on where it was: give the same command again." in words
