"""A NumPyro model that was written elsewhere, as functions of our parameters and latents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal
from numpyro import handlers
from numpyro.distributions import biject_to
from numpyro.infer.util import compute_log_probs, constrain_fn, potential_energy
from numpyro.infer.util import log_density as joint_log_density
from numpyro.ops.provenance import eval_provenance

from rlbackends.backends.numpyro.precision import float64
from rlbackends.backends.other import at_shape, chosen_terms, read_reached, summed, their_names
from rlbackends.errors import BackendError, listed


def likelihood(
    function: Callable[..., Any],
    *args: Any,
    names: Mapping[str, str | None] | None = None,
    observed: str | Iterable[str] | None = None,
    **kwargs: Any,
) -> Callable[[Mapping[str, Any]], np.ndarray]:
    """Return a NumPyro model's likelihood as a function of parameters on the natural scale.

    For :func:`rlbackends.compare_likelihood`: the function stays as it was written; priors don't count.

    Parameters
    ----------
    function : callable
        Any NumPyro model with observed sites, or with ``numpyro.factor``.
    *args, **kwargs
        What it is called with, the data among it.
    names : mapping, optional
        Our parameter → the name of its site where that differs; None for a parameter that the model does not have. A
        ``sample`` or ``deterministic`` site may be named.
    observed : str or iterable of str, optional
        The observed sites and factors that are the likelihood; all of them if left out.

    Returns
    -------
    callable
        ``other(params)``: a mapping from our parameter to one value a subject → the log-likelihood of each observation,
        of the site's own shape. Several of one shape are added up; of several shapes, the total is returned. It
        computes in float64, and is compiled at the first call.

    Raises
    ------
    BackendError
        If ``function`` can't be called.
    ParameterError
        From here, if ``observed`` names what is not there. From the returned function, if a site is not there or has
        another shape, or if the likelihood depends on sites without a value.

    Examples
    --------
    >>> import jax.numpy as jnp, numpyro
    >>> import numpyro.distributions as dist
    >>> import rlbackends as rl
    >>> def old(y):
    ...     p = numpyro.sample("p", dist.Beta(1, 1).expand([2]))
    ...     numpyro.sample("y", dist.Bernoulli(p[jnp.array([0, 0, 1])]), obs=y)
    >>> other = rl.numpyro.likelihood(old, jnp.array([1, 0, 1]), names={"rate": "p"})
    >>> other({"rate": [0.5, 0.9]}).round(3)
    array([-0.693, -0.693, -0.105])
    """
    where = "rl.numpyro.likelihood"
    sites = _sites(where, function, args, kwargs)
    terms = [name for name, site in sites.items() if site.is_observed]
    counted = chosen_terms(where, observed, terms)
    variables = {name: site for name, site in sites.items() if not site.is_observed}
    deterministic = [name for name, site in variables.items() if not site.is_free]
    compiled: dict[tuple[str, ...], Callable[..., dict[str, Any]]] = {}

    def run(values: Mapping[str, Any]) -> list[Any]:
        seeded = handlers.seed(function, jax.random.PRNGKey(0))
        found, trace = compute_log_probs(seeded, args, kwargs, dict(values), sum_log_prob=False)
        return [*(found[name] for name in counted), *(trace[name]["value"] for name in deterministic)]

    def prepare(given: tuple[str, ...]) -> Callable[..., dict[str, Any]]:
        blank = {name: jnp.zeros(site.shape, site.dtype) for name, site in variables.items()}
        drawn = {name: blank[name] for name, site in variables.items() if site.is_free}
        program = jax.make_jaxpr(run)(drawn)
        places = dict(zip(deterministic, program.jaxpr.outvars[len(counted) :], strict=True))

        def log_probs(values: Mapping[str, Any]) -> dict[str, Any]:
            instead = {places[name]: values[name] for name in values if name in places}
            inputs = jax.tree.leaves({name: values.get(name, blank[name]) for name in drawn})
            return dict(zip(counted, _run_instead(program, inputs, instead)[: len(counted)], strict=True))

        free = [name for name in drawn if name not in given]
        depends = eval_provenance(lambda **values: log_probs(values), **{name: blank[name] for name in (*given, *free)})
        hint = f"Its free and deterministic sites are {listed(variables)}."
        read_reached(where, given, frozenset().union(*depends.values()), free, hint)
        return jax.jit(log_probs)

    def other(params: Mapping[str, Any]) -> np.ndarray:
        theirs = their_names(where, params, names, variables)
        values = {name: at_shape(where, name, params[ours], sites[name].shape) for ours, name in theirs.items()}
        key = tuple(theirs.values())
        with float64():
            if key not in compiled:
                compiled[key] = prepare(key)
            return summed(compiled[key]({name: jnp.asarray(value) for name, value in values.items()}))

    return other


def log_density(
    function: Callable[..., Any],
    *args: Any,
    names: Mapping[str, str | None] | None = None,
    jacobian: bool = True,
    **kwargs: Any,
) -> Callable[[Mapping[str, Any]], float]:
    """Return a NumPyro model's joint log-density as a function of its unconstrained latent sites.

    For :func:`rlbackends.compare_density`.

    Parameters
    ----------
    function : callable
        Any NumPyro model.
    *args, **kwargs
        What it is called with, the data among it.
    names : mapping, optional
        Our latent → the name of its site where that differs.
    jacobian : bool, default True
        Whether the transforms' Jacobians count.

    Returns
    -------
    callable
        ``other(z)``: a mapping from our latent to its unconstrained value → the log-density, with priors. Every latent
        site must be given, on the scale that NumPyro samples it on: the logarithm of a positive one, the log odds of
        one between bounds. It computes in float64, and is compiled at the first call.

    Raises
    ------
    BackendError
        If ``function`` can't be called.
    ParameterError
        From the returned function, if a site is not there, has no value, or has another shape.

    Examples
    --------
    >>> import numpyro
    >>> import numpyro.distributions as dist
    >>> import rlbackends as rl
    >>> def old():
    ...     numpyro.sample("sd", dist.HalfNormal(1.0))
    >>> round(rl.numpyro.log_density(old, names={"alpha_sd": "sd"})({"alpha_sd": 0.0}), 4)
    -0.7258
    """
    where = "rl.numpyro.log_density"
    sites = _sites(where, function, args, kwargs)
    free = {name: site for name, site in sites.items() if site.is_free}

    @jax.jit
    def density(z: Mapping[str, Any]) -> Any:
        if jacobian:
            return -potential_energy(function, args, kwargs, dict(z))
        return joint_log_density(function, args, kwargs, constrain_fn(function, args, kwargs, dict(z)))[0]

    def other(z: Mapping[str, Any]) -> float:
        theirs = their_names(where, z, names, free, needed=free)
        values = {name: at_shape(where, name, z[ours], free[name].unconstrained) for ours, name in theirs.items()}
        with float64():
            return float(density({name: jnp.asarray(value) for name, value in values.items()}))

    return other


def _run_instead(program: Any, inputs: list[Any], instead: Mapping[Any, Any]) -> list[Any]:
    """Run a traced program with other values in the place of some of its variables.

    A deterministic site may not be what the function goes on with: in ``numpyro.deterministic("alpha", alpha)`` it is
    the value that was there before. In the traced program both are one variable.
    """
    values: dict[Any, Any] = {}

    def read(variable: Any) -> Any:
        return variable.val if isinstance(variable, Literal) else values[variable]

    def write(variables: Iterable[Any], computed: Iterable[Any]) -> None:
        values.update({var: instead.get(var, value) for var, value in zip(variables, computed, strict=True)})

    write(program.jaxpr.constvars, program.consts)
    write(program.jaxpr.invars, inputs)
    for step in program.jaxpr.eqns:
        bound = step.primitive.get_bind_params(step.params)
        functions, options = bound if isinstance(bound, tuple) else ((), bound)  # a pair in older versions of JAX
        found = step.primitive.bind(*functions, *map(read, step.invars), **options)
        write(step.outvars, found if step.primitive.multiple_results else [found])
    return [read(variable) for variable in program.jaxpr.outvars]


@dataclass(frozen=True)
class _Site:
    """A site of the other model; ``unconstrained`` is the shape of a free one's unconstrained value."""

    shape: tuple[int, ...]
    dtype: Any
    is_observed: bool
    unconstrained: tuple[int, ...] | None

    @property
    def is_free(self) -> bool:
        return self.unconstrained is not None


def _sites(where: str, function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, _Site]:
    """Return the function's sites; nothing is computed."""
    if not callable(function):
        raise BackendError(f"{where}: expected a NumPyro model, which is a function, not {type(function).__name__}.")
    found: dict[str, _Site] = {}

    def run() -> None:
        seeded = handlers.seed(function, jax.random.PRNGKey(0))
        for name, site in handlers.trace(seeded).get_trace(*args, **kwargs).items():
            if site["type"] in ("sample", "deterministic"):
                shape, is_observed = jnp.shape(site["value"]), site.get("is_observed", False)
                unconstrained = None
                if site["type"] == "sample" and not is_observed:
                    unconstrained = tuple(biject_to(site["fn"].support).inverse_shape(shape))
                found[name] = _Site(shape, jnp.result_type(site["value"]), is_observed, unconstrained)

    with float64():
        jax.eval_shape(run)
    return found
