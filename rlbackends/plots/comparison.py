"""Which model predicts better, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.plots.style import FAINT, FIT_COLOURS, INK, PALE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from rlbackends.inference.comparison import Comparison, EstimateComparison, ModelSelection

_LETTER = 0.068  # inches


def plot_comparison(
    comparison: Comparison | EstimateComparison | ModelSelection, *, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """Show what :func:`rlbackends.compare` or :func:`rlbackends.select_models` found.

    Parameters
    ----------
    comparison : Comparison, EstimateComparison or ModelSelection
        What to show.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        Of fits: on the left each model's difference from the best in expected log predictive density, bars are standard
        errors of the difference; on the right the same for each subject, a point a subject. Of estimates: differences
        of BIC in place of them. Of a selection: expected frequencies with protected exceedance probabilities, and each
        subject's probabilities.

    Raises
    ------
    SettingError
        If it is something else.

    Examples
    --------
    >>> import rlbackends as rl
    >>> found = rl.select_models([[-10.0, -14.0], [-12.0, -15.0], [-11.0, -10.5]])
    >>> figure = rl.plots.plot_comparison(found)
    """
    from rlbackends.inference.comparison import Comparison, EstimateComparison, ModelSelection

    if not isinstance(comparison, Comparison | EstimateComparison | ModelSelection):
        raise SettingError(
            f"plot_comparison: there is a {type(comparison).__name__}, expected what rl.compare or "
            "rl.select_models returns."
        )
    names = [str(name) for name in comparison.table.index]
    with styled():
        width = 6.6 + _LETTER * max(len(name) for name in names)
        target = new_figure(width, 1.3 + 0.42 * len(names)) if figure is None else figure
        left, right = target.subplots(1, 2, sharey=True)
        if isinstance(comparison, Comparison):
            _fits(left, right, comparison)
        elif isinstance(comparison, EstimateComparison):
            _estimates(left, right, comparison)
        else:
            _selection(left, right, comparison)
        left.set_yticks(range(len(names)), names)
        left.set_ylim(len(names) - 0.5, -0.5)
        for panel in (left, right):
            panel.tick_params(axis="y", length=0)
            panel.locator_params(axis="x", nbins=6)
    return target


def _fits(left: Axes, right: Axes, comparison: Comparison) -> None:
    table = comparison.table
    rows = np.arange(len(table))
    _zero(left, right)
    left.errorbar(
        table["difference"].to_numpy(), rows, xerr=table["difference_se"].to_numpy(), fmt="o", color=FIT_COLOURS[0],
        markersize=5, elinewidth=1.4, capsize=0,
    )  # fmt: skip
    left.set_title("difference from the best")
    left.set_xlabel(f"log predictive density, by {comparison.by}\n± standard error")
    by_subject = comparison.pointwise.groupby(level="subject", sort=False).sum()
    _points(right, by_subject.sub(by_subject[comparison.best], axis=0).to_numpy())
    right.set_title("of each subject")
    right.set_xlabel(f"difference from {comparison.best}\nbar: median")


def _estimates(left: Axes, right: Axes, comparison: EstimateComparison) -> None:
    table = comparison.table
    _zero(left, right)
    for offset, key, colour in ((-0.13, "bic", FIT_COLOURS[0]), (0.13, "aic", FIT_COLOURS[1])):
        rows = np.arange(len(table)) + offset
        left.barh(rows, table[f"{key}_difference"], height=0.24, color=colour, label=key.upper())
    left.legend(loc="best", fontsize=8)
    left.set_title("difference from the lowest")
    left.set_xlabel("information criterion, summed over subjects\nlower is better")
    best = table.index[0]
    bic = comparison.pointwise["bic"][list(table.index)]
    _points(right, bic.sub(bic[best], axis=0).to_numpy())
    right.set_title("of each subject")
    right.set_xlabel(f"BIC, difference from {best}\nbar: median")


def _selection(left: Axes, right: Axes, selection: ModelSelection) -> None:
    table = selection.table
    rows = np.arange(len(table))
    left.barh(rows, table["frequency"], height=0.5, color=FIT_COLOURS[0])
    for row, (frequency, chance) in enumerate(zip(table["frequency"], table["protected"], strict=True)):
        behind = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        left.text(frequency + 0.02, row, f"{chance:.2f}", va="center", color=INK, fontsize=8.5, bbox=behind)
    left.axvline(1 / len(table), color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    left.set_xlim(0, max(1.0, float(table["frequency"].max()) + 0.15))
    left.set_title("how frequent")
    left.set_xlabel("expected share of people\nnumber: protected exceedance probability")
    _points(right, selection.assigned.to_numpy())
    right.set_xlim(-0.03, 1.03)
    right.set_title("of each subject")
    right.set_xlabel("probability of the model\nbar: median")


def _zero(*panels: Axes) -> None:
    for panel in panels:
        panel.axvline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)


def _points(panel: Axes, values: np.ndarray) -> None:
    """Draw a row of points for each column, spread up and down where they would hide each other, and its median."""
    for row, column in enumerate(values.T):
        kept = column[np.isfinite(column)]
        # The golden ratio spreads neighbours in the sorted order, the same way every time.
        apart = ((np.arange(len(kept)) * 0.618034) % 1.0 - 0.5) * 0.42
        if not np.any(kept):  # the model with which the others are compared
            continue
        panel.hlines(row, kept.min(), kept.max(), color=PALE, linewidth=0.8, zorder=0)
        panel.plot(
            np.sort(kept), row + apart, "o", color=FIT_COLOURS[0], markersize=3.4, markeredgewidth=0, alpha=0.6,
        )  # fmt: skip
        panel.vlines(np.median(kept), row - 0.3, row + 0.3, color=FIT_COLOURS[1], linewidth=1.8)
