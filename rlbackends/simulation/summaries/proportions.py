"""The share of each action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.simulation.summaries.conditions import read_conditions
from rlbackends.simulation.summaries.played import Rule, labels_of, name_of
from rlbackends.simulation.summaries.reading import read_played
from rlbackends.simulation.summaries.tables import as_table, cell_means, check_columns, over_subjects

if TYPE_CHECKING:
    import pandas as pd


def choice_proportions(
    prediction: Any,
    response: Rule = "choice",
    *,
    data: Any = None,
    by: Rule | None = None,
    interval: float = 0.89,
    group: str | None = None,
) -> pd.DataFrame:
    """Return the share of each action, as observed and as predicted.

    Parameters
    ----------
    prediction, data, by, interval, group
        As for :func:`learning_curve`.
    response : str, mapping or function, default "choice"
        What is counted, whole numbers: an event, or as ``value`` of :func:`learning_curve`. Of a response with several
        entries a trial a function takes one: ``lambda choice: choice[..., 0]``. A function's name is that of its
        column; one without a name is ``response``.

    Returns
    -------
    pandas.DataFrame
        A row a source, condition and action: the condition, the response, ``n_subjects``, ``mean``,
        ``standard_error``, ``low``, ``high``. Shares are taken within subjects and averaged over them.

    Raises
    ------
    SettingError
        If an argument makes no sense, an event isn't there, or the response is continuous.
    """
    where = "choice_proportions"
    sources = read_played(prediction, data, group, where)
    conditions = read_conditions(sources, by, where)
    name = name_of(response, "response")
    check_columns(where, conditions, name, "response")
    chosen = [played.ask(response, where, "response") for played in sources]
    labels = labels_of(sources, response)
    codes = _codes(chosen, where, f"response {name!r}")
    if labels is not None:
        codes = np.arange(len(labels), dtype=float)
    actions = np.array([int(code) if labels is None else labels[int(code)] for code in codes], dtype=object)
    pieces = []
    for played, condition, values in zip(sources, conditions.places, chosen, strict=True):
        shares = [
            cell_means(np.where(np.isnan(values), np.nan, values == code), condition, len(conditions)) for code in codes
        ]
        means = np.stack(shares, axis=-1).reshape(len(shares[0]), len(values[0]), -1)
        keys = {**conditions.column(len(codes)), name: np.tile(actions, len(conditions))}
        pieces.append(over_subjects(played, means, keys, interval, where))
    table = as_table(pieces, sources, conditions)
    table.attrs["response"] = name
    return table


def _codes(chosen: Sequence[np.ndarray], where: str, what: str) -> np.ndarray:
    """Return all values of a discrete event, from the smallest of 0 and its least to its greatest."""
    values = np.concatenate([array[np.isfinite(array)] for array in chosen])
    if not len(values) or (values != np.round(values)).any() or np.ptp(values) > 100:
        raise SettingError(f"{where}: {what} is continuous or always missing, expected whole numbers, one an action.")
    return np.arange(min(0.0, values.min()), values.max() + 1)
