"""What a rule holds while it is traced: a stand-in for a value that is known only when a trial is played."""

from __future__ import annotations

import contextlib
import os
import reprlib
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from rlbackends.errors import ModelError
from rlbackends.expressions.kinds import Axis, describe
from rlbackends.expressions.node import Node
from rlbackends.expressions.operations import OPERATIONS, build, constant

_PACKAGE = Path(__file__).parents[1]
# What a rule calls: a fault inside is a fault of the line that called it.
_INSIDE = (
    *(f"{_PACKAGE / name}{os.sep}" for name in ("expressions", "model")),
    str(_PACKAGE / "components.py"),
    "<frozen",
)
_NUMPY_TWINS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "power": "**",
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
    "bitwise_and": "&", "bitwise_or": "|",
}  # fmt: skip
# What to write instead of a NumPy function of another name.
_INSTEAD = {
    "absolute": "abs(x)", "fabs": "abs(x)", "expit": "rl.sigmoid(x)", "negative": "-x", "positive": "x",
    "square": "x ** 2", "matmul": "rl.dot(a, b)", "invert": "~x",
    "logical_and": "a & b", "logical_or": "a | b", "logical_not": "~x", "amax": "rl.max(x)",
    "amin": "-rl.max(-x)", "min": "-rl.max(-x)", "logaddexp": "rl.logsumexp(rl.stack(a, b))",
    "concatenate": "rl.stack(a, b)",
}  # fmt: skip
# The methods of arrays that newcomers try, where a function does it.
_METHODS = ("sum", "mean", "max", "argmax", "clip", "dot", "where")

locations: ContextVar[dict[Node, str] | None] = ContextVar("locations", default=None)


def caller() -> str:
    """Return ``file.py:line`` of the nearest frame outside the language: the line of the rule."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        frame = frame.f_back
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"


@contextlib.contextmanager
def recording() -> Iterator[dict[Node, str]]:
    """Remember at which line each node was first written."""
    found: dict[Node, str] = {}
    token = locations.set(found)
    try:
        yield found
    finally:
        locations.reset(token)


def fail(message: str) -> NoReturn:
    """Raise ``ModelError`` with the line of the rule in front."""
    raise ModelError(f"{caller()}: {message}") from None


def made(op: str, *args: Node, **attrs: Any) -> Expression:
    """Build a node for a rule; a fault comes with the rule's line and the expression."""
    try:
        node = build(op, *args, **attrs)
    except ModelError as error:
        from rlbackends.expressions.printing import call_text

        fail(f"{str(error).rstrip('.')}. The expression is '{call_text(op, args, attrs)}'.")
    return Expression(node)


