"""What variational fits have in common: two samplers of each backend, their pace, and whether they have arrived."""

from __future__ import annotations

import numbers
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.approximate import Target, check_whole, reporting, results_of
from rlbackends.backends.flat import Gaussian
from rlbackends.backends.starts import engine_start
from rlbackends.errors import SettingError

if TYPE_CHECKING:
    from rlbackends.backends.chains import ChainResults
    from rlbackends.backends.progress import Progress

FIRST_SD = 0.1
"""Standard deviation of the unconstrained latents where a fit starts."""

_STEADY = 0.6  # share of the steps with the full learning rate
_LAST_RATE = 0.01
_LEAST_STEPS = 100


@dataclass(frozen=True)
class Asked:
    """What a backend is asked to fit.

    Attributes
    ----------
    kind : {"mean_field", "full_rank"}
        Which normal distributions.
    start : mapping of str to array
        The unconstrained latents that the distribution is put to at first, with ``FIRST_SD``.
    seed, steps, learning_rate
        As given.
    report : callable
        Takes what is to be said of how far it is.
    """

    kind: str
    start: Mapping[str, np.ndarray]
    seed: int
    steps: int
    learning_rate: float
    report: Callable[[str], None]

    def tell(self, step: int, loss: float) -> None:
        """Say how far it is."""
        self.report(f"step {step} of {self.steps}, ELBO about {-loss:.0f}")


@dataclass(frozen=True)
class Fitted:
    """A fitted distribution, minus the estimate of the evidence bound at each step, and the seconds of compiling."""

    gaussian: Gaussian
    losses: np.ndarray
    compile_seconds: float


def variational_samplers(
    fit: Callable[[Any, Asked], Fitted], target_of: Callable[[Any], Target]
) -> tuple[Callable[..., ChainResults], Callable[..., ChainResults]]:
    """Return the samplers ``mean_field`` and ``full_rank`` of a backend.

    Parameters
    ----------
    fit : callable
        From one of its engines, and what is asked, to the fitted distribution.
    target_of : callable
        From an engine to its target.
    """

    def run_fit(
        kind: str, engine: Any, seed: int, chains: int, draws: int, steps: int, learning_rate: float,
        progress: Progress | None,
    ) -> ChainResults:  # fmt: skip
        check_sampler_settings(steps=steps, learning_rate=learning_rate)
        began = time.perf_counter()
        start = engine_start(engine, seed, 0)
        compiled = time.perf_counter() - began  # the first look at the gradient compiles it
        with reporting(progress, kind) as report:
            found = fit(engine, Asked(kind, start, seed, steps, learning_rate, report))
            return results_of(
                found.gaussian, target_of(engine), seed=seed, chains=chains, draws=draws, began=began,
                compiled=compiled + found.compile_seconds,
                settings={"sampler": kind, "steps": int(steps), "learning_rate": float(learning_rate)},
                gradients=steps + 1, stats=stats_of(-found.losses),
            )  # fmt: skip

    def sample_mean_field(
        engine: Any,
        *,
        seed: int,
        chains: int,
        tune: int,
        draws: int,
        cores: int,
        target_accept: float = 0.8,
        max_tree_depth: int = 10,
        steps: int = 20_000,
        learning_rate: float = 0.02,
        progress: Progress | None = None,
        run: object = None,
    ) -> ChainResults:
        """Draw from independent normal distributions of the unconstrained latents.

        Parameters
        ----------
        steps
            Steps of the optimiser, one gradient each.
        learning_rate
            Of Adam, for the first 60 % of the steps; then it falls to a hundredth.
        """
        return run_fit("mean_field", engine, seed, chains, draws, steps, learning_rate, progress)

    def sample_full_rank(
        engine: Any,
        *,
        seed: int,
        chains: int,
        tune: int,
        draws: int,
        cores: int,
        target_accept: float = 0.8,
        max_tree_depth: int = 10,
        steps: int = 20_000,
        learning_rate: float = 0.02,
        progress: Progress | None = None,
        run: object = None,
    ) -> ChainResults:
        """Draw from one normal distribution of all unconstrained latents; settings as for ``mean_field``."""
        return run_fit("full_rank", engine, seed, chains, draws, steps, learning_rate, progress)

    return sample_mean_field, sample_full_rank


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
