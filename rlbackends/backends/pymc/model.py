"""The genuine PyMC model: named variables, coordinates, and observed responses cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pymc.pytensorf import rewrite_pregrad
from pytensor.graph.traversal import graph_inputs

from rlbackends.backends.pymc.columns import Columns, Source
from rlbackends.backends.pymc.loop import Loop
from rlbackends.backends.pymc.lower import lower
from rlbackends.backends.pymc.modes import sound
from rlbackends.backends.pymc.priors import prior_variable
from rlbackends.backends.pymc.responses import take
from rlbackends.backends.pymc.tensors import spread

if TYPE_CHECKING:
    from rlbackends.population.layout import Layout

_CERTAIN = 1e4
"""Log odds so large that the other outcome has probability 0."""


def build_model(loop: Loop, layout: Layout, *, deterministics: bool) -> pm.Model:
    """Return the PyMC model of a model, its data and its population.

    Free variables are named as the layout's latents. A parameter that is no latent itself is a deterministic (or, if
    it is fixed, data) over ``subject``. Each response is observed over its own axis ``<response>_observation``, of the
    entries that are there; ``<response>_subject`` and ``<response>_trial`` say which, as positions from 0.
    """
    coords = {"subject": list(loop.data.subjects)}
    if layout.within:
        coords["condition"] = list(layout.known.labels)
    with pm.Model(coords=coords) as model:
        latents: dict[str, Any] = {}
        for latent in layout.latents:
            dims = ("subject",) if latent.per_subject else ()
            if latent.prior is not None:
                latents[latent.name] = prior_variable(latent.name, latent.prior, dims)
            elif latent.parents is not None:
                mean, sd = (latents[name] for name in latent.parents)
                latents[latent.name] = pm.Normal(latent.name, mu=mean, sigma=sd, dims=dims)
        parameters = _parameters(loop, layout, latents)
        if deterministics:
            for name, value in parameters.items():
                if name in layout.fixed:
                    parameters[name] = pm.Data(name, layout.fixed[name], dims="subject", shape=value.type.shape)
                elif name not in latents:
                    dims = ("subject", "condition") if name in layout.within else "subject"
                    parameters[name] = pm.Deterministic(name, value, dims=dims)
        for name in layout.within:
            parameters[name] = _by_trial(parameters[name], layout)
        arguments = loop.arguments(parameters)
        for response, where in loop.source.counted.items():
            if where.entries.any():
                observe_response(loop, response, arguments)
    return model


def _parameters(loop: Loop, layout: Layout, latents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the subjects' parameters on the natural scale, (subject,) or (subject, condition)."""
    size, n_conditions = layout.n_subjects, layout.known.n_conditions
    leaves = {name: value if value.ndim else value[None] for name, value in latents.items()}
    columns = {name: pt.constant(np.asarray(array), name=name) for name, array in layout.columns.items()}
    between = {name: node for name, node in layout.natural.items() if name not in layout.within}
    natural = lower(between, lambda node: {**columns, **leaves}[node.attr("name")], size, loop.table)
    found = {name: spread(value, (size,)) for name, value in natural.items()}
    if layout.within:
        # A row a subject and condition: to the lowering they are so many subjects.
        subject_of = np.repeat(np.arange(size), n_conditions)
        rows = {name: value[subject_of] if latents[name].ndim else value for name, value in leaves.items()}
        for name, array in layout.columns.items():
            flat = np.ravel(array) if array.ndim == 2 else np.repeat(array, n_conditions)
            rows[name] = pt.constant(flat, name=name)
        changing = {name: layout.natural[name] for name in layout.natural if name in layout.within}
        n_rows = size * n_conditions
        natural = lower(changing, lambda node: rows[node.attr("name")], n_rows, loop.table)
        found |= {name: spread(value, (n_rows,)).reshape((size, n_conditions)) for name, value in natural.items()}
    found |= {name: pt.constant(np.asarray(value, dtype=np.float64)) for name, value in layout.fixed.items()}
    return {name: found[name] for name in loop.model.parameters}


def _by_trial(values: Any, layout: Layout) -> Any:
    """Return values by subject and condition as (subject, trial)."""
    index = np.asarray(layout.known.index)
    flat = np.arange(layout.n_subjects)[:, None] * layout.known.n_conditions + index
    return values.reshape((layout.n_subjects * layout.known.n_conditions,))[flat.reshape(-1)].reshape(index.shape)


