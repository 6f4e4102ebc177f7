"""Tidy tables of what a model went through, a row a trial."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel

if TYPE_CHECKING:
    import pandas as pd


def regressor_table(compiled: CompiledModel, trajectories: Any, params: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return events, states, records and log-likelihoods, a row for each trial of each subject."""
    import pandas as pd

    data = compiled.data
    rows, columns = np.nonzero(data.valid)
    table: dict[str, Any] = {
        "subject": [data.subjects[row] for row in rows],
        "trial": data.trial_numbers[rows, columns],
        "block": np.cumsum(data.starts, axis=1)[rows, columns],
    }
    for name, event in compiled.model.events.items():
        entries = _entries(data.values[name].shape[2:])
        for entry in entries:
            label = name if not entry else f"{name}_{'_'.join(map(str, entry))}"
            table[label] = _labels(data, name, event, (rows, columns, *entry))
    for name, variable in trajectories.data_vars.items():
        values = variable.transpose("subject", "trial", ...).values
        axes = [dim for dim in variable.dims if dim not in ("subject", "trial")]
        coords = [variable.coords[d].values if d in variable.coords else np.arange(variable.sizes[d]) for d in axes]
        for entry in _entries(values.shape[2:]):
            words = [str(labels[i]) for labels, i in zip(coords, entry, strict=True)]
            table["_".join([str(name), *words])] = values[(rows, columns, *entry)]
    for name, values in compiled.log_likelihood(params).items():
        table[f"{name}_log_likelihood"] = values.values[rows, columns]
    return pd.DataFrame(table)


def _entries(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(itertools.product(*(range(n) for n in shape)))


def _labels(data: Any, name: str, event: Any, where: tuple[Any, ...]) -> Any:
    values, missing = data.values[name][where], data.missing[name][where]
    if event.kind.name == "real":
        return np.where(missing, np.nan, values)
    import pandas as pd

    labels = data.levels[name]
    found = [None if gone else labels[int(code)] for code, gone in zip(values, missing, strict=True)]
    # Whole-number labels stay so beside a missing one.
    return pd.array(found, dtype="Int64") if all(isinstance(label, int) for label in labels) else found
