"""Comparing point estimates: criteria are sums, weights are theirs, selection has their log evidence."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import DataError, SettingError
from tests.inference.comparison.test_compare import trials

LONG = {"n_trials": 25}


@pytest.fixture(scope="module")
def estimates():
    data = trials(**LONG)
    models = {"rw": rl.catalogue.rescorla_wagner(), "two": rl.catalogue.rescorla_wagner_two_rates()}
    return {
        name: rl.estimate(model, data, method="map", backend="numpyro", starts=3) for name, model in models.items()
    }


def test_criteria_are_sums_over_subjects(estimates):
    comparison = rl.compare(estimates)
    for name, item in estimates.items():
        row = comparison.table.loc[name]
        k, log_p, n = len(item.link_scale), item.log_likelihood, item.n_observations
        assert row["n_parameters"] == k and row["log_likelihood"] == pytest.approx(log_p.sum())
        assert row["aic"] == pytest.approx((2 * k - 2 * log_p).sum())
        assert row["bic"] == pytest.approx((k * np.log(n) - 2 * log_p).sum())
        assert row["log_evidence"] == pytest.approx(item.log_evidence.sum())
        np.testing.assert_allclose(comparison.pointwise["bic", name], item.bic("subject"))
    table = comparison.table
    assert table["bic_difference"].min() == 0.0 and table["aic_difference"].min() == 0.0
    assert table["bic"].is_monotonic_increasing and table["lowest_bic"].sum() >= 3
    aic = comparison.pointwise["aic"]
    share = np.exp(-aic["rw"] / 2) / (np.exp(-aic["rw"] / 2) + np.exp(-aic["two"] / 2))
    np.testing.assert_allclose(comparison.weights["aic", "rw"], share)
    assert "has the lowest BIC" in repr(comparison)


def test_log_evidence_selects_models(estimates):
    found = rl.compare(estimates).selection
    again = rl.select_models(np.column_stack([item.log_evidence for item in estimates.values()]))
    np.testing.assert_allclose(found.table, again.table)
    assert list(found.table.index) == ["rw", "two"] and list(found.assigned.index) == ["ann", "bob", "cem"]
    assert "Laplace" in repr(found) and "Random-effects" in repr(rl.compare(estimates))


def test_maximum_likelihood_has_no_log_evidence(estimates):
    plain = rl.estimate(rl.catalogue.rescorla_wagner(), trials(**LONG), method="ml", backend="numpyro", starts=3)
    both = {"ml": plain, "two": estimates["two"]}
    comparison = rl.compare(both)
    assert comparison.selection is None and "log_evidence" not in comparison.table
    with pytest.raises(SettingError, match="'ml' was estimated by maximum likelihood, which gives no log evidence"):
        rl.select_models(both)


def test_estimates_go_with_their_like(estimates):
    from tests.inference.comparison.test_compare import noise_fit

    fit = noise_fit(rl.catalogue.rescorla_wagner(), trials(**LONG))
    for call in (rl.compare, rl.select_models):
        with pytest.raises(SettingError, match="fits, others point estimates"):
            call({"a": fit, "b": estimates["rw"]})
    other = rl.estimate(rl.catalogue.rescorla_wagner(), trials(2, **LONG), method="map", backend="numpyro", starts=1)
    for call in (rl.compare, rl.select_models):
        with pytest.raises(DataError, match="Only models of the same responses can be compared"):
            call({"a": other, "b": estimates["rw"]})
