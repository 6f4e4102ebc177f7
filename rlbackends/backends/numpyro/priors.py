"""Priors in NumPyro: a table from the prior's class to its distribution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpyro.distributions as dist

from rlbackends.errors import BackendError
from rlbackends.population import priors as p

TABLE: Mapping[type[p.Prior], Callable[[Any], dist.Distribution]] = MappingProxyType(
    {
        p.Normal: lambda prior: dist.Normal(loc=prior.mean, scale=prior.sd),
        p.StudentT: lambda prior: dist.StudentT(df=prior.df, loc=prior.mean, scale=prior.scale),
        p.HalfNormal: lambda prior: dist.HalfNormal(scale=prior.sd),
        p.HalfCauchy: lambda prior: dist.HalfCauchy(scale=prior.scale),
        p.Exponential: lambda prior: dist.Exponential(rate=prior.rate),
        p.Gamma: lambda prior: dist.Gamma(concentration=prior.shape, rate=prior.rate),
        p.LogNormal: lambda prior: dist.LogNormal(loc=prior.mean, scale=prior.sd),
        p.Beta: lambda prior: dist.Beta(concentration1=prior.a, concentration0=prior.b),
        p.Uniform: lambda prior: dist.Uniform(low=prior.lo, high=prior.hi),
    }
)


def distribution(prior: p.Prior) -> dist.Distribution:
    """Return a prior as NumPyro's distribution."""
    make = TABLE.get(type(prior))
    if make is None:
        raise BackendError(f"backend 'numpyro' has no prior '{type(prior).__name__}'.")
    return make(prior)
