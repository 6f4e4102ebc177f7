"""The nodes of the expression graph: frozen, typed, interned.

Two nodes of equal structure are the same object, so ``is`` compares structure and a pass over a graph can
remember what it did by node. What a user holds while writing a rule is another class,
:class:`rlbackends.expressions.standin.Expression`.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Container, Iterable, Iterator
from typing import Any

from rlbackends.expressions.kinds import Axes, Kind


class Node:
    """One operation of the language with its arguments; built by ``operations.build``, which checks it."""

    __slots__ = ("__weakref__", "args", "attrs", "axes", "kind", "op")

    op: str
    args: tuple[Node, ...]
    attrs: tuple[tuple[str, Any], ...]
    kind: Kind
    axes: Axes

    def __init__(self) -> None:
        raise TypeError("nodes are made by rlbackends.expressions.operations.build")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a node can't be changed")

    def __reduce__(self) -> tuple[Any, ...]:
        return _intern, (self.op, self.args, self.attrs, self.kind, self.axes)

    def __repr__(self) -> str:
        from rlbackends.expressions.printing import short_text

        return f"<Node {short_text(self)}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    def attr(self, name: str) -> Any:
        """Return one static attribute."""
        for key, value in self.attrs:
            if key == name:
                return value
        raise KeyError(name)


_TABLE: weakref.WeakValueDictionary[tuple[Any, ...], Node] = weakref.WeakValueDictionary()
_LOCK = threading.Lock()


def _intern(op: str, args: tuple[Node, ...], attrs: tuple[tuple[str, Any], ...], kind: Kind, axes: Axes) -> Node:
    # repr tells 0.0 from -0.0 and 1 from True, which compare equal; the ids are safe while the node holds its
    # arguments.
    key = (op, tuple(map(id, args)), repr(attrs), kind, axes)
    with _LOCK:
        node = _TABLE.get(key)
        if node is None:
            node = object.__new__(Node)
            for name, value in (("op", op), ("args", args), ("attrs", attrs), ("kind", kind), ("axes", axes)):
                object.__setattr__(node, name, value)
            _TABLE[key] = node
    return node


def walk(*roots: Node, known: Container[Node] = ()) -> Iterator[Node]:
    """Yield every node under ``roots`` once, arguments before the nodes that use them.

    What is in ``known`` is left out, and what is only below it.
    """
    seen: set[int] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, expanded = stack.pop()
        if expanded:
            yield node
        elif id(node) not in seen and node not in known:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((arg, False) for arg in reversed(node.args))


def count_uses(roots: Iterable[Node]) -> dict[Node, int]:
    """Return in how many places each node under ``roots`` stands, arguments first; being a root is a place, too."""
    given = list(roots)
    uses: dict[Node, int] = {}
    for node in walk(*given):
        uses.setdefault(node, 0)
        for arg in node.args:
            uses[arg] += 1
    for root in given:
        uses[root] += 1
    return uses
