"""The demo's data: subjects who learn which of five slot machines pays, simulated from known parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rlbackends.model import Model
    from rlbackends.population import Population
    from rlbackends.simulation import Simulation

PROBABILITIES = (0.2, 0.4, 0.8, 0.1, 0.5)
PARAMETERS = ("alpha_pos", "alpha_neg", "beta")


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


def simulate(model: Model, subjects: int, trials: int, seed: int, backend: str | None = None) -> Simulation:
    """Simulate subjects: rates and temperature from Beta(5, 5), payoffs drawn once and shared by all."""
    import rlbackends as rl

    rng = np.random.default_rng(seed)
    rates = {name: rng.beta(5, 5, subjects) for name in ("alpha_pos", "alpha_neg")}
    truth = {**rates, "beta": 1 / rng.beta(5, 5, subjects)}
    payoffs = rng.binomial(1, PROBABILITIES, (trials, len(PROBABILITIES)))
    uniforms = {"choice": rng.random((subjects, trials))}
    return rl.simulate(model, rl.tasks.tabulated_bandit(payoffs), truth, backend=backend, uniforms=uniforms)
