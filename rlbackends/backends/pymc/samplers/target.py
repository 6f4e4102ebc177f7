"""An engine's PyMC density as what modes and approximations work on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rlbackends.backends.approximate import Target
from rlbackends.backends.diagnose import explain_no_start
from rlbackends.backends.flat import Flat

if TYPE_CHECKING:
    from rlbackends.backends.pymc.engine import Engine

# Rounding over the step, and its fourth power, are then about equally small: 1e-13 of the values.
_STEP = 1e-3
_WEIGHTS = {1: 8 / 12, 2: -1 / 12}


def target_of(engine: Engine) -> Target:
    """Return an engine's density, as it was compiled for the comparison with the reference."""
    flat = Flat(engine.layout)

    def slope(vector: np.ndarray) -> np.ndarray:
        return flat.join(engine.log_density_and_gradient(flat.split(vector))[1])

    def precision(vector: np.ndarray) -> np.ndarray:
        matrix = np.zeros((flat.size, flat.size))
        for i in range(flat.size):
            along = np.zeros(flat.size)
            along[i] = _STEP
            for times, weight in _WEIGHTS.items():
                matrix[i] -= weight * (slope(vector + times * along) - slope(vector - times * along)) / _STEP
        return 0.5 * (matrix + matrix.T)

    def log_densities(rows: np.ndarray) -> np.ndarray:
        # With the gradient, which is not needed, because that function is compiled already.
        return np.array([engine.log_density_and_gradient(flat.split(row))[0] for row in rows])

    return Target(
        engine.layout, engine.log_density_and_gradient, precision, log_densities,
        explain=lambda z: explain_no_start(engine, z), gradients_a_column=2 * len(_WEIGHTS),
    )  # fmt: skip
