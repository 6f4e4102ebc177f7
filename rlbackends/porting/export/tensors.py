"""Graphs as expressions of PyTensor in which all subjects stand side by side, along a leading axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import ClassVar

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import OPERATIONS, constant
from rlbackends.expressions.printing import ATOM, COMPARED, FLIPPED, INFIX, PREFIX, is_flipped
from rlbackends.porting.export.python import Printer
from rlbackends.porting.export.source import N_SUBJECTS, N_TRIALS

SUBJECTS, TRIALS = "subjects", "trials"
"""The program's words for positions of subjects and of trials."""
HELPERS: Mapping[str, str] = MappingProxyType(
    {
        "invprobit": '''
def invprobit(x):
    """The standard normal cdf. (pm.math.invprobit rounds the root of 2 to float32.)"""
    return 0.5 * pt.erfc(-x / np.sqrt(2.0))
''',
        "probit": '''
def probit(p):
    """The quantile of the standard normal distribution."""
    return -np.sqrt(2.0) * pt.erfcinv(2.0 * p)
''',
        "log_ndtr": '''
def log_ndtr(x):
    """The logarithm of the standard normal cdf, far below 0, too."""
    low, high = pt.minimum(x, -1.0), pt.maximum(x, -1.0)
    tail = pt.log(0.5 * pt.erfcx(-low / np.sqrt(2.0))) - 0.5 * low**2
    return pt.switch(x < -1.0, tail, pt.log1p(-0.5 * pt.erfc(high / np.sqrt(2.0))))
''',
        "largest": '''
def largest(x, axis=-1):
    """The largest entry; of equal ones the first, so that a gradient goes to one of them only."""
    first = pt.argmax(x, axis=axis, keepdims=True)
    return pt.take_along_axis(x, first, axis=axis).squeeze(axis)
''',
    }
)
"""Functions that a program has where it calls them."""


