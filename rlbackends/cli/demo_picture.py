"""The demo's picture: recovery, posteriors and one subject's values on one page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rlbackends.inference import Fit

_DRAWS = 100


def write_picture(
    fits: Mapping[str, Fit],
    truth: Mapping[str, np.ndarray],
    group: Mapping[str, float],
    subject: int,
    path: Path,
) -> None:
    """Write a PNG: how parameters came back, the group's posteriors, and one subject's action values."""
    from matplotlib.figure import Figure

    from rlbackends.plots import plot_posteriors, plot_recovery, plot_trajectory

    first = next(iter(fits.values()))
    figure = Figure(figsize=(10.5, 13.5), dpi=150, layout="constrained")
    figure.get_layout_engine().set(hspace=0.04)  # type: ignore[union-attr]
    parts = figure.subfigures(3, 1, height_ratios=[4.2, 4.4, 3.6])
    titles = (
        "True parameters and their estimates, a point a subject",
        "The group, on the scales on which it is normal",
        f"What subject {subject} learnt: the posterior of the action values ({first.backend}), and the choices",
    )
    for part, title in zip(parts, titles, strict=True):
        part.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold", color="#262626")
    plot_recovery(fits, truth, figure=parts[0])
    plot_posteriors(fits, truth=group, truth_label="the simulated subjects", figure=parts[1])
    plot_trajectory(first, subject, outcome="reward", draws=_few(first), figure=parts[2])
    figure.savefig(path)


def _few(fit: Fit) -> int:
    sizes = fit.tree["posterior"].sizes
    return min(_DRAWS, sizes["chain"] * sizes["draw"])
