"""What a value is: its kind (real, bool, bounded integer) and its named axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rlbackends.errors import ModelError

KindName = Literal["real", "bool", "int"]


@dataclass(frozen=True, slots=True)
class Kind:
    """The kind of a value; an integer carries proven bounds, both inclusive."""

    name: KindName
    lo: int = 0
    hi: int = 0

    def __str__(self) -> str:
        return f"int in [{self.lo}, {self.hi}]" if self.name == "int" else self.name


_LARGEST = 2**63 - 1
REAL = Kind("real")
BOOL = Kind("bool")


def integer(lo: int, hi: int) -> Kind:
    """Return the kind of an integer known to lie in ``[lo, hi]``."""
    if lo > hi:
        raise ModelError(f"an integer's bounds must be ordered, not [{lo}, {hi}].")
    if lo < -_LARGEST or hi > _LARGEST:  # beyond it int64 wraps around
        raise ModelError("an integer may become larger than 64 bits hold")
    return Kind("int", lo, hi)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a value. Without a name it meets any axis of its size, and broadcasts if its size is 1."""

    name: str | None
    size: int

    def __str__(self) -> str:
        return f"{self.name} ({self.size})" if self.name else str(self.size)


Axes = tuple[Axis, ...]


def describe(axes: Axes) -> str:
    """Say a shape in words: ``one value``, or ``one value per action (2)``."""
    if not axes:
        return "one value"
    return "one value per " + " × ".join(str(axis) if axis.name else f"entry ({axis.size})" for axis in axes)


def meet(left: Axis, right: Axis) -> Axis:
    """Return the axis that two aligned axes broadcast to, or raise ``ModelError`` if they can't meet."""
    if left.name is None and left.size == 1:
        return right
    if right.name is None and right.size == 1:
        return left
    if left.name and right.name and left.name != right.name:
        raise ModelError(
            f"axis '{left.name}' meets axis '{right.name}'; insert None to keep them apart, as in x[:, None]"
        )
    if left.size != right.size:
        raise ModelError(f"axis {left} meets axis {right}: their sizes differ")
    return left if left.name else right


def broadcast(*shapes: Axes) -> Axes:
    """Broadcast shapes from the right, as NumPy does, with axis names checked."""
    result: Axes = ()
    for axes in shapes:
        rank = max(len(result), len(axes))
        one = Axis(None, 1)
        left = (one,) * (rank - len(result)) + result
        right = (one,) * (rank - len(axes)) + axes
        result = tuple(meet(a, b) for a, b in zip(left, right, strict=True))
    return result
