"""A few trials of the models with a choice kernel worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand, bandit


def test_choice_kernel():
    # α_c = 1/2, κ = ln 16: an action weighs 16^ck = 2^(4ck).
    # 1: all 0; each of three actions has 1/3. ck = (½, 0, 0).
    # 2: weights 4, 1, 1; action 1 has 1/6. ck = (¼, ½, 0).
    # 3: no choice: the kernel stays.
    # 4: weights 2, 4, 1; action 0 has 2/7. ck = (¼ + ½·¾, ¼, 0) = (⅝, ¼, 0).
    # 5: weights 2^2.5, 2, 1; action 2 has 1/(2^2.5 + 3).
    trials = [{"choice": choice} for choice in (0, 1, None, 0, 2)]
    expected = {"choice": [1 / 3, 1 / 6, nan, 2 / 7, 1 / (2**2.5 + 3)]}
    kernel = [[0, 0, 0], [1 / 2, 0, 0], [1 / 4, 1 / 2, 0], [1 / 4, 1 / 2, 0], [5 / 8, 1 / 4, 0]]
    params = {"alpha_kernel": 0.5, "kappa": log(16)}
    assert_by_hand("choice_kernel", trials, params, expected, {"choice_kernel": kernel}, n_actions=3)


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


def test_perseveration_with_lapses():
    # As trials 1 and 2 above, with ξ = 1/4: 3/4 of 1/2 or of 1/5, and a guess of 1/8.
    trials = bandit((0, 1.0), (1, 0.0))
    params = {"alpha": 0.5, "beta": log(4), "alpha_kernel": 0.25, "kappa": log(16), "lapse": 0.25}
    assert_by_hand("perseveration", trials, params, {"choice": [1 / 2, 3 / 20 + 1 / 8]}, lapse=True)


def test_lapse_is_a_yes_or_no():
    with pytest.raises(ModelError, match="perseveration: lapse is 'yes', expected True or False"):
        rl.catalogue.perseveration(lapse="yes")
