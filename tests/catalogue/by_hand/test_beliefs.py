"""A few trials of the hierarchical Gaussian filter worked out on paper."""

from math import exp, log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand


def inputs(*trials):
    """Return trials from pairs of choice and input."""
    return [{"choice": choice, "input": shown} for choice, shown in trials]


def test_two_levels():
    # σ2 = ½ and μ2 = 0 at first, exp(ω) = ½, ζ = 5/2 · ln 3: input 1 is predicted with the odds exp(ζ μ2) = 3^(5/2 μ2).
    # 1: μ2 = 0: ½. μ̂1 = ½, σ̂2 = ½ + ½ = 1, π2 = 1 + ¼ = 5/4. Input 1: δ = ½, μ2 = ½ / (5/4) = 2/5.
    # 2: the odds of 1 are 3; 0 is predicted: ¼. There is no input: nothing changes, the precision neither.
    # 3: 1 is predicted: ¾. With m = s(2/5) = 1/(1 + e^(−2/5)): σ̂2 = 4/5 + ½ = 13/10, π2 = 10/13 + m(1 − m). Input 0:
    #    μ2 = 2/5 − m/π2. (Were the precision revised without an input, σ̂2 were another.)
    # 4: the odds of 1 are 3^(5/2 μ2).
    m = 1 / (1 + exp(-2 / 5))
    pi2 = 10 / 13 + m * (1 - m)
    mu2 = 2 / 5 - m / pi2
    expected = {"choice": [1 / 2, 1 / 4, 3 / 4, 1 / (1 + 3 ** (-5 / 2 * mu2))]}
    trajectories = {
        "mu2": [0, 2 / 5, 2 / 5, mu2],
        "pi2": [2, 5 / 4, 5 / 4, pi2],
        "prediction": [1 / 2, m, m, 1 / (1 + exp(-mu2))],
        "prediction_error": [1 / 2, nan, -m, 1 - 1 / (1 + exp(-mu2))],
    }
    params = {"omega2": log(1 / 2), "beta": 5 / 2 * log(3)}
    trials = inputs((1, 1), (0, None), (1, 0), (1, 1))
    assert_by_hand("hgf_two_levels", trials, params, expected, trajectories, initial_sigma2=0.5)


def test_three_levels():
    # σ2 = ¼, μ2 = 0, σ3 = ½, μ3 = 0 at first; κ = 2, exp(ω) = ¾, ϑ = exp(ω3) = ½, ζ = 5/2 · ln 3.
    # 1: v = ¾ · e^0 = ¾, σ̂2 = ¼ + ¾ = 1, π̂2 = 1. Input 1: π2 = 1 + ¼ = 5/4, μ2 = ½ · 4/5 = 2/5 (as with two levels).
    #    w = ¾ · 1 = ¾, r = 2w − 1 = ½, δ2 = (4/5 + (2/5)²) · 1 − 1 = −1/25. π̂3 = 1/(½ + ½) = 1.
    #    π3 = 1 + 2²/2 · ¾ (¾ + ½ · (−1/25)) = 1 + 3/2 · 73/100 = 419/200.
    #    μ3 = 0 + 2/2 · ¾ · (−1/25) · 200/419 = −6/419: less volatile than was thought.
    # 2: 1 is predicted with the odds 3: ¾. There is no input: all four numbers stay.
    # 3: 1 again: ¾. v = ¾ · e^(−12/419), σ̂2 = 4/5 + v, π2 = 1/σ̂2 + m(1 − m) with m = s(2/5). Input 0: μ2 = 2/5 − m/π2.
    # 4: the odds of 1 are 3^(5/2 μ2); a filter of constant volatility has v = ¾, and other odds.
    m = 1 / (1 + exp(-2 / 5))
    volatility = 3 / 4 * exp(-12 / 419)
    pi2 = 1 / (4 / 5 + volatility) + m * (1 - m)
    mu2 = 2 / 5 - m / pi2
    # Level 3 on trial 3: σ3 = 200/419, so π̂3 = 1/(200/419 + ½).
    w = volatility / (4 / 5 + volatility)
    delta = (1 / pi2 + (m / pi2) ** 2) / (4 / 5 + volatility) - 1
    pi3 = 1 / (200 / 419 + 1 / 2) + 2 * w * (w + (2 * w - 1) * delta)
    mu3 = -6 / 419 + w * delta / pi3
    expected = {"choice": [1 / 2, 3 / 4, 3 / 4, 1 / (1 + 3 ** (5 / 2 * mu2))]}
    trajectories = {
        "mu2": [0, 2 / 5, 2 / 5, mu2],
        "pi2": [4, 5 / 4, 5 / 4, pi2],
        "mu3": [0, -6 / 419, -6 / 419, mu3],
        "pi3": [2, 419 / 200, 419 / 200, pi3],
        "volatility_prediction_error": [-1 / 25, nan, delta, nan],
    }
    params = {"coupling": 2.0, "omega2": log(3 / 4), "omega3": log(1 / 2), "beta": 5 / 2 * log(3)}
    start = {"initial_sigma2": 0.25, "initial_mu3": 0.0, "initial_sigma3": 0.5}
    trials = inputs((0, 1), (1, None), (1, 0), (0, None))
    assert_by_hand("hgf_three_levels", trials, params, expected, trajectories, **start)


def test_without_a_coupling_three_levels_are_two():
    # κ = 0: v = exp(ω) whatever level 3 is, and level 3 learns nothing: σ3 grows by ϑ = ½ each trial from 1, so that
    # π3 = 1, 1/(3/2), 1/2.
    m = 1 / (1 + exp(-2 / 5))
    mu2 = 2 / 5 + (1 - m) / (10 / 13 + m * (1 - m))
    expected = {"choice": [1 / 2, 3 / 4, 1 / (1 + 3 ** (-5 / 2 * mu2))]}
    trajectories = {"mu2": [0, 2 / 5, mu2], "mu3": [1, 1, 1], "pi3": [1, 2 / 3, 1 / 2]}
    params = {"coupling": 0.0, "omega2": log(1 / 2), "omega3": log(1 / 2), "beta": 5 / 2 * log(3)}
    trials = inputs((1, 1), (1, 1), (1, 0))
    assert_by_hand("hgf_three_levels", trials, params, expected, trajectories, initial_sigma2=0.5)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("hgf_two_levels", "initial_sigma2"),
        ("hgf_three_levels", "initial_sigma2"),
        ("hgf_three_levels", "initial_sigma3"),
    ],
)
@pytest.mark.parametrize("variance", [0, -0.1, float("inf"), "1"])
def test_refuses_what_is_no_variance(name, setting, variance):
    with pytest.raises(ModelError, match=f"{name}: {setting} is {variance!r}, expected a variance above 0"):
        rl.catalogue.MODELS[name](**{setting: variance})