class Expression:
    """A stand-in for a value inside a rule.

    It supports ``+ - * / **``, comparisons, ``& | ~``, subscripts ``x[i]``, ``x[:, i]``, ``x[:, None]`` and
    ``x.at[i].add(v)``, ``x.at[i].set(v)``; the functions are in ``rlbackends``: ``rl.where``, ``rl.exp`` … It
    can't be asked for its value: a Python ``if``, ``and``, ``float()`` or a NumPy function on it is an error.
    """

    __slots__ = ("node",)

    def __init__(self, node: Node) -> None:
        self.node = node
        found = locations.get()
        if found is not None and node not in found and OPERATIONS[node.op].group != "leaf":
            found[node] = caller()

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of its axes, known while the rule is traced."""
        return self.node.shape

    @property
    def at(self) -> _At:
        """``x.at[i].add(v)`` and ``x.at[i].set(v)``: a changed copy of ``x``."""
        return _At(self)

    def __repr__(self) -> str:
        from rlbackends.expressions.printing import short_text

        return f"<{short_text(self.node)}: {self.node.kind}, {describe(self.node.axes)}>"

    # Arithmetic

    def __add__(self, other: Any) -> Expression:
        return arithmetic("add", self, other)

    def __radd__(self, other: Any) -> Expression:
        return arithmetic("add", other, self)

    def __sub__(self, other: Any) -> Expression:
        return arithmetic("sub", self, other)

    def __rsub__(self, other: Any) -> Expression:
        return arithmetic("sub", other, self)

    def __mul__(self, other: Any) -> Expression:
        return arithmetic("mul", self, other)

    def __rmul__(self, other: Any) -> Expression:
        return arithmetic("mul", other, self)

    def __truediv__(self, other: Any) -> Expression:
        return real_function("div", self, other)

    def __rtruediv__(self, other: Any) -> Expression:
        return real_function("div", other, self)

    def __pow__(self, other: Any) -> Expression:
        return real_function("pow", self, other)

    def __rpow__(self, other: Any) -> Expression:
        return real_function("pow", other, self)

    def __neg__(self) -> Expression:
        return made("neg", self.node)

    def __pos__(self) -> Expression:
        return self

    def __abs__(self) -> Expression:
        return made("abs", self.node)

    # Comparisons and logic

    def __lt__(self, other: Any) -> Expression:
        return arithmetic("lt", self, other)

    def __le__(self, other: Any) -> Expression:
        return arithmetic("le", self, other)

    def __gt__(self, other: Any) -> Expression:
        return arithmetic("lt", other, self)

    def __ge__(self, other: Any) -> Expression:
        return arithmetic("le", other, self)

    def __eq__(self, other: Any) -> Expression:  # type: ignore[override]
        return arithmetic("eq", self, other)

    def __ne__(self, other: Any) -> Expression:  # type: ignore[override]
        return ~arithmetic("eq", self, other)

    __hash__ = object.__hash__

    def __and__(self, other: Any) -> Expression:
        return made("and", self.node, node_of(other))

    def __or__(self, other: Any) -> Expression:
        return made("or", self.node, node_of(other))

    __rand__ = __and__
    __ror__ = __or__

    def __invert__(self) -> Expression:
        return made("not", self.node)

    # Subscripts

    def __getitem__(self, subscript: Any) -> Expression:
        items, new = _subscript(self, subscript)
        pattern, indices = _pattern(items)
        result = made("gather", self.node, *indices, pattern=pattern) if indices else self
        return made("expand", result.node, pattern=_layout(items, new)) if new else result

    def __setitem__(self, subscript: Any, value: Any) -> None:
        fail(
            f"'{self._text()}' can't be changed in place. Write {self._text()}.at[...].set(...) or "
            ".at[...].add(...), which return a changed copy."
        )

    def __len__(self) -> int:
        if not self.node.axes:
            fail(f"'{self._text()}' is one value; it has no length.")
        return self.node.axes[0].size

    # What a stand-in can't do

    def __getattr__(self, name: str) -> NoReturn:
        hint = f" Write rl.{name}(...)." if name in _METHODS else ""
        raise AttributeError(f"{caller()}: a value of a rule has no '{name}'.{hint}")

    def _no_operator(self, other: Any) -> NoReturn:
        fail(f"a rule has the operators + - * / ** == != < <= > >= & | ~ only. The value is '{self._text()}'.")

    __mod__ = __rmod__ = __floordiv__ = __rfloordiv__ = __divmod__ = __rdivmod__ = _no_operator
    __xor__ = __rxor__ = __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = _no_operator

    def __matmul__(self, other: Any) -> NoReturn:
        fail(f"a rule has no operator '@'. Write rl.dot(a, b). The value is '{self._text()}'.")

    __rmatmul__ = __matmul__

    def _text(self) -> str:
        from rlbackends.expressions.printing import short_text

        return short_text(self.node)

    def __bool__(self) -> bool:
        fail(
            f"a rule can't branch on '{self._text()}': its value is known only when a trial is played. "
            "Write rl.where(condition, yes, no) instead of if, & | ~ instead of and, or, not, and "
            "(a < x) & (x < b) instead of a < x < b."
        )

    def _no_number(self, what: str) -> NoReturn:
        fail(f"{what} of '{self._text()}': its value is known only when a trial is played. Compute with it as it is.")

    def __float__(self) -> float:
        self._no_number("float()")

    def __int__(self) -> int:
        self._no_number("int()")

    def __index__(self) -> int:
        self._no_number("a Python index or range()")

    def __iter__(self) -> Iterator[Expression]:
        fail(
            f"a rule can't loop over '{self._text()}'. Compute with the whole array (rl.sum, rl.max ...), "
            "or write its entries out as x[0], x[1]."
        )

    def __contains__(self, item: object) -> bool:
        fail(f"'in' on '{self._text()}': write a comparison, as in (x == 0) | (x == 1).")

    def __array__(self, *args: Any, **kwargs: Any) -> NoReturn:
        self._no_number("a NumPy array")

    def __array_function__(self, function: Callable[..., Any], *args: Any) -> NoReturn:
        _no_numpy(function.__name__)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Expression:
        # A NumPy array on the left of an operator arrives here; a NumPy function does too, and is refused.
        symbol = _NUMPY_TWINS.get(ufunc.__name__)
        if method != "__call__" or kwargs or symbol is None:
            _no_numpy(ufunc.__name__)
        left, right = (item if isinstance(item, Expression) else as_expression(item) for item in inputs)
        methods = {
            "+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "**": "__pow__",
            "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__", "==": "__eq__", "!=": "__ne__",
            "&": "__and__", "|": "__or__",
        }  # fmt: skip
        result: Expression = getattr(left, methods[symbol])(right)
        return result


def _no_numpy(name: str) -> NoReturn:
    from rlbackends.expressions.functions import FUNCTIONS

    instead = f"rl.{name}(...)" if name in FUNCTIONS else _INSTEAD.get(name, "")
    hint = f"Write {instead}" if instead else "Use the functions of rl"
    fail(f"numpy.{name} can't take a rule's values. {hint} instead.")


def as_expression(value: Any) -> Expression:
    """Return ``value`` as a stand-in; numbers and arrays become constants."""
    return value if isinstance(value, Expression) else Expression(node_of(value))


def node_of(value: Any) -> Node:
    """Return the node of a stand-in, number or array."""
    if isinstance(value, Expression):
        return value.node
    if isinstance(value, Node):
        return value
    if isinstance(value, list | tuple) and any(isinstance(item, Expression) for item in value):
        fail("a list of values of the rule is no array. Write rl.stack(a, b).")
    try:
        return constant(value)
    except (ModelError, ValueError):
        fail(f"{reprlib.repr(value)} is no number, array or value of the rule.")


def to_real(value: Any) -> Node:
    """Return ``value`` as a real node: an integer gets an explicit ``to_real``, a literal becomes a float."""
    node = node_of(value)
    if node.kind.name != "int":
        return node
    if node.op == "const":
        names = node.attr("names")
        return constant(np.asarray(node.attr("value"), dtype=float), names)
    return made("to_real", node).node


def arithmetic(op: str, *values: Any) -> Expression:
    """Build an operation that integers and reals share: integers stay so only if all of them are."""
    nodes = [node_of(value) for value in values]
    if any(node.kind.name == "real" for node in nodes):
        nodes = [to_real(node) for node in nodes]
    return made(op, *nodes)


def real_function(op: str, *values: Any, **attrs: Any) -> Expression:
    """Build an operation on reals."""
    return made(op, *(to_real(value) for value in values), **attrs)


def _subscript(x: Expression, subscript: Any) -> tuple[list[Any], bool]:
    """Return one item per axis of ``x``, None where an axis is inserted, and whether one is."""
    items = list(subscript) if isinstance(subscript, tuple) else [subscript]
    given = sum(item is not None and item is not Ellipsis for item in items)
    rank = len(x.node.axes)
    if given > rank or sum(item is Ellipsis for item in items) > 1:
        fail(f"{given} subscripts for '{x._text()}', which has {describe(x.node.axes)}.")
    fill = [slice(None)] * (rank - given)
    if any(item is Ellipsis for item in items):
        position = next(i for i, item in enumerate(items) if item is Ellipsis)
        items[position : position + 1] = fill
    else:
        items += fill
    axes = iter(x.node.axes)
    checked = [None if item is None else _item(x, item, next(axes)) for item in items]
    return checked, any(item is None for item in checked)


def _item(x: Expression, item: Any, axis: Axis) -> Node | slice:
    if isinstance(item, slice):
        if item != slice(None):
            fail(f"only the whole axis ':' can be taken of '{x._text()}', not a part of it.")
        return item
    if isinstance(item, bool | np.bool_) or (isinstance(item, Expression) and item.node.kind.name == "bool"):
        fail(f"'{x._text()}' can't be subscripted by a comparison. Write rl.where(condition, yes, no).")
    node = node_of(item)
    if node.kind.name != "int":
        shown = as_expression(node)._text() if isinstance(item, Expression) else repr(item)
        fail(f"an index must be an integer, not {node.kind}: '{x._text()}[{shown}]'.")
    if node.op == "const" and -axis.size <= node.kind.lo < 0:  # counted from the end, as NumPy does
        values = np.asarray(node.attr("value"))
        return constant(np.where(values < 0, values + axis.size, values), node.attr("names"))
    return node


def _pattern(items: list[Any]) -> tuple[str, list[Node]]:
    kept = [item for item in items if item is not None]
    return "".join(":" if isinstance(item, slice) else "i" for item in kept), [i for i in kept if isinstance(i, Node)]


def _layout(items: list[Any], new: bool) -> str:
    """Return the ``expand`` pattern over what is left after the indices were taken."""
    letters = []
    for item in items:
        if item is None:
            letters.append("n")
        elif isinstance(item, slice) or item.axes:
            letters.append(":")
    return "".join(letters)


class _At:
    """``x.at``: takes the subscript of the entries to change."""

    __slots__ = ("_x",)

    def __init__(self, x: Expression) -> None:
        self._x = x

    def __getitem__(self, subscript: Any) -> _Target:
        items, new = _subscript(self._x, subscript)
        if new:
            fail(f"None can't stand in '{self._x._text()}.at[...]'.")
        return _Target(self._x, items)


class _Target:
    """``x.at[i]``: the entries to change."""

    __slots__ = ("_indices", "_pattern", "_x")

    def __init__(self, x: Expression, items: list[Any]) -> None:
        self._x = x
        self._pattern, self._indices = _pattern(items)

    def add(self, value: Any) -> Expression:
        """Return a copy of the array with ``value`` added to these entries."""
        return made("at_add", to_real(self._x), *self._indices, to_real(value), pattern=self._pattern)

    def set(self, value: Any) -> Expression:
        """Return a copy of the array with these entries set to ``value``."""
        return made("at_set", to_real(self._x), *self._indices, to_real(value), pattern=self._pattern)
