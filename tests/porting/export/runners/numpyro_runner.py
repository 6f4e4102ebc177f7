"""Densities of programs in NumPyro."""

import jax
import numpy as np
from loading import program
from numpyro.infer.util import potential_energy


def densities(path, data_path, points, words):
    """Return the log-density at each point, of priors, Jacobians and likelihood."""
    module = program(path)
    data = module.load(data_path)
    energy = jax.jit(lambda z: potential_energy(module.model, (data,), {}, z))
    return [-energy({name: np.array(z) for name, z in point.items()}) for point in points]
