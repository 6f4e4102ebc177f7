"""One entry of a table: missing, a number or text; and labels, which compare 1, 1.0 and "1" as equal."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import numpy as np

from rlbackends.data.words import and_list, shorten

type Cell = int | float | str | None
type Label = int | float | str

MISSING_TEXT = frozenset({"", "NA", "N/A", "n/a", "NaN", "nan", "None", "null", "."})

# float() also takes "1_000", "nan" and digits of other scripts; a table's numbers are plain.
_NUMBER = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|Inf|INF|infinity|Infinity)"
)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


def clean(value: object) -> Cell:
    """Return an entry as ``None`` (missing), an int, a float or stripped text."""
    if isinstance(value, str):
        text = value.strip()
        return None if text in MISSING_TEXT else text
    if value is None or type(value).__name__ in {"NAType", "NaTType", "MaskedConstant"}:
        return None
    if isinstance(value, bool | np.bool_ | numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real | Decimal):
        number = float(value)
        return None if math.isnan(number) else number
    return clean(str(value))


def as_number(cell: Cell) -> float | None:
    """Return the number that an entry says, or ``None`` for text."""
    if isinstance(cell, str):
        return float(cell) if _NUMBER.fullmatch(cell) else None
    if cell is None:
        return None
    try:
        return float(cell)
    except OverflowError:  # an int beyond float64
        return math.inf


def as_label(value: object) -> Label:
    """Return a label in its one form: a whole number as int, another number as float, else text."""
    cell = clean(value)
    if isinstance(cell, str) and _WHOLE.fullmatch(cell):
        return int(cell)
    if isinstance(cell, int):
        return cell
    number = as_number(cell)
    if number is None:
        return str(value).strip() if cell is None else str(cell)
    return int(number) if number.is_integer() else number


def subject_labels(cells: Sequence[Cell]) -> list[int | str]:
    """Return labels of subjects: ints when every one is a whole number, else text (``"007"`` stays text)."""
    known: dict[Cell, Label] = {}
    for cell in cells:
        if cell not in known:
            keeps_zeros = isinstance(cell, str) and _LEADING_ZERO.match(cell)
            known[cell] = str(cell) if keeps_zeros else as_label(cell)
    whole = {cell: label for cell, label in known.items() if isinstance(label, int)}
    if len(whole) == len(known):
        return [whole[cell] for cell in cells]
    return [str(known[cell]) for cell in cells]


def show(value: Label) -> str:
    """Return an entry as a message says it: numbers bare (2, not 2.0), text quoted."""
    if isinstance(value, str):
        return f"'{value}'" if as_number(value) is None else value
    number = float(value)
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else f"{number:g}"


def comma_hint(value: object) -> str:
    """Return a hint for text that is a number but for its decimal comma."""
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
        return f" (with a decimal point: {value.replace(',', '.')})"
    return ""


@dataclass(frozen=True, eq=False)
class Column:
    """The entries of one event: (row,) or (subject × trial), each with an entry axis if there are several.

    Parameters
    ----------
    values
        float64 for numbers (0 where missing), objects of type str for text ("" where missing).
    missing
        True where there is no entry; the same shape.
    names
        The table's columns that the entries came from, one per place along the last axis.
    """

    values: np.ndarray
    missing: np.ndarray
    names: tuple[str, ...]

    @property
    def is_numeric(self) -> bool:
        """Whether every entry that is there is a number."""
        return self.values.dtype == np.float64

    @classmethod
    def of_cells(cls, cells: Sequence[Sequence[Cell]], names: Sequence[str], *, stacked: bool) -> Column:
        """Build a column of ``(row,)`` entries, or ``(row, len(cells))`` when ``stacked``."""
        distinct = {cell for part in cells for cell in part if cell is not None}
        numbers_of = {cell: as_number(cell) for cell in distinct}
        is_numeric = all(number is not None for number in numbers_of.values())
        lookup: dict[Any, Any] = {cell: _as_text(cell) for cell in distinct}
        if is_numeric:
            lookup = dict(numbers_of)
        lookup[None] = 0.0 if is_numeric else ""
        dtype = np.dtype(np.float64 if is_numeric else object)
        values = np.array([[lookup[cell] for cell in part] for part in cells], dtype=dtype)
        missing = np.array([[cell is None for cell in part] for part in cells], dtype=bool)
        if stacked:
            return cls(values.T.copy(), missing.T.copy(), tuple(names))
        return cls(values[0], missing[0], tuple(names))

    def pad(self, rows: np.ndarray) -> Column:
        """Return (subject × trial …) entries: ``rows`` holds the row of each trial, -1 at padding."""
        padding = rows < 0
        values = self.values[rows]
        missing = self.missing[rows]
        missing[padding] = True
        values[missing] = 0.0 if self.is_numeric else ""
        return Column(read_only(values), read_only(missing), self.names)

    def take(self, subjects: np.ndarray, n_trials: int) -> Column:
        """Return the entries of some subjects, cut to ``n_trials``."""
        values, missing = self.values[subjects, :n_trials], self.missing[subjects, :n_trials]
        return Column(read_only(values), read_only(missing), self.names)

    def called(self, event: str, k: int = 0) -> str:
        """Return what messages call an entry: its event, and its column where that has another name."""
        name = self.names[k]
        if name == event:
            return event
        return name if name.startswith(f"{event}[") else f"{event} (column '{name}')"

    def entries(self, mask: np.ndarray) -> Iterator[tuple[tuple[int, int], int, float | str]]:
        """Yield (subject, trial), place among the columns, and entry, wherever a mask of entries is true."""
        flat = self.values.reshape(*self.values.shape[:2], -1)
        for s, t, k in np.argwhere(mask.reshape(flat.shape)).tolist():
            yield (s, t), k, flat[s, t, k]


def remade(instance: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return how a frozen dataclass is pickled: made again from its fields, read-only mappings as dicts."""
    values = (getattr(instance, item.name) for item in fields(instance))
    return type(instance), tuple(dict(value) if isinstance(value, MappingProxyType) else value for value in values)


def read_only(array: np.ndarray) -> np.ndarray:
    """Return the array with writing switched off (a copy, if it is a view of one that can be written)."""
    if array.base is not None and array.flags.writeable:
        array = array.copy()
    array.flags.writeable = False
    return array


def _as_text(cell: float | str) -> str:
    return cell if isinstance(cell, str) else show(cell)


def show_labels(labels: Iterable[Label], limit: int = 8) -> str:
    """Return labels as an English list, the first ``limit`` of them."""
    words = [show(label) for label in labels]
    return and_list(shorten(words, limit)) if words else "none"
