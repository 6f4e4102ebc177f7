"""Mistakes about when: which trial's values, stimuli and rewards meet, what is dropped, and when states start again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.errors import listed
from rlbackends.expressions.node import walk
from rlbackends.porting.compare.mistakes.mistake import Change, Mistake, Variants, both, groups, shifted, with_values
from rlbackends.porting.compare.setup import Setup

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials


def _see(word: str) -> Change:
    return lambda setup: setup.changed(see=word) if setup.see == "before" else None


def _after(setup: Setup, data: BoundTrials) -> Variants:
    yield "", _see("after")


def _last(setup: Setup, data: BoundTrials) -> Variants:
    yield "", _see("last")


def _never(setup: Setup, data: BoundTrials) -> Variants:
    yield "", _see("initial")


def _given(setup: Setup, use: str) -> list[str]:
    """Return the events given by the world that are read for this use."""
    roots = (
        [node for r in setup.parts.responses.values() for node in r.arguments.values()]
        if use == "@rule"
        else list(setup.parts.updates.values())
    )
    read = {node.attr("name") for node in walk(*roots) if node.op == "event"}
    return [e.name for e in setup.parts.events.values() if not e.is_response and e.name + use in read]


def _moved(names: list[str], use: str, by: int, *, around: bool = False) -> Change:
    def change(setup: Setup) -> Setup | None:
        moved = [name + use for name in names]
        return with_values(
            {name: shifted(setup.values[name], by, around=around) for name in moved},
            {name: shifted(setup.missing[name], by, around=around) for name in moved},
        )(setup)

    return change


def _stimulus(setup: Setup, data: BoundTrials) -> Variants:
    names = _given(setup, "@rule")
    for group in groups(names):
        yield f"{listed(group)} of the trial before, with this trial's values", _moved(group, "@rule", -1)
    if names:
        yield (
            f"{listed(names)} and the values of the trial before",
            both(_see("last"), _moved(names, "@rule", -1)),
        )
        yield (
            f"{listed(names)} of the trial before, with the values after this trial's update",
            both(_see("after"), _moved(names, "@rule", -1)),
        )
        yield f"{listed(names)} of the next trial", _moved(names, "@rule", 1)


def _outcome(setup: Setup, data: BoundTrials) -> Variants:
    names = [name for name in _given(setup, "@learning") if name not in _given(setup, "@rule")]
    for group in groups(names):
        yield f"{listed(group)} of the trial before", _moved(group, "@learning", -1)
        yield f"{listed(group)} of the trial before, the first trial's from the end", _moved(
            group, "@learning", -1, around=True
        )
        yield f"{listed(group)} of the next trial", _moved(group, "@learning", 1)
    responses = list(setup.parts.responses)
    yield f"{listed(responses)} of the trial before", _moved(responses, "@learning", -1)


def _no_likelihood(where: np.ndarray) -> Change:
    """Return a change that adds nothing to the log-likelihood on some trials."""

    def change(setup: Setup) -> Setup:
        return setup.changed(outputs=(*setup.outputs, lambda values, _: np.where(where, 0.0, values)))

    return change


def _eaten(rows: np.ndarray) -> Change:
    """Return a change for which some persons' first trial is not there: learning starts on the second."""

    def change(setup: Setup) -> Setup | None:
        if setup.chained or setup.shape[2] < 2:
            return None
        starts = setup.starts.copy()
        starts[rows, 1] = True
        return setup.changed(
            # What a state that never starts again has learnt on the first trial is held back, too.
            missing={
                name: _set(flags, rows) if name.endswith("@learning") else flags
                for name, flags in setup.missing.items()
            },
            starts=starts,
            outputs=(*setup.outputs, lambda values, _: np.where(_first(values.shape[1:], rows), 0.0, values)),
        )

    return change


def _set(flags: np.ndarray, rows: np.ndarray) -> np.ndarray:
    flags = flags.copy()
    flags[rows, 0] = True
    return flags


def _first(shape: tuple[int, ...], rows: np.ndarray) -> np.ndarray:
    where = np.zeros(shape, bool)
    where[rows, 0] = True
    return where


