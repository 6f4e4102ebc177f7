"""Whether actions are chosen as often as their predicted probabilities say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.plots.style import ENTRY_COLOURS, FAINT, FIT_COLOURS, MARKERS, PALE, new_figure, styled
from rlbackends.simulation.summaries import calibration_bins

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure


def plot_calibration(
    prediction: Any,
    response: str | None = None,
    *,
    bins: int = 10,
    by_action: bool = False,
    interval: float = 0.89,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show how often actions were chosen that were predicted with a probability of about so much.

    Parameters
    ----------
    prediction : xarray.DataTree
        From ``fit.predict()``.
    response : str, optional
        Which response; default: the only one.
    bins : int, default 10
        How many bins of equal width.
    by_action : bool, default False
        Whether each action has points of its own, rather than all being pooled.
    interval : float, default 0.89
        Probability of the binomial (Wilson) intervals.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        A calibrated model's points lie on the diagonal. Below is how many cases each bin has.

    Raises
    ------
    SettingError
        If the tree has no such groups or response, or the response is continuous.

    See Also
    --------
    rlbackends.simulation.summaries.calibration_bins : the numbers, and what a case is.

    Examples
    --------
    >>> import rlbackends as rl
    >>> fit = rl.load("fit.nc")  # doctest: +SKIP
    >>> rl.plots.plot_calibration(fit.predict()).savefig("calibration.png")  # doctest: +SKIP
    """
    table = calibration_bins(prediction, response, bins=bins, by_action=by_action, interval=interval)
    name, action = table.attrs["response"], table.attrs["action"]
    groups = [("", table)] if action is None else [(f"{action} {code}", part) for code, part in table.groupby(action)]
    with styled():
        target = new_figure(3.9, 4.7) if figure is None else figure
        main, below = target.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [5, 1]})
        main.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0)
        for i, (word, part) in enumerate(groups):
            colour = FIT_COLOURS[0] if action is None else ENTRY_COLOURS[i % len(ENTRY_COLOURS)]
            x, y = part["predicted"].to_numpy(), part["observed"].to_numpy()
            spread = np.maximum(0, [y - part["low"], part["high"] - y])
            main.errorbar(
                x, y, spread, fmt=MARKERS[i % len(MARKERS)], color=colour, markersize=4.2, elinewidth=1.1,
                markeredgewidth=0, label=word or "observed",
            )  # fmt: skip
        counts = table.groupby("bin_low")["n"].sum()
        left, heights = counts.index.to_numpy(), counts.to_numpy()
        below.bar(left, heights, 1 / bins, align="edge", color=PALE, edgecolor="white")
        main.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        main.set_ylabel(f"share chosen, {100 * interval:.0f} % interval")
        main.set_title(f"{name}: {counts.sum():,} cases".replace(",", "\N{THIN SPACE}"))
        if action is not None:
            main.legend(loc="upper left", handlelength=1.0)
        below.set_ylabel("cases")
        below.locator_params(axis="y", nbins=2)
        below.set_xlabel(f"predicted probability of {name}")
    return target
