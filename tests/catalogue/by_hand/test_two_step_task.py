"""A few trials of the two-step task worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log, nan

import pytest

from tests.catalogue.by_hand.by_hand import assert_by_hand


@pytest.mark.parametrize("last_step", ["before", "after"])
def test_two_step(last_step):
    # α1 = α2 = λ = w = 1/2, β1 = ln 16, β2 = ln 4, π = ln 2, P(common) = 3/4. A first action of value net
    # weighs 16^net, and twice that if it was the previous one; a second action of value q weighs 4^q.
    # 1: all 0: 1/2 and 1/2. First action 0, state 0, second action 0, reward 1. Q1[0]: + ½(0 − 0) = 0. Q2[0,
    #    0] = ½. Then λα1 = ¼ times 1 − 0 (before) or 1 − ½ (after): Q1[0] = ¼ or ⅛.
    # 2: MB = (¾·½, ¼·½) = (⅜, ⅛). Before: net = ½(⅜, ⅛) + ½(¼, 0) = (5/16, 1/16), weights in the ratio 2 ·
    #    16^¼ = 4 to 1; action 1 has 1/5. After: net = ½(⅜, ⅛) + ½(⅛, 0) = (4/16, 1/16), 2 · 16^(3/16) =
    #    2^1.75 to 1. State 0: weights 4^½ = 2 and 1; second action 0 has 2/3. Reward 0. Q1[1]: 0 + ½(½ − 0) =
    #    ¼. Q2[0, 0] = ¼. Then ¼ times 0 − ½ or 0 − ¼: Q1[1] = ⅛ or 3/16.
    # 3: MB = (3/16, 1/16). Before: net = ½(3/16, 1/16) + ½(¼, ⅛) = (7/32, 3/32), weights 16^⅛ = 2^½ to 2:
    #    action 0 has 1/(1 + 2^½). After: net = ½(3/16, 1/16) + ½(⅛, 3/16) = (5/32, 4/32), 16^(1/32) = 2^⅛ to
    #    2: action 0 has 1/(1 + 2^⅞). The second stage did not take place: the values hold.
    # 4: as 3, but action 0 was the previous one: weights 2 · 2^½ to 1, or 2 · 2^⅛ to 1. Action 0 has
    #    2^1.5/(2^1.5 + 1), or 2^1.125/(2^1.125 + 1). State 0: weights 4^¼ = 2^½ and 1: second action 1 has
    #    1/(2^½ + 1).
    trials = [
        {"choice1": choice1, "state2": state2, "choice2": choice2, "reward": reward}
        for choice1, state2, choice2, reward in [
            (0, 0, 0, 1.0), (1, 0, 0, 0.0), (0, None, None, None), (0, 0, 1, 1.0),
        ]
    ]  # fmt: skip
    choice1 = {
        "before": [1 / 2, 1 / 5, 1 / (1 + 2**0.5), 2**1.5 / (2**1.5 + 1)],
        "after": [1 / 2, 1 / (2**1.75 + 1), 1 / (1 + 2**0.875), 2**1.125 / (2**1.125 + 1)],
    }
    expected = {"choice1": choice1[last_step], "choice2": [1 / 2, 2 / 3, nan, 1 / (2**0.5 + 1)]}
    half = dict.fromkeys(["alpha1", "alpha2", "eligibility", "w"], 0.5)
    params = {"beta1": log(16), "beta2": log(4), "stay": log(2), **half}
    assert_by_hand("two_step", trials, params, expected, transition=0.75, last_step=last_step)
