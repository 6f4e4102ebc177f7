"""Whether fits are of the same responses, and in which order their cells lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import DataError, listed

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

Cell = tuple[Any, int, str]
"""A subject's label, a trial's number and a response."""


@dataclass(frozen=True)
class Cells:
    """The observed responses, in an order that does not depend on the model.

    Attributes
    ----------
    subjects : tuple
        Labels of all subjects.
    values : mapping of Cell to object
        What the response was, as its label; a tuple where a response has entries.
    """

    subjects: tuple[Any, ...]
    values: Mapping[Cell, Any]

    @classmethod
    def of(cls, data: BoundTrials, responses: tuple[str, ...]) -> Cells:
        """Return the cells of bound data, subject by subject, trial by trial."""
        found: dict[tuple[int, int, str], Any] = {}
        for name in responses:
            rows, columns = np.nonzero(data.observed(name))
            values = _labelled(data, name, (rows, columns))
            for row, column, value in zip(rows.tolist(), columns.tolist(), values, strict=True):
                found[row, column, name] = value
        ordered = sorted(found)
        return cls(
            data.subjects,
            {(data.subjects[s], int(data.trial_numbers[s, t]), name): found[s, t, name] for s, t, name in ordered},
        )


def _labelled(data: BoundTrials, name: str, where: tuple[np.ndarray, np.ndarray]) -> list[Any]:
    """Return a response's values as labels: two models may number the same labels differently."""
    values, missing = data.values[name][where], data.missing[name][where]
    if name in data.levels:
        labels = np.empty(len(data.levels[name]), dtype=object)
        labels[:] = list(data.levels[name])
        values = labels[values]
    result = np.where(missing, None, values.astype(object)).tolist()
    return [tuple(np.ravel(np.array(row, dtype=object)).tolist()) if isinstance(row, list) else row for row in result]


def same_cells(where: str, named: Mapping[str, tuple[BoundTrials, tuple[str, ...]]]) -> Cells:
    """Return the cells that all data sets share.

    Raises
    ------
    DataError
        If they are not of the same responses of the same subjects; it names what differs, and where first.
    """
    first, *others = named
    cells = Cells.of(*named[first])
    for name in others:
        fault = _difference(first, cells, name, Cells.of(*named[name]))
        if fault:
            raise DataError(f"{where}: {fault} Only models of the same responses can be compared.")
    return cells


def _difference(a: str, first: Cells, b: str, other: Cells) -> str:
    """Return a sentence on what differs, or nothing."""
    lacking = [label for label in first.subjects if label not in set(other.subjects)]
    added = [label for label in other.subjects if label not in set(first.subjects)]
    if lacking or added:
        who, whom, label = (a, b, lacking[0]) if lacking else (b, a, added[0])
        return (
            f"'{a}' is of {len(first.subjects)} subjects, '{b}' of {len(other.subjects)}: subject {label!r} is in "
            f"'{who}' and not in '{whom}'."
        )
    responses = [sorted({name for _, _, name in cells.values}) for cells in (first, other)]
    if responses[0] != responses[1]:
        return f"the responses of '{a}' are {listed(responses[0])}, those of '{b}' are {listed(responses[1])}."
    for one, two, x, y in ((first, other, a, b), (other, first, b, a)):
        for cell in one.values:
            if cell not in two.values:
                subject, trial, response = cell
                return (
                    f"'{a}' has {len(first.values)} observed responses, '{b}' has {len(other.values)}: '{response}' of "
                    f"subject {subject} on trial {trial} is in '{x}' and not in '{y}'."
                )
    for cell, value in first.values.items():
        if other.values[cell] != value:
            subject, trial, response = cell
            return (
                f"'{response}' of subject {subject} on trial {trial} is {value!r} in '{a}' and "
                f"{other.values[cell]!r} in '{b}'."
            )
    return ""
