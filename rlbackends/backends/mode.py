"""The mode of a posterior, and the normal distribution that fits it there: two samplers of each backend."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.approximate import Target, check_whole, reporting, results_of, timing_of
from rlbackends.backends.chains import ChainResults
from rlbackends.backends.flat import Flat, Gaussian
from rlbackends.backends.starts import find_start
from rlbackends.errors import BackendError, listed

if TYPE_CHECKING:
    from rlbackends.backends.progress import Progress

_CONVERGED = 1e-4
"""Largest slope at a mode. Curvatures are about 1 or more, so it is as near as that in standard deviations."""
_EXACT = 1e-8  # where Newton's steps end: rounding is not far
_NEWTON_STEPS = 8
_FAR = 1e100  # stands for minus infinity, which line searches can't handle


@dataclass(frozen=True)
class Mode:
    """A highest point: where, how high, the largest slope left, and how many gradients it took."""

    vector: np.ndarray
    log_density: float
    slope: float
    gradients: int


def check_sampler_settings(*, starts: int = 4, steps: int = 2000) -> None:
    """Raise ``SettingError`` for a value that the search does not take."""
    check_whole("fit", starts=starts, steps=steps)


def find_mode(target: Target, *, seed: int, starts: int, steps: int, report: Callable[[str], None]) -> Mode:
    """Return the highest mode that is reached from several starts.

    From each start L-BFGS climbs (SciPy's); from the highest point Newton's steps go on to where only rounding is left.

    Raises
    ------
    BackendError
        If no start reaches a point without slope; it names the latents that the slope is along.
    """
    from scipy.optimize import minimize

    flat, count = target.flat, 0

    def density(z: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        nonlocal count
        count += 1
        with np.errstate(all="ignore"):
            return target.density(z)

    def downhill(vector: np.ndarray) -> tuple[float, np.ndarray]:
        value, slopes = density(flat.split(vector))
        slope = flat.join(slopes)
        if not (np.isfinite(value) and np.isfinite(slope).all()):
            return _FAR, np.zeros_like(vector)
        return -value, -slope

    climbs = []
    for start in range(starts):
        report(f"start {start + 1} of {starts}")
        first = flat.join(find_start(target.layout, density, seed, start, target.explain))
        climbs.append(minimize(
            downhill, first, jac=True, method="L-BFGS-B",
            options={"maxiter": steps, "maxfun": 20 * steps, "ftol": 1e-14, "gtol": 1e-6, "maxcor": 20},
        ))  # fmt: skip
    best = min(climbs, key=lambda climb: climb.fun).x
    value, slope = downhill(best)
    for _ in range(_NEWTON_STEPS):
        if np.abs(slope).max() <= _EXACT:
            break
        report("Newton's steps")
        precision = target.precision(best)
        count += target.precision_gradients
        step = _solve(precision, slope)
        if step is None:
            break
        there = downhill(best - step)
        if there[0] > value + 1e-9 * abs(value) or np.abs(there[1]).max() >= np.abs(slope).max():
            break
        best, (value, slope) = best - step, there
    mode = Mode(best, -value, float(np.abs(slope).max()), count)
    if mode.slope > _CONVERGED:
        raise BackendError(
            f"no mode was found: after {steps} steps from each of {starts} starts the log-density still rises along "
            f"{listed(flat.largest(slope))} (slope {mode.slope:.2g}). Raise steps or starts. If a parameter is "
            "centred, the density grows without limit as its sd goes to 0, and a climb may follow it."
        )
    return mode


def _solve(precision: np.ndarray, slope: np.ndarray) -> np.ndarray | None:
    try:
        lower = np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        return None
    return np.linalg.solve(lower.T, np.linalg.solve(lower, slope))


def normal_at(mode: Mode, precision: np.ndarray, flat: Flat) -> Gaussian:
    """Return the normal distribution with a mode's place and curvature.

    Raises
    ------
    BackendError
        If the density is flat, or rises, along some direction; it names the latents.
    """
    curvatures, directions = np.linalg.eigh(precision)
    if not curvatures[0] > 1e-12 * curvatures[-1]:
        raise BackendError(
            f"laplace: at the mode the log-density does not fall along {listed(flat.largest(directions[:, 0]))} "
            f"(curvature {curvatures[0]:.2g}), so no normal distribution fits there. The data and priors may not "
            "determine these latents; give them narrower priors, or sample the posterior instead."
        )
    # The precision is L Lᵀ, so the transpose of L's inverse is a factor of the covariance.
    return Gaussian(mode.vector, np.linalg.inv(np.linalg.cholesky(precision)).T)


def mode_samplers(
    target_of: Callable[[Any], Target],
) -> tuple[Callable[..., ChainResults], Callable[..., ChainResults]]:
    """Return the samplers ``map`` and ``laplace`` of the backend whose engines this function makes targets of."""

    def sample_map(
        engine: Any,
        *,
        seed: int,
        chains: int,
        tune: int,
        draws: int,
        cores: int,
        target_accept: float = 0.8,
        max_tree_depth: int = 10,
        starts: int = 4,
        steps: int = 2000,
        progress: Progress | None = None,
        run: object = None,
    ) -> ChainResults:
        """Find the mode of the unconstrained latents: one draw of one chain, whatever was asked for.

        Parameters
        ----------
        starts
            From how many points near the prior's middle to climb; the highest point reached counts.
        steps
            Most steps of one climb.
        """
        check_sampler_settings(starts=starts, steps=steps)
        began, target = time.perf_counter(), target_of(engine)
        with reporting(progress, "map") as report:
            mode = find_mode(target, seed=seed, starts=starts, steps=steps, report=report)
        one = np.ones((1, 1))
        return ChainResults(
            unconstrained=target.flat.split(mode.vector[None, None]),
            stats={"diverging": np.zeros((1, 1), dtype=bool), "lp": mode.log_density * one, "slope": mode.slope * one},
            timing=timing_of(target, began),
            settings={"sampler": "map", "kind": "point", "seed": int(seed), **_read(starts, steps)},
            work={"gradients": mode.gradients},
        )

    def sample_laplace(
        engine: Any,
        *,
        seed: int,
        chains: int,
        tune: int,
        draws: int,
        cores: int,
        target_accept: float = 0.8,
        max_tree_depth: int = 10,
        starts: int = 4,
        steps: int = 2000,
        progress: Progress | None = None,
        run: object = None,
    ) -> ChainResults:
        """Draw from the normal distribution that has the mode's place and curvature; settings as for the mode."""
        check_sampler_settings(starts=starts, steps=steps)
        began, target = time.perf_counter(), target_of(engine)
        with reporting(progress, "laplace") as report:
            mode = find_mode(target, seed=seed, starts=starts, steps=steps, report=report)
            report("curvature")
            gaussian = normal_at(mode, target.precision(mode.vector), target.flat)
            return results_of(
                gaussian, target, seed=seed, chains=chains, draws=draws, began=began,
                settings={"sampler": "laplace", **_read(starts, steps)},
                gradients=mode.gradients + target.precision_gradients,
            )  # fmt: skip

    return sample_map, sample_laplace


def _read(starts: int, steps: int) -> dict[str, int]:
    return {"starts": int(starts), "steps": int(steps)}
