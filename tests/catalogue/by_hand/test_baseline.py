"""A few trials of the models that learn no values worked out on paper."""

from math import nan

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from tests.catalogue.by_hand.by_hand import assert_by_hand, bandit


def test_biased_responding():
    # b = 1/4: action 0 has 1/4, action 1 has 3/4, on the last trial as on the first.
    trials = [{"choice": choice} for choice in (0, 1, None, 1, 0)]
    assert_by_hand("biased_responding", trials, {"bias": 0.25}, {"choice": [1 / 4, 3 / 4, nan, 3 / 4, 1 / 4]})


def test_win_stay_lose_shift():
    # ε = 1/4: the rule's action has 1 − ε/2 = 7/8, the other 1/8.
    # 1: no rule yet; 1/2. Action 0, a win: stay with 0.
    # 2: 0 follows the rule: 7/8. Outcome 0, a loss: shift to 1.
    # 3: 0 is against it: 1/8. A loss again: shift to 1.
    # 4: 1 follows it: 7/8. Its outcome is missing: still to 1.
    # 5: no choice; its outcome says nothing.
    # 6: 1 follows it: 7/8. Outcome −1, a loss: shift to 0.
    # 7: 1 is against it: 1/8.
    trials = bandit((0, 1.0), (0, 0.0), (0, 0.0), (1, None), (None, 1.0), (1, -1.0), (1, 1.0))
    expected = {"choice": [1 / 2, 7 / 8, 1 / 8, 7 / 8, nan, 7 / 8, 1 / 8]}
    favoured = [[1 / 2, 1 / 2], [1, 0], [0, 1], [0, 1], [0, 1], [0, 1], [1, 0]]
    assert_by_hand("win_stay_lose_shift", trials, {"lapse": 0.25}, expected, trajectories={"favoured": favoured})


def test_win_stay_lose_shift_of_four_actions():
    # ε = 1/5, a win is more than 5: an action that the rule does not take has ε/4 = 1/20.
    # 1: no rule yet; 1/4. Action 2, outcome 5, no win: to 0, 1 or 3, each 1/3.
    # 2: 3 has 4/5 · 1/3 + 1/20 = 19/60. Outcome 6, a win: stay with 3.
    # 3: 3 has 4/5 + 1/20 = 17/20. Outcome 0: to 0, 1 or 2.
    # 4: 3 has 1/20. A win: stay with 3.
    # 5: 0 has 1/20.
    trials = bandit((2, 5.0), (3, 6.0), (3, 0.0), (3, 9.0), (0, 0.0))
    expected = {"choice": [1 / 4, 19 / 60, 17 / 20, 1 / 20, 1 / 20]}
    assert_by_hand("win_stay_lose_shift", trials, {"lapse": 0.2}, expected, n_actions=4, win_above=5.0)


def test_win_stay_lose_shift_needs_an_action_to_shift_to():
    with pytest.raises(ModelError, match="win_stay_lose_shift: n_actions is 1, expected 2 or more"):
        rl.catalogue.win_stay_lose_shift(n_actions=1)
