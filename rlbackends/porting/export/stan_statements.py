"""Graphs as Stan's statements: parts with a variable of their own, loops over entries, and changes of states."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from rlbackends.expressions.kinds import Axes
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import OPERATIONS
from rlbackends.porting.export.stan_expressions import ALONG, Index, Writer, is_counted, literal, subscripted

COUNTERS = ("i", "j", "k")
Lines = list[str]


class Statements:
    """Writes parts, assignments and changes.

    Parameters
    ----------
    writer : Writer
        Writes expressions; its names grow.
    taken : set of str
        Words that are used already; it grows.
    """

    def __init__(self, writer: Writer, taken: set[str]) -> None:
        self.writer = writer
        self.taken = taken
        self.taken.update(writer.names.values())
        self.changes: set[Node] = set()  # updates that change a variable in place, so have none of their own

    # Names

    def name(self, node: Node, wish: str = "") -> None:
        """Give a node a variable of its own."""
        if node in self.writer.names:
            return
        letters = (f"{letter}{n or ''}" for n in range(len(self.taken) + 1) for letter in "abcdefghuvxyz")
        wish = re.sub(r"[^0-9A-Za-z_]", "", wish).strip("_")
        words = (f"{wish}{n or ''}" for n in range(len(self.taken) + 1)) if wish else letters
        word = next(word for word in words if word not in self.taken)
        self.taken.add(word)
        self.writer.names[node] = word

    def name_what_needs_it(self, roots: Iterable[Node]) -> None:
        """Give variables to what Stan has no expression for, arguments first."""
        writer = self.writer
        for node in walk(*roots):
            if node.op in ("at_add", "at_set"):
                if node not in self.changes:
                    base = chain(node, writer.names)[1]
                    self.name(node, f"new_{base.attr('name')}" if base.op == "state" else "")
            elif node.op in ALONG:
                (x,) = node.args
                if not (writer.has_row(x) if node.attr("axis") == -1 else writer.is_stored(x)):
                    self.name(x)
            elif node.op == "gather":
                x, pattern = node.args[0], node.attr("pattern")
                if not writer.is_stored(x) and ":" in pattern.rstrip(":"):
                    self.name(x)
            if self.is_by_entry(node):
                for arg in node.args:
                    # What is the same for all entries, or needs them all, is computed once.
                    if arg.op in ALONG or (not arg.axes and arg.op not in _CHEAP) or needs_name(arg):
                        self.name(arg)
            elif node.op == "gather" and needs_name(node.args[0]):
                self.name(node.args[0])

    def is_by_entry(self, node: Node) -> bool:
        """Say whether a value is written in a loop over entries."""
        if not node.axes or OPERATIONS[node.op].group != "elementwise":
            return False
        return len(node.axes) > 1 or not self.writer.has_row(node, but_named=True)

    # Declarations

    def declared(self, node: Node) -> Lines:
        """Return the statements that give a part its variable."""
        name = self.writer.names.pop(node)
        try:
            return self._declared(node, name)
        finally:
            self.writer.names[node] = name

    def _declared(self, node: Node, name: str) -> Lines:
        kind = type_of(node.kind.name, node.axes)
        if node.op in ("at_add", "at_set"):
            links, base = chain(node, self.writer.names)
            lines = self.initialised(kind, name, base, node.axes)
            for link in links:
                lines += self.changed(name, link)
            return lines
        return self.initialised(kind, name, node, node.axes)

    def initialised(self, kind: str, name: str, node: Node, axes: Axes) -> Lines:
        """Return the declaration of a variable and its first value."""
        value = self.whole(node, axes)
        if value is not None:
            return [f"{kind} {name} = {value};"]
        return [f"{kind} {name};", *self.assigned(name, node, axes)]

    def assigned(self, name: str, node: Node, axes: Axes) -> Lines:
        """Return the statements that give a variable another value."""
        value = self.whole(node, axes)
        if value is not None:
            return [f"{name} = {value};"]
        return self.by_entry(name, "=", node, axes)

    def whole(self, node: Node, axes: Axes) -> str | None:
        """Return a value as one expression, broadcast to axes; None if Stan needs a loop."""
        writer = self.writer
        if not node.axes:
            value = writer.entry(node).text
            if not axes:
                return value
            vector = f"rep_vector({value}, {axes[-1].size})"
            return vector if len(axes) == 1 else f"rep_array({vector}, {_sizes(axes[:-1])})"
        if tuple(a.size for a in node.axes) != tuple(a.size for a in axes):
            if len(node.axes) == 1 < len(axes) and node.axes[0].size == axes[-1].size and writer.has_row(node):
                return f"rep_array({writer.row(node).text}, {_sizes(axes[:-1])})"
            return None
        if len(axes) == 1 and writer.has_row(node):
            return writer.row(node).text
        if writer.is_stored(node) and (node.kind.name != "real" or has_vectors(node, writer.names)):
            return writer.stored(node, ())
        if node.op == "const" and node.kind.name == "real":
            return literal(node.attr("value"))
        return None

    def by_entry(self, name: str, sign: str, node: Node, axes: Axes) -> Lines:
        """Return a loop over a variable's entries, or over its vectors."""
        at_once = self.writer.has_row(node) and bool(node.axes) and node.axes[-1].size == axes[-1].size
        lead = axes[:-1] if at_once else axes
        index = tuple(self.counters(len(lead)))
        own = broadcast_index(node.axes, axes, (*index, "1")[: len(axes)])
        value = self.writer.row(node, own[:-1]) if at_once else self.writer.entry(node, own)
        return looped(lead, index, [f"{subscripted(name, index)} {sign} {value.text};"])

    def counters(self, count: int) -> Iterator[str]:
        """Return names for the counters of nested loops."""
        more = (f"i{n}" for n in itertools.count(1))
        return itertools.islice(itertools.chain(COUNTERS, (word for word in more if word not in self.taken)), count)

    # Changes

    def changed(self, name: str, link: Node) -> Lines:
        """Return the statement that changes some entries of a variable: one ``at[...]``."""
        writer = self.writer
        *indices, value = link.args[1:]
        sign = "=" if link.op == "at_set" else "+="
        if sign == "+=" and value.op == "neg" and value not in writer.names:
            sign, (value,) = "-=", value.args
        axes = link.axes
        target: list[str] = []
        loops: list[tuple[str, int]] = []
        remaining = iter(indices)
        letters = self.counters(len(axes))
        pattern = link.attr("pattern")
        selected = self.selected(axes, pattern, indices)
        at_once = pattern[-1] == ":" and (not value.axes or writer.has_row(value))
        for place, (letter, axis) in enumerate(zip(pattern, axes, strict=True)):
            position = None if letter == ":" else next(remaining)
            if position is None and at_once and place == len(axes) - 1:
                continue
            if position is not None and not position.axes:
                target.append(writer.position(position))
                continue
            size = axis.size if position is None else position.axes[0].size
            letter = next(letters)
            loops.append((letter, size))
            target.append(letter if position is None else writer.position(position, (letter,)))
        index = tuple(letter for letter, _ in loops)
        own = broadcast_index(value.axes, selected, (*index, "1")[: len(selected)])
        if at_once and value.axes and value.axes[-1].size == selected[-1].size:
            words = writer.row(value, own[:-1]).text
        else:
            words = writer.entry(value, own).text
            if at_once and sign == "=":
                words = f"rep_vector({words}, {selected[-1].size})"
        lines = [f"{subscripted(name, target)} {sign} {words};"]
        for letter, size in reversed(loops):
            lines = [f"for ({letter} in 1:{size}) {{", *indented(lines), "}"]
        return lines

    def selected(self, axes: Axes, pattern: str, indices: Sequence[Node]) -> Axes:
        """Return the axes of what a subscript takes out."""
        remaining = iter(indices)
        found: list = []
        for letter, axis in zip(pattern, axes, strict=True):
            found += [axis] if letter == ":" else next(remaining).axes
        return tuple(found)

    # States

    def change_in_place(self, state: Node, node: Node) -> None:
        """Mark the updates that change a state's entries one after the other."""
        if is_branching(state, node, self.writer.names):
            for branch in node.args[1:]:
                self.change_in_place(state, branch)
        self.changes.update(chain(node, self.writer.names)[0])

    def keep_old_values(self, state: Node, node: Node) -> None:
        """Give variables to what reads a state's old value after some entries have changed."""
        names = self.writer.names
        if is_branching(state, node, names):
            for branch in node.args[1:]:
                self.keep_old_values(state, branch)
            return
        links, base = chain(node, names)
        if base is not state and not self.reads_in_place(state, base):
            self.name(base)
        for place, link in enumerate(links):
            *indices, value = link.args[1:]
            loops = link.attr("pattern")[-1] != "i" or any(index.axes for index in indices)
            for index in indices:
                if reads(index, state, names):
                    self.name(index)
            if reads(value, state, names) and (place or base is not state or loops):
                self.name(value)

    def reads_in_place(self, state: Node, node: Node) -> bool:
        """Say whether each entry of a new value reads only the same entry of the old one."""
        if not state.axes or (len(state.axes) == 1 and self.writer.has_row(node)):
            return True
        for part in walk(node, known=self.writer.names):
            for arg in part.args:
                if arg in self.writer.names or not reads(arg, state, self.writer.names):
                    continue
                if OPERATIONS[part.op].group != "elementwise" or arg.shape != state.shape:
                    return False
        return True

    def change(self, name: str, state: Node, node: Node) -> Lines:
        """Return the statements that change a state, as planned."""
        writer = self.writer
        if node is state:
            return []
        if is_branching(state, node, writer.names):
            condition, yes, no = node.args
            one, other = self.change(name, state, yes), self.change(name, state, no)
            if not one:
                return [f"if ({writer.condition(condition, (), False).text}) {{", *indented(other), "}"]
            lines = [f"if ({writer.condition(condition).text}) {{", *indented(one)]
            return [*lines, *(["} else {", *indented(other)] if other else []), "}"]
        links, base = chain(node, writer.names)
        lines = [] if base is state else self.replaced(name, state, base)
        for link in links:
            lines += self.changed(name, link)
        return lines

    def replaced(self, name: str, state: Node, node: Node) -> Lines:
        """Return the statements that replace a state: shorter where something is only added."""
        for op, sign in (("add", "+="), ("sub", "-=")):
            if node.op == op and node not in self.writer.names and node.args[0] is state:
                value = node.args[1]
                if value.shape == state.shape and len(state.axes) < 2 and self.whole(value, state.axes) is not None:
                    return [f"{name} {sign} {self.whole(value, state.axes)};"]
        return self.assigned(name, node, state.axes)


