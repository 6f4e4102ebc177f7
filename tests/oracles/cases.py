"""One row a model variant: its oracle, how its trials are simulated, and values for its parameters."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.oracles import simulate
from tests.oracles.aliens import aliens
from tests.oracles.delta_rule import rescorla_wagner, rescorla_wagner_two_rates
from tests.oracles.perseveration import perseveration
from tests.oracles.two_step import two_step


@dataclass(frozen=True)
class Case:
    """A model as the oracles know it.

    ``model`` is the catalogue's name and ``settings`` its arguments; ``simulate(rng, n_trials)`` returns one
    subject's trials; ``ranges`` say where parameters
    are drawn from.
    """

    model: str
    oracle: Callable
    simulate: Callable
    ranges: dict
    settings: dict = field(default_factory=dict)

    def subjects(self, rng, lengths=(12, 9, 11)):
        """Return the trials of some subjects, from a `random.Random`."""
        return [self.simulate(rng, n) for n in lengths]

    def params(self, rng, n_subjects=3):
        """Return one value per subject of each parameter."""
        return {name: [rng.uniform(*span) for _ in range(n_subjects)] for name, span in self.ranges.items()}


_RATE, _BETA, _REAL = (0.05, 0.95), (0.3, 4.0), (-1.5, 1.5)
_DELTA = {"alpha": _RATE, "beta": _BETA}
_TWO_STEP_RATES = dict.fromkeys(["alpha1", "alpha2", "eligibility", "w"], _RATE)
_TWO_STEP = {"beta1": _BETA, "beta2": _BETA, **_TWO_STEP_RATES, "stay": _REAL}

CASES = {
    "rescorla_wagner": Case("rescorla_wagner", rescorla_wagner, simulate.bandit(2), _DELTA),
    "rescorla_wagner_3": Case(
        "rescorla_wagner",
        rescorla_wagner,
        simulate.bandit(3),
        _DELTA,
        {"n_actions": 3, "initial": 0.5},
    ),
    "rescorla_wagner_two_rates": Case(
        "rescorla_wagner_two_rates",
        rescorla_wagner_two_rates,
        simulate.bandit(3),
        {"alpha_pos": _RATE, "alpha_neg": _RATE, "beta": _BETA},
        {"n_actions": 3, "initial": 0.25},
    ),
    "perseveration": Case(
        "perseveration",
        perseveration,
        simulate.bandit(3),
        {**_DELTA, "alpha_kernel": _RATE, "kappa": _REAL},
        {"n_actions": 3},
    ),
    "aliens": Case(
        "aliens",
        aliens,
        simulate.aliens(3, 4, 3),
        {**_DELTA, "forgetting": _RATE},
    ),
    "two_step": Case("two_step", two_step, simulate.two_step(), _TWO_STEP),
    "two_step_after": Case(
        "two_step",
        two_step,
        simulate.two_step(),
        _TWO_STEP,
        {"last_step": "after", "transition": 0.8},
    ),
}
