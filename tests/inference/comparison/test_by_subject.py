"""Leaving out a subject: integrals against closed forms, importance sampling and refits against exact grids."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.inference.comparison.by_subject import integral_of, latent_draws, subject_scores
from tests.inference.comparison import exact_group
from tests.inference.comparison.exact_group import BACKEND, exact_fit, exact_left_out, log_marginal


@pytest.fixture(scope="module")
def data():
    return exact_group.trials()


@pytest.fixture(scope="module", params=[False, True], ids=["offsets", "centred"])
def fit(request, data):
    return exact_fit(data, centred=request.param)


def responses(fit):
    return fit.data.values["y"]


def test_a_subjects_parameters_are_integrated_out(fit):
    draws = latent_draws(fit, 400)
    found = integral_of(fit).at(draws, points=256, seed=1)
    location, sd = draws["mu_location"], draws["mu_sd"]
    exact = np.array([[log_marginal(y, m, s) for y in responses(fit)] for m, s in zip(location, sd, strict=True)])
    assert found.log_p.shape == exact.shape
    # A probability's relative error over points is 0.002 on average; the largest of 3,200 stays below 0.03.
    assert np.abs(found.log_p - exact).mean() < 3e-3
    assert np.abs(found.log_p - exact).max() < 0.03
    assert found.ess.min() > 0.3 * 256


def test_points_and_seed_decide_the_integral(fit):
    draws, integral = latent_draws(fit, 40), integral_of(fit)
    first, again = (integral.at(draws, points=32, seed=3).log_p for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, integral.at(draws, points=32, seed=4).log_p)


def test_leaving_out_a_subject_is_exact_up_to_its_monte_carlo_error(fit):
    scores = subject_scores("normal", fit)
    y = responses(fit)
    exact = []
    for s in range(len(y)):
        mask = np.zeros(y.shape, dtype=bool)
        mask[s] = True
        exact.append(exact_left_out(y, mask))
    # 1,000 independent draws of the group, weights with a relative sd of about 0.6: errors of about 0.02.
    assert np.abs(scores.elpd_i - exact).max() < 0.08
    assert abs(scores.elpd - sum(exact)) < 0.2
    assert (scores.pareto_k < scores.limit).all()
    assert scores.cells == fit.data.subjects and scores.integration_error < 0.02
    assert 0 < scores.p < 4


def test_refits_leave_a_subject_out_exactly(data):
    fit = exact_fit(data, count=400)
    settings = {"backend": BACKEND, "draws": 1000}
    found = rl.kfold(fit, folds=8, by="subject", refit_settings=settings, progress="off")
    y = responses(fit)
    for s, label in enumerate(fit.data.subjects):
        mask = np.zeros(y.shape, dtype=bool)
        mask[s] = True
        assert found.table.loc[label, "elpd"] == pytest.approx(exact_left_out(y, mask), abs=0.05)
    assert found.n_fits == 8 and found.refitted.all() and found.method == "kfold"


def test_folds_of_several_subjects_are_left_out_together(data):
    fit = exact_fit(data, count=400)
    settings = {"backend": BACKEND, "draws": 1000}
    found = rl.kfold(fit, folds=2, by="subject", seed=5, refit_settings=settings, progress="off")
    y = responses(fit)
    half, apart = {}, []
    rng = np.random.default_rng(5)
    for place, s in enumerate(rng.permutation(8)):
        half.setdefault(place % 2, []).append(int(s))
    for fold in half.values():
        without = np.ones(y.shape, dtype=bool)
        without[fold] = False
        for s in fold:
            one_more = without.copy()
            one_more[s] = True
            exact = np.logaddexp.reduce(exact_group.grid_log_density(y, one_more), axis=None)
            exact -= np.logaddexp.reduce(exact_group.grid_log_density(y, without), axis=None)
            apart.append(found.elpd_i[s] - exact)
    # A group of four is not well known: a density's relative sd over its draws is about 1.5, and there are 1,000.
    assert np.abs(apart).max() < 0.2 and abs(np.mean(apart)) < 0.07, apart


def test_a_subject_alone_is_predicted_from_its_prior():
    """Without pooling nothing is shared: leaving a subject out leaves its prior, whatever the draws are."""
    data = exact_group.trials(n_subjects=3)
    for pooling in (rl.Pooling("none"), rl.Pooling("none", prior=rl.priors.Normal(0.5, 2.0))):
        prior = pooling.prior or rl.priors.Normal(0.0, 1.0)
        found = subject_scores("alone", independent_fit(data, pooling))
        for s, y in enumerate(data.events["y"].values):
            assert found.elpd_i[s] == pytest.approx(log_marginal(y, prior.mean, prior.sd), abs=1e-3)
        assert np.isnan(found.pareto_k).all() and not found.is_bad.any()


def independent_fit(data, pooling):
    """Return a fit without a group, with exact draws of each subject's mean."""
    from rlbackends.backends.chains import ChainResults
    from rlbackends.inference import Fit
    from rlbackends.inference.certificate import certify
    from rlbackends.inference.tree import posterior_tree

    compiled = rl.compile(exact_group.normal_model("alone"), data, "numpyro", population=rl.Population(mu=pooling))
    prior = pooling.prior or rl.priors.Normal(0.0, 1.0)
    y = compiled.data.values["y"]
    precision = 1 / prior.sd**2 + y.shape[1] / exact_group.NOISE**2
    mean = (prior.mean / prior.sd**2 + y.sum(axis=1) / exact_group.NOISE**2) / precision
    rng = np.random.default_rng(0)
    (name,) = compiled.layout.names
    z = {name: mean + rng.normal(size=(2, 200, len(y))) / np.sqrt(precision)}
    results = ChainResults(
        z, {"diverging": np.zeros((2, 200), dtype=bool)}, {"compile_seconds": 0.0, "sample_seconds": 0.0}, {}
    )
    certificate = certify(compiled, compiled, points=1, seed=0)
    return Fit(posterior_tree(compiled, z, results, certificate, with_log_likelihood=False))
