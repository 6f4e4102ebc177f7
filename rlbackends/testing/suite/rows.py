"""Rows of the table of operations: what goes in, and what NumPy, SciPy or a hand says must come out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

Point = Mapping[str, Any]
_STEP = 1e-30


@dataclass(frozen=True)
class Row:
    """An expression of one operation, tried at some points.

    A point maps an input to a value: a float or nested lists of floats are real (None is missing), an int or a list
    of ints counts along an axis, a bool or a list of bools is a truth value.

    Attributes
    ----------
    operation : str
        The operation that it is about.
    expression : callable
        Of the inputs, in the language.
    points : tuple of mappings
        Input → value.
    value : callable
        The expected value, of the inputs as NumPy arrays; shares no code with the package.
    slope : callable, optional
        ``slope(inputs, directions)``: the expected derivative along a direction, worked out by hand; both arguments
        are mappings from input to array. Left out: a complex step through ``value``, exact for analytic functions.
    along : mapping of str to str, optional
        The axis that an integer input counts along, ``"two"``, ``"three"`` or ``"four"``.
    """

    operation: str
    expression: Callable[..., Any]
    points: tuple[Point, ...]
    value: Callable[..., Any]
    slope: Callable[[Point, Point], Any] | None = None
    along: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs."""
        return tuple(self.points[0])

    def kind(self, name: str) -> str:
        """Return ``"real"``, ``"int"`` or ``"bool"``."""
        return {"f": "real", "i": "int", "b": "bool"}[array(self.points[0][name]).dtype.kind]

    def shape(self, name: str) -> tuple[int, ...]:
        """Return an input's shape, the same at all points."""
        return array(self.points[0][name]).shape

    @property
    def moves(self) -> bool:
        """Whether there is something to differentiate by: a real input that is always there."""
        given = [array(point[name]) for point in self.points for name in point if self.kind(name) == "real"]
        return bool(given) and not any(np.isnan(x).any() for x in given)

    def expected(self, point: Point) -> np.ndarray:
        """Return the value at a point."""
        with np.errstate(all="ignore"):
            return np.asarray(self.value(**{name: array(x) for name, x in point.items()}), dtype=np.float64)

    def trials(self) -> Iterator[tuple[Point, dict[str, np.ndarray]]]:
        """Return every point with every direction in which one entry of a real input moves, at least one a point."""
        for point in self.points:
            real = [name for name in point if self.moves and self.kind(name) == "real"]
            still = {name: np.zeros(self.shape(name)) for name in real}
            moves = 0
            for name, zeros in still.items():
                for index in np.ndindex(zeros.shape):
                    one = zeros.copy()
                    one[index] = 1.0
                    moves += 1
                    yield point, {**still, name: one}
            if not moves:
                yield point, {}

    def is_read(self, point: Point, direction: Mapping[str, np.ndarray]) -> bool:
        """Say whether both the value and its derivative are finite, so that a gradient can be asked for."""
        return bool(np.isfinite(self.expected(point)).all() and np.isfinite(self.derivative(point, direction)).all())

    def derivative(self, point: Point, direction: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the derivative of the value along a direction."""
        if not direction:
            return np.zeros(self.expected(point).shape)
        inputs = {name: array(x) for name, x in point.items()}
        with np.errstate(all="ignore"):
            if self.slope is not None:
                return np.broadcast_to(self.slope(inputs, direction), self.expected(point).shape).astype(float)
            moved = {n: x + 1j * _STEP * direction[n] if n in direction else x for n, x in inputs.items()}
            return np.asarray(np.imag(self.value(**moved)) / _STEP, dtype=np.float64)


def array(value: Any) -> np.ndarray:
    """Return an input's value as an array; None becomes NaN."""
    found = np.asarray(value)
    return found.astype(np.float64) if found.dtype.kind in "fO" else found


def of_one(
    operation: str, expression: Any, points: tuple[float, ...], value: Any, slope: Callable[[Any], Any] | None = None
) -> Row:
    """Return a row of a function of one number; ``slope`` is its derivative."""
    by_hand = None if slope is None else (lambda at, to: slope(at["x"]) * to["x"])
    return Row(operation, lambda x: expression(x), tuple({"x": x} for x in points), lambda x: value(x), by_hand)


def of_two(
    operation: str, expression: Any, points: tuple[tuple[Any, Any], ...], value: Any, slopes: Any = None
) -> Row:
    """Return a row of a function of two values; ``slopes`` gives both partial derivatives, entry by entry."""

    def by_hand(at: Point, to: Point) -> Any:
        # Where nothing moves nothing changes, whatever the slope.
        left, right = slopes(at["a"], at["b"])
        return np.where(to["a"] == 0, 0.0, left * to["a"]) + np.where(to["b"] == 0, 0.0, right * to["b"])

    return Row(
        operation, lambda a, b: expression(a, b), tuple({"a": a, "b": b} for a, b in points), lambda a, b: value(a, b),
        None if slopes is None else by_hand,
    )  # fmt: skip


def flat(at: Point, to: Point) -> float:
    """Return 0: the derivative of what is constant almost everywhere, and everywhere by definition."""
    return 0.0
