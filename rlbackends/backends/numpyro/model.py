"""A genuine NumPyro model: latent sites of the population, the loop, and one observed site a response."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpyro
import numpyro.distributions as dist

from rlbackends.backends.numpyro.operations import Lowering
from rlbackends.backends.numpyro.priors import distribution
from rlbackends.errors import BackendError
from rlbackends.population.layout import Layout

Tree = dict[str, Any]
_FEW_CONDITIONS = 16


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
        Parameter name → array (subject,), or (subject, trial) where it changes within subjects.
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
    params = _natural(layout, lowering, values)
    if deterministic:
        for name in [name for name in layout.natural if name not in values]:
            numpyro.deterministic(name, params[name])
        for name in layout.fixed:
            numpyro.deterministic(name, params[name])
    for name in layout.within:
        params[name] = _by_trial(params[name], np.asarray(layout.known.index))
    return params


def _natural(layout: Layout, lowering: Lowering, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters, (subject,) or (subject, condition)."""
    columns = {name: np.asarray(array) for name, array in layout.columns.items()}
    between = [node for name, node in layout.natural.items() if name not in layout.within]
    found = lowering.evaluate(between, {**columns, **values})
    shape: tuple[int, ...] = (layout.n_subjects,)
    params = {
        name: jnp.broadcast_to(found[node], shape) for name, node in layout.natural.items() if name not in layout.within
    }
    if layout.within:
        # Subjects first: what is one a subject, or one for all, broadcasts over conditions.
        leaves = {name: value[:, None] if jnp.ndim(value) else value for name, value in values.items()}
        leaves |= {name: array if array.ndim == 2 else array[:, None] for name, array in columns.items()}
        found = lowering.evaluate([layout.natural[name] for name in layout.within], leaves)
        shape = (layout.n_subjects, layout.known.n_conditions)
        params |= {name: jnp.broadcast_to(found[layout.natural[name]], shape) for name in layout.within}
    params |= {name: jnp.asarray(value) for name, value in layout.fixed.items()}
    return {name: params[name] for name in (*layout.natural, *layout.fixed)}


def _by_trial(values: Any, index: np.ndarray) -> Any:
    """Return values by subject and condition as (subject, trial)."""
    n_conditions = values.shape[1]
    if n_conditions > _FEW_CONDITIONS:
        return jnp.take_along_axis(values, index, axis=1)
    # A sum over masks: its gradient is a sum too, and that of a gather a scatter, which is slow on a CPU.
    masks = index[..., None] == np.arange(n_conditions)
    return jnp.sum(jnp.where(masks, values[:, None, :], 0.0), axis=-1)


def observe_response(name: str, family: str, rows: Tree, values: Any, counts: Any = None) -> Any:
    """Declare a response's observed site, one entry an observation; ``counts`` says which add to the density.

    Returns what the site gives: the values, or draws where they are not conditioned on.
    """
    make = FAMILIES.get(family)
    if make is None:
        raise BackendError(f"backend 'numpyro' has no response family '{family}'.")
    with numpyro.plate(f"{name}_observation", values.shape[0]):
        family_of = make(rows)
        return numpyro.sample(name, family_of if counts is None else family_of.mask(counts), obs=values)
