"""Parameter values as users give them, checked and turned into arrays."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import ParameterError, did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model
    from rlbackends.population.layout import Layout


def read_params(model: Model, data: BoundTrials, params: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return every parameter as a float64 array of shape (subject,) or (subject, trial).

    Raises
    ------
    ParameterError
        With every fault at once.
    """
    if not isinstance(params, Mapping):
        raise ParameterError(
            f"params is {params!r}, expected a mapping from parameter to value, such as {{'alpha': 0.3}}."
        )
    faults = name_faults(model, params)
    arrays = {}
    for name in model.parameters:
        if name in params:
            try:
                arrays[name] = read_value(name, params[name], data)
                check_support(name, arrays[name], model.parameters[name].support, data)
            except ParameterError as error:
                faults.append(str(error))
    if faults:
        raise ParameterError("params: " + " ".join(faults))
    return arrays


def name_faults(model: Model, given: Collection[str]) -> list[str]:
    """Return a sentence for each name that is no parameter of the model, and one for those that are not given."""
    faults = [
        f"'{name}' is no parameter of model '{model.name}', which has {listed(model.parameters)}."
        f"{did_you_mean(str(name), model.parameters)}"
        for name in given
        if name not in model.parameters
    ]
    absent = [name for name in model.parameters if name not in given]
    if absent:
        faults.append(f"there is no value for {listed(absent)}; model '{model.name}' needs {listed(model.parameters)}.")
    return faults


def shape_fault(name: str, shape: tuple[Any, ...], data: BoundTrials) -> str:
    """Say which shapes a parameter may have, and how one that is nearly right is put right."""
    one, both = (data.n_subjects,), (data.n_subjects, data.n_steps)
    fix = ""
    if shape == both[::-1]:
        fix = " It has trials first: transpose it."
    elif shape == (*one, 1):
        fix = f" Take its only column: {name}[:, 0]."
    elif shape == (data.n_steps,):
        fix = f" A value a trial, the same for all subjects, is one per subject and trial: repeat it {one[0]} times."
    return (
        f"'{name}' has shape {shape}, expected one number, one per subject {one}, or one per subject and trial {both}."
        f"{fix}"
    )


def _by_subject(name: str, given: Mapping[Any, Any], data: BoundTrials) -> list[Any]:
    lookup = {str(label): value for label, value in given.items()}
    absent = [label for label in data.subjects if str(label) not in lookup]
    if absent:
        raise ParameterError(
            f"'{name}' has no value for subject {listed(absent[:5])}; give every subject of the data one."
        )
    return [lookup[str(label)] for label in data.subjects]


def read_value(name: str, given: Any, data: BoundTrials) -> np.ndarray:
    """Return one parameter's numbers, labelled or not, as float64 (subject,) or (subject, trial)."""
    shape = (data.n_subjects, data.n_steps)
    if hasattr(given, "dims") and "subject" in getattr(given, "coords", ()):
        order = [str(label) for label in given.coords["subject"].values]
        given = dict(zip(order, given.transpose("subject", ...).values, strict=True))
    elif hasattr(given, "items") and not isinstance(given, Mapping):  # a pandas Series, labelled by subject
        given = dict(given.items())
    if isinstance(given, Mapping):
        given = _by_subject(name, given, data)
    try:
        array = np.array(given, dtype=np.float64)  # a copy: padding is overwritten
    except (TypeError, ValueError):
        raise ParameterError(f"'{name}' is {given!r}, expected numbers.") from None
    if array.ndim == 0:
        return np.full(shape[0], float(array))
    if array.shape not in ((shape[0],), shape):
        raise ParameterError(shape_fault(name, array.shape, data))
    return array


def check_support(name: str, array: np.ndarray, support: Any, data: BoundTrials) -> None:
    """Raise ``ParameterError`` for a value outside its support; padding is overwritten by a value inside."""
    wrong = ~np.asarray(support.contains(array))
    if array.ndim == 2:
        wrong &= data.valid
        array[~data.valid] = array[0, 0] if data.valid[0, 0] else 0.5  # padding must be finite and inside
    if wrong.any():
        position = tuple(int(i) for i in np.argwhere(wrong)[0])
        subject = data.subjects[position[0]]
        raise ParameterError(
            f"'{name}' is {array[position]:g} for subject {subject}, which is outside its support {support}."
        )


def read_latents(layout: Layout, z: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return unconstrained latents as float64 arrays of their own shapes."""
    faults = [
        f"'{name}' is no latent variable; there are {listed(layout.names)}.{did_you_mean(str(name), layout.names)}"
        for name in z
        if name not in layout.names
    ]
    arrays = {}
    for latent in layout.latents:
        if latent.name not in z:
            faults.append(f"there is no value for '{latent.name}'.")
            continue
        array = np.asarray(z[latent.name], dtype=np.float64)
        if array.shape != layout.shape(latent):
            faults.append(f"'{latent.name}' has shape {array.shape}, expected {layout.shape(latent)}.")
        arrays[latent.name] = array
    if faults:
        raise ParameterError("z: " + " ".join(faults))
    return arrays
