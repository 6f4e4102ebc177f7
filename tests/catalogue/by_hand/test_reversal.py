"""A few trials of the reversal task's models worked out on paper.

Inverse temperatures are logarithms, so that odds are powers: with β = ln 4 and indecision point ½ the odds of action
0 are 4^(q0 − q1 − ½). Every test states each trial's values before its choice.
"""

from math import inf, log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand, bandit

# fictitious_update with α = 1/2, β = ln 4; odds are those of action 0, with the indecision point ½ and without.
# 1: q = (0, 0); odds 4^−½ = ½, or 1. Choice 0 has 1/3, or 1/2. Reward 1: q0 = ½(1 − 0) = ½, q1 = ½(−1 − 0) = −½.
# 2: odds 4^(1 − ½) = 2, or 4. Choice 0 has 2/3, or 4/5. Reward −1: q0 = ½ + ½(−1 − ½) = −¼, q1 = −½ + ½(1 + ½) = ¼.
# 3: odds 4^(−½ − ½) = ¼, or ½. Choice 1 has 4/5, or 2/3. Reward 1: q1 = ¼ + ½(1 − ¼) = ⅝, q0 = −¼ + ½(−1 + ¼) = −⅝.
# 4: odds 4^(−5/4 − ½) = 2^−3.5, or 2^−2.5. Choice 1 has 1/(1 + 2^−3.5), or 1/(1 + 2^−2.5). No reward is known: hold.
# 5: the same odds; choice 0 has 1/(1 + 2^3.5), or 1/(1 + 2^2.5).
FICTITIOUS = bandit((0, 1.0), (0, -1.0), (1, 1.0), (1, None), (0, 1.0))
FICTITIOUS_TRAJECTORIES = {
    "q": [[0, 0], [1 / 2, -1 / 2], [-1 / 4, 1 / 4], [-5 / 8, 5 / 8], [-5 / 8, 5 / 8]],
    "prediction_error": [1, -3 / 2, 3 / 4, nan, 13 / 8],
    "fictitious_error": [-1, 3 / 2, -3 / 4, nan, -13 / 8],
}


def test_fictitious_update():
    expected = {"choice": [1 / 3, 2 / 3, 4 / 5, 1 / (1 + 2**-3.5), 1 / (1 + 2**3.5)]}
    params = {"alpha": 0.5, "indecision_point": 0.5, "beta": log(4)}
    assert_by_hand("fictitious_update", FICTITIOUS, params, expected, FICTITIOUS_TRAJECTORIES)


def test_fictitious_update_without_indecision_point():
    expected = {"choice": [1 / 2, 4 / 5, 2 / 3, 1 / (1 + 2**-2.5), 1 / (1 + 2**2.5)]}
    params = {"alpha": 0.5, "beta": log(4)}
    assert_by_hand(
        "fictitious_update", FICTITIOUS, params, expected, FICTITIOUS_TRAJECTORIES, indecision_point=False
    )


def test_fictitious_update_two_rates():
    # α⁺ = 1/2, α⁻ = 1/4, β = ln 4, indecision point ½.
    # 1: q = (0, 0), odds ½; choice 0 has 1/3. Reward 1, δ = 1: both by ½, although the other's error is −1. q = (½,
    #    −½).
    # 2: odds 4^½ = 2; choice 0 has 2/3. Reward ¼ is a win but bad news, δ = −¼: both by ¼. q0 = ½ − 1/16 = 7/16, q1 =
    #    −½ + ¼(−¼ + ½) = −7/16.
    # 3: odds 4^(7/8 − ½) = 2^¾; choice 1 has 1/(1 + 2^¾). Reward −¼ is a loss but good news, δ = −¼ + 7/16 = 3/16: both
    #    by ½. q1 = −7/16 + 3/32 = −11/32, q0 = 7/16 + ½(¼ − 7/16) = 11/32.
    # 4: odds 4^(11/16 − ½) = 2^⅜; choice 0 has 1/(1 + 2^−⅜).
    trials = bandit((0, 1.0), (0, 0.25), (1, -0.25), (0, 1.0))
    expected = {"choice": [1 / 3, 2 / 3, 1 / (1 + 2**0.75), 1 / (1 + 2**-0.375)]}
    params = {"alpha_pos": 0.5, "alpha_neg": 0.25, "indecision_point": 0.5, "beta": log(4)}
    states = {"q": [[0, 0], [1 / 2, -1 / 2], [7 / 16, -7 / 16], [11 / 32, -11 / 32]]}
    assert_by_hand("fictitious_update_two_rates", trials, params, expected, states)


