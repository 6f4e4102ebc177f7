"""Where chains start: near the middle of the prior, each chain somewhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlbackends.errors import BackendError, listed
from rlbackends.population.layout import Layout

_TRIES = 100
# The median of so many draws lies near the prior's middle, also where the prior has heavy tails.
_DRAWS = 5

Density = Callable[[Mapping[str, np.ndarray]], tuple[float, dict[str, np.ndarray]]]


def find_start(layout: Layout, density: Density, seed: int, chain: int) -> dict[str, np.ndarray]:
    """Return unconstrained latents with a finite density and gradient.

    Parameters
    ----------
    layout : Layout
        The latents and their priors.
    density : callable
        The log-density of unconstrained latents and its gradient.
    seed, chain : int
        Each chain has a stream of its own.

    Raises
    ------
    BackendError
        If none of many tries is finite; it names what is not finite in the last.
    """
    rng = np.random.default_rng([seed, chain])
    for _ in range(_TRIES):
        draws = [layout.draw(rng) for _ in range(_DRAWS)]
        z = layout.unconstrain({name: np.median([d[name] for d in draws], axis=0) for name in layout.names})
        value, gradient = density(z)
        bad = [name for name, slope in gradient.items() if not np.isfinite(slope).all()]
        if np.isfinite(value) and not bad:
            return z
    found: Any = f"log density {value:g}" + (f", and a gradient that is not finite for {listed(bad)}" if bad else "")
    raise BackendError(
        f"chain {chain + 1} found no start with a finite density and gradient in {_TRIES} tries; the last had {found}. "
        "Check the priors, and the data for responses of probability 0."
    )
