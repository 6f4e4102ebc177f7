"""A behaviour inside a model that the user wrote: what is checked before a backend adds it, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import trajectory_dims
from rlbackends.backends.values import check_support, name_faults, read_value, shape_fault
from rlbackends.data.given import bind_given
from rlbackends.errors import ParameterError, SettingError, did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials, Trials
    from rlbackends.model.model import Model

_OWN = ("name", "model", "data", "trajectories")  # the arguments of observe that are no parameters


@dataclass(frozen=True)
class Behaviour:
    """What ``observe`` added to a model.

    Attributes
    ----------
    name : str
        What all its names begin with.
    responses : mapping
        Response → its observed variable (PyMC) or values (NumPyro), (observation,). A response that was never
        observed is not there.
    trajectories : mapping
        State or record → its values, subject × trial × its own axes; NaN beyond a subject's last trial.
    cells : mapping
        Response → int array (observation, 2): positions, from 0, of each observation's subject and trial.
    """

    name: str
    responses: Mapping[str, Any]
    trajectories: Mapping[str, Any]
    cells: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        for field in ("responses", "trajectories", "cells"):
            object.__setattr__(self, field, MappingProxyType(dict(getattr(self, field))))
        for array in self.cells.values():
            array.flags.writeable = False


@dataclass(frozen=True)
class Tensor:
    """What is known of a backend's own array before it is computed.

    Attributes
    ----------
    shape : tuple of int or None
        None where it is not known yet.
    dtype : str
        Its dtype.
    values : array or None
        Its numbers, if it is a constant.
    """

    shape: tuple[int | None, ...]
    dtype: str
    values: np.ndarray | None = None


@dataclass(frozen=True)
class Call:
    """A call of ``observe`` whose arguments are right.

    Attributes
    ----------
    name : str
        What all names begin with.
    model, data
        The model, and the data bound to it.
    parameters : mapping
        Parameter → float64 array (subject,) or (subject, trial), or the backend's own array as it was given.
    trajectories : tuple of str
        The states and records to follow.
    """

    name: str
    model: Model
    data: BoundTrials
    parameters: Mapping[str, Any]
    trajectories: tuple[str, ...]

    def named(self, part: str) -> str:
        """Return a name of the user's model."""
        return f"{self.name}_{part}"

    def dims(self, part: str) -> tuple[str, ...]:
        """Return the dimensions of a state or a record in the user's model."""
        return tuple(map(self.named, ("subject", "trial", *trajectory_dims(self.model, part))))


def where_of(backend: str, name: Any) -> str:
    """Return how messages begin."""
    return f"rl.{backend}.observe({name!r}, ...)"


def read_call(
    backend: str,
    name: str,
    model: Model,
    data: Trials | BoundTrials,
    trajectories: bool | str | Sequence[str],
    parameters: Mapping[str, Any],
    *,
    inspect: Callable[[Any], Tensor | None],
    added: Callable[[Call], Iterable[str]],
    taken: Callable[[str], bool],
) -> Call:
    """Check what ``observe`` was given.

    Parameters
    ----------
    backend : str
        The backend's word.
    name, model, data, trajectories, parameters
        As ``observe`` takes them.
    inspect : callable
        Describes the backend's own arrays; None for anything else.
    added : callable
        Returns the names that the call would add to the user's model.
    taken : callable
        Whether the user's model has a name.

    Raises
    ------
    SettingError
        If ``model`` is no model, ``data`` no trials, or ``name`` no text.
    DataError
        If the data do not fit the model.
    ParameterError
        With every other fault at once.
    """
    where = where_of(backend, name)
    if not isinstance(name, str) or not name:
        raise SettingError(f"{where}: the name is {name!r}, expected text; all names that are added begin with it.")
    bound = bind_given(where, model, data)
    faults = name_faults(model, parameters)
    faults += [f"a parameter is called '{own}', which is observe's own argument; rename it in the model."
               for own in _OWN if own in model.parameters]  # fmt: skip
    found = {}
    for parameter in model.parameters:
        if parameter in parameters:
            try:
                found[parameter] = _read(parameter, parameters[parameter], model, bound, inspect)
            except ParameterError as error:
                faults.append(str(error))
    followed, wrong = _followed(model, trajectories)
    call = Call(name, model, bound, MappingProxyType(found), followed)
    faults += wrong + _name_faults(call, added, taken)
    if faults:
        raise ParameterError(f"{where}: {' '.join(faults)}")
    return call


def _read(
    name: str, given: Any, model: Model, data: BoundTrials, inspect: Callable[[Any], Tensor | None]
) -> Any:
    support = model.parameters[name].support
    tensor = inspect(given)
    if tensor is None:
        values = read_value(name, given, data)
        check_support(name, values, support, data)
        return values
    if not tensor.dtype.startswith(("float", "int", "uint", "bool")):
        raise ParameterError(f"'{name}' has dtype {tensor.dtype}, expected real numbers.")
    allowed: tuple[tuple[int, ...], ...] = ((), (data.n_subjects,), (data.n_subjects, data.n_steps))
    if not any(may_be(tensor.shape, shape) for shape in allowed):
        raise ParameterError(shape_fault(name, tensor.shape, data))
    if tensor.values is not None:
        values = np.array(tensor.values, dtype=np.float64)
        check_support(name, np.full(data.n_subjects, values) if values.ndim == 0 else values, support, data)
    return given


def may_be(shape: tuple[int | None, ...], wanted: tuple[int, ...]) -> bool:
    """Say whether a shape, of which some sizes may not be known yet, can be the one wanted."""
    return len(shape) == len(wanted) and all(a in (None, b) for a, b in zip(shape, wanted, strict=True))


def _followed(model: Model, trajectories: Any) -> tuple[tuple[str, ...], list[str]]:
    """Return the states and records to follow, and what is wrong with those that were asked for."""
    known = [*model.states, *model.records]
    if isinstance(trajectories, bool):
        return tuple(known) if trajectories else (), []
    if isinstance(trajectories, str):
        trajectories = [trajectories]
    try:
        asked = list(dict.fromkeys(trajectories))
    except TypeError:
        return (), [f"trajectories is {trajectories!r}, expected True, False or names among {listed(known)}."]
    faults = [
        f"{one!r} is no state or record of model '{model.name}', which has {listed(known)}."
        f"{did_you_mean(str(one), known)}"
        for one in asked
        if one not in known
    ]
    return tuple(one for one in asked if one in known), faults


def _name_faults(call: Call, added: Callable[[Call], Iterable[str]], taken: Callable[[str], bool]) -> list[str]:
    names = list(added(call))
    there = [name for name in names if taken(name)]
    twice = sorted({name for name in names if names.count(name) > 1})
    faults = []
    if there:
        faults.append(f"the model has {listed(there)} already; give observe another name.")
    if twice:
        faults.append(f"{listed(twice)} would stand for two things; rename a state or record of the model.")
    return faults
