"""Graphs as Stan's expressions: a table from the operation to how it is written.

A value of one axis is a ``vector``; one of several is an ``array`` of vectors, the last axis innermost; integers and
conditions with axes are arrays. A graph is written entry by entry (:meth:`Writer.entry`), or along its last axis at
once (:meth:`Writer.row`) where Stan's functions take vectors. Our indices count from 0, Stan's from 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlbackends.expressions.kinds import Axes
from rlbackends.expressions.node import Node
from rlbackends.porting.export.stan_words import (
    AND,
    ATOM,
    CHOICE,
    EQUAL,
    LESS,
    OR,
    POWER,
    PREFIX,
    PRODUCT,
    SUM,
    Written,
    number,
)

Index = tuple[str, ...]
"""Subscripts of a value's axes, from 1; ``:`` is a whole axis."""

FUNCTIONS: Mapping[str, str] = {
    "abs": "abs", "exp": "exp", "log": "log", "log1p": "log1p", "sqrt": "sqrt", "sigmoid": "inv_logit",
    "softplus": "log1p_exp", "tanh": "tanh", "maximum": "fmax", "minimum": "fmin", "ndtr": "Phi",
    "log_ndtr": "std_normal_lcdf", "ndtri": "inv_Phi",
}  # fmt: skip
ALONG: Mapping[str, str] = {
    "sum": "sum", "max": "max", "logsumexp": "log_sum_exp", "argmax": "argmax", "softmax": "softmax",
    "log_softmax": "log_softmax",
}  # fmt: skip
_INFIX: Mapping[str, tuple[str, str, int]] = {
    # of numbers, of two vectors, how tightly it binds
    "add": ("+", "+", SUM), "sub": ("-", "-", SUM), "mul": ("*", ".*", PRODUCT), "div": ("/", "./", PRODUCT),
    "pow": ("^", ".^", POWER), "lt": ("<", "", LESS), "le": ("<=", "", LESS), "eq": ("==", "", EQUAL),
    "and": ("&&", "", AND), "or": ("||", "", OR),
}  # fmt: skip
_FLIPPED = {"lt": ">", "le": ">="}
AT_ONCE = frozenset(
    "add sub mul div pow neg abs exp log log1p sqrt sigmoid softplus tanh maximum minimum ndtr ndtri".split()
)
"""Elementwise operations that Stan also has for vectors."""


