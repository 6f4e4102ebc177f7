"""Wide tables of log-likelihoods: subjects along one side, trials along the other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from rlbackends.errors import DataError, listed
from rlbackends.porting.compare.cells import column_of, is_counting, precision, shortened
from rlbackends.porting.compare.reading import LAYOUTS, Given, Reader


def read_wide(reader: Reader, what: str, header: list[str] | None, rows: list[list[Any]]) -> Given:
    """Return the log-likelihoods of a wide table, its rows and columns told apart by their labels or their number."""
    s, t = reader.data.starts.shape
    width = len(rows[0]) if rows else 0
    names: list[str] | None = None
    layout: str | None = None
    square = {(s, t), (t, s), (s, t - 1), (t - 1, s)}
    if (len(rows), width - 1) in square and (
        (len(rows), width) not in square or (header is not None and header[0].strip() == "")
    ):
        names = [str(row[0]) for row in rows]
        rows = [row[1:] for row in rows]
        header = None if header is None else header[1:]
    flat = [cell for row in rows for cell in row]
    numbers = column_of(flat, f"{what} the table").reshape(len(rows), -1)
    digits = precision(flat, numbers.ravel()).reshape(numbers.shape)
    if numbers.shape in square:
        # Labels of subjects tell their order, and which side they are on; those of trials tell the trials' order.
        sides = names, header
        orders = [None if side is None else reader.order(side) for side in sides]
        by_trial, by_subject = ({(t, s), (t - 1, s)}, {(s, t), (s, t - 1)})
        may_be = [i for i, shapes in enumerate((by_subject, by_trial)) if numbers.shape in shapes]
        if len(may_be) > 1 and reader.layout is not None:
            may_be = [LAYOUTS.index(reader.layout)]
        # Where both sides are as long, 1, 2, 3, … may be subjects or trials.
        labelled = [i for i in may_be if orders[i] is not None and not is_counting(sides[i] or ())]
        if len(labelled) == 1:
            axis = labelled[0]
        elif len(may_be) == 1:
            axis = may_be[0]
        else:
            axis = None
        if axis is not None:
            layout = LAYOUTS[axis]
            _check_labels(reader, what, sides[axis] or ())
            found = (orders[axis], axis), (_trial_order(sides[1 - axis]), 1 - axis)
            for order, along in found:
                if order is not None:
                    numbers, digits = np.take(numbers, order, along), np.take(digits, order, along)
    level, values = reader.placed(numbers, f"{what} the table", layout=layout)
    return Given(level, {"": values}, {}, {"": np.nan_to_num(reader.placed(digits, what, layout=layout)[1])})


def _check_labels(reader: Reader, what: str, labels: Sequence[str]) -> None:
    """Raise ``DataError`` for labels of which only some are subjects, or all but for capitals; 1, 2, 3, … are none."""
    strange = [str(label).strip().strip('"') for label in labels if reader.subject(label) is None]
    known = {str(label).casefold() for label in reader.data.subjects}
    some = len(strange) < len(labels) or any(label.casefold() in known for label in strange)
    if strange and some and _trial_order(labels) != list(range(len(labels))):
        raise DataError(
            f"{what} the labels of rows or columns have {listed(strange[:5])}, who "
            f"{'is' if len(strange) == 1 else 'are'} not among the data's subjects: {shortened(reader.data.subjects)}."
        )


def _trial_order(labels: Sequence[str] | None) -> list[int] | None:
    """Return the order of trials by labels such as 1, 10, 2 or V1, V10, V2; None if they say none."""
    found = [re.fullmatch(r"(\D*)(\d+)", str(label).strip().strip('"')) for label in labels or ()]
    if not found or None in found or len({match[1] for match in found if match}) > 1:
        return None
    numbers = [int(match[2]) for match in found if match]
    return sorted(range(len(numbers)), key=numbers.__getitem__) if len(set(numbers)) == len(numbers) else None
