"""Arrays in memory as trials."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from rlbackends.data.assemble import block_starts, checked_levels, gap_report
from rlbackends.data.cells import Cell, Column, as_label, clean, read_only, show, subject_labels
from rlbackends.data.faults import Faults, Places
from rlbackends.data.trials import Trials
from rlbackends.data.words import plural
from rlbackends.natural_order import natural_key

_SOURCE = "arrays"


def trials_from_arrays(
    subjects: Iterable[object] | None,
    lengths: Iterable[int] | None,
    blocks: object,
    trial_numbers: object,
    levels: Mapping[str, Iterable[object]] | None,
    events: Mapping[str, object],
) -> Trials:
    """Build trials for `Trials.from_arrays`, which documents the arguments."""
    faults = Faults(_SOURCE, "trial")
    found = {name: _column(name, value, faults) for name, value in events.items()}
    columns = {name: column for name, column in found.items() if column is not None}
    if not events:
        faults.add("there are no events. Give at least one array, as in choice=array.")
    faults.raise_any()

    shapes = {name: column.values.shape[:2] for name, column in columns.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"'{name}' {n} × {t}" for name, (n, t) in shapes.items())
        faults.add(f"events differ in subjects × trials: {told}.")
        faults.raise_any()
    n_subjects, n_steps = next(iter(shapes.values()))
    if not n_subjects or not n_steps:
        faults.add(f"there are no trials: the arrays are {n_subjects} subjects × {n_steps} trials.")
        faults.raise_any()

    unordered = _subjects(subjects, n_subjects, faults)
    counts = _lengths(lengths, n_subjects, n_steps, faults)
    block_labels = _per_trial("blocks", blocks, (n_subjects, n_steps), faults)
    given_numbers = _per_trial("trial_numbers", trial_numbers, (n_subjects, n_steps), faults)
    fixed = checked_levels(levels, tuple(columns), faults)
    faults.raise_any()

    order = np.array(sorted(range(n_subjects), key=lambda i: natural_key(unordered[i])))
    reports = []
    if (order != np.arange(n_subjects)).any():
        reports.append("subjects were put into natural order")
    labels, counts = tuple(unordered[i] for i in order.tolist()), counts[order]
    longest = int(counts.max())
    valid = np.arange(longest) < counts[:, None]

    numbers = np.broadcast_to(np.arange(1, longest + 1), valid.shape)
    if given_numbers is not None:
        numbers = _numbers(given_numbers[order, :longest], valid, labels, faults)
    numbers = np.where(valid, numbers, -1).astype(np.int64)
    places = Places("trial", labels, read_only(numbers.copy()))
    block_ids = None
    if block_labels is not None:
        block_ids = _block_ids(block_labels[order, :longest], valid, places, faults)
    faults.raise_any()
    starts = block_starts(block_ids, valid)
    late = _not_rising(numbers, starts, valid)
    if late.any():
        faults.add_at(places.where(late), "trial numbers must rise within a block")
        faults.raise_any()
    reports += gap_report(labels, numbers, valid)

    padded = {}
    for name, column in columns.items():
        missing = column.missing[order, :longest].copy()
        missing[~valid] = True
        values = column.values[order, :longest].copy()
        values[missing] = 0.0 if column.is_numeric else ""
        padded[name] = Column(read_only(values), read_only(missing), column.names)
    return Trials(labels, counts, numbers, starts, padded, fixed, _SOURCE, places, tuple(reports))


def _column(name: str, value: object, faults: Faults) -> Column | None:
    """Return an array's entries as a column, or note why there are none."""
    try:
        array = np.ma.asarray(value)
    except ValueError:
        faults.add(f"'{name}' is ragged, expected (subject × trial). Pad it with NaN and give lengths=.")
        return None
    if array.ndim not in (2, 3):
        what = " × ".join(map(str, array.shape)) or "one number"
        hint = " For one subject write array[None, :]." if array.ndim == 1 else ""
        faults.add(f"'{name}' is {what}, expected (subject × trial) or (subject × trial × entry).{hint}")
        return None
    names = (name,) if array.ndim == 2 else tuple(f"{name}[{k}]" for k in range(array.shape[2]))
    masked = np.ma.getmaskarray(array)
    if array.dtype.kind in "biuf":
        values = np.array(array.data, dtype=np.float64)
        missing = masked | np.isnan(values)
        values[missing] = 0.0
        return Column(values, missing, names)
    flat: list[Cell] = [
        None if hidden else clean(cell)
        for cell, hidden in zip(array.data.ravel().tolist(), masked.ravel(), strict=True)
    ]
    column = Column.of_cells([flat], [name], stacked=False)
    return Column(column.values.reshape(array.shape), column.missing.reshape(array.shape), names)


