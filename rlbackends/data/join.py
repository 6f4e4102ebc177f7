"""What is known of subjects, from a table with one row each, beside their trials."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.data.cells import Column, read_only, show, show_labels, subject_labels
from rlbackends.data.faults import Faults
from rlbackends.data.tables import load_table
from rlbackends.errors import did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.data.trials import Trials


def join(trials: Trials, source: object, subject: str, columns: dict[str, str]) -> Trials:
    """Return the trials with more columns; see `Trials.join`."""
    table = load_table(source)
    faults = Faults(table.name, table.style)
    there = f"The columns are {listed(table.columns)}."
    if subject not in table.columns:
        faults.add(f"'{subject}' (for subject) is no column.{did_you_mean(subject, table.columns)} {there}")
        faults.raise_any()
    asked = columns or {name: name for name in table.columns if name != subject}
    for name, column in asked.items():
        if column not in table.columns:
            faults.add(f"'{column}' (for {name}) is no column.{did_you_mean(column, table.columns)} {there}")
        if name in trials.events:
            faults.add(f"'{name}' is a column of the trials already. Give it another name, as in {name}_2='{column}'.")
    if not asked:
        faults.add(f"there is no column besides '{subject}'.")
    cells = ["" if cell is None else cell for cell in table.columns[subject]]
    labels = [str(label) for label in subject_labels(cells)]
    wanted = {str(label) for label in trials.subjects}
    place: dict[str, int] = {}
    for row, label in enumerate(labels):
        if label in place and label in wanted:
            faults.add_at([f"row {table.rows[row]}"], f"subject {show(label)} is there a second time")
        place.setdefault(label, row)
    absent = [label for label in trials.subjects if str(label) not in place]
    if absent:
        faults.add(f"there is no row for subject {show_labels(absent)}, of whom there are trials.")
    faults.raise_any()

    rows = np.array([place[str(label)] for label in trials.subjects])
    valid = np.arange(trials.starts.shape[1]) < trials.lengths[:, None]
    added = {}
    for name, column in asked.items():
        one = Column.of_cells([table.columns[column]], [column], stacked=False)
        values = np.repeat(one.values[rows][:, None], valid.shape[1], axis=1)
        missing = np.repeat(one.missing[rows][:, None], valid.shape[1], axis=1) | ~valid
        values[missing] = 0.0 if one.is_numeric else ""
        added[name] = Column(read_only(values), read_only(missing), one.names)
    return replace(trials, events={**trials.events, **added})
