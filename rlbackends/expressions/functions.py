"""The functions that a rule may call: ``rl.where``, ``rl.exp``, ``rl.sum`` …

Each takes stand-ins, numbers or arrays and returns a stand-in. Reductions and softmaxes run along one axis,
counted as NumPy counts; the default is the last axis.
"""

from __future__ import annotations

import builtins
from typing import Any

from rlbackends.expressions.kinds import Axis, describe
from rlbackends.expressions.node import Node
from rlbackends.expressions.passes import missing
from rlbackends.expressions.standin import (
    Expression,
    arithmetic,
    as_expression,
    fail,
    made,
    node_of,
    real_function,
    to_real,
)


def exp(x: Any) -> Expression:
    """Exponential."""
    return real_function("exp", x)


def log(x: Any) -> Expression:
    """Natural logarithm."""
    return real_function("log", x)


def log1p(x: Any) -> Expression:
    """Logarithm of ``1 + x``."""
    return real_function("log1p", x)


def sqrt(x: Any) -> Expression:
    """Square root."""
    return real_function("sqrt", x)


def sigmoid(x: Any) -> Expression:
    """Logistic function, ``1 / (1 + exp(-x))``."""
    return real_function("sigmoid", x)


def softplus(x: Any) -> Expression:
    """``log(1 + exp(x))``; ``-softplus(-x)`` is the logarithm of ``sigmoid(x)`` without underflow."""
    return real_function("softplus", x)


def tanh(x: Any) -> Expression:
    """Hyperbolic tangent."""
    return real_function("tanh", x)


def ndtr(x: Any) -> Expression:
    """Cumulative distribution of the standard normal."""
    return real_function("ndtr", x)


def log_ndtr(x: Any) -> Expression:
    """Logarithm of :func:`ndtr`, exact far into the tail."""
    return real_function("log_ndtr", x)


def ndtri(p: Any) -> Expression:
    """Quantile of the standard normal, the inverse of :func:`ndtr`."""
    return real_function("ndtri", p)


def abs(x: Any) -> Expression:
    """Absolute value; its derivative at 0 is 0."""
    return made("abs", node_of(x))


def maximum(a: Any, b: Any) -> Expression:
    """Larger of two values, entry by entry; where they are equal the derivative goes to ``a``."""
    return arithmetic("maximum", a, b)


def minimum(a: Any, b: Any) -> Expression:
    """Smaller of two values, entry by entry; where they are equal the derivative goes to ``a``."""
    return arithmetic("minimum", a, b)


def clip(x: Any, lo: Any, hi: Any) -> Expression:
    """``x`` kept within ``[lo, hi]``."""
    return minimum(maximum(x, lo), hi)


def sign(x: Any) -> Expression:
    """-1, 0 or 1."""
    value = as_expression(x)
    return where(value > 0, 1.0, where(value < 0, -1.0, 0.0))


def logit(p: Any) -> Expression:
    """Log odds, ``log(p) - log(1 - p)``."""
    return log(p) - log1p(-as_expression(p))


def where(condition: Any, yes: Any, no: Any) -> Expression:
    """``yes`` where the condition holds, otherwise ``no``; no gradient comes from the other branch."""
    nodes = [node_of(yes), node_of(no)]
    if any(node.kind.name == "real" for node in nodes):
        nodes = [to_real(node) for node in nodes]
    return made("where", node_of(condition), *nodes)


def is_missing(x: Any) -> Expression:
    """Whether ``x`` needs a value that is missing on this trial."""
    return Expression(missing(node_of(x)))


def to_float(x: Any) -> Expression:
    """An integer as a real; a real as it is."""
    return Expression(to_real(x))


def _axis(node: Node, axis: int) -> int:
    rank = len(node.axes)
    if isinstance(axis, bool) or not isinstance(axis, int) or not -rank <= axis < rank:
        fail(f"axis {axis!r} of {describe(node.axes)}.")
    return axis - rank if axis >= 0 else axis


def _along(op: str, x: Any, axis: int) -> Expression:
    node = to_real(x)
    return made(op, node, axis=_axis(node, axis))


def sum(x: Any, axis: int | None = None) -> Expression:
    """Sum along ``axis``; ``None``: of all entries."""
    result = as_expression(to_real(x))
    if axis is not None:
        return _along("sum", result, axis)
    while result.node.axes:
        result = _along("sum", result, -1)
    return result


def mean(x: Any, axis: int = -1) -> Expression:
    """Mean along ``axis``."""
    node = to_real(x)
    return _along("sum", x, axis) / node.axes[_axis(node, axis)].size


def max(x: Any, axis: int = -1) -> Expression:
    """Largest entry along ``axis``; where entries tie the derivative goes to the first."""
    return _along("max", x, axis)


def argmax(x: Any, axis: int = -1) -> Expression:
    """Index of the largest entry along ``axis``, the first where entries tie. No gradient passes."""
    return _along("argmax", x, axis)


def softmax(x: Any, axis: int = -1) -> Expression:
    """``exp(x) / sum(exp(x))`` along ``axis``."""
    return _along("softmax", x, axis)


def log_softmax(x: Any, axis: int = -1) -> Expression:
    """Logarithm of :func:`softmax`."""
    return _along("log_softmax", x, axis)


def logsumexp(x: Any, axis: int = -1) -> Expression:
    """``log(sum(exp(x)))`` along ``axis``."""
    return _along("logsumexp", x, axis)


def one_hot(index: Any, like: Any) -> Expression:
    """1 at ``index`` and 0 elsewhere.

    Parameters
    ----------
    index
        An integer.
    like
        A size, or a stand-in whose last axis the result shall have.
    """
    if isinstance(like, Expression):
        if not like.node.axes:
            fail("one_hot needs a size or an array to take its axis from.")
        axis = like.node.axes[-1]
    elif type(like) is int and like > 0:
        axis = Axis(None, like)
    else:
        fail(f"one_hot takes a size or an array to take its axis from, not {like!r}.")
    return made("one_hot", node_of(index), axis=axis)


def stack(*values: Any, axis: str | None = None) -> Expression:
    """Values side by side along a new last axis, which may be given a name."""
    return made("stack", *(to_real(value) for value in values), axis=axis)


def dot(a: Any, b: Any) -> Expression:
    """Sum of products along the last axis: ``sum(a * b, axis=-1)``."""
    return sum(as_expression(a) * b, axis=-1)


FUNCTIONS = tuple(
    name
    for name, value in builtins.list(globals().items())
    if callable(value) and getattr(value, "__module__", "") == __name__ and not name.startswith("_")
)