def _subjects(given: Iterable[object] | None, n_subjects: int, faults: Faults) -> list[int | str]:
    if given is None:
        return list(range(1, n_subjects + 1))
    cells: list[Any] = [label.item() if isinstance(label, np.generic) else label for label in given]
    labels = subject_labels(cells)
    if len(labels) != n_subjects:
        faults.add(f"subjects has {plural(len(labels), 'label')}, but the arrays have {n_subjects} subjects.")
    twice = [label for label, count in Counter(labels).items() if count > 1]
    if twice:
        faults.add(f"subjects: {', '.join(map(show, twice))} is there more than once.")
    return labels


def _lengths(given: Iterable[int] | None, n_subjects: int, n_steps: int, faults: Faults) -> np.ndarray:
    if given is None:
        return np.full(n_subjects, n_steps, dtype=np.int64)
    lengths = np.asarray(given)
    good = lengths.shape == (n_subjects,) and lengths.dtype.kind in "iu"
    if not good or lengths.min() < 1 or lengths.max() > n_steps:
        faults.add(
            f"lengths is {lengths.tolist()}, expected one whole number per subject ({n_subjects}), "
            f"each from 1 to {n_steps}."
        )
    return lengths.astype(np.int64) if good else np.full(n_subjects, n_steps, dtype=np.int64)


def _per_trial(name: str, given: object, shape: tuple[int, int], faults: Faults) -> np.ndarray | None:
    """Return (subject × trial) labels from those, or from one per trial."""
    if given is None:
        return None
    array = np.asarray(given)
    if array.shape not in (shape, shape[1:]):
        what = " × ".join(map(str, array.shape)) or "one value"
        faults.add(
            f"{name} is {what}, expected {shape[1]} (trial) or {shape[0]} × {shape[1]} (subject × trial)."
        )
        return None
    return np.broadcast_to(array, shape)


def _numbers(given: np.ndarray, valid: np.ndarray, labels: tuple, faults: Faults) -> np.ndarray:
    """Return whole trial numbers, or note each that is none."""
    if given.dtype.kind not in "iuf":
        faults.add("trial_numbers must be whole numbers from 0 on.")
        return np.zeros(valid.shape, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        bad = valid & ~((given >= 0) & (given == np.floor(given)) & np.isfinite(given))
    for s, t in np.argwhere(bad):
        faults.add_at(
            [f"step {t + 1} of subject {labels[s]}"],
            f"the trial number is {given[s, t]}, expected a whole number from 0 on",
        )
    return np.where(valid & ~bad, given, 0)


def _block_ids(given: np.ndarray, valid: np.ndarray, places: Places, faults: Faults) -> np.ndarray:
    """Return blocks counted from 0 for each subject; note missing ones and those that come back."""
    if given.dtype.kind in "iu":
        steps = np.diff(given.astype(np.int64), axis=1)
        if not (steps[valid[:, 1:]] < 0).any():  # labels that only rise can't come back: no need to look at each
            return np.where(valid, np.cumsum(np.pad(steps != 0, ((0, 0), (1, 0))), axis=1), -1)
    ids = np.full(valid.shape, -1, dtype=np.int64)
    for s, t in np.argwhere(valid):
        if t == 0:
            seen: dict[object, int] = {}
            last = None
        cell = clean(given[s, t])
        if cell is None:
            faults.add_at(places.of([(s, t)]), "the block is missing")
            continue
        label = as_label(cell)
        if label != last and label in seen:
            faults.add_at(places.of([(s, t)]), f"block {show(label)} comes back after it was left")
        ids[s, t] = seen.setdefault(label, len(seen))
        last = label
    return ids


def _not_rising(numbers: np.ndarray, starts: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Return where a trial number is not above the one before, within a block."""
    late = np.zeros(valid.shape, dtype=bool)
    late[:, 1:] = (np.diff(numbers, axis=1) <= 0) & ~starts[:, 1:] & valid[:, 1:]
    return late
