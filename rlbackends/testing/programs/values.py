"""What the generator knows of an expression that it wrote: its text, its shape and how far its value may go."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from rlbackends.errors import ModelError
from rlbackends.expressions.kinds import Axes, Axis, broadcast

LARGEST = 64.0
"""No intermediate value gets larger than this, so that rounding stays far below the tolerances."""


@dataclass(frozen=True)
class Value:
    """An expression of a rule.

    Attributes
    ----------
    text : str
        As it stands in the rule; safe to stand anywhere.
    axes : tuple of Axis
        Its shape.
    kind : {"real", "int", "bool"}
        What it is.
    lo, hi : float
        Bounds of its entries.
    slope : float
        How much it may move with the states, all moving by 1: a bound on the sum of its derivatives.
    is_exact : bool
        Whether all backends have it to the last bit, so that it may be compared with anything.
    is_traced : bool
        Whether it is a stand-in while the rule is traced, not a plain number or array.
    is_distinct : bool
        Whether no two entries on a trial are the same.
    """

    text: str
    axes: Axes = ()
    kind: Literal["real", "int", "bool"] = "real"
    lo: float = 0.0
    hi: float = 0.0
    slope: float = 0.0
    is_exact: bool = False
    is_traced: bool = True
    is_distinct: bool = False

    @property
    def largest(self) -> float:
        """The largest absolute value of an entry."""
        return max(abs(self.lo), abs(self.hi))

    @property
    def names(self) -> tuple[str | None, ...]:
        """The names of the axes."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    def with_text(self, text: str) -> Value:
        """Return the same value under another text."""
        return replace(self, text=text)


def real(text: str, axes: Axes, lo: float, hi: float, slope: float, *, is_traced: bool = True) -> Value:
    """Return a computed real value."""
    return Value(text, axes, "real", lo, hi, slope, False, is_traced)


def product(a: Value, b: Value) -> tuple[float, float]:
    """Return the bounds of a product."""
    corners = [a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi]
    return min(corners), max(corners)


def binary(symbol: str, a: Value, b: Value) -> Value:
    """Return a sum, difference or product."""
    lo, hi = {
        "+": (a.lo + b.lo, a.hi + b.hi),
        "-": (a.lo - b.hi, a.hi - b.lo),
        "*": product(a, b),
    }[symbol]
    slope = b.largest * a.slope + a.largest * b.slope if symbol == "*" else a.slope + b.slope
    text = f"({a.text} {symbol} {b.text})"
    return real(text, broadcast(a.axes, b.axes), lo, hi, slope, is_traced=a.is_traced or b.is_traced)


def fits(axes: Axes, target: Axes) -> bool:
    """Say whether a value of these axes may stand where ``target`` is wanted, spread over it."""
    try:
        met = broadcast(axes, target)
    except ModelError:
        return False
    return len(axes) <= len(target) and [a.size for a in met] == [a.size for a in target]


def is_full(axes: Axes, target: Axes) -> bool:
    """Say whether a value of these axes has all entries of ``target``."""
    return fits(axes, target) and [a.size for a in axes] == [a.size for a in target]


def number(value: float) -> str:
    """Return a number as it stands in a rule."""
    return f"({value!r})" if value < 0 else repr(value)


def literal(value: float) -> Value:
    """Return a constant."""
    return Value(number(value), (), "real", value, value, 0.0, True, False)


def along(target: Axes, position: int) -> int:
    """Return an axis' place counted from the right."""
    return position - len(target)


def scaled(value: Value, slope: float) -> Value:
    """Return a value divided by a power of two until its slope is small enough."""
    if value.slope <= slope:
        return value
    factor = 2.0 ** math.ceil(math.log2(value.slope / slope))
    text = f"({value.text} / {factor!r})"
    return real(text, value.axes, value.lo / factor, value.hi / factor, value.slope / factor)


def unnamed(axes: Axes) -> Axes:
    """Return the axes without their names, as a plain array has them."""
    return tuple(Axis(None, axis.size) for axis in axes)
