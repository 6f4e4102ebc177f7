"""Cases of the hierarchical Gaussian filters."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase


def _input(rng, now):
    """Return an input that is mostly 1, then mostly 0, and so on."""
    return int(rng.random() < (0.2 if now["trial"] // 15 % 2 else 0.8))


_EVENTS = {"input": _input}
_TWO = {"omega2": (-5.0, -1.0), "beta": (0.5, 4.0)}
_THREE = {"coupling": (0.4, 1.4), "omega2": (-5.0, -2.0), "omega3": (-8.0, -3.0), "beta": (0.5, 4.0)}

CASES = (
    ModelCase("hgf_two_levels", catalogue.hgf_two_levels, _TWO, _EVENTS),
    ModelCase(
        "hgf_two_levels_started",
        catalogue.hgf_two_levels,
        _TWO,
        _EVENTS,
        {"initial_mu2": 0.5, "initial_sigma2": 1.0},
    ),
    ModelCase("hgf_three_levels", catalogue.hgf_three_levels, _THREE, _EVENTS),
    ModelCase(
        "hgf_three_levels_started",
        catalogue.hgf_three_levels,
        _THREE,
        _EVENTS,
        {"initial_mu2": 0.5, "initial_sigma2": 0.5, "initial_mu3": 0.0, "initial_sigma3": 0.5},
    ),
)
