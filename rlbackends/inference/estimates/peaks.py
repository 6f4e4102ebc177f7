"""The best of several searches for each subject, and the curvature there: covariances and Laplace's evidence."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rlbackends.inference.estimates.climb import Climb, climb, polish
from rlbackends.inference.estimates.objective import Likelihood, Objective, curvature

_SAME = 1e-6  # searches that end within this of the best, in units of its value, found the same
_LEVEL = 1e-3  # where the objective at an edge is no lower than this, the estimate is not told from the edge
_FLAT = 1e-6  # least curvature, on the link scale, that says something about a parameter
_LOAD = 0.1


@dataclass(frozen=True)
class Peaks:
    """Each subject's estimate on the link scale.

    Attributes
    ----------
    z, value : array (subject, parameter), (subject,)
        Where the objective is highest, and how high.
    log_likelihood : array (subject,)
        There.
    hessian : array (subject, parameter, parameter)
        Minus that of the objective.
    converged : bool array (subject,)
        Whether the search that found it ended where the gradient vanishes.
    reached : int array (subject,)
        How many searches ended as high.
    at_bound : bool array (subject, parameter)
        Whether the estimate can't be told from the end of the parameter's support.
    """

    z: np.ndarray
    value: np.ndarray
    log_likelihood: np.ndarray
    hessian: np.ndarray
    converged: np.ndarray
    reached: np.ndarray
    at_bound: np.ndarray


def find_peaks(
    likelihood: Likelihood, objective: Objective, starts: np.ndarray, tell: Callable[[str], None], *, bounds: bool
) -> Peaks:
    """Search from each start, and look at the best point of each subject; ``bounds``: also whether it is at an edge."""
    edges = likelihood.scale.edges()
    found = climb(objective, starts, edges, tell=tell)
    top, same = best_of(found)
    at_bound = np.zeros(top.z.shape[1:], dtype=bool)
    if bounds and top.z.shape[-1]:
        beyond, at_bound = _at_edges(objective, top, edges, likelihood.scale.is_bounded())
        if (beyond != top.z).any():
            top = _higher(top, climb(objective, beyond, edges, tell=tell))
            at_bound = _at_edges(objective, top, edges, likelihood.scale.is_bounded())[1]
    top, hessian = settle(objective, top, edges)
    log_likelihood, _ = likelihood(top.z)
    return Peaks(top.z[0], top.value[0], log_likelihood[0], hessian[0], top.converged[0], same.sum(axis=0), at_bound)


def best_of(found: Climb) -> tuple[Climb, np.ndarray]:
    """Return each subject's highest search, as one row, and which searches ended as high."""
    best = np.argmax(found.value, axis=0)[None]
    value = np.take_along_axis(found.value, best, axis=0)
    with np.errstate(invalid="ignore"):
        same = (found.value >= value - _SAME * np.maximum(1.0, np.abs(value))) & np.isfinite(found.value)
    row = best[..., None]
    return (
        Climb(
            np.take_along_axis(found.z, row, axis=0), value, np.take_along_axis(found.gradient, row, axis=0),
            np.take_along_axis(found.converged, best, axis=0),
        ),
        same,
    )  # fmt: skip


def settle(objective: Objective, found: Climb, edges: tuple[np.ndarray, np.ndarray]) -> tuple[Climb, np.ndarray]:
    """Return searches with their last digits, and minus the Hessians there."""
    hessian = curvature(objective, found.z)
    return polish(objective, found, hessian, edges), hessian


def _higher(one: Climb, other: Climb) -> Climb:
    better = other.value >= one.value
    return Climb(*(
        np.where(better.reshape(better.shape + (1,) * (a.ndim - 2)), b, a)
        for a, b in zip((one.z, one.value, one.gradient, one.converged),
                        (other.z, other.value, other.gradient, other.converged), strict=True)
    ))  # fmt: skip


def _at_edges(
    objective: Objective, top: Climb, edges: tuple[np.ndarray, np.ndarray], is_bounded: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return points with the coordinates moved to an edge where that is no lower, and which can't be told from one."""
    n = top.z.shape[-1]
    points = np.broadcast_to(top.z, (2, n, *top.z.shape[1:])).copy()
    for i in range(n):
        points[0, i, ..., i], points[1, i, ..., i] = edges[0][i], edges[1][i]
    flat = points.reshape(2 * n, *top.z.shape[1:])
    value, _ = objective(flat, np.zeros(flat.shape[:2], dtype=int))
    value = np.where(np.isfinite(value), value, -np.inf).reshape(2, n, -1)
    value[:, ~is_bounded] = -np.inf
    side = np.argmax(value, axis=0)
    highest = value.max(axis=0).T
    near = highest >= top.value[0][:, None] - _LEVEL
    moved = np.where(highest >= top.value[0][:, None], np.where(side.T == 0, edges[0], edges[1]), top.z[0])
    return moved[None], near


def without(peaks: Peaks, silent: np.ndarray) -> Peaks:
    """Return peaks with NaN for subjects of whom nothing was observed."""
    blank = {
        name: np.where(silent.reshape(silent.shape + (1,) * (array.ndim - 1)), np.nan, array)
        for name in ("z", "value", "log_likelihood", "hessian")
        if (array := getattr(peaks, name)) is not None
    }
    return replace(
        peaks, **blank, converged=peaks.converged & ~silent, reached=np.where(silent, 0, peaks.reached),
        at_bound=peaks.at_bound & ~silent[:, None],
    )  # fmt: skip


def covariances(peaks: Peaks, is_bounded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each subject's covariance on the link scale, and which parameters the data identify.

    A parameter at a bound is held there: it has no variance, and the others' is given it. Where what is left of the
    Hessian is not positive definite there is no covariance, and the parameters along which it is flat are not
    identified.
    """
    n_subjects, n = peaks.z.shape
    covariance = np.full((n_subjects, n, n), np.nan)
    identified = np.ones((n_subjects, n), dtype=bool)
    # The curvature of a parameter without bounds depends on its unit.
    unit = np.where(is_bounded, 1.0, np.maximum(1.0, np.abs(peaks.z)))
    for s in range(n_subjects):
        keep = np.flatnonzero(~peaks.at_bound[s])
        if not len(keep) or not np.isfinite(peaks.hessian[s]).all():
            continue
        scaled = peaks.hessian[s][np.ix_(keep, keep)] * np.outer(unit[s, keep], unit[s, keep])
        values, vectors = np.linalg.eigh(scaled)
        flat = values <= _FLAT
        if flat.any():
            identified[s, keep] = (vectors[:, flat] ** 2).sum(axis=1) < _LOAD
        else:
            inverse = (vectors / values) @ vectors.T
            covariance[s][np.ix_(keep, keep)] = inverse * np.outer(unit[s, keep], unit[s, keep])
    return covariance, identified


def log_evidence(peaks: Peaks) -> np.ndarray:
    """Return Laplace's approximation of each subject's log evidence: NaN where the Hessian is not positive definite."""
    n = peaks.z.shape[-1]
    result = np.full(len(peaks.z), np.nan)
    fine = np.isfinite(peaks.hessian).all(axis=(1, 2)) & np.isfinite(peaks.value)
    sign, log_determinant = np.linalg.slogdet(np.where(fine[:, None, None], peaks.hessian, np.eye(n)))
    fine &= sign > 0
    if n:
        fine &= np.linalg.eigvalsh(np.where(fine[:, None, None], peaks.hessian, np.eye(n)))[:, 0] > 0
    result[fine] = (peaks.value + 0.5 * n * math.log(2 * math.pi) - 0.5 * log_determinant)[fine]
    return result