class Writer:
    """Writes graphs.

    Parameters
    ----------
    leaf : callable
        Gives the text of a parameter, state or event at some subscripts.
    missing : callable
        Gives the text of an event's flags at some subscripts.
    names : dict of node to str
        Parts of graphs that have a variable of their own; it may grow.
    from_one : mapping of event to str
        Variables that hold a code of an event counted from 1.
    """

    def __init__(
        self,
        leaf: Callable[[Node, Index], str],
        missing: Callable[[str, Index], str] | None = None,
        names: dict[Node, str] | None = None,
        from_one: Mapping[str, str] | None = None,
    ) -> None:
        self.leaf = leaf
        self.missing = missing
        self.names = {} if names is None else names
        self.from_one = from_one or {}

    # What can be written at once

    def is_stored(self, node: Node) -> bool:
        """Say whether a value is a variable, or an entry or a slice of one."""
        if node.op == "gather" and node not in self.names:
            return self.is_stored(node.args[0]) and not any(index.axes for index in node.args[1:])
        return node in self.names or node.op in ("parameter", "state", "event")

    def has_row(self, node: Node, but_named: bool = False) -> bool:
        """Say whether a value can be written along its last axis at once, other than by its name if that is asked."""
        if not node.axes or node.kind.name != "real":
            return False
        if (node in self.names and not but_named) or node.op in ("const", "state", "event", "stack", "one_hot"):
            return True
        if node.op == "expand":
            return node.attr("pattern")[-1] == "n" or self.has_row(node.args[0])
        if node.op in AT_ONCE:
            return all(self.has_row(arg) for arg in node.args if _is_full(arg, node))
        if node.op == "where":
            return not node.args[0].axes and all(not arg.axes or self.has_row(arg) for arg in node.args[1:])
        if node.op == "gather":
            pattern = node.attr("pattern")
            if any(index.axes for index in node.args[1:]) or ":" not in pattern:
                return False
            return self.has_row(node.args[0]) if pattern[-1] == ":" else self.is_stored(node.args[0])
        if node.op in ("softmax", "log_softmax"):
            return node.attr("axis") == -1 and self.has_row(node.args[0])
        return node.op == "to_real" and self.is_stored(node.args[0])

    # Subscripts

    def stored(self, node: Node, index: Index) -> str:
        """Return a variable's entry, or a slice of it."""
        if node in self.names:
            return subscripted(self.names[node], index)
        if node.op == "gather":
            return self.stored(node.args[0], self.through(node, index))
        return self.leaf(node, index)

    def through(self, node: Node, index: Index) -> Index:
        """Return the subscripts of a gather's source at an index of the gather; fewer give whole last axes."""
        remaining, indices = list(index), iter(node.args[1:])
        found: list[str] = []
        for letter in node.attr("pattern"):
            if letter == ":":
                found.append(remaining.pop(0) if remaining else ":")
            else:
                position = next(indices)
                found.append(self.position(position, (remaining.pop(0),) if position.axes else ()))
        while found and found[-1] == ":" and len(index) < len(node.axes):
            found.pop()
        return tuple(found)

    def position(self, node: Node, index: Index = ()) -> str:
        """Return an integer of ours, which counts from 0, as a subscript."""
        return self._position(node, index).text

    def _position(self, node: Node, index: Index) -> Written:
        if node not in self.names:
            if node.op == "const" and not node.axes:
                return number(node.attr("value") + 1)
            if node.op == "event" and node.attr("name") in self.from_one:
                return Written(self.from_one[node.attr("name")])
            if node.op == "argmax":
                return self._along(node, index)
            if node.op == "where":
                condition, yes, no = (_fit(arg, node, index) for arg in node.args)
                return _choice(
                    self.entry(node.args[0], condition),
                    self._position(node.args[1], yes),
                    self._position(node.args[2], no),
                )
        return Written(f"{self.entry(node, index).inside(SUM)} + 1", SUM, True)

    # Entry by entry

    def entry(self, node: Node, index: Index = ()) -> Written:
        """Return one entry of a value."""
        if node in self.names or node.op in ("parameter", "state", "event"):
            return Written(self.stored(node, index), ATOM, node.kind.name != "real")
        if node.op == "const":
            return _constant_entry(node, index)
        if node.op in _INFIX or node.op in FUNCTIONS or node.op in ("neg", "not", "where", "to_real"):
            return self._elementwise(node, [self.entry(arg, _fit(arg, node, index)) for arg in node.args])
        if node.op in ALONG:
            words = self._along(node, index)
            return Written(f"{words.text} - 1", SUM, True) if node.op == "argmax" else words
        if node.op == "gather":
            return self.entry(node.args[0], self.through(node, index))
        if node.op == "one_hot":
            position = self._position(node.args[0], index[:-1])
            return Written(f"{position.inside(LESS)} == {index[-1]}", EQUAL, True)
        if node.op == "stack":
            parts = [self.entry(arg, _fit(arg, node, index[:-1], 1)) for arg in node.args]
            if index[-1].isdigit():
                return parts[int(index[-1]) - 1]
            return Written(f"[{', '.join(part.text for part in parts)}][{index[-1]}]")
        if node.op == "expand":
            return self.entry(node.args[0], _unexpanded(node, index))
        if node.op == "is_missing":
            return self.flag(node, True)
        raise NotImplementedError(f"operation '{node.op}' has no Stan expression")

    def condition(self, node: Node, index: Index = (), holds: bool = True) -> Written:
        """Return a condition, or that it does not hold."""
        if node not in self.names:
            if node.op == "not":
                return self.condition(node.args[0], index, not holds)
            if node.op == "is_missing":
                return self.flag(node, holds)
            if node.op in ("and", "or"):
                op = node.op if holds else {"and": "or", "or": "and"}[node.op]
                sign, _, binds = _INFIX[op]
                parts = [self.condition(arg, _fit(arg, node, index), holds).inside(binds) for arg in node.args]
                return Written(f" {sign} ".join(parts), binds)
            if node.op == "eq" and not holds:
                a, b = (self.entry(arg, _fit(arg, node, index)).inside(LESS) for arg in node.args)
                return Written(f"{a} != {b}", EQUAL, True)
        words = self.entry(node, index)
        return words if holds else Written(f"!{words.inside(PREFIX)}", PREFIX, True)

    def flag(self, node: Node, holds: bool) -> Written:
        """Return whether any of the entries that an ``is_missing`` asks about is missing."""
        assert self.missing is not None
        (source,) = node.args
        event, entries = source, [()]
        if source.op == "gather":
            event = source.args[0]
            entries = [self.through(source, index) for index in _each(source)]
        sign, binds = ("||", OR) if holds else ("&&", AND)
        parts = []
        for index in entries:
            words = self.missing(event.attr("name"), index)
            depth = len(event.axes) - sum(part != ":" for part in index)
            words = words if depth == 0 else f"max({words})" if depth == 1 else f"max(to_array_1d({words}))"
            parts.append(f"{words} == {int(holds)}")
        return Written(f" {sign} ".join(parts), EQUAL if len(parts) == 1 else binds, True)

    def _elementwise(self, node: Node, args: list[Written]) -> Written:
        op = node.op
        whole = all(arg.whole for arg in args)
        if op == "to_real":
            return args[0]
        if op == "neg":
            curve = node.args[0]
            if curve.op == "softplus" and curve not in self.names and not node.axes:
                return self._log_logistic(curve)
            return Written(f"-{args[0].inside(PREFIX + 1)}", PREFIX, whole)
        if op in ("not", "and", "or") and not node.axes:
            return self.condition(node)
        if op == "not":
            return Written(f"!{args[0].inside(PREFIX)}", PREFIX, True)
        if op == "where":
            condition = args[0] if node.args[0].axes else self.condition(node.args[0])
            return _choice(condition, args[1], args[2])
        if op in ("maximum", "minimum") and node.kind.name == "int":
            return Written(f"{op[:3]}({args[0].text}, {args[1].text})", ATOM, True)
        if op == "log_ndtr":
            return Written(f"std_normal_lcdf({args[0].text})")
        if op in FUNCTIONS:
            return Written(f"{FUNCTIONS[op]}({', '.join(arg.text for arg in args)})", ATOM, op == "abs" and whole)
        if op == "div" and whole:  # two integers would be divided as integers
            args[0] = Written(f"{args[0].text}.0" if args[0].text.isdigit() else f"1.0 * {args[0].inside(PRODUCT)}",
                              ATOM if args[0].text.isdigit() else PRODUCT)  # fmt: skip
        return _infix(node, args, whole and op not in ("div", "pow"), _INFIX[op][0])

    def _log_logistic(self, curve: Node) -> Written:
        """Return the logarithm of a logistic curve, which is minus a softplus."""
        (x,) = curve.args
        if x.op == "neg" and x not in self.names:
            return Written(f"log_inv_logit({self.entry(x.args[0]).text})")
        return Written(f"log1m_inv_logit({self.entry(x).text})")

    def _along(self, node: Node, index: Index) -> Written:
        """Return a function of an axis; for ``argmax`` the position from 1."""
        (x,) = node.args
        axis, keeps = node.attr("axis"), node.op in ("softmax", "log_softmax")
        at = len(x.axes) + axis
        rest = index[:at] + index[at + 1 :] if keeps else index
        if axis == -1:
            words = self.row(x, rest).text
        else:
            words = self.stored(x, (*rest[:at], ":", *rest[at:]))
            words = f"to_vector({words})" if keeps or node.op == "argmax" else words
        words = self._dot(node, rest) or f"{ALONG[node.op]}({words})"
        return Written(f"{words}[{index[at]}]" if keeps else words, ATOM, node.op == "argmax")

    def _dot(self, node: Node, rest: Index) -> str | None:
        """Return a sum of products of two vectors, if this is one."""
        (x,) = node.args
        if node.op != "sum" or node.attr("axis") != -1 or x.op != "mul" or x in self.names:
            return None
        if not all(_is_full(arg, x) for arg in x.args):
            return None
        a, b = (self.row(arg, _fit(arg, x, (*rest, ":"))[:-1]).text for arg in x.args)
        return f"dot_product({a}, {b})"

    # Along the last axis

    def row(self, node: Node, lead: Index = ()) -> Written:
        """Return a vector: a value along its last axis, at subscripts of the axes before it."""
        size = node.axes[-1].size
        if node in self.names or node.op in ("state", "event"):
            return Written(self.stored(node, lead))
        if node.op == "const":
            return _constant_row(node, lead)
        if node.op in AT_ONCE:
            return self._row_at_once(node, lead)
        if node.op == "where":
            condition, *branches = node.args
            parts = [self._spread(arg, node, lead) for arg in branches]
            return _choice(self.condition(condition), *parts)
        if node.op == "gather":
            index = self.through(node, (*lead, ":"))
            if node.attr("pattern")[-1] == ":":
                return self.row(node.args[0], index[:-1])
            return Written(f"to_vector({self.stored(node.args[0], index)})")
        if node.op in ("softmax", "log_softmax"):
            return Written(f"{node.op}({self.row(node.args[0], lead).text})")
        if node.op == "one_hot":
            return Written(f"one_hot_vector({size}, {self.position(node.args[0], lead)})")
        if node.op == "stack":
            parts = [self.entry(arg, _fit(arg, node, lead, 1)) for arg in node.args]
            return Written(f"[{', '.join(part.text for part in parts)}]'")
        if node.op == "expand":
            if node.attr("pattern")[-1] == "n":
                return Written(f"[{self.entry(node, (*lead, '1')).text}]'")
            return self.row(node.args[0], _unexpanded(node, (*lead, ":"))[:-1])
        if node.op == "to_real":
            return Written(f"to_vector({self.stored(node.args[0], lead)})")
        raise NotImplementedError(f"operation '{node.op}' has no Stan vector")

    def _row_at_once(self, node: Node, lead: Index) -> Written:
        args = []
        for arg in node.args:
            index = _fit(arg, node, (*lead, "1"))
            args.append(self.row(arg, index[:-1]) if _is_full(arg, node) else self.entry(arg, index))
        if node.op not in _INFIX:
            return self._elementwise(node, args)
        vectors = [_is_full(arg, node) for arg in node.args]
        plain, paired, _ = _INFIX[node.op]
        by_entry = all(vectors) or (vectors[-1] and node.op == "div") or node.op == "pow"
        return _infix(node, args, False, paired if by_entry else plain)

    def _spread(self, node: Node, into: Node, lead: Index) -> Written:
        """Return a vector, repeating a value that has no last axis."""
        if _is_full(node, into):
            return self.row(node, _fit(node, into, (*lead, "1"))[:-1])
        words = self.entry(node, _fit(node, into, (*lead, "1"))).text
        return Written(f"rep_vector({words}, {into.axes[-1].size})")


