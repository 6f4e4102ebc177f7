"""Cases of the ultimatum game's models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase


def _offer(rng, now):
    """Return a whole offer of 20; generous partners and mean ones take turns."""
    return float(rng.randint(6, 14) if now["trial"] // 10 % 2 else rng.randint(1, 9))


_EVENTS = {"offer": _offer}
_PARAMS = {"beta": (0.1, 0.8), "envy": (0.1, 3.0)}
_PRIOR = {"initial": 8.0, "n_mean": 2.0, "variance": 9.0, "n_variance": 3.0}
CASES = (
    ModelCase("ultimatum_delta", catalogue.ultimatum_delta, {"alpha": (0.05, 0.95), **_PARAMS}, _EVENTS),
    ModelCase("ultimatum_bayesian", catalogue.ultimatum_bayesian, {**_PARAMS, "guilt": (0.05, 1.5)}, _EVENTS),
    ModelCase(
        "ultimatum_bayesian_prior", catalogue.ultimatum_bayesian, {**_PARAMS, "guilt": (0.05, 1.5)}, _EVENTS, _PRIOR
    ),
)
