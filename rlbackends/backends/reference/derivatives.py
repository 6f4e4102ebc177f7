"""The normative derivative of every operation: from the gradient of a result to those of its arguments.

Where nothing flows back (a gradient of exactly 0), nothing is passed on, so a branch that was not taken can't
turn a zero into NaN. At ties: ``max`` the first entry, ``maximum`` and ``minimum`` the first argument, ``abs`` zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlbackends.expressions.node import Node
from rlbackends.expressions.numpy_table import log_softmax, sigmoid, subscript

Gradients = tuple[Any, ...]
_SQRT_2PI = math.sqrt(2 * math.pi)


def unbroadcast(gradient: Any, shape: tuple[int, ...]) -> Any:
    """Sum a gradient over the axes along which its value was broadcast."""
    gradient = np.asarray(gradient)
    extra = gradient.ndim - len(shape)
    if extra:
        gradient = gradient.sum(axis=tuple(range(extra)))
    stretched = tuple(i for i, size in enumerate(shape) if size == 1 and gradient.shape[i] != 1)
    return gradient.sum(axis=stretched, keepdims=True) if stretched else gradient


def _times(gradient: Any, factor: Any) -> Any:
    return np.where(gradient == 0, 0.0, gradient * factor)


def _pow(g: Any, o: Any, a: Any, b: Any) -> Gradients:
    base = _times(g, b * np.power(a, np.where(b == 0, 1.0, b - 1.0)))
    log_a = np.log(np.where(a > 0, a, 1.0))
    return base, _times(g, np.where(a > 0, o * log_a, 0.0))


def _phi(x: Any) -> Any:
    return np.exp(-0.5 * np.square(x)) / _SQRT_2PI


def _log_ndtr(g: Any, o: Any, a: Any) -> Gradients:
    return (_times(g, np.exp(-0.5 * np.square(a) - o) / _SQRT_2PI),)


_ELEMENTWISE: Mapping[str, Callable[..., Gradients]] = {
    "add": lambda g, o, a, b: (g, g),
    "sub": lambda g, o, a, b: (g, -g),
    "mul": lambda g, o, a, b: (_times(g, b), _times(g, a)),
    "div": lambda g, o, a, b: (_times(g, 1.0 / b), _times(g, -o / b)),
    "pow": _pow,
    "neg": lambda g, o, a: (-g,),
    "abs": lambda g, o, a: (g * np.sign(a),),
    "exp": lambda g, o, a: (_times(g, o),),
    "log": lambda g, o, a: (_times(g, 1.0 / a),),
    "log1p": lambda g, o, a: (_times(g, 1.0 / (1.0 + a)),),
    "sqrt": lambda g, o, a: (_times(g, 0.5 / o),),
    "sigmoid": lambda g, o, a: (_times(g, sigmoid(a) * sigmoid(-a)),),
    "softplus": lambda g, o, a: (_times(g, sigmoid(a)),),
    "tanh": lambda g, o, a: (_times(g, 4.0 * sigmoid(2.0 * a) * sigmoid(-2.0 * a)),),
    "ndtr": lambda g, o, a: (_times(g, _phi(a)),),
    "log_ndtr": _log_ndtr,
    "ndtri": lambda g, o, a: (_times(g, 1.0 / _phi(o)),),
    "maximum": lambda g, o, a, b: (np.where(a >= b, g, 0.0), np.where(a >= b, 0.0, g)),
    "minimum": lambda g, o, a, b: (np.where(a <= b, g, 0.0), np.where(a <= b, 0.0, g)),
    "where": lambda g, o, c, a, b: (None, np.where(c, g, 0.0), np.where(c, 0.0, g)),
}


def _sum(node: Node, g: Any, o: Any, x: Any) -> Gradients:
    return (np.broadcast_to(np.expand_dims(g, node.attr("axis")), x.shape),)


def _max(node: Node, g: Any, o: Any, x: Any) -> Gradients:
    axis = node.attr("axis")
    first = np.expand_dims(np.argmax(x, axis=axis), axis)
    result = np.zeros(x.shape)
    np.put_along_axis(result, first, np.expand_dims(g, axis), axis=axis)
    return (result,)


def _logsumexp(node: Node, g: Any, o: Any, x: Any) -> Gradients:
    axis = node.attr("axis")
    return (_times(np.expand_dims(g, axis), np.exp(log_softmax(x, axis))),)


def _softmax(node: Node, g: Any, o: Any, x: Any) -> Gradients:
    return (o * (g - np.sum(g * o, axis=node.attr("axis"), keepdims=True)),)


def _log_softmax(node: Node, g: Any, o: Any, x: Any) -> Gradients:
    return (g - np.exp(o) * np.sum(g, axis=node.attr("axis"), keepdims=True),)


def _gather(node: Node, g: Any, o: Any, x: Any, *indices: Any) -> Gradients:
    result = np.zeros(np.shape(x))
    np.add.at(result, subscript(node, indices), g)
    return (result, *(None for _ in indices))


def _at_add(node: Node, g: Any, o: Any, x: Any, *rest: Any) -> Gradients:
    return (g, *(None for _ in rest[:-1]), np.asarray(g)[subscript(node, rest[:-1])])


def _at_set(node: Node, g: Any, o: Any, x: Any, *rest: Any) -> Gradients:
    where = subscript(node, rest[:-1])
    kept = np.array(g)
    kept[where] = 0.0
    return (kept, *(None for _ in rest[:-1]), np.asarray(g)[where])


def _stack(node: Node, g: Any, o: Any, *values: Any) -> Gradients:
    return tuple(np.asarray(g)[..., i] for i in range(len(values)))


def _expand(node: Node, g: Any, o: Any, x: Any) -> Gradients:
    return (np.reshape(g, np.shape(x)),)


_SHAPED: Mapping[str, Callable[..., Gradients]] = {
    "sum": _sum, "max": _max, "logsumexp": _logsumexp, "softmax": _softmax, "log_softmax": _log_softmax,
    "gather": _gather, "at_add": _at_add, "at_set": _at_set, "stack": _stack, "expand": _expand,
}  # fmt: skip


def pull_back(node: Node, gradient: Any, result: Any, args: tuple[Any, ...]) -> Gradients:
    """Return the gradient of each argument (None where none flows) from the gradient of the node's result."""
    with np.errstate(all="ignore"):
        if node.op in _ELEMENTWISE:
            raw = _ELEMENTWISE[node.op](gradient, result, *args)
        elif node.op in _SHAPED:
            raw = _SHAPED[node.op](node, gradient, result, *args)
        else:  # comparisons, logic, argmax, one_hot, to_real: nothing flows through integers and booleans
            return (None,) * len(args)
    return tuple(None if g is None else unbroadcast(g, np.shape(arg)) for g, arg in zip(raw, args, strict=True))