_CHEAP = ("const", "parameter", "state", "event", "neg", "not", "to_real", "is_missing", "add", "sub", "mul", "lt",
          "le", "eq", "and", "or", "gather")  # fmt: skip


def needs_name(node: Node) -> bool:
    """Say whether a constant is written once, and then read entry by entry."""
    return node.op == "const" and bool(node.axes) and not is_counted(node) and not is_uniform(node)


def is_uniform(node: Node) -> bool:
    """Say whether a constant's entries are all the same."""
    return len(set(np.ravel(np.array(node.attr("value"))).tolist())) == 1


def chain(node: Node, names: Collection[Node]) -> tuple[list[Node], Node]:
    """Return the changes that a value is made of, first ones first, and the array that they start from."""
    links: list[Node] = []
    while node.op in ("at_add", "at_set") and node not in names:
        links.append(node)
        node = node.args[0]
    return links[::-1], node


def is_branching(state: Node, node: Node, names: Collection[Node]) -> bool:
    """Say whether a state changes by an ``if``: where a branch leaves it alone, or changes some entries."""
    if node.op != "where" or node in names or node.args[0].axes:
        return False
    branches = [arg for arg in node.args[1:] if arg not in names]
    if any(arg.op in ("at_add", "at_set") or arg is state for arg in branches):
        return True
    return any(is_branching(state, arg, names) for arg in branches)