class Tensors(Printer):
    """Writes graphs of one trial for all subjects at once, or of all trials.

    Every value has some leading axes and then the node's own: none where it is the same for all, one of subjects, or
    two, of subjects and trials. Axes of size 1 are put in between where values of different ranks meet.

    Parameters
    ----------
    words, names, constants
        As in :class:`Printer`.
    leads : mapping of str to int
        Leading axes of parameters, states and events by name; those of others are ``lead``.
    lead : int, default 1
        How many leading axes there are.
    """

    library: ClassVar[str] = "np"
    functions: ClassVar[Mapping[str, str]] = {
        "maximum": "pt.maximum", "minimum": "pt.minimum", "abs": "pt.abs", "exp": "pt.exp", "log": "pt.log",
        "log1p": "pt.log1p", "sqrt": "pt.sqrt", "tanh": "pt.tanh", "where": "pt.switch", "sum": "pt.sum",
        "max": "pt.max", "argmax": "pt.argmax", "sigmoid": "pt.sigmoid", "softplus": "pt.softplus",
        "softmax": "pt.special.softmax", "log_softmax": "pt.special.log_softmax", "logsumexp": "pt.logsumexp",
        "ndtr": "invprobit", "ndtri": "probit", "log_ndtr": "log_ndtr", "any": "pt.any", "eq": "pt.eq", "ne": "pt.neq",
        "moveaxis": "pt.moveaxis", "eye": "pt.eye", "stack": "pt.stack", "zeros": "pt.zeros",
        "zeros_like": "pt.zeros_like", "clip": "pt.clip",
    }  # fmt: skip
    is_symbolic: ClassVar[bool] = True

    def __init__(
        self,
        words: Mapping[str, str],
        names: Mapping[Node, str] | None = None,
        constants: dict[str, str] | None = None,
        *,
        leads: Mapping[str, int] | None = None,
        lead: int = 1,
    ) -> None:
        super().__init__(words, names, constants)
        self._leads = leads or {}
        self._lead = lead
        self._found: dict[Node, int] = {}

    # Leading axes

    def lead(self, node: Node) -> int:
        """Return how many leading axes a value has."""
        for item in walk(node, known=self._found):
            if item.op == "const":
                self._found[item] = 0
            elif item.op in ("parameter", "state", "event"):
                self._found[item] = self._leads.get(item.attr("name"), self._lead)
            elif item.op == "is_missing":
                self._found[item] = self._lead
            else:
                self._found[item] = max(self._found[arg] for arg in item.args)
        return self._found[node]

    def aligned(self, node: Node, lead: int, rank: int, tightness: int = 0) -> str:
        """Return a value with axes of size 1 where others of so many axes have more."""
        own = self.lead(node)
        new = (lead - own) + (rank - len(node.axes)) if own else 0
        return self.padded(node, own, new) if new else self.inside(node, tightness)

    def padded(self, node: Node, after: int, new: int) -> str:
        """Return a value with new axes after some of its own."""
        return f"{self.inside(node, ATOM)}[{', '.join([':'] * after + ['None'] * new)}]"

    def arguments(self, node: Node, tightness: Sequence[int] = ()) -> list[str]:
        """Return the arguments of an elementwise operation, of one rank."""
        tight = tightness or (0,) * len(node.args)
        rank = len(node.axes)
        found = [self.aligned(arg, self.lead(node), rank, t) for arg, t in zip(node.args, tight, strict=True)]
        if node.op != "where" and all(is_narrow(arg) for arg in node.args):
            wide = next((i for i, arg in enumerate(node.args) if arg.op != "const"), None)
            if wide is not None:
                found[wide] = self.wide(node.args[wide], found[wide])
        return found

    def wide(self, node: Node, text: str) -> str:
        """Return a value as float64: PyTensor makes 0.5 float32, and computes with nothing but such in float32."""
        return f'pt.cast({text}, "float64")' if self.is_symbolic and is_narrow(node) else text

    # Operations

    def operation(self, node: Node) -> tuple[str, int]:
        """Return a node's text, and how tightly it binds."""
        is_plain = f"op_{node.op}" not in dir(self) and node.op in self.functions
        if is_plain and OPERATIONS[node.op].group == "elementwise":
            return self.call(self.functions[node.op], *self.arguments(node))
        if is_plain and OPERATIONS[node.op].group == "reduce":
            inner = node.args[0]
            return self.call(self.functions[node.op], self.wide(inner, self.write(inner)[0]), *self.axis(node))
        return super().operation(node)

    def infix(self, node: Node) -> tuple[str, int]:
        """Return an operation with its symbol between its arguments."""
        symbol, binds = INFIX[node.op]
        if node.op in ("lt", "le"):
            first, second = self.arguments(node, (COMPARED, COMPARED))
            if is_flipped(node.op, node.args):
                symbol, first, second = FLIPPED[node.op], second, first
            return f"{first} {symbol} {second}", binds
        first, second = self.arguments(node, (binds + 1, binds - 1) if node.op == "pow" else (binds, binds + 1))
        return f"{first} {symbol} {second}", binds

    def op_eq(self, node: Node) -> tuple[str, int]:
        """Return whether values are equal; ``==`` of two tensors is not computed entry by entry."""
        return self.call(self.functions["eq"], *self.arguments(node))

    def op_not(self, node: Node) -> tuple[str, int]:
        """Return a negation."""
        argument = node.args[0]
        if argument.op == "eq" and argument not in self.names:
            return self.call(self.functions["ne"], *self.arguments(argument))
        return super().op_not(node)

    def op_lt(self, node: Node) -> tuple[str, int]:
        """Return a comparison; whether any entry is true, where that is what it asks."""
        mask = node.args[1]
        if node.args[0] is _ZERO and not mask.axes:
            while mask.op == "max" and mask not in self.names:
                mask = mask.args[0]
            if is_mask(mask) and mask is not node.args[1] and mask not in self.names:
                return self.any(mask.args[0])
        return self.infix(node)

    def any(self, flags: Node) -> tuple[str, int]:  # type: ignore[override]
        """Return whether any of some flags is on."""
        return self.call(self.functions["any"], self.write(flags)[0], _axes(len(flags.axes)))

    def op_minimum(self, node: Node) -> tuple[str, int]:
        """Return the smaller of two; between two bounds if the first is the larger of two."""
        inner, hi = node.args
        if inner.op != "maximum" or inner in self.names:
            return self.call(self.functions["minimum"], *self.arguments(node))
        lead, rank = self.lead(node), len(node.axes)
        return self.call(self.functions["clip"], *(self.aligned(arg, lead, rank) for arg in (*inner.args, hi)))

    def op_sum(self, node: Node) -> tuple[str, int]:
        """Return a sum; of products of a table and a vector, their product."""
        inner = node.args[0]
        if node.attr("axis") == -1 and inner.op == "mul" and inner not in self.names:
            vector, table = sorted(inner.args, key=lambda arg: len(arg.axes))
            fits = (len(vector.axes), len(table.axes)) == (1, 2) and vector.shape[-1] == table.shape[-1]
            if fits and self.lead(vector) and not self.lead(table):
                return f"{self.inside(vector, INFIX['mul'][1])} @ {self.inside(table, ATOM)}.T", INFIX["mul"][1]
        return self.call(self.functions["sum"], self.wide(inner, self.write(inner)[0]), *self.axis(node))

    def op_to_real(self, node: Node) -> tuple[str, int]:
        """Return an integer as it is: among real numbers it becomes one by itself."""
        return self.write(node.args[0])

    def axis(self, node: Node) -> list[str]:
        """Return the axis, always: there is one of subjects, too."""
        return [f"axis={node.attr('axis')}"] if "axis" in dict(node.attrs) else []

    def op_max(self, node: Node) -> tuple[str, int]:
        """Return the largest entries, in a way whose gradient is right where some are equal."""
        inner = self.write(node.args[0])[0]
        if not takes_gradient(node):
            return self.call(self.functions["max"], inner, *self.axis(node))
        return self.call("largest", inner, *([] if node.attr("axis") == -1 else self.axis(node)))

    def op_is_missing(self, node: Node) -> tuple[str, int]:
        """Return whether an event, or any entry asked for, is missing."""
        source = node.args[0]
        event = source.args[0] if source.op == "gather" else source
        flags = self.words[f"{event.attr('name')}_missing"]
        if source.op == "gather":
            flags = self.taken(flags, self._lead, source)
        return self.call(self.functions["any"], flags, _axes(len(source.axes))) if source.axes else (flags, ATOM)

    def op_const(self, node: Node) -> tuple[str, int]:
        """Return a constant; of truth values PyTensor takes NumPy's only."""
        value = node.attr("value")
        return (f"np.array({value})", ATOM) if isinstance(value, bool) else super().op_const(node)

    # Entries of arrays

    def op_gather(self, node: Node) -> tuple[str, int]:
        """Return entries of an array, each subject's own."""
        x = node.args[0]
        text = self.inside(x, ATOM)
        if x.op == "const" and any(self.lead(index) for index in node.args[1:]):
            text = f"pt.as_tensor({text})" if self.is_symbolic else text
        return self.taken(text, self.lead(x), node), ATOM

    def taken(self, text: str, lead: int, node: Node) -> str:
        """Return entries of an array of so many leading axes; ``node`` says which."""
        indices, pattern = node.args[1:], node.attr("pattern")
        before = len(pattern) - len(pattern.lstrip(":"))
        own = max(self.lead(index) for index in indices)
        vector = any(index.axes for index in indices)
        if not own or not lead:
            inner = self.entries(indices, pattern, own, vector, [":"] * lead)
            found = f"{text}[{inner}]"
            is_apart = ":" in pattern.strip(":")
            return self.moved(found, before, 0, own) if own and before and not is_apart else found
        both = max(lead, own)
        found = f"{text}[{self.entries(indices, pattern, both, vector, self.positions(lead, both, vector))}]"
        return self.moved(found, both, both + before, 1) if vector and before else found

    def positions(self, lead: int, both: int, vector: bool) -> list[str]:
        """Return the subscripts of leading axes where entries differ between subjects."""
        new = both - 1 + vector
        found = [SUBJECTS + (f"[:, {', '.join(['None'] * new)}]" if new else "")]
        return [*found, TRIALS + ("[:, None]" if vector else "")] if lead == 2 else found

    def entries(
        self, indices: Sequence[Node], pattern: str, lead: int, vector: bool, start: list[str]
    ) -> str:
        """Return a subscript; whole axes at the end are left out."""
        remaining = iter(indices)
        found = [":" if c == ":" else self.aligned(next(remaining), lead, vector) for c in pattern.rstrip(":")]
        return ", ".join([*start, *found])

    def moved(self, text: str, start: int, end: int, count: int) -> str:
        """Return an array with some neighbouring axes at another place."""
        if count == 1:
            return f"{self.functions['moveaxis']}({text}, {start}, {end})"
        many = [tuple(range(first, first + count)) for first in (start, end)]
        return f"{self.functions['moveaxis']}({text}, {many[0]}, {many[1]})"

    def changed(self, node: Node, how: str) -> tuple[str, int]:
        """Return a copy of an array that is changed at each subject's own entries."""
        x, *indices, value = node.args
        pattern, lead = node.attr("pattern"), self.lead(node)
        own = max(self.lead(index) for index in indices)
        vector = any(index.axes for index in indices)
        text = self.wide(x, self.inside(x, ATOM))
        if self.lead(x) < lead:
            text = f"({self.spread_out(x, lead, x.shape)})"
        start = self.positions(lead, lead, vector) if own else [":"] * lead
        where = self.entries(indices, pattern, lead if own else 0, vector, start)
        rank = pattern.count(":") + vector
        new = self.aligned(value, lead, rank)
        before = len(pattern) - len(pattern.lstrip(":"))
        if own and vector and before and len(value.axes) > rank - before - 1:
            if not self.lead(value):
                new = self.padded(value, 0, lead + rank - len(value.axes))
            new = self.moved(new, lead + before, lead, 1)
        return f"{text}[{where}].{'inc' if how == 'add' else how}({new})", ATOM

    def spread_out(self, node: Node, lead: int, shape: tuple[int, ...]) -> str:
        """Return a value spread over all subjects (and trials) and a shape."""
        sizes = [N_SUBJECTS, N_TRIALS][:lead] + [str(size) for size in shape]
        full = f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
        return f"{self.functions['zeros']}({full}) + {self.aligned(node, lead, len(shape), INFIX['add'][1])}"

    def op_one_hot(self, node: Node) -> tuple[str, int]:
        """Return an array that is 1 at an index and 0 elsewhere."""
        return f"{self.functions['eye']}({node.attr('axis').size})[{self.write(node.args[0])[0]}]", ATOM

    def op_stack(self, node: Node) -> tuple[str, int]:
        """Return values side by side along a new last axis; those that are the same for all are spread first."""
        lead, shape = self.lead(node), node.shape[:-1]
        full = next((arg for arg in node.args if self.lead(arg) == lead and arg.shape == shape), None)
        items = []
        for arg in node.args:
            if self.lead(arg) == lead and arg.shape == shape:
                items.append(self.write(arg)[0])
            elif full is None:
                items.append(self.spread_out(arg, lead, shape))
            elif arg is _ZERO:
                items.append(f"{self.functions['zeros_like']}({self.write(full)[0]})")
            else:
                text = self.aligned(arg, lead, len(shape), INFIX["add"][1])
                items.append(f"{self.functions['zeros_like']}({self.write(full)[0]}) + {text}")
        return self.call(self.functions["stack"], f"[{', '.join(items)}]", "axis=-1")

    def op_expand(self, node: Node) -> tuple[str, int]:
        """Return an array with new axes of one entry."""
        letters = ["None" if letter == "n" else ":" for letter in node.attr("pattern")]
        while letters and letters[-1] == ":":
            letters.pop()
        return f"{self.inside(node.args[0], ATOM)}[{', '.join([':'] * self.lead(node) + letters)}]", ATOM


