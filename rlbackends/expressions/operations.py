"""The closed set of operations, and the check that each makes when a node is built.

An operation is one row of :data:`OPERATIONS`: how many arguments it takes and what kind and shape come out.
A node that does not fit its row can't be built, neither by a rule nor by a JSON file.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlbackends.errors import ModelError, did_you_mean
from rlbackends.expressions.kinds import BOOL, REAL, Axes, Axis, Kind, broadcast, describe, integer
from rlbackends.expressions.node import Node, _intern, walk

Infer = Callable[[tuple[Node, ...], dict[str, Any]], tuple[Kind, Axes]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A row of the table of operations.

    ``group`` is how a lowering treats it: ``leaf``, ``elementwise`` (any leading axes come free), ``reduce``
    (along one axis counted from the right) or ``index``. ``partial`` marks operations that are not finite, or
    have no finite derivative, everywhere; the guard pass protects them.
    """

    name: str
    group: str
    attrs: tuple[str, ...]
    infer: Infer
    partial: bool = False


OPERATIONS: dict[str, Operation] = {}
MAX_AXES = 16
MAX_ENTRIES = 10_000_000


def _operation(name: str, group: str, *attrs: str, partial: bool = False) -> Callable[[Infer], Infer]:
    def register(infer: Infer) -> Infer:
        OPERATIONS[name] = Operation(name, group, attrs, infer, partial)
        return infer

    return register


def build(op: str, *args: Node, **attrs: Any) -> Node:
    """Return the node ``op(*args)``, checked and interned.

    Raises
    ------
    ModelError
        If there is no such operation, or the arguments' number, kinds or shapes don't fit it.
    """
    row = OPERATIONS.get(op)
    if row is None:
        raise ModelError(f"there is no operation '{op}'.{did_you_mean(op, OPERATIONS)}")
    if set(attrs) != set(row.attrs):
        raise ModelError(f"operation '{op}' takes the attributes {row.attrs}, not {tuple(attrs)}.")
    if not all(isinstance(arg, Node) for arg in args):
        raise ModelError(f"operation '{op}' takes nodes as arguments.")
    kind, axes = row.infer(args, attrs)
    if len(axes) > MAX_AXES:
        raise ModelError(f"a value has at most {MAX_AXES} axes, not {len(axes)}")
    if math.prod(axis.size for axis in axes) > MAX_ENTRIES:
        raise ModelError(f"{describe(axes)} is more than {MAX_ENTRIES:,} entries")
    return _intern(op, args, tuple((name, attrs[name]) for name in row.attrs), kind, axes)


# Leaves


def _freeze(value: Any) -> Any:
    return tuple(_freeze(item) for item in value) if isinstance(value, list) else value


