"""Where a parameter's values may lie."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlbackends.errors import ModelError


@dataclass(frozen=True, eq=False)
class Support:
    """An open interval of the real line; use one of its named forms. Two of equal bounds are equal."""

    lo: float
    hi: float

    def __post_init__(self) -> None:
        for name in ("lo", "hi"):
            object.__setattr__(self, name, _as_float(getattr(self, name)) + 0.0)  # -0.0 becomes 0.0
        if not self.lo < self.hi:
            raise ModelError(f"a support needs lo < hi, not [{self.lo:g}, {self.hi:g}].")
        finite = math.isfinite(self.lo) and math.isfinite(self.hi)
        if not finite and (self.lo, self.hi) not in ((0.0, math.inf), (-math.inf, math.inf)):
            raise ModelError(
                "a support is Interval(lo, hi) with finite bounds, Positive() or RealLine(), not "
                f"({self.lo:g}, {self.hi:g})."
            )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Support) and (self.lo, self.hi) == (other.lo, other.hi)

    def __hash__(self) -> int:
        return hash((self.lo, self.hi))

    def contains(self, values: Any) -> Any:
        """Say which values lie inside, the bounds included."""
        array = np.asarray(values, dtype=float)
        return (array >= self.lo) & (array <= self.hi) & np.isfinite(array)

    def __str__(self) -> str:
        return f"({_short(self.lo)}, {_short(self.hi)})"


def _as_float(bound: Any) -> float:
    if isinstance(bound, bool) or not isinstance(bound, numbers.Real) or bound != bound:
        raise ModelError(f"a support's bound must be a number, not {bound!r}.")
    try:
        return float(bound)
    except OverflowError:
        raise ModelError("a support's bound is too large.") from None


def _short(bound: float) -> str:
    return repr(int(bound)) if bound.is_integer() and abs(bound) < 1e15 else repr(bound)


@dataclass(frozen=True, eq=False)
class UnitInterval(Support):
    """Between 0 and 1: learning rates, weights, lapse rates."""

    lo: float = field(default=0.0, init=False)
    hi: float = field(default=1.0, init=False)


@dataclass(frozen=True, eq=False)
class Positive(Support):
    """Above 0: inverse temperatures, scales."""

    lo: float = field(default=0.0, init=False)
    hi: float = field(default=math.inf, init=False)


@dataclass(frozen=True, eq=False)
class RealLine(Support):
    """Any real number: biases, perseveration."""

    lo: float = field(default=-math.inf, init=False)
    hi: float = field(default=math.inf, init=False)


@dataclass(frozen=True, eq=False)
class Interval(Support):
    """Between two finite bounds.

    Parameters
    ----------
    lo, hi : float
        The bounds.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.lo) and math.isfinite(self.hi)):
            raise ModelError("an Interval has finite bounds; use Positive() or RealLine().")


def support_from_bounds(lo: float, hi: float) -> Support:
    """Return the named support with these bounds."""
    for named in (UnitInterval(), Positive(), RealLine()):
        if (named.lo, named.hi) == (lo, hi):
            return named
    return Interval(lo, hi)
