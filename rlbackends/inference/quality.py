"""How far draws can be trusted: those of chains, of an approximation, or one point."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError, listed

if TYPE_CHECKING:
    import pandas as pd

GOOD_K = 0.7
"""Up to this Pareto k, weights can correct an approximation; beyond it is off."""

_ELBO_CHANGE = 1.0  # in nats


def diagnostics_of(tree: Any, kind: str) -> dict[str, Any]:
    """Return the diagnostics of a fit of a kind; those that it can't have are NaN."""
    stats = tree["sample_stats"].to_dataset()
    sizes = tree["posterior"].sizes
    found = {"r_hat_max": np.nan, "divergences": int(stats["diverging"].sum())}
    if kind == "chains":
        return _of_chains(tree["posterior"].to_dataset()) | {"divergences": found["divergences"]}
    # Drawn independently: each draw counts in full.
    found |= {name: float(sizes["chain"] * sizes["draw"]) for name in ("ess_bulk_min", "ess_tail_min")}
    if kind == "point":
        return found | {"slope": float(stats["slope"].max()), "group_sds": _group_sds(tree["posterior"].to_dataset())}
    ratios = (stats["lp"] - stats["log_q"]).values.ravel()
    found["pareto_k"] = _pareto_k(ratios)
    if "elbo_change" in stats:
        found |= {name: float(stats[name].values.flat[0]) for name in ("elbo", "elbo_change")}
    return found


def _group_sds(posterior: Any) -> list[str]:
    """Return the variables that are sds between subjects, such as ``alpha_sd`` and ``alpha_sd[group=patient]``."""
    names = [str(name) for name in posterior if "subject" not in posterior[name].dims]
    return [name for name in names if name.partition("[")[0].endswith("_sd")]


def _of_chains(posterior: Any) -> dict[str, float]:
    import arviz as az

    varying = [name for name in posterior if float(posterior[name].std()) > 0]
    kept = posterior[varying]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        r_hat, bulk, tail = az.rhat(kept), az.ess(kept), az.ess(kept, method="tail")

    def over(dataset: Any, function: Any) -> float:
        return float(function([float(function(dataset[name])) for name in varying]))

    return {
        "r_hat_max": over(r_hat, np.max),
        "ess_bulk_min": over(bulk, np.min),
        "ess_tail_min": over(tail, np.min),
    }


def _pareto_k(log_ratios: np.ndarray) -> float:
    """Return the shape of the tail of importance weights."""
    from arviz_stats.base import array_stats

    log_ratios = log_ratios[log_ratios != -np.inf]  # weights of 0 are not in the tail
    if not len(log_ratios) or not np.isfinite(log_ratios).all():
        return np.inf
    if np.ptp(log_ratios) < 1e-8:
        return 0.0  # the approximation is the posterior: all weights are equal
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        k = float(array_stats.psislw(log_ratios)[1])
    return k if np.isfinite(k) else np.inf  # no tail could be fitted: a few draws hold all the weight


def faults_of(found: dict[str, Any], kind: str, chains: int) -> list[str]:
    """Return what the diagnostics say against the draws, in words."""
    if kind == "point":
        return _point_faults(found)
    if kind == "approximation":
        return _approximation_faults(found)
    faults = []
    if found["divergences"]:
        faults.append(f"{found['divergences']} divergences; raise target_accept, or look at the model where it strains")
    if found["r_hat_max"] > 1.01:
        faults.append(f"R-hat up to {found['r_hat_max']:.3f} (should be below 1.01); draw or tune longer")
    if found["ess_bulk_min"] < 100 * chains:
        faults.append(f"effective sample size down to {found['ess_bulk_min']:.0f} (should be 100 a chain); draw longer")
    return faults


def _point_faults(found: dict[str, Any]) -> list[str]:
    if not found["group_sds"]:
        return []
    return [
        f"the joint mode of a group and its subjects says little of {listed(found['group_sds'])}, which may be far too "
        "large, or too small if centred. Sample the posterior, or estimate with rl.estimate(..., method='em')"
    ]


def _approximation_faults(found: dict[str, Any]) -> list[str]:
    faults = []
    if abs(found.get("elbo_change", 0.0)) > _ELBO_CHANGE:
        faults.append(
            f"the evidence bound (ELBO) still moved by {found['elbo_change']:.1f} when the learning rate began to "
            "fall; raise steps, or learning_rate"
        )
    if not found["pareto_k"] <= GOOD_K:
        faults.append(
            f"Pareto k is {found['pareto_k']:.2f} (should be at most {GOOD_K:g}): the approximation is off. Its "
            "intervals can't be trusted; sample the posterior with NUTS"
        )
    return faults


def described(found: dict[str, Any], kind: str) -> str:
    """Return the diagnostics in a few words."""
    if kind == "point":
        return f"largest slope left {found['slope']:.1e}"
    if kind == "approximation":
        return f"Pareto k {found['pareto_k']:.2f}"
    return (
        f"largest R-hat {found['r_hat_max']:.3f}, smallest ESS {found['ess_bulk_min']:.0f}, "
        f"{found['divergences']} divergences"
    )


def summary_of(tree: Any, kind: str, names: list[str] | str | None, **kwargs: Any) -> pd.DataFrame:
    """Return ArviZ's summary, without what a fit of a kind can't have: R-hat and effective sizes; a point's spread."""
    import arviz as az

    if kind == "chains":
        return az.summary(tree, var_names=names, **kwargs)
    if kind == "approximation":
        return az.summary(tree, var_names=names, **{"kind": "stats", **kwargs})
    # Of one draw ArviZ would compute a spread.
    twice = tree["posterior"].to_dataset().isel(draw=[0, 0]).assign_coords(draw=[0, 1])
    kept = {"round_to": kwargs["round_to"]} if "round_to" in kwargs else {}
    return az.summary(twice, var_names=names, kind="stats", **kept)[["mean"]].rename(columns={"mean": "mode"})


def loo_of(tree: Any, kind: str) -> Any:
    """Return ArviZ's leave-one-out cross-validation of the cells that vary over draws, with the others added to it.

    For an approximation, draws are weighted by how far it is from the posterior.
    """

    if kind == "point":
        raise SettingError(
            "loo: this fit is a point, and cross-validation needs draws. Fit with sampler='laplace', or sample the "
            "posterior."
        )
    result = _loo_of_varying(tree, kind)
    fixed = tree["log_likelihood_constant"]["log_likelihood"].values
    cells = np.concatenate([np.ravel(result.elpd_i.values), fixed])
    result.elpd = float(cells.sum())
    result.se = float(np.sqrt(cells.size * np.var(cells)))
    result.n_data_points = int(cells.size)
    return result


def _loo_of_varying(tree: Any, kind: str) -> Any:
    import arviz as az

    if kind == "chains":
        return az.loo(tree, pointwise=True)
    stats = tree["sample_stats"]
    return az.loo_approximate_posterior(tree, stats["lp"], stats["log_q"], pointwise=True)
