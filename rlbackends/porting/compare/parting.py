"""Where the two part, and what was known on both sides there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.porting.compare.reading import Given
from rlbackends.porting.compare.report import Parting, VariableReport
from rlbackends.porting.compare.setup import Play

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model

_MANY = 8  # values of one state that are all shown


def first_parting(
    model: Model, data: BoundTrials, play: Play, level: str, here: Mapping[str, np.ndarray],
    yours: Mapping[str, np.ndarray], apart: Mapping[str, np.ndarray], given: Sequence[Given],
) -> Parting:  # fmt: skip
    """Return the first trial in time, then the first subject, at which numbers differ."""
    first: tuple[tuple[int, ...], str, tuple[int, ...]] | None = None
    for name, flags in apart.items():
        for cell in np.argwhere(flags):
            key = (int(cell[2]) if level == "trial" else 0, *map(int, cell[1:2]), int(cell[0]))
            if first is None or key < first[0]:
                first = (key, name, tuple(map(int, cell)))
    assert first is not None
    _, name, place = first
    values = float(here[name][place]), float(yours[name][place])
    if level != "trial":
        subject = data.subjects[place[1]] if level == "subject" else None
        return Parting(subject, None, place[0], *values, response=name)
    point, subject, trial = place
    theirs = given[point].values[name][subject, trial]
    if not data.valid[subject, trial]:
        number = int(data.trial_numbers[subject, data.lengths[subject] - 1])
        return Parting(data.subjects[subject], number, point, None, values[1], (), name, True)
    has_response = data.observed(name)[subject, trial] if name else play.setup.observed[subject, trial]
    return Parting(
        data.subjects[subject], int(data.trial_numbers[subject, trial]), point,
        values[0] if has_response else None, None if np.isnan(theirs) else values[1],
        tuple(_known(model, data, play, given[point].variables, place)), name,
    )  # fmt: skip


def _known(
    model: Model, data: BoundTrials, play: Play, variables: Mapping[str, np.ndarray], cell: tuple[int, ...]
) -> list[tuple[str, Any, Any]]:
    """Return what is known on both sides at a trial."""
    point, subject, trial = cell
    rows: list[tuple[str, Any, Any]] = []
    for name, values in play.setup.params.items():
        value = values[point, subject] if values.ndim == 2 else values[point, subject, trial]
        rows.append((name, float(value), float(value)))
    trajectories = play.trajectories()
    for name in model.states:
        rows += _state(name, trajectories[name][cell], _there(variables, name, subject, trial))
    for name in model.events:
        rows.append((name, _event(data, name, subject, trial), _there(variables, name, subject, trial)))
    for name in model.records:
        rows.append((name, trajectories[name][cell], _there(variables, name, subject, trial)))
    rows += _probabilities(model, play, cell)
    known = {*model.states, *model.events, *model.records}
    rows += [(name, None, values[subject, trial]) for name, values in variables.items() if name not in known]
    return rows


def _state(name: str, here: np.ndarray, yours: Any) -> list[tuple[str, Any, Any]]:
    """Return a state's rows: a table of many values by those that differ."""
    what = f"{name} before learning"
    if here.size <= _MANY:
        return [(what, here, yours)]
    if yours is None:
        return [(what, f"{here.size} values from {here.min():.10g} to {here.max():.10g}", None)]
    with np.errstate(invalid="ignore"):
        apart = np.argwhere(~(np.abs(here - yours) <= 1e-9 * max(1.0, float(np.abs(here).max()))))
    if not len(apart):
        return [(what, f"{here.size} values", "the same")]
    entries = [tuple(int(i) for i in cell) for cell in apart]
    rows = [(f"{name}{list(cell)} before learning", here[cell], yours[cell]) for cell in entries]
    more = [(f"and {len(rows) - _MANY} entries more of {name}", None, None)] if len(rows) > _MANY else []
    return rows[:_MANY] + more


def _probabilities(model: Model, play: Play, cell: tuple[int, ...]) -> list[tuple[str, Any, Any]]:
    """Return the probabilities of the actions, which the choice's rule gave."""
    rows: list[tuple[str, Any, Any]] = []
    for name, response in model.response_rules.items():
        if response.family == "categorical":
            logits = next(iter(play.arguments(name).values()))[cell]
            with np.errstate(all="ignore"):
                p = np.exp(logits - logits.max(axis=-1, keepdims=True))
                rows.append((f"probabilities of {name}", p / p.sum(axis=-1, keepdims=True), None))
    return rows


def _there(variables: Mapping[str, np.ndarray], name: str, subject: int, trial: int) -> Any:
    return variables[name][subject, trial] if name in variables else None


def _event(data: BoundTrials, name: str, subject: int, trial: int) -> Any:
    values, missing = data.values[name][subject, trial], data.missing[name][subject, trial]
    if values.ndim:
        return np.where(missing, np.nan, values)
    if missing:
        return "missing"
    if name not in data.levels:
        return float(values)
    label = data.levels[name][int(values)]
    return str(label) if str(label) == str(int(values)) else f"{label} (counted as {int(values)})"


def variable_reports(
    model: Model, data: BoundTrials, play: Play, given: Sequence[Given], tolerance: float
) -> tuple[VariableReport, ...]:
    """Return what the other's states and records are, against ours."""
    names = [name for name in given[0].variables if name in (*model.states, *model.records)]
    if not names:
        return ()
    before, after = play.trajectories(), play.after()
    found = []
    for name in names:
        theirs = np.stack([item.variables[name] for item in given])
        rounding = max(item.variable_precision.get(name, 0.0) for item in given)
        known = _known_trials(before[name], theirs) & data.valid
        if not known[data.valid].any():
            found.append(VariableReport(name, False, "there is no number to compare"))
            continue
        if (where := _first(data, before[name], theirs, tolerance, rounding)) is None:
            all_of_them, there = int(data.valid.sum()), int(known.sum())
            some = "all trials" if there == all_of_them else f"the {there} of {all_of_them} trials where it is given"
            found.append(VariableReport(name, True, f"the same on {some}"))
            continue
        if name in after and _first(data, after[name], theirs, tolerance, rounding) is None:
            words = "the same as ours after each trial's update; ours are those before it"
            found.append(VariableReport(name, True, words))
            continue
        subject, trial = where
        words = f"differs, first at subject {data.subjects[subject]}, trial {data.trial_numbers[subject, trial]}"
        found.append(VariableReport(name, False, words))
    return tuple(found)


def _known_trials(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return on which trials (subject × trial) the other has every number that we have."""
    lacks = np.isnan(theirs) & ~np.isnan(ours)
    return ~lacks.reshape(*lacks.shape[:3], -1).any(axis=(0, 3))


def _first(
    data: BoundTrials, ours: np.ndarray, theirs: np.ndarray, tolerance: float, rounding: float = 0.0
) -> tuple[int, int] | None:
    """Return the first trial, then the first subject, at which a variable differs; unknown values don't."""
    scale = max(1.0, float(np.max(np.abs(ours), where=np.isfinite(ours), initial=0.0)))
    with np.errstate(invalid="ignore"):
        apart = np.abs(ours - theirs) > max(tolerance * scale, 1.02 * rounding)
    apart = apart.reshape(*apart.shape[:3], -1).any(axis=(0, 3)) & data.valid
    cells = np.argwhere(apart)
    return min(((int(s), int(t)) for s, t in cells), key=lambda cell: (cell[1], cell[0]), default=None)
