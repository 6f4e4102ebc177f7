"""Whether a model's values jump where a comparison or an argmax changes: tried out in numbers, right at the change.

Two random points at which the choice differs are joined by a line; halving finds where on it the choice changes. There
the model is computed with the one choice and with the other. ``rl.where(error > 0, 1, 0) * error`` is the same with
both, a kink; ``rl.where(value > 0, 1, 0)`` is not.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.numpy_table import apply, constant_value

if TYPE_CHECKING:
    from rlbackends.model.parts import Parameter

_LINES = 60
_ENOUGH = 6  # changes that are looked at
_HALVINGS = 80
_SAME = 1e-6

Point = dict[Node, Any]


def jumps_at(choice: Node, roots: Iterable[Node], parameters: Mapping[str, Parameter]) -> bool:
    """Say whether a graph's value jumps where a choice changes, or whether that can't be ruled out.

    Parameters
    ----------
    choice : Node
        A comparison or an argmax.
    roots : iterable of Node
        The graphs that depend on it.
    parameters : mapping of str to Parameter
        Their supports say which values are tried.
    """
    graphs = tuple(roots)
    rng = np.random.default_rng(0)
    seen = 0
    with np.errstate(all="ignore"):
        for number in range(_LINES):
            change = _find_change(choice, graphs, parameters, rng, wide=number % 2 == 1)
            if change is None:
                continue
            point, before, after = change
            seen += 1
            sides = [_values(graphs, point, {choice: value}) for value in (before, after)]
            for one, other in zip(*sides, strict=True):
                if not np.allclose(one, other, rtol=_SAME, atol=_SAME, equal_nan=True):
                    return True
            if seen == _ENOUGH:
                return False
    return seen == 0


def _find_change(
    choice: Node, graphs: tuple[Node, ...], parameters: Mapping[str, Parameter], rng: np.random.Generator, *, wide: bool
) -> tuple[Point, Any, Any] | None:
    """Return a point at which the choice is about to change, and the choice before and after; None without luck."""
    leaves = [node for node in walk(*graphs) if node.op in ("parameter", "state", "event")]
    start, end = ({leaf: _draw(leaf, parameters, rng, wide=wide) for leaf in leaves} for _ in range(2))
    # Integers and conditions don't lie on a line: they are the same along it.
    start |= {leaf: end[leaf] for leaf in leaves if leaf.kind.name != "real"}
    before, after = (_values((choice,), point, {})[0] for point in (start, end))
    if np.array_equal(before, after):
        return None
    for _ in range(_HALVINGS):
        middle = {leaf: (start[leaf] + end[leaf]) / 2 if leaf.kind.name == "real" else start[leaf] for leaf in leaves}
        value = _values((choice,), middle, {})[0]
        if np.array_equal(value, before):
            start = middle
        else:
            end, after = middle, value
    return start, before, after


def _draw(leaf: Node, parameters: Mapping[str, Parameter], rng: np.random.Generator, *, wide: bool) -> Any:
    if leaf.op == "parameter":
        support = parameters[leaf.attr("name")].support
        if math.isinf(support.lo):
            return rng.normal()
        width = np.exp(rng.normal()) if math.isinf(support.hi) else (support.hi - support.lo) * rng.random()
        return support.lo + width
    if leaf.kind.name == "int":
        return rng.integers(leaf.kind.lo, leaf.kind.hi + 1, leaf.shape)
    if leaf.kind.name == "bool":
        return rng.random(leaf.shape) < 0.5
    # Values of both signs, and positive ones: a state may be a variance.
    return rng.normal(size=leaf.shape) if wide else rng.random(leaf.shape)


def _values(roots: tuple[Node, ...], point: Point, forced: Point) -> list[Any]:
    """Return the values of graphs at a point of their leaves, nothing missing, with some nodes' values given."""
    found: Point = dict(forced)
    for node in walk(*roots):
        if node in found:
            continue
        if node.op == "const":
            found[node] = constant_value(node)
        elif node.op in ("parameter", "state", "event"):
            found[node] = point[node]
        elif node.op == "is_missing":
            found[node] = np.bool_(False)
        else:
            found[node] = apply(node, tuple(found[arg] for arg in node.args))
    return [found[root] for root in roots]
