"""Point estimates: maximum likelihood, maximum a posteriori, and hierarchical expectation–maximisation."""

from rlbackends.inference.estimates.estimate import estimate
from rlbackends.inference.estimates.result import Estimates, Group

__all__ = ["Estimates", "Group", "estimate"]
