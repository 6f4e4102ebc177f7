"""Cases of the models that learn a value for each action in each situation."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase


def _season(rng, now):
    """Return a season that changes every few trials."""
    return now["trial"] // 4 % 3


def _reward(rng, now):
    """Return a reward that goes by season, alien and choice."""
    best = (now["season"] + now["alien"]) % 3
    return round((2.0 if now["choice"] == best else 0.3) * rng.uniform(0.5, 1.5), 2)


CASES = (
    ModelCase(
        "aliens",
        catalogue.aliens,
        {"alpha": (0.05, 0.95), "beta": (0.3, 4.0), "forgetting": (0.05, 0.95)},
        {"season": _season, "reward": _reward},
    ),
)
