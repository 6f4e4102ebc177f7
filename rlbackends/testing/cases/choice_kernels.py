"""Cases of the models whose choices leave a trace."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, payoff

_KERNEL = {"alpha_kernel": (0.05, 0.95), "kappa": (-1.5, 1.5)}
_PERSEVERATION = {"alpha": (0.05, 0.95), "beta": (0.3, 4.0), **_KERNEL}

CASES = (
    ModelCase("choice_kernel", catalogue.choice_kernel, {"alpha_kernel": (0.05, 0.95), "kappa": (-1.0, 3.0)}),
    ModelCase(
        "perseveration",
        catalogue.perseveration,
        _PERSEVERATION,
        {"reward": payoff(0.0, 0.5, 1.0)},
        {"n_actions": 3},
    ),
    ModelCase(
        "perseveration_lapse",
        catalogue.perseveration,
        {**_PERSEVERATION, "lapse": (0.02, 0.3)},
        {"reward": payoff(0.0, 1.0)},
        {"lapse": True},
    ),
)
