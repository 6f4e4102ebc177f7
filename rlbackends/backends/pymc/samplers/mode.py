"""The mode of an engine's PyMC density, and the normal distribution that fits it there.

Second derivatives are differences of the gradient, of fourth order.
"""

from __future__ import annotations

from rlbackends.backends.mode import check_sampler_settings, mode_samplers
from rlbackends.backends.pymc.samplers.target import target_of

__all__ = ["check_sampler_settings", "sample_laplace", "sample_map"]

sample_map, sample_laplace = mode_samplers(target_of)
