"""Densities of programs in NumPy."""

import numpy as np
from loading import program


def densities(path, data_path, points, words):
    """Return the log-density at each point."""
    module = program(path)
    data = module.load(data_path)
    return [module.log_density({name: np.array(z) for name, z in point.items()}, data) for point in points]
