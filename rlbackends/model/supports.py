"""Where a parameter's values may lie."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlbackends.errors import ModelError


@dataclass(frozen=True)
class Support:
    """An open interval of the real line; use one of its named forms."""

    lo: float
    hi: float

    def __post_init__(self) -> None:
        if not all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in (self.lo, self.hi)):
            raise ModelError(f"a support's bounds must be numbers, not {self.lo!r} and {self.hi!r}.")
        object.__setattr__(self, "lo", float(self.lo))
        object.__setattr__(self, "hi", float(self.hi))
        if not self.lo < self.hi:
            raise ModelError(f"a support needs lo < hi, not [{self.lo:g}, {self.hi:g}].")

    def contains(self, values: Any) -> Any:
        """Say which values lie inside, the bounds included."""
        array = np.asarray(values, dtype=float)
        return (array >= self.lo) & (array <= self.hi) & np.isfinite(array)

    def __str__(self) -> str:
        return f"({self.lo:g}, {self.hi:g})"


@dataclass(frozen=True)
class UnitInterval(Support):
    """Between 0 and 1: learning rates, weights, lapse rates."""

    lo: float = 0.0
    hi: float = 1.0


@dataclass(frozen=True)
class Positive(Support):
    """Above 0: inverse temperatures, scales."""

    lo: float = 0.0
    hi: float = math.inf


@dataclass(frozen=True)
class RealLine(Support):
    """Any real number: biases, perseveration."""

    lo: float = -math.inf
    hi: float = math.inf


@dataclass(frozen=True)
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
