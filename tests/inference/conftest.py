"""One small fit on each backend, shared by the tests of what a fit gives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.reference.simulate import simulate_subject
from rlbackends.inference.result import ConvergenceWarning


def simulated(n_subjects=5, n_trials=60, seed=0):
    """Return choices of Rescorla–Wagner learners between two arms, with labels 1 and 2 and one missed response."""
    model = rl.catalogue.rescorla_wagner()
    rng = np.random.default_rng(seed)
    choices, rewards = [], []
    for _ in range(n_subjects):
        pays = (rng.random((n_trials, 2)) < [0.8, 0.3]).astype(float)
        params = {"alpha": rng.uniform(0.2, 0.6), "beta": rng.uniform(2.0, 5.0)}
        world = {"reward": lambda trial, now, pays=pays: pays[trial, now["choice"]]}
        found = simulate_subject(model, params, world, {"choice": rng.random(n_trials)})
        choices.append(found["choice"] + 1.0)
        rewards.append(found["reward"])
    choices = np.array(choices)
    choices[1, 7] = np.nan
    lengths = [n_trials] * (n_subjects - 1) + [n_trials - 10]
    return rl.Trials.from_arrays(
        subjects=[f"s{i + 1}" for i in range(n_subjects)],
        lengths=lengths,
        levels={"choice": [1, 2]},
        choice=choices,
        reward=np.array(rewards),
    )


@pytest.fixture(scope="session")
def model():
    return rl.catalogue.rescorla_wagner()


@pytest.fixture(scope="session")
def data():
    return simulated()


@pytest.fixture(scope="session")
def fits(model, data):
    """Return a fit on each backend, with the same settings."""
    settings = dict(draws=400, tune=500, chains=2, cores=2, seed=3, target_accept=0.9, progress="off")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # short chains: enough to see what a fit gives
        return {backend: rl.fit(model, data, backend=backend, **settings) for backend in ("numpyro", "pymc")}


@pytest.fixture(params=["numpyro", "pymc"])
def one_fit(request, fits):
    return fits[request.param]
