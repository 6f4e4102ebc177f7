"""What is climbed: each subject's log-likelihood on the link scale, and what a prior adds to it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rlbackends.backends.protocol import Engine
    from rlbackends.inference.estimates.scale import Scale

Valued = tuple[np.ndarray, np.ndarray]
Objective = Callable[[np.ndarray, np.ndarray], Valued]
"""From points (row, subject, parameter) and the number of the search that each belongs to, (row, subject), to values
(row, subject) and gradients (row, subject, parameter)."""

_STEP = 1e-4  # of central differences of gradients; their error is of the order of its square


@dataclass
class Likelihood:
    """The log-likelihood of each subject at points of the link scale.

    Attributes
    ----------
    engine, scale
        The compiled model, and the free parameters.
    evaluations : int
        How many values and gradients of one subject were asked for.
    """

    engine: Engine
    scale: Scale
    evaluations: int = 0

    def __call__(self, z: np.ndarray, _: np.ndarray | None = None) -> Valued:
        params = {name: np.ascontiguousarray(value) for name, value in self.scale.natural(z).items()}
        with np.errstate(all="ignore"):
            values, by_name = self.engine.value_and_gradient_draws(params)
            slopes = [by_name[name] for name in self.scale.names]
            gradient = np.stack(slopes, axis=-1) * self.scale.slopes(z) if slopes else np.zeros(z.shape)
        self.evaluations += values.size
        return values, gradient


@dataclass(frozen=True)
class Posterior:
    """The log-likelihood plus each parameter's own prior, on the link scale."""

    likelihood: Likelihood

    def __call__(self, z: np.ndarray, searches: np.ndarray) -> Valued:
        value, gradient = self.likelihood(z)
        prior, slope = self.likelihood.scale.log_prior(z)
        return value + prior, gradient + slope


@dataclass(frozen=True)
class WithGroup:
    """The log-likelihood plus a normal prior, which may be another one for each search.

    Attributes
    ----------
    likelihood : Likelihood
        Of the subjects.
    mean : array (search, parameter)
        Of the group.
    factor : array (search, parameter, parameter)
        Lower Cholesky factor of its covariance.
    """

    likelihood: Likelihood
    mean: np.ndarray
    factor: np.ndarray

    def __call__(self, z: np.ndarray, searches: np.ndarray) -> Valued:
        value, gradient = self.likelihood(z)
        mean, precision = self.mean[searches], self.precision()[searches]
        pull = np.einsum("...jk,...k->...j", precision, mean - z)
        return value + self._log_density(z, mean, pull, searches), gradient + pull

    def precision(self) -> np.ndarray:
        """Return the inverse of each covariance."""
        inverse = np.linalg.inv(self.factor)
        return np.swapaxes(inverse, -1, -2) @ inverse

    def _log_density(self, z: np.ndarray, mean: np.ndarray, pull: np.ndarray, searches: np.ndarray) -> np.ndarray:
        log_determinant = np.log(np.diagonal(self.factor, axis1=-2, axis2=-1)).sum(axis=-1)[searches]
        distance = np.einsum("...j,...j->...", mean - z, pull)
        return -0.5 * distance - log_determinant - 0.5 * z.shape[-1] * math.log(2 * math.pi)


def searches_of(z: np.ndarray) -> np.ndarray:
    """Return the number of the search for points that are one row a search: their row."""
    return np.broadcast_to(np.arange(len(z))[:, None], z.shape[:2])


def curvature(objective: Objective, z: np.ndarray) -> np.ndarray:
    """Return minus the Hessian at points (search, subject, parameter), by central differences of the gradient."""
    searches, n = searches_of(z), z.shape[-1]
    if not n:
        return np.zeros((*z.shape, 0))
    step = _STEP * np.maximum(1.0, np.abs(z))
    shift = np.eye(n)[:, None, None, :] * step
    points = np.concatenate([z + shift, z - shift]).reshape(-1, *z.shape[1:])
    _, slopes = objective(points, np.tile(searches, (2 * n, 1)))
    up, down = slopes.reshape(2, n, *z.shape)
    columns = np.moveaxis(down - up, 0, -1) / (2 * step[..., None, :])
    return 0.5 * (columns + np.swapaxes(columns, -1, -2))
