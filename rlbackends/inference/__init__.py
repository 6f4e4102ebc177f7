"""Checking backends against the reference, fitting, and what a fit gives."""

from rlbackends.inference.check import check
from rlbackends.inference.checkpoint import InterruptedFitWarning
from rlbackends.inference.estimates import Estimates, estimate
from rlbackends.inference.fit import fit
from rlbackends.inference.fitter import Fitter
from rlbackends.inference.gradients import GradientWarning
from rlbackends.inference.loading import load
from rlbackends.inference.result import Fit

__all__ = ["Estimates", "Fit", "Fitter", "GradientWarning", "InterruptedFitWarning", "check", "estimate", "fit", "load"]
