"""Checking backends against the reference, fitting, and what a fit gives."""

from rlbackends.inference.check import check
from rlbackends.inference.fit import fit
from rlbackends.inference.fitter import Fitter
from rlbackends.inference.result import Fit, load

__all__ = ["Fit", "Fitter", "check", "fit", "load"]
