"""Conditions of trials: each has its own rows in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.simulation.summaries.played import Played, Rule, labels_of, name_of

_MOST_CONDITIONS = 24


@dataclass(frozen=True)
class Conditions:
    """The condition of each trial.

    ``name`` is that of the table's column, None where all trials are in one condition; ``levels`` are the values that
    the table shows; ``places`` has, for each source, the place of each trial's condition in ``levels``, -1 for none:
    draw × subject × trial.
    """

    name: str | None
    levels: Sequence[Any]
    places: Sequence[np.ndarray]

    def __len__(self) -> int:
        return len(self.levels)

    def column(self, n: int) -> dict[str, np.ndarray]:
        """Return the table's column, ``n`` rows a condition, if it has one."""
        return {} if self.name is None else {self.name: np.repeat(np.array(self.levels, dtype=object), n)}


def read_conditions(sources: Sequence[Played], by: Rule | None, where: str) -> Conditions:
    """Return the conditions that ``by`` tells apart."""
    if by is None:
        return Conditions(None, [None], [np.where(played.blocks > 0, 0, -1)[None] for played in sources])
    found = [played.ask(by, where, "by") for played in sources]
    name = name_of(by, "condition")
    codes = np.unique(np.concatenate([values[np.isfinite(values)] for values in found]))
    if not 0 < len(codes) <= _MOST_CONDITIONS:
        example = by if isinstance(by, str) else "trial"
        raise SettingError(
            f"{where}: by={name!r} has {len(codes)} different values, expected a condition with 1 to "
            f"{_MOST_CONDITIONS}. A function can make one: by=lambda {example}: {example} > 0."
        )
    labels = labels_of(sources, by)
    if labels is None:
        levels = [int(code) if code == int(code) else float(code) for code in codes]
    else:
        levels = [labels[int(code)] for code in codes]
    places = [np.where(np.isfinite(values), np.searchsorted(codes, values), -1) for values in found]
    return Conditions(name, levels, places)
