"""One value at a time, with what it came from: the reference's evaluation of a graph, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from rlbackends.backends.reference.derivatives import pull_back
from rlbackends.expressions.node import Node
from rlbackends.expressions.numpy_table import apply, constant_value, subscript


class Cell:
    """A computed value. ``missing`` says that it needs a missing value; then it has no value."""

    __slots__ = ("entries", "gradient", "missing", "node", "parents", "value")

    def __init__(
        self, value: Any, missing: bool = False, node: Node | None = None, parents: tuple[Cell, ...] = ()
    ) -> None:
        self.value = value
        self.missing = missing
        self.node = node
        self.parents = parents
        self.gradient: Any = None
        self.entries: Any = None  # of an event: which entries are missing


MISSING = Cell(None, missing=True)


class Tape:
    """Remembers the cells in the order in which they were computed, to go back over them."""

    def __init__(self, *, record: bool) -> None:
        self._record = record
        self._cells: list[Cell] = []

    def cell(self, node: Node, parents: tuple[Cell, ...], value: Any) -> Cell:
        """Return a new cell for ``node`` computed from ``parents``."""
        result = Cell(value, node=node, parents=parents)
        if self._record:
            self._cells.append(result)
        return result

    def back(self) -> None:
        """Carry the gradients of all cells back to what they came from."""
        for cell in reversed(self._cells):
            if cell.gradient is None:
                continue
            gradients = pull_back(cell.node, cell.gradient, cell.value, tuple(p.value for p in cell.parents))  # type: ignore[arg-type]
            for parent, gradient in zip(cell.parents, gradients, strict=True):
                if gradient is not None:
                    parent.gradient = gradient if parent.gradient is None else parent.gradient + gradient


def evaluate(node: Node, memo: dict[Node, Cell], leaf: Callable[[Node], Cell], tape: Tape) -> Cell:
    """Return the value of a graph on one trial.

    Missing values are followed as they arise: what needs one is not computed, and of a ``where`` with one condition
    only the branch chosen is.
    """
    found = memo.get(node)
    if found is not None:
        return found
    if node.op == "const":
        result = Cell(constant_value(node))
    elif node.op in ("parameter", "state", "event"):
        result = leaf(node)
    elif node.op == "is_missing":
        result = Cell(_is_missing(node.args[0], memo, leaf, tape))
    elif node.op == "where" and not node.args[0].axes:
        result = _chosen(node, memo, leaf, tape)
    elif node.op == "gather" and node.args[0].op == "event":
        result = _entries(node, memo, leaf, tape)
    else:
        parents = tuple(evaluate(arg, memo, leaf, tape) for arg in node.args)
        result = MISSING if any(p.missing for p in parents) else tape.cell(node, parents, _value(node, parents))
    memo[node] = result
    return result


def _value(node: Node, parents: tuple[Cell, ...]) -> Any:
    return apply(node, tuple(p.value for p in parents))


def _chosen(node: Node, memo: dict[Node, Cell], leaf: Callable[[Node], Cell], tape: Tape) -> Cell:
    condition = evaluate(node.args[0], memo, leaf, tape)
    if condition.missing:
        return MISSING
    branch = evaluate(node.args[1 if condition.value else 2], memo, leaf, tape)
    if branch.missing or np.shape(branch.value) == node.shape:
        return branch
    # The other branch is larger: the value spreads over its shape, by a 'where' whose branches are both this one.
    parents = (Cell(np.ones(node.shape, dtype=bool)), branch, Cell(np.zeros(node.shape)))
    return tape.cell(node, parents, np.broadcast_to(branch.value, node.shape))


def _indices(node: Node, memo: dict[Node, Cell], leaf: Callable[[Node], Cell], tape: Tape) -> tuple[Cell, ...]:
    return tuple(evaluate(arg, memo, leaf, tape) for arg in node.args[1:])


def _entries(node: Node, memo: dict[Node, Cell], leaf: Callable[[Node], Cell], tape: Tape) -> Cell:
    """Return entries of an event: they are missing if any of these entries, or an index, is."""
    event = leaf(node.args[0])
    indices = _indices(node, memo, leaf, tape)
    if any(i.missing for i in indices):
        return MISSING
    where = subscript(node, tuple(i.value for i in indices))
    return MISSING if np.any(event.entries[where]) else Cell(event.value[where])


def _is_missing(node: Node, memo: dict[Node, Cell], leaf: Callable[[Node], Cell], tape: Tape) -> bool:
    if node.op == "event":
        return bool(np.any(leaf(node).entries))
    return _entries(node, memo, leaf, tape).missing
