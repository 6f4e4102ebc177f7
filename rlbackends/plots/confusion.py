"""Which model is taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.plots.style import INK, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


def plot_confusion(
    confusion: Any, inversion: Any = None, *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Show how often each model fits best the data that each model simulated.

    Parameters
    ----------
    confusion : pandas.DataFrame
        A row a model that simulated, a column a model that was fitted: how often it fitted best, as counts or shares.
    inversion : pandas.DataFrame, optional
        In the same places: the probability that the row's model simulated the data if the column's fits best.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        Colours are shares of a row of ``confusion``, and the values of ``inversion``.

    Raises
    ------
    SettingError
        If a table has no rows, negative numbers, or something else than numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> import rlbackends as rl
    >>> names = ["one rate", "two rates"]
    >>> counts = pd.DataFrame([[18, 2], [5, 15]], index=names, columns=names)
    >>> figure = rl.plots.plot_confusion(counts, counts / counts.sum())
    """
    tables = [confusion] if inversion is None else [confusion, inversion]
    arrays = [_numbers(table) for table in tables]
    if arrays[-1].shape != arrays[0].shape:
        raise SettingError(
            f"plot_confusion: inversion has shape {arrays[-1].shape}, expected that of confusion, {arrays[0].shape}."
        )
    titles = ["data sets" if _is_count(arrays[0]) else "P(fits best | simulated)", "P(simulated | fits best)"]
    rows, columns = arrays[0].shape
    words = [str(name) for name in (*confusion.index, *confusion.columns)]
    longest = max(len(word) for word in words)
    # Long names are turned, so that they don't run into each other.
    turned = longest > 8
    with styled():
        cell, margin = 0.75, 0.075 * longest
        size = (margin + 0.6 + len(tables) * (cell * columns + 0.3), cell * rows + 0.9 + 0.7 * margin * turned)
        target = new_figure(max(2.6, size[0]), max(2.4, size[1])) if figure is None else figure
        panels = target.subplots(1, len(tables), squeeze=False, sharey=True)[0]
        for panel, table, title, array in zip(panels, tables, titles, arrays, strict=False):
            _matrix(panel, array, is_count=panel is panels[0] and _is_count(array))
            panel.set_title(title, loc="center", fontsize=9)
            labels = [str(name) for name in table.columns]
            panel.set_xticks(range(columns), labels, rotation=40 if turned else 0, ha="right" if turned else "center")
            if turned:
                for tick in panel.get_xticklabels():
                    tick.set_rotation_mode("anchor")
            panel.set_xlabel("fits best")
        panels[0].set_yticks(range(rows), [str(name) for name in confusion.index])
        panels[0].set_ylabel("simulated")
    return target


def _numbers(table: Any) -> np.ndarray:
    if not hasattr(table, "columns"):
        raise SettingError(
            f"plot_confusion: there is a {type(table).__name__}, expected a pandas DataFrame: a row a model that "
            "simulated, a column a model that was fitted."
        )
    try:
        array = table.to_numpy(dtype=float)
    except (TypeError, ValueError):
        array = np.empty((0, 0))
    if not array.size or (array < 0).any() or np.isinf(array).any():
        raise SettingError(
            f"plot_confusion: a table of shape {table.shape} is empty or holds something else than counts or shares, "
            "expected numbers from 0."
        )
    return np.asarray(array)


def _is_count(array: np.ndarray) -> bool:
    return bool((array == np.round(array)).all() and (array > 1).any())


def _matrix(panel: Axes, array: np.ndarray, *, is_count: bool) -> None:
    """Draw a matrix with its numbers; colours of counts are their row's shares."""
    total = array.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        shade = array / total if is_count else array
    panel.imshow(np.nan_to_num(shade), cmap="Blues", vmin=0, vmax=1.15)
    for (row, column), value in np.ndenumerate(array):
        if np.isnan(value):
            word = "–"
        elif is_count:
            word = f"{value:.0f}"
        else:
            word = f"{value:.2f}"
        colour = "white" if shade[row, column] > 0.62 else INK
        panel.text(column, row, word, ha="center", va="center", color=colour, fontsize=9)
    panel.tick_params(length=0)
    for spine in panel.spines.values():
        spine.set_visible(False)
