"""The NumPyro backend: models in JAX, sampled by NumPyro's NUTS and others."""

from rlbackends.backends.numpyro.engine import Engine

__all__ = ["RUNS_IN_THREADS", "Engine"]

# Compiled functions may be called from several threads at once, and don't wait for each other.
RUNS_IN_THREADS = True
