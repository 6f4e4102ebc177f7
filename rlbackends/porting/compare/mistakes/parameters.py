"""Mistakes about parameters: inverted, swapped, on another scale, those of somebody else."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.numpy_table import sigmoid
from rlbackends.porting.compare.mistakes.mistake import Change, Mistake, Variants
from rlbackends.porting.compare.setup import Setup

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

_MOST_SWAPS = 45


def changed_parameter(name: str, function: Callable[[Any], Any]) -> Change:
    """Return a change of one parameter's values."""

    def change(setup: Setup) -> Setup:
        with np.errstate(all="ignore"):
            return setup.changed(params={**setup.params, name: function(setup.params[name])})

    return change


def _positive(setup: Setup) -> list[str]:
    return [k for k, p in setup.parts.parameters.items() if p.support.lo == 0 and p.support.hi == np.inf]


def _units(setup: Setup) -> list[str]:
    return [k for k, p in setup.parts.parameters.items() if p.support.lo == 0 and p.support.hi == 1]


def _inverted(setup: Setup, data: BoundTrials) -> Variants:
    for name in _positive(setup):
        yield f"1 / {name} for {name}", changed_parameter(name, lambda x: 1 / x)


def _complement(setup: Setup, data: BoundTrials) -> Variants:
    for name in _units(setup):
        yield f"1 − {name} for {name}", changed_parameter(name, lambda x: 1 - x)


def _swapped(setup: Setup, data: BoundTrials) -> Variants:
    for one, other in list(combinations(setup.parts.parameters, 2))[:_MOST_SWAPS]:
        yield f"{one} and {other}", _swap(one, other)


def _swap(one: str, other: str) -> Change:
    return lambda setup: setup.changed(
        params={**setup.params, one: setup.params[other], other: setup.params[one]}
    )


def _scale(setup: Setup, data: BoundTrials) -> Variants:
    for name in _positive(setup):
        yield f"exp({name}) for {name}", changed_parameter(name, np.exp)
        yield f"log({name}) for {name}", changed_parameter(name, np.log)
    for name in _units(setup):
        yield f"logistic({name}) for {name}", changed_parameter(name, sigmoid)
        yield f"Φ({name}) for {name}", changed_parameter(name, _ndtr)
    for name in setup.parts.parameters:
        for factor in (2.0, 0.5):
            yield f"{factor:g} · {name} for {name}", changed_parameter(name, _times(factor))


def _times(factor: float) -> Callable[[Any], Any]:
    return lambda x: factor * x


def _ndtr(x: Any) -> Any:
    from scipy.special import ndtr

    return ndtr(x)


def _persons(setup: Setup, data: BoundTrials) -> Variants:
    varying = [name for name, x in setup.params.items() if np.any(x != x[:, :1])]
    if not varying:
        return
    yield "everyone has the first person's", _everyone(varying, lambda x: x[:, :1])
    yield "everyone has the mean of all", _everyone(varying, lambda x: x.mean(axis=1, keepdims=True))
    for name in varying if len(varying) > 1 else ():
        yield f"everyone has the first person's {name}", _everyone([name], lambda x: x[:, :1])


def _everyone(names: list[str], function: Callable[[Any], Any]) -> Change:
    def change(setup: Setup) -> Setup:
        new = {name: np.broadcast_to(function(setup.params[name]), setup.params[name].shape) for name in names}
        return setup.changed(params={**setup.params, **new})

    return change


MISTAKES = (
    Mistake(
        "temperature for inverse temperature",
        "a parameter divides where it should multiply, or the other way round.",
        "Decide which of the two it is: an inverse temperature multiplies the values, a temperature divides them.",
        _inverted,
    ),
    Mistake(
        "kept for forgotten",
        "a share is used for what is left of it.",
        "Decide which share the parameter is: what is forgotten, or what is kept.",
        _complement,
    ),
    Mistake(
        "parameters swapped",
        "two parameters stand in each other's place.",
        "Pass parameters by name, not by position; with two learning rates, check which sign of the prediction error "
        "each is for.",
        _swapped,
    ),
    Mistake(
        "parameters on another scale",
        "a parameter is transformed once more, or once less, or scaled.",
        "Give the function natural values, or take the transformation out of it.",
        _scale,
    ),
    Mistake(
        "somebody else's parameters",
        "a person is played with values that are not theirs.",
        "Index parameters by subject.",
        _persons,
    ),
)
