"""The demo's data: subjects who learn which of five slot machines pays, simulated from known parameters."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rlbackends.model import Model
    from rlbackends.population import Population

PROBABILITIES = (0.2, 0.4, 0.8, 0.1, 0.5)
PARAMETERS = ("alpha_pos", "alpha_neg", "beta")


@dataclass(frozen=True)
class Simulated:
    """Simulated subjects: who they are, what they are like, and what they did.

    Attributes
    ----------
    subjects
        Their numbers, from 1.
    truth
        Each parameter's values, one a subject.
    choice, reward
        Subject × trial; choices are numbered from 1.
    """

    subjects: tuple[int, ...]
    truth: Mapping[str, np.ndarray]
    choice: np.ndarray
    reward: np.ndarray


def demo_model() -> Model:
    """Return the model that simulates and is fitted."""
    import rlbackends as rl

    return rl.catalogue.rescorla_wagner_two_rates(n_actions=len(PROBABILITIES), initial=0.5)


def demo_population() -> Population:
    """Return the group's priors: the default ones with room for subjects as different as these."""
    import rlbackends as rl

    # Beta(5, 5) has an sd of 0.39 on the probit scale; the default prior, HalfNormal(0.2),
    # would pull subjects together.
    return rl.Population(**{name: rl.Pooling("partial", sd=rl.priors.HalfNormal(0.5)) for name in PARAMETERS})


def simulate(model: Model, subjects: int, trials: int, seed: int) -> Simulated:
    """Simulate subjects: rates and temperature from Beta(5, 5), payoffs drawn once and shared by all."""
    from rlbackends.backends.reference.simulate import simulate_subject

    rng = np.random.default_rng(seed)
    rates = {name: rng.beta(5, 5, subjects) for name in ("alpha_pos", "alpha_neg")}
    truth = {**rates, "beta": 1 / rng.beta(5, 5, subjects)}
    payoffs = rng.binomial(1, PROBABILITIES, (trials, len(PROBABILITIES))).astype(float)
    uniforms = rng.random((subjects, trials))
    world = {"reward": lambda trial, events: payoffs[trial, events["choice"]]}
    played = [
        simulate_subject(model, {name: values[s] for name, values in truth.items()}, world, {"choice": uniforms[s]})
        for s in range(subjects)
    ]
    return Simulated(
        tuple(range(1, subjects + 1)),
        truth,
        np.stack([events["choice"] for events in played]) + 1,
        np.stack([events["reward"] for events in played]),
    )


def write_data(simulated: Simulated, path: Path) -> None:
    """Write a row a trial."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["subject", "trial", "choice", "reward"])
        for s, subject in enumerate(simulated.subjects):
            for t in range(simulated.choice.shape[1]):
                writer.writerow([subject, t + 1, int(simulated.choice[s, t]), int(simulated.reward[s, t])])


def write_truth(simulated: Simulated, path: Path) -> None:
    """Write a row a subject: the true parameters."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["subject", *simulated.truth])
        for s, subject in enumerate(simulated.subjects):
            writer.writerow([subject, *(repr(float(values[s])) for values in simulated.truth.values())])
