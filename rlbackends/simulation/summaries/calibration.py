"""Whether actions are chosen as often as their predicted probabilities say."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.simulation.summaries.tables import tails

if TYPE_CHECKING:
    import pandas as pd


def calibration_bins(
    prediction: Any, response: str | None = None, *, bins: int = 10, by_action: bool = False, interval: float = 0.89
) -> pd.DataFrame:
    """Return how often actions were chosen that were predicted with a probability of about so much.

    Parameters
    ----------
    prediction : xarray.DataTree
        From ``fit.predict()``: with groups ``predicted_probability`` and ``observed_data``.
    response : str, optional
        Which response; default: the only one.
    bins : int, default 10
        How many bins of equal width.
    by_action : bool, default False
        Whether each action has bins of its own, rather than all being pooled.
    interval : float, default 0.89
        Probability of the binomial (Wilson) intervals.

    Returns
    -------
    pandas.DataFrame
        A row a bin that has cases: the response's action if ``by_action``, ``bin_low``, ``bin_high``, ``predicted``
        (mean), ``observed`` (frequency), ``low``, ``high``, ``n`` cases.

    Raises
    ------
    SettingError
        If the tree has no such groups or response, or the response is continuous.

    Notes
    -----
    A case is an action on a trial with a response; its probability is the mean over draws. Actions that could not be
    chosen, of probability 0 in every draw, are no cases. A bin includes its lower edge; the last one both. Cases of a
    subject are not independent, nor are a trial's actions (with two they mirror each other), so intervals are narrow.
    """
    import pandas as pd

    where = "calibration_bins"
    low_tail, _ = tails(interval, where)
    if isinstance(bins, bool) or not isinstance(bins, int) or bins < 2:
        raise SettingError(f"{where}: bins is {bins!r}, expected a number from 2.")
    groups = list(getattr(prediction, "children", ()))
    lacking = [name for name in ("predicted_probability", "observed_data") if name not in groups]
    if lacking:
        raise SettingError(
            f"{where}: the prediction has no group {listed(lacking)}, only {listed(groups)}; expected what "
            "fit.predict() returns."
        )
    responses = [str(name) for name in prediction["predicted_probability"].data_vars]
    if response is None and len(responses) == 1:
        response = responses[0]
    if response not in responses:
        raise SettingError(
            f"{where}: response is {response!r}, expected one of {listed(responses)}."
            f"{did_you_mean(str(response), responses)}"
        )
    predicted = prediction["predicted_probability"][response]
    seen = prediction["observed_data"][response].transpose("subject", "trial", ...)
    dims = [dim for dim in ("chain", "draw") if dim in predicted.dims]
    probability = predicted.mean(dims, skipna=False).transpose("subject", "trial", ...).values
    values = seen.values.astype(float)
    if probability.ndim == values.ndim + 1:
        chosen = (values[..., None] == np.arange(probability.shape[-1])).astype(float)
        chosen[np.isnan(values)] = np.nan
        actions = np.broadcast_to(np.arange(probability.shape[-1]), probability.shape)
        action_name = response
    else:
        chosen = values
        actions = np.broadcast_to(np.arange(int(np.prod(values.shape[2:]))).reshape(values.shape[2:]), values.shape)
        action_name = str(seen.dims[-1]) if values.ndim > 2 else response
    case = np.isfinite(probability) & np.isfinite(chosen) & ~((probability == 0) & (chosen == 0))
    p, hit, action = probability[case], chosen[case], actions[case]
    if ((p < 0) | (p > 1 + 1e-9)).any() or not np.isin(hit, (0.0, 1.0)).all():
        raise SettingError(f"{where}: response {response!r} is continuous, expected one of actions or of 0 and 1.")
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, p, side="right") - 1, 0, bins - 1)
    place = place + bins * action if by_action else place
    n = np.bincount(place)
    kept = np.flatnonzero(n)
    frequency = np.bincount(place, hit)[kept] / n[kept]
    low, high = wilson(frequency, n[kept], -NormalDist().inv_cdf(low_tail))
    table: dict[str, Any] = {action_name: kept // bins} if by_action else {}
    table |= {
        "bin_low": edges[kept % bins], "bin_high": edges[kept % bins + 1],
        "predicted": np.bincount(place, p)[kept] / n[kept], "observed": frequency, "low": low, "high": high,
        "n": n[kept],
    }  # fmt: skip
    result = pd.DataFrame(table)
    result.attrs = {"response": response, "action": action_name if by_action else None, "interval": interval}
    return result


def wilson(frequency: np.ndarray, n: np.ndarray, z: float) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval of a binomial proportion, ``z`` standard normal deviations to each side."""
    middle = (frequency + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(frequency * (1 - frequency) / n + z**2 / (4 * n**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)
