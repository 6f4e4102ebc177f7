"""What a model says that one subject went through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.plots.style import ENTRY_COLOURS, FAINT, INK, LINES, new_figure, styled, tails

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from rlbackends.inference import Fit


def plot_trajectory(
    fit: Fit,
    subject: Any,
    *,
    state: str | None = None,
    outcome: str | None = None,
    draws: int | None = None,
    interval: float = 0.89,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Show one subject's state, such as action values, over trials, and what the subject chose.

    Parameters
    ----------
    fit : Fit
        A fit.
    subject : label
        One of ``fit.data.subjects``.
    state : str, optional
        A state with one axis, or none; default: the model's first such state.
    outcome : str, optional
        An event of numbers: choices followed by one above 0 are drawn filled, the others hollow.
    draws : int, optional
        Show the mean and an interval of the state over this many posterior draws; default: the state at the
        posterior mean of the parameters.
    interval : float, default 0.89
        Probability of that interval.
    figure : Figure or SubFigure, optional
        Where to draw; default: a new figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SettingError
        If there is no such subject, state or outcome.

    Examples
    --------
    >>> import rlbackends as rl
    >>> fit = rl.load("fit.nc")  # doctest: +SKIP
    >>> figure = rl.plots.plot_trajectory(fit, 1, outcome="reward", draws=100)  # doctest: +SKIP
    >>> figure.savefig("trajectory.png")  # doctest: +SKIP
    """
    data, low_high = fit.data, tails(interval)
    labels = [str(label) for label in data.subjects]
    if str(subject) not in labels:
        raise SettingError(
            f"plot_trajectory: there is no subject {subject!r}; the first is {labels[0]!r}, the last "
            f"{labels[-1]!r}."
            f"{did_you_mean(str(subject), labels)}"
        )
    row = labels.index(str(subject))
    name = _state(fit, state)
    if outcome is not None and (outcome not in fit.model.events or fit.model.events[outcome].axes):
        events = [event for event, found in fit.model.events.items() if not found.axes]
        raise SettingError(f"plot_trajectory: outcome is {outcome!r}, expected one of {listed(events)}.")
    variable = fit.trajectories(draws)[name].isel(subject=row)
    values = variable.transpose(*(("sample",) if draws is not None else ()), "trial", ...).values
    values = values if draws is not None else values[None]
    values = values.reshape(*values.shape[:2], -1)[:, : int(data.lengths[row])]
    axis = fit.model.states[name].axes
    words = (
        [str(label) for label in variable.coords[axis[0].name].values]
        if axis and axis[0].name in variable.coords
        else None
    )
    words = words or [str(i + 1) for i in range(values.shape[2])]
    with styled():
        target = new_figure(8.0, 3.2) if figure is None else figure
        choice = _choice(fit, axis[0].name) if axis else None
        if choice is None:
            axes = target.subplots()
        else:
            axes, rug = target.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [4, 1]})
            _rug(rug, fit, row, choice, outcome, words)
        _lines(axes, values, words if axis else [name], low_high)
        (rug if choice else axes).set_xlabel("trial")
        axes.set_ylabel(f"{name} before the trial")
        axes.set_title(f"subject {data.subjects[row]}")
        for start in np.flatnonzero(data.starts[row, : values.shape[1]])[1:]:
            axes.axvline(start + 0.5, color=FAINT, linewidth=0.8)
        if axis:
            axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), title=axis[0].name, handlelength=1.4)
    return target


def _state(fit: Fit, asked: str | None) -> str:
    possible = [name for name, state in fit.model.states.items() if len(state.axes) < 2]
    if asked is None and possible:
        return possible[0]
    if asked not in possible:
        raise SettingError(
            f"plot_trajectory: state is {asked!r}, expected one with at most one axis: {listed(possible)}."
            f"{did_you_mean(str(asked), possible)}"
        )
    return asked


def _choice(fit: Fit, axis: str | None) -> str | None:
    """Return the first response that counts along an axis, and is one number a trial."""
    events = fit.model.events
    return next((name for name in fit.model.responses if events[name].of == axis and not events[name].axes), None)


def _lines(axes: Axes, values: np.ndarray, words: list[str], low_high: tuple[float, float]) -> None:
    trial = np.arange(1, values.shape[1] + 1)
    for i, word in enumerate(words):
        colour, line = ENTRY_COLOURS[i % len(ENTRY_COLOURS)], LINES[i // len(ENTRY_COLOURS) % len(LINES)]
        if len(values) > 1:
            low, high = np.quantile(values[..., i], low_high, axis=0)
            axes.fill_between(trial, low, high, color=colour, alpha=0.16, linewidth=0)
        axes.plot(trial, values[..., i].mean(axis=0), color=colour, linestyle=line, linewidth=1.5, label=word)
    axes.set_xlim(0, values.shape[1] + 1)
    axes.locator_params(axis="y", nbins=5)


def _rug(axes: Axes, fit: Fit, row: int, choice: str, outcome: str | None, words: list[str]) -> None:
    """Draw what was chosen on each trial, a line of marks an entry."""
    data = fit.data
    length = int(data.lengths[row])
    trial, codes = np.arange(1, length + 1), data.values[choice][row, :length]
    there = ~data.missing[choice][row, :length]
    filled = np.ones(length, dtype=bool)
    if outcome is not None:
        filled = (data.values[outcome][row, :length] > 0) & ~data.missing[outcome][row, :length]
    for i in range(len(words)):
        colour = ENTRY_COLOURS[i % len(ENTRY_COLOURS)]
        for kind, face in ((filled, colour), (~filled, "white")):
            chosen = there & (codes == i) & kind
            axes.plot(
                trial[chosen], np.full(int(chosen.sum()), i), "o", markersize=3.4, markerfacecolor=face,
                markeredgecolor=colour, markeredgewidth=0.7,
            )  # fmt: skip
    axes.set_ylim(len(words) - 0.3, -0.7)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    note = choice if outcome is None else f"{choice}\n(filled: {outcome} > 0)"
    axes.text(1.005, 0.5, note, transform=axes.transAxes, va="center", ha="left", fontsize=8.5, color=INK)
