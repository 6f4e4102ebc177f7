"""Where chains start: near the middle of the prior, each chain somewhere else; if need be, anywhere in the prior."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlbackends.errors import BackendError, listed
from rlbackends.population.layout import Layout

# How many tries, each the median of how many draws. That of five lies near the prior's middle, also where the prior has
# heavy tails; a single draw reaches starts that the middle does not have.
_STAGES = ((40, 5), (30, 3), (60, 1))
_TRIES = sum(tries for tries, _ in _STAGES)

Density = Callable[[Mapping[str, np.ndarray]], tuple[float, dict[str, np.ndarray]]]


def find_start(
    layout: Layout,
    density: Density,
    seed: int,
    chain: int,
    explain: Callable[[Mapping[str, np.ndarray]], str] | None = None,
) -> dict[str, np.ndarray]:
    """Return unconstrained latents with a finite density and gradient.

    Parameters
    ----------
    layout : Layout
        The latents and their priors.
    density : callable
        The log-density of unconstrained latents and its gradient.
    seed, chain : int
        Each chain has a stream of its own.
    explain : callable, optional
        Says, for the error, why a point is no start; see `rlbackends.backends.diagnose.explain_no_start`.

    Raises
    ------
    BackendError
        If none of many tries is finite, from near the prior's middle to plain draws from it; it says what is not finite
        in the first.
    """
    rng = np.random.default_rng([seed, chain])
    first: tuple[Mapping[str, np.ndarray], float, list[str]] | None = None
    for draws in (draws for tries, draws in _STAGES for _ in range(tries)):
        z = near_middle(layout, rng, draws)
        with np.errstate(all="ignore"):
            value, gradient = density(z)
        bad = [name for name, slope in gradient.items() if not np.isfinite(slope).all()]
        if np.isfinite(value) and not bad:
            return z
        first = (z, value, bad) if first is None else first
    assert first is not None
    z, value, bad = first
    found = f"log density {value:g}"
    if explain is None:
        found += f", and a gradient that is not finite for {listed(bad)}" if bad else ""
        why = "Check the priors, and the data for responses of probability 0."
    else:
        why = _sentence(explain(z))
    raise BackendError(
        f"chain {chain + 1} found no start with a finite density and gradient in {_TRIES} tries, from near the prior's "
        f"middle to plain draws from the prior; the first had {found}. {why}"
    )


def engine_start(engine: Any, seed: int, chain: int) -> dict[str, np.ndarray]:
    """Return :func:`find_start` of an engine's density, with an error that says what is wrong where."""
    from rlbackends.backends.diagnose import explain_no_start

    return find_start(
        engine.layout, engine.log_density_and_gradient, seed, chain, explain=lambda z: explain_no_start(engine, z)
    )


def near_middle(layout: Layout, rng: np.random.Generator, draws: int = _STAGES[0][1]) -> dict[str, np.ndarray]:
    """Return unconstrained latents, each the median of some draws from the prior."""
    found = [layout.draw(rng) for _ in range(draws)]
    with np.errstate(all="ignore"):
        return layout.unconstrain({name: np.median([d[name] for d in found], axis=0) for name in layout.names})


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]
