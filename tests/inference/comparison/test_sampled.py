"""Real posteriors: importance sampling against exact refits, on NumPyro."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.inference.comparison.by_subject import subject_scores
from rlbackends.inference.comparison.by_trial import trial_scores
from rlbackends.inference.comparison.refits import Refits
from rlbackends.inference.result import ConvergenceWarning
from tests.inference.conftest import simulated


@pytest.fixture(scope="module")
def fit():
    """Return a fit of five Rescorla–Wagner learners."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return rl.fit(
            rl.catalogue.rescorla_wagner(), simulated(n_trials=40), backend="numpyro", draws=500, tune=500, chains=2,
            cores=1, seed=3, target_accept=0.9, progress="off",
        )  # fmt: skip


def test_refits_have_the_settings_of_their_fit(fit):
    refits = Refits("test", "rw", fit, {"draws": 7}, 0, "off")
    fitter = refits._fitter
    assert fitter.sampler.name == "nuts" and fitter.sampler_settings["dense_mass"] is False
    assert fitter._numbers["draws"] == 7 and fitter._numbers["tune"] == 500 and fitter._numbers["target_accept"] == 0.9


def test_a_fit_tells_leave_one_subject_out(fit):
    found = fit.loo(by="subject")
    assert found.elpd_i.dims == ("subject",) and list(found.elpd_i["subject"].values) == list(fit.data.subjects)
    assert float(found.elpd_i.sum()) == pytest.approx(found.elpd) and found.n_data_points == 5
    # Five people tell little about a group: a new person's choices are worse predicted than those of a known one.
    assert found.elpd < fit.loo().elpd


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::rlbackends.inference.result.ConvergenceWarning")
def test_subjects_left_out_by_importance_sampling_and_by_fits_without_them(fit):
    quick = subject_scores("rw", fit)
    exact = rl.kfold(fit, folds=5, by="subject", progress="off")
    apart = quick.elpd_i - exact.elpd_i
    # Both have 1,000 draws; weights have a relative sd of about 1 over draws that are worth some hundreds.
    assert np.abs(apart).max() < 0.4, apart
    assert abs(apart.sum()) < 0.8, apart


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::rlbackends.inference.result.ConvergenceWarning")
def test_responses_left_out_by_importance_sampling_and_by_fits_without_them(fit):
    quick = trial_scores("test", "rw", fit)
    cells = [quick.cells[i] for i in np.argsort(-quick.p_i)[[0, 3, 9]]]  # those that matter to the posterior most
    exact = Refits("test", "rw", fit, {}, 0, "off").score("trial", [[cell] for cell in cells])
    for cell in cells:
        assert exact[cell] == pytest.approx(quick.table.loc[cell, "elpd"], abs=0.1)
