"""A model's responses inside a NumPyro model that the user wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
import numpyro
from numpyro import handlers
from numpyro.primitives import _PYRO_STACK

from rlbackends.backends.inside import Behaviour, Call, Tensor, read_call, where_of
from rlbackends.backends.numpyro.loop import Loop, trial_sequences
from rlbackends.backends.numpyro.model import observe_response
from rlbackends.backends.numpyro.observed import Observed
from rlbackends.backends.numpyro.operations import Lowering
from rlbackends.backends.numpyro.precision import require_float64
from rlbackends.errors import BackendError, listed

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials, Trials
    from rlbackends.model.model import Model


def observe(
    name: str,
    model: Model,
    data: Trials | BoundTrials,
    *,
    trajectories: bool | str | Sequence[str] = False,
    **parameters: Any,
) -> Behaviour:
    """Add a model's responses to the NumPyro model that calls it: our likelihood, under priors of your own.

    Every response of the model becomes an observed site ``<name>_<response>`` in a plate of its own,
    ``<name>_<response>_observation``: one entry an observation, subjects first; missing ones are left out.

    Parameters
    ----------
    name : str
        What all names that are added begin with. Two behaviours of one model need two names.
    model : Model
        What the subjects do and learn.
    data : Trials or BoundTrials
        Their trials. Bind them once, ``data.bind(model)``, outside the function. Cells that ``holding_out`` marks drive
        learning and add nothing to the density.
    trajectories : bool, str or sequence of str, default False
        Whether states before each trial's update, and records, become deterministic sites ``<name>_<state>``, subject
        × trial × its own axes (or which of them do), NaN beyond a subject's last trial. Each draw stores all of it:
        40 subjects × 200 trials × 4 values at 4,000 draws take 1 GB. From stored draws of the parameters,
        ``rl.compile(model, data, "numpyro").trajectories`` computes them afterwards.
    **parameters
        Every parameter of the model, on its natural scale: a number, a scalar array, one value a subject, or one a
        subject and trial. Subjects stand in the order of ``data.subjects``, which is their natural order and not
        necessarily that of your table. Values beyond a subject's last trial are not used.

    Returns
    -------
    Behaviour
        The arrays: ``.responses``, ``.trajectories``; ``.cells`` says whose each observation is.

    Raises
    ------
    BackendError
        Within a plate, or where JAX computes in 32 bits.
    ParameterError
        If parameters are unknown or lacking, have another shape, or are known numbers outside their support, if a
        name is taken already, or if there is no such state or record. All faults at once.
    DataError, ModelError, SettingError
        If the data do not fit the model, or ``model`` or ``name`` is something else.

    Notes
    -----
    The likelihood is that of ``rl.fit`` and ``rl.compile``, to rounding. Nothing holds a random parameter in its
    support but your prior. The function may be traced under ``jit``, ``vmap`` and any handler. No setting of the
    process is changed.

    Examples
    --------
    >>> import jax, numpyro
    >>> import numpyro.distributions as dist
    >>> import rlbackends as rl
    >>> model = rl.catalogue.rescorla_wagner()
    >>> data = rl.Trials.from_arrays(choice=[[0, 1, 0], [1, 1, 0]], reward=[[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    >>> bound = data.bind(model)
    >>> def hierarchical():
    ...     group = numpyro.sample("group", dist.Normal(0.0, 1.5))
    ...     with numpyro.plate("subject", 2):
    ...         alpha = numpyro.deterministic("alpha", jax.nn.sigmoid(numpyro.sample("z", dist.Normal(group, 0.5))))
    ...     beta = numpyro.sample("beta", dist.HalfNormal(3.0))
    ...     rl.numpyro.observe("behaviour", model, bound, alpha=alpha, beta=beta)
    >>> with jax.enable_x64(True):
    ...     trace = numpyro.handlers.trace(numpyro.handlers.seed(hierarchical, 0)).get_trace()
    >>> trace["behaviour_choice"]["fn"].batch_shape
    (6,)
    """
    where = where_of("numpyro", name)
    require_float64(where)
    _refuse_plates(where)
    there = {site for handler in _PYRO_STACK if isinstance(handler, handlers.trace) for site in handler.trace}
    call = read_call(
        "numpyro", name, model, data, trajectories, parameters,
        inspect=_inspect, added=_added, taken=there.__contains__,
    )  # fmt: skip
    bound = call.data
    lowering = Lowering(bound.n_subjects)
    program = model.program(bound.complete)
    loop = Loop(model, program, lowering, bound.n_steps)
    sequences = jax.tree.map(jnp.asarray, trial_sequences(model, program, bound))
    values = {parameter: _array(given, bound) for parameter, given in call.parameters.items()}
    if call.trajectories:
        arguments, played = loop.both(values, sequences)
    else:
        arguments, played = loop.arguments(values, sequences), {}
    responses, cells = {}, {}
    for response, rule in model.response_rules.items():
        item = Observed.of(rule, bound)
        if len(item):
            tree = jax.tree.map(jnp.asarray, item.tree())
            rows = item.rows(arguments[response], tree)
            responses[response] = observe_response(
                call.named(response), rule.family, rows, tree["values"], tree.get("counts")
            )
            cells[response] = np.stack(item.cells, axis=1)
    return Behaviour(name, responses, _follow(call, played), cells)


def _refuse_plates(where: str) -> None:
    around = [handler.name for handler in _PYRO_STACK if isinstance(handler, numpyro.plate)]
    if around:
        raise BackendError(
            f"{where}: it is called within the plate {listed(around)}, which would repeat every observation. Call it "
            "behind the plate; parameters of shape (subject,) say how subjects differ."
        )


def _inspect(given: Any) -> Tensor | None:
    if not isinstance(given, jax.Array):
        return None
    values = None if isinstance(given, jax.core.Tracer) else np.asarray(given)
    return Tensor(given.shape, str(given.dtype), values)


def _added(call: Call) -> Iterator[str]:
    for response in call.model.responses:
        if call.data.observed(response).any():
            yield call.named(response)
            yield call.named(f"{response}_observation")
    yield from map(call.named, call.trajectories)
    yield from {dim for name in call.trajectories for dim in call.dims(name)}


def _array(given: Any, data: BoundTrials) -> Any:
    """Return a parameter as the loop takes it: float64, (subject,) or (subject, trial)."""
    value = jnp.asarray(given, dtype=jnp.float64)
    return jnp.broadcast_to(value, (data.n_subjects,)) if value.ndim == 0 else value


def _follow(call: Call, played: Mapping[str, Any]) -> dict[str, Any]:
    """Declare trajectories as deterministic sites, in plates that name their dimensions for ArviZ."""
    found = {}
    for name in call.trajectories:
        value = played[name]
        there = call.data.valid.reshape(call.data.valid.shape + (1,) * (value.ndim - 2))
        with ExitStack() as stack:
            for i, (dim, size) in enumerate(zip(call.dims(name), value.shape, strict=True)):
                stack.enter_context(numpyro.plate(dim, size, dim=i - value.ndim))
            found[name] = numpyro.deterministic(call.named(name), jnp.where(there, value, jnp.nan))
    return found
