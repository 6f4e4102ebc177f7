"""What all pictures share: colours, figures, axes, and the fits that they show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from rlbackends.inference import Fit

# Okabe and Ito's palette: told apart by people of any colour vision. Blue and vermilion first, for two fits.
FIT_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
ENTRY_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
LINES = ("-", "--", ":", "-.")
MARKERS = ("o", "D", "s", "^", "v", "P")
INK, FAINT, PALE = "#262626", "#8C8C8C", "#D9D9D9"

_STYLE: Any = {
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": INK,
    "axes.edgecolor": FAINT,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlecolor": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "text.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


def styled() -> AbstractContextManager[Any]:
    """Return a context in which axes are made in the house's style; other figures keep theirs."""
    import matplotlib as mpl

    return mpl.rc_context(_STYLE)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure in inches, known to no window and no list of figures."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def named_fits(fits: Fit | Sequence[Fit] | Mapping[str, Fit]) -> dict[str, Fit]:
    """Return fits by the label that they have in a picture: their own key, or their backend."""
    if isinstance(fits, Mapping):
        named = {str(label): fit for label, fit in fits.items()}
    else:
        several = list(fits) if isinstance(fits, Sequence) else [fits]
        named = {fit.backend: fit for fit in several}
        if len(named) < len(several):
            named = {f"{fit.backend} {i}": fit for i, fit in enumerate(several, start=1)}
    if not named:
        raise SettingError("plot: there is no fit to show, expected at least one.")
    return named


def group_names(fit: Fit) -> list[str]:
    """Return the variables that say how the group is spread on the link scales: locations, then sds."""
    posterior = fit.tree["posterior"]
    names = [f"{parameter}_{kind}" for kind in ("location", "sd") for parameter in fit.model.parameters]
    return [name for name in names if name in posterior]


def by_subject(name: str, values: Any, subjects: Sequence[Any]) -> np.ndarray:
    """Return one number a subject, from numbers in the subjects' order or labelled by subject."""
    if hasattr(values, "items"):
        lookup = {str(label): value for label, value in values.items()}
        absent = [label for label in subjects if str(label) not in lookup]
        if absent:
            raise SettingError(f"plot: '{name}' has no value for subject {absent[0]}, expected one for every subject.")
        values = [lookup[str(label)] for label in subjects]
    array = np.asarray(values, dtype=float)
    if array.shape != (len(subjects),):
        raise SettingError(f"plot: '{name}' has shape {array.shape}, expected one number a subject ({len(subjects)},).")
    return array


def tails(interval: float) -> tuple[float, float]:
    """Return the lower and upper probability of an equal-tailed interval."""
    if isinstance(interval, bool) or not 0 < interval < 1:
        raise SettingError(f"plot: interval is {interval!r}, expected a number between 0 and 1.")
    return (1 - interval) / 2, (1 + interval) / 2


def shared_legend(figure: Figure | SubFigure, panels: Iterable[Axes]) -> None:
    """Put one legend of all panels' labelled artists below them, in one line if it is long enough."""
    found: dict[str, Any] = {}
    for panel in panels:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    inches = figure.bbox.width / figure.dpi
    # A letter is about 0.068 inches wide, a handle with its gaps 0.55.
    widths = [0.55 + 0.068 * len(label) for label in found]
    n_columns = len(found) if sum(widths) <= inches else max(1, int(inches // max(widths)))
    figure.legend(found.values(), found.keys(), loc="outside lower center", ncols=n_columns)
