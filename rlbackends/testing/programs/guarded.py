"""Partial operations under a ``where``, on arguments for which they have no value in the branch not taken."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rlbackends.expressions.kinds import Axes, broadcast
from rlbackends.testing.programs.conditions import condition
from rlbackends.testing.programs.values import Value, product, real

if TYPE_CHECKING:
    from rlbackends.testing.programs.grammar import Grammar


def _base(g: Grammar, axes: Axes) -> Value:
    """Return what is exactly 0 or far from it: an event, by a positive parameter or not."""
    found = [view for v in g.readable if v.is_exact and v.kind == "real" and (view := g.view(v, axes)) is not None]
    events = [v for v in found if v.is_exact]
    if not events:
        place = [v for v in g.integers() if not v.axes]
        if not place:
            text = f"rl.to_float({g.choose.below(2)})"
            return Value(text, (), "real", 0.0, 1.0, 0.0, True)
        value = g.choose.one_of(place)
        return Value(f"rl.to_float({value.text})", (), "real", 0.0, value.hi, 0.0, True)
    event = g.choose.one_of(events)
    factors = [v for v in g.readable if v.kind == "real" and not v.axes and v.lo >= 0.05 and not v.slope]
    if factors and g.choose.chance(60):
        factor = g.choose.one_of(factors)
        lo, hi = product(event, factor)
        return real(f"({factor.text} * {event.text})", event.axes, lo, hi, 0.0)
    return event


def _partial(g: Grammar, x: Value, axes: Axes) -> tuple[str, str, float]:
    """Return a partial operation on ``x``, the condition under which it has a value, and a bound of that value."""
    least = 0.00625  # events are multiples of 1/8, factors at least 0.05
    top = max(x.largest, 1.0)
    return g.choose.one_of(
        [
            (f"rl.log({x.text})", f"{x.text} > 0", max(abs(math.log(least)), math.log(top))),
            (f"rl.sqrt({x.text})", f"{x.text} > 0", top),
            (f"(0.125 / {x.text})", f"{x.text} != 0", 0.125 / least),
            (f"({x.text} ** 0.5)", f"{x.text} > 0", top),
            (f"({x.text} ** -1)", f"0 < {x.text}", 1 / least),
            (f"rl.log1p({x.text} - 1)", f"~({x.text} <= 0)", max(abs(math.log(least)), math.log(top))),
            (f"rl.exp(200 * ({x.text} - 0.125))", f"{x.text} <= 0", 1.0),
            (f"rl.ndtri({x.text} / 16)", f"({x.text} > 0) & ({x.text} < 15)", 4.0),
            (f"rl.logit({x.text} / 16)", f"({x.text} > 0) & ({x.text} < 15)", 8.0),
        ]
    )


def guarded(g: Grammar, axes: Axes, depth: int) -> Value:
    """Return a partial operation where it has a value, and something else elsewhere."""
    x = _base(g, axes)
    text, holds, bound = _partial(g, x, axes)
    other = g.real(axes, depth - 1)
    if g.choose.chance(30):
        inner = condition(g, axes)
        text = f"rl.where({inner.text}, {text}, {g.array(()).text})"
        axes_out = broadcast(broadcast(x.axes, inner.axes), other.axes)
    else:
        axes_out = broadcast(x.axes, other.axes)
    lo, hi = min(-bound, other.lo, -1.0), max(bound, other.hi, 1.0)
    result = real(f"rl.where({holds}, {text}, {other.text})", axes_out, lo, hi, other.slope)
    return result if bound <= 8 else real(f"({result.text} / 16)", result.axes, lo / 16, hi / 16, other.slope / 16)


def guarded_twice(g: Grammar, axes: Axes, depth: int) -> Value:
    """Use one partial operation under two conditions, and nowhere else."""
    x = _base(g, axes)
    text, holds, bound = _partial(g, x, axes)
    name = f"v{len(g.lines) + 1}"
    g.lines.append(f"{name} = {text}")
    first, second = condition(g, axes), condition(g, axes)
    a, b = g.array(()), g.leaf(axes)
    axes_out = broadcast(broadcast(first.axes, second.axes), broadcast(x.axes, b.axes))
    scale = 1.0 if bound <= 8 else 32.0
    lo, hi = -2 * max(bound, b.largest, 1.0) / scale, 2 * max(bound, b.largest, 1.0) / scale
    text = (
        f"(rl.where(({holds}) & {first.text}, {name}, {a.text}) + "
        f"rl.where({second.text}, rl.where({holds}, -{name}, {b.text}), 0.5))"
    )
    return real(text if scale == 1.0 else f"({text} / {scale!r})", axes_out, lo, hi, b.slope)
