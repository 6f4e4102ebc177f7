"""Cases of the models whose choices leave a trace."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, payoff

CASES = (
    ModelCase(
        "perseveration",
        catalogue.perseveration,
        {"alpha": (0.05, 0.95), "beta": (0.3, 4.0), "alpha_kernel": (0.05, 0.95), "kappa": (-1.5, 1.5)},
        {"reward": payoff(0.0, 0.5, 1.0)},
        {"n_actions": 3},
    ),
)
