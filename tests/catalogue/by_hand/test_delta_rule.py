"""A few trials of the delta-rule models worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log, sqrt

from tests.catalogue.by_hand.by_hand import assert_by_hand, bandit


def test_rescorla_wagner():
    # α = 1/2, β = ln 9: an action of value q weighs 9^q = 3^(2q).
    # 1: q = (0, 0), weights 1 and 1; action 0 has 1/2. Reward 1: q0 = 0 + ½(1 − 0) = ½.
    # 2: q = (½, 0), weights 3 and 1; action 0 has 3/4. Reward 0: q0 = ½ + ½(0 − ½) = ¼.
    # 3: q = (¼, 0), weights √3 and 1; action 1 has 1/(√3 + 1). Reward 1: q1 = ½.
    # 4: q = (¼, ½), weights √3 and 3; action 1 has 3/(√3 + 3).
    trials = bandit((0, 1.0), (0, 0.0), (1, 1.0), (1, 0.0))
    expected = {"choice": [1 / 2, 3 / 4, 1 / (sqrt(3) + 1), 3 / (sqrt(3) + 3)]}
    assert_by_hand("rescorla_wagner", trials, {"alpha": 0.5, "beta": log(9)}, expected)


def test_rescorla_wagner_two_rates():
    # α⁺ = 1/2, α⁻ = 1/4, β = ln 16: an action of value q weighs 16^q = 2^(4q).
    # 1: q = (0, 0); action 0 has 1/2. Reward 1, δ = 1 > 0: q0 = ½.
    # 2: q = (½, 0), weights 4 and 1; action 0 has 4/5. Reward 0, δ = −½: q0 = ½ − ¼·½ = ⅜.
    # 3: q = (⅜, 0), weights 2^1.5 and 1; action 1 has 1/(2^1.5 + 1). Reward −1, δ = −1: q1 = −¼.
    # 4: q = (⅜, −¼), weights 2^1.5 and 2^−1; action 0 has 2^2.5/(2^2.5 + 1). Reward ⅛ is a good outcome but
    #    bad news, δ = −¼: q0 = ⅜ − 1/16 = 5/16 (the rate of the outcome's sign would give ¼).
    # 5: q = (5/16, −¼), weights 2^1.25 and 2^−1; action 1 has 1/(2^2.25 + 1).
    trials = bandit((0, 1.0), (0, 0.0), (1, -1.0), (0, 0.125), (1, 0.0))
    expected = {"choice": [1 / 2, 4 / 5, 1 / (2**1.5 + 1), 2**2.5 / (2**2.5 + 1), 1 / (2**2.25 + 1)]}
    params = {"alpha_pos": 0.5, "alpha_neg": 0.25, "beta": log(16)}
    assert_by_hand("rescorla_wagner_two_rates", trials, params, expected)
