"""What is fixed before a trial: stimuli, probabilities, payoffs; the same for all, or drawn for each subject."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rlbackends.errors import ModelError, listed
from rlbackends.expressions.kinds import Axes, Kind
from rlbackends.model.parts import Event, Given

_ASKS = ("rng", "n_trials", "subject", "block")


@dataclass(frozen=True, eq=False)
class Scheduled:
    """A variable that is fixed beforehand, trial by trial.

    Parameters
    ----------
    kind : Real, Index or Binary
        What its values are: ``rl.Real("action")``, ``rl.Index("stimulus")``, ``rl.Binary()``.
    values : array or callable
        An array, trial × the kind's axes, the same for every subject and block; without the trial axis it stays the
        same on all trials. Or a function that returns such an array for one subject and block: it asks by argument
        name for any of ``rng`` (a `numpy.random.Generator`), ``n_trials``, ``subject`` and ``block`` (positions
        from 0).
    shared : bool, default False
        Whether what a function draws is the same for all subjects.

    Examples
    --------
    >>> import rlbackends as rl
    >>> def walk(rng, n_trials):
    ...     return rng.normal(size=(n_trials, 2)).cumsum(axis=0)
    >>> drift = rl.tasks.Scheduled(rl.Real("action"), walk, shared=True)
    """

    kind: Given
    values: Any
    shared: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.kind, Given):
            raise ModelError(
                f"Scheduled: the kind is {self.kind!r}, expected rl.Real(...), rl.Index(axis) or rl.Binary()."
            )
        if not isinstance(self.shared, bool):
            raise ModelError(f"Scheduled: shared is {self.shared!r}, expected True or False.")


@dataclass(frozen=True, eq=False)
class Variable:
    """A scheduled variable of a task, checked.

    Attributes
    ----------
    name, kind, axes
        What it is called and what its values are.
    values : numpy.ndarray or callable
        As in :class:`Scheduled`; an array has its trial axis, of size 1 where all trials are alike.
    shared : bool
        Whether subjects share what is drawn.
    """

    name: str
    kind: Kind
    axes: Axes
    values: Any
    shared: bool

    @property
    def is_drawn(self) -> bool:
        """Whether a function makes the values."""
        return callable(self.values)

    @property
    def by_subject(self) -> bool:
        """Whether subjects may differ."""
        return self.is_drawn and not self.shared and bool({"rng", "subject"} & set(_arguments(self.values)))

    def with_values(self, values: Any) -> Variable:
        """Return the variable with other values."""
        return checked(replace(self, values=values))

    def draw(self, rng: np.random.Generator, n_trials: int, subject: int, block: int) -> np.ndarray:
        """Return the values of one subject and block, trial × axes.

        Raises
        ------
        ModelError
            If a function gives values that don't fit, or an array has too few trials.
        """
        if not self.is_drawn:
            values = self.values
            if len(values) == 1:
                return np.broadcast_to(values, (n_trials, *values.shape[1:]))
            if len(values) < n_trials:
                raise ModelError(
                    f"'{self.name}' is fixed for {len(values)} trials, but a block has {n_trials}. Give more of it, or "
                    "play fewer trials."
                )
            return values[:n_trials]
        known = {"rng": rng, "n_trials": n_trials, "subject": subject, "block": block}
        given = self.values(**{name: known[name] for name in _arguments(self.values)})
        values = _array(self, given, f"'{self.name}' of subject {subject} in block {block}")
        if len(values) == 1:
            return np.broadcast_to(values, (n_trials, *values.shape[1:]))
        if len(values) != n_trials:
            raise ModelError(
                f"'{self.name}' of subject {subject} in block {block} has {len(values)} trials, expected {n_trials}."
            )
        return values


def make_variable(event: Event, given: Scheduled, n_trials: int) -> Variable:
    """Return a task's variable; what its kind says is resolved in ``event``."""
    return checked(Variable(event.name, event.kind, event.axes, given.values, given.shared))


def checked(variable: Variable) -> Variable:
    """Return the variable with its values checked as far as they are known."""
    if not callable(variable.values):
        array = _array(variable, variable.values, f"'{variable.name}'")
        array.flags.writeable = False
        return replace(variable, values=array)
    if "subject" in _arguments(variable.values) and variable.shared:
        raise ModelError(f"'{variable.name}' is shared, but its function asks for 'subject'; leave one of them out.")
    return variable


def _arguments(function: Callable[..., Any]) -> list[str]:
    try:
        asked = inspect.signature(function).parameters
    except (TypeError, ValueError):
        raise ModelError(f"the arguments of {function!r} can't be read; write a function.") from None
    names = []
    for name, parameter in asked.items():
        if name in _ASKS:
            names.append(name)
        elif parameter.default is parameter.empty or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            raise ModelError(f"the function that draws a schedule asks for '{name}'; it may ask for {listed(_ASKS)}.")
    return names


def _array(variable: Variable, given: Any, what: str) -> np.ndarray:
    shape = tuple(axis.size for axis in variable.axes)
    words = " × ".join(["trial", *(str(axis) for axis in variable.axes)])
    try:
        array = np.array(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ModelError(f"{what} is {given!r}, expected a number for each {words}.") from None
    if array.shape == shape:
        array = array[None]
    if array.ndim != len(shape) + 1 or array.shape[1:] != shape or not len(array):
        raise ModelError(f"{what} has shape {np.shape(given)}, expected {words}.")
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ModelError(f"{what} is {array[where]} on trial {where[0] + 1}, expected a finite number.")
    if variable.kind.name != "int":
        return array
    wrong = (array != np.floor(array)) | (array < variable.kind.lo) | (array > variable.kind.hi)
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise ModelError(
            f"{what} is {array[where]:g} on trial {where[0] + 1}, expected a whole number from {variable.kind.lo} to "
            f"{variable.kind.hi}."
        )
    return array.astype(np.int64)
