"""Collecting every fault of a table before one error is raised, and saying where each one is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from rlbackends.data.words import and_list, plural, shorten
from rlbackends.errors import DataError
from rlbackends.natural_order import natural_key

_SHOWN_FAULTS = 10
_SHOWN_PLACES = 4


class DataWarning(UserWarning):
    """Something in the data is allowed, but a careful reader would want to know of it."""


class Faults:
    """The faults of one table: those of the whole (`add`) and those of single rows (`add_at`)."""

    def __init__(self, source: str, style: str = "row") -> None:
        self._source = source
        self._noun = "row" if style in {"row", "frame"} else "trial"
        self._note = " (rows are counted from 0)" if style == "frame" else ""
        self._whole: list[str] = []
        self._at: dict[str, list[str]] = {}

    def add(self, message: str) -> None:
        """Note a fault of the table as a whole; ``message`` is one or more finished sentences."""
        if message not in self._whole:
            self._whole.append(message)

    def add_at(self, places: Iterable[str], message: str) -> None:
        """Note a fault of some places (``"row 18"``); the same message is told once for all its places."""
        self._at.setdefault(message, []).extend(places)

    def __bool__(self) -> bool:
        return bool(self._whole or self._at)

    def raise_any(self) -> None:
        """Raise one `DataError` that tells every fault noted so far, if there is one."""
        if not self:
            return
        parts = list(self._whole)
        if self._at:
            parts.append(self._rows_text())
        if len(parts) == 1:
            raise DataError(f"{self._source}: {parts[0]}")
        shown = shorten(parts, _SHOWN_FAULTS, more="more faults")
        raise DataError(
            f"{self._source}: {len(parts)} faults.\n" + "\n".join(f"  - {part}" for part in shown)
        )

    def _rows_text(self) -> str:
        told = [(list(dict.fromkeys(places)), message) for message, places in self._at.items()]
        told.sort(key=lambda fault: natural_key(fault[0][0]))
        sentences = []
        for places, message in told[:_SHOWN_FAULTS]:
            where = and_list(shorten(places, _SHOWN_PLACES, more=f"more {self._noun}s"))
            sentences.append(f"{where[0].upper()}{where[1:]}: {message}.")
        if len(told) > _SHOWN_FAULTS:
            sentences.append(f"… and {len(told) - _SHOWN_FAULTS} more.")
        count = plural(len({place for places, _ in told for place in places}), self._noun)
        return f"{count} can't be read{self._note}. {' '.join(sentences)}"


@dataclass(frozen=True, eq=False)
class Places:
    """Where each trial of a padded table came from, in the words of its source.

    Parameters
    ----------
    style
        ``"row"`` (a line of a tidy file), ``"frame"`` (a row counted from 0), ``"wide"`` (a line of a
        subject's column) or ``"trial"`` (no rows: arrays).
    subjects
        Labels of the subjects.
    numbers
        (subject × trial) row numbers; trial numbers for the style ``"trial"``.
    """

    style: str
    subjects: tuple
    numbers: np.ndarray

    def of(self, cells: Iterable[tuple[int, ...]]) -> list[str]:
        """Return the place of each cell ``(subject index, trial index, ...)``, in the order of the source."""
        found = [(int(self.numbers[cell[0], cell[1]]), int(cell[0])) for cell in cells]
        if self.style in {"row", "frame"}:
            return [f"row {number}" for number, _ in sorted(found)]
        word = "row" if self.style == "wide" else "trial"
        found.sort(key=lambda pair: (pair[1], pair[0]))
        return [f"{word} {number} of subject {self.subjects[subject]}" for number, subject in found]

    def where(self, mask: np.ndarray) -> list[str]:
        """Return the places at which a (subject × trial …) mask is true."""
        return self.of(np.argwhere(mask))
