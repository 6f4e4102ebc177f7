"""Priors as PyMC distributions: a table from the prior's class to a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pymc as pm

from rlbackends.errors import BackendError
from rlbackends.population import priors as p

# PyMC ignores a keyword that it does not know, so what each of these says is compared with the prior's own density.
PRIORS: Mapping[type[p.Prior], Callable[[Any], tuple[Any, dict[str, float]]]] = MappingProxyType(
    {
        p.Normal: lambda prior: (pm.Normal, {"mu": prior.mean, "sigma": prior.sd}),
        p.StudentT: lambda prior: (pm.StudentT, {"nu": prior.df, "mu": prior.mean, "sigma": prior.scale}),
        p.HalfNormal: lambda prior: (pm.HalfNormal, {"sigma": prior.sd}),
        p.HalfCauchy: lambda prior: (pm.HalfCauchy, {"beta": prior.scale}),
        p.Exponential: lambda prior: (pm.Exponential, {"lam": prior.rate}),
        p.Gamma: lambda prior: (pm.Gamma, {"alpha": prior.shape, "beta": prior.rate}),
        p.LogNormal: lambda prior: (pm.LogNormal, {"mu": prior.mean, "sigma": prior.sd}),
        p.Beta: lambda prior: (pm.Beta, {"alpha": prior.a, "beta": prior.b}),
        p.Uniform: lambda prior: (pm.Uniform, {"lower": prior.lo, "upper": prior.hi}),
    }
)


def prior_variable(name: str, prior: p.Prior, dims: tuple[str, ...]) -> Any:
    """Add a free variable with this prior to the PyMC model at hand."""
    if type(prior) not in PRIORS:
        raise BackendError(f"backend 'pymc' has no prior '{type(prior).__name__}'.")
    distribution, arguments = PRIORS[type(prior)](prior)
    # A Python float may become float32 in PyTensor.
    return distribution(name, **{key: np.float64(value) for key, value in arguments.items()}, dims=dims or None)
