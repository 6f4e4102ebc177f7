"""Leaving out one subject: its marginal likelihood given the group, then importance sampling over the group's draws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import BACKENDS
from rlbackends.errors import SettingError
from rlbackends.inference.comparison.marginal import SubjectIntegral
from rlbackends.inference.comparison.psis import good_k, log_mean_exp, smoothed
from rlbackends.inference.comparison.scores import CrossValidation

if TYPE_CHECKING:
    from rlbackends.inference.result import Fit

DRAWS = 1000
"""At how many draws of the group subjects are integrated out."""
POINTS = 32
"""With how many points a subject's parameters are integrated out at each of these draws."""


def subject_scores(name: str, fit: Fit, *, seed: int = 0) -> CrossValidation:
    """Return leave-one-subject-out scores of a fit."""
    if fit.kind != "chains":
        raise SettingError(
            f"by subject: '{name}' is {'a point' if fit.kind == 'point' else 'an approximation'}, and leaving out a "
            "subject needs draws of the posterior: sample it with chains."
        )
    n_chains = fit.tree["posterior"].sizes["chain"]
    found = integral_of(fit).at(latent_draws(fit, DRAWS), points=POINTS, seed=seed)
    n_draws, n_subjects = found.log_p.shape
    if n_draws == 1:  # nothing that the subjects share was estimated
        elpd, k = found.log_p[0], np.full(n_subjects, np.nan)
        error = float(found.variance.mean())
    else:
        elpd, k = smoothed(found.log_p.reshape(n_chains, -1, n_subjects))
        # The mean of reciprocals is off by the relative variance, where the weights are.
        share = np.exp(found.log_p.min(axis=0) - found.log_p)
        error = float(np.mean((share * found.variance).sum(axis=0) / share.sum(axis=0)))
    return CrossValidation(
        name, "subject", "psis", tuple(fit.data.subjects),
        elpd_i=elpd,
        p_i=log_mean_exp(found.log_p) - elpd,
        pareto_k=k,
        span=np.ptp(found.log_p, axis=0),
        limit=good_k(n_draws),
        refitted=np.zeros(n_subjects, dtype=bool),
        integration_error=error,
    )  # fmt: skip


def subject_loo(fit: Fit) -> Any:
    """Return leave-one-subject-out scores as ArviZ has them."""
    import xarray as xr
    from arviz_stats.utils import ELPDDataLOO

    scores = subject_scores(fit.model.name, fit)
    subject = {"subject": list(scores.cells)}
    sizes = fit.tree["posterior"].sizes
    return ELPDDataLOO(
        elpd=scores.elpd, se=scores.se, p=scores.p, n_samples=sizes["chain"] * sizes["draw"],
        n_data_points=len(scores.cells), scale="log", warning=bool(scores.is_bad.any()), good_k=scores.limit,
        elpd_i=xr.DataArray(scores.elpd_i, coords=subject, dims="subject"),
        pareto_k=xr.DataArray(scores.pareto_k, coords=subject, dims="subject"),
    )  # fmt: skip


def integral_of(fit: Fit) -> SubjectIntegral:
    """Return what integrates over the parameters of a fit's subjects."""
    return SubjectIntegral(compiled_of(fit), latent_draws(fit, DRAWS))


def compiled_of(fit: Fit) -> CompiledModel:
    """Return a fit's model compiled for its data, by the reference if its backend is not in the registry."""
    if fit.backend in BACKENDS:
        return fit._compiled
    engine = BACKENDS["reference"].load().Engine(fit.model, fit.data, fit.layout)
    return CompiledModel(fit.model, fit.data, fit.layout, engine)


def latent_draws(fit: Fit, most: int | None = None) -> dict[str, np.ndarray]:
    """Return draws of a fit's latents, (draw, …): all of them, or about so many, evenly spread over the chains."""
    posterior: Any = fit.tree["posterior"].to_dataset()
    length = posterior.sizes["draw"]
    kept = np.arange(length)
    if most is not None:
        count = max(1, min(length, most // posterior.sizes["chain"]))
        kept = np.unique(np.linspace(0, length - 1, count).round().astype(int))
    result = {}
    for latent in fit.layout.latents:
        values = posterior[latent.name].transpose("chain", "draw", ...).values[:, kept]
        result[latent.name] = values.reshape(-1, *values.shape[2:])
    return result
