"""Parameters of simulated subjects: numbers, lists, distributions and tables, as texts and as arrays."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.cli.arguments import pairs
from rlbackends.errors import ModelError, SettingError, did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.model import Model
    from rlbackends.population.priors import Prior

_DISTRIBUTION = re.compile(r"(\w+)\((.*)\)")
_EXPECTED = "a number, several with commas between them (one a subject), or a distribution such as beta(5,5)"
MANY = 20  # subjects, where nothing says how many


def read_values(option: str, given: Iterable[str]) -> dict[str, float | list[float] | Prior]:
    """Return ``name=value`` texts as a number, a list of numbers or a distribution each."""
    found: dict[str, float | list[float] | Prior] = {}
    for name, text in pairs(option, given, f"NAME=VALUE, such as {option} alpha=0.3"):
        if name in found:
            raise SettingError(f"{option} {name} is given twice.")
        found[name] = _value(f"{option} {name}", text)
    return found


def _value(what: str, text: str) -> float | list[float] | Prior:
    shape = _DISTRIBUTION.fullmatch(text)
    if shape is not None:
        return _distribution(what, text, *shape.groups())
    numbers = [_number(word) for word in text.split(",")]
    if None in numbers:
        raise SettingError(f"{what} is {text!r}, expected {_EXPECTED}.")
    return numbers[0] if len(numbers) == 1 else numbers  # type: ignore[return-value]


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _distribution(what: str, text: str, name: str, inside: str) -> Prior:
    """Return the distribution that a text such as ``beta(5, 5)`` or ``normal(mean=0, sd=1)`` names."""
    from rlbackends.population.priors import PRIORS

    known = {key.lower(): prior for key, prior in PRIORS.items()}
    if name.lower() not in known:
        raise SettingError(
            f"{what} is {text!r}: there is no distribution '{name}'. There are {listed(known)}."
            f"{did_you_mean(name.lower(), known)}"
        )
    prior = known[name.lower()]
    order = [item.name for item in fields(prior)]
    words = [word.strip() for word in inside.split(",")] if inside.strip() else []
    arguments: dict[str, float] = {}
    for i, word in enumerate(words):
        key, sign, value = (part.strip() for part in word.rpartition("="))
        if not sign:
            key = order[i] if i < len(order) else ""
        number = _number(value)
        if key not in order or key in arguments or number is None:
            raise SettingError(f"{what} is {text!r}, expected {name}({', '.join(order)}), each a number.")
        arguments[key] = number
    try:
        return prior(**arguments)
    except ModelError as error:
        raise SettingError(f"{what} is {text!r}: {error}") from None


@dataclass(frozen=True)
class Drawn:
    """Subjects and their parameters.

    Attributes
    ----------
    subjects
        Labels.
    params
        Each parameter's values, one a subject.
    from_prior
        The parameters that nobody gave.
    """

    subjects: tuple[Any, ...]
    params: Mapping[str, np.ndarray]
    from_prior: tuple[str, ...]


def make_params(
    model: Model,
    given: Mapping[str, float | list[float] | Prior],
    table: str | None,
    subjects: int | None,
    seed: int,
) -> Drawn:
    """Return everyone's parameters; those that are not given are drawn from the default prior.

    Parameters
    ----------
    model
        Who plays.
    given
        From :func:`read_values`.
    table
        A table's path: the column ``subject``, and parameters.
    subjects
        How many; default: as many as values were given.
    seed
        Where what is drawn comes from.
    """
    from rlbackends.population.priors import Prior
    from rlbackends.simulation.design import stream

    labels, listed_values = (None, {}) if table is None else read_params_table(table)
    twice = [name for name in given if name in listed_values]
    if twice:
        raise SettingError(f"{listed(twice)} is given by --param and in '{table}'. Give it once.")
    values: dict[str, Any] = {**listed_values, **given}
    unknown = [name for name in values if name not in model.parameters]
    if unknown:
        raise SettingError(
            f"{listed(unknown)} is no parameter of model '{model.name}', which has {listed(model.parameters)}."
            f"{did_you_mean(unknown[0], model.parameters)}"
        )
    if subjects is not None and subjects < 1:
        raise SettingError(f"--subjects is {subjects}, expected at least 1.")
    counts = {} if labels is None else {f"--params {table}": len(labels)}
    counts |= {f"--param {name}": len(value) for name, value in given.items() if isinstance(value, list)}
    counts |= {} if subjects is None else {"--subjects": subjects}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{what} {count}" for what, count in counts.items())
        raise SettingError(f"numbers of subjects disagree: {told}. Give one value for all, or one a subject.")
    who = tuple(range(1, 1 + next(iter(counts.values()), MANY))) if labels is None else tuple(labels)
    rest = tuple(name for name in model.parameters if name not in values)
    drawn = _from_prior(model, who, seed) if rest else {}
    params = {}
    for name in model.parameters:
        value = values.get(name)
        if isinstance(value, Prior):
            value = value.draw(stream(seed, "parameter", name), (len(who),))
        elif value is None:
            value = drawn[name]
        params[name] = np.broadcast_to(np.asarray(value, dtype=np.float64), (len(who),))
    return Drawn(who, params, rest)


def _from_prior(model: Model, subjects: tuple[Any, ...], seed: int) -> Mapping[str, np.ndarray]:
    """Return a group drawn from the default population, and its subjects' parameters."""
    from rlbackends.population import Population
    from rlbackends.simulation.design import stream

    layout = Population().layout(model, subjects)
    return layout.parameters(layout.draw(stream(seed, "prior", 0)))


def read_params_table(
    path: str | os.PathLike[str], subject: str | None = None
) -> tuple[list[Any], dict[str, list[float]]]:
    """Return subjects and their parameters from a table with a column of subjects and one a parameter.

    The column of subjects is called ``subject``, or as that of the data is.
    """
    from rlbackends.data.cells import as_number, subject_labels
    from rlbackends.data.tables import load_table

    columns = dict(load_table(path).columns)
    who = subject if subject in columns else "subject"
    if who not in columns:
        or_data = "" if subject in (None, "subject") else f" or '{subject}'"
        raise SettingError(f"--params '{path}' has no column 'subject'{or_data}; it has {listed(columns)}.")
    labels = subject_labels(columns.pop(who))
    repeated = [label for i, label in enumerate(labels) if label in labels[:i]]
    if repeated:
        raise SettingError(f"--params '{path}' has two rows of subject {repeated[0]}, expected one a subject.")
    found = {}
    for name, cells in columns.items():
        numbers = [as_number(cell) for cell in cells]
        if None in numbers:
            i = numbers.index(None)
            raise SettingError(
                f"--params '{path}': '{name}' of subject {labels[i]} is {cells[i]!r}, expected a number."
            )
        found[name] = numbers
    return labels, found  # type: ignore[return-value]
