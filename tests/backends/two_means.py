"""A model whose posterior is a known normal distribution with correlated entries.

Each subject's responses are normal around the sum of two numbers of its own, with sd 1, and both are standard normal
beforehand. With n responses that sum to s, the posterior precision of the two is ``[[1 + n, n], [n, 1 + n]]``, and
their mean is the covariance times ``[s, s]``. Before they are seen, a subject's responses are jointly normal: the sum
of the two numbers gives each pair a covariance of 2, and the response itself adds a variance of 1.
"""

from __future__ import annotations

import math

import numpy as np

import rlbackends as rl

STANDARD = rl.Pooling("none", prior=rl.priors.Normal(0.0, 1.0))
# Not in the order of their names: what joins latents to a vector must go by name.
NAMES = ("second", "first")
POPULATION = rl.Population(first=STANDARD, second=STANDARD)
Y = np.array([[0.4, 1.9, -0.3, 1.1], [2.2, 3.0, 1.7, 2.9]])


def model():
    """Return the model."""

    def response(second, first):
        return rl.Normal(mean=second + first, sd=1.0)

    parameters = {name: rl.Parameter(rl.RealLine()) for name in NAMES}
    return rl.Model("two_means", parameters=parameters, states={}, trial={"y": response}, update=lambda: {})


def data():
    """Return the responses of two subjects."""
    return rl.Trials.from_arrays(subjects=["ann", "bob"], y=Y)


def posterior():
    """Return mean (subject,), the same for both numbers, and covariance (2, 2) of each subject's two numbers."""
    n = Y.shape[1]
    covariance = np.linalg.inv(np.array([[1.0 + n, n], [n, 1.0 + n]]))
    return Y.sum(axis=1) / (1.0 + 2.0 * n), covariance


def log_density(first, second):
    """Return the joint log-density of both numbers, (…, subject), and the responses, summed over subjects."""
    apart = Y - (first + second)[..., None]
    squares = first**2 + second**2 + (apart**2).sum(axis=-1)
    return (-0.5 * squares - 0.5 * (2 + Y.shape[1]) * math.log(2 * math.pi)).sum(axis=-1)


def log_evidence():
    """Return the logarithm of the probability density of all responses."""
    n = Y.shape[1]
    covariance = np.full((n, n), 2.0) + np.eye(n)
    squares = np.einsum("si,ij,sj->s", Y, np.linalg.inv(covariance), Y)
    return float((-0.5 * squares - 0.5 * np.linalg.slogdet(2 * math.pi * covariance)[1]).sum())
