"""Wide files: one file an event, one column a subject, one row a trial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from rlbackends.data.assemble import Keys, checked_levels, lay_out, pad_trials
from rlbackends.data.cells import Column, show_labels, subject_labels
from rlbackends.data.derived import Names, derive_columns, derived_names
from rlbackends.data.faults import Faults
from rlbackends.data.tables import Table, load_table
from rlbackends.data.trials import Trials
from rlbackends.data.words import and_list, plural, shorten
from rlbackends.errors import DataError, listed
from rlbackends.natural_order import natural_key


def read_wide(
    source: Mapping[str, object],
    not_taken: Sequence[str],
    levels: Mapping[str, Iterable[object]] | None,
    derive: Mapping[str, str | Sequence[str]] | None,
) -> Trials:
    """Read wide files for `read_trials`; ``not_taken`` are given arguments that belong to tidy tables."""
    if not_taken:
        raise DataError(
            f"read_trials: wide files take no {listed(not_taken)}: each file is one event, its columns are "
            "the subjects and its rows the trials. For a tidy table pass its path."
        )
    tables = _load(source)
    name = and_list(shorten([table.name for table in tables.values()], 3))
    faults = Faults(name, "wide")
    labels = _subjects(tables, faults)
    first_event = next(iter(tables))
    first = tables[first_event]
    for event, table in tables.items():
        if table.n_rows != first.n_rows:
            faults.add(
                f"'{event}' ({table.name}) has {plural(table.n_rows, 'trial')}, "
                f"but '{first_event}' ({first.name}) has {first.n_rows}."
            )
    fixed = checked_levels(levels, (*tables, *derived_names(derive)), faults)
    faults.raise_any()

    n_rows, subjects = first.n_rows, sorted(labels[first_event], key=natural_key)
    flat = {}
    for event, table in tables.items():
        header = labels[event]
        cells = [cell for subject in subjects for cell in table.columns[header[subject]]]
        flat[event] = Column.of_cells([cells], [event], stacked=False)
    kept, cut = _without_tails(flat, subjects, n_rows)
    keys = Keys(
        [subject for subject in subjects for _ in range(n_rows)],
        [t + 1 for _ in subjects for t in range(n_rows)],
        None,
    )

    def place(i: int) -> str:
        return f"row {first.rows[i % n_rows]} of subject {keys.subjects[i]}"

    layout = lay_out(keys, kept, place, faults)
    flat |= derive_columns(derive or {}, Names({}, flat), len(kept), place, faults)
    faults.raise_any()
    row_numbers = np.tile(first.rows, len(subjects))
    return pad_trials(name, "wide", layout, flat, fixed, row_numbers, reports=cut)


def _load(source: Mapping[str, object]) -> dict[str, Table]:
    """Return each event's table; tell the faults of all files at once."""
    if not source:
        raise DataError(
            "read_trials: the mapping is empty. Expected wide files, as in {'choice': 'actions.csv'}."
        )
    tables, faults = {}, []
    for event, one in source.items():
        if not isinstance(event, str) or not event.isidentifier():
            faults.append(f"{event!r} can't be the name of an event (letters, digits and _).")
        elif isinstance(one, list | tuple | set | dict | int | float | np.ndarray) or one is None:
            faults.append(
                f"'{event}' is a {type(one).__name__}, expected the path of a wide file. "
                "For columns in memory make a data frame, or use rl.Trials.from_arrays."
            )
        else:
            try:
                tables[event] = load_table(one, wide=True)
            except DataError as error:
                faults.append(f"'{event}': {error}")
    if faults:
        raise DataError(
            f"read_trials: {faults[0]}" if len(faults) == 1 else "\n  - ".join(["read_trials:", *faults])
        )
    return tables


def _subjects(tables: Mapping[str, Table], faults: Faults) -> dict[str, dict[int | str, str]]:
    """Return each file's header by subject label; note subjects that are not in all files."""
    labels = {}
    for event, table in tables.items():
        found = subject_labels(list(table.columns))
        if len(set(found)) < len(found):
            twice = sorted({label for label in found if found.count(label) > 1}, key=natural_key)
            faults.add(f"'{event}' ({table.name}) has subject {show_labels(twice)} more than once.")
        labels[event] = dict(zip(found, table.columns, strict=True))
    first_event = next(iter(tables))
    for event, table in tables.items():
        extra = sorted(labels[event].keys() - labels[first_event].keys(), key=natural_key)
        absent = sorted(labels[first_event].keys() - labels[event].keys(), key=natural_key)
        told = [f"lacks {show_labels(absent)}"] if absent else []
        told += [f"has {show_labels(extra)}"] if extra else []
        if told:
            first = tables[first_event].name
            faults.add(
                f"the headers name different subjects: '{event}' ({table.name}) {' and '.join(told)}, "
                f"unlike '{first_event}' ({first})."
            )
    return labels


def _without_tails(
    flat: Mapping[str, Column], subjects: Sequence[object], n_rows: int
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which rows are trials: a subject ends at its last row with an entry, if it has any."""
    empty = np.all([column.missing for column in flat.values()], axis=0).reshape(len(subjects), n_rows)
    last = np.where(empty.all(axis=1), n_rows, n_rows - np.argmin(empty[:, ::-1], axis=1))
    kept = np.arange(n_rows) < last[:, None]
    shorter = [f"subject {s}: {count}" for s, count in zip(subjects, last, strict=True) if count < n_rows]
    if not shorter:
        return kept.ravel(), ()
    return kept.ravel(), (
        f"{len(shorter)} of {len(subjects)} subjects have fewer than {n_rows} trials: their last rows are "
        f"empty in all files ({'; '.join(shorten(shorter, 3))} trials)",
    )
