"""What was observed and what was predicted, out of trees, simulations and bound trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rlbackends.errors import DataError, SettingError, listed
from rlbackends.simulation.summaries.played import Played

GROUPS = {
    "posterior_predictive_forward": "simulated from the posterior",
    "posterior_predictive": "predicted one step ahead",
    "prior_predictive": "simulated from the prior",
}
"""Groups of a DataTree that hold predictions, the first that is there being taken, and what a legend calls them."""


def read_played(prediction: Any, data: Any = None, group: str | None = None, where: str = "summary") -> list[Played]:
    """Return what was observed, if anything, and what was predicted or simulated.

    Parameters
    ----------
    prediction : xarray.DataTree or Simulation
        A tree with one of the groups of :data:`GROUPS` and, perhaps, ``observed_data``.
    data : BoundTrials or Simulation, optional
        What was observed, such as ``fit.data``, which also knows its labels; default: ``observed_data``.
    group : str, optional
        Which group is the prediction; default: the first of :data:`GROUPS` that is there.
    where : str
        Who asks, for errors.

    Raises
    ------
    SettingError
        If there is no such group, or ``data`` is something else.
    DataError
        If observed and predicted trials differ in shape.
    """
    observed = None if data is None else _read_data(data, where)
    if hasattr(prediction, "frame") and hasattr(prediction, "events"):
        played = _read_data(prediction, where)
        # The world's hidden variables tell which action was the better one.
        hidden = {name: variable.values[None] for name, variable in prediction.world.data_vars.items()}
        simulated = Played("simulated", "simulated", {**hidden, **played.events}, played.blocks)
        return [simulated] if observed is None else [observed, simulated]
    groups = list(getattr(prediction, "children", ()))
    chosen = group if group is not None else next((name for name in GROUPS if name in groups), None)
    if chosen is None or chosen not in groups:
        given = f"groups {listed(groups)}" if groups else type(prediction).__name__
        raise SettingError(
            f"{where}: there is no group {group or 'of predictions'} in {given}, expected a Simulation, or a DataTree "
            f"with one of {listed(GROUPS)}: from fit.simulate(task), fit.predict() or rl.prior_predictive(model, task)."
        )
    dataset = prediction[chosen].to_dataset()
    events = _events(dataset)
    blocks = _blocks(dataset, events)
    if observed is None and "observed_data" in groups:
        seen = prediction["observed_data"].to_dataset()
        happened = _events(seen)
        own = _blocks(seen, happened) if "block" in seen.coords else blocks
        observed = Played("observed", "observed", happened, own)
    if observed is None:
        return [Played("predicted", GROUPS.get(chosen, chosen), events, blocks)]
    before = None
    if chosen == "posterior_predictive":
        if observed.blocks.shape != blocks.shape:
            raise DataError(
                f"{where}: the observed trials are (subject, trial) {observed.blocks.shape}, those predicted one step "
                f"ahead {blocks.shape}, expected the same. Give the data that the prediction is of."
            )
        before = observed.events
        events = {**observed.events, **events}
    predicted = Played("predicted", GROUPS.get(chosen, chosen), events, blocks, before, observed.labels)
    return [observed, predicted]


def _read_data(data: Any, where: str) -> Played:
    """Read bound trials or a simulation."""
    if hasattr(data, "starts") and hasattr(data, "missing"):
        events = {name: np.where(data.missing[name], np.nan, data.values[name])[None] for name in data.values}
        blocks = np.where(data.valid, np.cumsum(data.starts, axis=1), 0)
        return Played("observed", "observed", events, blocks, labels=data.levels)
    if hasattr(data, "frame") and hasattr(data, "events"):
        # Copies: the simulation keeps its padding.
        events = {name: np.array(array, dtype=float)[None] for name, array in data.events.items()}
        for values in events.values():
            values[0, data.blocks == 0] = np.nan
        return Played("observed", "observed", events, data.blocks)
    raise SettingError(
        f"{where}: data is of type {type(data).__name__}, expected a Simulation, or trials that are bound to a model: "
        "fit.data, or data.bind(model)."
    )


def _events(dataset: Any) -> dict[str, np.ndarray]:
    """Return a dataset's variables by name."""
    return {str(name): _draws(variable) for name, variable in dataset.data_vars.items()}


def _draws(variable: Any) -> np.ndarray:
    """Return a variable as draw × subject × trial × axes; chains one after another."""
    missing = [dim for dim in ("chain", "draw") if dim not in variable.dims]
    array = variable.expand_dims(missing) if missing else variable
    values = array.transpose("chain", "draw", "subject", "trial", ...).values.astype(float)
    return np.asarray(values.reshape(-1, *values.shape[2:]))


def _blocks(dataset: Any, events: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the block of each trial: the coordinate, or one block up to the last trial with a value."""
    if "block" in dataset.coords:
        return np.asarray(dataset["block"].transpose("subject", "trial").values.astype(int))
    there = np.zeros((dataset.sizes["subject"], dataset.sizes["trial"]), dtype=bool)
    for array in events.values():
        there |= np.isfinite(array).any(axis=(0, *range(3, array.ndim)))
    return np.asarray(np.maximum.accumulate(there[:, ::-1], axis=1)[:, ::-1].astype(int))