def has_vectors(node: Node, names: Collection[Node]) -> bool:
    """Say whether a slice of a variable is an array of vectors, as all values of several axes are."""
    while node.op == "gather" and node not in names:
        if node.attr("pattern")[-1] != ":":
            return False
        node = node.args[0]
    return True


def reads(node: Node, state: Node, names: Collection[Node]) -> bool:
    """Say whether an expression reads a state, other than by a variable that holds its part."""
    return node not in names and state in walk(node, known=names)


def type_of(kind: str, axes: Axes) -> str:
    """Return a variable's type."""
    if kind != "real":
        return f"array[{_sizes(axes)}] int" if axes else "int"
    if not axes:
        return "real"
    vector = f"vector[{axes[-1].size}]"
    return vector if len(axes) == 1 else f"array[{_sizes(axes[:-1])}] {vector}"


def _sizes(axes: Axes) -> str:
    return ", ".join(str(axis.size) for axis in axes)


def broadcast_index(own: Axes, axes: Axes, index: Index) -> Index:
    """Return the subscripts of a value at an index of axes that it is broadcast to."""
    rank = len(own)
    pairs = zip(own, axes[len(axes) - rank :], index[len(index) - rank :], strict=True)
    return tuple("1" if a.size == 1 and b.size != 1 else part for a, b, part in pairs)


def looped(axes: Axes, index: Index, lines: Lines) -> Lines:
    """Return statements within loops over axes."""
    for axis, letter in reversed(list(zip(axes, index, strict=True))):
        lines = [f"for ({letter} in 1:{axis.size}) {{", *indented(lines), "}"]
    return lines


def indented(lines: Iterable[str], by: int = 2) -> Lines:
    """Return lines further to the right."""
    return [" " * by + line if line else line for line in lines]

