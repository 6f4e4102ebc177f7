"""Cases of the reversal task's models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase

_RATE, _BETA = (0.05, 0.95), (0.3, 4.0)
_POINT = {"indecision_point": (-0.8, 0.8)}
_TWO_RATES = {"alpha_pos": _RATE, "alpha_neg": _RATE}


def _reward(rng, now):
    """Return a win or a loss: the better action wins eight times in ten, and they change over every ten trials.

    Sizes differ, so that a win may be a disappointment and a loss a relief.
    """
    better = now["trial"] // 10 % 2
    size = round(rng.uniform(0.3, 1.5), 2)
    return size if rng.random() < (0.8 if now["choice"] == better else 0.2) else -size


_EVENTS = {"reward": _reward}
_WITHOUT = {"indecision_point": False}
_EWA = {"payoff_retention": _RATE, "experience_retention": _RATE, "beta": (0.3, 3.0)}
CASES = (
    ModelCase("fictitious_update", catalogue.fictitious_update, {"alpha": _RATE, **_POINT, "beta": _BETA}, _EVENTS),
    ModelCase(
        "fictitious_update_without",
        catalogue.fictitious_update,
        {"alpha": _RATE, "beta": _BETA},
        _EVENTS,
        _WITHOUT,
    ),
    ModelCase(
        "fictitious_update_two_rates",
        catalogue.fictitious_update_two_rates,
        {**_TWO_RATES, **_POINT, "beta": _BETA},
        _EVENTS,
    ),
    ModelCase(
        "fictitious_update_two_rates_without",
        catalogue.fictitious_update_two_rates,
        {**_TWO_RATES, "beta": _BETA},
        _EVENTS,
        _WITHOUT,
    ),
    ModelCase("experience_weighted_attraction", catalogue.experience_weighted_attraction, _EWA, _EVENTS),
    ModelCase(
        "experience_weighted_attraction_from_1",
        catalogue.experience_weighted_attraction,
        _EWA,
        _EVENTS,
        {"initial_experience": 1.0},
    ),
)
