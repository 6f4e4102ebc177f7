"""Taking and changing entries of arrays, each subject at its own place: by subscripts, or by one-hot masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pytensor.tensor as pt

from rlbackends.backends.pymc.tensors import number, padded, spread, steps
from rlbackends.expressions.node import Node

Subscript = tuple[Any, ...]


def _rows(size: int, *values: Any) -> int:
    return 1 if all(value.type.shape[0] == 1 for value in values) else size


def _shared(pattern: str, indices: tuple[Any, ...]) -> Subscript:
    """Return the subscript of indices that are the same for all subjects; axes stay in place."""
    remaining = iter(indices)
    return (slice(None), *(slice(None) if letter == ":" else next(remaining)[0] for letter in pattern))


def _own(pattern: str, indices: tuple[Any, ...], x_rows: int, size: int) -> Subscript:
    """Return the subscript that takes each subject's own entries; what it selects comes first."""
    rank = max(index.ndim for index in indices)
    subjects = np.arange(size, dtype=np.int64) if x_rows == size else np.zeros(size, dtype=np.int64)
    rows = pt.constant(subjects.reshape((size,) + (1,) * (rank - 1)))
    remaining = iter(indices)

    def index() -> Any:
        value = next(remaining)
        return value if value.ndim == rank else value[:, None]

    return (rows, *(slice(None) if letter == ":" else index() for letter in pattern))


def _leading(pattern: str) -> int:
    return len(pattern) - len(pattern.lstrip(":"))


def _has_vector(indices: tuple[Any, ...]) -> bool:
    return any(index.ndim == 2 for index in indices)


def _keep_ones(value: Any, shape: tuple[int, ...]) -> Any:
    """Say which axes have size 1, where subscripts forgot, so that they still broadcast."""
    known = value.type.shape[1:]
    if all(want != 1 or have == 1 for have, want in zip(known, shape, strict=True)):
        return value
    return pt.specify_shape(value, (None, *shape))


def _gather(node: Node, size: int, x: Any, *indices: Any) -> Any:
    pattern = node.attr("pattern")
    if _rows(size, *indices) == 1:
        return _keep_ones(x[_shared(pattern, indices)], node.shape)
    taken = x[_own(pattern, indices, _rows(size, x), size)]
    if _has_vector(indices):
        taken = pt.moveaxis(taken, 1, 1 + _leading(pattern))
    return _keep_ones(taken, node.shape)


def _at(change: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def at(node: Node, size: int, x: Any, *rest: Any) -> Any:
        pattern = node.attr("pattern")
        *indices, value = rest
        rows = _rows(size, x, *rest)
        shape = node.shape
        x = spread(x, (rows, *shape))
        target = _target_rank(pattern, indices)
        if _rows(size, *indices) == 1:
            return spread(change(x[_shared(pattern, tuple(indices))], padded(value, target)), (rows, *shape))
        value = padded(value, target)
        if _has_vector(tuple(indices)):
            value = pt.moveaxis(value, 1 + _leading(pattern), 1)
        return spread(change(x[_own(pattern, tuple(indices), rows, size)], value), (rows, *shape))

    return at


def _target_rank(pattern: str, indices: Any) -> int:
    return 1 + pattern.count(":") + _has_vector(tuple(indices))


# By masks


def _mask(node: Node, indices: tuple[Any, ...]) -> Any:
    """Return which entries the indices mean: (subject, [vector], *axes of the array, 1 where the whole axis is)."""
    pattern, shape = node.attr("pattern"), node.args[0].shape
    vector = _has_vector(indices)
    rank = 1 + vector + len(pattern)
    places = [i for i, letter in enumerate(pattern) if letter == "i"]
    mask: Any = None
    for index, place in zip(indices, places, strict=True):
        kept = [0, *([1 if index.ndim == 2 else "x"] if vector else []), *["x"] * len(pattern)]
        here = pt.eq(index.dimshuffle(*kept), steps(shape[place], place - len(pattern), rank))
        mask = here if mask is None else pt.and_(mask, here)
    return mask


def _gather_one_hot(node: Node, size: int, x: Any, *indices: Any) -> Any:
    if _rows(size, *indices) == 1:
        return _gather(node, size, x, *indices)
    pattern = node.attr("pattern")
    vector = _has_vector(indices)
    mask = _mask(node, indices)
    x = x[:, None] if vector else x
    axes = tuple(i - len(pattern) for i, letter in enumerate(pattern) if letter == "i")
    if x.dtype == "bool":
        taken = pt.any(pt.and_(mask, x), axis=axes)
    else:
        zero = pt.constant(np.zeros((), dtype=x.dtype))
        taken = pt.sum(pt.switch(mask, x, zero), axis=axes)
    if vector:
        taken = pt.moveaxis(taken, 1, 1 + _leading(pattern))
    return _keep_ones(taken, node.shape)


def _at_one_hot(add: bool) -> Callable[..., Any]:
    plain = _AT["at_add" if add else "at_set"]

    def at(node: Node, size: int, x: Any, *rest: Any) -> Any:
        *indices, value = rest
        if _rows(size, *indices) == 1:
            return plain(node, size, x, *rest)
        pattern = node.attr("pattern")
        vector = _has_vector(tuple(indices))
        mask = _mask(node, tuple(indices))
        value = padded(value, _target_rank(pattern, indices))
        if vector:
            value = pt.moveaxis(value, 1 + _leading(pattern), 1)
        kept = iter(range(1 + vector, value.ndim))
        value = value.dimshuffle(
            *range(1 + vector), *("x" if letter == "i" else next(kept) for letter in pattern)
        )
        placed = pt.switch(mask, value, number(0.0))
        if vector:
            placed, mask = pt.sum(placed, axis=1), pt.any(mask, axis=1)
        return spread(x + placed if add else pt.switch(mask, placed, x), (size, *node.shape))

    return at


_AT: Mapping[str, Callable[..., Any]] = {"at_add": _at(pt.inc_subtensor), "at_set": _at(pt.set_subtensor)}

WAYS: Mapping[str, Mapping[str, Callable[..., Any]]] = MappingProxyType(
    {
        "gather": {"gather": _gather, **_AT},
        "one_hot": {"gather": _gather_one_hot, "at_add": _at_one_hot(True), "at_set": _at_one_hot(False)},
    }
)
