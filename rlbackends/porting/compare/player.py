"""A small player of models in NumPy: many people at once, every value in between, nothing to compile.

The comparison plays a model hundreds of times, each time a little wrong on purpose. Values carry one leading axis, the
lanes: a lane is a person at one set of parameter values, and where nothing depends on the past, a person's trial.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.numpy_table import ELEMENTWISE, apply
from rlbackends.expressions.operations import OPERATIONS

Arrays = Mapping[str, np.ndarray]


class Graphs:
    """Graphs made ready to be evaluated again and again.

    Parameters
    ----------
    roots : mapping of str to Node
        The graphs by name.
    real : dtype
        In which precision reals are computed.
    """

    def __init__(self, roots: Mapping[str, Node], real: Any = np.float64) -> None:
        order = list(walk(*roots.values()))
        place = {node: i for i, node in enumerate(order)}
        self._roots = {name: place[node] for name, node in roots.items()}
        self._start: list[Any] = [None] * len(order)
        self._leaves: list[tuple[int, str]] = []
        self._flags: list[tuple[int, str]] = []  # places behind the nodes' hold events' missing flags
        self._steps: list[tuple[int, Callable[..., Any], tuple[int, ...]]] = []
        for i, node in enumerate(order):
            arguments = tuple(place[arg] for arg in node.args)
            if node.op == "const":
                value = np.asarray(node.attr("value"))
                self._start[i] = value.astype(real if value.dtype.kind == "f" else value.dtype)[None]
            elif node.op in ("parameter", "state", "event"):
                self._leaves.append((i, node.attr("name")))
            elif node.op == "is_missing":
                source = node.args[0]
                event = source.args[0] if source.op == "gather" else source
                self._flags.append((len(self._start), event.attr("name")))
                indices = tuple(place[index] for index in source.args[1:])
                self._steps.append((i, _flag(node), (len(self._start), *indices)))
                self._start.append(None)
            else:
                self._steps.append((i, _step(node, real), arguments))

    def __call__(self, leaves: Arrays, missing: Arrays) -> dict[str, np.ndarray]:
        """Return each graph's value, (lane or 1, *shape), from the leaves' values and events' missing flags."""
        values = list(self._start)
        for i, name in self._leaves:
            values[i] = leaves[name]
        for i, name in self._flags:
            values[i] = missing[name]
        for i, function, arguments in self._steps:
            values[i] = function(*(values[j] for j in arguments))
        return {name: values[i] for name, i in self._roots.items()}


def _aligned(node: Node, rank: int) -> Callable[[Any], Any] | None:
    """Return what gives a value axes of length 1 behind the lanes, so that it has ``rank`` axes."""
    lacking = rank - len(node.axes)
    return None if lacking <= 0 else (lambda x: x.reshape(x.shape[:1] + (1,) * lacking + x.shape[1:]))


def _step(node: Node, real: Any) -> Callable[..., Any]:
    group, rank = OPERATIONS[node.op].group, len(node.axes)
    if node.op == "to_real":
        return lambda x: x.astype(real)
    if group == "elementwise":
        return _spread(ELEMENTWISE[node.op], [_aligned(arg, rank) for arg in node.args])
    if node.op in ("gather", "at_add", "at_set"):
        return _gather(node) if node.op == "gather" else _at(node)
    if node.op == "stack":
        spread = [_aligned(arg, rank - 1) for arg in node.args]
        return _spread(lambda *x: np.stack(np.broadcast_arrays(*x), axis=-1), spread)
    if node.op == "one_hot":
        size = node.attr("axis").size
        return lambda x: np.equal(x[..., None], np.arange(size)).astype(real)
    if node.op == "expand":
        pattern = (slice(None), *(None if letter == "n" else slice(None) for letter in node.attr("pattern")))
        return lambda x: x[pattern]
    return lambda *x: apply(node, x)  # along an axis counted from the right


def _spread(function: Callable[..., Any], align: list[Callable[[Any], Any] | None]) -> Callable[..., Any]:
    if not any(align):
        return function
    return lambda *x: function(*(a if f is None else f(a) for f, a in zip(align, x, strict=True)))


class _Subscript:
    """Where a pattern of indices points, lane by lane."""

    def __init__(self, pattern: str, indices: tuple[Node, ...]) -> None:
        self.pattern = pattern
        self.vector = any(index.axes for index in indices)
        # NumPy puts the axes of separated indices first: behind the lanes, before whole axes on the left.
        self.shift = pattern.index("i") if self.vector and pattern.startswith(":") else 0

    def __call__(self, lanes: int, indices: tuple[Any, ...]) -> tuple[Any, ...]:
        lane = np.arange(lanes)
        if self.vector:
            lane = lane[:, None]
            indices = tuple(i if i.ndim == 2 else i[:, None] for i in indices)
        rest = iter(indices)
        return (lane, *(slice(None) if letter == ":" else next(rest) for letter in self.pattern))


def _gather(node: Node) -> Callable[..., Any]:
    subscript = _Subscript(node.attr("pattern"), node.args[1:])

    def gather(x: Any, *indices: Any) -> Any:
        # A table that is the same for all has one lane.
        taken = x[subscript(len(x), indices)]
        return np.moveaxis(taken, 1, 1 + subscript.shift) if subscript.shift else taken

    return gather


def _at(node: Node) -> Callable[..., Any]:
    subscript = _Subscript(node.attr("pattern"), node.args[1:-1])
    target = 1 + len(node.axes) - len(node.args[1:-1]) + subscript.vector
    add = node.op == "at_add"

    def at(x: Any, *rest: Any) -> Any:
        *indices, value = rest
        lanes = max(len(x), len(value), *(len(i) for i in indices))
        result = np.array(np.broadcast_to(x, (lanes, *x.shape[1:])))
        where = subscript(lanes, tuple(indices))
        value = value.reshape(value.shape[:1] + (1,) * (target - value.ndim) + value.shape[1:])
        if subscript.shift:
            value = np.moveaxis(value, 1 + subscript.shift, 1)
        if not add:
            result[where] = value
        elif subscript.vector:
            np.add.at(result, where, value)  # an entry may be named twice
        else:
            result[where] += value
        return result

    return at


def _flag(node: Node) -> Callable[..., Any]:
    source = node.args[0]
    if source.op != "gather":
        return lambda flags: flags.reshape(len(flags), -1).any(axis=1)
    subscript = _Subscript(source.attr("pattern"), source.args[1:])

    def flag(flags: Any, *indices: Any) -> Any:
        taken = flags[subscript(len(flags), indices)]
        return taken.reshape(len(taken), -1).any(axis=1)

    return flag
