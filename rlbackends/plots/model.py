"""A model at work: what one subject's states go through, trial by trial, and how well its responses are predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.plots.style import ENTRY_COLOURS, FAINT, LINES, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rlbackends.backends import CompiledModel

_MOST_LINES = 6


def plot_model(
    compiled: CompiledModel, params: Mapping[str, Any], *, subject: Any = None, states: list[str] | None = None
) -> Figure:
    """Show what a model makes of one subject's trials at given parameter values.

    A panel a state, with a line an entry (of large tables the six that change most), and one a response: its
    probability, or the value of a continuous response.

    Parameters
    ----------
    compiled : CompiledModel
        A model with data, from :func:`rlbackends.compile`.
    params : mapping
        Parameter values, as for ``compiled.trajectories``.
    subject : label, optional
        One of ``compiled.subjects``; default: the first.
    states : list of str, optional
        Which states to show; default: all.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    SettingError
        If there is no such subject or state.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.rescorla_wagner(), data)
    >>> figure = rl.plots.plot_model(compiled, {"alpha": 0.5, "beta": 2.0})
    >>> figure.savefig("model.png")  # doctest: +SKIP
    """
    row = _row(compiled, subject)
    shown = list(compiled.model.states) if states is None else states
    for name in shown:
        if name not in compiled.model.states:
            raise SettingError(
                f"plot_model: there is no state {name!r}, only {listed(compiled.model.states)}."
                f"{did_you_mean(str(name), compiled.model.states)}"
            )
    length = int(compiled.data.lengths[row])
    trajectories, log_p = compiled.trajectories(params), compiled.log_likelihood(params)
    heights = [1.5] * len(shown) + [1.0] * len(compiled.model.responses)
    with styled():
        figure = new_figure(8.0, 0.5 + sum(heights))
        panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})
        for panel, name in zip(panels[: len(shown), 0], shown, strict=True):
            _state(panel, trajectories[name].isel(subject=row, trial=slice(length)), name)
        for panel, name in zip(panels[len(shown) :, 0], compiled.model.responses, strict=True):
            _response(panel, compiled, name, row, length, log_p[name].values[row, :length])
        for panel in panels[:, 0]:
            for start in np.flatnonzero(compiled.data.starts[row, :length])[1:]:
                panel.axvline(start + 0.5, color=FAINT, linewidth=0.8)
        panels[-1, 0].set_xlabel("trial")
        panels[-1, 0].set_xlim(0, length + 1)
    return figure


def _row(compiled: CompiledModel, subject: Any) -> int:
    labels = [str(label) for label in compiled.subjects]
    if subject is None:
        return 0
    if str(subject) not in labels:
        raise SettingError(
            f"plot_model: there is no subject {subject!r}; the first is {labels[0]!r}, the last {labels[-1]!r}."
            f"{did_you_mean(str(subject), labels)}"
        )
    return labels.index(str(subject))


def _state(panel: Axes, variable: Any, name: str) -> None:
    """Draw a state before each trial, a line an entry."""
    axes = [dim for dim in variable.dims if dim != "trial"]
    entries = variable.transpose("trial", *axes).values.reshape(variable.sizes["trial"], -1)
    moved = np.ptp(entries, axis=0) if len(entries) else np.zeros(entries.shape[1])
    shown = np.sort(np.argsort(-moved, kind="stable")[:_MOST_LINES])
    trial = np.arange(1, len(entries) + 1)
    sizes = [variable.sizes[dim] for dim in axes]
    for i, entry in enumerate(shown):
        place = np.unravel_index(entry, sizes) if axes else ()
        labels = [
            str(variable.coords[dim].values[at]) if dim in variable.coords else str(at)
            for dim, at in zip(axes, place, strict=True)
        ]
        line = LINES[i // len(ENTRY_COLOURS) % len(LINES)]
        colour = ENTRY_COLOURS[i % len(ENTRY_COLOURS)]
        panel.plot(trial, entries[:, entry], line, color=colour, linewidth=1.4, label=", ".join(labels))
    panel.set_ylabel(name)
    panel.locator_params(axis="y", nbins=4)
    if axes:
        title = ", ".join(map(str, axes))
        if len(shown) < entries.shape[1]:
            title += f"\n({len(shown)} of {entries.shape[1]})"
        panel.legend(
            loc="upper left", bbox_to_anchor=(1.0, 1.05), title=title, handlelength=1.2, fontsize=7, title_fontsize=7.5,
            labelspacing=0.2,
        )  # fmt: skip


def _response(panel: Axes, compiled: CompiledModel, name: str, row: int, length: int, log_p: np.ndarray) -> None:
    """Draw the probability of each response that was made, in its option's colour; a continuous one as it is."""
    event, trial = compiled.model.events[name], np.arange(1, length + 1)
    values = compiled.data.values[name][row, :length]
    there = ~compiled.data.missing[name][row, :length]
    if event.kind.name == "real":
        panel.plot(trial[there], values[there], "o", markersize=3, color=ENTRY_COLOURS[0])
        panel.set_ylabel(name)
        return
    probability = np.exp(log_p)
    if event.axes:
        panel.plot(trial, probability, "o", markersize=3, color=ENTRY_COLOURS[0])
    else:
        labels = compiled.data.levels.get(name, ())
        for code in range(int(event.kind.hi) + 1):
            chosen = there & (values == code)
            word = str(labels[code]) if code < len(labels) else str(code)
            colour = ENTRY_COLOURS[code % len(ENTRY_COLOURS)]
            panel.plot(trial[chosen], probability[chosen], "o", markersize=3, color=colour, label=word)
        panel.legend(
            loc="upper left", bbox_to_anchor=(1.0, 1.1), title=name, handlelength=0.6, fontsize=7, title_fontsize=7.5,
            labelspacing=0.2,
        )  # fmt: skip
    panel.set_ylim(-0.05, 1.05)
    panel.set_ylabel(f"p({name})")
