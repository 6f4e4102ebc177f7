"""The reference backend, in NumPy."""

from rlbackends.backends.reference.diagnose import explain_no_start
from rlbackends.backends.reference.engine import ReferenceEngine as Engine

__all__ = ["Engine", "explain_no_start"]
