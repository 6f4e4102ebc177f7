"""Staying with an action after it won, and after it lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.simulation.summaries.conditions import read_conditions
from rlbackends.simulation.summaries.played import Rule, name_of
from rlbackends.simulation.summaries.reading import read_played
from rlbackends.simulation.summaries.tables import as_table, cell_means, check_columns, over_subjects

if TYPE_CHECKING:
    import pandas as pd


def _reward_above_zero(reward: np.ndarray) -> Any:
    return reward > 0


def stay_probabilities(
    prediction: Any,
    response: Rule = "choice",
    *,
    win: Callable[..., Any] = _reward_above_zero,
    stimulus: str | None = None,
    data: Any = None,
    by: Rule | None = None,
    interval: float = 0.89,
    group: str | None = None,
) -> pd.DataFrame:
    """Return how often a subject stays with an action after it won, and after it lost.

    Parameters
    ----------
    prediction, data, by, interval, group
        As for :func:`learning_curve`; the condition is that of the trial on which the subject stays or not.
    response : str, mapping or function, default "choice"
        What is stayed with: an event, or as ``value`` of :func:`learning_curve`. Of a response with several entries a
        trial a function takes one: ``lambda choice: choice[..., 0]``.
    win : function, default ``lambda reward: reward > 0``
        Whether a trial was won: a NumPy function that asks for events by name.
    stimulus : str, optional
        An event: then to stay is to do what was done the last time that this stimulus was seen.

    Returns
    -------
    pandas.DataFrame
        A row a source, condition and ``after`` ("win", "loss"): the condition, ``n_subjects``, ``mean``,
        ``standard_error``, ``low``, ``high``. ``attrs["response"]`` is the response's name: that of the event or
        function, or ``response`` if it has none.

    Raises
    ------
    SettingError
        If an argument makes no sense, or an event isn't there.

    Notes
    -----
    A trial counts if the trial before it (with a stimulus: the last trial that had the same stimulus) is of the same
    block, both have the response, and it is known whether the earlier one was won. So no block's first trial counts,
    and none after a missed one: the last response before the miss does not take its place. A trial whose stimulus is
    missing neither counts nor is an earlier trial. Gaps in the trial numbers are not seen: they insert no trial.
    Predictions one step ahead stay with what was *observed* on the earlier trial. Probabilities are taken within
    subjects and averaged over those who have such trials.
    """
    where = "stay_probabilities"
    sources = read_played(prediction, data, group, where)
    conditions = read_conditions(sources, by, where)
    check_columns(where, conditions, "after")
    pieces = []
    for played, condition in zip(sources, conditions.places, strict=True):
        now = played.ask(response, where, "response")
        before = played.ask(response, where, "response", earlier=True)
        won = played.ask(win, where, "win", earlier=True)
        seen = None if stimulus is None else played.ask(stimulus, where, "stimulus", earlier=True)
        last = _last_time(played.blocks, seen)
        n = max(len(array) for array in (now, before, won, last))
        last = np.broadcast_to(last, (n, *last.shape[1:]))
        there = last >= 0
        at = np.maximum(last, 0)
        action, outcome = (
            np.where(there, np.take_along_axis(np.broadcast_to(array, at.shape), at, axis=2), np.nan)
            for array in (before, won)
        )
        known = np.isfinite(now) & np.isfinite(action) & np.isfinite(outcome)
        stayed = np.where(known, now == action, np.nan)
        cells = np.where((condition >= 0) & known, condition * 2 + (outcome == 0), -1)
        means = cell_means(stayed, cells, 2 * len(conditions))
        after = np.array(["win", "loss"], dtype=object)
        keys = {**conditions.column(2), "after": np.tile(after, len(conditions))}
        pieces.append(over_subjects(played, means, keys, interval, where))
    table = as_table(pieces, sources, conditions)
    table.attrs["response"] = name_of(response, "response")
    return table


def _last_time(blocks: np.ndarray, stimulus: np.ndarray | None) -> np.ndarray:
    """Return the earlier trial that each one is compared with, or -1: draw × subject × trial."""
    trial = np.arange(blocks.shape[1])
    valid = blocks > 0
    if stimulus is None:
        last = np.broadcast_to(trial - 1, (1, *blocks.shape)).copy()
    else:
        last = np.full(stimulus.shape, -1)
        for code in np.unique(stimulus[np.isfinite(stimulus)]):
            same = stimulus == code
            shifted = np.full(stimulus.shape, -1)
            shifted[..., 1:] = np.maximum.accumulate(np.where(same, trial, -1), axis=2)[..., :-1]
            last = np.where(same, shifted, last)
    block = np.broadcast_to(blocks, last.shape)
    at_last = np.take_along_axis(block, np.maximum(last, 0), axis=2)
    return np.where(valid & (last >= 0) & (at_last == block), last, -1)
