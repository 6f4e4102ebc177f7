"""``recover``: what reaches ``rl.recover``, what is told and written of its answer, and (slow) a small study."""

import pytest

import rlbackends as rl
from rlbackends.studies import Failure

GIVEN = ("rescorla_wagner", "bandit", "--backend", "numpyro")


class FakeFigure:
    """What a plot returns, as far as the program uses it."""

    def savefig(self, path, format):
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"a picture as {format}")


class FakeRecovery:
    """The answer of a study of two fits, of which one failed."""

    interval = 0.89

    def __init__(self):
        self.failed = {2: Failure("ValueError", "too bad", "", "")}

    def summary(self):
        import pandas as pd

        frame = pd.DataFrame({"n": [6.0], "correlation": [0.87654], "coverage_se": [0.1]}, index=["alpha"])
        frame.attrs["fits"] = "1 fit, no divergences; 1 more failed (see .failed)."
        return frame

    def plot(self):
        return FakeFigure()

    @property
    def table(self):
        import pandas as pd

        return pd.DataFrame({"data_set": [1], "parameter": ["alpha"]})


@pytest.fixture
def asked(monkeypatch):
    """Return what ``rl.recover`` was called with; it answers at once."""
    found = {}

    def record(model, task, **given):
        found.update(given, model=model, task=task)
        return FakeRecovery()

    monkeypatch.setattr(rl, "recover", record, raising=False)
    return found


def test_settings_reach_the_call(program, asked):
    ran = program(
        "recover", *GIVEN, "-o", "n_actions=3", "-t", "probabilities=0.1,0.5,0.9", "--truth", "alpha=beta(5, 5)",
        "--truth", "beta=2", "--repeats", 4, "--subjects", 7, "--blocks", 2, "--trials", 30, "--pooling", "none",
        "--fix", "beta=2", "--draws", 8, "--tune", 9, "--chains", 3, "--target-accept", 0.9, "--seed", 11,
        "--workers", "tcp://host:8786", "--folder", "study", "--retry-failed",
    )  # fmt: skip
    assert ran.status == 1 and ran.err == ""
    assert asked["model"].sizes == {"action": 3} and asked["task"].sizes == {"action": 3}
    assert repr(asked.pop("population")) == "Population('none', beta=2)"
    del asked["model"], asked["task"]
    assert asked == {
        "backend": "numpyro", "truth": {"alpha": rl.priors.Beta(5, 5), "beta": 2.0}, "repeats": 4, "subjects": 7,
        "blocks": 2, "trials": 30, "draws": 8, "tune": 9, "chains": 3, "target_accept": 0.9, "seed": 11,
        "workers": "tcp://host:8786", "folder": "study", "retry_failed": True,
    }  # fmt: skip


def test_the_answer_is_told_and_written(program, asked, tmp_path):
    ran = program("recover", *GIVEN, "--figure", "r.svg", "--table", "r.csv", "--workers", 2)
    assert ran.status == 1  # a fit failed
    assert asked["truth"] is None and asked["workers"] == 2
    assert asked["folder"] == "rescorla_wagner-bandit-numpyro-recovery"
    assert "True values: drawn from the prior of the fits." in ran.out
    assert ["alpha", "6", "0.877", "0.100"] in [line.split() for line in ran.out.splitlines()]
    assert "1 fit, no divergences; 1 more failed." in ran.out
    assert "data set 2 failed with ValueError: too bad" in ran.out
    assert (tmp_path / "r.svg").read_text(encoding="utf-8") == "a picture as svg"
    assert (tmp_path / "r.csv").read_text(encoding="utf-8") == "data_set,parameter\n1,alpha\n"
    assert {path.name for path in tmp_path.iterdir()} == {"r.svg", "r.csv"}


def test_the_help_says_how_to_go_on(program):
    words = " ".join(program("recover", "--help").out.replace("│", " ").split())
    assert "A run that was stopped or killed goes on where it was: give the same command again." in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*GIVEN, "--workers", "many"], "--workers is 'many', expected a whole number from 1 on, or an address"),
        ([*GIVEN, "--workers", "0"], "--workers is '0'"),
        ([*GIVEN, "--figure", "r.txt"], "--figure is 'r.txt', expected a file that ends in .png, .pdf, .svg"),
        ([*GIVEN, "--figure", "here.png"], "--figure 'here.png' exists. Choose another name"),
        ([*GIVEN, "--table", "r.tsv"], "--table is 'r.tsv', expected a file that ends in .csv"),
        ([*GIVEN, "--truth", "alpha=betta(5,5)"], "--truth alpha is 'betta(5,5)': there is no distribution 'betta'"),
        ([*GIVEN, "--fix", "beta"], "--fix is 'beta', expected --fix lapse=0.02"),
        (["rescorla_wagner", "bandti", *GIVEN[2:]], "there is no task 'bandti'"),
        ([*GIVEN, "-t", "probabilities=2,0"], "expected a probability from 0 to 1"),
    ],
)
def test_what_can_not_be_done_is_said_at_once(program, asked, tmp_path, arguments, words):
    (tmp_path / "here.png").touch()
    ran = program("recover", *arguments)
    assert (ran.status, ran.out, asked) == (2, "", {})
    assert ran.err.startswith("error: ") and words in ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*GIVEN, "--truth", "alpha=0.3"], "there is no value for 'beta'"),
        ([*GIVEN, "--truth", "alpha=1.3", "--truth", "beta=1"], "outside its support (0, 1)"),
        ([*GIVEN, "--folder", "other"], "other' is not empty (a.txt) and holds no study"),
        ([*GIVEN, "--repeats", 0], "repeats is 0"),
        ([*GIVEN, "-t", "probabilities=0.1,0.2,0.3"], "pass -o n_actions=3."),
    ],
)
def test_what_the_study_refuses_is_one_message(program, tmp_path, arguments, words):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").touch()
    ran = program("recover", *arguments)
    assert ran.status == 2
    assert ran.err.startswith("error: ") and words in ran.err and "Traceback" not in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {"other"}


@pytest.mark.slow
def test_a_small_study_goes_on_where_it_was(program, tmp_path):
    arguments = [
        "recover", *GIVEN, "--truth", "alpha=beta(5,5)", "--truth", "beta=gamma(9,3)", "--repeats", 2, "--subjects", 4,
        "--trials", 20, "--draws", 50, "--tune", 50, "--chains", 2, "--folder", "study",
    ]  # fmt: skip
    first = program(*arguments)
    assert first.status == 0, first.err
    (tmp_path / "study" / "fits" / "0002.nc").unlink()
    kept = (tmp_path / "study" / "fits" / "0001.nc").stat().st_mtime_ns
    again = program(*arguments, "--figure", "r.png", "--table", "r.csv")
    assert again.status == 0, again.err
    assert (tmp_path / "study" / "fits" / "0001.nc").stat().st_mtime_ns == kept
    assert again.out.partition("\nWritten")[0].rstrip() == first.out.rstrip()
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    header, *rows = (tmp_path / "r.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("data_set,subject,parameter,true,mean") and len(rows) == 2 * 4 * 2
    other = program(*arguments[:-1], "study", "--seed", 3)
    assert other.status == 2 and "study' holds another study than the one asked for" in other.err
    assert "seed: the folder has 0, asked for was 3" in other.err