def _each(gather: Node) -> list[Index]:
    """Return subscripts of a gather: whole axes, but an axis of indices entry by entry."""
    found: list[list[str]] = []
    indices = iter(gather.args[1:])
    for letter in gather.attr("pattern"):
        position = None if letter == ":" else next(indices)
        if position is None:
            found.append([":"])
        elif position.axes:
            found.append([str(entry + 1) for entry in range(position.axes[0].size)])
    return list(itertools.product(*found))


def subscripted(name: str, index: Sequence[str]) -> str:
    """Return a variable at some subscripts."""
    return f"{name}[{', '.join(index)}]" if index else name


def literal(value: Any) -> str:
    """Return a constant with axes: vectors within arrays."""
    if not isinstance(value[0], tuple):
        if all(item == value[0] for item in value) and len(value) > 1:
            return f"rep_vector({number(value[0]).text}, {len(value)})"
        return f"[{', '.join(number(item).text for item in value)}]'"
    return f"{{{', '.join(literal(item) for item in value)}}}"


def _constant_entry(node: Node, index: Index) -> Written:
    value = node.attr("value")
    rest = list(index)
    while rest and rest[0].isdigit():
        value = value[int(rest.pop(0)) - 1]
    if not rest:
        return number(value)
    first, steps = _counted(value)
    if steps and len(rest) == 1:  # 0, 1, 2, ... is the counter itself
        less = int(1 - first)
        return Written(f"{rest[0]} - {less}" if less > 0 else f"{rest[0]} + {-less}" if less else rest[0],
                       SUM if less else ATOM, True)  # fmt: skip
    if node.kind.name == "real":
        return Written(f"{literal(value)}[{', '.join(rest)}]" if len(rest) > 1 else f"{_row_vector(value)}[{rest[0]}]")
    return Written(f"{_braces(value)}[{', '.join(rest)}]", ATOM, True)


