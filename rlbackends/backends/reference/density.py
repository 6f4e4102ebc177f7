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


def _by_condition(slope: np.ndarray, index: np.ndarray | None, n_conditions: int) -> np.ndarray:
    """Return a gradient by subject, or by subject and trial, as (subject, condition)."""
    if slope.ndim == 1:
        return slope[:, None]
    result = np.zeros((len(slope), n_conditions))
    np.add.at(result, (np.arange(len(slope))[:, None], index), slope)
    return result


def _summed_to(gradient: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return the gradient of a value that broadcast: the sum over the entries that it stood for."""
    gradient = np.asarray(gradient)
    axes = tuple(axis for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis] != 1)
    return gradient.sum(axis=axes, keepdims=True) if axes else gradient


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
    # Latents and columns as (subject or 1, condition or 1): what is one for all broadcasts.
    cells = {
        latent.name: Cell(values[latent.name][:, None] if latent.per_subject else values[latent.name][None, None])
        for latent in layout.latents
    }
    cells |= {name: Cell(array if array.ndim == 2 else array[:, None]) for name, array in layout.columns.items()}
    tape = Tape(record=True)
    memo: dict[Node, Cell] = {}
    naturals = {
        name: evaluate(node, memo, lambda n: cells[n.attr("name")], tape) for name, node in layout.natural.items()
    }
    total, slopes = likelihood(layout.parameters(values))
    for name, cell in naturals.items():
        slope = _by_condition(slopes[name], layout.known.index, layout.known.n_conditions)
        slope = _summed_to(slope, np.shape(cell.value))
        cell.gradient = slope if cell.gradient is None else cell.gradient + slope
    tape.back()
    gradient = {}
    for latent in layout.latents:
        cell, shape = cells[latent.name], np.shape(values[latent.name])
        gradient[latent.name] = (
            np.zeros(shape)
            if cell.gradient is None
            else _summed_to(cell.gradient, np.shape(cell.value)).reshape(shape)
        )
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
