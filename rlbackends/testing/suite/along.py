"""Rows of the operations that run along an axis or pick entries."""

from __future__ import annotations

import math

import numpy as np

import rlbackends as rl
from rlbackends.testing.suite.rows import Row, flat

_TABLE = {"x": [[0.1, -0.7, 1.3], [0.9, 0.4, -2.0]]}
_TIED = {"x": [1.0, 3.0, 3.0]}
_LEVEL = {"x": [[1.0, 1.0, 0.5], [1.0, 1.0, 1.0]]}


def _sum_of_exp(x, axis):
    """Return ``log(sum(exp(x)))``, safe where a real part is large or minus infinity."""
    top = np.max(np.real(x), axis=axis, keepdims=True)
    return np.squeeze(top, axis) + np.log(np.sum(np.exp(x - top), axis=axis))


def _share(x, axis):
    """Return the softmax."""
    power = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return power / power.sum(axis=axis, keepdims=True)


def _along(operation, function, value, points, slopes=None):
    """Return rows along the last axis, the first, and the only one."""
    vectors = ({"x": [0.3, -1.2, 2.5]}, *points)
    return (
        Row(operation, lambda x: function(x), vectors, lambda x: value(x, -1), slopes and slopes(-1)),
        Row(operation, lambda x: function(x, axis=-1), (_TABLE, _LEVEL), lambda x: value(x, -1), slopes and slopes(-1)),
        Row(operation, lambda x: function(x, axis=0), (_TABLE, _LEVEL), lambda x: value(x, 0), slopes and slopes(0)),
    )


def _to_the_first(axis):
    """Return the slope of ``max`` along an axis: that of the first of the largest entries."""

    def slope(at, to):
        first = np.expand_dims(np.argmax(at["x"], axis=axis), axis)
        return np.take_along_axis(to["x"], first, axis).squeeze(axis)

    return slope


def _largest(x, axis):
    return np.max(x, axis=axis)


_ZEROS = {"x": [0.0, 0.0, 0.0]}
_FAR = ({"x": [1000.0, 1000.0, -1000.0]}, {"x": [-1000.0, -1001.0, -999.0]}, _ZEROS)
_OPTIONS = {"x": [0.5, 7.0, -0.25]}


def _without(x):
    """Return logits of which the second is that of an option that is not there."""
    return rl.where(np.array([True, False, True]), x, -math.inf)


REDUCTIONS = (
    *_along("sum", lambda x, axis=-1: rl.sum(x, axis=axis), lambda x, axis: np.sum(x, axis=axis), (_ZEROS,)),
    Row("sum", lambda x: rl.sum(x), (_TABLE,), lambda x: x.sum()),
    *_along("max", rl.max, _largest, (_TIED, _ZEROS, {"x": [-1e300, 2.0, 2.0]}), _to_the_first),
    *_along("argmax", rl.argmax, lambda x, axis: np.argmax(x, axis=axis), (_TIED, _ZEROS), lambda axis: flat),
    *_along("logsumexp", rl.logsumexp, _sum_of_exp, _FAR),
    *_along("softmax", rl.softmax, _share, _FAR),
    *_along("log_softmax", rl.log_softmax, lambda x, axis: x - np.expand_dims(_sum_of_exp(x, axis), axis), _FAR),
    # An option that is not available counts as nothing and gets no gradient.
    Row("logsumexp", lambda x: rl.logsumexp(_without(x)), (_OPTIONS,), lambda x: _sum_of_exp(x[[0, 2]], -1)),
    Row(
        "softmax", lambda x: rl.softmax(_without(x)), (_OPTIONS,),
        lambda x: _share(x[[0, 2]], -1)[[0, 0, 1]] * [1, 0, 1],
    ),
    Row(
        "log_softmax", lambda x: rl.log_softmax(_without(x))[2], (_OPTIONS,),
        lambda x: x[2] - _sum_of_exp(x[[0, 2]], -1),
    ),
)  # fmt: skip

_V, _T, _S = [1.0, 2.0, 3.0], [[1.0, 2.0, 3.0], [-4.0, 0.5, 0.25]], [[0.1, 0.2], [1.1, 1.2], [2.1, 2.2]]
_TWO, _THREE, _FOUR, _BOTH = {"i": "two"}, {"i": "three"}, {"i": "four"}, {"i": "two", "j": "three"}
_EACH = tuple({"x": _V, "i": i} for i in range(3))
_CHANGED = tuple({"x": _V, "i": i, "v": 0.5} for i in range(3))
_TWICE = {"x": _V, "i": [2, 0, 2, 2], "v": [0.1, 0.2, 0.4, 0.8]}


def _with(x, where, change, add=False):
    """Return a changed copy, by a loop over the entries named."""
    result = np.array(x, dtype=np.result_type(x, change))
    for entry, value in zip(where, np.broadcast_to(change, (len(where), *np.shape(result[where[0]]))), strict=True):
        result[entry] = result[entry] + value if add else value
    return result


