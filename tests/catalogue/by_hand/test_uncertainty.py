"""A few trials of the Kalman filter worked out on paper.

The inverse temperature is a logarithm, so that the softmax's weights are powers of two.
"""

from math import log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand, bandit


def test_kalman_filter():
    # σ_o = 4, so σ_o² = 16; λ = 1/2, θ = 40, σ_d = 2, μ0 = 48, σ0 = 4; β = ln 2: a mean of m weighs 2^m.
    # 1: μ = (48, 48, 48, 48), σ² = (16, …); each has 1/4. Action 0, 56 points, δ = 8: k = 16/32 = ½,
    #    μ0 = 52, σ0² = 8. Then all: μ0 = ½·52 + ½·40 = 46, the others 44; σ0² = ¼·8 + 4 = 6, the others
    #    ¼·16 + 4 = 8.
    # 2: μ = (46, 44, 44, 44), weights 4, 1, 1, 1; action 1 has 1/7. 50 points, δ = 6: k = 8/24 = ⅓, μ1 = 46,
    #    σ1² = 16/3. Then μ = (43, 43, 42, 42) and σ² = (¼·6 + 4, ¼·16/3 + 4, 6, 6) = (11/2, 16/3, 6, 6).
    # 3: weights 2, 2, 1, 1; action 0 has 1/3. Its payoff is missing: the means stay; k = (11/2)/(43/2) = 11/43,
    #    σ0² = 11/2 · 32/43 = 176/43, and then ¼·176/43 + 4 = 216/43; the others ¼·16/3 + 4 = 16/3 and 11/2.
    # 4: no choice: nothing moves, though time passes.
    # 5: weights as on trial 3; action 2 has 1/6; k = (11/2)/(43/2) = 11/43 again, δ = 42 − 42 = 0.
    trials = bandit((0, 56.0), (1, 50.0), (0, None), (None, 60.0), (2, 42.0))
    expected = {"choice": [1 / 4, 1 / 7, 1 / 3, nan, 1 / 6]}
    means = [43, 43, 42, 42]
    variances = [216 / 43, 16 / 3, 11 / 2, 11 / 2]
    trajectories = {
        "mean": [[48, 48, 48, 48], [46, 44, 44, 44], means, means, means],
        "variance": [[16, 16, 16, 16], [6, 8, 8, 8], [11 / 2, 16 / 3, 6, 6], variances, variances],
        "gain": [1 / 2, 1 / 3, 11 / 43, nan, 11 / 43],
        "prediction_error": [8, 6, nan, nan, 0],
    }
    params = {"retention": 0.5, "decay_center": 40.0, "diffusion_sd": 2.0, "beta": log(2)}
    params |= {"initial_mean": 48.0, "initial_sd": 4.0}
    assert_by_hand("kalman_filter", trials, params, expected, trajectories)


def test_kalman_filter_retains_its_share():
    # As above with λ = 3/4. 1: action 0 has 1/4; μ0 = 52, σ0² = 8. Then all: μ0 = ¾·52 + ¼·40 = 49, the others 46;
    #    σ0² = 9/16·8 + 4 = 17/2, the others 9/16·16 + 4 = 13.
    # 2: weights 8, 1, 1, 1; action 1 has 1/11.
    params = {"retention": 0.75, "decay_center": 40.0, "diffusion_sd": 2.0, "beta": log(2)}
    params |= {"initial_mean": 48.0, "initial_sd": 4.0}
    trajectories = {"variance": [[16, 16, 16, 16], [17 / 2, 13, 13, 13]]}
    trials = bandit((0, 56.0), (1, 50.0))
    assert_by_hand("kalman_filter", trials, params, {"choice": [1 / 4, 1 / 11]}, trajectories)


@pytest.mark.parametrize("given", [0.0, -4.0, float("nan"), float("inf"), "four", True])
def test_kalman_filter_refuses_what_is_no_standard_deviation(given):
    with pytest.raises(ModelError, match=r"kalman_filter: observation_sd is .*, expected a number above 0"):
        rl.catalogue.kalman_filter(observation_sd=given)
