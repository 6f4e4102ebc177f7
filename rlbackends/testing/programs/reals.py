"""Random real expressions: one short function for each way to make one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from rlbackends.expressions.kinds import Axes, Axis, broadcast
from rlbackends.testing.programs.conditions import condition
from rlbackends.testing.programs.guarded import guarded, guarded_twice
from rlbackends.testing.programs.indices import argument, counted, index, vector
from rlbackends.testing.programs.values import Value, along, binary, is_full, number, product, real

if TYPE_CHECKING:
    from rlbackends.testing.programs.grammar import Grammar

Production = Callable[["Grammar", Axes, int], Value]


def leaf(g: Grammar, axes: Axes, depth: int) -> Value:
    return g.leaf(axes)


def arithmetic(g: Grammar, axes: Axes, depth: int) -> Value:
    return binary(g.choose.one_of("+-*"), g.real(axes, depth), g.real(axes, depth))


def division(g: Grammar, axes: Axes, depth: int) -> Value:
    a, b = g.real(axes, depth), g.positive(g.real(axes, depth), 0.25)
    inverse = Value("", (), "real", 1 / b.hi, 1 / b.lo)
    lo, hi = product(a, inverse)
    text = f"({a.text} / {b.text})"
    slope = a.slope / b.lo + a.largest * b.slope / b.lo**2
    return real(text, broadcast(a.axes, b.axes), lo, hi, slope, is_traced=a.is_traced or b.is_traced)


def negation(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.real(axes, depth)
    return real(f"(-{x.text})", x.axes, -x.hi, -x.lo, x.slope, is_traced=x.is_traced)


def absolute(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.real(axes, depth)
    return real(f"rl.abs({x.text})", x.axes, 0.0 if x.lo < 0 < x.hi else min(abs(x.lo), abs(x.hi)), x.largest, x.slope)


def squashed(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.real(axes, depth)
    function, lo, hi, slope = g.choose.one_of(
        [("tanh", -1.0, 1.0, 1.0), ("sigmoid", 0.0, 1.0, 0.25), ("ndtr", 0.0, 1.0, 0.4)]
    )
    return real(f"rl.{function}({x.text})", x.axes, lo, hi, slope * x.slope)


def sign(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.leaf(axes)
    text = x.text if x.is_exact else f"{x.text} - {g.choose.odd(x.lo, max(x.hi, x.lo + 0.1))!r}"
    return real(f"rl.sign({text})", x.axes, -1.0, 1.0, 0.0)


def exponential(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.tame(g.real(axes, depth), 3.0)
    return real(f"rl.exp({x.text})", x.axes, math.exp(x.lo), math.exp(x.hi), math.exp(x.hi) * x.slope)


def softplus(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.real(axes, depth)
    return real(f"rl.softplus({x.text})", x.axes, 0.0, max(x.hi, 0.0) + 0.7, x.slope)


def log_ndtr(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.tame(g.real(axes, depth), 8.0)
    return real(f"rl.log_ndtr({x.text})", x.axes, -(x.lo**2) / 2 - 4.0, 0.0, (1.0 + x.largest) * x.slope)


def logarithm(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.positive(g.real(axes, depth))
    return real(f"rl.log({x.text})", x.axes, math.log(x.lo), math.log(x.hi), x.slope / x.lo)


def log1p(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.tame(g.real(axes, depth), 0.75)
    return real(f"rl.log1p({x.text})", x.axes, math.log1p(x.lo), math.log1p(x.hi), x.slope / (1 + x.lo))


def root(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.positive(g.real(axes, depth))
    return real(f"rl.sqrt({x.text})", x.axes, math.sqrt(x.lo), math.sqrt(x.hi), 0.5 * x.slope / math.sqrt(x.lo))


def quantile(g: Grammar, axes: Axes, depth: int) -> Value:
    p = g.probability(g.real(axes, depth))
    function = g.choose.one_of(["ndtri", "logit"])
    return real(f"rl.{function}({p.text})", p.axes, -3.5, 3.5, p.slope / 0.029)


def whole_power(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.tame(g.real(axes, depth), 3.0)
    exponents = [v for v in g.integers() if not v.axes and v.hi <= 3]
    if exponents and g.choose.chance(25):
        # A whole exponent that is no constant, of a base of either sign, but not of 0.
        event = g.choose.one_of(exponents)
        if x.lo <= 0:
            x = real(f"(-{g.positive(x).text})", x.axes, -x.largest - 4.0, -0.125, x.slope)
        m = max(1.0, x.largest) ** event.hi
        return real(f"({x.text} ** {event.text})", x.axes, -m, m, event.hi * m * x.slope)
    n = g.choose.one_of([2, 3, 1, 0, 4])
    m = max(1.0, x.largest) ** n
    return real(f"({x.text} ** {n})", x.axes, -m, m, n * m * x.slope, is_traced=x.is_traced)


def real_power(g: Grammar, axes: Axes, depth: int) -> Value:
    a, b = g.positive(g.tame(g.real(axes, depth), 3.0), 0.25), g.tame(g.real(axes, depth), 2.0)
    m = max(a.hi, 1 / a.lo) ** b.largest
    slope = m * (b.largest * a.slope / a.lo + max(abs(math.log(a.lo)), abs(math.log(a.hi))) * b.slope)
    text = f"({a.text} ** {b.text})"
    return real(text, broadcast(a.axes, b.axes), 0.0, m, slope, is_traced=a.is_traced or b.is_traced)


def extreme(g: Grammar, axes: Axes, depth: int) -> Value:
    a, b = g.real(axes, depth), g.real(axes, depth)
    which, best = g.choose.one_of([("maximum", max), ("minimum", min)])
    axes_out = broadcast(a.axes, b.axes)
    return real(f"rl.{which}({a.text}, {b.text})", axes_out, best(a.lo, b.lo), best(a.hi, b.hi), max(a.slope, b.slope))


def clipped(g: Grammar, axes: Axes, depth: int) -> Value:
    x = g.real(axes, depth)
    lo = g.choose.eighths(-1, 0)
    hi = lo + 1.0
    lower, upper = min(max(x.lo, lo), hi), min(max(x.hi, lo), hi)
    return real(f"rl.clip({x.text}, {number(lo)}, {number(hi)})", x.axes, lower, upper, x.slope)


def choice(g: Grammar, axes: Axes, depth: int) -> Value:
    c = condition(g, axes if g.choose.chance(60) else ())
    a, b = g.real(axes, depth), g.real(axes, depth)
    axes_out = broadcast(c.axes, broadcast(a.axes, b.axes))
    return real(
        f"rl.where({c.text}, {a.text}, {b.text})", axes_out, min(a.lo, b.lo), max(a.hi, b.hi), max(a.slope, b.slope)
    )


def longer(g: Grammar, axes: Axes) -> tuple[Axes, int]:
    """Return the axes with another one put in, and its place."""
    left = [axis for axis in g.model_axes if axis not in axes]
    axis = g.choose.one_of(left) if left else Axis(None, 2)
    place = g.choose.below(len(axes) + 1) if left and len(axes) < 2 else len(axes)
    return (*axes[:place], axis, *axes[place:]), place


def reduction(g: Grammar, axes: Axes, depth: int) -> Value:
    if len(axes) >= 3:
        return g.leaf(axes)
    inner, place = longer(g, axes)
    x, n = g.full(g.real(inner, depth), inner), inner[place].size
    which = g.choose.one_of(["sum", "max", "mean", "logsumexp"])
    at = along(inner, place)
    left = x.axes[:place] + x.axes[place + 1 :]
    lo, hi, slope = x.lo, x.hi, x.slope
    if which == "sum":
        lo, hi, slope = n * lo, n * hi, n * slope
        if not axes and g.choose.chance(50):
            return real(f"rl.sum({x.text})", (), lo, hi, slope)
    if which == "logsumexp":
        lo, hi = lo + math.log(n), hi + math.log(n)
    where = "" if at == -1 and which != "sum" and g.choose.chance(50) else f", axis={g.choose.one_of([at, place])}"
    return real(f"rl.{which}({x.text}{where})", left, lo, hi, slope)


def total(g: Grammar, axes: Axes, depth: int) -> Value:
    if axes:
        return reduction(g, axes, depth)
    inner = g.model_axes[:2]
    x = g.full(g.real(inner, depth), inner)
    n = math.prod(axis.size for axis in inner)
    return real(f"rl.sum({x.text})", (), n * x.lo, n * x.hi, n * x.slope)


def dot(g: Grammar, axes: Axes, depth: int) -> Value:
    if len(axes) >= 3:
        return g.leaf(axes)
    axis = next((axis for axis in g.model_axes if axis not in axes), Axis(None, 2))
    inner = (*axes, axis)
    a, b = g.full(g.real(inner, depth), inner), g.full(g.real((axis,), depth), (axis,))
    both = binary("*", a, b)
    n = axis.size
    return real(f"rl.dot({a.text}, {b.text})", both.axes[:-1], n * both.lo, n * both.hi, n * both.slope)


def normalised(g: Grammar, axes: Axes, depth: int) -> Value:
    if not axes:
        return reduction(g, axes, depth)
    x = g.full(g.real(axes, depth), axes)
    place = g.choose.below(len(axes))
    at = along(axes, len(axes) - 1 - place)
    where = "" if at == -1 and g.choose.chance(50) else f", axis={at}"
    if g.choose.below(2) == 0:
        return real(f"rl.softmax({x.text}{where})", x.axes, 0.0, 1.0, x.slope)
    lo = x.lo - x.hi - math.log(axes[at].size)
    return real(f"rl.log_softmax({x.text}{where})", x.axes, lo, 0.0, 2 * x.slope)


def taken(g: Grammar, axes: Axes, depth: int) -> Value:
    """Take an entry, or a vector of entries, of a computed array."""
    inner: Axes = (*axes, g.choose.one_of(g.model_axes)) if len(axes) < 3 else axes
    x = g.full(g.real(inner, depth), inner)
    if len(axes) == 1 and (places := vector(g, inner[-1].size)) is not None and places.axes == axes:
        row = g.full(g.real(inner[-1:], depth), inner[-1:])
        return real(f"{row.text}[{places.text}]", axes, row.lo, row.hi, row.slope)
    if len(inner) == len(axes):
        return x
    if axes and g.choose.chance(40):
        ends = index(g, inner[-1].size)
        return real(f"{x.text}[..., {ends.text}]", x.axes[:-1], x.lo, x.hi, x.slope)
    places = ", ".join([":"] * len(axes) + [index(g, inner[-1].size).text])
    return real(f"{x.text}[{places}]", x.axes[:-1], x.lo, x.hi, x.slope)


def changed(g: Grammar, axes: Axes, depth: int) -> Value:
    """Add to entries of an array, or set them."""
    if not axes:
        return arithmetic(g, axes, depth)
    x = g.full(g.real(axes, depth), axes)
    which = g.choose.one_of(["add", "set"])
    one_place = g.choose.chance(50)
    items = [index(g, axis.size).text if not one_place or i == 0 else ":" for i, axis in enumerate(axes)]
    left = axes[1:] if one_place else ()
    times = 1
    if len(axes) == 1 and (places := vector(g, axes[0].size, distinct=which == "set")) is not None and (
        g.choose.chance(60)
    ):
        items, left, times = [places.text], places.axes, places.axes[0].size
    value = g.real(left, depth)
    if which == "add":
        lo, hi, slope = x.lo + times * min(value.lo, 0), x.hi + times * max(value.hi, 0), x.slope + times * value.slope
    else:
        lo, hi, slope = min(x.lo, value.lo), max(x.hi, value.hi), max(x.slope, value.slope)
    return real(f"{x.text}.at[{', '.join(items)}].{which}({value.text})", x.axes, lo, hi, slope)


def one_hot(g: Grammar, axes: Axes, depth: int) -> Value:
    if not axes:
        return g.leaf(axes)
    like = next((v for v in g.readable if v.kind == "real" and v.axes and v.axes[-1] == axes[-1]), None)
    place = index(g, axes[-1].size) if g.choose.chance(70) else counted(g, axes[-1].size)
    if like is not None and g.choose.chance(60):
        return Value(f"rl.one_hot({place.text}, {like.text})", (axes[-1],), "real", 0.0, 1.0, 0.0, True)
    n = axes[-1].size
    return Value(f"rl.one_hot({place.text}, {n})", (Axis(None, n),), "real", 0.0, 1.0, 0.0, True)


def stacked(g: Grammar, axes: Axes, depth: int) -> Value:
    if not axes or axes[-1].size > 3:
        return g.leaf(axes)
    parts = [g.real(axes[:-1], depth - 1) for _ in range(axes[-1].size)]
    inner: Axes = ()
    for part in parts:
        inner = broadcast(inner, part.axes)
    name = axes[-1].name if g.choose.chance(60) else None
    end = f", axis={name!r}" if name else ""
    text = f"rl.stack({', '.join(part.text for part in parts)}{end})"
    slope = max(part.slope for part in parts)
    return real(text, (*inner, Axis(name, axes[-1].size)), min(p.lo for p in parts), max(p.hi for p in parts), slope)


def spread(g: Grammar, axes: Axes, depth: int) -> Value:
    """Insert an axis of size 1."""
    if not axes:
        return g.leaf(axes)
    x = g.real(axes[:-1], depth)
    if not is_full(x.axes, axes[:-1]):
        return x if len(x.axes) == 0 else g.leaf(axes)
    x = g.traced(x)
    return real(f"{x.text}[{', '.join([':'] * len(x.axes) + ['None'])}]", (*x.axes, Axis(None, 1)), x.lo, x.hi, x.slope)


def flagged(g: Grammar, axes: Axes, depth: int) -> Value:
    """Make a number of a condition."""
    c = condition(g, axes)
    return real(f"rl.to_float(rl.where({c.text}, 1, 0))", c.axes, 0.0, 1.0, 0.0)


def largest_place(g: Grammar, axes: Axes, depth: int) -> Value:
    axis = g.choose.one_of(g.model_axes)
    return real(f"(0.25 * rl.argmax({argument(g, (axis,)).text}))", (), 0.0, axis.size / 4, 0.0)


PRODUCTIONS: tuple[Production, ...] = (
    leaf, arithmetic, arithmetic, arithmetic, negation, absolute, squashed, choice, choice, extreme, changed, taken,
    reduction, reduction, division, exponential, softplus, logarithm, log1p, root, quantile, whole_power, real_power,
    log_ndtr, sign, clipped, total, dot, normalised, one_hot, stacked, spread, flagged, largest_place, guarded,
    guarded, guarded_twice,
)  # fmt: skip
