"""The reference backend, in NumPy."""

from rlbackends.backends.reference.engine import ReferenceEngine as Engine

__all__ = ["Engine"]
