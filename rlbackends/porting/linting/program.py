"""A program as the checks see it: its calls, its assignments, and what each name stands for."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rlbackends.porting.linting.rules import RULES, Row
from rlbackends.porting.linting.source import Source
from rlbackends.porting.linting.today import HOMES

if TYPE_CHECKING:
    import libcst as cst

_DEEPEST = 40


@dataclass(frozen=True)
class Call:
    """A call: its node, and the name of what is called, as it was written and under today's packages."""

    node: cst.Call
    origin: str  # 'pymc3.Normal'; empty: not a library's
    name: str  # 'pymc.Normal'
    line: int
    function: str  # the function it stands in; empty: the program's top level

    def argument(self, keyword: str, position: int | None = None) -> cst.BaseExpression | None:
        """Return an argument by its name, or by its place among those without one."""
        for arg in self.node.args:
            if arg.keyword is not None and arg.keyword.value == keyword:
                return arg.value
        plain = self.positional()
        return plain[position] if position is not None and position < len(plain) else None

    def positional(self) -> list[cst.BaseExpression]:
        """Return the arguments without a name, up to the first ``*args``."""
        found = []
        for arg in self.node.args:
            if arg.star:
                break
            if arg.keyword is None:
                found.append(arg.value)
        return found

    def keywords(self) -> dict[str, cst.Arg]:
        """Return the named arguments."""
        return {arg.keyword.value: arg for arg in self.node.args if arg.keyword is not None}

    def has_stars(self) -> bool:
        """Say whether arguments come from a list or a dictionary that is not read here."""
        return any(arg.star for arg in self.node.args)


@dataclass(frozen=True)
class Assignment:
    """A value given to names: ``a, b = value`` is one, with two targets."""

    targets: tuple[str, ...]
    value: cst.BaseExpression
    line: int
    function: str
    unpacked: bool


