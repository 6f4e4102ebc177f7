"""Random integer expressions: provably within an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlbackends.expressions.kinds import Axis
from rlbackends.testing.programs.values import Value

if TYPE_CHECKING:
    from rlbackends.testing.programs.grammar import Grammar


def _integer(text: str, lo: float, hi: float, *, is_traced: bool = True) -> Value:
    return Value(text, (), "int", lo, hi, 0.0, True, is_traced)


def counted(g: Grammar, size: int) -> Value:
    """Return an event that counts within the size, an entry of one, or a constant."""
    found = [value for value in g.integers() if value.hi < size]
    pick = g.choose.below(len(found) + 1)
    if pick == len(found):
        pick = g.choose.below(size)
        return _integer(str(pick), pick, pick, is_traced=False)
    value = found[pick]
    if not value.axes:
        return value
    places = ", ".join(str(g.choose.below(axis.size)) for axis in value.axes)
    return _integer(f"{value.text}[{places}]", value.lo, value.hi)


def index(g: Grammar, size: int, depth: int = 1) -> Value:
    """Return an integer from 0 to ``size - 1``."""
    from rlbackends.testing.programs.conditions import condition

    g.room -= 1
    way = g.choose.below(12) if depth > 0 and g.room > 0 else 0
    if way <= 4 or size == 1:
        return counted(g, size)
    one = counted(g, size)
    if way == 5:
        return _integer(f"({size - 1} - {one.text})", size - 1 - one.hi, size - 1 - one.lo, is_traced=one.is_traced)
    if way == 6:
        other = index(g, size, depth - 1)
        text = f"rl.where({condition(g, (), 0).text}, {one.text}, {other.text})"
        return _integer(text, min(one.lo, other.lo), max(one.hi, other.hi))
    if way in (7, 8):
        axes = next(((axis,) for axis in g.model_axes if axis.size == size), (Axis(None, size),))
        return _integer(f"rl.argmax({argument(g, axes).text})", 0, size - 1)
    other = counted(g, size)
    if way == 9:
        which = g.choose.one_of(["minimum", "maximum"])
        return _integer(f"rl.{which}({one.text}, {other.text})", 0, size - 1)
    if way == 10:
        return _integer(f"rl.abs({one.text} - {other.text})", 0, size - 1)
    is_traced = one.is_traced or other.is_traced
    if one.hi + other.hi < size and g.choose.chance(50):
        return _integer(f"({one.text} + {other.text})", 0, one.hi + other.hi, is_traced=is_traced)
    if one.hi * other.hi < size:
        return _integer(f"({one.text} * {other.text})", 0, one.hi * other.hi, is_traced=is_traced)
    return one


def argument(g: Grammar, axes: tuple[Axis, ...]) -> Value:
    """Return what an ``argmax`` may be taken of: a state, whose ties are exact, or a sum with steps that part all."""
    states = [v for v in g.readable if v.slope and v.names == tuple(a.name for a in axes) and axes[0].name]
    if states and g.choose.chance(50):
        return g.choose.one_of(states)
    value = g.full(g.leaf(axes), axes)
    if value.is_exact:
        return value
    steps = [round(0.0137 * (1 + i) ** 2, 4) for i in range(axes[-1].size)]
    return Value(f"({value.text} + np.array({steps!r}))", value.axes, "real", value.lo, value.hi + 1.0, value.slope)


def vector(g: Grammar, size: int, *, distinct: bool = False) -> Value | None:
    """Return an event that is a vector of indices within the size, if there is one; of different ones if asked."""
    found = [value for value in g.integers() if len(value.axes) == 1 and value.hi < size]
    found = [value for value in found if value.is_distinct or not distinct]
    return g.choose.one_of(found) if found else None