def observe_response(
    loop: Loop, response: str, arguments: Mapping[tuple[str, str], Any], name: str | None = None
) -> Any:
    """Add a response to the PyMC model at hand: one observation an entry that counts, subjects first.

    Its variable, dimension and data begin with ``name``, or else with the response's own. Returns the variable.
    """
    where = loop.source.counted[response]
    entries = where.entries
    variable = name or response
    dim = f"{variable}_observation"
    pm.modelcontext(None).add_coord(dim, np.arange(entries.sum()))
    subject, trial, *rest = np.nonzero(entries)
    pm.Data(f"{variable}_subject", subject, dims=dim)
    pm.Data(f"{variable}_trial", trial, dims=dim)
    if rest:
        pm.Data(f"{variable}_entry", np.ravel_multi_index(tuple(rest), entries.shape[2:]), dims=dim)
    rule = loop.model.response_rules[response]
    shape = (entries.shape[0] * entries.shape[1], *entries.shape[2:])

    def values(source: Source) -> np.ndarray:
        return source.data.values[response][source.counted[response].entries]

    observed = loop.columns.tensor(f"{response}: values", values)
    positions = loop.columns.tensor(
        f"{response}: positions", lambda source: np.flatnonzero(source.counted[response].entries)
    )

    def argument(name: str) -> Any:
        flat = spread(arguments[response, name], shape).reshape((entries.size,))
        return take(flat, positions)

    counts: Any = None
    if loop.data.held_out is not None:

        def counted(source: Source) -> np.ndarray:
            there, counts = source.counted[response].entries, source.data.counts
            return np.broadcast_to(counts.reshape(counts.shape + (1,) * (there.ndim - 2)), there.shape)[there]

        # What is held out adds nothing: there, what was observed is certain.
        counts = loop.columns.tensor(f"{response}: counts", counted)
    if rule.family == "categorical":
        (name,) = rule.arguments
        logits = take(arguments[response, name], positions)
        if counts is not None:
            n_actions = logits.type.shape[-1]
            sure = loop.columns.tensor(
                f"{response}: sure", lambda source: _CERTAIN * (values(source)[:, None] == np.arange(n_actions))
            )
            logits = pt.switch(counts[:, None], logits, sure)
        return pm.Categorical(variable, logit_p=logits, observed=observed, dims=dim)
    if rule.family == "bernoulli":
        logits = argument("logits")
        if not where.is_static or counts is not None:
            # An absent sub-choice adds nothing: what was observed there is certain.
            certain = loop.columns.tensor(
                f"{response}: certain", lambda source: np.where(values(source) == 1, _CERTAIN, -_CERTAIN)
            )
            if not where.is_static:
                logits = pt.switch(argument("where"), logits, certain)
            if counts is not None:
                logits = pt.switch(counts, logits, certain)
        return pm.Bernoulli(variable, logit_p=logits, observed=observed, dims=dim)
    mean, sd = argument("mean"), argument("sd")
    if counts is not None:
        # At its mean, with this sd, a normal variable has density 1.
        mean, sd = pt.switch(counts, mean, observed), pt.switch(counts, sd, np.float64((2.0 * np.pi) ** -0.5))
    return pm.Normal(variable, mu=mean, sigma=sd, observed=observed, dims=dim)


def log_density_function(
    model: pm.Model, layout: Layout, columns: Columns, gradient: bool, mode: str | None
) -> tuple[Callable[..., list[np.ndarray]], list[Any]]:
    """Return a compiled function of the unconstrained latents, in the layout's order, and of columns: the PyMC model's
    log-density, and its gradient by latent; and these columns."""
    inputs = [model.rvs_to_values[model[name]] for name in layout.names]
    # A product with ones, not a sum: that becomes one operation of as many operands as there are variables, of which
    # PyTensor takes no more than 32 where it does not compile. And not a sum over joined terms, whose gradient splits
    # by sizes that its JAX mode must know. A model without parameters or observed responses has no terms.
    nothing = pt.constant(np.float64(0.0))
    terms = pt.stack([nothing, *(pt.sum(term) for term in model.logp(sum=False))])
    # PyMC's own rewrites: without them the logarithm of a softmax that underflows is minus infinity.
    log_density = rewrite_pregrad(pt.dot(np.ones(terms.type.shape[0]), terms))
    outputs = [log_density]
    if gradient:
        outputs += pt.grad(log_density, inputs, disconnected_inputs="ignore")
    # PyMC's checks of parameters would raise where values are not finite; the density says so by itself.
    unchecked = sound(mode, "local_remove_check_parameter")
    return function_of(inputs, outputs, columns, mode=unchecked)


def function_of(
    inputs: Sequence[Any], outputs: Sequence[Any], columns: Columns, **options: Any
) -> tuple[Callable[..., list[np.ndarray]], list[Any]]:
    """Return a compiled function of inputs and of the columns that outputs read, and these columns."""
    read = columns.among(graph_inputs(outputs))
    given = [column.type(name=column.name) for column in read]
    function = pytensor.function(
        [*inputs, *given], outputs, givens=list(zip(read, given, strict=True)), on_unused_input="ignore", **options
    )
    return function, read
