"""The reference's joint density of unconstrained latents, and its gradient."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlbackends.backends.reference.tape import Cell, Tape, evaluate
from rlbackends.expressions.node import Node
from rlbackends.population.layout import Layout
from rlbackends.population.transforms import jacobian, log_jacobian

_STEP = 1e-30


def _slope(function: Callable[[Any], Any], x: np.ndarray) -> np.ndarray:
    """Return the derivative of an analytic elementwise function by a complex step, exact to rounding."""
    return np.imag(function(x + 1j * _STEP)) / _STEP


def _normal(x: Any, mean: Any, sd: Any) -> Any:
    return -0.5 * ((x - mean) / sd) ** 2 - np.log(sd) - 0.5 * math.log(2 * math.pi)


def _log_jacobian_slope(z: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    if math.isinf(bounds[0]):
        return np.zeros(z.shape)
    if math.isinf(bounds[1]):
        return np.ones(z.shape)
    return -np.tanh(z / 2)


def log_density_and_gradient(
    layout: Layout,
    z: Mapping[str, np.ndarray],
    likelihood: Callable[[dict[str, np.ndarray]], tuple[float, dict[str, np.ndarray]]],
) -> tuple[float, dict[str, np.ndarray]]:
    """Return the log-density at ``z`` and its gradient; ``likelihood`` gives value and gradient by parameter."""
    points = {name: np.asarray(z[name], dtype=float) for name in layout.names}
    values = layout.constrain(points)
    cells = {
        latent.name: Cell(values[latent.name] if latent.per_subject else values[latent.name][None])
        for latent in layout.latents
    }
    tape = Tape(record=True)
    memo: dict[Node, Cell] = {}
    naturals = {
        name: evaluate(node, memo, lambda n: cells[n.attr("name")], tape) for name, node in layout.natural.items()
    }
    total, slopes = likelihood(layout.parameters(values))
    for name, cell in naturals.items():
        # One value for all broadcasts over subjects, so its gradient is the sum of theirs.
        slope = slopes[name] if np.shape(cell.value) == slopes[name].shape else slopes[name].sum(keepdims=True)
        cell.gradient = slope if cell.gradient is None else cell.gradient + slope
    tape.back()
    gradient = {
        name: np.zeros(np.shape(values[name]))
        if cell.gradient is None
        else np.reshape(cell.gradient, np.shape(values[name]))
        for name, cell in cells.items()
    }
    for latent in layout.latents:
        x = values[latent.name]
        if latent.prior is not None:
            total += float(np.sum(latent.prior.log_density(x)))
            gradient[latent.name] = gradient[latent.name] + _slope(latent.prior.log_density, x)
        elif latent.parents is not None:
            location, sd = latent.parents
            mean, scale = values[location], values[sd]
            total += float(np.sum(_normal(x, mean, scale)))
            gradient[latent.name] = gradient[latent.name] + _slope(lambda v, m=mean, s=scale: _normal(v, m, s), x)
            gradient[location] = gradient[location] + np.sum(_slope(lambda m, v=x, s=scale: _normal(v, m, s), mean))
            gradient[sd] = gradient[sd] + np.sum(_slope(lambda s, v=x, m=mean: _normal(v, m, s), scale))
    result = {}
    for latent in layout.latents:
        point = points[latent.name]
        total += float(np.sum(log_jacobian(point, latent.bounds)))
        slope = gradient[latent.name] * jacobian(point, latent.bounds)
        result[latent.name] = slope + _log_jacobian_slope(point, latent.bounds)
    return total, result
