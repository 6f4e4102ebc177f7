"""Models and messy data on which every backend is held to the reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import rlbackends as rl

N_SUBJECTS, N_TRIALS = 4, 14


def random_trials(model: Any, *, seed: int, missing: bool, blocks: bool, ragged: bool) -> Any:
    """Return random events for a model: codes and rewards need not come from anybody's behaviour."""
    rng = np.random.default_rng(seed)
    shape = (N_SUBJECTS, N_TRIALS)
    events: dict[str, Any] = {}
    levels = {}
    for name, event in model.events.items():
        full = shape + tuple(axis.size for axis in event.axes)
        if event.kind.name == "int":
            events[name] = rng.integers(event.kind.lo, event.kind.hi + 1, full).astype(float)
            levels[name] = range(event.kind.hi + 1)
        else:
            events[name] = rng.choice([-1.0, 0.0, 1.0, 2.5], full)
    if missing:
        # Responses and what is learnt from go missing; what a response's rule needs goes missing with it.
        for name in model.responses:
            events[name][0, 3] = np.nan
            events[name][2, [0, 5]] = np.nan
        for name, event in model.events.items():
            if not event.is_response and event.kind.name == "real":
                events[name][1, 4] = np.nan
                events[name][3, :2] = np.nan
            if not event.is_response and event.kind.name == "int":
                events[name][2, 5] = np.nan
    lengths = [N_TRIALS, 9, N_TRIALS, 1] if ragged else None
    block = np.repeat([[1, 1, 2, 3]], N_SUBJECTS, axis=0).repeat([5, 4, 3, 2], axis=1) if blocks else None
    if block is not None:
        block = np.concatenate(
            [np.full((N_SUBJECTS, 5), 1), np.full((N_SUBJECTS, 6), 2), np.full((N_SUBJECTS, 3), 3)], 1
        )
    return rl.Trials.from_arrays(
        subjects=[f"s{i}" for i in range(N_SUBJECTS)], lengths=lengths, blocks=block, levels=levels, **events
    )


@dataclass(frozen=True)
class Case:
    """A model and the parameter values at its edges."""

    name: str
    make: Callable[[], Any]
    extremes: tuple[dict[str, float], ...] = field(default_factory=tuple)


_TWO_STEP_EDGES = (
    {"beta1": 1e3, "beta2": 1e3, "alpha1": 0.4, "alpha2": 0.7, "eligibility": 0.5, "w": 0.3, "stay": 2.0},
    {"beta1": 0.0, "beta2": 0.0, "alpha1": 0.0, "alpha2": 1.0, "eligibility": 1.0, "w": 0.0, "stay": -100.0},
)
CASES = (
    Case(
        "rescorla_wagner",
        lambda: rl.catalogue.rescorla_wagner(n_actions=3),
        ({"alpha": 0.5, "beta": 1e3}, {"alpha": 0.0, "beta": 0.0}, {"alpha": 1.0, "beta": 5.0}),
    ),
    Case(
        "rescorla_wagner_two_rates",
        lambda: rl.catalogue.rescorla_wagner_two_rates(n_actions=3, initial=0.5),
        ({"alpha_pos": 0.3, "alpha_neg": 0.9, "beta": 1e3}, {"alpha_pos": 0.0, "alpha_neg": 1.0, "beta": 0.0}),
    ),
    Case(
        "perseveration",
        lambda: rl.catalogue.perseveration(n_actions=2),
        (
            {"alpha": 0.5, "beta": 1e3, "alpha_kernel": 0.3, "kappa": -50.0},
            {"alpha": 1.0, "beta": 0.0, "alpha_kernel": 1.0, "kappa": 0.0},
        ),
    ),
    Case(
        "aliens",
        lambda: rl.catalogue.aliens(),
        ({"alpha": 0.15, "beta": 1e3, "forgetting": 0.06}, {"alpha": 1.0, "beta": 1.0, "forgetting": 1.0}),
    ),
    Case("two_step", lambda: rl.catalogue.two_step(last_step="before"), _TWO_STEP_EDGES),
    Case("two_step_after", lambda: rl.catalogue.two_step(last_step="after"), _TWO_STEP_EDGES),
)
MESSES = {
    "plain": {"missing": False, "blocks": False, "ragged": False},
    "messy": {"missing": True, "blocks": True, "ragged": True},
}
BACKENDS = {"numpyro": {}, "pymc": {"mode": "FAST_COMPILE"}}
