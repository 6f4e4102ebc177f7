"""The published data sets, as a user would read them, each with a model and parameter values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import rlbackends as rl

TS = {
    "state2": "where(level2_choice > 2, 1, 0)",
    "choice2": "where(level2_choice > 2, level2_choice - 3, level2_choice - 1)",
}
PARAMS = {
    "prl": {"alpha_pos": 0.4, "alpha_neg": 0.2, "beta": 2.0},
    "bandit4arm": {"alpha": 0.3, "beta": 1.5},
    "ts": {"beta1": 2.0, "beta2": 3.0, "alpha1": 0.4, "alpha2": 0.5, "eligibility": 0.6, "w": 0.4, "stay": 0.2},
    "aliens": {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06},
}


def read(name: str, folder: Path) -> tuple[Any, Any]:
    """Return a model and a published data set."""
    if name == "prl":
        path = folder / "prl.tsv"
        data = rl.read_trials(path, subject="subjID", trial="trial", choice="choice", reward="outcome")
        return rl.catalogue.rescorla_wagner_two_rates(), data
    if name == "bandit4arm":
        path = folder / "bandit4arm.tsv"
        data = rl.read_trials(path, subject="subjID", choice="choice", derive={"reward": "gain - abs(loss)"})
        return rl.catalogue.rescorla_wagner(n_actions=4), data
    if name == "ts":
        path = folder / "ts.tsv"
        data = rl.read_trials(
            path, subject="subjID", trial="trial", choice1="level1_choice", reward="reward", derive=TS
        )
        return rl.catalogue.two_step(), data
    words = {"season": "seasons", "alien": "aliens", "choice": "actions", "reward": "rewards"}
    return rl.catalogue.aliens(), rl.read_trials({k: folder / "aliens" / f"{v}.csv" for k, v in words.items()})


def with_gaps(model: Any, bound: Any, seed: int = 0) -> Any:
    """Return the data with missed responses, lost outcomes, blocks and unequal lengths put in."""
    rng = np.random.default_rng(seed)
    lengths = np.maximum(1, bound.lengths - rng.integers(0, 40, bound.n_subjects))
    valid = np.arange(bound.n_steps) < lengths[:, None]
    lost = rng.random(valid.shape) < 0.05
    events, levels = {}, {}
    for name, event in model.events.items():
        values = bound.values[name].astype(float)
        gone = lost if event.is_response or rng.random() < 0.5 else lost | (rng.random(valid.shape) < 0.05)
        if event.kind.name == "int":
            levels[name] = range(event.kind.hi + 1)
            gone = lost  # what a response's rule needs goes missing with the response
        events[name] = np.where(gone | bound.missing[name], np.nan, values)
    blocks = np.broadcast_to(np.arange(bound.n_steps) // 60, valid.shape)
    return rl.Trials.from_arrays(
        subjects=bound.subjects, lengths=lengths, blocks=blocks, levels=levels, **events
    )
