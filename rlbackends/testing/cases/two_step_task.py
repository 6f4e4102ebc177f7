"""Cases of the two-step task's models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase

_RATES = dict.fromkeys(["alpha1", "alpha2", "eligibility", "w"], (0.05, 0.95))
_PARAMS = {"beta1": (0.3, 4.0), "beta2": (0.3, 4.0), **_RATES, "stay": (-1.5, 1.5)}
_SIX = {name: span for name, span in _PARAMS.items() if name != "eligibility"}
_FOUR = {"beta": (0.3, 4.0), "alpha": (0.05, 0.95), "w": (0.05, 0.95), "stay": (-1.5, 1.5)}


def _state(rng, now):
    """Return the state that the first choice leads to, seven times in ten."""
    return now["choice1"] if rng.random() < 0.7 else 1 - now["choice1"]


def _reward(rng, now):
    """Return a reward whose mean goes by state and second choice."""
    return round(rng.gauss((0.2, 0.6, 0.4, 0.8)[2 * now["state2"] + now["choice2"]], 0.5), 2)


_EVENTS = {"state2": _state, "reward": _reward}
CASES = (
    ModelCase("two_step", catalogue.two_step, _PARAMS, _EVENTS),
    ModelCase("two_step_after", catalogue.two_step, _PARAMS, _EVENTS, {"last_step": "after", "transition": 0.8}),
    ModelCase("two_step_six", catalogue.two_step_six, _SIX, _EVENTS),
    ModelCase("two_step_six_after", catalogue.two_step_six, _SIX, _EVENTS, {"last_step": "after", "transition": 0.8}),
    ModelCase("two_step_four", catalogue.two_step_four, _FOUR, _EVENTS),
    ModelCase(
        "two_step_four_after", catalogue.two_step_four, _FOUR, _EVENTS, {"last_step": "after", "transition": 0.8}
    ),
)
