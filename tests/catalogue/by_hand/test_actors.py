"""A few trials of the actor–critic models worked out on paper.

Steps and inverse temperatures are logarithms, so that the softmax's weights are powers. Every test states each
trial's values before its choice, and the actions' odds.
"""

from math import log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand, bandit

# α_C = α_G = ½, α_N = ¼; an action with G of g and N of n has the weight 4^g / 16^n = 2^(2g − 4n).
OPAL = {"alpha_critic": 1 / 2, "alpha_go": 1 / 2, "alpha_no_go": 1 / 4, "beta_go": log(4), "beta_no_go": log(16)}


def test_actor_critic():
    # α_C = ½, α_A = ln 4; w in units of ln 4: an action of weight w counts 4^w.
    # 1: v = 0, w = (0, 0): 1/2. Choice 0, reward 1: δ = 1, v = ½, w0 = 1.
    # 2: counts 4 and 1: action 0 has 4/5. Reward 0: δ = 0 − ½, v = ¼, w0 = 1 − ½ = ½.
    # 3: counts 2 and 1: action 1 has 1/3. Reward 1: δ = 1 − ¼ = ¾, as if action 1 had had its share of v; v = ⅝,
    #    w1 = ¾.
    # 4: counts 2 and 2^1.5. The choice is missing, the reward 0: δ = −⅝, v = 5/16; no weight moves.
    # 5: as 4: action 1 has 2^1.5/(2 + 2^1.5).
    trials = bandit((0, 1.0), (0, 0.0), (1, 1.0), (None, 0.0), (1, 0.3125))
    expected = {"choice": [1 / 2, 4 / 5, 1 / 3, nan, 2**1.5 / (2 + 2**1.5)]}
    weights = [(0, 0), (1, 0), (1 / 2, 0), (1 / 2, 3 / 4), (1 / 2, 3 / 4)]
    states = {
        "v": [[0], [1 / 2], [1 / 4], [5 / 8], [5 / 16]],
        "weight": [[[log(4) * w for w in both]] for both in weights],
        "prediction_error": [1, -1 / 2, 3 / 4, -5 / 8, 0],
    }
    assert_by_hand("actor_critic", trials, {"alpha_critic": 1 / 2, "alpha_actor": log(4)}, expected, states)


def test_actor_critic_of_two_stimuli():
    # α_C = ½, α_A = ln 4, V0 = ½; w in units of ln 4.
    # 1: stimulus 0: 1/2. Choice 0, reward 1: δ = ½, v[0] = ¾, w[0, 0] = ½.
    # 2: stimulus 1, of which nothing is known: 1/2. Choice 1, reward 0: δ = −½, v[1] = ¼, w[1, 1] = −½.
    # 3: stimulus 0: counts 2 and 1: action 1 has 1/3. Reward ¾: no error.
    # 4: stimulus 1: counts 1 and ½: action 0 has 2/3.
    trials = [
        {"stimulus": stimulus, "choice": choice, "reward": reward}
        for stimulus, choice, reward in [(0, 0, 1.0), (1, 1, 0.0), (0, 1, 0.75), (1, 0, 0.0)]
    ]
    states = {"v": [[1 / 2, 1 / 2], [3 / 4, 1 / 2], [3 / 4, 1 / 4], [3 / 4, 1 / 4]]}
    params = {"alpha_critic": 1 / 2, "alpha_actor": log(4)}
    expected = {"choice": [1 / 2, 1 / 2, 1 / 3, 2 / 3]}
    assert_by_hand("actor_critic", trials, params, expected, states, n_stimuli=2, initial=0.5)


