"""The language's operations in PyTensor: a table from the operation to a function of tensors.

Every value has a leading subject axis, of size 1 where it is the same for all subjects, and then the node's axes.
The raw gradients of what is built here are the normative ones: the first of tied maxima, the first of two equal
arguments, nothing from a branch not taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor.special import log_softmax, softmax

from rlbackends.backends.pymc import derivatives, indexing
from rlbackends.backends.pymc.tensors import align, number, spread, steps
from rlbackends.errors import BackendError
from rlbackends.expressions.node import Node
from rlbackends.expressions.operations import is_total

Row = Callable[..., Any]
"""``row(node, size, *args)``: ``size`` is the number of subjects, ``args`` are the lowered arguments."""


def _elementwise(function: Callable[..., Any]) -> Row:
    return lambda node, size, *args: function(*align(args))


def _div(node: Node, size: int, *args: Any) -> Any:
    a, b = align(args)
    return a / b if is_total(node) else derivatives.div(a, b)


def _pow(node: Node, size: int, *args: Any) -> Any:
    a, b = align(args)
    if is_total(node):
        return a**b
    # 0 ** 0 passes nothing to the base, and a base below 0 nothing to the exponent.
    base = pt.switch(pt.and_(pt.eq(a, number(0.0)), pt.eq(b, number(0.0))), number(1.0), a)
    if node.args[1].op == "const":
        return derivatives.power(base, b)
    # Below 0 only whole exponents have a value, and rounding has no gradient.
    whole = pt.switch(pt.eq(pt.round(b), b), pt.round(b), number(np.nan))
    at_least_0 = pt.ge(a, number(0.0))
    above = derivatives.power(pt.switch(at_least_0, base, number(1.0)), b)
    return pt.switch(at_least_0, above, derivatives.power(base, whole))


_ROOT_HALF = np.sqrt(0.5)


def _ndtr(x: Any) -> Any:
    return number(0.5) * pt.erfc(number(-_ROOT_HALF) * x)


def _log_ndtr(x: Any) -> Any:
    # Each form gets a harmless argument where the other one counts, so that no gradient is 0 times infinity.
    is_low = pt.lt(x, number(-1.0))
    low, high = pt.switch(is_low, x, number(-1.0)), pt.switch(is_low, number(-1.0), x)
    tail = pt.log(number(0.5) * pt.erfcx(number(-_ROOT_HALF) * low)) - number(0.5) * pt.sqr(low)
    return pt.switch(is_low, tail, pt.log1p(number(-0.5) * pt.erfc(number(_ROOT_HALF) * high)))


def _ndtri(p: Any) -> Any:
    return number(-np.sqrt(2.0)) * derivatives.erfcinv(number(2.0) * p)


def _max(x: Any, axis: int) -> Any:
    first = pt.argmax(x, axis=axis, keepdims=True)
    places = steps(x.type.shape[axis], axis, x.ndim)
    return pt.sum(pt.switch(pt.eq(places, first), x, number(0.0)), axis=axis)


def _logsumexp(x: Any, axis: int) -> Any:
    # Taking the largest entry off changes no value, so what flows through it cancels, at ties too.
    top = pt.max(x, axis=axis, keepdims=True)
    top = pt.switch(pt.isinf(top), number(0.0), top)
    return pt.squeeze(top, axis=axis) + pt.log(pt.sum(pt.exp(x - top), axis=axis))


def _along(function: Callable[..., Any]) -> Row:
    return lambda node, size, x: function(x, axis=node.attr("axis"))


def _one_hot(node: Node, size: int, index: Any) -> Any:
    count = node.attr("axis").size
    places = steps(count, -1, index.ndim + 1)
    return pt.cast(pt.eq(pt.shape_padright(index), places), "float64")


def _stack(node: Node, size: int, *values: Any) -> Any:
    rows = max((size for value in values if value.type.shape[0] != 1), default=1)
    return pt.stack([spread(value, (rows, *node.shape[:-1])) for value in values], axis=-1)


def _expand(node: Node, size: int, x: Any) -> Any:
    kept = iter(range(1, x.ndim))
    return x.dimshuffle(0, *("x" if letter == "n" else next(kept) for letter in node.attr("pattern")))


def _is_missing(node: Node, size: int, flags: Any) -> Any:
    return pt.any(flags, axis=tuple(range(1, flags.ndim))) if flags.ndim > 1 else flags


_PLAIN: dict[str, Row] = {
    "add": _elementwise(lambda a, b: a + b),
    "sub": _elementwise(lambda a, b: a - b),
    "mul": _elementwise(lambda a, b: a * b),
    "div": _div,
    "pow": _pow,
    "neg": _elementwise(lambda a: -a),
    "abs": _elementwise(pt.abs),
    "exp": _elementwise(derivatives.exp),
    "log": _elementwise(derivatives.log),
    "log1p": _elementwise(derivatives.log1p),
    "sqrt": _elementwise(derivatives.sqrt),
    "sigmoid": _elementwise(pt.sigmoid),
    "softplus": _elementwise(pt.softplus),
    "tanh": _elementwise(pt.tanh),
    "ndtr": _elementwise(_ndtr),
    "log_ndtr": _elementwise(_log_ndtr),
    "ndtri": _elementwise(_ndtri),
    "maximum": _elementwise(lambda a, b: pt.switch(pt.ge(a, b), a, b)),
    "minimum": _elementwise(lambda a, b: pt.switch(pt.le(a, b), a, b)),
    "lt": _elementwise(pt.lt),
    "le": _elementwise(pt.le),
    "eq": _elementwise(pt.eq),
    "and": _elementwise(pt.and_),
    "or": _elementwise(pt.or_),
    "not": _elementwise(pt.invert),
    "where": _elementwise(pt.switch),
    "to_real": _elementwise(lambda x: pt.cast(x, "float64")),
    "sum": _along(pt.sum),
    "max": _along(_max),
    "argmax": _along(pt.argmax),
    "logsumexp": _along(_logsumexp),
    # Their own gradients are right where a probability underflows; that of the logarithm of a softmax is not.
    "log_softmax": _along(log_softmax),
    "softmax": _along(softmax),
    "one_hot": _one_hot,
    "stack": _stack,
    "expand": _expand,
    "is_missing": _is_missing,
}

TABLES: Mapping[str, Mapping[str, Row]] = MappingProxyType(
    {name: MappingProxyType({**_PLAIN, **rows}) for name, rows in indexing.WAYS.items()}
)
"""How entries are taken (``"gather"`` or ``"one_hot"``) → operation → row."""


def row(table: Mapping[str, Row], node: Node) -> Row:
    """Return the row of a node's operation, or raise ``BackendError`` by name."""
    if node.op not in table:
        raise BackendError(f"backend 'pymc' has no operation '{node.op}'.")
    return table[node.op]
