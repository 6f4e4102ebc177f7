"""What is drawn before a trial: orders of stimuli, walks of probabilities and payoffs, reversals.

Each is an ordinary function; with ``functools.partial`` it becomes the values of a scheduled variable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["decaying_walk", "reflected_walk", "reversed_after", "runs", "shuffled_rounds"]


def shuffled_rounds(rng: np.random.Generator, n_trials: int, *, items: Sequence[int]) -> np.ndarray:
    """Return items in rounds: each comes once before any comes again, in an order drawn for each round."""
    rounds = np.tile(np.asarray(items), (math.ceil(n_trials / len(items)), 1))
    return rng.permuted(rounds, axis=1).ravel()[:n_trials]


def runs(rng: np.random.Generator, n_trials: int, *, n_items: int, length: int) -> np.ndarray:
    """Return items in runs of one length; they come in shuffled rounds, and none follows itself."""
    order: list[int] = []
    while len(order) * length < n_trials:
        turn = rng.permutation(n_items)
        if order and n_items > 1 and turn[0] == order[-1]:
            turn = np.roll(turn, 1)
        order.extend(turn.tolist())
    return np.repeat(order, length)[:n_trials]


def reflected_walk(
    rng: np.random.Generator, n_trials: int, *, shape: Sequence[int], sd: float, bounds: tuple[float, float]
) -> np.ndarray:
    """Return Gaussian random walks between two reflecting bounds, (trial × shape); they start anywhere between.

    A walk on the whole line that is folded at the bounds is the reflected walk: its steps are symmetric.
    """
    lo, hi = bounds
    steps = rng.normal(scale=sd, size=(n_trials, *shape))
    steps[0] = rng.uniform(0, hi - lo, size=tuple(shape))
    folded = np.cumsum(steps, axis=0) % (2 * (hi - lo))
    return np.clip(lo + np.minimum(folded, 2 * (hi - lo) - folded), lo, hi)


def decaying_walk(
    rng: np.random.Generator, n_trials: int, *, n_walks: int, retention: float, center: float, sd: float,
    start: Sequence[float] | None = None,
) -> np.ndarray:  # fmt: skip
    """Return Gaussian random walks that decay toward a center, (trial × walk).

    Without a start they begin as they go on: with the mean and the variance of the walk in the long run.
    """
    means = np.empty((n_trials, n_walks))
    steps = rng.normal(scale=sd, size=(n_trials, n_walks))
    if start is not None:
        means[0] = start
    else:
        spread = 1 / math.sqrt(1 - retention**2) if retention < 1 else 0.0
        means[0] = center + spread * steps[0]
    for trial in range(1, n_trials):
        means[trial] = retention * means[trial - 1] + (1 - retention) * center + steps[trial]
    return means


def reversed_after(n_trials: int, *, values: Sequence[float], after: int | Sequence[int]) -> np.ndarray:
    """Return values that move on by one place every so many trials, or after the trials given."""
    trial = np.arange(n_trials)
    times = trial // after if isinstance(after, int) else np.searchsorted(np.asarray(after), trial, side="right")
    place = np.arange(len(values)) - times[:, None]
    return np.asarray(values)[place % len(values)]
