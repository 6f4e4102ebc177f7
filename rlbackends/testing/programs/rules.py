"""Random rules of learning and of responding, bounded so that rounding does not grow over trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlbackends.expressions.kinds import Axes, Axis
from rlbackends.testing.programs.conditions import condition, is_missing
from rlbackends.testing.programs.indices import index, vector
from rlbackends.testing.programs.values import Value, binary, is_full, number, real, scaled

if TYPE_CHECKING:
    from rlbackends.testing.programs.grammar import Grammar


def target(g: Grammar, axes: Axes, depth: int) -> Value:
    """Return what a state of entries between -1 and 1 may move to."""
    value = scaled(g.real(axes, depth), 1.0)
    if value.largest <= 1.0:
        return value
    if g.choose.below(2) == 0:
        return real(f"rl.tanh({value.text})", value.axes, -1.0, 1.0, value.slope)
    return real(f"rl.clip({value.text}, -1.0, 1.0)", value.axes, -1.0, 1.0, value.slope)


def rate(g: Grammar) -> Value:
    """Return a learning rate."""
    found = [v for v in g.readable if v.kind == "real" and v.lo >= 0 and v.hi <= 1 and not v.axes and not v.slope]
    found = [v for v in found if not v.is_exact]
    way = g.choose.below(3)
    if way == 0 and found:
        return g.choose.one_of(found)
    if way == 1 and len(found) > 1:
        text = f"rl.where({condition(g, ()).text}, {found[0].text}, {found[1].text})"
        return real(text, (), 0.0, 1.0, 0.0)
    value = g.choose.one_of([0.5, 0.25, 0.75, 0.1, 1.0, 0.0])
    return Value(number(value), (), "real", value, value, 0.0, True, False)


def new_value(g: Grammar, state: Value, depth: int) -> str:
    """Return the text of a state's new value: a contraction towards something bounded."""
    way = g.choose.below(8)
    axes, name = state.axes, state.text
    if way <= 2 and axes:
        result = _delta_rule(g, state, depth)
    elif way <= 4:
        speed, goal = rate(g).text, target(g, axes, depth).text
        result = f"({name} + {speed} * ({goal} - {name}))"
        if way == 3:
            result = f"((1 - {speed}) * {name} + {speed} * {goal})"
    elif way == 5 and axes:
        items = ", ".join(index(g, axis.size).text for axis in axes)
        result = f"{name}.at[{items}].set({target(g, (), depth).text})"
        if len(axes) == 1 and (places := vector(g, axes[0].size, distinct=True)) is not None and g.choose.chance(60):
            result = f"{name}.at[{places.text}].set({target(g, places.axes, depth).text})"
    elif way == 6:
        result = f"rl.where({condition(g, ()).text}, {g.full(target(g, axes, depth), axes).text}, {name})"
        if axes:
            result = f"rl.clip({result}, -1.0, 1.0)"
    else:
        goal = target(g, axes, depth)
        result = goal.text if is_full(goal.axes, axes) and goal.is_traced else f"(0.5 * {name} + 0.5 * {goal.text})"
    if g.choose.chance(15) and (missing := is_missing(g)) is not None:
        result = f"rl.where({missing.text}, 0.5 * {name}, {result})"
    return result


def _delta_rule(g: Grammar, state: Value, depth: int) -> str:
    name, axes = state.text, state.axes
    if len(axes) == 1 and (places := vector(g, axes[0].size)) is not None and g.choose.chance(50):
        goal = target(g, places.axes, depth).text
        share = number(1.0 / places.axes[0].size)
        return f"{name}.at[{places.text}].add({share} * {rate(g).text} * ({goal} - {name}[{places.text}]))"
    kept = len(axes) > 1 and g.choose.chance(30)
    items = ", ".join(":" if kept and i == 0 else index(g, axis.size).text for i, axis in enumerate(axes))
    goal = target(g, axes[:1] if kept else (), depth).text
    return f"{name}.at[{items}].add({rate(g).text} * ({goal} - {name}[{items}]))"


def felt(g: Grammar, axes: Axes, depth: int) -> Value:
    """Return a quantity that a response follows: mostly a state, weighed by a parameter, and something besides."""
    besides = g.real(axes, depth)
    states = [v for v in g.readable if v.slope and not v.is_exact]
    if not states or not g.choose.chance(75):
        return besides
    value = g.view(g.choose.one_of(states), axes) or besides
    weights = [v for v in g.readable if v.kind == "real" and not v.slope and not v.is_exact]
    if weights and g.choose.chance(70):
        value = binary("*", g.choose.one_of(weights), value)
    return binary("+", value, besides) if g.choose.chance(60) else value


@dataclass(frozen=True)
class Response:
    """A response as the generator drew it."""

    name: str
    family: str
    axis: Axis | None
    lines: tuple[str, ...]
    result: str
    mask: str | tuple[bool, ...] | None = None


def categorical(g: Grammar, name: str, axis: Axis, available: Value | None, depth: int) -> Response:
    """Return a choice of one entry of an axis; ``available`` is an event that says which there are."""
    logits = g.full(g.tame(felt(g, (axis,), depth), 8.0), (axis,))
    way = g.choose.below(4)
    word = "logits"
    text = logits.text
    if way == 2:
        word, text = "log_probs", f"rl.log_softmax({text})"
    elif way == 3:
        word, text = "log_probs", f"rl.log({number(0.1 / axis.size)} + 0.9 * rl.softmax({text}))"
    mask: str | tuple[bool, ...] | None = None
    if available is not None:
        mask = available.text
        open_ = f"{mask} == 1"
        if g.choose.chance(30):
            open_ = f"({open_}) | {condition(g, (axis,)).text}"
        text += f", available={open_}"
    elif axis.size > 1 and g.choose.chance(15):
        closed = g.choose.below(axis.size)
        mask = tuple(i != closed for i in range(axis.size))
        text += f", available=np.array({list(mask)!r})"
    return Response(name, "categorical", axis, tuple(g.lines), f"rl.Categorical({word}={text})", mask)


def bernoulli(g: Grammar, name: str, axes: Axes, depth: int) -> Response:
    """Return a yes or no, or several."""
    logits = g.full(g.tame(felt(g, axes, depth), 8.0), axes)
    text = logits.text
    if g.choose.chance(50):
        mask = condition(g, axes)
        text += f", where={mask.text}"
    return Response(name, "bernoulli", None, tuple(g.lines), f"rl.Bernoulli(logits={text})")


def normal(g: Grammar, name: str, axes: Axes, depth: int) -> Response:
    """Return a continuous response."""
    mean = g.full(g.tame(felt(g, axes, depth), 4.0), axes)
    sd = g.positive(g.tame(g.real(axes if g.choose.chance(30) else (), max(0, depth - 1)), 3.0), 0.25)
    return Response(name, "normal", None, tuple(g.lines), f"rl.Normal(mean={mean.text}, sd={sd.text})")
