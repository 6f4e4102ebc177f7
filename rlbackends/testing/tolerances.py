"""How near two computations of one thing must be: the one table, and how the difference is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

TOLERANCES: Mapping[str, float] = MappingProxyType(
    {
        "trajectories": 1e-12,
        "log_likelihood": 1e-12,
        "log_density": 1e-12,
        "gradient": 1e-9,
        # Of somebody's script against a model: another order of operations, a log of a softmax, sums over thousands of
        # trials. Nothing that is a mistake stays below it, and 32-bit arithmetic does not either.
        "legacy": 1e-9,
    }
)
"""Largest difference allowed of each kind of result, in units of its scale (see `largest_difference`)."""


@dataclass(frozen=True)
class Difference:
    """The largest difference between two arrays of one shape.

    Attributes
    ----------
    value : float
        Largest absolute difference divided by ``scale``; infinite where one array has a NaN or an infinity
        and the other has not the same there.
    index : tuple of int or None
        Where it is; None if the arrays are empty or equal.
    scale : float
        ``max(1, largest finite absolute expected value)``.
    actual, expected : float or None
        The two values there.
    """

    value: float
    index: tuple[int, ...] | None
    scale: float
    actual: float | None = None
    expected: float | None = None


def largest_difference(actual: Any, expected: Any) -> Difference:
    """Measure where and by how much two arrays differ most.

    Parameters
    ----------
    actual, expected : array_like
        Numbers of one shape. Nothing is broadcast: a lost axis is a mistake, not a convenience.

    Returns
    -------
    Difference
        The largest difference in units of the expected array's scale. NaN equals NaN, and an infinity itself.

    Raises
    ------
    ValueError
        If the shapes differ.
    TypeError
        If either is not an array of real numbers.

    Examples
    --------
    >>> largest_difference([1.0, 4.5], [1.0, 4.0]).value
    0.125
    """
    got, want = _numbers(actual, "actual"), _numbers(expected, "expected")
    if got.shape != want.shape:
        raise ValueError(f"shapes differ: actual has {got.shape}, expected has {want.shape}")
    finite = np.isfinite(got) & np.isfinite(want)
    same = (got == want) | (np.isnan(got) & np.isnan(want))
    scale = float(max(1.0, np.max(np.abs(want), where=np.isfinite(want), initial=0.0)))
    difference = np.full(got.shape, np.inf)
    # Scaled before it is subtracted: the difference of two huge numbers of opposite sign would overflow.
    np.subtract(got / scale, want / scale, out=difference, where=finite)
    difference = np.where(same, 0.0, np.abs(difference))
    if not np.any(difference):
        return Difference(0.0, None, scale)
    flat = int(np.argmax(difference))
    index = tuple(int(i) for i in np.unravel_index(flat, got.shape))
    return Difference(float(difference[index]), index, scale, float(got[index]), float(want[index]))


def _numbers(values: Any, name: str) -> np.ndarray:
    """Return values as float64, refusing what would lose something on the way."""
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, expected real numbers")
    return array.astype(np.float64)
