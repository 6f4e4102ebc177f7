"""Cases of the aversive learning task's models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase

_PARAMS = {"alpha": (0.05, 0.95), "beta": (0.5, 6.0), "risk_preference": (0.4, 2.0)}


def _punishment(rng, now):
    """Return the two shapes' shock sizes, from 1 to 99 hundredths."""
    return [rng.randint(1, 99) / 100, rng.randint(1, 99) / 100]


def _outcome(rng, now):
    """Return whether the first shape leads to the shock: mostly, or mostly not, by turns."""
    return int(rng.random() < (0.8, 0.25)[now["trial"] // 8 % 2])


def _shock(rng, now):
    """Return whether the chosen shape leads to its shock."""
    first = _outcome(rng, now)
    return first if now["choice"] == 0 else 1 - first


CASES = (
    ModelCase(
        "aversive_delta", catalogue.aversive_delta, _PARAMS, {"punishment": _punishment, "outcome": _outcome}
    ),
    ModelCase("aversive_gamma", catalogue.aversive_gamma, _PARAMS, {"punishment": _punishment, "shock": _shock}),
)
