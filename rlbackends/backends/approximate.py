"""What every approximation of a posterior does, whatever its library: find a mode, draw, and measure itself."""

from __future__ import annotations

import numbers
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlbackends.backends.chains import ChainResults, Interrupted
from rlbackends.backends.flat import Flat, Gaussian
from rlbackends.backends.progress import Progress
from rlbackends.backends.starts import find_start
from rlbackends.errors import BackendError, SettingError, listed
from rlbackends.population.layout import Layout

_CONVERGED = 1e-4
"""Largest slope at a mode. Curvatures are about 1 or more, so it is as near as that in standard deviations."""
_EXACT = 1e-8  # where Newton's steps end: rounding is not far
_NEWTON_STEPS = 8
_REPORT_SECONDS = 30.0
_BATCH = 256
_FAR = 1e100  # stands for minus infinity, which line searches can't handle


@dataclass(frozen=True)
class Target:
    """A log-density of the unconstrained latents, and what a backend computes of it.

    Attributes
    ----------
    layout : Layout
        The latents.
    density : callable
        From latents by name to the log-density and its gradient by name.
    precision : callable
        From a vector to minus the log-density's matrix of second derivatives there.
    log_densities : callable
        From vectors, (draws, n), to their log-densities.
    compile_seconds : callable
        How long these functions have been compiling so far.
    explain : callable, optional
        Says of latents why they are no start.
    gradients_a_column : int, default 2
        How many gradients a column of ``precision`` costs.
    """

    layout: Layout
    density: Callable[[Mapping[str, np.ndarray]], tuple[float, dict[str, np.ndarray]]]
    precision: Callable[[np.ndarray], np.ndarray]
    log_densities: Callable[[np.ndarray], np.ndarray]
    compile_seconds: Callable[[], float] = float
    explain: Callable[[Mapping[str, np.ndarray]], str] | None = None
    gradients_a_column: int = 2

    @property
    def precision_gradients(self) -> int:
        """How many gradients ``precision`` costs."""
        return self.gradients_a_column * self.flat.size

    @property
    def flat(self) -> Flat:
        """The latents as a vector."""
        return Flat(self.layout)


@dataclass(frozen=True)
class Mode:
    """A highest point: where, how high, the largest slope left, and how many gradients it took."""

    vector: np.ndarray
    log_density: float
    slope: float
    gradients: int


def check_whole(where: str, **given: Any) -> None:
    """Raise ``SettingError`` unless all are whole numbers of at least 1."""
    faults = [
        f"{name} is {value!r}, expected a whole number of at least 1."
        for name, value in given.items()
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < 1
    ]
    if faults:
        raise SettingError(f"{where}: {' '.join(faults)}")


@contextmanager
def reporting(progress: Progress | None, what: str) -> Iterator[Callable[[str], None]]:
    """Yield a function that says how far it is, not too often; Ctrl-C becomes `Interrupted`, without draws."""
    progress = Progress(what, 1, 1, mode="off") if progress is None else progress
    last = time.monotonic()

    def report(text: str) -> None:
        nonlocal last
        if time.monotonic() - last >= _REPORT_SECONDS:
            last = time.monotonic()
            progress.stage(f"{what}: {text}")

    with progress:
        try:
            progress.stage(what)
            yield report
        except KeyboardInterrupt as error:
            raise Interrupted(None) from error


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

    best, lowest = None, np.inf
    for start in range(starts):
        report(f"start {start + 1} of {starts}")
        first = flat.join(find_start(target.layout, density, seed, start, target.explain))
        found = minimize(
            downhill, first, jac=True, method="L-BFGS-B",
            options={"maxiter": steps, "maxfun": 20 * steps, "ftol": 1e-14, "gtol": 1e-6, "maxcor": 20},
        )  # fmt: skip
        if found.fun < lowest:
            best, lowest = found.x, found.fun
    if best is None:
        raise BackendError("no start of the climb stays where the density is finite; check priors and data.")
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


def run_map(target: Target, *, seed: int, starts: int, steps: int, progress: Progress | None) -> ChainResults:
    """Return the mode of the unconstrained latents as one draw of one chain."""
    check_whole("map", starts=starts, steps=steps)
    began = time.perf_counter()
    with reporting(progress, "map") as report:
        mode = find_mode(target, seed=seed, starts=starts, steps=steps, report=report)
    one = np.ones((1, 1))
    return ChainResults(
        unconstrained=target.flat.split(mode.vector[None, None]),
        stats={"diverging": np.zeros((1, 1), dtype=bool), "lp": mode.log_density * one, "slope": mode.slope * one},
        timing=_timing(target, began),
        settings={"sampler": "map", "kind": "point", "seed": int(seed), "starts": int(starts), "steps": int(steps)},
        work={"gradients": mode.gradients},
    )


def run_laplace(
    target: Target, *, seed: int, chains: int, draws: int, starts: int, steps: int, progress: Progress | None
) -> ChainResults:
    """Return draws of the normal distribution that has the place and the curvature of the mode."""
    check_whole("laplace", starts=starts, steps=steps)
    began = time.perf_counter()
    with reporting(progress, "laplace") as report:
        mode = find_mode(target, seed=seed, starts=starts, steps=steps, report=report)
        report("curvature")
        gaussian = normal_at(mode, target.precision(mode.vector), target.flat)
        return results_of(
            gaussian, target, seed=seed, chains=chains, draws=draws, began=began,
            settings={"sampler": "laplace", "starts": int(starts), "steps": int(steps)},
            gradients=mode.gradients + target.precision_gradients,
        )  # fmt: skip


def results_of(
    gaussian: Gaussian, target: Target, *, seed: int, chains: int, draws: int, began: float,
    settings: Mapping[str, Any], gradients: int, stats: Mapping[str, float] | None = None, compiled: float = 0.0,
) -> ChainResults:  # fmt: skip
    """Return draws of a normal distribution of the latents, with ``lp`` and ``log_q``: the density's logarithm, and
    that of the distribution that they are from.

    Parameters
    ----------
    began, compiled
        When the approximation began, and how many of the seconds since went into compiling, besides the target's.
    stats
        What is the same for all draws.
    """
    flat = target.flat
    vectors, log_q = gaussian.draw(chains, draws, seed)
    rows = vectors.reshape(-1, flat.size)
    lp = np.concatenate([target.log_densities(rows[i : i + _BATCH]) for i in range(0, len(rows), _BATCH)])
    shape = (chains, draws)
    return ChainResults(
        unconstrained={name: np.ascontiguousarray(value) for name, value in flat.split(vectors).items()},
        stats={
            "diverging": np.zeros(shape, dtype=bool),
            "lp": lp.reshape(shape),
            "log_q": log_q,
            **{name: np.full(shape, float(value)) for name, value in (stats or {}).items()},
        },
        timing=_timing(target, began, compiled),
        settings={**settings, "kind": "approximation", "seed": int(seed), "chains": int(chains), "draws": int(draws)},
        work={"gradients": int(gradients)},
    )


def _timing(target: Target, began: float, compiled: float = 0.0) -> dict[str, float]:
    compiled += target.compile_seconds()
    return {"compile_seconds": compiled, "sample_seconds": time.perf_counter() - began - compiled}
