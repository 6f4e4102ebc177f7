"""From rows of a table to padded sequences: order, blocks, gaps, and the faults that only show here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rlbackends.data.cells import Column, Label, as_label, read_only, show
from rlbackends.data.faults import Faults, Places
from rlbackends.data.trials import Trials
from rlbackends.data.words import shorten
from rlbackends.errors import did_you_mean, listed
from rlbackends.natural_order import natural_key

_SMALL_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five"}


@dataclass(frozen=True, eq=False)
class Keys:
    """What says where each row belongs: its subject and, if given, its trial number and its block."""

    subjects: Sequence[int | str]
    trials: Sequence[int] | None
    blocks: Sequence[Label] | None


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each row goes: ``rows`` is (subject × trial) and holds the row of each trial, -1 at padding."""

    subjects: tuple[int | str, ...]
    lengths: np.ndarray
    trial_numbers: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    reports: tuple[str, ...]


def lay_out(keys: Keys, kept: np.ndarray, place: Callable[[int], str], faults: Faults) -> Layout:
    """Sort rows into sequences.

    Parameters
    ----------
    keys
        Of every row; those of rows not ``kept`` are ignored (their faults are known already).
    kept
        (row,) True where the row's keys can be trusted.
    place
        What messages call a row.
    faults
        Gets trials that are there twice and blocks that come back.
    """
    good = np.flatnonzero(kept).tolist()
    labels = tuple(sorted({keys.subjects[i] for i in good}, key=natural_key))
    code = {label: i for i, label in enumerate(labels)}
    subject = np.array([code[keys.subjects[i]] for i in good], dtype=np.int64)
    block = _count_blocks(keys, good, place, faults)
    rows = np.array(good, dtype=np.int64)
    number = rows if keys.trials is None else np.array([keys.trials[i] for i in good], dtype=np.int64)
    order = np.lexsort((rows, number, block, subject))
    rows, subject, block, number = rows[order], subject[order], block[order], number[order]
    if keys.trials is not None:
        _refuse_twice(keys, rows, subject, block, number, place, faults)

    lengths = np.bincount(subject, minlength=len(labels)).astype(np.int64)
    shape = (len(labels), int(lengths.max(initial=0)))
    position = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    padded_rows = np.full(shape, -1, dtype=np.int64)
    padded_rows[subject, position] = rows
    valid = padded_rows >= 0
    blocks = np.full(shape, -1, dtype=np.int64)
    blocks[subject, position] = block
    trial_numbers = np.full(shape, -1, dtype=np.int64)
    trial_numbers[subject, position] = position + 1 if keys.trials is None else number
    reports = gap_report(labels, trial_numbers, valid)
    return Layout(labels, lengths, trial_numbers, block_starts(blocks, valid), padded_rows, tuple(reports))


def _count_blocks(keys: Keys, rows: list[int], place: Callable[[int], str], faults: Faults) -> np.ndarray:
    """Return each row's block, counted from 0 in the order in which the subject first met it."""
    counted = np.zeros(len(rows), dtype=np.int64)
    if keys.blocks is None:
        return counted
    met: dict[int | str, dict[Label, int]] = {}
    now: dict[int | str, Label] = {}
    for i, row in enumerate(rows):
        subject, block = keys.subjects[row], keys.blocks[row]
        blocks = met.setdefault(subject, {})
        if block in blocks and now[subject] != block:
            faults.add_at(
                [place(row)],
                "the subject comes back to a block after it was left "
                "(sort the table, or give each block a label of its own)",
            )
        now[subject] = block
        counted[i] = blocks.setdefault(block, len(blocks))
    return counted


