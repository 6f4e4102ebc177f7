"""The published data sets on every backend, as they are and with gaps, blocks and unequal lengths put in."""

from __future__ import annotations

import warnings

import arviz as az
import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_backends_agree
from tests.conformance.published import PARAMS, read, with_gaps

BACKENDS = ("numpyro", "pymc")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PARAMS)
def test_backend_agrees_on_published_data(shared_data, name, backend):
    model, data = read(name, shared_data)
    assert_backends_agree(model, data, PARAMS[name], backends=[backend], points=0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", PARAMS)
def test_backend_agrees_on_published_data_with_gaps(shared_data, name, backend):
    model, data = read(name, shared_data)
    gappy = with_gaps(model, data.bind(model))
    assert_backends_agree(model, gappy, PARAMS[name], backends=[backend], points=0)


@pytest.mark.parametrize("backend", ["reference", *BACKENDS])
def test_flat_aliens_total(shared_data, backend):
    model, data = read("aliens", shared_data)
    compiled = rl.compile(model, data, backend).for_checking()
    total = float(compiled.log_likelihood(PARAMS["aliens"])["choice"].sum())
    assert total == pytest.approx(-12471.4590793, abs=1e-8)


@pytest.mark.slow
def test_posteriors_agree_on_reversal_learning(shared_data):
    # 6 group variables and 40 subjects' means at 4 standard errors of the difference: about 3 false alarms in 1,000.
    data = rl.read_trials(
        shared_data / "prl.tsv", subject="subjID", trial="trial", choice="choice", reward="outcome"
    )
    model = rl.catalogue.rescorla_wagner()
    settings = dict(draws=1000, tune=1000, chains=4, seed=1, target_accept=0.9, progress="off")
    fits = {backend: rl.fit(model, data, backend=backend, **settings) for backend in BACKENDS}
    for fit in fits.values():
        assert fit.diagnostics["r_hat_max"] < 1.01
        assert fit.diagnostics["divergences"] == 0
    one, other = (fits[backend].tree["posterior"].to_dataset() for backend in BACKENDS)
    for name in one.data_vars:
        if "offset" in name:
            continue
        errors = [draws[name].std(("chain", "draw")) / np.sqrt(az.ess(draws)[name]) for draws in (one, other)]
        difference = abs(one[name].mean(("chain", "draw")) - other[name].mean(("chain", "draw")))
        assert (difference < 4 * np.hypot(*errors)).all(), name


@pytest.mark.slow
def test_loo_of_published_data(shared_data):
    model, data = read("ts", shared_data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # short chains, and what arviz says of single cells
        fit = rl.fit(model, data, backend="numpyro", draws=300, tune=500, chains=2, seed=1, progress="off")
        assert np.isfinite(az.loo(fit.tree).elpd)
        assert fit.loo().n_data_points == 2 * data.n_trials
