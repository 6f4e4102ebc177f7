"""Out: models written as programs of other libraries, as documents and as data."""

from rlbackends.porting.export.export import TARGETS, Target, export
from rlbackends.porting.export.program import Export

__all__ = ["TARGETS", "Export", "Target", "export"]
