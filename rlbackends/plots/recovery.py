"""How well true parameters come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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

_MANY = 120  # intervals, from which on they are drawn paler
_COLUMNS = 4


@dataclass(frozen=True)
class Points:
    """What a panel shows of one fit, or of all fits of a study."""

    true: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def plot_recovery(
    fits: Any,
    truth: Mapping[str, Any] | None = None,
    *,
    interval: float = 0.89,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show posteriors against the values that the data were simulated with.

    Parameters
    ----------
    fits : Fit or Recovery, or a sequence or a mapping of label to several
        Fits of the same subjects, or what :func:`rlbackends.recover` returned. Several lie side by side, each a little
        to the right of the one before.
    truth : mapping
        Parameter name → true value of each subject, in the order of ``fit.data.subjects`` or labelled by
        subject. A panel each. A recovery knows its truth.
    interval : float, default 0.89
        Probability of the equal-tailed intervals of fits. A recovery has its own.
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
    low_high = tails(interval)
    named = named_fits(fits)
    are_studies = [hasattr(fit, "table") for fit in named.values()]
    first = next(iter(named.values()))
    if all(are_studies) and truth is None:
        panels_of = _of_studies(named)
        interval = first.interval
    elif any(are_studies) or truth is None:
        raise SettingError(
            "plot_recovery: fits come with truth={parameter: values}, a Recovery without, expected one or the other."
        )
    else:
        panels_of = _of_fits(named, truth, low_high)
    known = first.model.parameters
    n_columns = min(len(panels_of), _COLUMNS)
    n_rows = -(-len(panels_of) // n_columns)
    with styled():
        target = new_figure(3.2 * n_columns, 0.6 + 3.4 * n_rows) if figure is None else figure
        grid = target.subplots(n_rows, n_columns, squeeze=False)
        for spare in grid.ravel()[len(panels_of) :]:
            spare.remove()
        panels = grid.ravel()[: len(panels_of)]
        for panel, (name, points) in zip(panels, panels_of.items(), strict=True):
            _panel(panel, points)
            panel.set_title(name)
            panel.set_xlabel(f"true value\n{known[name].description}".rstrip())
        for panel in grid[:, 0]:
            panel.set_ylabel(f"posterior mean, {100 * interval:g} % interval")
        shared_legend(target, panels)
    return target


def _of_fits(
    named: Mapping[str, Fit], truth: Mapping[str, Any], low_high: tuple[float, float]
) -> dict[str, dict[str, Points]]:
    """Return each parameter's points, by the label of the fit."""
    first = next(iter(named.values()))
    known = first.model.parameters
    unknown = [name for name in truth if name not in known]
    if unknown or not truth:
        raise SettingError(
            f"plot_recovery: truth has {listed(unknown)}, expected parameters of '{first.model.name}': "
            f"{listed(known)}.{did_you_mean(unknown[0], known) if unknown else ''}"
        )
    found: dict[str, dict[str, Points]] = {}
    for name, values in truth.items():
        true = by_subject(name, values, first.data.subjects)
        for label, fit in named.items():
            posterior = fit.tree["posterior"][name]
            if "condition" in posterior.dims:
                raise SettingError(
                    f"plot_recovery: '{name}' has a value by subject and condition in '{label}', and its truth one by "
                    "subject. Leave it out of truth."
                )
            draws = posterior.values.reshape(-1, len(true))
            low, high = np.quantile(draws, low_high, axis=0)
            found.setdefault(name, {})[label] = Points(true, draws.mean(axis=0), low, high)
    return found


def _of_studies(named: Mapping[str, Any]) -> dict[str, dict[str, Points]]:
    found: dict[str, dict[str, Points]] = {}
    for label, study in named.items():
        table = study.table
        for name, part in table[table["subject"].notna()].groupby("parameter", sort=False):
            columns = (part[column].to_numpy(dtype=float) for column in ("true", "mean", "low", "high"))
            found.setdefault(name, {})[label] = Points(*columns)
    return found


def _panel(axes: Axes, points: Mapping[str, Points]) -> None:
    shown = []
    for i, (label, one) in enumerate(points.items()):
        # Side by side: fits that agree would hide each other.
        step = 0.012 * float(np.ptp(one.true) or 1.0)
        x = one.true + step * (i - (len(points) - 1) / 2)
        colour = FIT_COLOURS[i % len(FIT_COLOURS)]
        is_crowded = len(x) * len(points) > _MANY
        axes.vlines(x, one.low, one.high, colors=colour, linewidths=0.9, alpha=0.18 if is_crowded else 0.45)
        axes.plot(
            x, one.mean, MARKERS[i % len(MARKERS)], color=colour, markersize=2.6 if is_crowded else 3.6,
            markeredgewidth=0, label=label,
        )  # fmt: skip
        shown += [one.true, one.low, one.high]
        r = _correlation(one.true, one.mean)
        axes.text(
            0.98, 0.03 + 0.075 * (len(points) - 1 - i), f"r = {r:.2f}", color=colour, ha="right", va="bottom",
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
