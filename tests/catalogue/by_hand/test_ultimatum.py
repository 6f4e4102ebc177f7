"""A few trials of the ultimatum game's models worked out on paper.

The inverse temperature is ln 2: an offer of utility u is accepted with odds of 2^u to 1.
"""

from math import log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand


def offers(*trials):
    """Return trials from pairs of offer and response."""
    return [{"offer": offer, "accept": accept} for offer, accept in trials]


def test_ultimatum_delta():
    # ε = 1/2, α = 2, τ = ln 2. The norm starts at 10.
    # 1: offer 6 is 4 short: u = 6 − 8 = −2, odds ¼; refused with 4/5. (The norm of after the offer, 8, would have u =
    #    2.) The norm adapts to 8.
    # 2: offer 8 is what was expected: u = 8, odds 256; accepted with 256/257.
    # 3: offer 12 is 4 more, which costs nothing: u = 12, odds 4096; refused with 1/4097. The norm adapts to 10.
    # 4: the offer is not known: the norm stays.
    # 5: offer 8: u = 8 − 4 = 4, odds 16. The response is not known; the norm adapts to 9 all the same.
    # 6: offer 7: u = 7 − 4 = 3, odds 8; accepted with 8/9.
    trials = offers((6.0, 0), (8.0, 1), (12.0, 0), (None, None), (8.0, None), (7.0, 1))
    params = {"alpha": 0.5, "beta": log(2), "envy": 2.0}
    trajectories = {"norm": [10, 8, 8, 10, 10, 9], "prediction_error": [-4, 0, 4, nan, -2, -2]}
    expected = {"accept": [4 / 5, 256 / 257, 1 / 4097, nan, nan, 8 / 9]}
    assert_by_hand("ultimatum_delta", trials, params, expected, trajectories)


def test_ultimatum_bayesian():
    # α = 2, β = 3, τ = ln 2; μ₀ = 10, k₀ = 3, σ₀² = 4, ν₀ = 5.
    # 1: offer 6: μ = 10 − 4/4 = 9, before the choice: u = 6 − 2·3 = 0, odds 1; accepted with 1/2. σ² = (5·4 +
    #    (3/4)·16)/6 = 32/6 = 16/3.
    # 2: offer 14: μ = 9 + 5/5 = 10: u = 14 − 3·4 = 2, odds 4; accepted with 4/5. σ² = (6·16/3 + (4/5)·25)/7 = 52/7.
    # 3: the offer is not known: it is not counted either.
    # 4: offer 4: μ = 10 − 6/6 = 9: u = 4 − 2·5 = −6, odds 1/64; refused with 64/65.
    trials = offers((6.0, 1), (14.0, 1), (None, None), (4.0, 0))
    params = {"beta": log(2), "envy": 2.0, "guilt": 3.0}
    trajectories = {
        "norm": [10, 9, 10, 10],
        "norm_variance": [4, 16 / 3, 52 / 7, 52 / 7],
        "n": [3, 4, 5, 5],
        "prediction_error": [-4, 5, nan, -6],
    }
    expected = {"accept": [1 / 2, 4 / 5, nan, 64 / 65]}
    settings = {"initial": 10.0, "n_mean": 3.0, "variance": 4.0, "n_variance": 5.0}
    assert_by_hand("ultimatum_bayesian", trials, params, expected, trajectories, **settings)


def test_settings_that_are_no_numbers_are_refused():
    with pytest.raises(ModelError, match="ultimatum_delta: initial is '10', expected a number"):
        rl.catalogue.ultimatum_delta(initial="10")
    with pytest.raises(ModelError, match="ultimatum_bayesian: n_mean is 0, expected a number above 0"):
        rl.catalogue.ultimatum_bayesian(n_mean=0)