def _refuse_twice(
    keys: Keys,
    rows: np.ndarray,
    subject: np.ndarray,
    block: np.ndarray,
    number: np.ndarray,
    place: Callable[[int], str],
    faults: Faults,
) -> None:
    """Note each trial number that a subject has more than once in a block; rows come sorted."""
    same = (np.diff(subject) == 0) & (np.diff(block) == 0) & (np.diff(number) == 0)
    first = np.flatnonzero(np.concatenate([[True], ~same]))
    for start, count in zip(first, np.diff([*first, len(rows)]), strict=True):
        if count > 1:
            group = rows[start : start + count].tolist()
            where = "" if keys.blocks is None else f" in block {show(keys.blocks[group[0]])}"
            many = _SMALL_NUMBERS.get(int(count), str(count))
            faults.add_at(
                [place(row) for row in group],
                f"subject {keys.subjects[group[0]]} has {many} trials numbered {number[start]}{where}",
            )


def block_starts(blocks: np.ndarray | None, valid: np.ndarray) -> np.ndarray:
    """Return True at the first trial of each block; without blocks, at each subject's first trial."""
    starts = np.zeros(valid.shape, dtype=bool)
    starts[:, :1] = True
    if blocks is not None:
        starts[:, 1:] = (np.diff(blocks, axis=1) != 0) & valid[:, 1:]
    return starts


def gap_report(subjects: Sequence[object], numbers: np.ndarray, valid: np.ndarray) -> list[str]:
    """Return a report of gaps in trial numbers, or nothing."""
    gaps = np.argwhere((np.diff(numbers, axis=1) > 1) & valid[:, 1:])
    if not len(gaps):
        return []
    examples = [f"subject {subjects[s]}: {numbers[s, t]} → {numbers[s, t + 1]}" for s, t in gaps]
    n_subjects = len(set(gaps[:, 0].tolist()))
    count = "1 gap" if len(gaps) == 1 else f"{len(gaps)} gaps"
    who = f" in {n_subjects} of {len(subjects)} subjects" if len(subjects) > 1 else ""
    return [f"trial numbers have {count}{who} ({'; '.join(shorten(examples, 3))}); nothing is inserted"]


def checked_levels(levels: object, events: Sequence[str], faults: Faults) -> dict[str, tuple[Label, ...]]:
    """Return the labels that ``levels=`` fixes, in their one form; note what is wrong with them."""
    if levels is None:
        return {}
    if not isinstance(levels, Mapping):
        faults.add(f"levels is {levels!r}, expected a mapping such as {{'choice': ['no-go', 'go']}}.")
        return {}
    fixed = {}
    for name, given in levels.items():
        if name not in events:
            near = did_you_mean(name, events)
            faults.add(f"levels names '{name}', which is no event.{near} There are {listed(events)}.")
            continue
        if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
            faults.add(f"levels of '{name}' is {given!r}, expected a list of labels such as ['no-go', 'go'].")
            continue
        labels = tuple(as_label(label) for label in given)
        twice = [label for label in dict.fromkeys(labels) if labels.count(label) > 1]
        if not labels:
            faults.add(f"levels of '{name}' is empty, expected a list of labels such as ['no-go', 'go'].")
        elif twice:
            faults.add(f"levels of '{name}' has {', '.join(map(show, twice))} more than once.")
        fixed[name] = labels
    return fixed


def pad_trials(
    name: str,
    style: str,
    layout: Layout,
    flat: Mapping[str, Column],
    levels: Mapping[str, tuple[Label, ...]],
    row_numbers: np.ndarray,
    unread: tuple[str, ...] = (),
    reports: tuple[str, ...] = (),
) -> Trials:
    """Return columns of rows as trials, where ``layout`` says which row each trial is."""
    numbers = np.where(layout.rows >= 0, row_numbers[layout.rows], -1)
    return Trials(
        subjects=layout.subjects,
        lengths=layout.lengths,
        trial_numbers=layout.trial_numbers,
        starts=layout.starts,
        events={event: column.pad(layout.rows) for event, column in flat.items()},
        levels=levels,
        source=name,
        places=Places(style, layout.subjects, read_only(numbers)),
        reports=(*layout.reports, *reports),
        unread=unread,
    )
