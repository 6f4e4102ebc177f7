"""From graphs to tensors: every node once, arguments before what uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytensor.tensor as pt

from rlbackends.backends.pymc.operations import Row, row
from rlbackends.expressions.node import Node
from rlbackends.expressions.numpy_table import constant_value

Leaf = Callable[[Node], Any]


def _needed(node: Node) -> tuple[Node, ...]:
    """Return whose values a node needs; ``is_missing`` needs the indices of its entry, not the event's value."""
    return node.args[0].args[1:] if node.op == "is_missing" else node.args


def in_order(roots: Iterable[Node]) -> Iterator[Node]:
    """Yield every node whose value is needed, arguments first."""
    seen: set[Node] = set()
    stack = [(root, False) for root in roots]
    while stack:
        node, is_ready = stack.pop()
        if is_ready:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((arg, False) for arg in _needed(node))


def flagged_event(node: Node) -> Node:
    """Return the event whose missing flags an ``is_missing`` reads."""
    source = node.args[0]
    return source.args[0] if source.op == "gather" else source


@dataclass(frozen=True)
class Reads:
    """The names that graphs read."""

    parameters: set[str] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    events: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, roots: Iterable[Node]) -> Reads:
        """Collect them."""
        found = cls()
        groups = {"parameter": found.parameters, "state": found.states, "event": found.events}
        for node in in_order(roots):
            if node.op in groups:
                groups[node.op].add(node.attr("name"))
            elif node.op == "is_missing":
                found.flags.add(flagged_event(node).attr("name"))
        return found


def lower(
    roots: Mapping[str, Node], leaf: Leaf, size: int, table: Mapping[str, Row], flags: Leaf | None = None
) -> dict[str, Any]:
    """Return the tensors of graphs, (subject or 1, *axes).

    Parameters
    ----------
    roots : mapping of name to graph
        What to lower.
    leaf, flags
        Give the tensor of a parameter, state or event, and an event's missing flags.
    size : int
        Number of subjects.
    table : mapping
        One of ``operations.TABLES``.
    """
    values: dict[Node, Any] = {}
    for node in in_order(roots.values()):
        if node.op == "const":
            values[node] = pt.constant(np.asarray(constant_value(node))[None])
        elif node.op in ("parameter", "state", "event"):
            values[node] = leaf(node)
        elif node.op == "is_missing" and flags is not None:
            missing = flags(flagged_event(node))
            source = node.args[0]
            if source.op == "gather":
                missing = row(table, source)(source, size, missing, *(values[i] for i in source.args[1:]))
            values[node] = row(table, node)(node, size, missing)
        else:
            values[node] = row(table, node)(node, size, *(values[arg] for arg in node.args))
    return {name: values[root] for name, root in roots.items()}
