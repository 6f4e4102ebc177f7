"""An old likelihood against a model: the same or not, where they part, and which usual mistake explains it."""

from rlbackends.porting.compare.likelihood import compare_likelihood
from rlbackends.porting.compare.report import LikelihoodReport, Parting, VariableReport
from rlbackends.porting.compare.search import Explanation

__all__ = ["Explanation", "LikelihoodReport", "Parting", "VariableReport", "compare_likelihood"]
