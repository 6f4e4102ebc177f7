"""A few trials of the models with a value for each action or stimulus worked out on paper.

Inverse temperatures are logarithms, so that the softmax's weights are powers: with β = ln b an action of
value q weighs b^q. Every test states each trial's values before its choice, and the weights of the actions.
"""

import random
from math import log, nan, sqrt

import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.testing import assert_close
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, random_subjects
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


def test_stimulus_action_learning():
    # Two actions, so Q0 = 1/2; α = 1/2, β = ln 16: an action of value q weighs 16^q = 2^(4q).
    # 1: stimulus 0: (½, ½); action 0 has 1/2. Reward 1: (¾, ½).
    # 2: stimulus 1: (½, ½), as nothing was learnt about it; action 1 has 1/2. Reward 0: (½, ¼).
    # 3: stimulus 0: (¾, ½), weights 8 and 4; action 0 has 2/3. Reward 0: (⅜, ½).
    # 4: stimulus 1: (½, ¼), weights 4 and 2; action 0 has 2/3. Reward 1: (¾, ¼).
    # 5: stimulus 0: (⅜, ½), weights 2^1.5 and 2^2; action 1 has √2/(1 + √2).
    trials = [
        {"stimulus": stimulus, "choice": choice, "reward": reward}
        for stimulus, choice, reward in [(0, 0, 1.0), (1, 1, 0.0), (0, 0, 0.0), (1, 0, 1.0), (0, 1, 1.0)]
    ]
    expected = {"choice": [1 / 2, 1 / 2, 2 / 3, 2 / 3, sqrt(2) / (1 + sqrt(2))]}
    errors = {"prediction_error": [1 / 2, -1 / 2, -3 / 4, 1 / 2, 1 / 2]}
    params = {"alpha": 0.5, "beta": log(16)}
    assert_by_hand("stimulus_action_learning", trials, params, expected, errors, n_stimuli=2, n_actions=2)


def test_rl_working_memory():
    # Two actions, so both tables start at 1/2. α = φ = ρ = 1/2, C = 2, ε = 1/5, β = ln 16: an action of value
    # q weighs 16^q = 2^(4q). A mixture m makes the probability 4/5 · m + 1/10.
    # 1: set size 2, so w = ½ · min(1, 2/2) = ½. Stimulus 0, all ½: 1/2. Choice 0, reward 1: Q (¾, ½); WM's ½
    #    decay to ½, then the entry is set: (1, ½).
    # 2: WM: weights 16 and 4, 4/5; Q: weights 8 and 4, 2/3; m = ½ (4/5 + 2/3) = 11/15. (Had WM decayed after
    #    it was set: (¾, ½), 2/3 and 2/3.) Choice 0, reward 0: Q (⅜, ½); WM decays to (¾, ½), then (0, ½).
    # 3: stimulus 1, all ½: 1/2. Choice 1, reward 1: Q of stimulus 1 (½, ¾). WM decays: of stimulus 0 (¼, ½);
    #    of stimulus 1, all ½, then (½, 1).
    # 4: set size 4, so w = ½ · 2/4 = ¼. Stimulus 0: WM weights 2 and 4, action 1 has 2/3; Q weights 2^1.5 and
    #    2^2, action 1 has √2/(1 + √2) = 2 − √2; m = ¼ · 2/3 + ¾ (2 − √2). No reward: nothing is learnt and
    #    nothing decays.
    # 5: set size 2, stimulus 1: WM (½, 1), action 1 has 4/5; Q (½, ¾), 2/3; m = 11/15 again.
    trials = [
        {"set_size": size, "stimulus": stimulus, "choice": choice, "reward": reward}
        for size, stimulus, choice, reward in [
            (2.0, 0, 0, 1.0), (2.0, 0, 0, 0.0), (2.0, 1, 1, 1.0), (4.0, 0, 1, None), (2.0, 1, 1, 1.0),
        ]
    ]  # fmt: skip
    again = 4 / 5 * 11 / 15 + 1 / 10
    fourth = 4 / 5 * (1 / 4 * 2 / 3 + 3 / 4 * (2 - sqrt(2))) + 1 / 10
    expected = {"choice": [1 / 2, again, 1 / 2, fourth, again]}
    trajectories = {
        "wm_weight": [1 / 2, 1 / 2, 1 / 2, 1 / 4, 1 / 2],
        "prediction_error": [1 / 2, -3 / 4, 1 / 2, nan, 1 / 4],
        "wm": [
            [[1 / 2, 1 / 2], [1 / 2, 1 / 2]],
            [[1, 1 / 2], [1 / 2, 1 / 2]],
            [[0, 1 / 2], [1 / 2, 1 / 2]],
            [[1 / 4, 1 / 2], [1 / 2, 1]],
            [[1 / 4, 1 / 2], [1 / 2, 1]],
        ],
    }
    half = dict.fromkeys(["alpha", "forgetting", "rho"], 0.5)
    params = {**half, "beta": log(16), "capacity": 2.0, "lapse": 0.2}
    assert_by_hand("rl_working_memory", trials, params, expected, trajectories, n_stimuli=2, n_actions=2)


