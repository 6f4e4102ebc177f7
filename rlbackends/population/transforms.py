"""From the unconstrained line to where a prior lives, with the logarithm of the Jacobian."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from rlbackends.expressions.numpy_table import sigmoid, softplus


def constrain(z: Any, bounds: tuple[float, float]) -> Any:
    """Return the value at the unconstrained ``z``: as it is, its exponential, or a scaled logistic."""
    lo, hi = bounds
    if math.isinf(lo) and math.isinf(hi):
        return np.asarray(z, dtype=float)
    if math.isinf(hi):
        return lo + np.exp(z)
    return lo + (hi - lo) * sigmoid(z)


def unconstrain(x: Any, bounds: tuple[float, float]) -> Any:
    """Return the unconstrained value of ``x``."""
    lo, hi = bounds
    if math.isinf(lo) and math.isinf(hi):
        return np.asarray(x, dtype=float)
    if math.isinf(hi):
        return np.log(np.asarray(x) - lo)
    u = (np.asarray(x) - lo) / (hi - lo)
    return np.log(u) - np.log1p(-u)


def log_jacobian(z: Any, bounds: tuple[float, float]) -> Any:
    """Return ``log |dx / dz|``, entry by entry."""
    lo, hi = bounds
    if math.isinf(lo) and math.isinf(hi):
        return np.zeros(np.shape(z))
    if math.isinf(hi):
        return np.asarray(z, dtype=float)
    return math.log(hi - lo) - softplus(np.asarray(z)) - softplus(-np.asarray(z))


def jacobian(z: Any, bounds: tuple[float, float]) -> Any:
    """Return ``dx / dz``, entry by entry."""
    lo, hi = bounds
    if math.isinf(lo) and math.isinf(hi):
        return np.ones(np.shape(z))
    if math.isinf(hi):
        return np.exp(z)
    s = sigmoid(z)
    return (hi - lo) * s * (1 - s)
