"""The demo's numbers: posteriors side by side, and how well the truth came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rlbackends.inference import Fit

INTERVAL = 0.89


@dataclass(frozen=True)
class Marginal:
    """One variable's posterior on one backend, with what its draws are worth."""

    mean: float
    sd: float
    r_hat: float
    ess: float
    error: float  # Monte Carlo standard error of the mean


@dataclass(frozen=True)
class Recovery:
    """How well one parameter came back on one backend, over subjects."""

    correlation: float
    bias: float
    inside: int
    subjects: int


def marginals(fit: Fit) -> dict[str, Marginal]:
    """Return each group variable's posterior."""
    import arviz as az

    from rlbackends.plots.style import group_names

    group = fit.tree["posterior"].to_dataset()[group_names(fit)]
    with np.errstate(all="ignore"):
        r_hat, ess, error = az.rhat(group), az.ess(group), az.mcse(group, method="mean")
    return {
        str(name): Marginal(
            float(group[name].mean()),
            float(group[name].std(ddof=1)),
            float(r_hat[name]),
            float(ess[name]),
            float(error[name]),
        )
        for name in group
    }


def apart(a: Marginal, b: Marginal) -> float:
    """Return the difference of two means in Monte Carlo standard errors: normal, if both sample alike."""
    return (a.mean - b.mean) / float(np.hypot(a.error, b.error))


def recoveries(fit: Fit, truth: Mapping[str, np.ndarray]) -> dict[str, Recovery]:
    """Return how well each parameter came back."""
    found = {}
    tail = (1 - INTERVAL) / 2
    for name, true in truth.items():
        draws = fit.tree["posterior"][name].values.reshape(-1, len(true))
        mean, (low, high) = draws.mean(axis=0), np.quantile(draws, [tail, 1 - tail], axis=0)
        correlation = float(np.corrcoef(true, mean)[0, 1]) if len(true) > 1 else float("nan")
        inside = int(((low <= true) & (true <= high)).sum())
        found[name] = Recovery(correlation, float((mean - true).mean()), inside, len(true))
    return found


def true_group(truth: Mapping[str, np.ndarray], links: Mapping[str, str]) -> dict[str, float]:
    """Return the mean and sd of the true values on the scale on which the group is normal."""
    from scipy.special import ndtri

    forward = {"probit": ndtri, "log": np.log}
    found = {}
    for name, values in truth.items():
        linear = forward[links[name]](values)
        found[f"{name}_location"] = float(linear.mean())
        if len(values) > 1:
            found[f"{name}_sd"] = float(linear.std(ddof=1))
    return found