@_operation("const", "leaf", "value", "names")
def _const(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    _expect("const", args, 0)
    array = np.asarray(attrs["value"])
    names = attrs["names"]
    if len(names) != array.ndim:
        raise ModelError("a constant needs a name, or None, for each of its axes.")
    axes = tuple(Axis(name, size) for name, size in zip(names, array.shape, strict=True))
    if array.size == 0:
        raise ModelError("a constant array can't be empty.")
    if array.dtype.kind == "b":
        return BOOL, axes
    if array.dtype.kind == "i":
        return integer(int(array.min()), int(array.max())), axes
    if array.dtype.kind == "f":
        return REAL, axes
    raise ModelError(f"a constant must be numbers or booleans, not {attrs['value']!r}.")


def constant(value: Any, names: Sequence[str | None] | None = None) -> Node:
    """Return a constant: a number, a bool or a (nested sequence or) array of them."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ModelError("a constant array must have rows of one length.") from None
    if array.dtype.kind == "u" and array.max(initial=0) < 2**63:
        array = array.astype(np.int64)
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
    if array.dtype.kind not in "bif":
        raise ModelError(f"a constant must be numbers or booleans, not {value!r}.")
    return build("const", value=_freeze(array.tolist()), names=(None,) * array.ndim if names is None else tuple(names))


@_operation("parameter", "leaf", "name")
def _parameter(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    _expect("parameter", args, 0)
    return REAL, ()


@_operation("state", "leaf", "name", "axes")
def _state(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    _expect("state", args, 0)
    return REAL, attrs["axes"]


@_operation("event", "leaf", "name", "kind", "axes")
def _event(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    _expect("event", args, 0)
    return attrs["kind"], attrs["axes"]


# Elementwise


def _expect(op: str, args: tuple[Node, ...], count: int) -> None:
    if len(args) != count:
        raise ModelError(f"operation '{op}' takes {count} arguments, not {len(args)}.")


def _same(op: str, args: tuple[Node, ...], allowed: str) -> str:
    names = {arg.kind.name for arg in args}
    if len(names) != 1 or not names <= set(allowed.split()):
        given = " and ".join(str(arg.kind) for arg in args)
        hint = ". A bool only chooses: write rl.where(x, 1, 0)" if "bool" in names and "bool" not in allowed else ""
        kinds = allowed.replace(" ", " or ") + (" values of one kind" if len(args) > 1 else " values")
        raise ModelError(f"'{op}' takes {kinds}, not {given}{hint}")
    return names.pop()


_BOUNDS: dict[str, Callable[..., tuple[int, int]]] = {
    "add": lambda a, b: (a.lo + b.lo, a.hi + b.hi),
    "sub": lambda a, b: (a.lo - b.hi, a.hi - b.lo),
    "mul": lambda a, b: (
        min(a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi),
        max(a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi),
    ),
    "maximum": lambda a, b: (max(a.lo, b.lo), max(a.hi, b.hi)),
    "minimum": lambda a, b: (min(a.lo, b.lo), min(a.hi, b.hi)),
    "neg": lambda a: (-a.hi, -a.lo),
    "abs": lambda a: (0 if a.lo <= 0 <= a.hi else min(abs(a.lo), abs(a.hi)), max(abs(a.lo), abs(a.hi))),
}


def _arithmetic(op: str, count: int, allowed: str) -> Infer:
    def infer(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
        _expect(op, args, count)
        kind = REAL
        if _same(op, args, allowed) == "int":
            kind = integer(*_BOUNDS[op](*(arg.kind for arg in args)))
        return kind, broadcast(*(arg.axes for arg in args))

    return infer


for _name in ("add", "sub", "mul", "maximum", "minimum"):
    OPERATIONS[_name] = Operation(_name, "elementwise", (), _arithmetic(_name, 2, "real int"))
for _name in ("neg", "abs"):
    OPERATIONS[_name] = Operation(_name, "elementwise", (), _arithmetic(_name, 1, "real int"))
for _name in ("div", "pow"):
    OPERATIONS[_name] = Operation(_name, "elementwise", (), _arithmetic(_name, 2, "real"), partial=True)
for _name in ("exp", "log", "log1p", "sqrt", "ndtri"):
    OPERATIONS[_name] = Operation(_name, "elementwise", (), _arithmetic(_name, 1, "real"), partial=True)
for _name in ("sigmoid", "softplus", "tanh", "ndtr", "log_ndtr"):
    OPERATIONS[_name] = Operation(_name, "elementwise", (), _arithmetic(_name, 1, "real"))


def _comparison(op: str) -> Infer:
    def infer(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
        _expect(op, args, 2)
        _same(op, args, "real int")
        return BOOL, broadcast(args[0].axes, args[1].axes)

    return infer


for _name in ("lt", "le", "eq"):
    OPERATIONS[_name] = Operation(_name, "elementwise", (), _comparison(_name))


def _logical(op: str, count: int) -> Infer:
    def infer(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
        _expect(op, args, count)
        _same(op, args, "bool")
        return BOOL, broadcast(*(arg.axes for arg in args))

    return infer


for _name, _count in (("and", 2), ("or", 2), ("not", 1)):
    OPERATIONS[_name] = Operation(_name, "elementwise", (), _logical(_name, _count))


@_operation("where", "elementwise")
def _where(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    _expect("where", args, 3)
    condition, yes, no = args
    if condition.kind.name != "bool":
        raise ModelError(f"the condition of 'where' must be a comparison (bool), not {condition.kind}")
    kind = yes.kind
    if _same("where", (yes, no), "real int bool") == "int":
        kind = integer(min(yes.kind.lo, no.kind.lo), max(yes.kind.hi, no.kind.hi))
    return kind, broadcast(condition.axes, yes.axes, no.axes)


@_operation("to_real", "elementwise")
def _to_real(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    _expect("to_real", args, 1)
    _same("to_real", args, "int")
    return REAL, args[0].axes


@_operation("is_missing", "index")
def _is_missing(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    # One flag a value: of an event (any of its entries), or of the entries that a gather takes out of it.
    _expect("is_missing", args, 1)
    source = args[0].args[0] if args[0].op == "gather" else args[0]
    if source.op != "event":
        raise ModelError("the node 'is_missing' takes an event, or an entry of one.")
    return BOOL, ()


# Along an axis


def _along(op: str, outcome: Callable[[Node, int], tuple[Kind, Axes]]) -> Infer:
    def infer(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
        _expect(op, args, 1)
        _same(op, args, "real")
        axis = attrs["axis"]
        if type(axis) is not int or not -len(args[0].axes) <= axis < 0:
            raise ModelError(f"'{op}' along axis {axis} of {describe(args[0].axes)}")
        return outcome(args[0], axis)

    return infer


def _drop(axes: Axes, axis: int) -> Axes:
    position = len(axes) + axis
    return axes[:position] + axes[position + 1 :]


for _name in ("sum", "max", "logsumexp"):
    OPERATIONS[_name] = Operation(
        _name, "reduce", ("axis",), _along(_name, lambda x, axis: (REAL, _drop(x.axes, axis)))
    )
for _name in ("softmax", "log_softmax"):
    OPERATIONS[_name] = Operation(_name, "reduce", ("axis",), _along(_name, lambda x, axis: (REAL, x.axes)))
OPERATIONS["argmax"] = Operation(
    "argmax",
    "reduce",
    ("axis",),
    _along("argmax", lambda x, axis: (integer(0, x.axes[axis].size - 1), _drop(x.axes, axis))),
)


# Indexing


def _selected(op: str, x: Node, indices: tuple[Node, ...], pattern: str) -> Axes:
    """Return the axes of ``x[pattern]``: whole axes stay, a vector of indices puts its own axis in place."""
    if len(pattern) != len(x.axes) or set(pattern) - {"i", ":"} or pattern.count("i") != len(indices):
        raise ModelError(f"{len(pattern)} subscripts for {describe(x.axes)}")
    remaining = list(indices)
    axes: list[Axis] = []
    vectors = 0
    for letter, axis in zip(pattern, x.axes, strict=True):
        if letter == ":":
            axes.append(axis)
            continue
        index = remaining.pop(0)
        if index.kind.name != "int":
            raise ModelError(f"an index must be an integer, not {index.kind}")
        if index.kind.lo < 0 or index.kind.hi >= axis.size:
            raise ModelError(
                f"an index in [{index.kind.lo}, {index.kind.hi}] may be out of range: axis {axis} has "
                f"entries 0 to {axis.size - 1}"
            )
        if len(index.axes) > 1:
            raise ModelError(f"an index is one value or a vector, not {describe(index.axes)}")
        vectors += len(index.axes)
        axes.extend(index.axes)
    if vectors > 1:
        raise ModelError("at most one vector of indices in a subscript")
    if vectors and ":" in pattern.strip(":"):
        raise ModelError("a vector of indices and another index with ':' between them; take them in two steps")
    return tuple(axes)


@_operation("gather", "index", "pattern")
def _gather(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    if len(args) < 2:
        raise ModelError("'gather' takes an array and its indices.")
    return args[0].kind, _selected("gather", args[0], args[1:], attrs["pattern"])


def _depends_on_more_than_events(index: Node) -> bool:
    return any(node.op in ("state", "parameter") for node in walk(index))


def _at(op: str) -> Infer:
    def infer(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
        if len(args) < 2:
            raise ModelError(f"'{op}' takes an array, its indices and a value.")
        x, *indices, value = args
        target = _selected(op, x, tuple(indices), attrs["pattern"])
        if x.kind != REAL or value.kind != REAL:
            raise ModelError(f"'{op}' works on real values, not {x.kind} and {value.kind}")
        if op == "at_set" and any(i.axes and _depends_on_more_than_events(i) for i in indices):
            raise ModelError(
                "a vector of indices in at[...].set must come from events, so that data can be checked to "
                "name no entry twice"
            )
        if broadcast(target, value.axes) != target and len(value.axes) > len(target):
            raise ModelError(f"the value is {describe(value.axes)}, but the entries are {describe(target)}")
        if tuple(a.size for a in broadcast(target, value.axes)) != tuple(a.size for a in target):
            raise ModelError(f"the value is {describe(value.axes)}, but the entries are {describe(target)}")
        return REAL, x.axes

    return infer


for _name in ("at_add", "at_set"):
    OPERATIONS[_name] = Operation(_name, "index", ("pattern",), _at(_name))


@_operation("one_hot", "index", "axis")
def _one_hot(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    _expect("one_hot", args, 1)
    _same("one_hot", args, "int")
    axis, kind = attrs["axis"], args[0].kind
    if kind.lo < 0 or kind.hi >= axis.size:
        raise ModelError(f"'one_hot' of an index in [{kind.lo}, {kind.hi}] over axis {axis}: it may be out of range")
    return REAL, (*args[0].axes, axis)


@_operation("stack", "index", "axis")
def _stack(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    name = attrs["axis"]
    if name is not None and not isinstance(name, str):
        raise ModelError(f"the axis of 'stack' is {name!r}, expected a name or None")
    if not args:
        raise ModelError("'stack' needs at least one value.")
    _same("stack", args, "real")
    return REAL, (*broadcast(*(arg.axes for arg in args)), Axis(name, len(args)))


@_operation("expand", "index", "pattern")
def _expand(args: tuple[Node, ...], attrs: dict[str, Any]) -> tuple[Kind, Axes]:
    _expect("expand", args, 1)
    pattern = attrs["pattern"]
    if set(pattern) - {"n", ":"} or pattern.count(":") != len(args[0].axes):
        raise ModelError(f"'expand' pattern {pattern!r} does not fit {describe(args[0].axes)}")
    remaining = iter(args[0].axes)
    return args[0].kind, tuple(Axis(None, 1) if letter == "n" else next(remaining) for letter in pattern)


# Short ways to build, with the folding that keeps graphs small and masks constant

TRUE = constant(True)
FALSE = constant(False)


def both(a: Node, b: Node) -> Node:
    """Return ``a and b``, folded when one is a constant, implies the other or contradicts it."""
    return _joined("and", TRUE, FALSE, a, b)


def either(a: Node, b: Node) -> Node:
    """Return ``a or b``, folded when one is a constant, implies the other or contradicts it."""
    return _joined("or", FALSE, TRUE, a, b)


_LONGEST_CHAIN = 50


def _joined(op: str, neutral: Node, absorbing: Node, a: Node, b: Node) -> Node:
    """Return a chain of ``op`` that says each of its terms once."""
    if a is neutral or b is neutral:
        return b if a is neutral else a
    if a is absorbing or b is absorbing:
        return absorbing
    terms, new = _terms(op, a), _terms(op, b)
    if len(terms) + len(new) > _LONGEST_CHAIN:
        return a if a is b else build(op, a, b)
    dual = "or" if op == "and" else "and"
    for term in new:
        if negate(term) in terms:
            return absorbing
        # 'a or (a and c)' is a, and so is 'a and (a or c)'.
        if term not in terms and not any(part in terms for part in _terms(dual, term)):
            terms = [kept for kept in terms if term not in _terms(dual, kept)]
            terms.append(term)
    result = terms[0]
    for term in terms[1:]:
        result = build(op, result, term)
    return result


def _terms(op: str, node: Node) -> list[Node]:
    """Return the terms of a chain of ``op``, left to right; no more than are looked at."""
    terms: list[Node] = []
    stack = [node]
    while stack and len(terms) <= _LONGEST_CHAIN:
        item = stack.pop()
        if item.op == op:
            stack.extend(reversed(item.args))
        else:
            terms.append(item)
    return terms


def negate(a: Node) -> Node:
    """Return ``not a``, folded when it is a constant or a negation."""
    if a is TRUE or a is FALSE:
        return FALSE if a is TRUE else TRUE
    return a.args[0] if a.op == "not" else build("not", a)


def choose(condition: Node, yes: Node, no: Node) -> Node:
    """Return ``where(condition, yes, no)``, folded when the condition is a constant."""
    if condition is TRUE and broadcast(yes.axes, no.axes) == yes.axes:
        return yes
    if condition is FALSE and broadcast(yes.axes, no.axes) == no.axes:
        return no
    return yes if yes is no else build("where", condition, yes, no)


def is_total(node: Node) -> bool:
    """Say whether a partial operation is in fact finite and smooth for all finite arguments."""
    if node.op == "div":
        divisor = node.args[1]
        return divisor.op == "const" and bool(np.all(np.asarray(divisor.attr("value")) != 0))
    if node.op == "pow" and node.args[1].op == "const":
        exponents = np.asarray(node.args[1].attr("value"), dtype=float)
        return bool(np.all((exponents == np.floor(exponents)) & (exponents >= 1) & (exponents < math.inf)))
    return not OPERATIONS[node.op].partial
