"""A model and trials as users give them to a function, checked."""

from __future__ import annotations

import os
from typing import Any

from rlbackends.data.bound import BoundTrials
from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.model.model import Model

_LONGEST = 60  # characters of what is shown as it was given


def model_faults(model: Any) -> list[str]:
    """Return a sentence if this is no model."""
    if isinstance(model, Model):
        return []
    if callable(model):
        name = getattr(model, "__name__", "model")
        return [f"model is the function '{name}', expected a Model: call it, {name}(…)."]
    example, near = "rescorla_wagner", ""
    if isinstance(model, str):
        from rlbackends.catalogue import MODELS

        example = model if model in MODELS else example
        near = "" if model in MODELS else did_you_mean(model, MODELS)
    return [f"model is {_shown(model)}, expected a Model, such as rl.catalogue.{example}().{near}"]


def data_faults(data: Any) -> list[str]:
    """Return a sentence if these are no trials."""
    if hasattr(data, "bind") or isinstance(data, BoundTrials):
        return []
    kind = type(data).__name__
    told = f"data is {'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}, expected Trials:"
    if hasattr(getattr(data, "data", None), "bind"):  # what was simulated
        return [f"{told} give its .data."]
    is_path = isinstance(data, str | os.PathLike)
    table = repr(os.fspath(data)) if is_path and len(os.fspath(data)) <= _LONGEST else "table"
    arrays = "" if is_path else ", or make them with rl.Trials.from_arrays(…)"
    return [f"{told} read them with rl.read_trials({table}, subject=…){arrays}."]


def check_given(where: str, model: Any, data: Any) -> None:
    """Raise ``SettingError`` for what is no model or no trials; ``where`` says to which function they were given."""
    faults = model_faults(model) + data_faults(data)
    if faults:
        raise SettingError(f"{where}: {' '.join(faults)}")


def bind_given(where: str, model: Any, data: Any) -> BoundTrials:
    """Return trials bound to a model; what was bound before stays as it is.

    Raises
    ------
    SettingError
        If these are no model and no trials, or the trials were bound to a model of other events.
    DataError
        If the trials do not fit the model.
    """
    check_given(where, model, data)
    bound: BoundTrials = data.bind(model) if hasattr(data, "bind") else data
    absent = [event for event in model.events if event not in bound.values]
    if absent:
        raise SettingError(f"{where}: the data are bound to another model; they have no {listed(absent)}.")
    return bound


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"a {type(value).__name__}"
