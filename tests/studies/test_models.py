"""Model recovery: the best model is the one of the highest criterion, and the matrices count it."""

import io
import json
import warnings

import numpy as np
import pytest
import xarray as xr

import rlbackends as rl
from rlbackends.errors import ModelError, ParameterError, SettingError
from rlbackends.studies.bench import Draft
from rlbackends.studies.fits import Record
from rlbackends.studies.folder import Failure
from rlbackends.studies.models import ModelRecovery, best_of
from tests.studies.exact_sampler import BACKEND, POPULATION, TASK, normal_model

MODELS = {"narrow": normal_model("narrow", 1.0), "wide": normal_model("wide", 4.0)}
EXACT = dict(
    backend=BACKEND, population=POPULATION, draws=100, tune=1, chains=2, progress="off", certificate_points=1,
    subjects=3,
)  # fmt: skip
NOTES = {
    "p": 1.0, "bad_k": 0, "divergences": 0, "r_hat_max": 1.0, "ess_bulk_min": 500.0, "ess_tail_min": 400.0,
    "fit_seconds": 1.0, "nth_of_process": 1, "process": 1,
}  # fmt: skip


class Scores(dict):
    """Fits of which nothing is known but the criterion of each response."""

    seconds = 0.0

    def __init__(self, scores, failed=()):
        super().__init__(scores)
        self.failed = dict.fromkeys(failed, Failure("RuntimeError", "no"))

    def record(self, key, group):
        assert group == "loo"
        cells = np.asarray(self[key], dtype=float)
        data = xr.Dataset({"elpd_i": ("observation", cells)})
        return Record(NOTES | {"elpd": float(cells.sum())}, data)


def by_hand(failed=()):
    """Return a recovery of three models with scores by hand: a found in 2 of 3, b in 3 of 3, c always taken for b."""
    models = dict.fromkeys("abc", MODELS["narrow"])
    best = {"a": "aab", "b": "bbb", "c": "bbb"}
    scores = {
        (simulated, number, fitted): [-1.0, -2.0] if fitted == winner else [-1.5, -3.0]
        for simulated, winners in best.items()
        for number, winner in enumerate(winners, start=1)
        for fitted in "abc"
    }
    kept = {key: value for key, value in scores.items() if key not in failed}
    return ModelRecovery(models, "exact", "loo", Scores(kept, failed))


def test_the_matrices_count_which_model_was_best():
    found = by_hand()
    np.testing.assert_array_equal(found.counts, [[2, 1, 0], [0, 3, 0], [0, 3, 0]])
    np.testing.assert_allclose(found.confusion, [[2 / 3, 1 / 3, 0], [0, 1, 0], [0, 1, 0]])
    # b is best in 1/3 of a's data sets, and in all of b's and c's; c never is.
    np.testing.assert_allclose(found.inversion, [[1, 1 / 7, np.nan], [0, 3 / 7, np.nan], [0, 3 / 7, np.nan]])
    assert list(found.confusion.index) == list(found.confusion.columns) == ["a", "b", "c"]
    assert (found.confusion.index.name, found.confusion.columns.name) == ("simulated", "best")


def test_the_table_has_differences_from_the_best_model():
    table = by_hand().table.set_index(["simulated", "data_set", "fitted"])
    row = table.loc["a", 1, "b"]
    assert (row["elpd"], row["difference"]) == (-4.5, -1.5)
    assert row["difference_se"] == pytest.approx((2 * np.var([-0.5, -1.0])) ** 0.5)
    assert table.loc["a", 1, "a"]["is_best"] and not row["is_best"]


def test_a_data_set_that_a_model_could_not_be_fitted_to_counts_for_none():
    found = by_hand(failed=[("a", 1, "c")])
    np.testing.assert_array_equal(found.counts, [[1, 1, 0], [0, 3, 0], [0, 3, 0]])
    assert "1 more failed" in repr(found) and "2 to 3 data sets each" in repr(found)


def test_of_equal_scores_the_first_is_best():
    assert best_of({"a": -2.0, "b": -1.0, "c": -1.0}) == "b"


