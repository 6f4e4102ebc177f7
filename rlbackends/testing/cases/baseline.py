"""Cases of the models that learn no values."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, wins

CASES = (
    ModelCase(
        "biased_responding",
        catalogue.biased_responding,
        {"bias": (0.15, 0.85)},
        not_finite={"bias=0": "a choice of action 0 has probability 0", "bias=1": "one of action 1 has probability 0"},
    ),
    ModelCase(
        "win_stay_lose_shift",
        catalogue.win_stay_lose_shift,
        {"lapse": (0.1, 0.9)},
        {"reward": wins(0.3, 0.8)},
        not_finite={"lapse=0": "a choice against the rule has probability 0"},
    ),
    ModelCase(
        "win_stay_lose_shift_4",
        catalogue.win_stay_lose_shift,
        {"lapse": (0.1, 0.9)},
        {"reward": wins(0.2, 0.4, 0.6, 0.8, win=10.0, other=2.5)},
        {"n_actions": 4, "win_above": 5.0},
        not_finite={"lapse=0": "a choice against the rule has probability 0"},
    ),
)
