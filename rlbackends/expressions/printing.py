"""Expressions as text, in the words in which a rule is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rlbackends.expressions.node import Node

# How tightly an operation binds; a looser argument goes into parentheses.
INFIX = {
    "or": ("|", 1), "and": ("&", 2), "lt": ("<", 3), "le": ("<=", 3), "eq": ("==", 3), "add": ("+", 4), "sub": ("-", 4),
    "mul": ("*", 5), "div": ("/", 5), "pow": ("**", 7),
}  # fmt: skip
_PREFIX = {"neg": ("-", 6), "not": ("~", 6)}
_ATOM = 9


def number(value: Any) -> str:
    """Return a constant as short as it can be read back: ``0.5``, ``2``, ``[1, 0]``."""
    if isinstance(value, tuple):
        return "[" + ", ".join(number(item) for item in value) + "]"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return repr(value)


def text(node: Node, names: Mapping[Node, str] | None = None) -> str:
    """Return an expression as a line of text; ``names`` gives shorter words for some nodes."""
    return _Text(names or {}).write(node)[0]


def call_text(op: str, args: Sequence[Node], attrs: Mapping[str, Any]) -> str:
    """Return the text of an operation that could not be built."""
    return _Text({}).call(op, tuple(args), dict(attrs))[0]


class _Text:
    def __init__(self, names: Mapping[Node, str]) -> None:
        self.names = names
        self.memo: dict[Node, tuple[str, int]] = {}

    def write(self, node: Node) -> tuple[str, int]:
        if node in self.names:
            return self.names[node], _ATOM
        if node not in self.memo:
            self.memo[node] = self.call(node.op, node.args, dict(node.attrs))
        return self.memo[node]

    def inside(self, node: Node, tightness: int) -> str:
        words, binds = self.write(node)
        return words if binds >= tightness else f"({words})"

    def call(self, op: str, args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[str, int]:
        if op == "const":
            words = number(attrs["value"])
            return words, _ATOM if not words.startswith("-") else 6
        if op in ("parameter", "state", "event"):
            return attrs["name"], _ATOM
        if op in INFIX and len(args) == 2:
            symbol, binds = INFIX[op]
            left, right = (binds + 1, binds) if op == "pow" else (binds, binds + 1)
            return f"{self.inside(args[0], left)} {symbol} {self.inside(args[1], right)}", binds
        if op in _PREFIX:
            symbol, binds = _PREFIX[op]
            if op == "not" and args[0].op == "eq":
                return f"{self.inside(args[0].args[0], 4)} != {self.inside(args[0].args[1], 4)}", 3
            return f"{symbol}{self.inside(args[0], binds)}", binds
        if op == "to_real":
            return self.write(args[0])
        if op == "gather":
            return f"{self.inside(args[0], _ATOM)}[{self.subscript(args[1:], attrs['pattern'])}]", _ATOM
        if op in ("at_add", "at_set"):
            where = self.subscript(args[1:-1], attrs["pattern"])
            return f"{self.inside(args[0], _ATOM)}.at[{where}].{op[3:]}({self.write(args[-1])[0]})", _ATOM
        if op == "expand":
            letters = ", ".join("None" if letter == "n" else ":" for letter in attrs["pattern"])
            return f"{self.inside(args[0], _ATOM)}[{letters}]", _ATOM
        words = [self.write(arg)[0] for arg in args]
        if op == "one_hot":
            words.append(attrs["axis"].name or str(attrs["axis"].size))
        elif attrs.get("axis", -1) not in (-1, None) or op == "sum":
            words.append(f"axis={attrs['axis']!r}")
        return f"{op}({', '.join(words)})", _ATOM

    def subscript(self, indices: Sequence[Node], pattern: str) -> str:
        remaining = iter(indices)
        return ", ".join(":" if letter == ":" else self.write(next(remaining))[0] for letter in pattern)
