"""The PyMC backend: a table of operations, one scan over trials, and a genuine PyMC model."""

from rlbackends.backends.pymc.engine import Engine

__all__ = ["SIMULATION_SETTINGS", "Engine"]

# A simulation runs once, over all subjects at a time: what compiles at once is done first.
SIMULATION_SETTINGS = {"mode": "FAST_COMPILE"}
