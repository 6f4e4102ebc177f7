"""A backend whose posteriors are known on paper: it draws them, without a Markov chain.

Each subject has a mean ``mu``, normal with mean 0 and a known standard deviation beforehand, and responses that are
normal around it. The posterior of ``mu`` is normal with precision ``1 / prior_sd² + n / sd²`` and mean
``Σ y / sd² / precision``. Its sampler can be told to be wrong: too narrow, or blind for the data, or to fail.
"""

from __future__ import annotations

import numpy as np

import rlbackends as rl
from rlbackends.backends import Backend
from rlbackends.backends.chains import ChainResults
from rlbackends.backends.reference.engine import ReferenceEngine

BACKEND = Backend("exact", "tests.studies.exact_sampler", ("numpy",), ("exact",))
PRIOR_SD = 1.0
POPULATION = rl.Population("none", mu=rl.Pooling("none", prior=rl.priors.Normal(0.0, PRIOR_SD)))
TASK = rl.tasks.Task("sit", trial={"y": rl.Real()}, n_trials=4)


def normal_model(name="narrow", sd=1.0):
    """Return the model: responses around a subject's own mean."""

    def response(mu):
        return rl.Normal(mean=mu, sd=sd)

    parameters = {"mu": rl.Parameter(rl.RealLine())}
    return rl.Model(name, parameters=parameters, states={}, trial={"y": response}, update=lambda: {})


SDS = {"narrow": 1.0, "wide": 4.0}


def posterior(y, sd=1.0):
    """Return mean and standard deviation of each subject's posterior, from responses (subject × trial)."""
    precision = 1 / PRIOR_SD**2 + y.shape[1] / sd**2
    return y.sum(axis=1) / sd**2 / precision, precision**-0.5


class Engine(ReferenceEngine):
    """The reference, under another name."""

    name = "exact"


def sample(
    engine, *, seed, chains, tune, draws, cores, target_accept, max_tree_depth, progress, run=None, scale=1.0,
    blind=False, fails_below=-np.inf,
):  # fmt: skip
    """Draw from the posterior, or from something else."""
    y = engine.data.values["y"]
    if y.sum() < fails_below:
        raise RuntimeError("the sum is too low")
    mean, sd = (np.zeros(len(y)), PRIOR_SD) if blind else posterior(y, SDS[engine.model.name])
    noise = np.random.default_rng(seed).normal(size=(chains, draws, len(y)))
    stats = {"diverging": np.zeros((chains, draws), dtype=bool)}
    stats["diverging"][0, 0] = y[0, 0] > 1.5
    return ChainResults({"mu": mean + scale * sd * noise}, stats, {"compile_seconds": 0.0, "sample_seconds": 0.0}, {})


def check_sampler_settings(*, scale=1.0, blind=False, fails_below=-np.inf):
    """Take whatever is a setting of `sample`."""
