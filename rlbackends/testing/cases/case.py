"""What the checks know about a model: usual parameter values, how its events are drawn, and its limits."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rlbackends.model import Model

Draw = Callable[[random.Random, Mapping[str, Any]], Any]


@dataclass(frozen=True)
class ModelCase:
    """A catalogue model with its settings, and what is needed to try it out.

    Attributes
    ----------
    name : str
        Of the case; a model with several settings has several cases.
    make : callable
        Makes the model; ``settings`` are its arguments.
    params : mapping of str to (float, float)
        The range of usual values of each parameter, on the natural scale.
    events : mapping of str to callable
        How an event is drawn where its kind says too little: a function of a `random.Random` and of what is known
        when it happens, the trial's earlier events and ``trial``, its position. Events that are not named are drawn
        by their kind.
    settings : mapping, optional
        Arguments of ``make``.
    not_finite : mapping of str to str, optional
        Limits, written ``"parameter=value"``, at which the log-likelihood or its gradient is not finite, with the
        reason; at all others both must be finite.
    """

    name: str
    make: Callable[..., Model]
    params: Mapping[str, tuple[float, float]]
    events: Mapping[str, Draw] = field(default_factory=lambda: MappingProxyType({}))
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    not_finite: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def model(self) -> Model:
        """Return the model."""
        return self.make(**self.settings)

    def middle(self) -> dict[str, float]:
        """Return the middle of each parameter's range."""
        return {name: (lo + hi) / 2 for name, (lo, hi) in self.params.items()}

    def draw_params(self, rng: random.Random, n_subjects: int) -> dict[str, list[float]]:
        """Return one value per subject of each parameter, uniform on its range."""
        return {name: [rng.uniform(*span) for _ in range(n_subjects)] for name, span in self.params.items()}


def limits(model: Model, large: float = 1e3) -> dict[str, tuple[str, float]]:
    """Return the limits of a model's parameters: ``"alpha=0"`` → parameter and value.

    A bounded parameter has its bounds; one without an upper bound takes ``large`` instead, a real one ``±100``.
    """
    found = {}
    for name, parameter in model.parameters.items():
        lo, hi = parameter.support.lo, parameter.support.hi
        ends = (-100.0, 100.0) if lo == -hi and hi == float("inf") else (lo, large if hi == float("inf") else hi)
        found.update({f"{name}={end:g}": (name, float(end)) for end in ends})
    return found


# How events are often drawn


def uniform(lo: float, hi: float, digits: int = 2) -> Draw:
    """Return a draw of a number between two, rounded."""
    return lambda rng, now: round(rng.uniform(lo, hi), digits)


def among(*values: Any) -> Draw:
    """Return a draw of one of some values."""
    return lambda rng, now: rng.choice(values)


def payoff(*means: float, sd: float = 0.5, by: str = "choice") -> Draw:
    """Return a draw of a normal payoff, of two decimals, whose mean goes by an earlier event."""
    return lambda rng, now: round(rng.gauss(means[int(now[by])], sd), 2)


def wins(*probabilities: float, win: float = 1.0, other: float = 0.0, by: str = "choice") -> Draw:
    """Return a draw of one of two outcomes whose probability goes by an earlier event."""
    return lambda rng, now: win if rng.random() < probabilities[int(now[by])] else other