@dataclass
class Program:
    """A parsed program. ``row`` makes a row of the report at a node."""

    source: Source
    module: cst.Module
    calls: list[Call] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    functions: dict[str, cst.FunctionDef] = field(default_factory=dict)
    defined: dict[str, list[cst.FunctionDef]] = field(default_factory=dict)  # all of a name, in the text's order
    attributes: list[tuple[cst.Attribute, str]] = field(default_factory=list)  # with the name as it was written
    counted: set[str] = field(default_factory=set)  # names that change: n += 1, n[0] = 1, in a loop or a branch
    inner: list[cst.Attribute] = field(default_factory=list)  # a.b of a.b.c
    names: list[tuple[cst.Name, str]] = field(default_factory=list)  # imported names, where they are used
    imports: list[tuple[cst.Import | cst.ImportFrom, tuple[str, ...]]] = field(default_factory=list)
    nodes: list[cst.CSTNode] = field(default_factory=list)
    stars: tuple[str, ...] = ()
    _positions: Any = None
    _arguments: dict[int, frozenset[str]] = field(default_factory=dict)
    _by_node: dict[Any, Call] = field(default_factory=dict)
    _assigned: dict[str, list[Assignment]] = field(default_factory=dict)
    _lines_of: dict[str, list[tuple[int, int]]] = field(default_factory=dict)

    # ------------------------------------------------------------------------------------------------ places and text

    def line(self, node: cst.CSTNode) -> int:
        """Return the line that a node starts on."""
        return int(self._positions[node].start.line)

    def start(self, node: cst.CSTNode) -> tuple[int, int]:
        """Return the line and column that a node starts at."""
        start = self._positions[node].start
        return int(start.line), int(start.column)

    def text(self, node: cst.CSTNode) -> str:
        """Return a node's code on one line."""
        return " ".join(self.module.code_for_node(node).split())

    def row(self, rule: str, node: cst.CSTNode, what: str, why: str = "", fix: str = "") -> Row:
        """Return a row of the report; ``why`` and ``fix`` are the rule's own unless others are given."""
        start = self._positions[node].start
        return self.row_at(rule, start.line, what, why, fix, column=start.column + 1)

    def row_at(self, rule: str, line: int, what: str, why: str = "", fix: str = "", column: int = 1) -> Row:
        """Return a row of the report at a line of the whole text."""
        known = RULES[rule]
        what = what[:-1] if what.endswith("..") else what  # a number such as 2. ends with a dot of its own
        cell, inside = self.source.place(line)
        code = self.source.lines[line - 1].strip() if line <= len(self.source.lines) else ""
        return Row(
            rule=rule, severity=known.severity, path=str(self.source.path), line=inside, column=column, cell=cell,
            code=code, what=what, why=why or known.why, fix=fix or known.fix, order=line,
        )  # fmt: skip

    # ------------------------------------------------------------------------------------------------------ relations

    def call_at(self, node: cst.CSTNode | None) -> Call | None:
        """Return the call of a node, if it is one."""
        return None if node is None else self._by_node.get(id(node))

    def is_argument(self, word: str, node: cst.CSTNode) -> bool:
        """Say whether a name is an argument of a function that a node stands in: nobody knows what it holds."""
        return word.partition(".")[0] in self._arguments.get(id(node), ())

    def uses(self, *packages: str) -> bool:
        """Say whether the program imports one of these packages."""
        return any(name.split(".")[0] in packages for _, names in self.imports for name in names)

    def value(self, name: str, before: int | None = None) -> Assignment | None:
        """Return the last assignment to a name above a line, without those inside functions that have ended there."""
        if before is None:
            return self._assigned[name][-1] if name in self._assigned else None
        above = [a for a in self._assigned.get(name, ()) if a.line < before]
        for line in (before, before - 1):  # who asks for what a line itself assigns gives the line after it
            seen = [a for a in above if self._is_seen(a, line)]
            if seen:
                return seen[-1]
        return None

    def _is_seen(self, item: Assignment, line: int) -> bool:
        """Say whether a line stands in the function of an assignment, or that is no function's."""
        if not item.function:
            return True
        around = [(start, end) for start, end in self._spans(item.function) if start <= item.line <= end]
        return any(start <= line <= end for start, end in around[-1:])

    def _spans(self, function: str) -> list[tuple[int, int]]:
        """Return the first and last lines of the functions of a name."""
        found = self._lines_of.get(function)
        if found is None:
            positions = [self._positions[node] for node in self.defined.get(function, [])]
            bodies = [self._positions[node.body] for node in self.defined.get(function, [])]
            found = [(int(whole.start.line), int(body.end.line) - (body.end.column == 0))
                     for whole, body in zip(positions, bodies, strict=True)]  # fmt: skip
            self._lines_of[function] = found
        return found

    def function(self, name: str, before: int) -> cst.FunctionDef | None:
        """Return the last function of a name above a line; if there is none, the last one below."""
        found = self.defined.get(name, [])
        return next((f for f in reversed(found) if self.line(f) < before), found[-1] if found else None)

    def chain(self, node: cst.BaseExpression, before: int) -> Iterator[cst.CSTNode]:
        """Yield what a value is made of: its own nodes, then those of the variables in it, and so on."""
        seen: set[tuple[str, int]] = set()  # p = p / p.sum() is another p than the one before it
        pending: list[tuple[cst.CSTNode, int, int]] = [(node, before, 0)]
        while pending:
            at, line, depth = pending.pop(0)
            for inner in nodes(at):
                yield inner
                word = getattr(inner, "value", None) if type(inner).__name__ == "Name" else None
                if word is None or depth >= _DEEPEST:
                    continue
                found = self.value(word, line) or self.value(word)
                if found is not None and (word, found.line) not in seen:
                    seen.add((word, found.line))
                    pending.append((found.value, found.line, depth + 1))

    def calls_in(self, node: cst.BaseExpression, before: int) -> list[Call]:
        """Return the calls that a value is made of, through variables."""
        return [call for inner in self.chain(node, before) if (call := self.call_at(inner)) is not None]


# Fields of nodes that hold spaces, commas and brackets: nothing that a program says.
_SPACE = re.compile(r"whitespace|^(lpar|rpar|lbrac\w+|rbrac\w+|comma|semicolon|equal|colon|header|footer|leading_lines|"
                    r"lines_after_decorators|trailing\w*|newline|dot)$")  # fmt: skip


@functools.cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(name for name in kind.__dataclass_fields__ if not _SPACE.search(name))  # type: ignore[attr-defined]


def children(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Return the nodes just below a node, without spaces and commas; libcst's own ``children`` is ten times slower."""
    import libcst as cst

    found: list[cst.CSTNode] = []
    for name in _fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, list | tuple):
            found += [item for item in value if isinstance(item, cst.CSTNode)]
        elif isinstance(value, cst.CSTNode):
            found.append(value)
    return found


def nodes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """Yield a node and all below it."""
    stack = [node]
    while stack:
        at = stack.pop()
        yield at
        stack += reversed(children(at))


def dotted(node: Any) -> str | None:
    """Return ``a.b.c`` of a chain of plain names; None for anything else."""
    parts: list[str] = []
    while type(node).__name__ == "Attribute":
        parts.append(node.attr.value)
        node = node.value
    return ".".join([node.value, *reversed(parts)]) if type(node).__name__ == "Name" else None


def today_name(origin: str) -> str:
    """Return a library's name under today's packages: ``theano.tensor.exp`` → ``pytensor.tensor.exp``."""
    first, _, rest = origin.partition(".")
    home = HOMES.get(first, first)
    return f"{home}.{rest}" if rest else home
