"""Many searches at once: projected BFGS ascents of all subjects from all their starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlbackends.inference.estimates.objective import Objective, searches_of

_ENOUGH = 1e-4  # share of the rise that the slope promises which a step must bring
_STEEP = 1e-7  # a gradient below this, in units of the value, is none
_LEVEL = 1e-4  # the same where the value does not rise any more
_ROUNDING = 1e-13
_LONGEST = 3.0  # of one step, in units of the coordinate's own size
_SHORTEST = 1e-12
_MOST_FLAT = 3  # steps in a row without a rise
_RESCUES = 30  # how often a start without a finite value is halved


@dataclass(frozen=True)
class Climb:
    """Where searches ended, with axes search and subject first.

    Attributes
    ----------
    z : array (search, subject, parameter)
        The highest points.
    value, gradient : array
        There; minus infinity where a search found no finite value.
    converged : bool array (search, subject)
        Whether the gradient vanishes, but for what pushes against an edge.
    """

    z: np.ndarray
    value: np.ndarray
    gradient: np.ndarray
    converged: np.ndarray


class _Evaluator:
    """Evaluates the searches that still run, in as few rows as they need."""

    def __init__(self, objective: Objective, searches: np.ndarray) -> None:
        self._objective = objective
        self._searches = searches

    def __call__(self, z: np.ndarray, running: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = np.argsort(~running, axis=0, kind="stable")[: int(running.sum(axis=0).max())]
        packed = np.take_along_axis(z, order[..., None], axis=0)
        value, gradient = self._objective(packed, np.take_along_axis(self._searches, order, axis=0))
        finite = np.isfinite(value) & np.isfinite(gradient).all(axis=-1)
        all_values, all_gradients = np.full(z.shape[:2], -np.inf), np.zeros(z.shape)
        np.put_along_axis(all_values, order, np.where(finite, value, -np.inf), axis=0)
        np.put_along_axis(all_gradients, order[..., None], np.where(finite[..., None], gradient, 0.0), axis=0)
        return all_values, all_gradients


def climb(
    objective: Objective,
    starts: np.ndarray,
    edges: tuple[np.ndarray, np.ndarray],
    *,
    inverse: np.ndarray | None = None,
    rounds: int = 1000,
    tell: Callable[[str], None] = lambda text: None,
) -> Climb:
    """Climb from each start to a maximum near it.

    Parameters
    ----------
    objective : Objective
        Values and gradients.
    starts : array (search, subject, parameter)
        Where to begin. One without a finite value is moved towards 0 until it has one.
    edges : two arrays (parameter,)
        The lowest and highest coordinates.
    inverse : array (search, subject, parameter, parameter), optional
        A guess of the inverse of minus the Hessian.
    rounds : int
        How many times the objective is called at most.
    tell : function
        Takes a line on how far it is.
    """
    lower, upper = edges
    z = np.clip(starts, lower, upper)
    n_searches, n_subjects, n = z.shape
    evaluate = _Evaluator(objective, searches_of(z))
    everywhere = np.ones((n_searches, n_subjects), dtype=bool)
    value, gradient = evaluate(z, everywhere)
    for _ in range(_RESCUES):
        lost = ~np.isfinite(value)
        if not lost.any():
            break
        z = np.where(lost[..., None], np.clip(z / 2, lower, upper), z)
        found, slope = evaluate(z, lost)
        value, gradient = np.where(lost, found, value), np.where(lost[..., None], slope, gradient)

    def steepness(z: np.ndarray, value: np.ndarray, gradient: np.ndarray) -> np.ndarray:
        held = _held(z, gradient, lower, upper)
        with np.errstate(invalid="ignore"):
            return np.abs(np.where(held, 0.0, gradient)).max(axis=-1, initial=0.0) / np.maximum(1.0, np.abs(value))

    metric = np.broadcast_to(np.eye(n), (n_searches, n_subjects, n, n)).copy() if inverse is None else inverse.copy()
    fresh = np.full((n_searches, n_subjects), inverse is None)
    steep = steepness(z, value, gradient)
    running = np.isfinite(value) & (steep > _STEEP)
    length, flat = np.ones((n_searches, n_subjects)), np.zeros((n_searches, n_subjects), dtype=int)
    for number in range(rounds):
        if not running.any():
            break
        tell(f"{number} steps, {int(running.sum())} of {running.size} searches run")
        ahead, fresh = _direction(z, gradient, metric, fresh, lower, upper)
        trial = np.where(running[..., None], np.clip(z + length[..., None] * ahead, lower, upper), z)
        found, slope = evaluate(trial, running)
        step = trial - z
        promised = (gradient * step).sum(axis=-1)
        found_steep = steepness(trial, found, slope)
        unit = np.maximum(1.0, np.abs(value))
        with np.errstate(invalid="ignore"):
            rises = found >= value + _ENOUGH * promised
            # Near the top values only differ by rounding, and the gradient says more.
            rises |= (found >= value - _ROUNDING * unit) & (found_steep < steep)
            taken = running & np.isfinite(found) & rises
            gain = np.where(taken, found - value, np.inf)
        metric, fresh = _updated(metric, fresh, step, gradient - slope, taken)
        flat = np.where(taken, np.where(gain <= 10 * _ROUNDING * unit, flat + 1, 0), flat)
        z = np.where(taken[..., None], trial, z)
        value, steep = np.where(taken, found, value), np.where(taken, found_steep, steep)
        gradient = np.where(taken[..., None], slope, gradient)
        length = np.where(taken, 1.0, np.where(np.isfinite(found), 0.3, 0.1) * length)
        short = running & ~taken & (np.abs(step) <= _SHORTEST * np.maximum(1.0, np.abs(z))).all(axis=-1)
        # A direction along which nothing rises is given up for the steepest one, which is the last that is tried.
        again = short & ~fresh
        metric[again] = np.eye(n)
        fresh, length = fresh | again, np.where(again, 1.0, length)
        running &= (steep > _STEEP) & (flat < _MOST_FLAT) & ~(short & ~again)
    return Climb(z, value, gradient, np.isfinite(value) & (steep <= _LEVEL) & ~running)


def _held(z: np.ndarray, gradient: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Say which coordinates push against an edge."""
    return ((z <= lower) & (gradient < 0)) | ((z >= upper) & (gradient > 0))


