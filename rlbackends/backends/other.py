"""A model that was written elsewhere, as a function of our parameters: names, shapes and sums."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from rlbackends.backends.inside import may_be
from rlbackends.errors import ParameterError, did_you_mean, listed


def their_names(
    where: str,
    given: Mapping[str, Any],
    names: Mapping[str, str | None] | None,
    there: Collection[str],
    *,
    needed: Iterable[str] = (),
) -> dict[str, str]:
    """Return our name → theirs, of everything that is given and that they have.

    Parameters
    ----------
    where : str
        How messages begin.
    given : mapping
        Values by our names.
    names : mapping, optional
        Our name → theirs where they differ; None for what they don't have, which is left out.
    there : collection of str
        Their variables.
    needed : iterable of str
        Those of them that must be given.

    Raises
    ------
    ParameterError
        With every fault at once.
    """
    names = dict(names or {})
    faults = [
        f"names has '{ours}', but there is no such value; there are {listed(given)}.{did_you_mean(ours, given)}"
        for ours in names
        if ours not in given
    ]
    found: dict[str, str] = {}
    for ours in given:
        theirs = names.get(ours, ours)
        if theirs is None:
            continue
        if theirs in found.values():
            first = next(name for name, other in found.items() if other == theirs)
            faults.append(f"'{first}' and '{ours}' both stand for '{theirs}'.")
        elif theirs not in there:
            faults.append(
                f"the other model has no variable '{theirs}'; it has {listed(there)}.{did_you_mean(theirs, there)} "
                f"Say what '{ours}' is called there with names={{'{ours}': ...}}, or None if it has none."
            )
        found[ours] = theirs
    absent = [name for name in needed if name not in found.values()]
    if absent:
        faults.append(f"there is no value for its {listed(absent)}.")
    if faults:
        raise ParameterError(f"{where}: {' '.join(faults)}")
    return found


def read_reached(where: str, given: Iterable[str], reached: Collection[str], free: Iterable[str], hint: str) -> None:
    """Raise ``ParameterError`` if a variable does not reach the likelihood, or one that was not given does.

    Parameters
    ----------
    where : str
        How messages begin.
    given : iterable of str
        Their names of what was given.
    reached : collection of str
        The variables that the likelihood depends on.
    free : iterable of str
        Their variables that have no value.
    hint : str
        What may be the cause, and what to write instead.
    """
    idle = [name for name in given if name not in reached]
    open_ends = [name for name in free if name in reached]
    faults = []
    if open_ends:
        faults.append(f"the likelihood still depends on {listed(open_ends)}, which got no value.")
    if idle:
        faults.append(f"{listed(idle)} got a value on which the likelihood does not depend.")
    if faults:
        raise ParameterError(f"{where}: {' '.join(faults)} {hint}")


def chosen_terms(where: str, observed: str | Iterable[str] | None, there: Collection[str]) -> list[str]:
    """Return which of the other model's likelihood terms count: those that were named, or all."""
    asked = list(there) if observed is None else [observed] if isinstance(observed, str) else list(observed)
    wrong = [name for name in asked if name not in there]
    if wrong or not asked:
        what = f"no observed variable {listed(wrong)}" if wrong else "no observed variable"
        near = did_you_mean(wrong[0], there) if wrong else ""
        raise ParameterError(f"{where}: the other model has {what}; there is {listed(there)}.{near}")
    return asked


def at_shape(where: str, name: str, value: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return one number a subject in the shape that a variable has in the other model.

    Raises
    ------
    ParameterError
        If it can't have that shape.
    """
    value = np.asarray(value, dtype=np.float64)
    if may_be(shape, value.shape):
        return value
    if shape == () and value.size and (value == value.flat[0]).all():
        return value.reshape(-1)[0]
    if value.ndim == 0 and None not in shape:
        return np.broadcast_to(value, [size for size in shape if size is not None])
    if value.ndim == 1 and len(shape) > 1:
        for axis in range(len(shape)):
            along = tuple(len(value) if i == axis else 1 for i in range(len(shape)))
            if may_be(shape, along):
                return value.reshape(along)
    raise ParameterError(
        f"{where}: '{name}' has shape {shape} in the other model and {value.shape} here, one value a subject."
    )


def summed(terms: Mapping[str, Any]) -> np.ndarray:
    """Return the terms of a likelihood as one array: their sum where they have one shape, or else the total."""
    arrays = [np.asarray(term, dtype=np.float64) for term in terms.values()]
    if len({array.shape for array in arrays}) == 1:
        return np.sum(arrays, axis=0)
    return np.asarray(sum(array.sum() for array in arrays))
