"""Comparing models: by prediction of what was left out, by information criteria, by random-effects model selection."""

from rlbackends.inference.comparison.compare import compare
from rlbackends.inference.comparison.points import EstimateComparison
from rlbackends.inference.comparison.refits import kfold
from rlbackends.inference.comparison.result import Comparison
from rlbackends.inference.comparison.scores import CrossValidation
from rlbackends.inference.comparison.selection import ModelSelection, select_models

__all__ = [
    "Comparison", "CrossValidation", "EstimateComparison", "ModelSelection", "compare", "kfold", "select_models",
]  # fmt: skip