def test_working_memory_alone_forgets_its_share():
    # As above with ρ = 1 and ε = 0, so that working memory decides alone, and φ = 1/4.
    # 1: reward 1: WM (1, ½). 2: weights 16 and 4; choice 1 has 1/5. Reward 0: WM decays to (⅞, ½), then (⅞, 0).
    # 3: weights 2^3.5 and 1; choice 0 has 2^3.5/(2^3.5 + 1).
    trials = [
        {"set_size": 2.0, "stimulus": 0, "choice": choice, "reward": reward}
        for choice, reward in [(0, 1.0), (1, 0.0), (0, 1.0)]
    ]
    params = {"alpha": 0.5, "beta": log(16), "forgetting": 0.25, "rho": 1.0, "capacity": 2.0, "lapse": 0.0}
    expected = {"choice": [1 / 2, 1 / 5, 2**3.5 / (2**3.5 + 1)]}
    assert_by_hand("rl_working_memory", trials, params, expected, n_stimuli=2, n_actions=2)


def test_rl_working_memory_with_an_inverse_temperature_of_its_own():
    # As above, two trials; in working memory an action of value q weighs 256^q = 2^(8q).
    # 2: WM (1, ½): weights 2^8 and 2^4, 16/17; Q as above, 2/3; m = ½ (16/17 + 2/3).
    trials = [{"set_size": 2.0, "stimulus": 0, "choice": 0, "reward": 1.0} for _ in range(2)]
    expected = {"choice": [1 / 2, 4 / 5 * (16 / 17 + 2 / 3) / 2 + 1 / 10]}
    half = dict.fromkeys(["alpha", "forgetting", "rho"], 0.5)
    params = {**half, "beta": log(16), "capacity": 2.0, "lapse": 0.2}
    settings = {"n_stimuli": 2, "n_actions": 2, "beta_wm": log(256)}
    assert_by_hand("rl_working_memory", trials, params, expected, **settings)


def test_without_working_memory_and_lapses_it_is_the_table():
    rng, case = random.Random(3), CASES["rl_working_memory"]
    trials = as_trials(case.model(), random_subjects(case, rng, (30, 20)))
    params = {**case.draw_params(rng, 2), "rho": 0.0, "lapse": 0.0}
    of_the_table = {name: params[name] for name in ("alpha", "beta")}
    plain = rl.compile(rl.catalogue.stimulus_action_learning(), trials).log_likelihood(of_the_table)
    assert_close(rl.compile(case.model(), trials).log_likelihood(params), plain, "log_likelihood")


def pairs(*trials):
    """Return trials from the two stimuli, which of them was chosen, and the reward."""
    return [dict(zip(("first", "second", "choice", "reward"), trial, strict=True)) for trial in trials]


PAIRS = pairs((0, 1, 1, 1.0), (1, 0, 0, 0.0), (2, 1, 0, None), (2, 0, 0, 1.0), (0, 2, 1, 1.0))


def test_probabilistic_selection():
    # α⁺ = 1/2, α⁻ = 1/4, start ½, β = ln 16: a stimulus of value q weighs 16^q = 2^(4q).
    # 1: stimuli 0 and 1, ½ and ½: 1/2. The second, stimulus 1: reward 1, δ = ½: q1 = ¾.
    # 2: stimuli 1 and 0, ¾ and ½, weights 8 and 4; the first has 2/3. It is stimulus 1 again, reward 0,
    #    δ = −¾: q1 = ¾ − ¼ · ¾ = 9/16.
    # 3: stimuli 2 and 1, ½ and 9/16, weights 2^2 and 2^2.25; the first has 1/(1 + 2^¼). No feedback: nothing
    #    is learnt.
    # 4: stimuli 2 and 0, ½ and ½: 1/2. Stimulus 2, reward 1: q2 = ¾.
    # 5: stimuli 0 and 2, ½ and ¾; the second has 2/3.
    expected = {"choice": [1 / 2, 2 / 3, 1 / (1 + 2**0.25), 1 / 2, 2 / 3]}
    errors = {"prediction_error": [1 / 2, -3 / 4, nan, 1 / 2, 1 / 4]}
    params = {"alpha_pos": 0.5, "alpha_neg": 0.25, "beta": log(16)}
    assert_by_hand("probabilistic_selection", PAIRS, params, expected, errors)


def test_probabilistic_selection_one_rate():
    # The same trials with α = 1/2, from 0.
    # 1: 0 and 0: 1/2. Stimulus 1, reward 1: q1 = ½.
    # 2: stimuli 1 and 0, ½ and 0, weights 4 and 1: 4/5. Reward 0: q1 = ¼.
    # 3: stimuli 2 and 1, 0 and ¼, weights 1 and 2: the first has 1/3. No feedback.
    # 4: stimuli 2 and 0, both 0: 1/2. Stimulus 2, reward 1: q2 = ½.
    # 5: stimuli 0 and 2, 0 and ½: the second has 4/5.
    expected = {"choice": [1 / 2, 4 / 5, 1 / 3, 1 / 2, 4 / 5]}
    params = {"alpha": 0.5, "beta": log(16)}
    assert_by_hand("probabilistic_selection_one_rate", PAIRS, params, expected, initial=0.0)


def test_beta_wm_is_above_0():
    with pytest.raises(ModelError, match=r"rl_working_memory: beta_wm is -1\.0, expected a number above 0"):
        rl.catalogue.rl_working_memory(beta_wm=-1.0)
