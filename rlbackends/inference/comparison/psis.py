"""Pareto-smoothed importance sampling of what was left out, over the draws of a posterior."""

from __future__ import annotations

import math
import warnings

import numpy as np

_CONSTANT = 1e-10  # rounding leaves a value that does not depend on the draw with differences of this size
HARMLESS = 0.05
"""Where a log-likelihood spans less over all draws, smoothing can't move it further, whatever its Pareto k."""


def log_mean_exp(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the logarithm of the mean of exponentials along an axis."""
    from scipy.special import logsumexp

    return np.asarray(logsumexp(values, axis=axis)) - math.log(values.shape[axis])


def good_k(n_draws: int) -> float:
    """Return the Pareto k up to which so many draws suffice (Vehtari et al. 2024)."""
    return min(1 - 1 / math.log10(n_draws), 0.7) if n_draws > 10 else 0.0


def smoothed(log_p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each cell's log predictive density would be without it, and Pareto k.

    Parameters
    ----------
    log_p : numpy.ndarray
        (chain, draw, cell): each cell's log-likelihood at draws of the posterior given all cells.

    Returns
    -------
    elpd_i, pareto_k : numpy.ndarray
        One number a cell. Pareto k is NaN where the log-likelihood does not depend on the draw.
    """
    from arviz_stats.base import array_stats

    n_cells = log_p.shape[-1]
    elpd, k = np.empty(n_cells), np.full(n_cells, np.nan)
    for i in range(n_cells):
        cell = log_p[..., i]
        if np.ptp(cell) <= _CONSTANT * max(1.0, abs(float(cell.flat[0]))):
            elpd[i] = cell.flat[0]
            continue
        relative = float(array_stats.ess(np.exp(cell - cell.max()), method="mean", relative=True))
        r_eff = min(relative, 1.0) if np.isfinite(relative) else 1.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # few draws: k is above its limit then, which is told
            weights, k[i] = array_stats.psislw(np.ravel(cell), r_eff=r_eff)
        elpd[i] = log_mean_exp(np.asarray(weights) + np.ravel(cell)) + math.log(cell.size)
    return elpd, k
