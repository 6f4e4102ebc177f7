"""Random-effects model selection against what can be computed without approximation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import gammaln, logsumexp

import rlbackends as rl
from rlbackends.errors import DataError, SettingError
from rlbackends.inference.comparison.dirichlet import equal_frequencies, exceedance, variational_posterior


def enumerated(log_evidence, prior=1.0):
    """Return the exact log evidence, expected frequencies and exceedance probabilities, from all assignments.

    Given who follows which model the frequencies are Dirichlet with counts one higher for each follower; the weight of
    an assignment is its subjects' evidences times the ratio of the Dirichlet distributions' normalisers.
    """
    n_subjects, n_models = log_evidence.shape
    weights, counts = [], []
    for assignment in itertools.product(range(n_models), repeat=n_subjects):
        alpha = prior + np.bincount(assignment, minlength=n_models)
        log_weight = gammaln(n_models * prior) - n_models * gammaln(prior)
        log_weight += gammaln(alpha).sum() - gammaln(alpha.sum())
        weights.append(log_weight + log_evidence[np.arange(n_subjects), assignment].sum())
        counts.append(alpha)
    log_p, counts = logsumexp(weights), np.array(counts)
    share = np.exp(np.array(weights) - log_p)
    distinct, place = np.unique(counts, axis=0, return_inverse=True)
    of = np.bincount(place.ravel(), weights=share, minlength=len(distinct))
    frequency = (of[:, None] * distinct / distinct.sum(axis=1, keepdims=True)).sum(axis=0)
    chance = sum(weight * exceedance(alpha) for weight, alpha in zip(of, distinct, strict=True))
    return log_p, frequency, chance


def subjects(seed, n_subjects, n_models, scale):
    rng = np.random.default_rng(seed)
    values = -100 + scale * rng.normal(size=(n_subjects, n_models))
    values[: 2 * n_subjects // 3, 0] += scale  # two in three follow the first
    return values


@pytest.mark.parametrize("scale", [1.0, 3.0, 10.0])
@pytest.mark.parametrize(("n_subjects", "n_models"), [(9, 2), (7, 3)])
def test_the_variational_posterior_is_near_the_exact_one(n_subjects, n_models, scale):
    values = subjects(1, n_subjects, n_models, scale)
    log_p, frequency, chance = enumerated(values)
    found = rl.select_models(values)
    posterior = variational_posterior(values)
    # A lower bound, as it should be. Over these six cases it is at most 1.2 too low, frequencies are 0.044 off, and
    # exceedance probabilities 0.13: the variational posterior is surer than the exact one where the evidence is weak.
    assert posterior.bound <= log_p
    assert log_p - posterior.bound < 1.3
    assert np.abs(found.table["frequency"] - frequency).max() < 0.05
    assert np.abs(found.table["exceedance"] - chance).max() < 0.14
    if scale == 10.0:
        assert log_p - posterior.bound < 0.2
        assert np.abs(found.table["frequency"] - frequency).max() < 0.005
        assert np.abs(found.table["exceedance"] - chance).max() < 0.015


def test_clear_evidence_counts_subjects():
    values = np.full((10, 3), -50.0)
    values[np.arange(10), [0] * 6 + [1] * 3 + [2]] = 0.0
    found = rl.select_models(values)
    np.testing.assert_allclose(found.table["alpha"], [7, 4, 2], atol=1e-8)
    np.testing.assert_allclose(found.table["frequency"], [7 / 13, 4 / 13, 2 / 13], atol=1e-8)
    assert found.assigned.to_numpy().max(axis=1).min() > 1 - 1e-12
    # All is certain: the evidence is that of the counts under a uniform distribution of frequencies.
    exact = math.lgamma(3) + sum(math.lgamma(n + 1) for n in (6, 3, 1)) - math.lgamma(13)
    assert variational_posterior(values).bound == pytest.approx(exact, abs=1e-8)
    risk = 1 / (1 + math.exp(exact - 10 * math.log(1 / 3)))
    assert found.omnibus_risk == pytest.approx(risk, abs=1e-8)


def test_models_that_can_not_be_told_apart_are_equally_frequent():
    found = rl.select_models(np.zeros((12, 4)))
    np.testing.assert_allclose(found.table["frequency"], 0.25, atol=1e-8)
    np.testing.assert_allclose(found.table["exceedance"], 0.25, atol=1e-8)
    np.testing.assert_allclose(found.table["protected"], 0.25, atol=1e-8)
    assert found.omnibus_risk > 0.5
    assert equal_frequencies(np.zeros((12, 4))) == pytest.approx(0.0, abs=1e-12)
    assert "equally frequent" in repr(found)


def test_the_omnibus_risk_is_what_its_formula_says():
    values = subjects(3, 12, 3, 2.0)
    found = rl.select_models(values)
    null = sum(math.log(sum(math.exp(x) for x in row + 100) / 3) - 100 for row in values)
    assert equal_frequencies(values) == pytest.approx(null)
    risk = 1 / (1 + math.exp(variational_posterior(values).bound - null))
    assert found.omnibus_risk == pytest.approx(risk)
    protected = found.table["exceedance"] * (1 - risk) + risk / 3
    np.testing.assert_allclose(found.table["protected"], protected)
    assert found.table["protected"].sum() == pytest.approx(1.0)


def test_exceedance_probabilities_are_integrated():
    # Of two: a beta distribution's upper half. The counts are those of the first example of Stephan et al. (2009), who
    # give 84.3 % and 99.7 %.
    chance = exceedance(np.array([11.8, 2.2]))
    assert chance[0] == pytest.approx(stats.beta.sf(0.5, 11.8, 2.2), abs=1e-9)
    assert round(chance[0], 3) == 0.997 and round(11.8 / 14.0, 3) == 0.843
    # Of more: by a million draws, whose standard error is at most 0.0005.
    alpha = np.array([4.2, 3.1, 1.0, 2.7])
    draws = np.random.default_rng(0).dirichlet(alpha, 1_000_000).argmax(axis=1)
    share = np.bincount(draws, minlength=4) / 1_000_000
    assert np.abs(exceedance(alpha) - share).max() < 0.0025
    large = np.array([900.0, 30.0, 2.0])
    assert exceedance(large)[0] == pytest.approx(1.0, abs=1e-9)


def test_a_constant_for_all_models_of_a_subject_changes_nothing():
    values = subjects(5, 8, 3, 2.0)
    moved = values + np.linspace(-1e4, 1e4, 8)[:, None]
    a, b = rl.select_models(values), rl.select_models(moved)
    pd.testing.assert_frame_equal(a.table, b.table, rtol=1e-6)
    assert a.omnibus_risk == pytest.approx(b.omnibus_risk, rel=1e-6)


def test_a_table_keeps_its_labels():
    frame = pd.DataFrame({"rw": [-10.0, -12.0], "kernel": [-14.0, -11.0]}, index=["ann", "bob"])
    found = rl.select_models(frame)
    assert list(found.table.index) == ["rw", "kernel"] and list(found.assigned.index) == ["ann", "bob"]
    assert found.assigned.loc["ann", "rw"] > 0.9
    assert "rw is expected to describe" in repr(found)


def test_what_can_not_be_used_is_refused():
    with pytest.raises(DataError, match=r"1 of 4 log evidences .* nan for subject 2 under 'model 1'"):
        rl.select_models([[1.0, 2.0], [math.nan, 0.0]])
    with pytest.raises(DataError, match="-inf"):
        rl.select_models(pd.DataFrame({"a": [-math.inf], "b": [0.0]}))
    with pytest.raises(DataError, match="something else than numbers"):
        rl.select_models(pd.DataFrame({"a": ["x"], "b": [0.0]}))
    with pytest.raises(SettingError, match="at least two models"):
        rl.select_models([[1.0], [2.0]])
    with pytest.raises(SettingError, match="a row a subject"):
        rl.select_models([1.0, 2.0])
    with pytest.raises(SettingError, match="prior is 0"):
        rl.select_models([[1.0, 2.0]], prior=0)
