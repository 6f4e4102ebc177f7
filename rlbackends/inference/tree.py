"""A fit's DataTree: the same groups, variables, dimensions and names whatever the backend."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.data import BoundTrials
from rlbackends.data.cells import Column
from rlbackends.inference.certificate import Certificate

if TYPE_CHECKING:
    import xarray as xr

    from rlbackends.backends.chains import ChainResults

FORMAT = "rlbackends-fit"
VERSION = 1
_CHUNK_BYTES = 64_000_000
# Rounding leaves a cell that does not depend on the draw with differences of this size.
_CONSTANT = 1e-10


def posterior_tree(
    compiled: CompiledModel,
    z: Mapping[str, np.ndarray],
    results: ChainResults,
    certificate: Certificate,
    *,
    with_log_likelihood: bool,
) -> xr.DataTree:
    """Return the DataTree of a fit.

    Groups: ``posterior`` (latents, group medians and subjects' parameters), ``sample_stats``, ``log_likelihood`` over
    ``observation`` with the cells that vary over draws, ``log_likelihood_constant`` with the others,
    ``observed_data`` and ``constant_data`` (the events as the model saw them). Model, population, settings, certificate
    and labels are JSON in the root's attributes.
    """
    import xarray as xr

    layout, data = compiled.layout, compiled.data
    latents = layout.constrain(z)
    parameters = layout.by_condition(latents, leading=2)
    subject: dict[str, Any] = {"subject": list(data.subjects)}
    if layout.within:
        subject["condition"] = list(layout.known.labels)
    posterior: dict[str, Any] = {}
    dims: tuple[str, ...]
    for latent in layout.latents:
        dims = ("chain", "draw", "subject") if latent.per_subject else ("chain", "draw")
        posterior[latent.name] = (dims, latents[latent.name])
    for name, value in layout.group(latents).items():
        posterior[name] = (("chain", "draw"), value)
    for name, value in parameters.items():
        dims = ("chain", "draw", "subject", "condition") if name in layout.within else ("chain", "draw", "subject")
        posterior[name] = (dims, np.array(value))
    chains, draws = next(iter(results.stats.values())).shape
    steps = {"chain": np.arange(chains), "draw": np.arange(draws)}
    groups: dict[str, Any] = {
        "posterior": xr.Dataset(posterior, coords=steps | subject),
        "sample_stats": xr.Dataset(
            {name: (("chain", "draw"), np.array(value)) for name, value in results.stats.items()}, coords=steps
        ),
    }
    if with_log_likelihood:
        groups["log_likelihood"], groups["log_likelihood_constant"] = _log_likelihood(compiled, parameters, steps)
    groups["observed_data"] = _observed(compiled)
    groups["constant_data"] = data_to_dataset(compiled)
    tree = xr.DataTree.from_dict({f"/{name}": group for name, group in groups.items()})
    tree.attrs = {
        "format": FORMAT,
        "format_version": VERSION,
        "backend": compiled.backend,
        "model": compiled.model.to_json(),
        "population": json.dumps(compiled.layout.description),
        "settings": json.dumps({"kind": "chains", **results.settings}),
        "timing": json.dumps({name: float(value) for name, value in results.timing.items()}),
        "work": json.dumps({name: int(value) for name, value in results.work.items()}),
        "certificate": json.dumps(certificate.to_data()),
        "levels": json.dumps({name: list(labels) for name, labels in data.levels.items()}),
        "source": data.source,
        "reports": json.dumps(list(data.reports)),
    }
    return tree


def _observed(compiled: CompiledModel) -> xr.Dataset:
    import xarray as xr

    data = compiled.data
    variables = {}
    for name in compiled.model.responses:
        axes = tuple(axis.name or f"{name}_axis_{i}" for i, axis in enumerate(compiled.model.events[name].axes))
        values = np.where(data.missing[name], np.nan, data.values[name])
        variables[name] = (("subject", "trial", *axes), values)
    return xr.Dataset(variables, coords={"subject": list(data.subjects), "trial": np.arange(data.n_steps)})


def observed_cells(compiled: CompiledModel) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return each response's observed (subject, trial) mask, and the coordinates of all observations in order."""
    data = compiled.data
    masks, subjects, trials, responses = {}, [], [], []
    for name in compiled.model.responses:
        mask = data.observed(name)
        masks[name] = mask
        rows, columns = np.nonzero(mask)
        subjects += [data.subjects[row] for row in rows]
        trials += [int(number) for number in data.trial_numbers[rows, columns]]
        responses += [name] * len(rows)
    return masks, {"subject": subjects, "trial": trials, "response": responses}


def _log_likelihood(
    compiled: CompiledModel, parameters: Mapping[str, np.ndarray], steps: Mapping[str, np.ndarray]
) -> tuple[xr.Dataset, xr.Dataset]:
    """Return the pointwise log-likelihood: cells that vary over draws, and those that don't."""
    import xarray as xr

    data = compiled.data
    masks, coords = observed_cells(compiled)
    chains, draws = len(steps["chain"]), len(steps["draw"])
    flat = {name: value.reshape(chains * draws, *value.shape[2:]) for name, value in parameters.items()}
    total = chains * draws
    values = np.empty((total, len(coords["subject"])))
    chunk = max(1, min(total, _CHUNK_BYTES // (8 * data.n_subjects * data.n_steps * len(masks))))
    for start in range(0, total, chunk):
        part = slice(start, min(start + chunk, total))
        here = compiled.layout.by_trial({name: value[part] for name, value in flat.items()})
        found = compiled.engine.log_likelihood_draws(here)
        column = 0
        for name, mask in masks.items():
            count = int(mask.sum())
            values[part, column : column + count] = found[name][:, mask]
            column += count
    # Of one draw nothing is known to be constant.
    constant = np.array(
        [total > 1 and np.ptp(values[:, i]) <= _CONSTANT * max(1.0, abs(values[0, i])) for i in range(values.shape[1])],
        dtype=bool,
    )
    kept = np.flatnonzero(~constant)
    fixed = np.flatnonzero(constant)

    def along(dimension: str, cells: np.ndarray) -> dict[str, Any]:
        return {name: (dimension, [labels[i] for i in cells]) for name, labels in coords.items()}

    varying = values if not len(fixed) else values[:, kept]
    first = values[0, fixed]
    del values
    return (
        xr.Dataset(
            {"log_likelihood": (("chain", "draw", "observation"), varying.reshape(chains, draws, -1))},
            coords={**steps, **along("observation", kept)},
        ),
        xr.Dataset({"log_likelihood": (("observation_constant",), first)}, coords=along("observation_constant", fixed)),
    )


def data_to_dataset(compiled: CompiledModel) -> xr.Dataset:
    """Return the bound data as a Dataset, from which :func:`data_from_dataset` makes them again."""
    import xarray as xr

    data = compiled.data
    variables: dict[str, Any] = {
        "n_trials": (("subject",), data.lengths),
        "trial_number": (("subject", "trial"), data.trial_numbers),
        "block_start": (("subject", "trial"), data.starts.astype(np.int8)),
    }
    for name, event in compiled.model.events.items():
        axes = tuple(axis.name or f"{name}_axis_{i}" for i, axis in enumerate(event.axes))
        variables[f"event_{name}"] = (("subject", "trial", *axes), np.array(data.values[name]))
        variables[f"missing_{name}"] = (("subject", "trial", *axes), data.missing[name].astype(np.int8))
    for name in compiled.layout.covariates:
        column = data.covariates[name]
        values = column.values if column.is_numeric else column.values.astype(str)
        # A column may have any name, a variable of a file must do without this one character.
        key = f"covariate_{name.replace('/', '|')}"
        variables[key] = (("subject", "trial"), np.array(values), {"column": name})
    if data.held_out is not None:
        variables["held_out"] = (("subject", "trial"), data.held_out.astype(np.int8))
    return xr.Dataset(variables, coords={"subject": list(data.subjects), "trial": np.arange(data.n_steps)})


def data_from_dataset(dataset: Any, events: Any, levels: Mapping[str, Any], source: str) -> BoundTrials:
    """Read what :func:`data_to_dataset` wrote."""
    from rlbackends.data.faults import Places

    subjects = tuple(label.item() if hasattr(label, "item") else label for label in dataset["subject"].values)
    numbers = dataset["trial_number"].values
    return BoundTrials(
        subjects=subjects,
        lengths=dataset["n_trials"].values,
        trial_numbers=numbers,
        values={name: dataset[f"event_{name}"].values for name in events},
        missing={name: dataset[f"missing_{name}"].values.astype(bool) for name in events},
        starts=dataset["block_start"].values.astype(bool),
        levels={name: tuple(labels) for name, labels in levels.items()},
        source=source,
        places=Places("trial", subjects, numbers),
        covariates=_covariates(dataset),
        held_out=dataset["held_out"].values.astype(bool) if "held_out" in dataset else None,
    )


def _covariates(dataset: Any) -> dict[str, Column]:
    """Return the covariates that formulas read; they are known everywhere but at padding."""
    prefix = "covariate_"
    valid = np.arange(dataset.sizes["trial"]) < dataset["n_trials"].values[:, None]
    found = {}
    for key in [str(key) for key in dataset.data_vars if str(key).startswith(prefix)]:
        values = dataset[key].values
        values = values.astype(np.float64) if values.dtype.kind in "fi" else values.astype(str).astype(object)
        name = str(dataset[key].attrs.get("column", key.removeprefix(prefix)))
        found[name] = Column(values, ~valid, (name,))
    return found
