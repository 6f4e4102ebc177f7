"""How well true parameters come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.plots.style import (
    FAINT,
    FIT_COLOURS,
    MARKERS,
    by_subject,
    named_fits,
    new_figure,
    shared_legend,
    styled,
    tails,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from rlbackends.inference import Fit


def plot_recovery(
    fits: Fit | Sequence[Fit] | Mapping[str, Fit],
    truth: Mapping[str, Any],
    *,
    interval: float = 0.89,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show each subject's posterior against the value that the data were simulated with.

    Parameters
    ----------
    fits : Fit, sequence of Fit, or mapping of label to Fit
        Fits of the same subjects. Several lie side by side, each a little to the right of the one before.
    truth : mapping
        Parameter name → true value of each subject, in the order of ``fit.data.subjects`` or labelled by
        subject. A panel each.
    interval : float, default 0.89
        Probability of the equal-tailed intervals.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        Points are posterior means, bars are intervals; a perfect recovery lies on the diagonal.

    Raises
    ------
    SettingError
        If ``truth`` names no parameter of the model, or lacks a subject.

    Examples
    --------
    >>> import rlbackends as rl
    >>> fit = rl.load("fit.nc")  # doctest: +SKIP
    >>> rl.plots.plot_recovery(fit, {"alpha": true_alpha}).savefig("recovery.png")  # doctest: +SKIP
    """
    named, low_high = named_fits(fits), tails(interval)
    first = next(iter(named.values()))
    known = first.model.parameters
    unknown = [name for name in truth if name not in known]
    if unknown or not truth:
        raise SettingError(
            f"plot_recovery: truth has {listed(unknown)}, expected parameters of '{first.model.name}': "
            f"{listed(known)}.{did_you_mean(unknown[0], known) if unknown else ''}"
        )
    with styled():
        target = new_figure(3.2 * len(truth), 4.0) if figure is None else figure
        panels = target.subplots(1, len(truth), squeeze=False)[0]
        for panel, (name, values) in zip(panels, truth.items(), strict=True):
            true = by_subject(name, values, first.data.subjects)
            _panel(panel, named, name, true, low_high)
            panel.set_title(name)
            panel.set_xlabel(f"true value\n{known[name].description}".rstrip())
        panels[0].set_ylabel(f"posterior mean, {100 * interval:.0f} % interval")
        shared_legend(target, panels)
    return target


def _panel(axes: Axes, named: Mapping[str, Fit], name: str, true: np.ndarray, low_high: tuple[float, float]) -> None:
    shown = [true]
    # Side by side: fits that agree would hide each other.
    step = 0.012 * float(np.ptp(true) or 1.0)
    for i, (label, fit) in enumerate(named.items()):
        draws = fit.tree["posterior"][name].values.reshape(-1, len(true))
        low, high = np.quantile(draws, low_high, axis=0)
        x = true + step * (i - (len(named) - 1) / 2)
        colour = FIT_COLOURS[i % len(FIT_COLOURS)]
        axes.vlines(x, low, high, colors=colour, linewidths=0.9, alpha=0.45)
        axes.plot(
            x, draws.mean(axis=0), MARKERS[i % len(MARKERS)], color=colour, markersize=3.6, markeredgewidth=0,
            label=label,
        )  # fmt: skip
        shown += [low, high]
        r = _correlation(true, draws.mean(axis=0))
        axes.text(
            0.98, 0.03 + 0.075 * (len(named) - 1 - i), f"r = {r:.2f}", color=colour, ha="right", va="bottom",
            transform=axes.transAxes, fontsize=8.5,
        )  # fmt: skip
    everything = np.concatenate(shown)
    span = float(np.ptp(everything) or 1.0)
    ends = (float(everything.min()) - 0.04 * span, float(everything.max()) + 0.04 * span)
    axes.plot(ends, ends, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)), zorder=0, label="estimate = truth")
    axes.set(xlim=ends, ylim=ends)
    axes.locator_params(nbins=5)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if len(a) > 1 and np.ptp(a) > 0 and np.ptp(b) > 0 else float("nan")
