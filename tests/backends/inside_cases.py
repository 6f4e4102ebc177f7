"""Models on messy data, and a population that is easily written by hand: each subject alone, under a plain prior."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

import rlbackends as rl
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, random_subjects

# Two responses with the world between; sub-choices of which some are not there; a continuous response.
NAMES = ("rescorla_wagner", "two_step", "balloon_mean_variance", "conditioned_response")


@dataclass(frozen=True)
class Problem:
    """A model, its data, parameters by subject, and priors on the natural scale."""

    model: rl.Model
    data: rl.Trials
    params: dict[str, np.ndarray]
    priors: dict[str, object]

    @property
    def population(self):
        return rl.Population(**{name: rl.Pooling("none", prior=prior) for name, prior in self.priors.items()})


def prior(support):
    if support == rl.RealLine():
        return rl.priors.Normal(0.0, 1.0)
    if support == rl.Positive():
        return rl.priors.Gamma(2.0, 1.0)
    return rl.priors.Beta(2.0, 3.0) if support == rl.UnitInterval() else rl.priors.Uniform(support.lo, support.hi)


def problem(name):
    """Return a catalogue model on data with unequal lengths, missing values and blocks."""
    case, rng = CASES[name], random.Random(7)
    model = case.model()
    data = as_trials(model, random_subjects(case, rng, lengths=(9, 5, 7)))
    params = {name: np.array(values) for name, values in case.draw_params(rng, 3).items()}
    return Problem(model, data, params, {name: prior(p.support) for name, p in model.parameters.items()})


def held_out(data):
    """Return trials of which every third does not count."""
    return data.holding_out(np.arange(data.starts.size).reshape(data.starts.shape) % 3 == 1)


def per_observation(compiled, params, cells):
    """Return the log-likelihood of each trial that has an observation, response by response."""
    found = compiled.log_likelihood(params)
    return {name: found[name].values[tuple(np.unique(where, axis=0).T)] for name, where in cells.items()}


def by_trial(values, cells):
    """Return numbers by observation, those of one trial summed."""
    _, place = np.unique(cells, axis=0, return_inverse=True)
    return np.bincount(place.reshape(-1), weights=values)
