"""Samplers side by side: how fast, whether they agree, which to take."""

from rlbackends.studies.samplers.compare import compare_samplers
from rlbackends.studies.samplers.comparison import SamplerComparison

__all__ = ["SamplerComparison", "compare_samplers"]
