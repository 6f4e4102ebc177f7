"""Cases of the models that track how uncertain they are."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, payoff

_PARAMS = {
    "retention": (0.7, 0.98),
    "decay_center": (40.0, 60.0),
    "diffusion_sd": (1.0, 5.0),
    "beta": (0.05, 0.25),
    "initial_mean": (45.0, 60.0),
    "initial_sd": (2.0, 8.0),
}

CASES = (
    ModelCase("kalman_filter", catalogue.kalman_filter, _PARAMS, {"reward": payoff(44.0, 48.0, 56.0, 52.0, sd=4.0)}),
    ModelCase(
        "kalman_filter_2",
        catalogue.kalman_filter,
        _PARAMS,
        {"reward": payoff(46.0, 54.0, sd=2.0)},
        {"n_actions": 2, "observation_sd": 2.0},
    ),
)
