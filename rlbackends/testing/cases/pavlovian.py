"""Cases of the go/no-go task's models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase

_LEARNING = {"lapse": (0.02, 0.4), "alpha": (0.05, 0.95)}
_SENSITIVITY = {"sensitivity": (0.5, 6.0)}
_BIASES = {"go_bias": (-1.5, 1.5), "pavlovian_bias": (-1.0, 1.0)}


def _outcome(rng, now):
    """Return the outcome that is right or wrong at this cue, eight times in ten that of the response.

    Even cues ask to go, odd ones not to; at the first two cues of four a right response wins, at the others it
    avoids a loss.
    """
    right = (now["go"] == 1) == (now["cue"] % 2 == 0)
    good = right == (rng.random() < 0.8)
    size = round(rng.uniform(0.5, 1.5), 2)
    if now["cue"] % 4 < 2:
        return size if good else 0.0
    return 0.0 if good else -size


_EVENTS = {"outcome": _outcome}
CASES = (
    ModelCase("go_no_go", catalogue.go_no_go, {**_LEARNING, **_SENSITIVITY}, _EVENTS),
    ModelCase("go_no_go_three_cues", catalogue.go_no_go, {**_LEARNING, **_SENSITIVITY}, _EVENTS, {"n_cues": 3}),
    ModelCase(
        "go_no_go_bias",
        catalogue.go_no_go_bias,
        {**_LEARNING, **_SENSITIVITY, "go_bias": _BIASES["go_bias"]},
        _EVENTS,
    ),
    ModelCase("go_no_go_pavlovian", catalogue.go_no_go_pavlovian, {**_LEARNING, **_SENSITIVITY, **_BIASES}, _EVENTS),
    ModelCase(
        "go_no_go_pavlovian_two_sensitivities",
        catalogue.go_no_go_pavlovian_two_sensitivities,
        {**_LEARNING, "sensitivity_reward": (0.5, 6.0), "sensitivity_punishment": (0.5, 6.0), **_BIASES},
        _EVENTS,
    ),
)
