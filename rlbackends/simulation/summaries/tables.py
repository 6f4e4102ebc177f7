"""Means within subjects, over subjects and over draws, as tidy tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.simulation.summaries.conditions import Conditions
from rlbackends.simulation.summaries.played import Played, position_in_block

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ("source", "n_subjects", "mean", "standard_error", "low", "high")


def cell_means(values: np.ndarray, cells: np.ndarray, n_cells: int) -> np.ndarray:
    """Return the mean of the values in each cell, draw × subject × cell, NaN in empty ones; cell -1 is left out."""
    n_draws, n_subjects = max(len(values), len(cells)), values.shape[1]
    shape = (n_draws, *values.shape[1:])
    values, cells = np.broadcast_to(values, shape), np.broadcast_to(cells, shape)
    row = np.arange(n_draws * n_subjects).reshape(n_draws, n_subjects, 1)
    there = np.isfinite(values) & (cells >= 0)
    place = (row * n_cells + cells)[there]
    size = n_draws * n_subjects * n_cells
    counts, sums = np.bincount(place, minlength=size), np.bincount(place, values[there], minlength=size)
    means = np.full(size, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means.reshape(n_draws, n_subjects, n_cells)


def over_subjects(
    played: Played, means: np.ndarray, keys: Mapping[str, np.ndarray], interval: float, where: str
) -> dict[str, np.ndarray]:
    """Return a source's columns: means over subjects, with their standard error, or their interval over draws.

    ``means`` are draw × subject × cell; ``keys`` are the columns that tell the cells apart.
    """
    probabilities = tails(interval, where)
    there = np.isfinite(means)
    n = there.sum(axis=1)
    over = np.full(n.shape, np.nan)  # draw × cell
    np.divide(np.where(there, means, 0).sum(axis=1), n, out=over, where=n > 0)
    n_cells = means.shape[2]
    error, low, high = (np.full(n_cells, np.nan) for _ in range(3))
    if played.source == "predicted":
        mean = np.full(n_cells, np.nan)
        full = np.flatnonzero((n > 0).any(axis=0))
        mean[full] = np.nanmean(over[:, full], axis=0)
        low[full], high[full] = np.nanquantile(over[:, full], probabilities, axis=0)
    else:
        mean = over[0]
        squares = np.where(there, means - over[:, None], 0)[0]
        several = n[0] > 1
        error[several] = np.sqrt((squares**2).sum(axis=0)[several] / (n[0] - 1)[several] / n[0][several])
    subjects = there.any(axis=0).sum(axis=0)
    return {
        "source": np.full(n_cells, played.source, dtype=object), **keys, "n_subjects": subjects, "mean": mean,
        "standard_error": error, "low": low, "high": high,
    }  # fmt: skip


def as_table(
    pieces: Sequence[Mapping[str, np.ndarray]], sources: Sequence[Played], conditions: Conditions
) -> pd.DataFrame:
    """Return the sources' columns as one table of the cells that have values; its attributes say what was shown."""
    import pandas as pd

    columns = {key: np.concatenate([piece[key] for piece in pieces]) for key in pieces[0]}
    table = pd.DataFrame(columns)
    table = table[table["n_subjects"] > 0].reset_index(drop=True)
    for column in table.columns:
        table[column] = table[column].infer_objects()
    table.attrs = {
        "by": conditions.name,
        "kinds": {played.source: played.kind for played in sources},
        "n_draws": {played.source: played.draws for played in sources},
        "n_subjects": {played.source: len(played.blocks) for played in sources},
        "n_blocks": max(_most_blocks(played.blocks) for played in sources),
    }
    return table


def _most_blocks(blocks: np.ndarray) -> int:
    """Return the largest number of blocks that a subject has."""
    return int(((position_in_block(blocks) == 1) & (blocks > 0)).sum(axis=1).max())


def check_columns(where: str, conditions: Conditions, own: str, what: str | None = None) -> None:
    """Refuse a condition, or an argument (``what``) that names the ``own`` column, called like another column."""
    named = [("by", conditions.name, (*_COLUMNS, own))] + ([] if what is None else [(what, own, _COLUMNS)])
    for argument, name, others in named:
        if name in others:
            raise SettingError(
                f"{where}: {argument} is called {name!r}, as is another column of the table, expected another name: "
                "give a function that has one."
            )


def check_probability(value: float, where: str, what: str) -> None:
    """Refuse what is no probability between 0 and 1."""
    if isinstance(value, bool) or not 0 < value < 1:
        raise SettingError(f"{where}: {what} is {value!r}, expected a number between 0 and 1.")


def tails(interval: float, where: str) -> tuple[float, float]:
    """Return the lower and upper probability of an equal-tailed interval."""
    check_probability(interval, where, "interval")
    return (1 - interval) / 2, (1 + interval) / 2
