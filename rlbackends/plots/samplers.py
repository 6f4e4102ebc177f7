"""Samplers side by side: how fast, what takes the time, and whether they agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.plots.style import FAINT, FIT_COLOURS, INK, PALE, new_figure, shared_legend, styled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

_BLUE, _RED, _GREEN = FIT_COLOURS[0], FIT_COLOURS[1], FIT_COLOURS[2]


def plot_samplers(comparison: Any, *, figure: Figure | SubFigure | None = None) -> Figure | SubFigure:
    """Show how fast samplers are, what takes the time, and whether they agree.

    Parameters
    ----------
    comparison : SamplerComparison
        From :func:`rlbackends.compare_samplers`.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure
        A row a sampler, in three panels. Smallest effective sample sizes by second of sampling, on a log scale.
        Seconds of the process: compiling, sampling, all else. Largest differences from the reference, in units of what
        chance allows: beyond 1 a sampler disagrees.

    Raises
    ------
    SettingError
        If it is no comparison of samplers.
    """
    table, agreement = getattr(comparison, "table", None), getattr(comparison, "agreement", None)
    if table is None or agreement is None or "ess_bulk_per_second" not in table:
        raise SettingError(
            f"plot_samplers: there is a {type(comparison).__name__}, expected what rl.compare_samplers returns."
        )
    names = [str(name) for name in table.index]
    places = np.arange(len(names))
    longest = max(len(name) for name in names)
    with styled():
        size = (7.6 + 0.065 * longest, 1.5 + 0.36 * len(names))
        target = new_figure(*size) if figure is None else figure
        panels = target.subplots(1, 3, sharey=True)
        _speed(panels[0], table, places)
        _time(panels[1], table, places)
        _agreement(panels[2], table, agreement, places)
        panels[0].set_yticks(places, names)
        panels[0].set_ylim(len(names) - 0.4, -0.6)
        for panel in panels:
            panel.tick_params(axis="y", length=0)
        shared_legend(target, panels)
    return target


def _speed(panel: Axes, table: pd.DataFrame, places: np.ndarray) -> None:
    for column, colour, marker, label in (
        ("ess_bulk_per_second", _BLUE, "o", "bulk ESS"), ("ess_tail_per_second", _GREEN, "D", "tail ESS"),
    ):  # fmt: skip
        values = _numbers(table, column)
        panel.plot(values, places, marker, color=colour, markersize=6, label=label, linestyle="none", zorder=3)
    both = np.stack([_numbers(table, f"ess_{part}_per_second") for part in ("bulk", "tail")])
    known = np.isfinite(both).all(axis=0)
    panel.hlines(places[known], both.min(axis=0)[known], both.max(axis=0)[known], color=PALE, linewidth=2, zorder=1)
    if np.isfinite(both).any():
        panel.set_xscale("log")
        low, high = np.nanmin(both), np.nanmax(both)
        panel.set_xlim(low / 1.6, high * 1.6)
        _plain_ticks(panel, low / 1.6, high * 1.6)
    for place, (name, row) in zip(places, table.iterrows(), strict=True):
        words = "failed" if row["failure"] else "no chains" if row["kind"] != "chains" else ""
        if words and name is not None:
            panel.text(0.03, place, words, transform=panel.get_yaxis_transform(), va="center", color=FAINT, fontsize=8)
    panel.set_title("Effective draws a second")
    panel.set_xlabel("smallest ESS / second of sampling")


def _plain_ticks(panel: Axes, low: float, high: float) -> None:
    """Write 1, 2, 5, 10, 20 … on a log axis, as few as fit."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, StrMethodFormatter

    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = [power * step for power in powers for step in steps if low <= power * step <= high]
        if len(ticks) <= 5:
            break
    panel.xaxis.set_major_locator(FixedLocator(ticks))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    panel.xaxis.set_minor_locator(NullLocator())
    panel.xaxis.set_minor_formatter(NullFormatter())


def _time(panel: Axes, table: pd.DataFrame, places: np.ndarray) -> None:
    compiled, sampled, total = (np.nan_to_num(_numbers(table, f"{part}_seconds"))
                                for part in ("compile", "sample", "process"))  # fmt: skip
    rest = np.maximum(0.0, total - compiled - sampled)
    left = np.zeros(len(places))
    for values, colour, label in (
        (rest, PALE, "start, checks"), (compiled, FIT_COLOURS[5], "compiling"), (sampled, FIT_COLOURS[4], "sampling"),
    ):  # fmt: skip
        panel.barh(places, values, left=left, height=0.62, color=colour, label=label)
        left = left + values
    for place, seconds in zip(places, left, strict=True):
        if seconds > 0:
            panel.text(seconds, place, f" {seconds:,.0f}", va="center", fontsize=8, color=INK)
    panel.set_xlim(0, max(float(left.max()) * 1.18, 1e-9))
    panel.set_title("Seconds")
    panel.set_xlabel("seconds of the process")


def _agreement(panel: Axes, table: pd.DataFrame, agreement: pd.DataFrame, places: np.ndarray) -> None:
    reference = agreement.attrs.get("reference")
    for kind, colour, marker, label in (
        ("mean", FIT_COLOURS[3], "o", "means"), ("share", _RED, "s", "shares below quantiles"),
    ):  # fmt: skip
        ratios = np.full(len(places), np.nan)
        for i, name in enumerate(table.index):
            if name in agreement.index and table.loc[name, "kind"] == "chains" and name != reference:
                ratios[i] = agreement.loc[name, f"{kind}_z"] / agreement.loc[name, f"{kind}_threshold"]
        shift = -0.12 if kind == "mean" else 0.12
        panel.plot(ratios, places + shift, marker, color=colour, markersize=6, label=label, linestyle="none", zorder=3)
    panel.axvspan(0, 1, color=PALE, alpha=0.45, linewidth=0, zorder=0)
    panel.axvline(1, color=FAINT, linewidth=0.8)
    for place, name in zip(places, table.index, strict=True):
        if name == reference:
            panel.text(0.06, place, "reference", va="center", color=FAINT, fontsize=8)
        elif table.loc[name, "kind"] != "chains" and name in agreement.index:
            off = agreement.loc[name, "mean_sds"]
            words = "approximation" if not np.isfinite(float(off)) else f"off by {off:.2f} sd"
            panel.text(0.06, place, words, va="center", color=FAINT, fontsize=8)
    panel.set_xlim(0, max(1.5, 1.04 * panel.get_xlim()[1]))
    panel.set_title("Agreement")
    panel.set_xlabel("largest difference / what chance allows")


def _numbers(table: pd.DataFrame, column: str) -> np.ndarray:
    return np.asarray(table[column].astype(float), dtype=float)
