"""Latents as one vector, and normal distributions of it: what optimisers and approximations work on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlbackends.errors import BackendError
from rlbackends.population.layout import Layout

# Apart from the streams in which starts are drawn.
_STREAM = 2


class Flat:
    """The unconstrained latents of a layout as one vector, in the layout's order.

    Parameters
    ----------
    layout : Layout
        The latents.
    """

    def __init__(self, layout: Layout) -> None:
        self.shapes = {latent.name: layout.shape(latent) for latent in layout.latents}
        sizes = [math.prod(shape) for shape in self.shapes.values()]
        ends = np.cumsum([0, *sizes]).tolist()
        self._parts = {name: slice(*ends[i : i + 2]) for i, name in enumerate(self.shapes)}
        self.size = ends[-1]
        if not self.size:
            raise BackendError("the population has no latent variable, expected at least one that is not fixed.")

    def join(self, z: Mapping[str, Any]) -> np.ndarray:
        """Return named values, with any leading axes, as vectors."""
        parts = []
        for name, shape in self.shapes.items():
            value = np.asarray(z[name], dtype=np.float64)
            lead = value.shape[: value.ndim - len(shape)]
            parts.append(value.reshape((*lead, math.prod(shape))))
        return np.concatenate(parts, axis=-1)

    def split(self, vectors: Any) -> dict[str, Any]:
        """Return vectors, with any leading axes, of NumPy or another library, as named values."""
        lead = vectors.shape[:-1]
        return {name: vectors[..., self._parts[name]].reshape((*lead, *shape)) for name, shape in self.shapes.items()}

    def part(self, name: str) -> slice:
        """Return where a latent's values lie."""
        return self._parts[name]

    def largest(self, weights: np.ndarray, share: float = 0.1) -> list[str]:
        """Return the latents that hold at least this share of all squared weights, the largest first."""
        squares = {name: float(np.sum(weights[part] ** 2)) for name, part in self._parts.items()}
        total = sum(squares.values())
        names = sorted(squares, key=lambda name: -squares[name])
        return [name for name in names if squares[name] >= share * total] if total > 0 else []


@dataclass(frozen=True)
class Gaussian:
    """A normal distribution of the vector of latents.

    Attributes
    ----------
    mean : array, (n,)
        Its mean.
    factor : array, (n,) or (n, n)
        Standard deviations of independent entries; or a triangular matrix whose product with its transpose is the
        covariance.
    """

    mean: np.ndarray
    factor: np.ndarray

    def draw(self, chains: int, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return independent draws, (chains, draws, n), and their log-density. Each chain has a stream of its own."""
        size = len(self.mean)
        noise = np.stack(
            [np.random.default_rng([seed, chain, _STREAM]).normal(size=(draws, size)) for chain in range(chains)]
        )
        is_diagonal = self.factor.ndim == 1
        scales = self.factor if is_diagonal else np.diag(self.factor)
        values = self.mean + (noise * self.factor if is_diagonal else noise @ self.factor.T)
        constant = -0.5 * size * math.log(2 * math.pi) - float(np.log(np.abs(scales)).sum())
        return values, constant - 0.5 * (noise**2).sum(axis=-1)
