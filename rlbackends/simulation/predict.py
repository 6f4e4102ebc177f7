"""What a model predicts: from its prior, from a posterior forward in a task, and one step ahead of what was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.registry import Backend
from rlbackends.data import BoundTrials
from rlbackends.errors import SettingError
from rlbackends.population.population import Population
from rlbackends.simulation.compose import DRAW, PREDICTION, UNIFORM_OF, Composed, follow
from rlbackends.simulation.design import (
    Design,
    bind_design,
    check_model,
    composed_arrays,
    draw_schedule,
    natural_order,
    read_subjects,
    reordered,
    stream,
)
from rlbackends.simulation.simulate import Player, Simulator

if TYPE_CHECKING:
    import xarray as xr

    from rlbackends.model.model import Model
    from rlbackends.tasks.task import Task

Arrays = Mapping[str, np.ndarray]
_CELLS = 4_000_000  # draws × subjects × trials that are played at once


def prior_predictive(
    model: Model,
    task: Task,
    *,
    population: Population | None = None,
    subjects: Any = 20,
    draws: int = 100,
    blocks: int | Sequence[int] = 1,
    trials: int | Sequence[int] | None = None,
    seed: int = 0,
    backend: str | Backend | None = None,
) -> xr.DataTree:
    """Simulate what a model expects before any data: parameters from the prior, played forward in a task.

    Parameters
    ----------
    model, task
        Who plays what.
    population : Population, optional
        The prior of the parameters; default: partial pooling of each.
    subjects : int or sequence, default 20
        How many, or their labels; each draw is a group of so many.
    draws : int, default 100
        How many groups.
    blocks, trials, seed, backend
        As in :func:`rlbackends.simulate`. All groups meet the same schedule.

    Returns
    -------
    xarray.DataTree
        Groups ``prior`` (the population's variables and the subjects' parameters) and ``prior_predictive`` (every event
        of the task), with dimensions chain, draw, subject and trial.

    Raises
    ------
    ModelError, SettingError
        As :func:`rlbackends.simulate`, or if the population does not fit the model.

    Examples
    --------
    >>> import rlbackends as rl
    >>> tree = rl.prior_predictive(rl.catalogue.rescorla_wagner(), rl.tasks.bandit(), subjects=5, draws=10, trials=20)
    >>> dict(tree["prior_predictive"].sizes)
    {'chain': 1, 'draw': 10, 'subject': 5, 'trial': 20}
    """
    import xarray as xr

    check_model(model, task)
    check_draws("prior_predictive", draws)
    simulator = Simulator(model, task, backend)
    labels, order = natural_order(read_subjects(subjects, {}))
    trials = task.n_trials if trials is None else reordered(trials, order)
    design = Design.of(labels, reordered(blocks, order), trials)
    layout = (population or Population()).layout(model, labels)
    values = [layout.draw(stream(seed, "prior", draw)) for draw in range(draws)]
    latents = {name: np.stack([value[name] for value in values]) for name in layout.names}
    params = {name: np.array(value) for name, value in layout.parameters(latents, leading=1).items()}
    found = _forward(simulator, design, params, draw_schedule(task, design, seed), {}, seed)
    prior = {}
    for latent in layout.latents:
        dims = ("draw", "subject") if latent.per_subject else ("draw",)
        prior[latent.name] = (("chain", *dims), latents[latent.name][None])
    prior |= {name: (("chain", "draw"), value[None]) for name, value in layout.group(latents).items()}
    prior |= {name: (("chain", "draw", "subject"), value[None]) for name, value in params.items()}
    steps = {"chain": [0], "draw": np.arange(draws)}
    tree = xr.DataTree.from_dict(
        {
            "prior": xr.Dataset(prior, coords={**steps, "subject": list(labels)}),
            "prior_predictive": _dataset(task, design, found, steps),
        }
    )
    tree.attrs.update(_about(model, task, simulator.backend, seed, kind="prior, forward in the task"))
    return tree


def predict_forward(
    model: Model, data: BoundTrials, task: Task, params: Arrays, steps: Mapping[str, Any], *, seed: int = 0,
    schedule: str = "data", backend: str | Backend | None = None,
) -> xr.DataTree:  # fmt: skip
    """Play a model forward in a task at many draws of its parameters, for as long as each subject of the data played.

    Parameters
    ----------
    model, data, task
        Who plays what; the data say how many trials in which blocks.
    params : mapping of str to array
        Each parameter's values, chain × draw × subject, or chain × draw × subject × trial.
    steps : mapping
        Coordinates ``chain`` and ``draw``.
    seed : int, default 0
        Where uniforms and random schedules come from.
    schedule : {"data", "task"}, default "data"
        Whether scheduled events that the subjects saw, such as stimuli, are those of the data, or the task's.
    backend : str, optional
        What computes.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior_predictive_forward`` (every event of the task) and ``observed_data``.
    """
    import xarray as xr

    if schedule not in ("data", "task"):
        raise SettingError(f"simulate: schedule is {schedule!r}, expected 'data' or 'task'.")
    check_model(model, task)
    simulator = Simulator(model, task, backend)
    design = Design.like(data)
    seen = [name for name in task.scheduled if name in model.events and schedule == "data"]
    given = draw_schedule(task, design, seed, seen) | {name: data.values[name] for name in seen}
    missing = {name: data.missing[name] for name in seen}
    flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in params.items()}
    found = _forward(simulator, design, flat, given, missing, seed)
    tree = xr.DataTree.from_dict(
        {
            "posterior_predictive_forward": _dataset(task, design, found, steps),
            "observed_data": observed_events(model, data),
        }
    )
    tree.attrs.update(_about(model, task, simulator.backend, seed, kind="posterior, forward in the task"))
    return tree


def predict_one_step(
    model: Model, data: BoundTrials, params: Arrays, steps: Mapping[str, Any], *, seed: int = 0,
    backend: str | Backend | None = None,
) -> xr.DataTree:  # fmt: skip
    """Predict each response from the history that was observed before it, at many draws of the parameters.

    Returns
    -------
    xarray.DataTree
        Groups ``posterior_predictive`` (responses drawn one step ahead), ``predicted_probability`` (of each action; of
        a 1; for a continuous response its mean) and ``observed_data``.
    """
    import xarray as xr

    composed = follow(model)
    design = Design.like(data)
    flat = {name: value.reshape(-1, *value.shape[2:]) for name, value in params.items()}
    names = [DRAW.format(name) for name in model.responses] + [PREDICTION.format(name) for name in model.responses]
    found = _over_draws(
        Player(composed.model, backend), composed, design, flat, dict(data.values), dict(data.missing), names, seed
    )
    drawn = {name: (found[DRAW.format(name)], response.axes) for name, response in model.response_rules.items()}
    predicted = {
        name: (found[PREDICTION.format(name)], composed.model.records[PREDICTION.format(name)].axes)
        for name in model.responses
    }
    tree = xr.DataTree.from_dict(
        {
            "posterior_predictive": _as_dataset(design, drawn, steps),
            "predicted_probability": _as_dataset(design, predicted, steps),
            "observed_data": observed_events(model, data),
        }
    )
    tree.attrs.update({"model": model.name, "kind": "posterior, one step ahead", "seed": seed})
    return tree


def spread_draws(chains: int, length: int, draws: int, where: str) -> np.ndarray:
    """Return positions of draws, evenly spread over each chain, together at least ``draws``."""
    check_draws(where, draws, chains * length)
    return np.unique(np.linspace(0, length - 1, -(-draws // chains)).round().astype(int))


def check_draws(where: str, draws: Any, most: int | None = None) -> None:
    """Raise ``SettingError`` unless ``draws`` is a number of draws that there are."""
    limit = "" if most is None else f" to {most}"
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1 or (most is not None and draws > most):
        raise SettingError(f"{where}: draws is {draws!r}, expected a whole number from 1{limit or ' on'}.")


def observed_events(model: Model, data: BoundTrials) -> xr.Dataset:
    """Return every event of the data as the model saw it, NaN where it is missing."""
    values = {
        name: (np.where(data.missing[name], np.nan, data.values[name]), event.axes)
        for name, event in model.events.items()
    }
    return _as_dataset(Design.like(data), values, {})


def _forward(
    simulator: Simulator, design: Design, params: Arrays, schedule: Arrays, missing: Arrays, seed: int
) -> dict[str, np.ndarray]:
    """Return every event of the task, draw × subject × trial × axes."""
    task, composed = simulator.task, simulator.composed
    fixed = composed_arrays(task, schedule, {})
    names = [DRAW.format(name) for name in composed.drawn]
    found = _over_draws(simulator.player, composed, design, params, fixed, missing, names, seed)
    draws = len(next(iter(params.values())))
    result = {}
    for name, event in task.events.items():
        if event.source != "schedule":
            result[name] = found[DRAW.format(name)]
            continue
        padding = (design.blocks == 0).reshape(design.blocks.shape + (1,) * len(event.axes))
        values = np.where(missing.get(name, padding), np.nan, schedule[name])
        result[name] = np.broadcast_to(values, (draws, *values.shape))
    return result


def _over_draws(
    player: Player, composed: Composed, design: Design, params: Arrays, fixed: Arrays, missing: Arrays,
    names: Sequence[str], seed: int,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Play the design once a draw, each time by subjects of their own: draw × subject × trial × axes."""
    draws = len(next(iter(params.values())))
    cells = design.n_subjects * design.n_steps
    chunk = min(draws, max(1, _CELLS // cells))
    big = design.repeated(chunk)
    padding = design.blocks == 0

    def tiled(array: np.ndarray) -> np.ndarray:
        return np.tile(array, (chunk, *[1] * (array.ndim - 1)))

    arrays = {name: tiled(array) for name, array in fixed.items()}
    flags = {name: tiled(missing[name]) for name in fixed if name in missing}
    result: dict[str, np.ndarray] = {}
    for start in range(0, draws, chunk):
        # The last chunk takes draws of the one before again rather than being compiled for its own size.
        first = min(start, draws - chunk)
        part = slice(first, first + chunk)
        for name, axes in composed.uniforms.items():
            shape = (*design.blocks.shape, *(axis.size for axis in axes))
            numbers = [stream(seed, "uniform", draw, name).random(shape) for draw in range(first, first + chunk)]
            arrays[UNIFORM_OF.format(name)] = np.concatenate(numbers)
        found = player.play(
            bind_design(composed, big, arrays, flags),
            {name: value[part].reshape(-1, *value.shape[2:]) for name, value in params.items()},
        )
        for name in names:
            values = found[name].reshape(chunk, *design.blocks.shape, *found[name].shape[2:])
            values = np.where(padding.reshape(padding.shape + (1,) * (values.ndim - 3)), np.nan, values)
            result.setdefault(name, np.empty((draws, *values.shape[1:])))[part] = values
    return result


def _dataset(task: Task, design: Design, found: Arrays, steps: Mapping[str, Any]) -> xr.Dataset:
    return _as_dataset(design, {name: (found[name], event.axes) for name, event in task.events.items()}, steps)


def _as_dataset(design: Design, found: Mapping[str, tuple[np.ndarray, Any]], steps: Mapping[str, Any]) -> xr.Dataset:
    """Return arrays over draws as variables with dimensions chain, draw, subject, trial and their axes."""
    import xarray as xr

    lead = tuple(len(labels) for labels in steps.values())
    variables = {}
    for name, (values, axes) in found.items():
        dims = [axis.name or f"{name}_axis_{i}" for i, axis in enumerate(axes)]
        shape = (*lead, *values.shape[1:]) if steps else values.shape
        variables[name] = ((*steps, "subject", "trial", *dims), values.reshape(shape))
    coords = {
        **steps,
        "subject": list(design.subjects),
        "trial": np.arange(design.n_steps),
        "trial_number": (("subject", "trial"), design.trial_numbers),
        "block": (("subject", "trial"), design.blocks),
    }
    return xr.Dataset(variables, coords=coords)


def _about(model: Model, task: Task, backend: str, seed: int, *, kind: str) -> dict[str, Any]:
    return {"model": model.name, "task": task.name, "backend": backend, "seed": seed, "kind": kind}
