"""A few trials of the models of associability worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

from math import log, nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand, bandit


def test_pearce_hall():
    # κ = 1/2, η = 1/4, β = ln 16, A = (1, 1): an action of value q weighs 16^q = 2^(4q).
    # 1: q = (0, 0); action 0 has 1/2. Reward 1, δ = 1: q0 = ½·1·1 = ½; A0 = ¼·1 + ¾·1 = 1.
    # 2: q = (½, 0), weights 4 and 1; action 0 has 4/5. Reward 0, δ = −½: q0 = ½ − ½·1·½ = ¼;
    #    A0 = ¼·½ + ¾·1 = ⅞: of the surprise's size, whatever its sign.
    # 3: q = (¼, 0), A = (⅞, 1), weights 2 and 1; action 0 has 2/3. Reward 1, δ = ¾: with the associability
    #    before this trial q0 = ¼ + ½·⅞·¾ = 37/64; A0 = ¼·¾ + ¾·⅞ = 27/32 (had A moved first, q0 would be
    #    ¼ + ½·27/32·¾ = 145/256).
    # 4: q = (37/64, 0), apart by 37/64; action 1 has 1/(2^(37/16) + 1), and its own associability, 1.
    #    Reward −1, δ = −1: q1 = −½; A1 = 1.
    # 5: no reward: neither moves. Action 0 has 2^(69/16)/(2^(69/16) + 1): 37/64 + ½ = 69/64.
    # 6: the same for action 1.
    trials = bandit((0, 1.0), (0, 0.0), (0, 1.0), (1, -1.0), (0, None), (1, -1.0))
    far = 2 ** (69 / 16)
    expected = {"choice": [1 / 2, 4 / 5, 2 / 3, 1 / (2 ** (37 / 16) + 1), far / (far + 1), 1 / (far + 1)]}
    last = [37 / 64, -1 / 2]
    trajectories = {
        "q": [[0, 0], [1 / 2, 0], [1 / 4, 0], [37 / 64, 0], last, last],
        "associability": [[1, 1], [1, 1], [7 / 8, 1], [27 / 32, 1], [27 / 32, 1], [27 / 32, 1]],
        "prediction_error": [1, -1 / 2, 3 / 4, -1, nan, -1 / 2],
    }
    params = {"alpha": 0.5, "alpha_associability": 0.25, "beta": log(16)}
    assert_by_hand("pearce_hall", trials, params, expected, trajectories)


@pytest.mark.parametrize("fitted", [False, True])
def test_pearce_hall_starts_where_it_is_told(fitted):
    # κ = 1/2, η = 1/2, β = ln 256, A0 = 1/2, Q0 = 1/2: an action of value q weighs 2^(8q).
    # 1: action 1 has 1/2. Reward 1, δ = ½: q1 = ½ + ½·½·½ = ⅝; A1 = ½·½ + ½·½ = ½.
    # 2: q = (½, ⅝), weights 1 and 2; action 1 has 2/3. Reward 0, δ = −⅝: q1 = ⅝ − ½·½·⅝ = 15/32;
    #    A1 = ½·⅝ + ½·½ = 9/16.
    # 3: q = (½, 15/32), weights 2^¼ and 1; action 1 has 1/(2^¼ + 1).
    trials = bandit((1, 1.0), (1, 0.0), (1, 0.0))
    expected = {"choice": [1 / 2, 2 / 3, 1 / (2**0.25 + 1)]}
    associability = [[1 / 2, 1 / 2], [1 / 2, 1 / 2], [1 / 2, 9 / 16]]
    params = {"alpha": 0.5, "alpha_associability": 0.5, "beta": log(256)}
    start = {"initial_associability": 0.5}
    assert_by_hand(
        "pearce_hall",
        trials,
        {**params, **start} if fitted else params,
        expected,
        {"associability": associability},
        initial=0.5,
        **({"initial_associability": None} if fitted else start),
    )


@pytest.mark.parametrize("given", [-1.0, float("nan"), float("inf"), "high", True])
def test_pearce_hall_refuses_what_is_no_associability(given):
    with pytest.raises(ModelError, match=r"pearce_hall: initial_associability is .*, expected a number of 0 or more"):
        rl.catalogue.pearce_hall(initial_associability=given)


def test_pearce_hall_may_start_at_no_associability():
    model = rl.catalogue.pearce_hall(initial_associability=0)
    assert set(model.parameters) == {"alpha", "alpha_associability", "beta"}
