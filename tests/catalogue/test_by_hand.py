"""A few trials of each model worked out on paper: the oracle and the reference backend must both give these.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log, nan, sqrt

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_close
from tests.oracles.cases import CASES
from tests.oracles.play import as_arrays, codes, play_all


def check(name, trials, params, expected, **settings):
    """Compare one subject's probabilities with expected ones: the oracle's, then the reference backend's."""
    subjects = [[{"start": t == 0, **trial} for t, trial in enumerate(trials)]]
    wanted = {response: np.log([p]) for response, p in expected.items()}
    by_oracle, _ = play_all(CASES[name].oracle, subjects, params, **settings)
    assert_close(by_oracle, wanted, "log_likelihood")
    model = rl.catalogue.MODELS[name](**settings)
    data = rl.Trials.from_arrays(**as_arrays(subjects), levels=codes(model))
    assert_close(rl.compile(model, data).log_likelihood(params), wanted, "log_likelihood")


def bandit(*trials):
    return [{"choice": choice, "reward": reward} for choice, reward in trials]


def test_rescorla_wagner():
    # α = 1/2, β = ln 9: an action of value q weighs 9^q = 3^(2q).
    # 1: q = (0, 0), weights 1 and 1; action 0 has 1/2. Reward 1: q0 = 0 + ½(1 − 0) = ½.
    # 2: q = (½, 0), weights 3 and 1; action 0 has 3/4. Reward 0: q0 = ½ + ½(0 − ½) = ¼.
    # 3: q = (¼, 0), weights √3 and 1; action 1 has 1/(√3 + 1). Reward 1: q1 = ½.
    # 4: q = (¼, ½), weights √3 and 3; action 1 has 3/(√3 + 3).
    trials = bandit((0, 1.0), (0, 0.0), (1, 1.0), (1, 0.0))
    expected = {"choice": [1 / 2, 3 / 4, 1 / (sqrt(3) + 1), 3 / (sqrt(3) + 3)]}
    check("rescorla_wagner", trials, {"alpha": 0.5, "beta": log(9)}, expected)


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
    check("rescorla_wagner_two_rates", trials, params, expected)


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
    check("perseveration", trials, params, expected)


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
    check("aliens", trials, {"alpha": 0.5, "beta": log(4), "forgetting": 0.5}, expected, initial=1.0)


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
    check("two_step", trials, params, expected, transition=0.75, last_step=last_step)
