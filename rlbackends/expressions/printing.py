"""Expressions as text, in the words in which a rule is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlbackends.expressions.node import Node, walk

# How tightly an operation binds, as in Python; a looser argument goes into parentheses.
INFIX = {
    "or": ("|", 2), "and": ("&", 3), "lt": ("<", 1), "le": ("<=", 1), "eq": ("==", 1), "add": ("+", 4),
    "sub": ("-", 4), "mul": ("*", 5), "div": ("/", 5), "pow": ("**", 7),
}  # fmt: skip
PREFIX = {"neg": ("-", 6), "not": ("~", 6)}
FLIPPED = {"lt": ">", "le": ">="}
ATOM = 9
COMPARED = 4  # what stands on either side of a comparison
_LONGEST = 20_000
_IN_ERRORS = 500


def number(value: Any) -> str:
    """Return a constant in few digits: ``0.5``, ``[1, 0]``; ``1 - 0.7`` is 0.3, whatever its last bit."""
    if isinstance(value, tuple):
        return "[" + ", ".join(number(item) for item in value) + "]"
    if not isinstance(value, float):
        return repr(value)
    if value.is_integer() and abs(value) < 1e15:
        return repr(int(value))
    short = f"{value:.14g}"
    return short if abs(float(short) - value) <= 4e-16 * abs(value) else repr(value)


def text(node: Node, names: Mapping[Node, str] | None = None) -> str:
    """Return an expression as a line of text; ``names`` gives shorter words for some nodes."""
    return _Text(names or {}, _LONGEST).of(node)


def short_text(node: Node) -> str:
    """Return an expression as text for an error; of a very long one the middle is left out."""
    return _Text({}, _IN_ERRORS).of(node)


def call_text(op: str, args: Sequence[Node], attrs: Mapping[str, Any]) -> str:
    """Return the text of an operation that could not be built, for its error."""
    writer = _Text({}, _IN_ERRORS)
    writer.prepare(*args)
    return writer.call(op, tuple(args), dict(attrs))[0]


def is_flipped(op: str, args: Sequence[Node]) -> bool:
    """Say whether a comparison reads better the other way round: ``x > 0``, not ``0 < x``."""
    return op in FLIPPED and args[0].op == "const" and args[1].op != "const"


def is_dot(op: str, args: Sequence[Node], attrs: Mapping[str, Any]) -> bool:
    """Say whether this is a sum of products along the last axis, as ``rl.dot`` writes it."""
    return op == "sum" and attrs["axis"] == -1 and args[0].op == "mul"


class _Text:
    def __init__(self, names: Mapping[Node, str], longest: int) -> None:
        self.names = names
        self.longest = longest
        self.memo: dict[Node, tuple[str, int]] = {}

    def of(self, node: Node) -> str:
        self.prepare(node)
        return self.write(node)[0]

    def prepare(self, *nodes: Node) -> None:
        # Arguments first: a graph may be deeper than Python's stack, and its text longer than memory.
        for node in walk(*nodes, known=self.names):
            words, binds = self.call(node.op, node.args, dict(node.attrs))
            if len(words) > self.longest:
                words = f"{words[: self.longest // 2]} ... {words[-self.longest // 4 :]}"
            self.memo[node] = (words, binds)

    def write(self, node: Node) -> tuple[str, int]:
        if node in self.names:
            return self.names[node], ATOM
        return self.memo[node]

    def inside(self, node: Node, tightness: int) -> str:
        words, binds = self.write(node)
        return words if binds >= tightness else f"({words})"

    def infix(self, op: str, args: tuple[Node, ...]) -> tuple[str, int]:
        symbol, binds = INFIX[op]
        if is_flipped(op, args):
            return f"{self.inside(args[1], COMPARED)} {FLIPPED[op]} {self.inside(args[0], COMPARED)}", binds
        if op in ("lt", "le", "eq"):
            left = right = COMPARED
        else:
            left, right = (binds + 1, binds - 1) if op == "pow" else (binds, binds + 1)
        return f"{self.inside(args[0], left)} {symbol} {self.inside(args[1], right)}", binds

    def call(self, op: str, args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[str, int]:
        if op == "const":
            words = number(attrs["value"])
            return words, ATOM if not words.startswith("-") else 6
        if op in ("parameter", "state", "event"):
            return attrs["name"], ATOM
        if op in INFIX and len(args) == 2:
            return self.infix(op, args)
        if op in PREFIX and len(args) == 1:
            symbol, binds = PREFIX[op]
            if op == "not" and args[0].op == "eq" and args[0] not in self.names:
                left, right = args[0].args
                return f"{self.inside(left, COMPARED)} != {self.inside(right, COMPARED)}", 1
            return f"{symbol}{self.inside(args[0], binds)}", binds
        if op == "to_real":
            return self.write(args[0])
        if op == "gather":
            return f"{self.inside(args[0], ATOM)}[{self.subscript(args[1:], attrs['pattern'])}]", ATOM
        if op in ("at_add", "at_set"):
            where = self.subscript(args[1:-1], attrs["pattern"])
            return f"{self.inside(args[0], ATOM)}.at[{where}].{op[3:]}({self.write(args[-1])[0]})", ATOM
        if op == "expand":
            letters = ", ".join("None" if letter == "n" else ":" for letter in attrs["pattern"])
            return f"{self.inside(args[0], ATOM)}[{letters}]", ATOM
        if is_dot(op, args, attrs) and args[0] not in self.names:
            op, args, attrs = "dot", args[0].args, {}
        if op == "minimum" and args[0].op == "maximum" and args[0] not in self.names:
            op, args = "clip", (*args[0].args, args[1])
        inner = [self.write(arg)[0] for arg in args]
        if op == "one_hot":
            inner.append(attrs["axis"].name or str(attrs["axis"].size))
        elif op == "stack":
            inner += [f"axis={attrs['axis']!r}"] if attrs["axis"] else []
        elif "axis" in attrs and (attrs["axis"] != -1 or (op == "sum" and len(args[0].axes) > 1)):
            inner.append(f"axis={attrs['axis']!r}")  # rl.sum is over all axes unless one is named
        return f"{op}({', '.join(inner)})", ATOM

    def subscript(self, indices: Sequence[Node], pattern: str) -> str:
        remaining = iter(indices)
        return ", ".join(":" if letter == ":" else self.write(next(remaining))[0] for letter in pattern.rstrip(":"))
