"""Predictions against what was observed: learning curves, shares of actions, staying and shifting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.plots.style import FIT_COLOURS, INK, PALE, new_figure, shared_legend, styled
from rlbackends.simulation import summaries
from rlbackends.simulation.summaries.played import Rule, name_of

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_MOST_POINTS = 45  # more make a curve hard to read
_MOST_PANELS = 12  # one a condition


def plot_learning_curves(
    prediction: Any,
    value: Rule,
    *,
    data: Any = None,
    by: Rule | None = None,
    over: str = "block",
    window: int | None = None,
    interval: float = 0.89,
    group: str | None = None,
    label: str | None = None,
    columns: int | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show the mean of something over trials, as observed and as predicted; a panel a condition.

    Parameters
    ----------
    prediction : xarray.DataTree or Simulation
        From ``fit.simulate(task)``, ``fit.predict()``, ``rl.prior_predictive`` or ``rl.simulate``.
    value : str, mapping or function
        What is averaged: an event (``"reward"``), whether an event is something (``{"choice": 1}``), or a NumPy
        function that asks for events by name (``lambda choice, correct: choice == correct``).
    data : BoundTrials or Simulation, optional
        What was observed, such as ``fit.data``, which also knows its labels; default: the tree's ``observed_data``.
    by : str, mapping or function, optional
        A condition of the trial: an event such as a stimulus, ``"block"``, or as above.
    over : {"block", "session", "occurrence"}, default "block"
        Whether trials are counted within their block, within all that a subject did, or as the how manieth of their
        condition within the block.
    window : int, optional
        How many trials make a point; default: as few as make at most 45 points.
    interval : float, default 0.89
        Probability of the equal-tailed intervals over draws.
    group : str, optional
        Which group of the tree is the prediction; default: the first of ``posterior_predictive_forward``,
        ``posterior_predictive`` and ``prior_predictive``.
    label : str, optional
        What the vertical axis is called.
    columns : int, optional
        Panels in a row.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        Points with standard errors over subjects are what happened once, bands are intervals over draws.

    Raises
    ------
    SettingError
        If an argument makes no sense, or an event isn't there.

    See Also
    --------
    rlbackends.simulation.summaries.learning_curve : the numbers.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.bandit(probabilities=(0.2, 0.8))
    >>> tree = rl.prior_predictive(rl.catalogue.rescorla_wagner(), task, subjects=5, draws=10, trials=20)
    >>> rl.plots.plot_learning_curves(tree, {"choice": 1}).savefig("learning.png")  # doctest: +SKIP
    """
    options: dict[str, Any] = {"data": data, "by": by, "over": over, "interval": interval, "group": group}
    table = summaries.learning_curve(prediction, value, **options, window=1 if window is None else window)
    last = float(table["trial"].max())
    if window is None and last > _MOST_POINTS:
        window = int(-(-last // _MOST_POINTS))
        table = summaries.learning_curve(prediction, value, **options, window=window)
    unit = {"block": "trial in block", "session": "trial", "occurrence": f"occurrence of {table.attrs['by']}"}[over]
    if over == "block" and table.attrs["n_blocks"] == 1:
        unit = "trial"
    if window is not None and window > 1:
        unit += f" (means of {window})"
    with styled():
        target, panels, in_row = _panels(table, 3.1, 2.5, columns, figure, "plot_learning_curves")
        for panel, (_, part) in panels:
            for source, rows in _by_source(part):
                _curve(panel, rows, _word(table, source, interval), source)
            panel.set_xlim(0.5, last + 0.5)
            panel.locator_params(axis="x", integer=True, nbins=6)
            if table.attrs["is_share"]:
                panel.set_ylim(-0.02, 1.02)
            else:
                panel.locator_params(axis="y", nbins=5)
        _finish(target, panels, in_row, unit, label or _value_word(value))
    return target


def plot_choice_proportions(
    prediction: Any,
    response: Rule = "choice",
    *,
    data: Any = None,
    by: Rule | None = None,
    interval: float = 0.89,
    group: str | None = None,
    columns: int | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show the share of each action, as observed and as predicted; a panel a condition.

    Parameters
    ----------
    prediction, data, by, interval, group, columns, figure
        As for :func:`plot_learning_curves`.
    response : str, mapping or function, default "choice"
        What is counted, whole numbers: an event, or as ``value`` of :func:`plot_learning_curves`. A function takes one
        entry of a response that has several a trial: ``lambda choice: choice[..., 0]``. Axes show the function's name.

    Returns
    -------
    matplotlib.figure.Figure
        Bars with standard errors over subjects are what happened once, points with intervals over draws what was
        predicted.

    Raises
    ------
    SettingError
        If an argument makes no sense, an event isn't there, or the response is continuous.

    See Also
    --------
    rlbackends.simulation.summaries.choice_proportions : the numbers.

    Examples
    --------
    >>> import rlbackends as rl
    >>> tree = fit.simulate(task)  # doctest: +SKIP
    >>> rl.plots.plot_choice_proportions(tree, data=fit.data, by="stimulus")  # doctest: +SKIP
    """
    table = summaries.choice_proportions(prediction, response, data=data, by=by, interval=interval, group=group)
    name = table.attrs["response"]
    actions = list(dict.fromkeys(table[name]))
    word = _response_word(table, response)
    with styled():
        width = max(1.9, 0.8 + 0.42 * len(actions)) if by is not None else max(2.4, 1.0 + 0.45 * len(actions))
        target, panels, in_row = _panels(table, width, 2.4, columns, figure, "plot_choice_proportions")
        for panel, (_, part) in panels:
            _bars(panel, table, part, name, actions, interval)
        _finish(target, panels, in_row, word, f"share of each {word}")
    return target


def plot_win_stay_lose_shift(
    prediction: Any,
    response: Rule = "choice",
    *,
    win: Callable[..., Any] | None = None,
    stimulus: str | None = None,
    data: Any = None,
    by: Rule | None = None,
    interval: float = 0.89,
    group: str | None = None,
    columns: int | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show how often subjects stay with an action after it won and after it lost, as observed and as predicted.

    Parameters
    ----------
    prediction, data, by, interval, group, columns, figure
        As for :func:`plot_learning_curves`.
    response : str, mapping or function, default "choice"
        What is stayed with: an event, or as ``value`` of :func:`plot_learning_curves`. A function takes one entry of a
        response that has several a trial: ``lambda choice: choice[..., 0]``. The axis shows the function's name.
    win : function, default ``lambda reward: reward > 0``
        Whether a trial was won: a NumPy function that asks for events by name.
    stimulus : str, optional
        An event: then to stay is to do what was done the last time that this stimulus was seen.

    Returns
    -------
    matplotlib.figure.Figure
        Bars with standard errors over subjects are what happened once, points with intervals over draws what was
        predicted.

    Raises
    ------
    SettingError
        If an argument makes no sense, or an event isn't there.

    See Also
    --------
    rlbackends.simulation.summaries.stay_probabilities : the numbers, and which trials count.

    Examples
    --------
    >>> import rlbackends as rl
    >>> tree = fit.simulate(task)  # doctest: +SKIP
    >>> rl.plots.plot_win_stay_lose_shift(tree, win=lambda gain, loss: gain > abs(loss))  # doctest: +SKIP
    """
    rule = {} if win is None else {"win": win}
    table = summaries.stay_probabilities(
        prediction, response, **rule, stimulus=stimulus, data=data, by=by, interval=interval, group=group
    )
    word = _response_word(table, response)
    with styled():
        width = 2.4 if by is None else 1.9
        target, panels, in_row = _panels(table, width, 2.4, columns, figure, "plot_win_stay_lose_shift")
        for panel, (_, part) in panels:
            _bars(panel, table, part, "after", ["win", "loss"], interval)
        last = "last trial" if stimulus is None else f"last trial with\nthe same {stimulus}"
        _finish(target, panels, in_row, last, f"P(same {word})")
    return target


def _by_source(part: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(source, part[part["source"] == source]) for source in dict.fromkeys(part["source"])]


def _word(table: pd.DataFrame, source: str, interval: float) -> str:
    """Return what the legend says about a source: what it is, what its spread is, and of how many."""
    kind, n_subjects = table.attrs["kinds"][source], table.attrs["n_subjects"][source]
    if source == "predicted":
        return f"{kind} ({100 * interval:.0f} % of {table.attrs['n_draws'][source]} draws)"
    who = "1 subject" if n_subjects == 1 else f"± standard error, {n_subjects} subjects"
    return f"{kind} ({who})"


def _response_word(table: pd.DataFrame, response: Rule) -> str:
    """Return what axes call the response; an event keeps its name as it is."""
    name = str(table.attrs["response"])
    return name if isinstance(response, str) else name.replace("_", " ")


def _value_word(value: Rule) -> str:
    """Return what the vertical axis calls what is averaged."""
    if isinstance(value, str):
        return f"mean {value}"
    if isinstance(value, Mapping):
        return "share of " + ", ".join(f"{name} = {code}" for name, code in value.items())
    return name_of(value, "mean").replace("_", " ")


def _panels(
    table: pd.DataFrame, width: float, height: float, columns: int | None, figure: Any, where: str
) -> tuple[Any, list[tuple[Axes, tuple[Any, pd.DataFrame]]], int]:
    """Return the figure, each panel with its condition and rows, and how many are in a row."""
    by = table.attrs["by"]
    parts: list[tuple[Any, pd.DataFrame]] = [(None, table)]
    if by is not None:
        parts = [(level, table[table[by] == level]) for level in sorted(set(table[by]), key=list(table[by]).index)]
    if len(parts) > _MOST_PANELS:
        raise SettingError(
            f"{where}: by={by!r} has {len(parts)} values, expected at most {_MOST_PANELS}, for a panel each. A "
            "function can join them: by=lambda x: x // 10."
        )
    n_columns = columns or -(-len(parts) // -(-len(parts) // 4))  # at most four, rows filled evenly
    n_rows = -(-len(parts) // n_columns)
    if by is None:
        width, height = 1.35 * width, 1.15 * height
    size = (max(3.6, width * n_columns + 0.4), height * n_rows + 0.6)
    target = new_figure(*size) if figure is None else figure
    axes = target.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False).ravel()
    for panel in axes[len(parts) :]:
        panel.set_axis_off()
    for panel, (level, _) in zip(axes, parts, strict=False):
        if by is not None:
            panel.set_title(f"{by} {level}")
    return target, list(zip(axes, parts, strict=False)), n_columns


def _finish(target: Any, panels: list[tuple[Axes, Any]], n_columns: int, x: str, y: str) -> None:
    """Label the outer axes and make one legend."""
    axes = [panel for panel, _ in panels]
    for i, panel in enumerate(axes):
        if i % n_columns == 0:
            panel.set_ylabel(y)
        if i >= len(axes) - n_columns:  # none is below it
            panel.set_xlabel(x)
            panel.tick_params(labelbottom=True)
    shared_legend(target, axes)


def _curve(panel: Axes, rows: pd.DataFrame, word: str, source: str) -> None:
    x, y = rows["trial"].to_numpy(), rows["mean"].to_numpy()
    if source == "predicted":
        colour = FIT_COLOURS[0]
        panel.fill_between(x, rows["low"], rows["high"], color=colour, alpha=0.22, linewidth=0)
        panel.plot(x, y, color=colour, linewidth=1.6, label=word)
        return
    colour = INK if source == "observed" else FIT_COLOURS[1]
    panel.errorbar(
        x, y, rows["standard_error"], fmt="o-", color=colour, markersize=2.8, linewidth=0.8, elinewidth=0.7,
        markeredgewidth=0, label=word, zorder=3,
    )  # fmt: skip


def _bars(panel: Axes, table: pd.DataFrame, part: pd.DataFrame, column: str, order: list[Any], interval: float) -> None:
    """Draw what happened as bars, what was predicted as points."""
    for source, rows in _by_source(part):
        x = np.array([order.index(value) for value in rows[column]], dtype=float)
        word, y = _word(table, source, interval), rows["mean"].to_numpy()
        if source == "predicted":
            spread = np.abs(rows[["low", "high"]].to_numpy().T - y)
            # Beside the observed error, not on it.
            panel.errorbar(
                x + 0.13, y, spread, fmt="D", color=FIT_COLOURS[0], markersize=4.2, elinewidth=1.6, markeredgewidth=0,
                label=word, zorder=3,
            )  # fmt: skip
            continue
        # Two that happened once, observed and simulated, stand side by side.
        both = "simulated" in table.attrs["kinds"] and len(table.attrs["kinds"]) > 1
        width = 0.34 if both else 0.66
        at = x + (0.18 if source == "simulated" else -0.18) * both
        colour = FIT_COLOURS[4] if source == "simulated" and both else PALE
        panel.bar(at, y, width, color=colour, label=word)
        beside = at if both or "predicted" not in table.attrs["kinds"] else at - 0.13
        panel.errorbar(beside, y, rows["standard_error"].to_numpy(), fmt="none", ecolor=INK, elinewidth=1.0)
    panel.set_xticks(range(len(order)), [str(value) for value in order])
    panel.set_xlim(-0.6, len(order) - 0.4)
    panel.set_ylim(0, 1)
