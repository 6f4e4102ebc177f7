"""Subjects' parameters at draws of a posterior, as what plays or looks at a model takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

    from rlbackends.population.layout import Layout


def mean_params(layout: Layout, posterior: xr.DataTree) -> dict[str, np.ndarray]:
    """Return each parameter's posterior mean: (subject,), or (subject, trial) if it changes within subjects."""
    means = {name: posterior[name].mean(("chain", "draw")) for name in _names(layout)}
    return layout.by_trial({name: mean.transpose("subject", ...).values for name, mean in means.items()})


def sampled_params(
    layout: Layout, posterior: xr.DataTree, draws: int, where: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return parameters at draws evenly spread over all chains, (sample, subject …), and the coordinates of these."""
    from rlbackends.simulation.predict import check_draws

    chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
    check_draws(where, draws, chains * length)
    chosen = np.unique(np.linspace(0, chains * length - 1, draws).round().astype(int))
    params = {}
    for name in _names(layout):
        values = posterior[name].transpose("chain", "draw", "subject", ...).values
        params[name] = values.reshape(chains * length, *values.shape[2:])[chosen]
    return layout.by_trial(params), {"chain": ("sample", chosen // length), "draw": ("sample", chosen % length)}


def spread_params(
    layout: Layout, posterior: xr.DataTree, draws: int, where: str
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return parameters at draws evenly spread over each chain, (chain, draw, subject …), and these draws."""
    from rlbackends.simulation.predict import spread_draws

    chosen = spread_draws(posterior.sizes["chain"], posterior.sizes["draw"], draws, where)
    params = {
        name: posterior[name].transpose("chain", "draw", "subject", ...).values[:, chosen] for name in _names(layout)
    }
    return layout.by_trial(params), {"chain": posterior["chain"].values, "draw": posterior["draw"].values[chosen]}


def _names(layout: Layout) -> list[str]:
    return [*layout.natural, *layout.fixed]