def _column(i):
    """Return the entries of a column of two."""
    return [(0, int(i)), (1, int(i))]


def _add(x, i, v):
    return x.at[i].add(v)


def _set(x, i, v):
    return x.at[i].set(v)


INDEXING = (
    Row("gather", lambda x, i: x[i], _EACH, lambda x, i: x[int(i)], along=_THREE),
    Row("gather", lambda x, i: x[i], ({"x": _T, "i": 0}, {"x": _T, "i": 1}), lambda x, i: x[int(i), :], along=_TWO),
    Row(
        "gather", lambda x, i: x[:, i], ({"x": _T, "i": 0}, {"x": _T, "i": 2}), lambda x, i: x[:, int(i)],
        along=_THREE,
    ),
    Row(
        "gather", lambda x, i, j: x[i, j], ({"x": _T, "i": 1, "j": 2}, {"x": _T, "i": 0, "j": 0}),
        lambda x, i, j: x[int(i), int(j)], along=_BOTH,
    ),
    Row("gather", lambda x: x[[2, 0, 0, 2]], ({"x": _V},), lambda x: np.array([x[2], x[0], x[0], x[2]])),
    Row(
        "gather", lambda x, i: x[i], ({"x": _S, "i": [2, 0, 2, 1]},), lambda x, i: np.array([x[2], x[0], x[2], x[1]]),
        along=_THREE,
    ),
    Row(
        "gather", lambda x, i: x[i, 1], ({"x": _S, "i": [2, 0, 2, 2]},),
        lambda x, i: np.array([x[2, 1], x[0, 1], x[2, 1], x[2, 1]]), along=_THREE,
    ),
    Row("gather", lambda x: x[rl.argmax(x)], (_TIED, _ZEROS), lambda x: x[int(np.argmax(np.real(x)))]),
    Row("at_add", _add, _CHANGED, lambda x, i, v: _with(x, [int(i)], v, add=True), along=_THREE),
    Row(
        "at_add", lambda x, i, v: x.at[:, i].add(v), ({"x": _T, "i": 2, "v": 0.5}, {"x": _T, "i": 0, "v": -1.0}),
        lambda x, i, v: _with(x, _column(i), v, add=True), along=_THREE,
    ),
    Row(
        "at_add", _add, ({"x": _T, "i": 1, "v": [0.1, 0.2, 0.3]},),
        lambda x, i, v: _with(x, [int(i)], v, add=True), along=_TWO,
    ),
    # An entry that is named twice is added to twice.
    Row("at_add", _add, (_TWICE,), lambda x, i, v: _with(x, [2, 0, 2, 2], v, add=True), along=_THREE),
    Row("at_set", _set, _CHANGED, lambda x, i, v: _with(x, [int(i)], v), along=_THREE),
    Row(
        "at_set", lambda x, i, j, v: x.at[i, j].set(v), ({"x": _T, "i": 1, "j": 0, "v": 9.0},),
        lambda x, i, j, v: _with(x, [(1, 0)], v), along=_BOTH,
    ),
    Row(
        "at_set", _set, ({"x": [1.0, 2.0, 3.0, 4.0], "i": [3, 0], "v": [0.1, 0.2]},),
        lambda x, i, v: _with(x, [3, 0], v), along=_FOUR,
    ),
    Row("one_hot", lambda i: rl.one_hot(i, 3), ({"i": 0}, {"i": 2}), lambda i: np.eye(3)[int(i)], along=_THREE),
    Row("one_hot", lambda i: rl.one_hot(i, 3), ({"i": [2, 0]},), lambda i: np.eye(3)[[2, 0]], along=_THREE),
    Row(
        "one_hot", lambda i, x: rl.one_hot(i, x) * x, ({"i": 1, "x": _V},), lambda i, x: np.array([0, 1, 0]) * x,
        along=_THREE,
    ),
    Row("stack", lambda a, b: rl.stack(a, b, 1.5), ({"a": 0.5, "b": -2.0},), lambda a, b: np.array([a, b, 1.5])),
    # Values side by side become the last axis, and smaller ones stretch to the largest.
    Row(
        "stack", lambda a, b: rl.stack(a, b), ({"a": [0.5, 1.0, 2.0], "b": -2.0},),
        lambda a, b: np.array([[a[0], b], [a[1], b], [a[2], b]]),
    ),
    Row(
        "expand", lambda x, y: x[:, None] * y, ({"x": _V, "y": [10.0, -1.0]},),
        lambda x, y: np.array([[a * b for b in y] for a in x]),
    ),
    Row(
        "expand", lambda x, y: x[None, :] + y[:, None], ({"x": _V, "y": [10.0, -1.0]},),
        lambda x, y: np.array([[a + b for a in x] for b in y]),
    ),
)  # fmt: skip