@pytest.fixture(scope="module")
def found():
    """Return two models that are easily told apart, recovered with the exact sampler."""
    return rl.recover_models(MODELS, TASK, repeats=2, trials=8, **EXACT)


def test_models_that_differ_are_told_apart(found):
    np.testing.assert_array_equal(found.counts, [[2, 0], [0, 2]])
    assert len(found.table) == 8 and len(found.fits) == 8
    file = io.BytesIO()
    found.plot().savefig(file, format="png", dpi=50)
    assert file.getvalue().startswith(b"\x89PNG")
    text = repr(found)
    assert text.startswith("ModelRecovery(2 models on exact, by loo)") and "8 fits" in text
    assert list(found.diagnostics.index.names) == ["simulated", "data_set", "fitted"]


def test_all_models_are_fitted_to_the_same_data(found):
    for simulated in MODELS:
        one, two = (found.fits[simulated, 2, fitted].data.values["y"] for fitted in MODELS)
        np.testing.assert_array_equal(one, two)
    apart = [found.fits[simulated, 2, "narrow"].data.values["y"] for simulated in MODELS]
    assert not np.array_equal(*apart)


def test_the_criterion_is_that_of_the_fit(found):
    fit = found.fits["narrow", 1, "wide"]
    assert "log_likelihood" not in fit.tree.children
    settings = {name: value for name, value in EXACT.items() if name not in ("subjects",)}
    fitter = rl.Fitter(MODELS["wide"], **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # few draws: R-hat, and high Pareto k
        expected = fitter.fit(fit.data, seed=seed_of(fit)).loo()
    row = found.table.set_index(["simulated", "data_set", "fitted"]).loc["narrow", 1, "wide"]
    assert row["elpd"] == pytest.approx(expected.elpd, rel=1e-12)
    assert row["p"] == pytest.approx(expected.p)
    order = fit.tree["loo"]["subject"].values.tolist()
    assert order == sorted(order) and len(order) == 24


def seed_of(fit):
    """Return the sampler's seed of a study's fit."""
    notes = json.loads(fit.tree.attrs["study"])
    return Draft(notes["fitted"], notes["simulated"], notes["data_set"], {}, tuple(notes["seed"])).fit_seed


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"models": [MODELS["wide"]]}, SettingError, "expected at least two models"),
        ({"models": [MODELS["wide"]] * 2}, SettingError, "'wide' is the name of several models"),
        ({"models": {"a": "wide", "b": MODELS["wide"]}}, SettingError, "'wide' is no model"),
        ({"criterion": "bic"}, SettingError, "criterion is 'bic', expected 'loo'"),
        ({"repeats": 0}, SettingError, "repeats is 0"),
        ({"truth": {"wde": {"mu": 1.0}}}, SettingError, "truth has 'wde'.*Did you mean 'wide'"),
        ({"task": {"wide": TASK}}, SettingError, "task lacks 'narrow'"),
        ({"truth": {"wide": {"nu": 1.0}}}, ParameterError, "'wide': truth: 'nu' is no parameter"),
        ({"models": [MODELS["wide"], rl.catalogue.rescorla_wagner()]}, ModelError, "rescorla_wagner"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, error, words, tmp_path):
    asked = {"models": MODELS, "task": TASK, "folder": tmp_path / "study", **EXACT, "population": None, **changes}
    with pytest.raises(error, match=words):
        rl.recover_models(asked.pop("models"), asked.pop("task"), **asked)
    assert not (tmp_path / "study").exists()


@pytest.mark.slow
def test_the_tables_are_the_same_whatever_the_workers():
    models = [rl.catalogue.rescorla_wagner(), rl.catalogue.perseveration()]
    one, two = (
        rl.recover_models(
            models, rl.tasks.bandit(), backend="numpyro", repeats=2, subjects=3, trials=15, draws=50, tune=50, chains=2,
            progress="off", certificate_points=1, workers=workers,
        )
        for workers in (1, 2)
    )  # fmt: skip
    assert one.table.equals(two.table)
