"""The NumPyro backend: models in JAX, sampled by NumPyro's NUTS and others.

For users: `observe` adds a model's responses to a NumPyro model of their own; `likelihood` and `log_density` make
functions out of a NumPyro model that was written elsewhere.
"""

from rlbackends.backends.numpyro.engine import Engine
from rlbackends.backends.numpyro.inside import observe
from rlbackends.backends.numpyro.other import likelihood, log_density

__all__ = ["RUNS_IN_THREADS", "Engine", "likelihood", "log_density", "observe"]

# Compiled functions may be called from several threads at once, and don't wait for each other.
RUNS_IN_THREADS = True
