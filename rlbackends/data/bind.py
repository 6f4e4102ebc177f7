"""Fitting trials to a model: its events looked up, checked and recoded."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.data.bound import BoundTrials
from rlbackends.data.cells import Column, as_number, comma_hint, show
from rlbackends.data.faults import DataWarning, Faults, Places
from rlbackends.data.levels import encode
from rlbackends.data.needs import repeated_entries, unmet_needs
from rlbackends.data.words import plural, shorten
from rlbackends.errors import did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.data.trials import Trials


def bind(trials: Trials, model: Any) -> BoundTrials:
    """Return the events of ``model``; see `Trials.bind`."""
    faults = Faults(trials.source, trials.places.style)
    _note_absent(trials, model, faults)
    values, missing, levels, reports = {}, {}, {}, list(trials.reports)
    for event in model.events.values():
        if event.name not in trials.events:
            continue
        column = _shaped(trials.events[event.name], event, faults)
        if column is None:
            continue
        if event.kind.name == "real":
            # Labels that are numbers are the numbers: what counts for one model may be a quantity for another.
            if not all(isinstance(label, int | float) for label in trials.levels.get(event.name, ())):
                faults.add(
                    f"levels are given for '{event.name}', but it is a real number in model '{model.name}'."
                )
            values[event.name] = _real(event.name, column, trials.places, faults)
        else:
            coded = encode(event, column, trials.levels.get(event.name), model, trials.places, faults)
            if coded is not None:
                values[event.name], levels[event.name] = coded.codes, coded.levels
                reports += coded.reports
        missing[event.name] = column.missing
    faults.raise_any()
    # Any column may be a covariate, one that the model reads as well.
    covariates = {name: column for name, column in trials.events.items() if column.values.ndim == 2}
    levels |= {name: trials.levels[name] for name in covariates if name in trials.levels and name not in levels}

    bound = BoundTrials(
        subjects=trials.subjects,
        lengths=trials.lengths,
        trial_numbers=trials.trial_numbers,
        values=values,
        missing=missing,
        starts=trials.starts,
        levels=levels,
        source=trials.source,
        places=trials.places,
        reports=tuple(reports),
        covariates=covariates,
    )
    _warn_of_silent_subjects(bound, [event.name for event in model.events.values() if event.is_response])
    _check_needs(model, bound)
    return bound


def _check_needs(model: Any, bound: BoundTrials) -> None:
    """Raise where a trial has not what the rules need: a value that is missing, or entries that are distinct."""
    faults = Faults(bound.source, bound.places.style)
    for subject, trial, response, absent in unmet_needs(model, bound):
        needed = f"{listed(absent)}, which its rule needs, {'is' if len(absent) == 1 else 'are'} missing"
        remedy = f"give {'it' if len(absent) == 1 else 'them'} a value, or leave {response} empty there"
        faults.add_at(bound.places.of([(subject, trial)]), f"{response} is there, but {needed}; {remedy}")
    for subject, trial, words in repeated_entries(model, bound):
        fault = f"{words} names one entry twice, but a rule of model '{model.name}' sets each of them"
        faults.add_at(bound.places.of([(subject, trial)]), fault)
    faults.raise_any()


def _note_absent(trials: Trials, model: Any, faults: Faults) -> None:
    """Note the events of the model that are not among the columns."""
    absent = [event for event in model.events.values() if event.name not in trials.events]
    if not absent:
        return
    spare = [name for name in trials.columns if name not in model.events]
    told = []
    for event in absent:
        fix = did_you_mean(event.name, spare)
        if event.name in trials.unread:
            fix = f" The table has a column '{event.name}': read it with {event.name}='{event.name}'."
        told.append(f"'{event.name}' ({event.meaning}) is not among the columns.{fix}")
    there = f"The columns that were read are {listed(trials.columns)}."
    if trials.unread:
        there += f" The table also has {listed(trials.unread)}."
    faults.add(f"model '{model.name}' needs more events. {' '.join(told)} {there}")


def _shaped(column: Column, event: Any, faults: Faults) -> Column | None:
    """Return a column with the event's axes, or note that it has another number of entries."""
    sizes = tuple(axis.size for axis in event.axes)
    wanted = int(np.prod(sizes, dtype=np.int64))
    lead = column.values.shape[:2]
    given = column.values.shape[2] if column.values.ndim == 3 else 1
    if given == wanted:
        shape = (*lead, *sizes)
        return Column(column.values.reshape(shape), column.missing.reshape(shape), column.names)
    axes = " × ".join(axis.name for axis in event.axes)
    expected = f"{wanted}, one for each {axes}" if event.axes else "1"
    fix = f" Write {event.name}=['column 1', …, 'column {wanted}']." if event.axes and given == 1 else ""
    columns = f"{plural(given, 'column')} ({listed(column.names)})"
    faults.add(f"'{event.name}' was read from {columns}, expected {expected}.{fix}")
    return None


def _real(event: str, column: Column, places: Places, faults: Faults) -> np.ndarray:
    """Return numbers; note every entry that is none."""
    numbers = column.values
    if not column.is_numeric:
        as_float = np.frompyfunc(lambda cell: np.nan if (number := as_number(cell)) is None else number, 1, 1)
        numbers = np.where(column.missing, 0.0, as_float(column.values).astype(np.float64))
    for cell, k, entry in column.entries(~np.isfinite(numbers)):
        what = "a number" if as_number(entry) is None else "a finite number"
        message = f"{column.called(event, k)} is {show(entry)}, expected {what}{comma_hint(entry)}"
        faults.add_at(places.of([cell]), message)
    return numbers


def _warn_of_silent_subjects(bound: BoundTrials, responses: list[str]) -> None:
    """Warn of subjects without any response: they are kept, and the data say nothing of them."""
    if not responses:
        return
    silent = np.all(
        [bound.missing[name].reshape(bound.n_subjects, -1).all(axis=1) for name in responses], axis=0
    )
    if silent.any():
        who = [str(label) for label, is_silent in zip(bound.subjects, silent, strict=True) if is_silent]
        what = "subject" if len(who) == 1 else "subjects"
        has = "has" if len(who) == 1 else "have"
        warnings.warn(
            f"{bound.source}: {what} {', '.join(shorten(who, 8))} {has} no response at all "
            f"({listed(responses)}): kept, but their parameters are known from the other subjects alone.",
            DataWarning,
            stacklevel=4,
        )
