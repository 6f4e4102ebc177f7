"""Leaving out a response: importance sampling and refits against exact grids, cells in their places."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.inference.comparison.by_trial import trial_scores
from tests.inference.comparison import exact_group
from tests.inference.comparison.exact_group import BACKEND, exact_fit, exact_left_out


@pytest.fixture(scope="module")
def fit():
    return exact_fit(exact_group.trials())


def exact_values(fit):
    y = fit.data.values["y"]
    found = {}
    for s, t in np.ndindex(*y.shape):
        mask = np.zeros(y.shape, dtype=bool)
        mask[s, t] = True
        found[fit.data.subjects[s], int(fit.data.trial_numbers[s, t]), "y"] = exact_left_out(y, mask)
    return found


def test_leaving_out_a_response_is_exact_up_to_its_monte_carlo_error(fit):
    scores = trial_scores("test", "normal", fit)
    exact = exact_values(fit)
    assert set(scores.cells) == set(exact)
    apart = np.array([value - exact[cell] for cell, value in zip(scores.cells, scores.elpd_i, strict=True)])
    # 4,000 independent draws: errors of about 0.01 a cell, and none of the 40 is far out.
    assert np.abs(apart).max() < 0.05 and np.abs(apart).mean() < 0.015
    assert scores.elpd == pytest.approx(fit.loo().elpd)
    assert 0 < scores.p < len(apart) / 2


def test_kfold_by_trial_deals_trials_of_each_subject_to_all_folds(fit):
    settings = {"backend": BACKEND, "draws": 500}
    found = rl.kfold(fit, folds=5, by="trial", refit_settings=settings, progress="off")
    exact = exact_values(fit)
    # 8 of 40 responses are left out at once, one a subject: near leave-one-out, and a little worse.
    apart = np.array([value - exact[cell] for cell, value in zip(found.cells, found.elpd_i, strict=True)])
    assert np.abs(apart).mean() < 0.1 and found.n_fits == 5
    assert len(found.table) == 40 and not found.is_bad.any()
