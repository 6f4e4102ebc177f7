"""A model's responses inside a PyMC model that the user wrote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant, Variable

from rlbackends.backends.inside import Behaviour, Call, Tensor, read_call, where_of
from rlbackends.backends.protocol import axis_labels
from rlbackends.backends.pymc.loop import Loop
from rlbackends.backends.pymc.model import observe_response
from rlbackends.backends.pymc.modes import OUTSIDE
from rlbackends.backends.pymc.operations import TABLES
from rlbackends.backends.pymc.plan import Plan
from rlbackends.backends.pymc.precision import exact, require_float64
from rlbackends.backends.pymc.responses import Counting
from rlbackends.backends.pymc.tensors import number, spread
from rlbackends.errors import BackendError

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
    """Add a model's responses to the PyMC model at hand: our likelihood, under priors of your own.

    Call it within ``with pm.Model():``. Every response of the model becomes an observed variable ``<name>_<response>``
    with a dimension of its own, ``<name>_<response>_observation``: one entry an observation, subjects first; missing
    ones are left out. ``<name>_<response>_subject`` and ``…_trial`` say which, as positions from 0.

    Parameters
    ----------
    name : str
        What all names that are added begin with. Two behaviours of one model need two names.
    model : Model
        What the subjects do and learn.
    data : Trials or BoundTrials
        Their trials. Bind them once, ``data.bind(model)``, where many models are built. Cells that ``holding_out``
        marks drive learning and add nothing to the density.
    trajectories : bool, str or sequence of str, default False
        Whether states before each trial's update, and records, become deterministics ``<name>_<state>``, subject ×
        trial × its own axes (or which of them do), NaN beyond a subject's last trial. Each draw stores all of it:
        40 subjects × 200 trials × 4 values at 4,000 draws take 1 GB. From stored draws of the parameters,
        ``rl.compile(model, data, "pymc").trajectories`` computes them afterwards.
    **parameters
        Every parameter of the model, on its natural scale: a number, a scalar tensor, one value a subject, or one a
        subject and trial. Subjects stand in the order of ``data.subjects``, which is their natural order and not
        necessarily that of your table. Values beyond a subject's last trial are not used.

    Returns
    -------
    Behaviour
        The variables: ``.responses``, ``.trajectories``; ``.cells`` says whose each observation is.

    Raises
    ------
    BackendError
        Outside a ``pm.Model``, or where PyTensor computes in 32 bits.
    ParameterError
        If parameters are unknown or lacking, have another shape, or are numbers outside their support, if a name is
        taken already, or if there is no such state or record. All faults at once.
    DataError, ModelError, SettingError
        If the data do not fit the model, or ``model`` or ``name`` is something else.

    Notes
    -----
    The likelihood is that of ``rl.fit`` and ``rl.compile``, to rounding. Nothing holds a random parameter in its
    support but your prior. No setting of the process is changed.

    Examples
    --------
    >>> import numpy as np
    >>> import pymc as pm
    >>> import rlbackends as rl
    >>> model = rl.catalogue.rescorla_wagner()
    >>> data = rl.Trials.from_arrays(choice=[[0, 1, 0], [1, 1, 0]], reward=[[1.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    >>> with pm.Model(coords={"subject": data.subjects}) as hierarchical:
    ...     group = pm.Normal("group", 0.0, 1.5)
    ...     alpha = pm.Deterministic("alpha", pm.math.sigmoid(pm.Normal("z", group, 0.5, dims="subject")))
    ...     behaviour = rl.pymc.observe("behaviour", model, data, alpha=alpha, beta=pm.HalfNormal("beta", 3.0))
    >>> [variable.name for variable in hierarchical.observed_RVs]
    ['behaviour_choice']
    >>> behaviour.cells["choice"].shape
    (6, 2)
    """
    where = where_of("pymc", name)
    host = _host(where)
    require_float64(where)

    def taken(added: str) -> bool:
        return host.name_for(added) in host.named_vars or added in host.coords

    given = {parameter: _plain(value) for parameter, value in parameters.items()}
    call = read_call("pymc", name, model, data, trajectories, given, inspect=_inspect, added=_added, taken=taken)
    with exact():
        loop = _loop(call)
        values = {parameter: _tensor(value, call.data) for parameter, value in call.parameters.items()}
        arguments = loop.arguments(values)
        responses = {
            response: observe_response(loop, response, arguments, call.named(response))
            for response, counted in loop.source.counted.items()
            if counted.entries.any()
        }
        # Played once more: a sampler compiles the density and the deterministics apart.
        followed = _follow(host, call, loop.trajectories(values)) if call.trajectories else {}
    cells = {response: np.argwhere(loop.source.counted[response].entries)[:, :2].copy() for response in responses}
    return Behaviour(name, responses, followed, cells)


def _host(where: str) -> pm.Model:
    try:
        return pm.modelcontext(None)
    except TypeError:
        raise BackendError(
            f"{where}: there is no PyMC model here to add to. Call it within `with pm.Model() as model:`."
        ) from None


def _plain(given: Any) -> Any:
    """Return a variable of ``pymc.dims`` as a tensor, its dimensions in their order; anything else as it is."""
    return given.values if isinstance(given, Variable) and hasattr(given.type, "dims") else given


def _inspect(given: Any) -> Tensor | None:
    if not isinstance(given, Variable):
        return None
    kind: Any = given.type
    if not isinstance(kind, pt.TensorType):
        return Tensor((), str(kind))
    values = None
    if isinstance(given, Constant):
        values = np.asarray(given.data)
    elif isinstance(given, SharedVariable):
        values = np.asarray(given.get_value())
    shape = kind.shape if None not in kind.shape else _drawn_shape(given)
    return Tensor(shape, str(kind.dtype), values)


def _drawn_shape(variable: Any) -> tuple[int | None, ...]:
    """Return the shape that a variable has now: PyMC leaves sizes open that its dimensions decide."""
    try:
        with exact(cxx="", traceback__limit=0):
            # Nothing of the model changes by this: without updates, its random generators stay where they are.
            sizes = pytensor.function([], variable.shape, mode="FAST_COMPILE")()
    except Exception:  # a variable that can't be drawn, such as a flat one, is checked when it is computed
        return tuple(variable.type.shape)
    return tuple(map(int, sizes))


def _added(call: Call) -> Iterator[str]:
    for response in call.model.responses:
        if call.data.observed(response).any():
            variable = call.named(response)
            yield from (variable, *(f"{variable}_{part}" for part in ("observation", "subject", "trial")))
            if call.data.missing[response].ndim > 2:
                yield f"{variable}_entry"
    yield from map(call.named, call.trajectories)
    yield from {dim for name in call.trajectories for dim in call.dims(name)}


def _loop(call: Call) -> Loop:
    table = TABLES[OUTSIDE]
    plan = Plan.of(call.model, call.data)
    source = Counting(plan, call.data.n_subjects * call.data.n_steps, table).of(call.data)
    return Loop(call.model, plan, source, table, is_fixed=True)


def _tensor(given: Any, data: BoundTrials) -> Any:
    """Return a parameter as the loop takes it: float64, (subject,) or (subject, trial)."""
    value = pt.as_tensor_variable(given)
    if value.dtype != "float64":
        value = value.astype("float64")
    if value.ndim == 0:
        value = value[None]
    return spread(value, (data.n_subjects, data.n_steps)[: value.ndim])


def _follow(host: pm.Model, call: Call, played: Mapping[str, Any]) -> dict[str, Any]:
    """Add trajectories as deterministics, with coordinates of their own."""
    shape = (call.data.n_subjects, call.data.n_steps)
    valid = pt.constant(call.data.valid)
    found = {}
    for name in call.trajectories:
        value = played[name]
        dims = call.dims(name)
        labels = [list(call.data.subjects), np.arange(shape[1])]
        for dim, size in zip(dims[2:], value.type.shape[2:], strict=True):
            known = axis_labels(call.model, call.data, dim.removeprefix(call.named("")))
            labels.append(list(known) if known is not None else np.arange(size))
        host.add_coords(dict(zip(dims, labels, strict=True)))
        there = valid.dimshuffle(0, 1, *["x"] * (value.ndim - 2))
        found[name] = pm.Deterministic(call.named(name), pt.switch(there, value, number(np.nan)), dims=dims)
    return found
