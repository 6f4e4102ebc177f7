"""Cases of the models whose learning rate is itself learnt."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, payoff

_RATES = {"alpha": (0.1, 0.9), "alpha_associability": (0.05, 0.95)}
_PARAMS = {**_RATES, "beta": (0.3, 4.0)}

CASES = (
    ModelCase("pearce_hall", catalogue.pearce_hall, _PARAMS, {"reward": payoff(0.0, 1.0)}),
    ModelCase(
        "pearce_hall_fitted_start",
        catalogue.pearce_hall,
        {**_PARAMS, "initial_associability": (0.1, 0.9)},
        {"reward": payoff(0.0, 1.0)},
        {"initial_associability": None},
    ),
    ModelCase(
        "pearce_hall_3",
        catalogue.pearce_hall,
        _PARAMS,
        {"reward": payoff(0.0, 0.5, 1.0)},
        {"n_actions": 3, "initial": 0.5, "initial_associability": 0.75},
    ),
)
