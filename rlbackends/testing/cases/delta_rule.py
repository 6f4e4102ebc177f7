"""Cases of the models that learn by a delta rule."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, payoff

_RATE, _BETA = (0.05, 0.95), (0.3, 4.0)
_BANDIT = {"reward": payoff(0.0, 0.5, 1.0)}

CASES = (
    ModelCase(
        "rescorla_wagner", catalogue.rescorla_wagner, {"alpha": _RATE, "beta": _BETA}, {"reward": payoff(0.0, 1.0)}
    ),
    ModelCase(
        "rescorla_wagner_3",
        catalogue.rescorla_wagner,
        {"alpha": _RATE, "beta": _BETA},
        _BANDIT,
        {"n_actions": 3, "initial": 0.5},
    ),
    ModelCase(
        "rescorla_wagner_two_rates",
        catalogue.rescorla_wagner_two_rates,
        {"alpha_pos": _RATE, "alpha_neg": _RATE, "beta": _BETA},
        _BANDIT,
        {"n_actions": 3, "initial": 0.25},
    ),
)