def _counted(value: Any) -> tuple[float, bool]:
    """Return the first of some numbers, and whether each is one more than that before it."""
    whole = not isinstance(value[0], tuple | bool) and math.isfinite(value[0]) and value[0] == int(value[0])
    return value[0], whole and len(value) > 1 and all(item == value[0] + at for at, item in enumerate(value))


def is_counted(node: Node) -> bool:
    """Say whether a constant counts up by 1, so that a counter says it."""
    return len(node.axes) == 1 and _counted(node.attr("value"))[1]


def _constant_row(node: Node, lead: Index) -> Written:
    value = node.attr("value")
    rest = list(lead)
    while rest and rest[0].isdigit():
        value = value[int(rest.pop(0)) - 1]
    return Written(f"{literal(value)}[{', '.join(rest)}]" if rest else literal(value))


def _row_vector(value: Any) -> str:
    return f"[{', '.join(number(item).text for item in value)}]"


def _braces(value: Any) -> str:
    return f"{{{', '.join(_braces(item) if isinstance(item, tuple) else number(item).text for item in value)}}}"


def _infix(node: Node, args: list[Written], whole: bool, sign: str) -> Written:
    a, b = args
    binds = _INFIX[node.op][2]
    if node.op in ("lt", "le") and node.args[0].op == "const" and node.args[1].op != "const":
        return Written(f"{b.inside(SUM)} {_FLIPPED[node.op]} {a.inside(SUM)}", binds, True)
    if node.op in ("lt", "le", "eq"):
        return Written(f"{a.inside(SUM)} {sign} {b.inside(SUM)}", binds, True)
    if node.op == "pow":
        return Written(f"{a.inside(ATOM)} {sign} {b.inside(ATOM)}", binds)
    right = b.inside(PREFIX + 1 if b.binds == PREFIX else binds + 1)
    return Written(f"{a.inside(binds)} {sign} {right}", binds, whole)


def _choice(condition: Written, yes: Written, no: Written) -> Written:
    # 'a ? b : c ? d : e' reads from the right, as a list of cases does.
    text = f"{condition.inside(OR)} ? {yes.inside(OR)} : {no.inside(CHOICE)}"
    return Written(text, CHOICE, yes.whole and no.whole)


def _is_full(arg: Node, node: Node) -> bool:
    """Say whether an argument has the last axis of a value, and is not one entry repeated along it."""
    return bool(arg.axes) and (arg.axes[-1].size == node.axes[-1].size)


def _fit(arg: Node, node: Node, index: Index, dropped: int = 0) -> Index:
    """Return the subscripts of an argument at an index of a value that it is broadcast to."""
    axes: Axes = node.axes[: len(node.axes) - dropped]
    rank = len(arg.axes)
    if not rank:
        return ()
    found = []
    for own, axis, part in zip(arg.axes, axes[-rank:], index[-rank:], strict=True):
        found.append("1" if own.size == 1 and axis.size != 1 else part)
    return tuple(found)


def _unexpanded(node: Node, index: Index) -> Index:
    return tuple(part for part, letter in zip(index, node.attr("pattern"), strict=True) if letter == ":")
