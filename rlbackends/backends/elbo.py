"""What variational fits have in common: how fast they learn, and whether they have arrived."""

from __future__ import annotations

import numbers

import numpy as np

from rlbackends.backends.approximate import check_whole
from rlbackends.errors import SettingError

FIRST_SD = 0.1
"""Standard deviation of the unconstrained latents where a fit starts."""

_STEADY = 0.6  # share of the steps with the full learning rate
_LAST_RATE = 0.01
_LEAST_STEPS = 100


def check_sampler_settings(*, steps: int = 20_000, learning_rate: float = 0.02) -> None:
    """Raise ``SettingError`` for a value that a variational fit does not take."""
    check_whole("fit", steps=steps)
    if steps < _LEAST_STEPS:
        raise SettingError(f"fit: steps is {steps}, expected at least {_LEAST_STEPS}; thousands are usual.")
    is_number = isinstance(learning_rate, numbers.Real) and not isinstance(learning_rate, bool)
    if not (is_number and 0 < learning_rate <= 1):
        raise SettingError(f"fit: learning_rate is {learning_rate!r}, expected a number above 0 and at most 1.")


def learning_rates(steps: int, first: float) -> np.ndarray:
    """Return the learning rate of each step: constant, then falling by a constant factor to a hundredth."""
    steady = round(_STEADY * steps)
    return np.concatenate([np.full(steady, first), first * np.geomspace(1.0, _LAST_RATE, steps - steady)])


def stats_of(elbo: np.ndarray) -> dict[str, float]:
    """Return what the history of a variational fit says of it, from one estimate of the evidence bound a step.

    Returns
    -------
    dict
        ``elbo``, the mean over the last tenth of the steps; and ``elbo_change``, by how much the mean over the last
        quarter of the steps with the full learning rate is above that of the quarter before, as far as chance
        does not explain it (4 standard errors). Later the rate falls, and what moves no more need not have arrived.
    """
    with np.errstate(all="ignore"):
        last = elbo[-max(1, len(elbo) // 10) :]
        steady = elbo[: round(_STEADY * len(elbo))]
        before, after = np.array_split(steady[len(steady) // 2 :], 2)
        before, after = before[np.isfinite(before)], after[np.isfinite(after)]
        last = last[np.isfinite(last)]
        if min(len(before), len(after), len(last)) < 2:
            return {"elbo": -np.inf, "elbo_change": np.inf}
        change = after.mean() - before.mean()
        error = np.sqrt(before.var() / len(before) + after.var() / len(after))
        return {"elbo": float(last.mean()), "elbo_change": float(np.sign(change) * max(0.0, abs(change) - 4 * error))}
