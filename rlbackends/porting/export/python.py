"""Graphs as expressions of an array library in Python: what the targets numpy, numpyro and pymc share."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from rlbackends.expressions.kinds import BOOL
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.expressions.operations import OPERATIONS
from rlbackends.expressions.printing import ATOM, COMPARED, FLIPPED, INFIX, PREFIX, is_flipped
from rlbackends.porting.export.source import letters, named_parts

_LONG_CONSTANT = 48  # letters; a longer one gets a name at the top of the program
_COMPARISON, _FRACTION, _PRODUCT = 1, 4, 5
_TABLE = "TABLE_{}"


class Printer:
    """Writes graphs in the words of one library; a subclass changes the tables and the methods that differ.

    Every method that writes an operation returns its text and how tightly it binds, as in
    `rlbackends.expressions.printing`; `inside` puts what binds less tightly into parentheses.

    Parameters
    ----------
    words : mapping of str to str
        The program's word for each parameter, state and event, and for each event's flags (``reward_missing``).
    names : mapping of Node to str, optional
        Parts of graphs that have lines of their own, by name.
    constants : dict of str to str, optional
        Is filled with long constants: text → name.
    """

    library: ClassVar[str] = "np"
    """What NumPy's functions are called with."""
    functions: ClassVar[Mapping[str, str]] = {}
    """Operation → function, for those that the library does not have under NumPy's name."""
    default_axis: ClassVar[frozenset[str]] = frozenset()
    """Operations that run along the last axis, unless another is said."""

    _numpy: ClassVar[Mapping[str, str]] = {
        "maximum": "maximum", "minimum": "minimum", "abs": "abs", "exp": "exp", "log": "log", "log1p": "log1p",
        "sqrt": "sqrt", "tanh": "tanh", "where": "where", "sum": "sum", "max": "max", "argmax": "argmax",
        "clip": "clip",
    }  # fmt: skip

    def __init__(
        self,
        words: Mapping[str, str],
        names: Mapping[Node, str] | None = None,
        constants: dict[str, str] | None = None,
    ) -> None:
        self.words = words
        self.names: Mapping[Node, str] = names or {}
        self.constants = constants
        self._memo: dict[Node, tuple[str, int]] = {}

    def text(self, node: Node) -> str:
        """Return an expression; of a named part its name."""
        return self.names[node] if node in self.names else self.definition(node)

    def definition(self, node: Node) -> str:
        """Return an expression in full: for a named part, what is written behind its name."""
        # Arguments first: a graph may be deeper than Python's stack.
        for item in walk(node, known=set(self.names) - {node}):
            if item not in self._memo:
                self._memo[item] = self.operation(item)
        return self._memo[node][0]

    def write(self, node: Node) -> tuple[str, int]:
        """Return an argument's text, and how tightly it binds."""
        if node in self.names:
            return self.names[node], ATOM
        if node not in self._memo:
            self.definition(node)
        return self._memo[node]

    def inside(self, node: Node, tightness: int) -> str:
        """Return an argument's text, in parentheses if it binds less tightly than that."""
        words, binds = self.write(node)
        return words if binds >= tightness else f"({words})"

    def operation(self, node: Node) -> tuple[str, int]:
        """Return a node's text, and how tightly it binds."""
        if node.kind == BOOL and node.op != "const" and not node.axes and _is_constant(node):
            return repr(bool(evaluate(node, {}))), ATOM
        method = getattr(self, f"op_{node.op}", None)
        if method is not None:
            found: tuple[str, int] = method(node)
            return found
        if node.op in INFIX:
            return self.infix(node)
        if node.op in PREFIX:
            symbol, binds = PREFIX[node.op]
            return f"{symbol}{self.inside(node.args[0], binds)}", binds
        return self.call(self.function(node.op), *(self.write(arg)[0] for arg in node.args), *self.axis(node))

    def function(self, op: str) -> str:
        """Return the library's function for an operation."""
        return self.functions[op] if op in self.functions else f"{self.library}.{self._numpy[op]}"

    def call(self, function: str, *args: str) -> tuple[str, int]:
        """Return a call."""
        return f"{function}({', '.join(args)})", ATOM

    def axis(self, node: Node) -> list[str]:
        """Return the argument that says along which axis an operation runs, if it needs one."""
        if "axis" not in dict(node.attrs):
            return []
        axis = node.attr("axis")
        one = len(node.args[0].axes) == 1
        return [] if one or (axis == -1 and node.op in self.default_axis) else [f"axis={axis}"]

    def infix(self, node: Node) -> tuple[str, int]:
        """Return an operation with its symbol between its arguments."""
        symbol, binds = INFIX[node.op]
        if node.op == "div" and not node.axes and node.args[0].op == "const" and _is_zero(node.args[1]):
            with np.errstate(all="ignore"):  # Python raises where arrays have an infinity
                return self.number(float(evaluate(node, {})))
        first, second = (self.operand(arg, node) for arg in node.args)
        if node.op in ("lt", "le", "eq"):
            if is_flipped(node.op, node.args):
                symbol, first, second = FLIPPED[node.op], second, first
            return f"{self.inside(first, COMPARED)} {symbol} {self.inside(second, COMPARED)}", _COMPARISON
        left, right = (binds + 1, binds - 1) if node.op == "pow" else (binds, binds + 1)
        return f"{self.inside(first, left)} {symbol} {self.inside(second, right)}", binds

    def op_add(self, node: Node) -> tuple[str, int]:
        """Return a sum; what is added to 0 as it is."""
        first, second = node.args
        return self.write(second) if _is_zero(first) and second.shape == node.shape else self.infix(node)

    def operand(self, arg: Node, node: Node) -> Node:
        """Return an argument of arithmetic: an integer beside a real number becomes one by itself."""
        if arg.op != "to_real" or arg in self.names or node.op == "pow":
            return arg
        others = [other for other in node.args if other is not arg]
        mixes = node.op == "div" or any(other.op != "to_real" for other in others)
        return arg.args[0] if mixes else arg

    def op_lt(self, node: Node) -> tuple[str, int]:
        """Return a comparison; whether any entry of a mask is on, where a graph says that by numbers."""
        mask = node.args[1]
        if node.args[0].op == "const" and node.args[0].attr("value") == 0.0:
            while mask.op == "max" and mask not in self.names:
                mask = mask.args[0]
            if _is_mask(mask) and mask is not node.args[1] and not node.args[1].axes and mask not in self.names:
                return self.any(self.inside(mask.args[0], ATOM))
        return self.infix(node)

    def op_pow(self, node: Node) -> tuple[str, int]:
        """Return a power; a whole exponent without its point."""
        exponent = node.args[1]
        if exponent.op == "const" and not exponent.axes and exponent not in self.names:
            value = exponent.attr("value")
            if value.is_integer() and 0 <= value < 100:
                return f"{self.inside(node.args[0], INFIX['pow'][1] + 1)} ** {value:.0f}", INFIX["pow"][1]
        return self.infix(node)

    def op_minimum(self, node: Node) -> tuple[str, int]:
        """Return the smaller of two; between two bounds if the first is the larger of two."""
        inner = node.args[0]
        if inner.op == "maximum" and inner not in self.names:
            args = (*inner.args, node.args[1])
            return self.call(self.function("clip"), *(self.write(arg)[0] for arg in args))
        return self.call(self.function("minimum"), *(self.write(arg)[0] for arg in node.args))

    def op_sum(self, node: Node) -> tuple[str, int]:
        """Return a sum; of products of a table and a vector, or of two vectors, their product."""
        inner = node.args[0]
        if node.attr("axis") == -1 and inner.op == "mul" and inner not in self.names:
            sizes = sorted((len(arg.axes), -i, arg) for i, arg in enumerate(inner.args))
            (few, _, vector), (many, _, table) = sizes
            if few == 1 and many in (1, 2) and vector.shape[-1] == table.shape[-1]:
                return f"{self.inside(table, _PRODUCT)} @ {self.inside(vector, _PRODUCT + 1)}", _PRODUCT
        return self.call(self.function("sum"), self.write(inner)[0], *self.axis(node))

    def op_not(self, node: Node) -> tuple[str, int]:
        """Return a negation; ``a != b`` if it negates ``a == b``."""
        argument = node.args[0]
        if argument.op == "eq" and argument not in self.names:
            left, right = argument.args
            return f"{self.inside(left, COMPARED)} != {self.inside(right, COMPARED)}", _COMPARISON
        return f"~{self.inside(argument, PREFIX['not'][1])}", PREFIX["not"][1]

    # Leaves

    def op_const(self, node: Node) -> tuple[str, int]:
        """Return a constant."""
        value = node.attr("value")
        if not isinstance(value, tuple):
            return self.number(value)
        text = self.array(node)
        if self.constants is None or len(text) <= _LONG_CONSTANT:
            return text, ATOM
        return self.constants.setdefault(text, _TABLE.format(len(self.constants) + 1)), ATOM

    def number(self, value: Any) -> tuple[str, int]:
        """Return a number: a real one always has a point."""
        if isinstance(value, float) and not math.isfinite(value):
            text = f"{self.library}.nan" if math.isnan(value) else f"{self.library}.inf"
            return (f"-{text}", PREFIX["neg"][1]) if value < 0 else (text, ATOM)
        text = real(value) if isinstance(value, float) else repr(value)
        if "/" in text:
            return text, _FRACTION
        return text, PREFIX["neg"][1] if text.startswith("-") else ATOM

    def array(self, node: Node) -> str:
        """Return an array of numbers; of one number only, in its shape."""
        value = node.attr("value")
        entries = list(_flat(value))
        shape = str(node.shape[0] if len(node.shape) == 1 else node.shape)
        if all(repr(entry) == repr(entries[0]) for entry in entries) and len(entries) > 1:
            if entries[0] == 0.0 and node.kind.name == "real":
                return f"{self.library}.zeros({shape})"
            return f"{self.library}.full({shape}, {self.number(entries[0])[0]})"
        if len(node.shape) == 1 and len(entries) > 3 and entries == [entries[0] + i for i in range(len(entries))]:
            bounds = [entries[0], entries[-1] + 1] if entries[0] else [entries[-1] + 1]
            return f"{self.library}.arange({', '.join(self.number(bound)[0] for bound in bounds)})"
        return f"{self.library}.array({self._rows(value)})"

    def _rows(self, value: Any) -> str:
        if isinstance(value, tuple):
            return f"[{', '.join(self._rows(item) for item in value)}]"
        return self.number(value)[0]

    def op_parameter(self, node: Node) -> tuple[str, int]:
        """Return a parameter's word."""
        return self.words[node.attr("name")], ATOM

    def op_state(self, node: Node) -> tuple[str, int]:
        """Return a state's word."""
        return self.words[node.attr("name")], ATOM

    def op_event(self, node: Node) -> tuple[str, int]:
        """Return an event's word."""
        return self.words[node.attr("name")], ATOM

    def op_is_missing(self, node: Node) -> tuple[str, int]:
        """Return whether an event, or an entry of it, is missing; of several entries, whether any is."""
        source = node.args[0]
        event = source.args[0] if source.op == "gather" else source
        flags = self.words[f"{event.attr('name')}_missing"]
        if source.op == "gather":
            flags = f"{flags}[{self.subscript(source.args[1:], source.attr('pattern'))}]"
        return self.any(flags) if source.axes else (flags, ATOM)

    def any(self, flags: str) -> tuple[str, int]:
        """Return whether any of some flags is on."""
        return f"{flags}.any()", ATOM

    def op_to_real(self, node: Node) -> tuple[str, int]:
        """Return an integer as a real number, where arithmetic does not make it one."""
        inner = node.args[0]
        if inner.op == "const" and not inner.axes:
            return self.number(float(inner.attr("value")))
        return f"{self.inside(node.args[0], ATOM)}.astype(float)", ATOM

    # Entries of arrays

    def subscript(self, indices: Sequence[Node], pattern: str) -> str:
        """Return what stands in brackets; whole axes at the end are left out."""
        remaining = iter(indices)
        return ", ".join(":" if letter == ":" else self.write(next(remaining))[0] for letter in pattern.rstrip(":"))

    def op_gather(self, node: Node) -> tuple[str, int]:
        """Return entries of an array."""
        return f"{self.inside(node.args[0], ATOM)}[{self.subscript(node.args[1:], node.attr('pattern'))}]", ATOM

    def op_at_add(self, node: Node) -> tuple[str, int]:
        """Return a copy of an array with something added to some entries."""
        return self.changed(node, "add")

    def op_at_set(self, node: Node) -> tuple[str, int]:
        """Return a copy of an array with some entries replaced."""
        return self.changed(node, "set")

    def changed(self, node: Node, how: str) -> tuple[str, int]:
        """Return a changed copy of an array, as JAX writes it."""
        where = self.subscript(node.args[1:-1], node.attr("pattern"))
        return f"{self.inside(node.args[0], ATOM)}.at[{where}].{how}({self.write(node.args[-1])[0]})", ATOM

    def op_one_hot(self, node: Node) -> tuple[str, int]:
        """Return an array that is 1 at an index and 0 elsewhere."""
        return f"{self.library}.eye({node.attr('axis').size})[{self.write(node.args[0])[0]}]", ATOM

    def op_stack(self, node: Node) -> tuple[str, int]:
        """Return values side by side, along a new last axis; numbers among arrays are spread first."""
        shape = node.shape[:-1]
        if not shape:
            return self.call(f"{self.library}.array", f"[{', '.join(self.write(arg)[0] for arg in node.args)}]")
        items = [self.spread(self.write(arg)[0], arg.shape, shape) for arg in node.args]
        return self.call(f"{self.library}.stack", f"[{', '.join(items)}]", "axis=-1")

    def spread(self, text: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str:
        """Return a value spread over a larger shape."""
        if shape == wanted:
            return text
        size = f"{wanted[0]}" if len(wanted) == 1 else f"{wanted}"
        if not shape:
            return f"{self.library}.full({size}, {text})"
        return f"{self.library}.broadcast_to({text}, {wanted})"

    def op_expand(self, node: Node) -> tuple[str, int]:
        """Return an array with new axes of one entry."""
        if not node.args[0].axes:
            return self.spread(self.write(node.args[0])[0], (), node.shape), ATOM
        inner = ", ".join("None" if letter == "n" else ":" for letter in node.attr("pattern"))
        return f"{self.inside(node.args[0], ATOM)}[{inner}]", ATOM


def real(value: float) -> str:
    """Return a real number in few digits, always with a point, an exponent or as a fraction; ``1 - 0.7`` is 0.3."""
    if value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    short = f"{value:.14g}"
    if abs(float(short) - value) <= 4e-16 * abs(value):
        return short if "." in short or "e" in short else f"{short}.0"
    fraction = Fraction(value).limit_denominator(100)
    if value == fraction.numerator / fraction.denominator:
        return f"{fraction.numerator} / {fraction.denominator}"
    return repr(value)


def parts(
    roots: Mapping[str, Node],
    records: Mapping[str, Node],
    words: Mapping[str, str],
    taken: Collection[str],
    updates: Mapping[str, Node] | None = None,
) -> dict[Node, str]:
    """Return the parts of graphs that get a line of their own, by name, arguments first.

    They are those of `named_parts`, but for those that are as short as a name: an entry of an array, the sum of two
    numbers.

    Parameters
    ----------
    roots : mapping of str to graph
        What is to be written.
    records : mapping of str to graph
        Names that the model itself has for some values.
    words : mapping of str to str
        The program's word for each of our names.
    taken : collection of str
        Words that are used already.
    updates : mapping of state to graph, optional
        New values of states: one that is used elsewhere is called ``new_q``.
    """
    own = {name: _where_known(node) for name, node in records.items()}
    found = named_parts(roots, own, taken)
    new = {learnt(state, node): state for state, node in (updates or {}).items()}
    used = {*taken, *words.values()}
    free = letters(used)
    named: dict[Node, str] = {}
    for node, name in found.items():
        if name in own:
            named[node] = words.get(name, name)
        elif not _is_short(node):
            word = f"new_{words[new[node]]}" if node in new else ""
            named[node] = word if word and word not in used else next(free)
            used.add(named[node])
    return named


def learnt(state: str, node: Node) -> Node:
    """Return a state's new value where it has one: without the conditions under which it keeps the old."""
    while node.op == "where" and not node.args[0].axes:
        kept = [arg.op == "state" and arg.attr("name") == state for arg in node.args[1:]]
        if not any(kept):
            break
        node = node.args[2 if kept[0] else 1]
    return node


def _where_known(node: Node) -> Node:
    """Return a record's value where it needs no missing one."""
    if node.op == "where" and node.args[1].op == "const" and str(node.args[1].attr("value")) == "nan":
        return node.args[2]
    return node


def _is_short(node: Node) -> bool:
    def is_leaf(arg: Node) -> bool:
        inner = arg.args[0] if arg.op in ("to_real", "neg") else arg
        return OPERATIONS[inner.op].group == "leaf" and not (inner.op == "const" and inner.axes)

    if node.op == "gather":
        return all(is_leaf(arg) for arg in node.args)
    return node.op in INFIX and not node.axes and all(is_leaf(arg) for arg in node.args)


def _is_constant(node: Node) -> bool:
    """Say whether a node depends on nothing; ``~`` takes such a condition, which is Python's own, for a number."""
    return all(item.op == "const" or (item.args and item.op != "is_missing") for item in walk(node))


def _is_zero(node: Node) -> bool:
    return node.op == "const" and not node.axes and node.attr("value") == 0


def _is_mask(node: Node) -> bool:
    """Say whether a node is 1 where a condition holds, and 0 elsewhere."""
    return (
        node.op == "where"
        and bool(node.args[0].axes)
        and [arg.attr("value") if arg.op == "const" else None for arg in node.args[1:]] == [1.0, 0.0]
    )


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, tuple):
        for item in value:
            yield from _flat(item)
    else:
        yield value
