"""A few trials of the delta-rule models worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log, nan, sqrt

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
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


def test_rescorla_wagner_with_lapses():
    # α = 1/2, β = ln 9, ξ = 1/5, three actions: a guess adds ξ/3 = 1/15 to 4/5 of the softmax.
    # 1: all 0: 4/5 · 1/3 + 1/15 = 1/3. Reward 1: q0 = ½.
    # 2: weights 3, 1, 1; action 0 has 4/5 · 3/5 + 1/15 = 41/75. Reward 0: q0 = ¼.
    # 3: weights √3, 1, 1; action 2 has 4/5 · 1/(√3 + 2) + 1/15.
    trials = bandit((0, 1.0), (0, 0.0), (2, 1.0))
    expected = {"choice": [1 / 3, 41 / 75, 4 / 5 / (sqrt(3) + 2) + 1 / 15]}
    params = {"alpha": 0.5, "beta": log(9), "lapse": 0.2}
    assert_by_hand("rescorla_wagner", trials, params, expected, n_actions=3, lapse=True)


def test_rescorla_wagner_outcome_rates():
    # α⁺ = 1/2, α⁻ = 1/4, β = ln 16: an action of value q weighs 16^q = 2^(4q).
    # 1: q = (0, 0); action 0 has 1/2. Reward 1: q0 = ½.
    # 2: q = (½, 0), weights 4 and 1; action 0 has 4/5. Reward ¼ is a reward though it disappoints, δ = −¼:
    #    q0 = ½ − ½·¼ = ⅜ (the rate of the error's sign would give 7/16).
    # 3: q = (⅜, 0), weights 2^1.5 and 1; action 1 has 1/(2^1.5 + 1). Outcome −1, δ = −1: q1 = −¼.
    # 4: q = (⅜, −¼), weights 2^1.5 and 2^−1; action 1 has 1/(2^2.5 + 1). Outcome 0 is no reward though it is
    #    better than expected, δ = ¼: q1 = −¼ + ¼·¼ = −3/16 (the rate of the error's sign would give −⅛).
    # 5: q = (⅜, −3/16), weights 2^1.5 and 2^−0.75; action 0 has 2^2.25/(2^2.25 + 1).
    trials = bandit((0, 1.0), (0, 0.25), (1, -1.0), (1, 0.0), (0, 1.0))
    expected = {"choice": [1 / 2, 4 / 5, 1 / (2**1.5 + 1), 1 / (2**2.5 + 1), 2**2.25 / (2**2.25 + 1)]}
    params = {"alpha_pos": 0.5, "alpha_neg": 0.25, "beta": log(16)}
    assert_by_hand("rescorla_wagner_outcome_rates", trials, params, expected)


def test_rescorla_wagner_forgetting():
    # α = 1/2, f = 1/4 toward Q0 = 1/2, β = ln 256: an action of value q weighs 256^q = 2^(8q).
    # 1: q = (½, ½); action 0 has 1/2. Forgetting changes nothing; reward 1, δ = ½: q0 = ¾.
    # 2: q = (¾, ½), weights 2^2 and 1; action 1 has 1/5. Both are forgotten: q0 = ¾·¾ + ¼·½ = 11/16, q1 = ½;
    #    then reward 0, δ = −½: q1 = ¼.
    # 3: q = (11/16, ¼), weights 2^3.5 and 1; action 0 has 2^3.5/(2^3.5 + 1). Forgotten: q0 = ¾·11/16 + ⅛ =
    #    41/64, q1 = ¾·¼ + ⅛ = 5/16; then reward 1, δ = 23/64 from the value that is left (5/16 had nothing been
    #    forgotten first): q0 = 41/64 + 23/128 = 105/128.
    # 4: q = (105/128, 5/16), apart by 65/128; action 1 has 1/(2^(65/16) + 1). No reward: nothing is forgotten.
    # 5: as trial 4.
    trials = bandit((0, 1.0), (1, 0.0), (0, 1.0), (1, None), (1, 0.0))
    last = 1 / (2 ** (65 / 16) + 1)
    expected = {"choice": [1 / 2, 1 / 5, 2**3.5 / (2**3.5 + 1), last, last]}
    kept = [105 / 128, 5 / 16]
    # On trial 5 both are forgotten again, q1 = ¾·5/16 + ⅛ = 23/64, before its error is taken.
    trajectories = {
        "q": [[1 / 2, 1 / 2], [3 / 4, 1 / 2], [11 / 16, 1 / 4], kept, kept],
        "prediction_error": [1 / 2, -1 / 2, 23 / 64, nan, -23 / 64],
    }
    params = {"alpha": 0.5, "beta": log(256), "forgetting": 0.25}
    assert_by_hand("rescorla_wagner_forgetting", trials, params, expected, trajectories, initial=0.5)


def test_rescorla_wagner_forgetting_unchosen():
    # α = 1/2, f = 1/4 toward Q0 = 1/2, β = ln 256: an action of value q weighs 256^q = 2^(8q).
    # 1: q = (½, ½); action 0 has 1/2. Reward 1, δ = ½: q0 = ¾; q1 = ½ as before.
    # 2: q = (¾, ½), weights 2^2 and 1; action 0 has 4/5. Reward 0, δ = −¾ from a value that is not forgotten:
    #    q0 = ⅜.
    # 3: q = (⅜, ½), weights 1 and 2; action 1 has 2/3. Reward 1, δ = ½: q1 = ¾; action 0 is forgotten,
    #    q0 = ¾·⅜ + ¼·½ = 13/32.
    # 4: q = (13/32, ¾), apart by 11/32; action 0 has 1/(2^(11/4) + 1).
    #    Reward 0: q0 = 13/64; q1 = ¾·¾ + ⅛ = 11/16.
    # 5: no choice: nothing is learnt or forgotten.
    # 6: q = (13/64, 11/16), apart by 31/64; action 1 has 2^(31/8)/(2^(31/8) + 1).
    trials = bandit((0, 1.0), (0, 0.0), (1, 1.0), (0, 0.0), (None, 1.0), (1, 0.0))
    expected = {"choice": [1 / 2, 4 / 5, 2 / 3, 1 / (2**2.75 + 1), nan, 2**3.875 / (2**3.875 + 1)]}
    last = [13 / 64, 11 / 16]
    q = [[1 / 2, 1 / 2], [3 / 4, 1 / 2], [3 / 8, 1 / 2], [13 / 32, 3 / 4], last, last]
    params = {"alpha": 0.5, "beta": log(256), "forgetting": 0.25}
    assert_by_hand("rescorla_wagner_forgetting_unchosen", trials, params, expected, {"q": q}, initial=0.5)


@pytest.mark.parametrize(
    "name",
    [
        "rescorla_wagner",
        "rescorla_wagner_two_rates",
        "rescorla_wagner_outcome_rates",
        "rescorla_wagner_forgetting",
        "rescorla_wagner_forgetting_unchosen",
    ],
)
def test_lapse_is_a_yes_or_no(name):
    make = rl.catalogue.MODELS[name]
    assert set(make(lapse=True).parameters) == {*make().parameters, "lapse"}
    with pytest.raises(ModelError, match=rf"{name}: lapse is 0\.1, expected True or False"):
        make(lapse=0.1)