@pytest.mark.parametrize("critic", ["stimulus", "action"])
def test_opal(critic):
    # 1: G = N = (1, 1): 1/2. Choice 0, reward 1: δ = 1, v = ½, G0 = 1 + ½ = 3/2, N0 = 1 − ¼ = ¾.
    # 2: exponents 3 − 3 = 0 and 2 − 4 = −2: 4 to 1; action 0 has 4/5. Reward 0: δ = −½, v = ¼,
    #    G0 = 3/2 · (1 − ¼) = 9/8, N0 = ¾ · (1 + ⅛) = 27/32.
    # 3: exponents 9/4 − 27/8 = −9/8 and −2: 2^⅞ to 1; action 1 has 1/(1 + 2^⅞). Reward 1.
    #    Critic of the stimulus: δ = 1 − ¼ = ¾, v = ⅝, G1 = 1 + ⅜ = 11/8, N1 = 1 − 3/16 = 13/16.
    #    Critic of the action, which had been tried never: δ = 1, v1 = ½, G1 = 3/2, N1 = ¾.
    # 4: exponents −9/8 and 11/4 − 13/4 = −½, or 3 − 3 = 0: action 0 has 1/(1 + 2^⅝), or 1/(1 + 2^(9/8)).
    last = {"stimulus": 1 / (1 + 2**0.625), "action": 1 / (1 + 2**1.125)}
    go1, no_go1 = {"stimulus": (11 / 8, 13 / 16), "action": (3 / 2, 3 / 4)}[critic]
    values = {
        "stimulus": [[0], [1 / 2], [1 / 4], [5 / 8]],
        "action": [[[0, 0]], [[1 / 2, 0]], [[1 / 4, 0]], [[1 / 4, 1 / 2]]],
    }
    states = {
        "v": values[critic],
        "go": [[[1, 1]], [[3 / 2, 1]], [[9 / 8, 1]], [[9 / 8, go1]]],
        "no_go": [[[1, 1]], [[3 / 4, 1]], [[27 / 32, 1]], [[27 / 32, no_go1]]],
    }
    expected = {"choice": [1 / 2, 4 / 5, 1 / (1 + 2**0.875), last[critic]]}
    trials = bandit((0, 1.0), (0, 0.0), (1, 1.0), (0, 0.0))
    assert_by_hand("opal", trials, OPAL, expected, states, critic=critic)


@pytest.mark.parametrize("rectified", [False, True])
def test_opal_below_zero(rectified):
    # 1: 1/2. Choice 0, reward −3: δ = −3, v = −3/2, N0 = 1 + ¾ = 7/4; G0 = 1 − 3/2 = −½, or rectified 0.
    # 2: exponents −1 − 7 = −8, or 0 − 7 = −7, and −2: action 0 has 1/(1 + 2^6) or 1/(1 + 2^5). Reward 1: δ = 5/2,
    #    v = −¼, N0 = 7/4 · (1 − ⅝) = 21/32; G0 = −½ · (1 + 5/4) = −9/8: good news makes it worse; or still 0.
    # 3: exponents −9/4 − 21/8 = −39/8, or 0 − 21/8, and −2: action 1 has 1/(1 + 2^(−23/8)) or 1/(1 + 2^(−5/8)).
    trials = bandit((0, -3.0), (0, 1.0), (1, 0.0))
    second, third = (1 / (1 + 2**5), 1 / (1 + 2**-0.625)) if rectified else (1 / (1 + 2**6), 1 / (1 + 2**-2.875))
    go0 = [1, 0, 0] if rectified else [1, -1 / 2, -9 / 8]
    states = {"go": [[[g, 1]] for g in go0], "no_go": [[[n, 1]] for n in (1, 7 / 4, 21 / 32)]}
    assert_by_hand("opal", trials, OPAL, {"choice": [1 / 2, second, third]}, states, rectified=rectified)


def test_opal_refuses_an_unknown_critic():
    with pytest.raises(ModelError, match="opal: critic is 'state', expected 'stimulus' or 'action'"):
        rl.catalogue.opal(critic="state")


@pytest.mark.parametrize("name", rl.catalogue.actors.__all__)
def test_one_stimulus_needs_no_column(name):
    assert list(rl.catalogue.MODELS[name]().events) == ["choice", "reward"]
    assert list(rl.catalogue.MODELS[name](n_stimuli=2).events) == ["stimulus", "choice", "reward"]


@pytest.mark.parametrize("name", rl.catalogue.actors.__all__)
def test_sizes_that_are_none_are_refused(name):
    with pytest.raises(ModelError, match=rf"model '{name}'.*axis 'stimulus' has size 0, expected a whole number"):
        rl.catalogue.MODELS[name](n_stimuli=0)
