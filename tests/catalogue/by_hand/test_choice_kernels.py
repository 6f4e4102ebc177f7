"""A few trials of the models with a choice kernel worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log, nan

from tests.catalogue.by_hand.by_hand import assert_by_hand, bandit


def test_perseveration():
    # α = 1/2, β = ln 4, α_c = 1/4, κ = ln 16: an action weighs 4^q · 16^ck = 2^(2q + 4ck).
    # 1: all 0; action 0 has 1/2. Reward 1: q = (½, 0); ck = (¼, 0).
    # 2: weights 2^(1 + 1) = 4 and 1; action 1 has 1/5. No reward: q holds; ck = (¼ − 1/16, ¼) = (3/16, ¼).
    # 3: weights 2^(1 + ¾) and 2^(0 + 1); action 0 has 2^¾/(2^¾ + 1). Reward 0: q = (¼, 0);
    #    ck = (3/16 + ¼·13/16, ¼ − 1/16) = (25/64, 12/64).
    # 4: no choice: nothing moves, whatever the reward.
    # 5: weights 2^(½ + 25/16) and 2^(12/16), i.e. 2^(33/16) and 2^(12/16); action 1 has 1/(2^(21/16) + 1).
    trials = bandit((0, 1.0), (1, None), (0, 0.0), (None, 1.0), (1, 1.0))
    expected = {"choice": [1 / 2, 1 / 5, 2**0.75 / (2**0.75 + 1), nan, 1 / (2 ** (21 / 16) + 1)]}
    params = {"alpha": 0.5, "beta": log(4), "alpha_kernel": 0.25, "kappa": log(16)}
    assert_by_hand("perseveration", trials, params, expected)
