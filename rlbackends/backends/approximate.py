"""What every approximation of a posterior does, whatever its library: say how far it is, draw, and measure itself."""

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
from rlbackends.errors import SettingError
from rlbackends.population.layout import Layout

_REPORT_SECONDS = 30.0
_BATCH = 256


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
        timing=timing_of(target, began, compiled),
        settings={**settings, "kind": "approximation", "seed": int(seed), "chains": int(chains), "draws": int(draws)},
        work={"gradients": int(gradients)},
    )


def timing_of(target: Target, began: float, compiled: float = 0.0) -> dict[str, float]:
    """Return the seconds since ``began``: those that went into compiling, and the others."""
    compiled += target.compile_seconds()
    return {"compile_seconds": compiled, "sample_seconds": time.perf_counter() - began - compiled}