def _dropped(setup: Setup, data: BoundTrials) -> Variants:
    everyone = np.ones(data.n_subjects, bool)
    first = _first(data.starts.shape, everyone)
    yield "it is learnt from, but its likelihood is not counted", _no_likelihood(first)
    yield "neither counted nor learnt from, as if a header had been read from its row", _eaten(everyone)
    if data.n_subjects > 1:
        # A table's first line belongs to one person only.
        cells = np.where(data.valid, data.places.numbers, np.iinfo(np.int64).max)
        orders = {0, int(np.argmin(cells[:, 0]))}
        for row in sorted(orders):
            one = np.arange(data.n_subjects) == row
            yield f"that of subject {data.subjects[row]} only, the first row of the table", _eaten(one)
    blocks = np.array(data.starts)
    if (blocks.sum(axis=1) > 1).any():
        yield "the likelihood of the first trial of each block", _no_likelihood(blocks)
    last = np.arange(data.n_steps) == data.lengths[:, None] - 1
    yield "it is the last trial whose likelihood is not counted", _no_likelihood(last)
    yield (
        "it is the last trial that is not counted, and your first column is the first trial",
        lambda setup: setup.changed(outputs=(*setup.outputs, _later)),
    )


def _later(values: np.ndarray, setup: Setup) -> np.ndarray:
    found = np.zeros_like(values)
    found[:, :, 1:] = values[:, :, :-1]
    return found


def _resets(setup: Setup, data: BoundTrials) -> Variants:
    starts = np.array(data.starts)
    only_first = _first(starts.shape, np.ones(len(starts), bool))
    has_blocks = bool((starts & data.valid & ~only_first).any())
    if has_blocks:
        yield "states go on from one block to the next", lambda s: s.changed(starts=only_first)
        for by, word in ((-1, "later"), (1, "earlier")):
            moved = shifted(starts, by) & ~only_first if by < 0 else shifted(starts & ~only_first, by)
            yield f"states start again one trial {word} than the block", _starting(moved | only_first)
        if any(state.reset == "never" for state in setup.parts.states.values()):
            yield "states start again that go on over blocks", _all_reset
    if data.n_subjects > 1:
        yield "each person starts with the states that the one before ended with", _chained(None)
        if has_blocks:
            yield "states never start again, neither with a block nor with a person", _chained(only_first)


def _starting(starts: np.ndarray) -> Change:
    return lambda setup: setup.changed(starts=starts)


def _all_reset(setup: Setup) -> Setup:
    states = {name: replace(state, reset="block") for name, state in setup.parts.states.items()}
    return setup.changed(parts=replace(setup.parts, states=states))


def _chained(starts: np.ndarray | None) -> Change:
    def change(setup: Setup) -> Setup | None:
        if setup.see == "initial" or setup.chained:
            return None
        return setup.changed(chained=True, starts=setup.starts if starts is None else starts)

    return change


MISTAKES = (
    Mistake(
        "values after the update",
        "a choice is explained by values that have already learnt from it.",
        "Use the values as they are before the trial's update: compute the likelihood first, then learn; with a scan, "
        "put the initial values in front and leave the last ones out.",
        _after,
    ),
    Mistake(
        "values one trial too old",
        "a choice is explained by the values before the previous trial's update.",
        "Shift the values by one trial less: trial t's likelihood needs what was learnt on all trials before t.",
        _last,
    ),
    Mistake(
        "values that never learn",
        "every choice is explained by the initial values.",
        "Carry the updated values over to the next trial: return them from the scan's step, or assign them.",
        _never,
    ),
    Mistake(
        "another trial's stimulus",
        "the values are looked up under another trial's stimulus than the choice belongs to.",
        "Index values and stimuli with the same trial: after the values have been shifted, don't shift the stimuli.",
        _stimulus,
    ),
    Mistake(
        "another trial's outcome",
        "learning pairs what was seen on one trial with what was chosen on another.",
        "Index choices and outcomes with the same trial.",
        _outcome,
    ),
    Mistake(
        "a trial dropped",
        "one trial, usually the first, is not in the likelihood.",
        "Count every trial. A file without a header is read with header=None in pandas, header = FALSE in R.",
        _dropped,
    ),
    Mistake(
        "start of values",
        "states do not start again where the model says so.",
        "Put the states back to their initial values at the first trial of each person, and of each block.",
        _resets,
    ),
)
