"""Posteriors of several fits over each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.plots.style import FAINT, FIT_COLOURS, LINES, group_names, named_fits, new_figure, shared_legend, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from rlbackends.inference import Fit

_GRID = 256
_MOST_DRAWS = 4000  # more would not change a curve that the eye sees


def plot_posteriors(
    fits: Fit | Sequence[Fit] | Mapping[str, Fit],
    var_names: Sequence[str] | None = None,
    *,
    truth: Mapping[str, float] | None = None,
    truth_label: str = "truth",
    columns: int | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show marginal posterior densities, one panel a variable, the fits over each other.

    Parameters
    ----------
    fits : Fit, sequence of Fit, or mapping of label to Fit
        Fits whose posteriors have these variables.
    var_names : sequence of str, optional
        Variables without a subject dimension, such as ``alpha_group``; default: the group's locations and sds on
        the link scales.
    truth : mapping, optional
        Variable → a value to mark.
    truth_label : str, default "truth"
        What the legend calls these marks.
    columns : int, optional
        Panels in a row.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SettingError
        If there is no such variable, or it has a value per subject.

    Notes
    -----
    Curves are Gaussian kernel densities of the draws of all chains, reflected at 0 for standard deviations.

    Examples
    --------
    >>> import rlbackends as rl
    >>> fit = rl.load("fit.nc")  # doctest: +SKIP
    >>> rl.plots.plot_posteriors([fit, rl.load("other.nc")]).savefig("posteriors.png")  # doctest: +SKIP
    """
    named = named_fits(fits)
    names = _names(named, var_names)
    columns = columns or _columns(names)
    rows = -(-len(names) // columns)
    with styled():
        target = new_figure(2.5 * columns, 1.9 * rows + 0.5) if figure is None else figure
        panels = target.subplots(rows, columns, squeeze=False)
        for panel in panels.ravel()[len(names) :]:
            panel.set_axis_off()
        for panel, name in zip(panels.ravel(), names, strict=False):
            _panel(panel, named, name)
            if truth is not None and name in truth:
                panel.axvline(
                    truth[name],
                    color=FAINT,
                    linewidth=1.1,
                    linestyle=(0, (4, 3)),
                    label=truth_label,
                    zorder=0,
                )
            panel.set_title(name)
            panel.set_xlabel(_scale(next(iter(named.values())), name))
        for panel in panels[:, 0]:
            panel.set_ylabel("density")
        shared_legend(target, panels.ravel())
    return target


def _names(named: Mapping[str, Fit], asked: Sequence[str] | None) -> list[str]:
    first = next(iter(named.values()))
    posterior = first.tree["posterior"].to_dataset()
    group = [str(name) for name, variable in posterior.data_vars.items() if "subject" not in variable.dims]
    if asked is None:
        chosen = group_names(first)
    else:
        chosen = [asked] if isinstance(asked, str) else list(asked)
    unknown = [name for name in chosen if name not in group]
    if unknown or not chosen:
        near = did_you_mean(unknown[0], group) if unknown else ""
        raise SettingError(
            f"plot_posteriors: {listed(unknown)} is no variable of the group; there are {listed(group)}.{near}"
        )
    return chosen


def _scale(fit: Fit, name: str) -> str:
    """Return what a group variable is measured in: its parameter's link."""
    for parameter, data in json.loads(fit.tree.attrs["population"]).items():
        if name in (f"{parameter}_location", f"{parameter}_sd"):
            return f"{data['link']} scale"
    return "value"


def _columns(names: Sequence[str]) -> int:
    """Return a row's length: locations above their sds where each has one."""
    locations = sum(not name.endswith("_sd") for name in names)
    return locations if 0 < locations <= 5 and len(names) in (locations, 2 * locations) else min(len(names), 4)


def _panel(axes: Axes, named: Mapping[str, Fit], name: str) -> None:
    low, high = np.inf, -np.inf
    for i, (label, fit) in enumerate(named.items()):
        draws = fit.tree["posterior"].to_dataset()[name].values.ravel()
        x, density = _density(draws, reflected=name.endswith("_sd"))
        colour = FIT_COLOURS[i % len(FIT_COLOURS)]
        # A broken line over a whole one: both are seen where the fits agree.
        axes.plot(x, density, color=colour, linewidth=1.6, linestyle=LINES[i % len(LINES)], label=label)
        axes.fill_between(x, density, color=colour, alpha=0.13, linewidth=0)
        low, high = min(low, x[0]), max(high, x[-1])
    axes.set_xlim(low, high)
    axes.set_ylim(bottom=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.locator_params(axis="x", nbins=5)


def _density(draws: np.ndarray, *, reflected: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return a grid and a kernel density of the draws on it."""
    from scipy.stats import gaussian_kde

    if len(draws) > _MOST_DRAWS:
        draws = draws[:: len(draws) // _MOST_DRAWS + 1]
    if np.ptp(draws) == 0:
        raise SettingError("plot_posteriors: a variable has the same value in every draw, so it has no density.")
    margin = 0.1 * float(np.ptp(draws))
    low = max(0.0, draws.min() - margin) if reflected else draws.min() - margin
    x = np.linspace(low, draws.max() + margin, _GRID)
    kernel = gaussian_kde(draws)
    density = kernel(x) + kernel(-x) if reflected else kernel(x)
    return x, density
