"""``compare``: what is told and written of fits' files, and what is refused."""

import numpy as np
import pytest

import rlbackends as rl
from tests.inference.comparison.test_compare import biased, noise_fit, trials


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fits")
    for name, model in (("one", rl.catalogue.rescorla_wagner()), ("two", biased())):
        noise_fit(model, trials()).save(folder / f"{name}.nc")
    return [str(folder / "one.nc"), str(folder / "two.nc")]


def test_a_comparison_is_told_and_written(program, files, tmp_path):
    ran = program(
        "compare", *files, "--refit", "no", "--csv", "c.csv", "--pointwise", "p.csv", "--plot", "c.svg"
    )
    assert ran.status == 0 and ran.err == ""
    assert "2 models compared by trial: leave-one-out on 29 responses of 3 subjects" in ran.out
    assert "rescorla_wagner" in ran.out and "one more response of a known person" in ran.out
    rows = (tmp_path / "c.csv").read_text().splitlines()
    assert rows[0].startswith("model,elpd,se,difference") and len(rows) == 3
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 30
    assert (tmp_path / "c.svg").read_text().startswith("<?xml")


def test_fits_of_one_model_go_by_their_files(program, files):
    ran = program("compare", files[0], files[0])
    assert ran.status == 2 and "the same file is given twice" in ran.err


def test_options_reach_the_call(program, files, monkeypatch):
    asked = {}

    def record(named, **given):
        asked.update(given, names=list(named))
        return rl.inference.comparison.Comparison("subject", CELLS, "stacking")

    from tests.inference.comparison.test_compare import scores

    CELLS = {name: scores(name, np.array([-1.0, -2.0])) for name in "ab"}
    import rlbackends.inference.comparison  # noqa: F401

    monkeypatch.setattr(rl, "compare", record, raising=False)
    ran = program("compare", *files, "--by", "subject", "--refit", "yes", "--max-refits", 3, "--seed", 5)
    assert ran.status == 0
    assert asked == {"names": ["rescorla_wagner", "biased"], "by": "subject", "refit": True, "max_refits": 3, "seed": 5}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--plot", "c.bmp"), "--plot is 'c.bmp', expected a file that ends in .png"),
        (("--csv", "c.txt"), "--csv is 'c.txt', expected a file that ends in .csv"),
    ],
)
def test_files_that_can_not_be_written_are_told_first(program, files, more, said):
    ran = program("compare", *files, *more)
    assert ran.status == 2 and said in ran.err


def test_one_fit_is_not_enough(program, files):
    ran = program("compare", files[0])
    assert ran.status == 2 and "expected at least two fits" in ran.err
