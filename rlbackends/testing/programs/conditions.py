"""Random conditions: comparisons that rounding can't turn over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlbackends.expressions.kinds import Axes, Axis, broadcast
from rlbackends.testing.programs.values import Value, fits, number

if TYPE_CHECKING:
    from rlbackends.testing.programs.grammar import Grammar

_ORDER = ("<", "<=", ">", ">=")


def _bool(text: str, axes: Axes) -> Value:
    return Value(text, axes, "bool", 0.0, 1.0, 0.0, True)


def condition(g: Grammar, axes: Axes, depth: int = 1) -> Value:
    """Return a comparison, or several, that fit the axes."""
    g.room -= 1
    way = g.choose.below(10) if depth > 0 and g.room > 0 else g.choose.below(3)
    if way == 0:
        return _of_event(g, axes) or _of_quantity(g, axes)
    if way <= 2:
        return _of_quantity(g, axes)
    if way == 3 and axes:
        return _of_place(g, axes)
    if way == 4:
        inner = condition(g, axes, depth - 1)
        return _bool(f"(~{inner.text})", inner.axes)
    if way in (5, 6):
        a, b = condition(g, axes, depth - 1), condition(g, axes, depth - 1)
        return _bool(f"({a.text} {'&|'[way - 5]} {b.text})", broadcast(a.axes, b.axes))
    if way == 7:
        return is_missing(g) or _of_quantity(g, axes)
    if way == 8:
        c, a, b = condition(g, (), 0), condition(g, axes, depth - 1), condition(g, axes, 0)
        return _bool(f"rl.where({c.text}, {a.text}, {b.text})", broadcast(a.axes, b.axes))
    return _taken(g, axes)


def is_missing(g: Grammar) -> Value | None:
    """Return whether an event, an entry of one or something computed from events is missing."""
    events = [v for v in g.readable if v.is_exact]
    if not events:
        return None
    event = g.choose.one_of(events)
    text = event.text
    others = [v for v in events if not v.axes]
    if event.axes and g.choose.chance(50):
        text += f"[{', '.join(str(g.choose.below(axis.size)) for axis in event.axes)}]"
    elif others and g.choose.chance(30):
        text += f" + {g.choose.one_of(others).text}"
    return _bool(f"rl.is_missing({text})", ())


def _of_event(g: Grammar, axes: Axes) -> Value | None:
    """Compare an event, exactly: ties are wanted."""
    found = [view for v in g.readable if v.is_exact and (view := g.view(v, axes)) is not None]
    found = [v for v in found if fits(v.axes, axes)]
    if not found:
        return None
    event = g.choose.one_of(found)
    if event.kind == "int":
        symbol = g.choose.one_of(["==", "!=", *_ORDER])
        return _bool(f"({event.text} {symbol} {g.choose.below(int(event.hi) + 1)})", event.axes)
    symbol = g.choose.one_of([">", *_ORDER, "==", "!="])
    return _bool(f"({event.text} {symbol} {number(g.choose.eighths(-1, 1))})", event.axes)


def _of_quantity(g: Grammar, axes: Axes) -> Value:
    """Compare what is computed with a number that it does not meet by accident."""
    value = g.leaf(axes)
    if not value.is_traced:
        value = g.choose.one_of([v for v in g.reals() if v.is_traced])
        value = g.view(value, axes) or Value(f"rl.sum({value.text})", (), "real", value.lo * 9, value.hi * 9, 1.0)
    at = g.choose.odd(value.lo, value.hi) if value.hi > value.lo else value.lo + 0.01373
    return _bool(f"({value.text} {g.choose.one_of(_ORDER)} {number(round(at, 5))})", value.axes)


def _of_place(g: Grammar, axes: Axes) -> Value:
    """Say at which entry of the last axis we are."""
    from rlbackends.testing.programs.indices import index

    place = index(g, axes[-1].size, 0)
    if not place.is_traced:
        return _of_quantity(g, axes)
    n, symbol = axes[-1].size, g.choose.one_of(["==", "<", ">="])
    return _bool(f"(np.arange({n}) {symbol} {place.text})", (Axis(None, n),))


def _taken(g: Grammar, axes: Axes) -> Value:
    """Take one entry of an array of conditions, or spread one condition over the axes."""
    from rlbackends.testing.programs.indices import index

    if axes:
        inner = condition(g, axes[:-1], 0)
        if len(inner.axes) == len(axes) - 1:
            text = f"{inner.text}[{', '.join([':'] * len(inner.axes) + ['None'])}]"
            return _bool(text, (*inner.axes, Axis(None, 1)))
        return inner
    axis = g.choose.one_of(g.model_axes)
    inner = condition(g, (axis,), 0)
    if [a.size for a in inner.axes] != [axis.size]:
        return _of_quantity(g, ())
    return _bool(f"{inner.text}[{index(g, axis.size).text}]", ())
