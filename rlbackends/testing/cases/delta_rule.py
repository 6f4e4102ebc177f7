"""Cases of the models that learn by a delta rule."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, payoff

_RATE, _BETA, _LAPSE = (0.05, 0.95), (0.3, 4.0), (0.02, 0.3)
_ONE = {"alpha": _RATE, "beta": _BETA}
_TWO = {"alpha_pos": _RATE, "alpha_neg": _RATE, "beta": _BETA}
_FORGETTING = {"alpha": _RATE, "beta": _BETA, "forgetting": (0.05, 0.6)}
_TWO_ARMS, _THREE_ARMS = {"reward": payoff(0.0, 1.0)}, {"reward": payoff(0.0, 0.5, 1.0)}
_LAPSING = {"n_actions": 3, "initial": 0.25, "lapse": True}

CASES = (
    ModelCase("rescorla_wagner", catalogue.rescorla_wagner, _ONE, _TWO_ARMS),
    ModelCase(
        "rescorla_wagner_3", catalogue.rescorla_wagner, _ONE, _THREE_ARMS, {"n_actions": 3, "initial": 0.5}
    ),
    ModelCase(
        "rescorla_wagner_lapse", catalogue.rescorla_wagner, {**_ONE, "lapse": _LAPSE}, _TWO_ARMS, {"lapse": True}
    ),
    ModelCase(
        "rescorla_wagner_two_rates",
        catalogue.rescorla_wagner_two_rates,
        _TWO,
        _THREE_ARMS,
        {"n_actions": 3, "initial": 0.25},
    ),
    ModelCase(
        "rescorla_wagner_two_rates_lapse",
        catalogue.rescorla_wagner_two_rates,
        {**_TWO, "lapse": _LAPSE},
        _THREE_ARMS,
        _LAPSING,
    ),
    ModelCase(
        "rescorla_wagner_outcome_rates",
        catalogue.rescorla_wagner_outcome_rates,
        _TWO,
        {"reward": payoff(-0.4, 0.6)},
    ),
    ModelCase(
        "rescorla_wagner_outcome_rates_lapse",
        catalogue.rescorla_wagner_outcome_rates,
        {**_TWO, "lapse": _LAPSE},
        _THREE_ARMS,
        _LAPSING,
    ),
    ModelCase("rescorla_wagner_forgetting", catalogue.rescorla_wagner_forgetting, _FORGETTING, _TWO_ARMS),
    ModelCase(
        "rescorla_wagner_forgetting_lapse",
        catalogue.rescorla_wagner_forgetting,
        {**_FORGETTING, "lapse": _LAPSE},
        _THREE_ARMS,
        _LAPSING,
    ),
    ModelCase(
        "rescorla_wagner_forgetting_unchosen",
        catalogue.rescorla_wagner_forgetting_unchosen,
        _FORGETTING,
        _TWO_ARMS,
    ),
    ModelCase(
        "rescorla_wagner_forgetting_unchosen_lapse",
        catalogue.rescorla_wagner_forgetting_unchosen,
        {**_FORGETTING, "lapse": _LAPSE},
        _THREE_ARMS,
        _LAPSING,
    ),
)
