"""A few trials of the models with a table of values worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log

from tests.catalogue.by_hand.by_hand import assert_by_hand


def test_aliens():
    # α = 1/2, f = 1/2, Q0 = 1, β = ln 4: an action of value q weighs 4^q = 2^(2q). One alien's values are
    # told; the others' stay at 1, which forgetting does not move.
    # 1: (1, 1, 1); action 0 has 1/3. Reward 3: forgotten to (1, 1, 1), δ = 2, so (2, 1, 1).
    # 2: weights 16, 4, 4; action 1 has 1/6. Reward 0: forgotten to (3/2, 1, 1), δ = −1, so (3/2, ½, 1).
    # 3: weights 8, 2, 4; action 0 has 4/7. Reward 0: forgotten to (5/4, ¾, 1), δ = −5/4 (from the value that
    #    was left; from the one before it would be −3/2), so (5/8, ¾, 1).
    # 4: another alien: 1/3. No reward: nothing learnt and nothing forgotten.
    # 5: weights 2^(5/4), 2^(3/2), 2^2; action 0 has 1/(1 + 2^¼ + 2^¾).
    trials = [
        {"season": season, "alien": alien, "choice": choice, "reward": reward}
        for season, alien, choice, reward in [
            (1, 2, 0, 3.0), (1, 2, 1, 0.0), (1, 2, 0, 0.0), (2, 1, 0, None), (1, 2, 0, 1.0),
        ]
    ]  # fmt: skip
    expected = {"choice": [1 / 3, 1 / 6, 4 / 7, 1 / 3, 1 / (1 + 2**0.25 + 2**0.75)]}
    assert_by_hand("aliens", trials, {"alpha": 0.5, "beta": log(4), "forgetting": 0.5}, expected, initial=1.0)
