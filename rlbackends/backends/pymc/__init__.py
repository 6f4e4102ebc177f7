"""The PyMC backend: a table of operations, one scan over trials, and a genuine PyMC model.

For users: `observe` adds a model's responses to a PyMC model of their own; `likelihood` and `log_density` make
functions out of a PyMC model that was written elsewhere.
"""

from rlbackends.backends.pymc.engine import Engine
from rlbackends.backends.pymc.inside import observe
from rlbackends.backends.pymc.other import likelihood, log_density

__all__ = ["SIMULATION_SETTINGS", "Engine", "likelihood", "log_density", "observe"]

# A simulation runs once, over all subjects at a time: what compiles at once is done first.
SIMULATION_SETTINGS = {"mode": "FAST_COMPILE"}
