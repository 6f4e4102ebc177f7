"""A genuine NumPyro model: latent sites of the population, the loop, and one observed site a response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpyro
import numpyro.distributions as dist

from rlbackends.backends.numpyro.operations import Lowering
from rlbackends.backends.numpyro.priors import distribution
from rlbackends.errors import BackendError
from rlbackends.population.layout import Layout

Tree = dict[str, Any]


def _categorical(rows: Tree) -> dist.Distribution:
    return dist.Categorical(logits=rows["log_probs"] if "log_probs" in rows else rows["logits"])


def _bernoulli(rows: Tree) -> dist.Distribution:
    if "where" not in rows:
        return dist.Bernoulli(logits=rows["logits"])
    # A sub-choice that is not there has no say, not even by an infinite logit.
    return dist.Bernoulli(logits=jnp.where(rows["where"], rows["logits"], 0.0)).mask(rows["where"])


FAMILIES: Mapping[str, Callable[[Tree], dist.Distribution]] = MappingProxyType(
    {
        "categorical": _categorical,
        "bernoulli": _bernoulli,
        "normal": lambda rows: dist.Normal(loc=rows["mean"], scale=rows["sd"]),
    }
)


def sample_parameters(layout: Layout, lowering: Lowering, *, deterministic: bool) -> dict[str, Any]:
    """Declare the population's latent sites; return the subjects' parameters on the natural scale.

    Parameters
    ----------
    layout : Layout
        The latents, and the graphs from them to the parameters.
    lowering : Lowering
        How graphs are evaluated.
    deterministic : bool
        Whether the parameters become deterministic sites.

    Returns
    -------
    dict
        Parameter name → array (subject,).
    """
    plate = numpyro.plate("subject", layout.n_subjects)
    values: dict[str, Any] = {}
    for latent in layout.latents:
        if latent.prior is not None:
            prior = distribution(latent.prior)
        elif latent.parents is not None:
            location, sd = (values[name] for name in latent.parents)
            prior = dist.Normal(loc=location, scale=sd)
        if latent.per_subject:
            with plate:
                values[latent.name] = numpyro.sample(latent.name, prior)
        else:
            values[latent.name] = numpyro.sample(latent.name, prior)
    found = lowering.evaluate(layout.natural.values(), values)
    shape = (layout.n_subjects,)
    params = {name: jnp.broadcast_to(found[node], shape) for name, node in layout.natural.items()}
    params |= {name: jnp.asarray(value) for name, value in layout.fixed.items()}
    if deterministic:
        with plate:
            for name in [name for name in params if name not in values]:
                numpyro.deterministic(name, params[name])
    return params


def observe(name: str, family: str, rows: Tree, values: Any) -> None:
    """Declare a response's observed site, one entry an observation."""
    make = FAMILIES.get(family)
    if make is None:
        raise BackendError(f"backend 'numpyro' has no response family '{family}'.")
    with numpyro.plate(f"{name}_observation", values.shape[0]):
        numpyro.sample(name, make(rows), obs=values)
