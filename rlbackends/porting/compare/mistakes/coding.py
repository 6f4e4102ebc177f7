"""Mistakes about how events are coded: rewards as whole numbers, choices counted from 1, missing trials."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import listed
from rlbackends.porting.compare.mistakes.mistake import Change, Mistake, Variants, groups, with_values
from rlbackends.porting.compare.setup import Setup

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

_INSIDE = ("@learning", "@rule")


def _reals(setup: Setup) -> list[str]:
    return [e.name for e in setup.parts.events.values() if e.kind.name == "real" and not e.is_response]


def _recoded(names: list[str], function: Callable[[Any], Any], uses: tuple[str, ...] = _INSIDE) -> Change:
    def change(setup: Setup) -> Setup | None:
        changed = {name + use: function(setup.values[name + use]) for name in names for use in uses}
        return with_values(changed)(setup)

    return change


def _whole(setup: Setup, data: BoundTrials) -> Variants:
    names = [name for name in _reals(setup) if np.any(data.values[name] != np.round(data.values[name]))]
    ways: dict[str, Callable[[Any], Any]] = {
        "cut off": np.trunc, "rounded": np.round, "rounded down": np.floor, "rounded up": np.ceil,
    }  # fmt: skip
    for group in groups(names):
        for word, function in ways.items():
            yield f"the decimals of {listed(group)} are {word}", _recoded(group, function)


def _signs(setup: Setup, data: BoundTrials) -> Variants:
    for name in _reals(setup):
        found = set(np.unique(data.values[name][~data.missing[name]]).tolist())
        yield f"{name} has the other sign", _recoded([name], np.negative)
        if len(found) == 2:
            lo, hi = sorted(found)
            for a, b in ((0.0, 1.0), (-1.0, 1.0), (1.0, 2.0), (hi, lo)):
                if (a, b) != (lo, hi):
                    code = _two(lo, a, b)
                    yield f"{name} is coded {a:g} and {b:g} instead of {lo:g} and {hi:g}", _recoded([name], code)
        for factor in (0.01, 0.1, 10.0, 100.0):
            yield f"{name} is multiplied by {factor:g}", _recoded([name], _times(factor))


def _times(factor: float) -> Callable[[Any], Any]:
    return lambda values: values * factor


def _two(lo: float, a: float, b: float) -> Callable[[Any], Any]:
    return lambda values: np.where(values == lo, a, b)


def _codes(size: int) -> dict[str, Callable[[Any], Any]]:
    ways: dict[str, Callable[[Any], Any]] = {
        "one too high, the last one becomes the first": lambda x: (x + 1) % size,
        "one too high, the last one stays": lambda x: np.minimum(x + 1, size - 1),
    }
    if size > 2:
        ways["one too low, the first one becomes the last"] = lambda x: (x - 1) % size
    ways["one too low, the first one stays"] = lambda x: np.maximum(x - 1, 0)
    if size > 2:
        ways["counted from the other end"] = lambda x: size - 1 - x
    return ways


def _from_one(setup: Setup, data: BoundTrials) -> Variants:
    for event in setup.parts.events.values():
        if event.kind.name != "int":
            continue
        places: dict[str, tuple[str, ...]] = {"": _INSIDE}
        if event.is_response:
            places = {
                " in the likelihood and in learning": ("", *_INSIDE),
                " in the likelihood only": ("",),
                " in learning only": _INSIDE,
            }
        for place, uses in places.items():
            for word, function in _codes(int(event.kind.hi) + 1).items():
                yield f"{event.name} is {word}{place}", _recoded([event.name], function, uses)


def _there(names: list[str], uses: tuple[str, ...], *, padding: bool = False) -> Change:
    """Return a change for which missing values are there, with the code or the number 0."""

    def change(setup: Setup) -> Setup:
        missing = dict(setup.missing)
        for name in names:
            for use in uses:
                flags = missing[name + use]
                valid = setup.valid.reshape(setup.valid.shape + (1,) * (flags.ndim - 2))
                missing[name + use] = np.zeros_like(flags) if padding else flags & ~valid
        return setup.changed(missing=missing)

    return change


def _absent(setup: Setup, data: BoundTrials) -> Variants:
    lacking = [name for name in setup.parts.events if name not in data.complete]
    responses = [name for name in lacking if name in setup.parts.responses]
    if responses:
        word = listed(responses)
        yield f"a missing {word} counts as 0 in the likelihood and in learning", _there(responses, ("", *_INSIDE))
        yield f"a missing {word} counts as 0 in the likelihood only", _there(responses, ("",))
        yield f"a missing {word} counts as 0 in learning only", _there(responses, _INSIDE)
    for name in lacking:
        if name not in responses:
            yield f"a missing {name} counts as 0", _there([name], _INSIDE)
    if len(lacking) > 1:
        yield "all that is missing counts as 0", _there(lacking, ("", *_INSIDE))
        yield "all that is missing counts as 0 in learning", _there(lacking, _INSIDE)
    if lacking:
        yield "a trial that lacks anything is left out", _left_out
    if data.is_ragged:
        everything = list(setup.parts.events)
        yield "the trials with which shorter sequences are filled up count as choices of 0", _there(
            everything, ("", *_INSIDE), padding=True
        )


def _left_out(setup: Setup) -> Setup:
    lacks = np.zeros(setup.starts.shape, bool)
    for flags in setup.missing.values():
        lacks |= flags.reshape(*lacks.shape, -1).any(axis=-1)
    return setup.changed(
        missing={
            name: flags | lacks.reshape(lacks.shape + (1,) * (flags.ndim - 2))
            for name, flags in setup.missing.items()
        }
    )


MISTAKES = (
    Mistake(
        "rewards as whole numbers",
        "numbers with decimals lose them.",
        "Keep outcomes as floating-point numbers: an integer array, or a scan's integer input, cuts decimals off.",
        _whole,
    ),
    Mistake(
        "another coding of outcomes",
        "outcomes have another sign, other codes or another unit.",
        "Use the same numbers in both: recode one of them (rl.read_trials has derive= for it).",
        _signs,
    ),
    Mistake(
        "codes shifted by one",
        "choices or stimuli are counted from 1 where the arrays count from 0, or the other way round.",
        "Subtract 1 from codes that start at 1 before they are used as an index. JAX does not complain about an index "
        "out of range, it takes the last entry; −1 is the last entry in NumPy.",
        _from_one,
    ),
    Mistake(
        "missing trials counted",
        "a missing value is treated as a value, or takes the rest of its trial with it.",
        "Leave missing responses out of the likelihood, and hold the states on trials that can't be learnt from.",
        _absent,
    ),
)