def test_fictitious_update_two_rates_without_indecision_point():
    # As above: odds 1; 4; 4^(7/8) = 2^1.75; 4^(11/16) = 2^1.375.
    trials = bandit((0, 1.0), (0, 0.25), (1, -0.25), (0, 1.0))
    expected = {"choice": [1 / 2, 4 / 5, 1 / (1 + 2**1.75), 1 / (1 + 2**-1.375)]}
    params = {"alpha_pos": 0.5, "alpha_neg": 0.25, "beta": log(4)}
    assert_by_hand("fictitious_update_two_rates", trials, params, expected, indecision_point=False)


def test_experience_weighted_attraction():
    # φ = ρ = 1/2, β = ln 16: an action of value q weighs 16^q = 2^(4q).
    # 1: q = (0, 0); choice 0 has 1/2. Reward 1: n = 0 + 1, q0 = (0 + 1)/1 = 1.
    # 2: weights 16 and 1; choice 0 has 16/17. Reward −1: n = ½·1 + 1 = 3/2, q0 = (½·1·1 − 1)/(3/2) = −⅓.
    # 3: weights 2^(−4/3) and 1; choice 1 has 1/(1 + 2^(−4/3)). Reward 1: n = 1, q1 = 1.
    # 4: weights 2^(−4/3) and 2^4; choice 0 has 1/(1 + 2^(16/3)). No reward is known: q holds, but n = ½·3/2 + 1 = 7/4.
    # 5: the same. Reward 1: n = ½·7/4 + 1 = 15/8, q0 = (½·7/4·(−⅓) + 1)/(15/8) = 17/24 · 8/15 = 17/45.
    # 6: weights 2^(68/45) and 2^4; choice 1 has 1/(1 + 2^(−112/45)).
    trials = bandit((0, 1.0), (0, -1.0), (1, 1.0), (0, None), (0, 1.0), (1, 1.0))
    again = 1 / (1 + 2 ** (16 / 3))
    expected = {"choice": [1 / 2, 16 / 17, 1 / (1 + 2 ** (-4 / 3)), again, again, 1 / (1 + 2 ** (-112 / 45))]}
    params = {"payoff_retention": 0.5, "experience_retention": 0.5, "beta": log(16)}
    states = {
        "q": [[0, 0], [1, 0], [-1 / 3, 0], [-1 / 3, 1], [-1 / 3, 1], [17 / 45, 1]],
        "experience": [[0, 0], [1, 0], [3 / 2, 0], [3 / 2, 1], [7 / 4, 1], [15 / 8, 1]],
    }
    assert_by_hand("experience_weighted_attraction", trials, params, expected, states)


def test_experience_weighted_attraction_that_starts_with_some():
    # As above, from n = 1. 1: reward 1: n = 3/2, q0 = (0 + 1)/(3/2) = ⅔. 2: weights 2^(8/3) and 1; choice 1 has 1/(1 +
    # 2^(8/3)). Reward −1: n = 3/2, q1 = −⅔. 3: weights 2^(8/3) and 2^(−8/3); choice 0 has 1/(1 + 2^(−16/3)).
    trials = bandit((0, 1.0), (1, -1.0), (0, 1.0))
    expected = {"choice": [1 / 2, 1 / (1 + 2 ** (8 / 3)), 1 / (1 + 2 ** (-16 / 3))]}
    params = {"payoff_retention": 0.5, "experience_retention": 0.5, "beta": log(16)}
    assert_by_hand("experience_weighted_attraction", trials, params, expected, initial_experience=1)


def test_experience_and_payoffs_are_retained_apart():
    # φ = 1/4, ρ = 1/2, β = ln 16. 1: reward 1: n = 1, q0 = 1. 2: weights 16 and 1; choice 0 has 16/17. Reward −1:
    # n = ½·1 + 1 = 3/2, q0 = (¼·1·1 − 1)/(3/2) = −½ (with φ and ρ exchanged n = 5/4, q0 = −2/5). 3: weights ¼ and 1;
    # choice 0 has 1/5.
    trials = bandit((0, 1.0), (0, -1.0), (0, 1.0))
    params = {"payoff_retention": 0.25, "experience_retention": 0.5, "beta": log(16)}
    expected = {"choice": [1 / 2, 16 / 17, 1 / 5]}
    assert_by_hand("experience_weighted_attraction", trials, params, expected)


@pytest.mark.parametrize("name", ["fictitious_update", "fictitious_update_two_rates"])
def test_indecision_point_is_there_or_not(name):
    with pytest.raises(ModelError, match=rf"{name}: indecision_point is 'no', expected True or False"):
        rl.catalogue.MODELS[name](indecision_point="no")


@pytest.mark.parametrize("given", [-1, nan, inf, True, "0"])
def test_experience_starts_at_a_number(given):
    with pytest.raises(ModelError, match=r"initial_experience is .*, expected a finite number of at least 0"):
        rl.catalogue.experience_weighted_attraction(initial_experience=given)
