"""The mean of something over trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.simulation.summaries.conditions import read_conditions
from rlbackends.simulation.summaries.played import Rule, position_in_block
from rlbackends.simulation.summaries.reading import read_played
from rlbackends.simulation.summaries.tables import as_table, cell_means, check_columns, over_subjects

if TYPE_CHECKING:
    import pandas as pd


def learning_curve(
    prediction: Any,
    value: Rule,
    *,
    data: Any = None,
    by: Rule | None = None,
    over: str = "block",
    window: int = 1,
    interval: float = 0.89,
    group: str | None = None,
) -> pd.DataFrame:
    """Return the mean of something over trials, as observed and as predicted.

    Parameters
    ----------
    prediction : xarray.DataTree or Simulation
        From ``fit.simulate(task)``, ``fit.predict()``, ``rl.prior_predictive`` or ``rl.simulate``.
    value : str, mapping or function
        What is averaged: an event (``"reward"``); whether an event is something (``{"choice": 1}``, or its label if
        ``data`` knows labels); or a NumPy function that asks by name for events, ``trial`` (within the block, from 1)
        and ``block``: ``lambda choice, trial: choice == np.where(trial <= 40, 0, 1)``. A simulation's functions may
        ask for the task's hidden variables, too.
    data : BoundTrials or Simulation, optional
        What was observed, such as ``fit.data``; default: the tree's ``observed_data``.
    by : str, mapping or function, optional
        A condition of the trial: an event, ``"block"``, or as above. A function's name is that of its column; one
        without a name is ``condition``.
    over : {"block", "session", "occurrence"}, default "block"
        Whether trials are counted within their block, within all that a subject did, or as the how manieth of their
        condition within the block.
    window : int, default 1
        How many trials make a point. Windows don't overlap.
    interval : float, default 0.89
        Probability of the equal-tailed intervals over draws.
    group : str, optional
        Which group of the tree is the prediction; default: the first of ``posterior_predictive_forward``,
        ``posterior_predictive`` and ``prior_predictive``.

    Returns
    -------
    pandas.DataFrame
        A row a source ("observed", "predicted", "simulated"), condition and window: the condition, ``trial`` (the
        window's middle), ``n_subjects``, ``mean``, ``standard_error``, ``low`` and ``high``.

    Raises
    ------
    SettingError
        If an argument makes no sense, or an event isn't there.

    Notes
    -----
    A window is averaged within each subject first, over the trials with a value, and then over the subjects who have
    any: all count the same. The standard error is over subjects, for what happened once; the interval is over draws, of
    the mean over subjects.
    """
    where = "learning_curve"
    if isinstance(window, bool) or not isinstance(window, int) or window < 1:
        raise SettingError(f"{where}: window is {window!r}, expected a number of trials from 1.")
    if over not in ("block", "session", "occurrence"):
        raise SettingError(f"{where}: over is {over!r}, expected 'block', 'session' or 'occurrence'.")
    if over == "occurrence" and by is None:
        raise SettingError(f"{where}: over='occurrence' counts trials of a condition, but by is None: by='stimulus'?")
    sources = read_played(prediction, data, group, where)
    conditions = read_conditions(sources, by, where)
    check_columns(where, conditions, "trial")
    pieces, is_share = [], True
    for played, condition in zip(sources, conditions.places, strict=True):
        values = played.ask(value, where, "value")
        is_share &= bool(np.isin(values[np.isfinite(values)], (0.0, 1.0)).all())
        position = _positions(played.blocks, condition, over, len(conditions))
        n_windows = (int(position.max(initial=1)) - 1) // window + 1
        cells = np.where(condition >= 0, condition * n_windows + (position - 1) // window, -1)
        means = cell_means(values, cells, len(conditions) * n_windows)
        middles = np.tile(np.arange(n_windows) * window + (window + 1) / 2, len(conditions))
        keys = {**conditions.column(n_windows), "trial": middles}
        pieces.append(over_subjects(played, means, keys, interval, where))
    table = as_table(pieces, sources, conditions)
    table.attrs["is_share"] = is_share
    return table


def _positions(blocks: np.ndarray, condition: np.ndarray, over: str, n_levels: int) -> np.ndarray:
    """Return the number of each trial from 1, as ``over`` counts them."""
    if over == "block":
        return position_in_block(blocks)[None]
    if over == "session":
        return np.broadcast_to(np.arange(1, blocks.shape[1] + 1), (1, *blocks.shape))
    result = np.ones(condition.shape, dtype=int)
    first = np.broadcast_to(position_in_block(blocks) == 1, condition.shape)
    trial = np.arange(blocks.shape[1])
    start = np.maximum.accumulate(np.where(first, trial, 0), axis=2)
    for level in range(n_levels):
        here = condition == level
        counted = np.cumsum(here, axis=2)
        before_block = np.take_along_axis(counted - here, start, axis=2)
        result = np.where(here, counted - before_block, result)
    return result
