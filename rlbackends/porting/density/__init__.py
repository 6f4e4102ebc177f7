"""The joint density of an old program, priors and all, beside ours."""

from rlbackends.porting.density.compare import compare_density
from rlbackends.porting.density.report import DensityReport

__all__ = ["DensityReport", "compare_density"]
