"""A PyMC model that was written elsewhere, as functions of our parameters and latents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.logprob import conditional_logp
from pymc.pytensorf import rewrite_pregrad
from pytensor.compile.ops import ViewOp
from pytensor.graph.replace import clone_replace
from pytensor.graph.traversal import ancestors

from rlbackends.backends.other import at_shape, chosen_terms, read_reached, summed, their_names
from rlbackends.backends.pymc.modes import sound
from rlbackends.backends.pymc.precision import exact
from rlbackends.errors import BackendError, listed

_CHEAP = "FAST_COMPILE"


def likelihood(
    pymc_model: pm.Model,
    names: Mapping[str, str | None] | None = None,
    *,
    observed: str | Iterable[str] | None = None,
) -> Callable[[Mapping[str, Any]], np.ndarray]:
    """Return a PyMC model's likelihood as a function of parameters on the natural scale.

    For :func:`rlbackends.compare_likelihood`: the model stays as it was written; priors and transforms don't count.

    Parameters
    ----------
    pymc_model : pymc.Model
        Any model with observed variables, or with ``pm.Potential`` terms.
    names : mapping, optional
        Our parameter → the name of its variable in the model where that differs; None for a parameter that the model
        does not have. A free variable or a deterministic may be named.
    observed : str or iterable of str, optional
        The observed variables and potentials that are the likelihood; all of them if left out.

    Returns
    -------
    callable
        ``function(params)``: a mapping from our parameter to one value a subject → the log-likelihood of each
        observation, of the observed variable's own shape. Several of one shape are added up; of several shapes, the
        total is returned. Compiled at the first call.

    Raises
    ------
    BackendError
        If ``pymc_model`` is no PyMC model.
    ParameterError
        From here, if ``observed`` names what is not there. From the function, if a variable is not there or has another
        shape, or if the likelihood depends on variables without a value.

    Examples
    --------
    >>> import pymc as pm
    >>> import rlbackends as rl
    >>> with pm.Model() as old:
    ...     p = pm.Beta("p", 1, 1, shape=2)
    ...     y = pm.Bernoulli("y", p[[0, 0, 1]], observed=[1, 0, 1])
    >>> rl.pymc.likelihood(old, names={"rate": "p"})({"rate": [0.5, 1.0]}).round(3)
    array([-0.693, -0.693,  0.   ])
    """
    where = "rl.pymc.likelihood"
    _read_model(where, pymc_model)
    terms = {variable.name: variable for variable in (*pymc_model.observed_RVs, *pymc_model.potentials)}
    counted = [terms[name] for name in chosen_terms(where, observed, terms)]
    variables = {v.name: v for v in (*pymc_model.free_RVs, *pymc_model.deterministics, *pymc_model.data_vars)}
    compiled: dict[tuple[str, ...], Callable[..., list[np.ndarray]]] = {}

    def function(params: Mapping[str, Any]) -> np.ndarray:
        theirs = their_names(where, params, names, variables)
        key = tuple(theirs.values())
        values = [
            at_shape(where, name, params[ours], variables[name].type.shape).astype(variables[name].dtype)
            for ours, name in theirs.items()
        ]
        with _cheaply():
            if key not in compiled:
                compiled[key] = _compiled(where, pymc_model, [variables[name] for name in key], counted)
            found = compiled[key](*values)
        return summed({variable.name: term for variable, term in zip(counted, found, strict=True)})

    return function


def log_density(
    pymc_model: pm.Model, names: Mapping[str, str | None] | None = None, *, jacobian: bool = True
) -> Callable[[Mapping[str, Any]], float]:
    """Return a PyMC model's joint log-density as a function of its unconstrained free variables.

    For :func:`rlbackends.compare_density`.

    Parameters
    ----------
    pymc_model : pymc.Model
        Any model.
    names : mapping, optional
        Our latent → the name of the free variable where that differs.
    jacobian : bool, default True
        Whether the transforms' Jacobians count.

    Returns
    -------
    callable
        ``function(z)``: a mapping from our latent to its unconstrained value → the log-density, with priors. Every free
        variable must be given, on the scale that PyMC samples it on: the logarithm of a positive one, the log odds of
        one between bounds. Compiled at the first call.

    Raises
    ------
    BackendError
        If ``pymc_model`` is no PyMC model.
    ParameterError
        From the function, if a free variable is not there, has no value, or has another shape.

    Examples
    --------
    >>> import pymc as pm
    >>> import rlbackends as rl
    >>> with pm.Model() as old:
    ...     sd = pm.HalfNormal("sd", 1.0)
    >>> round(rl.pymc.log_density(old, names={"alpha_sd": "sd"})({"alpha_sd": 0.0}), 4)
    -0.7258
    """
    where = "rl.pymc.log_density"
    _read_model(where, pymc_model)
    free = {variable.name: pymc_model.rvs_to_values[variable] for variable in pymc_model.free_RVs}
    compiled: list[Callable[..., np.ndarray]] = []

    def function(z: Mapping[str, Any]) -> float:
        theirs = their_names(where, z, names, free, needed=free)
        ours = {name: own for own, name in theirs.items()}
        values = [
            at_shape(where, name, z[ours[name]], value.type.shape).astype(value.dtype)
            for name, value in free.items()
        ]
        with _cheaply():
            if not compiled:
                total = pymc_model.logp(jacobian=jacobian)
                compiled.append(_function(list(free.values()), rewrite_pregrad(total)))
            return float(compiled[0](*values))

    return function


def _read_model(where: str, given: Any) -> None:
    if not isinstance(given, pm.Model):
        raise BackendError(f"{where}: expected a pymc.Model, not {type(given).__name__}.")


def _cheaply() -> Any:
    """Compile at once into slow code: a few values are wanted."""
    return exact(cxx="", traceback__limit=0)


def _function(inputs: list[Any], outputs: Any) -> Callable[..., Any]:
    # PyMC's checks of parameters would raise where values are not finite; the values say so by themselves.
    mode = sound(_CHEAP, "local_remove_check_parameter")
    return pytensor.function(inputs, outputs, mode=mode, on_unused_input="ignore")


def _compiled(
    where: str, model: pm.Model, given: list[Any], counted: list[Any]
) -> Callable[..., list[np.ndarray]]:
    """Return the terms that count as a function of some of the model's variables."""
    # What became a deterministic may be used further under its own name, or as it was before.
    sources = {variable: [variable, *_viewed(variable)] for variable in given}
    blockers = {one for group in sources.values() for one in group}
    seen = set(ancestors(counted, blockers=blockers))
    reached = {variable.name for variable, group in sources.items() if seen & set(group)}
    free = [variable.name for variable in model.free_RVs if variable in seen and variable not in blockers]
    known = listed(variable.name for variable in (*model.free_RVs, *model.deterministics))
    hint = f"Its free variables and deterministics are {known}."
    read_reached(where, [variable.name for variable in given], reached | set(free), free, hint)

    inputs = {variable: variable.type(name=variable.name) for variable in given}
    replaced = {one: inputs[variable] for variable, group in sources.items() for one in group}
    terms = dict(zip(counted, clone_replace(counted, replace=replaced), strict=True))
    values = {}
    for variable, term in terms.items():
        if variable in model.observed_RVs:
            # A partly observed variable is one of two outputs, and the density is of both.
            for own, twin in zip(variable.owner.outputs, term.owner.outputs, strict=True):
                if own in model.rvs_to_values:
                    values[twin] = model.rvs_to_values[own]
    densities = conditional_logp(values) if values else {}
    outputs = [
        densities[values[term]] if variable in model.observed_RVs else term for variable, term in terms.items()
    ]
    return _function(list(inputs.values()), rewrite_pregrad([pt.as_tensor_variable(term) for term in outputs]))


def _viewed(variable: Any) -> list[Any]:
    """Return what a deterministic is a view of, unless that is a constant."""
    if variable.owner is None or not isinstance(variable.owner.op, ViewOp):
        return []
    (source,) = variable.owner.inputs
    return [source] if source.owner is not None else []
