"""What the oracles share: no rule of any model, only lists, and a softmax.

An oracle plays one subject. Its trials are dicts, event → value or None, and ``start``: whether a block
starts. Its parameters are numbers, or lists with one number a trial. It returns a `Run`. Nothing here, or in
any oracle, comes from the package under test: the numbers are to agree because both follow the paper.
"""

import math
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Run:
    """Lists with an entry a trial: log-likelihood by response, trajectories by state and record."""

    log_likelihood: dict = field(default_factory=dict)
    trajectories: dict = field(default_factory=dict)

    def respond(self, name, value):
        self.log_likelihood.setdefault(name, []).append(value)

    def note(self, **values):
        for name, value in values.items():
            self.trajectories.setdefault(name, []).append(np.array(value, dtype=float))

    @property
    def total(self):
        """The log-likelihood of all responses that are there."""
        return math.fsum(v for values in self.log_likelihood.values() for v in values if not math.isnan(v))


def log_p(logits, choice):
    """Return the logarithm of a softmax's entry, or NaN if the choice is missing."""
    if choice is None:
        return math.nan
    top = max(logits)
    return logits[choice] - top - math.log(sum(math.exp(logit - top) for logit in logits))


def log_p_lapsing(logits, choice, lapse):
    """Return the same of a mixture: a share ``lapse`` of choices is a guess among all actions."""
    if choice is None:
        return math.nan
    return math.log((1.0 - lapse) * math.exp(log_p(logits, choice)) + lapse / len(logits))


def at(params, t):
    """Return the parameters of a trial."""
    return {name: float(value[t] if np.ndim(value) else value) for name, value in params.items()}


def of_subject(params, s):
    """Return one subject's parameters."""
    return {name: value[s] if np.ndim(value) else value for name, value in params.items()}


def play_all(oracle, subjects, params, **settings):
    """Play all subjects; return log-likelihoods and trajectories, dicts of arrays (subject × trial × …).

    ``subjects``: a list of trials each. ``params``: for each name a number, one per subject, or subject ×
    trial.
    """
    runs = [oracle(trials, of_subject(params, s), **settings) for s, trials in enumerate(subjects)]
    return _stacked([run.log_likelihood for run in runs]), _stacked([run.trajectories for run in runs])


def _stacked(rows):
    longest = max((len(values) for row in rows for values in row.values()), default=0)
    result = {}
    for name in rows[0]:
        shape = np.shape(rows[0][name][0])
        result[name] = np.full((len(rows), longest, *shape), np.nan)
        for s, row in enumerate(rows):
            result[name][s, : len(row[name])] = row[name]
    return result


def gradient(oracle, subjects, params, **settings):
    """Return the derivatives of the log-likelihood by each subject's parameters, by a nine-point rule."""
    h, weights = 2e-3, {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}

    def total(trials, values, name, by):
        return oracle(trials, {**values, name: values[name] + by}, **settings).total

    result = {name: np.zeros(len(subjects)) for name in params}
    for s, trials in enumerate(subjects):
        values = of_subject(params, s)
        for name in params:
            result[name][s] = math.fsum(
                weight * (total(trials, values, name, k * h) - total(trials, values, name, -k * h)) / h
                for k, weight in weights.items()
            )
    return result
