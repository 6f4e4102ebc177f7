"""Cases of the models that learn a value for each action in each situation, or for each of some stimuli."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase


def _season(rng, now):
    """Return a season that changes every few trials."""
    return now["trial"] // 4 % 3


def _reward(rng, now):
    """Return a reward that goes by season, alien and choice."""
    best = (now["season"] + now["alien"]) % 3
    return round((2.0 if now["choice"] == best else 0.3) * rng.uniform(0.5, 1.5), 2)


def _set_size(rng, now):
    """Return a number of stimuli that changes every few trials."""
    return (2.0, 4.0, 6.0)[now["trial"] // 12 % 3]


def _right(rng, now):
    """Return 1 if the choice was the stimulus's own, 0 if not."""
    return float(now["choice"] == now["stimulus"] % 3)


def _partner(rng, now):
    """Return the other stimulus of the pair, now and then another one."""
    if rng.random() < 0.8:
        return now["first"] ^ 1
    return (now["first"] + rng.randrange(1, 6)) % 6


def _feedback(rng, now):
    """Return 1 or 0, with a probability that goes by the chosen stimulus."""
    chosen = now["second"] if now["choice"] else now["first"]
    return float(rng.random() < (0.8, 0.2, 0.7, 0.3, 0.6, 0.4)[chosen])


_RATE, _BETA = (0.05, 0.95), (0.3, 4.0)
_MEMORY = {
    "alpha": _RATE,
    "beta": _BETA,
    "forgetting": _RATE,
    "rho": _RATE,
    "capacity": (1.1, 5.3),
    "lapse": (0.02, 0.3),
}
_MEMORY_EVENTS = {
    "set_size": _set_size,
    "stimulus": lambda rng, now: rng.randrange(int(now["set_size"])),
    "reward": _right,
}
_PAIRS = {"second": _partner, "reward": _feedback}

CASES = (
    ModelCase(
        "aliens",
        catalogue.aliens,
        {"alpha": _RATE, "beta": _BETA, "forgetting": (0.01, 0.2)},
        {"season": _season, "reward": _reward},
    ),
    ModelCase(
        "stimulus_action_learning",
        catalogue.stimulus_action_learning,
        {"alpha": _RATE, "beta": _BETA},
        {"reward": _right},
    ),
    ModelCase("rl_working_memory", catalogue.rl_working_memory, _MEMORY, _MEMORY_EVENTS),
    ModelCase("rl_working_memory_beta_wm", catalogue.rl_working_memory, _MEMORY, _MEMORY_EVENTS, {"beta_wm": 8.0}),
    ModelCase(
        "probabilistic_selection",
        catalogue.probabilistic_selection,
        {"alpha_pos": _RATE, "alpha_neg": _RATE, "beta": (0.5, 6.0)},
        _PAIRS,
    ),
    ModelCase(
        "probabilistic_selection_one_rate",
        catalogue.probabilistic_selection_one_rate,
        {"alpha": _RATE, "beta": (0.5, 6.0)},
        _PAIRS,
    ),
)
