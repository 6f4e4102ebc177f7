"""Cells of a table: which are numbers, and with how many digits they were written."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from rlbackends.errors import DataError

_ABSENT = ("", "na", "nan", "n/a", "null", "none", ".", "<na>")
# Beyond these a number was written with all its digits.
_ALL_DIGITS = 12


def number_of(cell: Any) -> float | None:
    """Return a cell as a number, NaN where nothing is; None if it is something else."""
    if cell is None:
        return np.nan
    if isinstance(cell, bool) or isinstance(cell, complex):
        return None
    if isinstance(cell, str):
        text = cell.strip()
        if text.casefold() in _ABSENT:
            return np.nan
        try:
            return float(text)
        except ValueError:
            return None
    try:
        return float(cell)
    except (TypeError, ValueError):
        return None


def column_of(cells: Sequence[Any], what: str) -> np.ndarray:
    """Return cells as numbers; ``DataError`` names those that are none."""
    found = [number_of(cell) for cell in cells]
    wrong = [i for i, value in enumerate(found) if value is None]
    if wrong:
        comma = " Decimals have a comma: write them with a point." if "," in str(cells[wrong[0]]) else ""
        raise DataError(
            f"{what} holds {len(wrong)} entries that are no numbers, the first is {cells[wrong[0]]!r} "
            f"in row {wrong[0] + 1}.{comma}"
        )
    return np.array(found, dtype=np.float64)


def precision(cells: Sequence[Any], values: np.ndarray) -> np.ndarray:
    """Return half of the last digit that each number was written with; 0 if they have all digits.

    Whether the digits behind the point were fixed or all significant ones, the last digit of a number is at least
    that of the finest number, and at least that of as many digits as the longest number has.
    """
    decimals = significant = 0
    for cell in cells:
        try:
            number = Decimal(cell.strip() if isinstance(cell, str) else repr(float(cell)))
        except (InvalidOperation, TypeError, ValueError):
            continue
        if number.is_finite() and number != 0:
            written = number if isinstance(cell, str) else number.normalize()  # not the .0 of -1.0
            decimals = max(decimals, -int(written.as_tuple().exponent))
            significant = max(significant, len(written.as_tuple().digits))
    if significant >= _ALL_DIGITS or significant == 0:
        return np.zeros(values.shape)
    size = np.floor(np.log10(np.where(values == 0, 1.0, np.abs(np.nan_to_num(values, nan=1.0)))))
    return 0.5 * np.maximum(10.0**-decimals, np.where(values == 0, 0.0, 10.0 ** (size - significant + 1)))


def is_counting(row: Sequence[str]) -> bool:
    """Say whether a row of numbers is a header: whole numbers from 0, 1 or another, each once, in any order."""
    found = [number_of(c) for c in row]
    numbers = sorted(n for n in found if n is not None and np.isfinite(n))
    if len(numbers) < max(2, len(row)) or numbers[0] < 0 or not numbers[0].is_integer():
        return False
    return numbers == [numbers[0] + i for i in range(len(row))]


def shortened(labels: Sequence[Any]) -> str:
    """Return labels in a row, of many only the first ones and the last."""
    words = [str(label) for label in labels]
    return ", ".join(words) if len(words) <= 8 else f"{', '.join(words[:3])}, …, {words[-1]}"
