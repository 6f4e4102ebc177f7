"""How subjects differ: pooling, links and priors as data."""

from rlbackends.population import priors
from rlbackends.population.layout import Latent, Layout
from rlbackends.population.population import Pooling, Population

__all__ = ["Latent", "Layout", "Pooling", "Population", "priors"]
