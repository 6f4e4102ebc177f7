"""Ranks of simulation-based calibration: their curves, the band of uniform ones, and whether they stay in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError, listed
from rlbackends.simulation.summaries.tables import check_probability

if TYPE_CHECKING:
    import pandas as pd


def rank_curve(values: Any, *, probability: float = 0.95) -> pd.DataFrame:
    """Return the ECDF of normalised ranks minus the uniform one, and the band that holds all of it if they are uniform.

    Parameters
    ----------
    values : array
        Ranks normalised to (0, 1), one a simulated data set.
    probability : float, default 0.95
        With which the whole curve of uniform ranks lies within the band.

    Returns
    -------
    pandas.DataFrame
        ``position`` (0 to 1), ``difference``, ``low``, ``high``.

    Raises
    ------
    SettingError
        If there are fewer than five values, or one is not between 0 and 1.

    Notes
    -----
    The band is ArviZ's, simulated from a fixed seed.

    References
    ----------
    Säilynoja, T., Bürkner, P.-C., & Vehtari, A. (2022). Graphical test for discrete uniformity and its applications in
    goodness-of-fit evaluation and multiple sample comparison. Statistics and Computing, 32, 32.
    """
    import pandas as pd
    from arviz_stats.ecdf_utils import ecdf_pit

    array = _ranks("rank_curve", "values", values)
    check_probability(probability, "rank_curve", "probability")
    # An extreme quantile needs simulations beyond it.
    n_simulations = max(1000, min(10_000, math.ceil(20 / (1 - probability))))
    x, ecdf, low, high = ecdf_pit(array, probability, n_simulations, rng=np.random.default_rng(0))
    return pd.DataFrame({"position": x, "difference": ecdf - x, "low": low - x, "high": high - x})


def rank_check(values: Any, *, probability: float = 0.95, together: bool = True) -> pd.DataFrame:
    """Return whether the ranks of each variable are uniform, as they are if sampler and model are right.

    Parameters
    ----------
    values : xarray.DataTree, xarray.Dataset or mapping
        A tree's group ``prior_sbc``, such a Dataset (chain × draw × own dimensions, a draw a simulated data set), or
        arrays by name whose first dimension is the simulation; ranks normalised to (0, 1).
    probability : float, default 0.95
        With which uniform ranks pass.
    together : bool, default True
        Whether that is the probability that *all* pass, rather than each.

    Returns
    -------
    pandas.DataFrame
        A row a variable and entry: ``variable``, its own dimensions, ``n`` (simulations), ``p_value`` (ArviZ's test of
        uniformity), ``inside`` (whether the curve lies within its simultaneous band), ``level`` (the band's
        probability).

    Raises
    ------
    SettingError
        If there are no ranks, or one is not between 0 and 1.
    """
    import pandas as pd
    from arviz_stats.base import array_stats

    check_probability(probability, "rank_check", "probability")
    entries = rank_entries(values, "rank_check")
    level = rank_level(probability, len(entries), together=together)
    bands: dict[int, pd.DataFrame] = {}  # a band depends on the number of simulations only
    own: dict[str, None] = {}
    rows = []
    for name, labels, array in entries:
        if len(array) not in bands:
            bands[len(array)] = rank_curve(array, probability=level)
        own |= dict.fromkeys(labels)
        p_value = float(array_stats.uniformity_test(array)[0])
        inside = rank_inside(array, bands[len(array)])
        rows.append({"variable": name, **labels, "n": len(array), "p_value": p_value, "inside": inside, "level": level})
    return pd.DataFrame(rows)[["variable", *own, "n", "p_value", "inside", "level"]]


def rank_level(probability: float, n_curves: int, *, together: bool) -> float:
    """Return the probability of each curve's band, such that ``probability`` is that of all together, or of each."""
    return 1 - (1 - probability) / n_curves if together else probability


def rank_difference(values: np.ndarray, band: pd.DataFrame) -> np.ndarray:
    """Return the ECDF of ranks minus the uniform one, at a band's positions."""
    position = band["position"].to_numpy()
    difference = np.searchsorted(np.sort(values), position, side="right") / len(values) - position
    return np.asarray(difference)


def rank_inside(values: np.ndarray, band: pd.DataFrame) -> bool:
    """Return whether a curve of ranks lies within a band."""
    difference = rank_difference(values, band)
    inside = (difference >= band["low"].to_numpy() - 1e-9) & (difference <= band["high"].to_numpy() + 1e-9)
    return bool(inside.all())


def rank_entries(values: Any, where: str) -> list[tuple[str, dict[str, Any], np.ndarray]]:
    """Return each variable's entries: its name, their labels by dimension, and normalised ranks, one a simulation."""
    groups = list(getattr(values, "children", ()))
    if groups and "prior_sbc" not in groups:
        raise SettingError(
            f"{where}: the tree has groups {listed(groups)}, expected 'prior_sbc' with normalised ranks, as from "
            "rl.calibrate."
        )
    variables = values["prior_sbc"].to_dataset() if groups else values
    if hasattr(variables, "data_vars"):
        variables = variables.data_vars
    result = []
    for name, variable in variables.items():
        if hasattr(variable, "dims"):
            own = [dim for dim in variable.dims if dim not in ("chain", "draw")]
            lead = [dim for dim in ("chain", "draw") if dim in variable.dims]
            array = variable.transpose(*lead, *own).values
            array = array.reshape(-1, *array.shape[len(lead) :])
            labels = [variable[dim].values for dim in own]
        else:
            array = np.asarray(variable, dtype=float)
            own = [f"{name}_axis_{i}" for i in range(array.ndim - 1)]
            labels = [np.arange(size) for size in array.shape[1:]]
        for place in np.ndindex(array.shape[1:]):
            entry = {str(dim): labels[i][place[i]] for i, dim in enumerate(own)}
            result.append((str(name), entry, _ranks(where, f"{name!r}", array[(slice(None), *place)])))
    if not result:
        raise SettingError(f"{where}: there are no ranks, expected a variable a quantity that was ranked.")
    return result


def _ranks(where: str, what: str, values: Any) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or len(array) < 5 or not ((array >= 0) & (array <= 1)).all():
        span = f" from {array.min():g} to {array.max():g}" if array.size else ""
        raise SettingError(
            f"{where}: {what} has shape {array.shape}{span}, expected at least 5 normalised ranks between 0 and 1, one "
            "a simulation: (rank + u) / (draws + 1), u uniform."
        )
    return array
