"""A few trials of the two-step task worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand


def task(*trials):
    """Return trials from first choice, state, second choice and reward."""
    return [dict(zip(("choice1", "state2", "choice2", "reward"), trial, strict=True)) for trial in trials]


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
    trials = task((0, 0, 0, 1.0), (1, 0, 0, 0.0), (0, None, None, None), (0, 0, 1, 1.0))
    choice1 = {
        "before": [1 / 2, 1 / 5, 1 / (1 + 2**0.5), 2**1.5 / (2**1.5 + 1)],
        "after": [1 / 2, 1 / (2**1.75 + 1), 1 / (1 + 2**0.875), 2**1.125 / (2**1.125 + 1)],
    }
    expected = {"choice1": choice1[last_step], "choice2": [1 / 2, 2 / 3, nan, 1 / (2**0.5 + 1)]}
    half = dict.fromkeys(["alpha1", "alpha2", "eligibility", "w"], 0.5)
    params = {"beta1": log(16), "beta2": log(4), "stay": log(2), **half}
    assert_by_hand("two_step", trials, params, expected, transition=0.75, last_step=last_step)


def test_two_step_with_shares_that_differ():
    # α1 = 1/2, α2 = λ = w = 1/4, β1 = ln 16, π = ln 2, P(common) = 3/4, the last step after.
    # 1: First action 0, state 0, second action 0, reward 1. Q2[0, 0] = ¼; λα1 = ⅛ times 1 − ¼: Q1[0] = 3/32.
    # 2: MB = (3/16, 1/16). net = ¼(3/16, 1/16) + ¾(3/32, 0), apart by 1/32 + 9/128 = 13/128; weights in the ratio
    #    2 · 16^(13/128) = 2^(45/32) to 1; action 1 has 1/(2^(45/32) + 1). State 1, of which nothing is known: 1/2.
    trials = task((0, 0, 0, 1.0), (1, 1, 0, 0.0))
    expected = {"choice1": [1 / 2, 1 / (2 ** (45 / 32) + 1)], "choice2": [1 / 2, 1 / 2]}
    params = {"beta1": log(16), "beta2": log(4), "alpha1": 0.5, "stay": log(2)}
    params |= dict.fromkeys(["alpha2", "eligibility", "w"], 0.25)
    assert_by_hand("two_step", trials, params, expected, transition=0.75, last_step="after")


@pytest.mark.parametrize("last_step", ["before", "after"])
def test_two_step_six(last_step):
    # α1 = w = 1/2, α2 = 1/4, β1 = ln 16, β2 = ln 4, π = ln 2, P(common) = 3/4; λ = 1.
    # 1: all 0: 1/2 and 1/2. First action 0, state 0, second action 0, reward 1. Q1[0]: + ½(0 − 0) = 0. Q2[0, 0] = ¼.
    #    Then ½ times 1 − 0 (before) or 1 − ¼ (after): Q1[0] = ½ or ⅜.
    # 2: MB = (¾·¼, ¼·¼) = (3/16, 1/16). Before: net = ½(3/16, 1/16) + ½(½, 0) = (11/32, 1/32), weights in the ratio
    #    2 · 16^(5/16) = 2^2.25 to 1. After: (3/32 + 6/32, 1/32) = (9/32, 1/32), 2 · 16^¼ = 4 to 1. Action 1 has
    #    1/(2^2.25 + 1) or 1/5. State 0: weights 4^¼ = 2^½ and 1: second action 0 has 2^½/(2^½ + 1). Reward 0. Q1[1]:
    #    0 + ½(¼ − 0) = ⅛. Q2[0, 0] = ¼ − ¼·¼ = 3/16. Then ½ times 0 − ¼ or 0 − 3/16: Q1[1] = 0 or 1/32. Before, that
    #    is what half of 0 − 0, the reward less Q1[1], gives.
    # 3: MB = (9/64, 3/64). Before: net = (9/128 + 32/128, 3/128), apart by 19/64: 16^(19/64) = 2^(19/16) to 2, as
    #    action 1 was the previous one. After: (9/128 + 24/128, 3/128 + 2/128), apart by 7/32: 2^(7/8) to 2. Action 0
    #    has 1/(1 + 2^(−3/16)) or 1/(1 + 2^(1/8)). State 1, of which nothing is known: 1/2.
    trials = task((0, 0, 0, 1.0), (1, 0, 0, 0.0), (0, 1, 1, 0.0))
    choice1 = {
        "before": [1 / 2, 1 / (2**2.25 + 1), 1 / (1 + 2**-0.1875)],
        "after": [1 / 2, 1 / 5, 1 / (1 + 2**0.125)],
    }
    expected = {"choice1": choice1[last_step], "choice2": [1 / 2, 2**0.5 / (2**0.5 + 1), 1 / 2]}
    q1 = {"before": [[0, 0], [1 / 2, 0], [1 / 2, 0]], "after": [[0, 0], [3 / 8, 0], [3 / 8, 1 / 32]]}
    q2 = [[[q, 0], [0, 0]] for q in (0, 1 / 4, 3 / 16)]
    params = {"beta1": log(16), "beta2": log(4), "alpha1": 1 / 2, "alpha2": 1 / 4, "w": 1 / 2, "stay": log(2)}
    settings = {"transition": 0.75, "last_step": last_step}
    assert_by_hand("two_step_six", trials, params, expected, {"q1": q1[last_step], "q2": q2}, **settings)


@pytest.mark.parametrize("last_step", ["before", "after"])
def test_two_step_four(last_step):
    # α = w = 1/2, β = ln 16, π = ln 2, P(common) = 3/4; λ = 1.
    # 1: all 0: 1/2 and 1/2. First action 0, state 0, second action 0, reward 1. Q1[0] = 0. Q2[0, 0] = ½. Then ½ times
    #    1 − 0 (before) or 1 − ½ (after): Q1[0] = ½ or ¼.
    # 2: MB = (⅜, ⅛). Before: net = ½(⅜, ⅛) + ½(½, 0) = (7/16, 1/16), weights in the ratio 2 · 16^⅜ = 2^2.5 to 1.
    #    After: (3/16 + 2/16, 1/16) = (5/16, 1/16), 2 · 16^¼ = 4 to 1. Action 1 has 1/(2^2.5 + 1) or 1/5. State 0:
    #    weights 16^½ = 4 and 1: second action 0 has 4/5. Reward 0. Q1[1]: 0 + ½(½ − 0) = ¼. Q2[0, 0] = ¼. Then ½ times
    #    0 − ½ or 0 − ¼: Q1[1] = 0 or ⅛.
    # 3: MB = (3/16, 1/16). Before: net = (3/32 + 8/32, 1/32), apart by 5/16: 2^(5/4) to 2. After: (3/32 + 4/32, 1/32 +
    #    2/32), apart by ⅛: 2^½ to 2. Action 0 has 1/(1 + 2^(−¼)) or 1/(1 + 2^½). State 1: 1/2.
    trials = task((0, 0, 0, 1.0), (1, 0, 0, 0.0), (0, 1, 1, 0.0))
    choice1 = {
        "before": [1 / 2, 1 / (2**2.5 + 1), 1 / (1 + 2**-0.25)],
        "after": [1 / 2, 1 / 5, 1 / (1 + 2**0.5)],
    }
    expected = {"choice1": choice1[last_step], "choice2": [1 / 2, 4 / 5, 1 / 2]}
    q1 = {"before": [[0, 0], [1 / 2, 0], [1 / 2, 0]], "after": [[0, 0], [1 / 4, 0], [1 / 4, 1 / 8]]}
    q2 = [[[q, 0], [0, 0]] for q in (0, 1 / 2, 1 / 4)]
    params = {"beta": log(16), "alpha": 1 / 2, "w": 1 / 2, "stay": log(2)}
    settings = {"transition": 0.75, "last_step": last_step}
    assert_by_hand("two_step_four", trials, params, expected, {"q1": q1[last_step], "q2": q2}, **settings)


@pytest.mark.parametrize("name", ["two_step", "two_step_six", "two_step_four"])
def test_wrong_settings_are_refused_by_the_model_s_name(name):
    with pytest.raises(ModelError, match=rf"{name}: transition is -0\.1, expected a probability from 0 to 1"):
        rl.catalogue.MODELS[name](transition=-0.1)
    with pytest.raises(ModelError, match=f"{name}: last_step is 'later', expected 'before' or 'after'"):
        rl.catalogue.MODELS[name](last_step="later")
