"""Simulation-based calibration: whether true values rank anywhere among their posterior draws, equally often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.plots.style import FAINT, FIT_COLOURS, new_figure, shared_legend, styled
from rlbackends.simulation.summaries import rank_curve
from rlbackends.simulation.summaries.ranks import rank_difference, rank_entries, rank_inside, rank_level
from rlbackends.simulation.summaries.tables import check_probability

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure


def plot_ranks(
    ranks: Any,
    var_names: list[str] | str | None = None,
    *,
    probability: float = 0.95,
    together: bool = True,
    columns: int | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show the ECDF of normalised ranks minus the uniform one, a panel a variable, in the band of uniform ranks.

    Parameters
    ----------
    ranks : xarray.DataTree, xarray.Dataset or mapping
        From ``rl.calibrate``: group ``prior_sbc``; or such a Dataset; or arrays by name whose first dimension is the
        simulation. Ranks are normalised to (0, 1).
    var_names : str or list of str, optional
        Which variables; default: all.
    probability : float, default 0.95
        With which uniform ranks lie within the band everywhere.
    together : bool, default True
        Whether that is the probability that *all* curves of the picture do, rather than each.
    columns : int, optional
        Panels in a row.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        A line an entry of the variable, such as a subject; one that leaves its band is drawn bold. A hump above 0 on
        the left and below on the right is a posterior too narrow, the reverse one too wide; a hump on one side only is
        a bias: above 0, posteriors are too high.

    Raises
    ------
    SettingError
        If there are no ranks, no such variable, or one is not between 0 and 1.

    See Also
    --------
    rlbackends.simulation.summaries.rank_check : the same as a table, with p-values.

    Notes
    -----
    ``arviz_plots.plot_ecdf_pit`` reads the same tree.

    Examples
    --------
    >>> import numpy as np
    >>> import rlbackends as rl
    >>> figure = rl.plots.plot_ranks({"alpha": np.random.default_rng(0).random(100)})
    """
    check_probability(probability, "plot_ranks", "probability")
    found: dict[str, list[np.ndarray]] = {}
    for name, _, values in rank_entries(ranks, "plot_ranks"):
        found.setdefault(name, []).append(values)
    chosen = list(found) if var_names is None else [var_names] if isinstance(var_names, str) else list(var_names)
    unknown = [name for name in chosen if name not in found]
    if unknown or not chosen:
        near = did_you_mean(unknown[0], found) if unknown else ""
        raise SettingError(f"plot_ranks: there is no variable {listed(unknown)}, only {listed(found)}.{near}")
    n_curves = sum(len(found[name]) for name in chosen)
    level = rank_level(probability, n_curves, together=together)
    sizes = {len(values) for name in chosen for values in found[name]}
    bands = {n: rank_curve((np.arange(n) + 0.5) / n, probability=level) for n in sizes}
    n = f"{min(sizes)}" if len(sizes) == 1 else f"{min(sizes)} to {max(sizes)}"
    n_columns = columns or min(len(chosen), 4)
    n_rows = -(-len(chosen) // n_columns)
    word = f"{100 * probability:.0f} % band" + " of all curves together" * (together and n_curves > 1)
    with styled():
        target = new_figure(max(4.4, 2.6 * n_columns), 2.2 * n_rows + 0.5) if figure is None else figure
        panels = target.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True).ravel()
        for panel in panels[len(chosen) :]:
            panel.set_axis_off()
        for panel, name in zip(panels, chosen, strict=False):
            _panel(panel, found[name], bands, word)
            panel.set_title(name)
            panel.set_xlim(0, 1)
            if panel.get_subplotspec().is_first_col():
                panel.set_ylabel("ECDF − uniform")
        for panel in panels[max(0, len(chosen) - n_columns) : len(chosen)]:
            panel.set_xlabel(f"normalised rank of the truth\n({n} simulations)")
            panel.tick_params(labelbottom=True)
        shared_legend(target, panels[: len(chosen)])
    return target


def _panel(panel: Axes, entries: list[np.ndarray], bands: dict[int, Any], word: str) -> None:
    for n in dict.fromkeys(map(len, entries)):
        band = bands[n]
        panel.fill_between(
            band["position"], band["low"], band["high"], color=FAINT, alpha=0.25, linewidth=0, label=word,
        )  # fmt: skip
    panel.axhline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    outside = 0
    for values in entries:
        band = bands[len(values)]
        x, y, good = band["position"], rank_difference(values, band), rank_inside(values, band)
        outside += not good
        bold = not good or len(entries) == 1
        panel.step(
            x, y, where="post", color=FIT_COLOURS[0] if good else FIT_COLOURS[1], linewidth=1.3 if bold else 0.7,
            alpha=1.0 if bold else 0.55, label="ranks" if good else "ranks outside the band", zorder=2 if good else 3,
        )  # fmt: skip
    if len(entries) > 1:
        panel.set_title(f"{outside} of {len(entries)} outside", loc="right", fontsize=8, fontweight="normal")
    panel.locator_params(nbins=5)
