"""Random expressions of the language: what they may read, and how a value is made to fit a place."""

from __future__ import annotations

from collections.abc import Sequence

from rlbackends.expressions.kinds import Axes, Axis
from rlbackends.testing.programs.choices import Choices
from rlbackends.testing.programs.values import LARGEST, Value, binary, fits, is_full, number, real, unnamed


class Grammar:
    """Writes one rule, line by line.

    Parameters
    ----------
    choose : Choices
        The decisions.
    readable : sequence of Value
        The parameters, states and events that the rule may ask for.
    axes : sequence of Axis
        The axes of the model.
    size : int
        About how many operations the rule may have.
    """

    def __init__(self, choose: Choices, readable: Sequence[Value], axes: Sequence[Axis], size: int) -> None:
        self.choose = choose
        self.readable = tuple(readable)
        self.model_axes = tuple(axes)
        self.room = size
        self.lines: list[str] = []
        self.bound: list[Value] = []

    # What there is to read

    def reals(self) -> list[Value]:
        """Return what is real: parameters, states, events, and values that were given a name."""
        return [value for value in (*self.readable, *self.bound) if value.kind == "real"]

    def integers(self) -> list[Value]:
        """Return the events that count."""
        return [value for value in self.readable if value.kind == "int"]

    def named(self, value: Value) -> Value:
        """Give a value a name of its own, on a line of the rule."""
        name = f"v{len(self.lines) + 1}"
        self.lines.append(f"{name} = {value.text}")
        result = value.with_text(name)
        self.bound.append(result)
        return result

    # Made to fit

    def array(self, axes: Axes, lo: float = -1.0, hi: float = 1.0) -> Value:
        """Return a constant array of these axes."""

        def entries(sizes: tuple[int, ...]) -> str:
            if not sizes:
                return repr(self.choose.eighths(lo, hi))
            return "[" + ", ".join(entries(sizes[1:]) for _ in range(sizes[0])) + "]"

        if not axes:
            value = self.choose.eighths(lo, hi)
            return Value(number(value), (), "real", value, value, 0.0, True, False)
        text = f"np.array({entries(tuple(axis.size for axis in axes))})"
        return Value(text, unnamed(axes), "real", lo, hi, 0.0, True, False)

    def traced(self, value: Value) -> Value:
        """Return a value as a stand-in, which can be subscripted and compared."""
        if value.is_traced:
            return value
        text = f"rl.to_float({value.text})"
        return Value(text, value.axes, "real", value.lo, value.hi, value.slope, value.is_exact)

    def full(self, value: Value, axes: Axes) -> Value:
        """Return a value with all entries of the axes."""
        if is_full(value.axes, axes):
            return self.traced(value)
        return self.traced(binary(self.choose.one_of(["+", "*"]), value, self.array(axes, 0.25, 1.0)))

    def tame(self, value: Value, size: float = 4.0) -> Value:
        """Return a value whose entries are no larger than ``size``."""
        if value.largest <= size:
            return value
        way = self.choose.below(4)
        if way == 0 and size >= 1:
            return real(f"rl.tanh({value.text})", value.axes, -1.0, 1.0, value.slope)
        if way == 1:
            text = f"rl.clip({value.text}, {number(-size)}, {number(size)})"
            lo, hi = (min(max(bound, -size), size) for bound in (value.lo, value.hi))
            return real(text, value.axes, lo, hi, value.slope)
        if way == 2 and size >= 1:
            return real(f"rl.sigmoid({value.text})", value.axes, 0.0, 1.0, value.slope / 4)
        factor = 2.0
        while value.largest / factor > size:
            factor *= 2.0
        return real(
            f"({value.text} / {factor!r})", value.axes, value.lo / factor, value.hi / factor, value.slope / factor
        )

    def positive(self, value: Value, least: float = 0.125) -> Value:
        """Return a value whose entries are at least ``least``."""
        if value.lo >= least:
            return value
        value = self.tame(value, 3.0)
        start = number(least)
        way = self.choose.below(4)
        if way == 0:
            return real(f"({start} + rl.sigmoid({value.text}))", value.axes, least, 1 + least, value.slope / 4)
        if way == 1:
            return real(f"(rl.abs({value.text}) + {start})", value.axes, least, value.largest + least, value.slope)
        if way == 2:
            return real(f"(rl.softplus({value.text}) + {start})", value.axes, least, 3.1 + least, value.slope)
        return real(f"rl.maximum({value.text}, {start})", value.axes, least, max(value.hi, least), value.slope)

    def probability(self, value: Value) -> Value:
        """Return a value whose entries lie well within 0 and 1."""
        if value.lo >= 0.03 and value.hi <= 0.97:
            return value
        value = self.tame(value, 3.0)
        if self.choose.below(2) == 0:
            return real(f"rl.sigmoid({value.text})", value.axes, 0.04, 0.96, value.slope / 4)
        return real(f"rl.clip({value.text}, 0.0625, 0.9375)", value.axes, 0.0625, 0.9375, value.slope)

    # Leaves

    def view(self, value: Value, axes: Axes) -> Value | None:
        """Return a value as it can stand in ``axes``: entries taken along axes that are not there."""
        from rlbackends.testing.programs.indices import index

        if fits(value.axes, axes):
            return value
        if any(axis.name is None for axis in value.axes):
            return None
        wanted = [axis.name for axis in axes]
        items: list[str] = []
        kept: list[Axis] = []
        place = 0
        for axis in value.axes:
            if axis.name in wanted[place:]:
                place = wanted.index(axis.name, place) + 1
                items.append(":")
                kept.append(axis)
            else:
                items.append(index(self, axis.size).text)
        new: list[str] = []
        names = [axis.name for axis in kept]
        position = wanted.index(names[0]) if names else len(wanted)
        result: list[Axis] = []
        for item in items:
            if item != ":":
                new.append(item)
                continue
            while wanted[position] != names[0]:
                new.append("None")
                result.append(Axis(None, 1))
                position += 1
            new.append(":")
            result.append(axes[position])
            names.pop(0)
            position += 1
        if kept:
            for _ in wanted[position:]:
                new.append("None")
                result.append(Axis(None, 1))
        text = f"{value.text}[{', '.join(new)}]" if new else value.text
        return Value(text, tuple(result), value.kind, value.lo, value.hi, value.slope, value.is_exact)

    def leaf(self, axes: Axes) -> Value:
        """Return something that is there already, or a number."""
        found = self.reals()
        found += [value for value in found if value.slope]  # states count twice
        count = self.choose.below(len(found) + 2)
        if count < len(found):
            seen = self.view(found[count], axes)
            if seen is not None:
                return seen
        if count == len(found) + 1 and self.integers():
            value = self.choose.one_of(self.integers())
            if not value.axes:
                if self.choose.chance(50):
                    return Value(f"rl.to_float({value.text})", (), "real", value.lo, value.hi, 0.0, True)
                # An integer that meets a real becomes one.
                return Value(f"(0.5 * {value.text})", (), "real", value.lo / 2, value.hi / 2, 0.0, True)
        if axes and self.choose.chance(40):
            return self.array(axes)
        return self.array(())

    def real(self, axes: Axes, depth: int) -> Value:
        """Return a random real expression that fits the axes."""
        from rlbackends.testing.programs.reals import PRODUCTIONS

        self.room -= 1
        if depth <= 0 or self.room <= 0:
            return self.leaf(axes)
        result = self.choose.one_of(PRODUCTIONS)(self, axes, depth - 1)
        result = self.tame(result, LARGEST) if result.largest > LARGEST else result
        if len(result.text) > 60 and self.choose.chance(60):
            result = self.named(result)
        return result
