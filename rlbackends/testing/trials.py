"""Trials to try models on: drawn at random, with what real data have, or played by the model itself.

A subject's trials are a list of dicts: each event's value (a list where the event has an axis; None is missing), and
``start``, whether a block starts.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.node import walk

if TYPE_CHECKING:
    from rlbackends.data import Trials
    from rlbackends.model import Model
    from rlbackends.model.parts import Event
    from rlbackends.testing.cases.case import Draw, ModelCase

Rows = list[dict[str, Any]]


def random_subjects(
    case: ModelCase,
    rng: random.Random,
    lengths: Sequence[int] = (12, 9, 11),
    *,
    missing: float = 0.15,
    blocks: float = 0.15,
) -> list[Rows]:
    """Return trials of some subjects whose responses nobody chose.

    Parameters
    ----------
    case : ModelCase
        The model and how its events are drawn.
    rng : random.Random
        Where the draws come from.
    lengths : sequence of int
        Trials of each subject.
    missing : float, default 0.15
        The share of values that are missing, event by event. A response is missing, too, where its rule needs a
        value that is.
    blocks : float, default 0.15
        The probability that a block starts at a trial after the first.
    """
    model = case.model()
    return [
        [_random_trial(model, case.events, rng, t, missing, t == 0 or rng.random() < blocks) for t in range(n)]
        for n in lengths
    ]


def _random_trial(
    model: Model, draws: Mapping[str, Draw], rng: random.Random, position: int, missing: float, start: bool
) -> dict[str, Any]:
    now: dict[str, Any] = {"trial": position}
    for name, event in model.events.items():
        now[name] = draws[name](rng, now) if name in draws else _by_kind(event, rng)
    trial = {name: _with_gaps(now[name], rng, missing) for name in model.events}
    for name in model.responses:
        arguments = model.response_rules[name].arguments.values()
        needed = {node.attr("name") for node in walk(*arguments) if node.op == "event"}
        if any(_has_gap(trial[event]) for event in needed):
            trial[name] = None
    return {"start": start, **trial}


def _by_kind(event: Event, rng: random.Random) -> Any:
    def one() -> float:
        if event.kind.name == "int":
            return rng.randrange(int(event.kind.lo), int(event.kind.hi) + 1)
        return round(rng.uniform(-1, 2), 2)

    if not event.axes:
        return one()
    return np.reshape([one() for _ in range(int(np.prod([a.size for a in event.axes])))],
                      [a.size for a in event.axes]).tolist()  # fmt: skip


def _with_gaps(value: Any, rng: random.Random, missing: float) -> Any:
    """Return a value or None; of a list either all or one entry may be None."""
    if rng.random() >= missing:
        return value
    if not isinstance(value, list) or rng.random() < 0.5:
        return None
    gap = rng.randrange(len(value))
    return [None if i == gap else entry for i, entry in enumerate(value)]


def _has_gap(value: Any) -> bool:
    return value is None or (isinstance(value, list) and any(_has_gap(entry) for entry in value))


def played_subjects(
    case: ModelCase, rng: random.Random, params: Mapping[str, Sequence[float]], n_trials: int
) -> list[Rows]:
    """Return trials in which each subject responds as the model does, in one block and without gaps.

    Parameters
    ----------
    case : ModelCase
        The model and how the world's events are drawn.
    rng : random.Random
        Where the draws come from.
    params : mapping of str to sequence of float
        One value per subject of each parameter.
    n_trials : int
        Trials of each subject.
    """
    from rlbackends.backends.reference.simulate import simulate_subject

    model = case.model()
    subjects = []
    for s in range(len(next(iter(params.values())))):
        uniforms = {}
        for name in model.responses:
            shape = (n_trials, *(axis.size for axis in model.events[name].axes))
            uniforms[name] = np.reshape([rng.random() for _ in range(int(np.prod(shape)))], shape)
        world = {
            name: _world(event, case.events.get(name), rng)
            for name, event in model.events.items()
            if not event.is_response
        }
        found = simulate_subject(model, {name: float(values[s]) for name, values in params.items()}, world, uniforms)
        subjects.append(
            [{"start": t == 0, **{name: found[name][t].tolist() for name in model.events}} for t in range(n_trials)]
        )
    return subjects


def _world(event: Event, draw: Draw | None, rng: random.Random) -> Any:
    def given(trial: int, earlier: Mapping[str, Any]) -> Any:
        known = {"trial": trial, **{name: np.asarray(value).tolist() for name, value in earlier.items()}}
        return _by_kind(event, rng) if draw is None else draw(rng, known)

    return given


def as_trials(model: Model, subjects: Sequence[Rows]) -> Trials:
    """Return subjects' trials as data, with the codes of events as their labels."""
    from rlbackends.data import Trials

    longest = max(len(rows) for rows in subjects)
    arrays: dict[str, np.ndarray] = {}
    for name, event in model.events.items():
        shape = tuple(axis.size for axis in event.axes)
        arrays[name] = np.full((len(subjects), longest, *shape), np.nan)
        for s, rows in enumerate(subjects):
            for t, trial in enumerate(rows):
                arrays[name][s, t] = np.nan if trial[name] is None else np.array(trial[name], dtype=float)
    blocks = np.zeros((len(subjects), longest), dtype=int)
    for s, rows in enumerate(subjects):
        blocks[s, : len(rows)] = np.cumsum([trial["start"] for trial in rows])
    levels = {e.name: range(int(e.kind.hi) + 1) for e in model.events.values() if e.kind.name == "int"}
    return Trials.from_arrays(
        subjects=range(1, len(subjects) + 1),
        blocks=blocks,
        lengths=[len(rows) for rows in subjects],
        levels=levels,
        **{name: _flat(array) for name, array in arrays.items()},
    )


def _flat(array: np.ndarray) -> np.ndarray:
    """Return an event of several axes as one with a row of entries."""
    return array if array.ndim < 4 else array.reshape(*array.shape[:2], -1)