def _direction(
    z: np.ndarray,
    gradient: np.ndarray,
    metric: np.ndarray,
    fresh: np.ndarray,
    lower: np.ndarray,
    upper: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return where to go, and which metrics say nothing yet."""
    held = _held(z, gradient, lower, upper)
    free = np.where(held, 0.0, gradient)
    norm = np.linalg.norm(free, axis=-1, keepdims=True)
    ahead = np.where(held, 0.0, np.einsum("...jk,...k->...j", metric, free))
    rise = (ahead * free).sum(axis=-1)
    downhill = ~(rise > 1e-12 * np.linalg.norm(ahead, axis=-1) * norm[..., 0])
    metric[downhill] = np.eye(z.shape[-1])
    fresh = fresh | downhill
    ahead = np.where(fresh[..., None], free / np.maximum(1.0, norm), ahead)
    size = (np.abs(ahead) / np.maximum(1.0, np.abs(z))).max(axis=-1, initial=0.0) / _LONGEST
    return ahead / np.maximum(1.0, size)[..., None], fresh


def _updated(
    metric: np.ndarray, fresh: np.ndarray, step: np.ndarray, bend: np.ndarray, taken: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the inverse Hessians after the BFGS update by accepted steps along which the slope falls."""
    along = (step * bend).sum(axis=-1)
    sizes = np.linalg.norm(step, axis=-1) * np.linalg.norm(bend, axis=-1)
    bends = taken & (along > 1e-10 * sizes) & (sizes > 0)
    if not bends.any():
        return metric, fresh
    s, y, rho = step[bends], bend[bends], 1.0 / along[bends]
    old = metric[bends]
    # The first step tells the scale.
    first = fresh[bends]
    old[first] = np.eye(s.shape[-1]) * (along[bends] / (y * y).sum(axis=-1))[first, None, None]
    left = np.eye(s.shape[-1]) - rho[:, None, None] * s[:, :, None] * y[:, None, :]
    metric[bends] = left @ old @ np.swapaxes(left, -1, -2) + rho[:, None, None] * s[:, :, None] * s[:, None, :]
    return metric, fresh & ~bends


def polish(objective: Objective, found: Climb, hessian: np.ndarray, edges: tuple[np.ndarray, np.ndarray]) -> Climb:
    """Take one Newton step where it makes the gradient smaller: the last digits of a maximum."""
    n = found.z.shape[-1]
    good = found.converged & (np.linalg.eigvalsh(hessian)[..., 0] > 0) if n else np.zeros(found.value.shape, bool)
    inside = ~_held(found.z, found.gradient, *edges).any(axis=-1)
    good &= inside
    if not good.any():
        return found
    safe = np.where(good[..., None, None], hessian, np.eye(n))
    step = np.linalg.solve(safe, found.gradient[..., None])[..., 0]
    trial = np.where(good[..., None], np.clip(found.z + step, *edges), found.z)
    value, gradient = objective(trial, searches_of(trial))
    unit = np.maximum(1.0, np.abs(found.value))
    with np.errstate(invalid="ignore"):
        better = good & (value >= found.value - 1e-12 * unit)
        better &= np.abs(gradient).max(axis=-1) < np.abs(found.gradient).max(axis=-1)
    take = better[..., None]
    return Climb(
        np.where(take, trial, found.z), np.where(better, value, found.value),
        np.where(take, gradient, found.gradient), found.converged,
    )  # fmt: skip
