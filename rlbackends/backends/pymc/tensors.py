"""Small things that every lowering needs: float64 constants, axes of size 1, and static shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytensor.tensor as pt


def number(value: float) -> Any:
    """Return a float64 constant; PyTensor makes some Python floats float32."""
    return pt.constant(np.asarray(value, dtype=np.float64))


def steps(count: int, axis: int, rank: int) -> Any:
    """Return 0, 1, … ``count - 1`` along ``axis`` (negative) of ``rank`` axes."""
    shape = [1] * rank
    shape[axis] = count
    return pt.constant(np.arange(count, dtype=np.int64).reshape(shape))


def padded(value: Any, rank: int) -> Any:
    """Return a value with axes of size 1 inserted after its subject axis."""
    if value.ndim == rank:
        return value
    return value.dimshuffle(0, *["x"] * (rank - value.ndim), *range(1, value.ndim))


def align(values: Sequence[Any]) -> list[Any]:
    """Bring values to one rank, so that axes meet from the right and subjects meet subjects."""
    rank = max(value.ndim for value in values)
    return [padded(value, rank) for value in values]


def spread(value: Any, shape: tuple[int, ...]) -> Any:
    """Return a value broadcast to a static shape."""
    value = padded(value, len(shape))
    if value.type.shape == shape:
        return value
    if all(have is None or have == want for have, want in zip(value.type.shape, shape, strict=True)):
        return pt.specify_shape(value, shape)
    return pt.alloc(value, *(np.int64(n) for n in shape))
