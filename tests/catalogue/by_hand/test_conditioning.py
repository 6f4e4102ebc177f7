"""A few trials of conditioned responses worked out on paper.

With σ = 1 a response at its mean has the density d = 1/√(2π), one that is off by x has d · exp(−x²/2).
"""

from math import exp, nan, pi, sqrt

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand

D = 1 / sqrt(2 * pi)


def shown(*trials):
    """Return trials from stimulus, response and outcome."""
    return [dict(zip(("stimulus", "response", "outcome"), trial, strict=True)) for trial in trials]


def test_conditioned_response():
    # α = ½, b0 = 1, b1 = 4, σ = 1.
    # 1: v = (0, 0), stimulus 0: mean 1. The response is 2, off by 1. A shock, δ = 1: v0 = ½.
    # 2: stimulus 1: mean 1 + 4 · 0 = 1, off by 0. No shock, δ = 0.
    # 3: stimulus 0: mean 1 + 4 · ½ = 3, off by −2. No shock, δ = −½: v0 = ¼.
    # 4: stimulus 0, its response is missing; a shock, δ = ¾: v0 = ¼ + ⅜ = ⅝ all the same.
    # 5: stimulus 0: mean 1 + 5/2 = 7/2, off by ½. (Measured after the outcome the means were 3, 1, 2.)
    trials = shown((0, 2.0, 1), (1, 1.0, 0), (0, 1.0, 0), (0, None, 1), (0, 4.0, 0))
    expected = {"response": [D * exp(-1 / 2), D, D * exp(-2), nan, D * exp(-1 / 8)]}
    trajectories = {
        "v": [[0, 0], [1 / 2, 0], [1 / 2, 0], [1 / 4, 0], [5 / 8, 0]],
        "prediction_error": [1, 0, -1 / 2, 3 / 4, -5 / 8],
    }
    params = {"alpha": 0.5, "b0": 1.0, "b1": 4.0, "sigma": 1.0}
    assert_by_hand("conditioned_response", trials, params, expected, trajectories)


def test_a_wider_response():
    # σ = 2 halves the density at the mean, and a response off by 2 is one standard deviation away.
    params = {"alpha": 0.5, "b0": 1.0, "b1": 4.0, "sigma": 2.0}
    expected = {"response": [D / 2 * exp(-1 / 2)]}
    assert_by_hand("conditioned_response", shown((0, 3.0, 1)), params, expected)


@pytest.mark.parametrize("predictor", ["associability", "value"])
def test_conditioned_response_pearce_hall(predictor):
    # κ = ½, η = ¼, b0 = 1, b1 = 2, σ = 1; associability 1 at first.
    # 1: v0 = 0, A0 = 1. A shock, δ = 1: v0 = ½ · 1 · 1 = ½, and A0 = ¼ · 1 + ¾ · 1 = 1.
    # 2: v0 = ½, A0 = 1. No shock, δ = −½: v0 = ½ − ½ · 1 · ½ = ¼, and A0 = ¼ · ½ + ¾ = ⅞.
    # 3: v0 = ¼, A0 = ⅞. No shock, δ = −¼: v0 = ¼ − ½ · ⅞ · ¼ = 9/64 with the associability from before (with the new
    #    one, ¼ · ¼ + ¾ · ⅞ = 23/32, it were 41/256).
    # 4: v0 = 9/64, A0 = 23/32. The outcome is missing: both stay.
    # 5: as 4. The other stimulus has still v1 = 0, A1 = 1.
    # Means by associability: 3, 3, 11/4, 39/16, 39/16; by value: 1, 2, 3/2, 41/32, 41/32.
    by_hand = {
        "associability": ([3.0, 4.0, 2.75, 2.4375, 3.4375], [D, D * exp(-1 / 2), D, D, D * exp(-1 / 2)]),
        "value": ([1.0, 2.0, 3.5, 1.28125, 2.28125], [D, D, D * exp(-2), D, D * exp(-1 / 2)]),
    }
    responses, expected = by_hand[predictor]
    outcomes = [1, 0, 0, None, 0]
    trials = shown(*((0, response, outcome) for response, outcome in zip(responses, outcomes, strict=True)))
    trajectories = {
        "v": [[v, 0] for v in (0, 1 / 2, 1 / 4, 9 / 64, 9 / 64)],
        "associability": [[a, 1] for a in (1, 1, 7 / 8, 23 / 32, 23 / 32)],
        "prediction_error": [1, -1 / 2, -1 / 4, nan, -9 / 64],
    }
    params = {"alpha": 0.5, "alpha_associability": 0.25, "b0": 1.0, "b1": 2.0, "sigma": 1.0}
    name = "conditioned_response_pearce_hall"
    assert_by_hand(name, trials, params, {"response": expected}, trajectories, predictor=predictor)


def test_refuses_an_unknown_predictor():
    with pytest.raises(ModelError, match="predictor is 'surprise', expected 'associability' or 'value'"):
        rl.catalogue.conditioned_response_pearce_hall(predictor="surprise")
