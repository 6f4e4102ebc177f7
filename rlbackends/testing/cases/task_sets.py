"""Cases of the models that learn which set of rules a context calls for."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase


def _season(rng, now):
    """Return a season that changes every few trials."""
    return now["trial"] // 4 % 3


def _season_of_two(rng, now):
    """Return one of two seasons, which changes every few trials."""
    return now["trial"] // 5 % 2


def _reward(rng, now):
    """Return a reward that goes by season, alien and choice."""
    best = (now["season"] + now["alien"]) % 3
    return round((2.0 if now["choice"] == best else 0.3) * rng.uniform(0.5, 1.5), 2)


_RATE, _BETA = (0.05, 0.95), (0.3, 4.0)
_LOW = {"alpha": _RATE, "beta": _BETA, "forgetting": (0.01, 0.2)}
_HIGH = {"alpha_high": _RATE, "forgetting_high": (0.01, 0.2)}
_EVENTS = {"season": _season, "reward": _reward}
_EVENTS_OF_TWO = {"season": _season_of_two, "reward": _reward}
_SIZES_OF_TWO = {"n_seasons": 2, "n_aliens": 3, "n_task_sets": 4, "initial": 0.6}

CASES = (
    ModelCase("aliens_task_sets", catalogue.aliens_task_sets, {**_LOW, **_HIGH, "beta_high": _BETA}, _EVENTS),
    ModelCase(
        "aliens_task_sets_two",
        catalogue.aliens_task_sets,
        {**_LOW, **_HIGH, "beta_high": _BETA},
        _EVENTS_OF_TWO,
        {**_SIZES_OF_TWO, "initial_high": [[0.6, 0.8, 0.2, 1.0], [0.9, 0.3, 0.7, 1.0]]},
    ),
    ModelCase("aliens_task_sets_argmax", catalogue.aliens_task_sets_argmax, {**_LOW, **_HIGH}, _EVENTS),
    ModelCase(
        "aliens_task_sets_argmax_started",
        catalogue.aliens_task_sets_argmax,
        {**_LOW, **_HIGH},
        _EVENTS,
        {"initial": 1.0, "initial_high": [[1.0, 0.8, 1.2], [1.1, 1.4, 0.9], [1.3, 1.0, 0.7]]},
    ),
    ModelCase("aliens_bayesian", catalogue.aliens_bayesian, {**_LOW, "precision": (0.1, 3.0)}, _EVENTS),
    ModelCase(
        "aliens_bayesian_two",
        catalogue.aliens_bayesian,
        {**_LOW, "precision": (0.1, 3.0)},
        _EVENTS_OF_TWO,
        {**_SIZES_OF_TWO, "initial_belief": [[0.4, 0.1, 0.3, 0.2], [0.2, 0.3, 0.1, 0.4]]},
    ),
)
