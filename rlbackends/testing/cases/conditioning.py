"""Cases of the models of conditioned responses."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, wins

_RESPONSE = {"b0": (-0.5, 0.5), "b1": (0.4, 1.0), "sigma": (0.7, 1.2)}
_SURE = {"sigma=0": "a response that is not the mean has the density 0"}
_SHOCKS = {"outcome": wins(0.75, 0.1, by="stimulus")}

CASES = (
    ModelCase(
        "conditioned_response",
        catalogue.conditioned_response,
        {"alpha": (0.2, 0.9), **_RESPONSE},
        _SHOCKS,
        not_finite=_SURE,
    ),
    ModelCase(
        "conditioned_response_pearce_hall",
        catalogue.conditioned_response_pearce_hall,
        {"alpha": (0.2, 0.9), "alpha_associability": (0.2, 0.9), **_RESPONSE},
        _SHOCKS,
        not_finite=_SURE,
    ),
    ModelCase(
        "conditioned_response_pearce_hall_value",
        catalogue.conditioned_response_pearce_hall,
        {"alpha": (0.2, 0.9), "alpha_associability": (0.2, 0.9), **_RESPONSE},
        {"outcome": wins(0.75, 0.1, 0.5, by="stimulus")},
        {"predictor": "value", "n_stimuli": 3, "initial": 0.5, "initial_associability": 0.8},
        not_finite=_SURE,
    ),
)