class Arrays(Tensors):
    """The same in NumPy, for what follows from the data alone."""

    functions: ClassVar[Mapping[str, str]] = {
        **{op: f"np.{op}" for op in ("maximum", "minimum", "abs", "exp", "log", "log1p", "sqrt", "tanh", "where")},
        "clip": "np.clip",
        **{op: f"np.{op}" for op in ("sum", "max", "argmax", "any", "moveaxis", "eye", "stack", "zeros", "zeros_like")},
        "eq": "np.equal", "ne": "np.not_equal",
    }  # fmt: skip
    is_symbolic: ClassVar[bool] = False

    @classmethod
    def can_write(cls, node: Node) -> bool:
        """Say whether there is a word for all that a graph of the data does."""
        free = {"event", "const", "to_real", "gather", "one_hot", "expand", "is_missing", *INFIX, *PREFIX}
        return all(item.op in free or item.op in cls.functions for item in walk(node))


_ZERO, _ONE = constant(0.0), constant(1.0)


def _axes(count: int) -> str:
    return "axis=-1" if count == 1 else f"axis={tuple(range(-count, 0))}"


def takes_gradient(node: Node) -> bool:
    """Say whether a maximum depends on parameters, directly or through states."""
    while node.op == "max":
        node = node.args[0]
    return not is_mask(node) and any(item.op in ("parameter", "state") for item in walk(node))


def is_mask(node: Node) -> bool:
    """Say whether a value is 1 where a condition holds, and 0 elsewhere."""
    return node.op == "where" and node.args[1:] == (_ONE, _ZERO) and node.args[0].axes == node.axes


def is_narrow(node: Node) -> bool:
    """Say whether PyTensor would make a real value float32 or a small integer: numbers, and choices among these."""
    if node.op in ("stack", "neg", "to_real"):
        return all(is_narrow(arg) for arg in node.args)
    if node.op in ("max", "expand", "gather"):
        return is_narrow(node.args[0])
    if node.op == "where":
        return all(is_narrow(arg) for arg in node.args[1:])
    return node.op == "const" and not node.axes

