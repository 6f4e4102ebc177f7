"""The meaning of every operation in NumPy: a table from the operation to a function of arrays.

Elementwise operations take any leading axes. ``scipy.special`` gives the normal distribution; it is imported
when the first such value is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlbackends.expressions.node import Node, walk


def sigmoid(x: Any) -> Any:
    """Logistic function without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1.0 / (1.0 + e), e / (1.0 + e))


def softplus(x: Any) -> Any:
    """``log(1 + exp(x))`` without overflow."""
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def logsumexp(x: Any, axis: int) -> Any:
    """``log(sum(exp(x)))``; entries of minus infinity count as nothing."""
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    return np.squeeze(top, axis) + np.log(np.sum(np.exp(x - top), axis=axis))


def log_softmax(x: Any, axis: int) -> Any:
    """Logarithm of softmax."""
    return x - np.expand_dims(logsumexp(x, axis), axis)


def _special(name: str) -> Callable[[Any], Any]:
    def call(x: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(x)

    return call


def subscript(node: Node, indices: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the NumPy subscript of a ``gather``, ``at_add`` or ``at_set``."""
    remaining = iter(indices)
    return tuple(slice(None) if letter == ":" else next(remaining) for letter in node.attr("pattern"))


def _at(node: Node, x: Any, *rest: Any) -> Any:
    result = np.array(x, dtype=np.float64)
    where = subscript(node, rest[:-1])
    if node.op == "at_add":
        np.add.at(result, where, rest[-1])
    else:
        result[where] = rest[-1]
    return result


ELEMENTWISE: Mapping[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power,
    "neg": np.negative, "abs": np.abs, "exp": np.exp,
    "log": np.log, "log1p": np.log1p, "sqrt": np.sqrt, "sigmoid": sigmoid,
    "softplus": softplus, "tanh": np.tanh, "maximum": np.maximum, "minimum": np.minimum, "lt": np.less,
    "le": np.less_equal, "eq": np.equal, "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
    "where": np.where, "to_real": lambda x: np.asarray(x, dtype=np.float64), "ndtr": _special("ndtr"),
    "log_ndtr": _special("log_ndtr"), "ndtri": _special("ndtri"),
}  # fmt: skip

_ALONG: Mapping[str, Callable[..., Any]] = {
    "sum": np.sum, "max": np.max, "argmax": np.argmax, "logsumexp": logsumexp, "log_softmax": log_softmax,
    "softmax": lambda x, axis: np.exp(log_softmax(x, axis)),
}  # fmt: skip


def apply(node: Node, args: tuple[Any, ...]) -> Any:
    """Return the value of a node that is no leaf, from the values of its arguments (without leading axes)."""
    if node.op in ELEMENTWISE:
        return ELEMENTWISE[node.op](*args)
    if node.op in _ALONG:
        return _ALONG[node.op](args[0], axis=node.attr("axis"))
    if node.op == "gather":
        return args[0][subscript(node, args[1:])]
    if node.op in ("at_add", "at_set"):
        return _at(node, *args)
    if node.op == "one_hot":
        return np.equal(np.asarray(args[0])[..., None], np.arange(node.attr("axis").size)).astype(np.float64)
    if node.op == "stack":
        return np.stack(np.broadcast_arrays(*args), axis=-1)
    if node.op == "expand":
        return np.asarray(args[0])[tuple(None if letter == "n" else slice(None) for letter in node.attr("pattern"))]
    raise NotImplementedError(f"operation '{node.op}' has no value by itself")


def constant_value(node: Node) -> Any:
    """Return the array of a constant, integers as int64 and reals as float64."""
    return np.asarray(node.attr("value"))


def flag(node: Node, missing: Any, indices: tuple[Any, ...]) -> Any:
    """Return the value of an ``is_missing``: whether any entry that it asks about is missing."""
    source = node.args[0]
    return np.any(missing[subscript(source, indices)] if source.op == "gather" else missing)


def evaluate(root: Node, leaves: Mapping[str, Any], missing: Mapping[str, Any] | None = None) -> Any:
    """Return the value of a graph.

    Elementwise graphs take values with any leading axes.

    Parameters
    ----------
    root
        The graph.
    leaves
        Name of a parameter, state or event → its value.
    missing
        Name of an event → which of its entries are missing; needed only for graphs that ask for it.
    """
    values: dict[Node, Any] = {}
    for node in walk(root):
        if node.op == "const":
            values[node] = constant_value(node)
        elif node.op in ("parameter", "state", "event"):
            values[node] = leaves[node.attr("name")]
        elif node.op == "is_missing":
            source = node.args[0]
            event = source.args[0] if source.op == "gather" else source
            values[node] = flag(node, (missing or {})[event.attr("name")], tuple(values[i] for i in source.args[1:]))
        else:
            values[node] = apply(node, tuple(values[arg] for arg in node.args))
    return values[root]
