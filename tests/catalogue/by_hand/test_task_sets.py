"""A few trials of the models with task sets worked out on paper.

There are two seasons, aliens, actions and task sets. Inverse temperatures are logarithms, so that weights are
powers. Every test states each trial's values before its choice; values that are not told are at the start,
where forgetting does not move them.
"""

import random
from math import log, nan, sqrt

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.testing import assert_close
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, random_subjects
from tests.catalogue.by_hand.by_hand import assert_by_hand

TWO = dict.fromkeys(["n_seasons", "n_aliens", "n_actions", "n_task_sets"], 2)
MODELS = ["aliens_task_sets", "aliens_task_sets_argmax", "aliens_bayesian"]


def aliens(*trials):
    """Return trials from season, alien, choice and reward."""
    return [dict(zip(("season", "alien", "choice", "reward"), trial, strict=True)) for trial in trials]


def test_aliens_task_sets():
    # Q_low starts at 0, Q_high at (1, 0) in season 0 and (0, 1) in season 1. α = 8/11, f = ½, α' = f' = ½,
    # β' = ln 3: a task set of value q weighs 3^q. β = ln 4: an action of value q weighs 4^q.
    # 1: season 0: weights 3 and 1, w = (¾, ¼). Alien 0, all 0: 1/2. Choice 0, reward 11/2: both sets are wrong
    #    by 11/2: low = 8/11 · ¾ · 11/2 = 3 in set 0, 8/11 · ¼ · 11/2 = 1 in set 1. High: wrong by 9/2 and 11/2,
    #    so (1 + ½ · ¾ · 9/2, ½ · ¼ · 11/2) = (43/16, 11/16).
    # 2: season 1: w = (¼, ¾); action 0 is worth ¼ · 3 + ¾ · 1 = 3/2, weights 8 and 1: 8/9, without having been
    #    tried in this season. Reward 0: low is forgotten to 3/2 and ½ and wrong by as much; expected −¾. So
    #    3/2 − 8/11 · ¼ · 3/2 = 27/22 and ½ − 8/11 · ¾ · ½ = 5/22. High of season 0 is forgotten to
    #    ½ (43/16, 11/16) + ½ (1, 0) = (59/32, 11/32), of season 1 not, and there wrong by 0 and −1:
    #    (0, 1 − ½ · ¾) = (0, 5/8).
    # 3: season 0: the sets differ by 48/32, so w0 = 3^1.5/(1 + 3^1.5); action 0 is worth 27/22 w0 + 5/22 (1 −
    #    w0) = 5/22 + w0. Action 1 has 1/(1 + 4^(5/22 + w0)). No reward: nothing moves.
    # 4: season 1, no alien and no choice: low holds. Reward 1; high is forgotten, of season 0 to ½ (59/32,
    #    11/32) + ½ (1, 0) = (91/64, 11/64), of season 1 to (0, 13/16), by which it is wrong by 1 and 3/16. With
    #    the weights of before, 1 and 3^(5/8), w = (v, 1 − v), it becomes (½ v, 13/16 + 3/32 (1 − v)).
    # 5: season 0: the sets differ by 80/64; action 1 as in 3, with w0 = 3^1.25/(1 + 3^1.25).
    trials = aliens((0, 0, 0, 5.5), (1, 0, 0, 0.0), (0, 0, 1, None), (1, None, None, 1.0), (0, 0, 1, 0.0))
    third, fifth = (3**d / (1 + 3**d) for d in (1.5, 1.25))
    v = 1 / (1 + 3 ** (5 / 8))
    expected = {
        "choice": [1 / 2, 8 / 9, 1 / (1 + 4 ** (5 / 22 + third)), nan, 1 / (1 + 4 ** (5 / 22 + fifth))],
    }
    trajectories = {
        "weights": [[3 / 4, 1 / 4], [1 / 4, 3 / 4], [third, 1 - third], [v, 1 - v], [fifth, 1 - fifth]],
        "q_high": [
            [[1, 0], [0, 1]],
            [[43 / 16, 11 / 16], [0, 1]],
            [[59 / 32, 11 / 32], [0, 5 / 8]],
            [[59 / 32, 11 / 32], [0, 5 / 8]],
            [[91 / 64, 11 / 64], [v / 2, 13 / 16 + 3 / 32 * (1 - v)]],
        ],
    }
    half = dict.fromkeys(["forgetting", "alpha_high", "forgetting_high"], 0.5)
    params = {**half, "alpha": 8 / 11, "beta": log(4), "beta_high": log(3)}
    settings = {**TWO, "initial": 0.0, "initial_high": [[1.0, 0.0], [0.0, 1.0]]}
    assert_by_hand("aliens_task_sets", trials, params, expected, trajectories, **settings)
    # Of the first two trials, the errors: all of 11/2; ¾ · 9/2 + ¼ · 11/2 = 19/4; those told in 2: −¾, and −¾.
    errors = {"prediction_error": [11 / 2, -3 / 4], "prediction_error_high": [19 / 4, -3 / 4]}
    first = {"choice": expected["choice"][:2]}
    assert_by_hand("aliens_task_sets", trials[:2], params, first, errors, **settings)


def test_aliens_task_sets_argmax():
    # Everything starts at 1; all rates are ½; β = ln 4: an action of value q weighs 4^q = 2^(2q).
    # 1: season 0: the sets tie at 1, so set 0. Alien 0, (1, 1): 1/2. Choice 0, reward 0: low of set 0 (½, 1);
    #    high of season 0 (½, 1).
    # 2: season 0: set 1, of which nothing is known, (1, 1): 1/2. Choice 0, reward 3: set 0 is forgotten to
    #    (¾, 1); set 1 is (2, 1). High of season 0 is forgotten to (¾, 1), and becomes (¾, 2).
    # 3: season 1: a tie, so set 0, (¾, 1), weights 2^1.5 and 4; action 1 has √2/(1 + √2) = 2 − √2. Reward 1,
    #    which is what was expected: set 0 is (⅞, 1), set 1 (3/2, 1), high of season 1 still a tie, of season 0
    #    forgotten to (⅞, 3/2).
    # 4: season 0: set 1, (3/2, 1), weights 8 and 4: 2/3. No reward: nothing moves.
    # 5: season 1: a tie, so set 0, (⅞, 1), weights 2^1.75 and 4: action 0 has 1/(1 + 2^¼).
    trials = aliens((0, 0, 0, 0.0), (0, 0, 0, 3.0), (1, 0, 1, 1.0), (0, 0, 0, None), (1, 0, 0, 1.0))
    expected = {"choice": [1 / 2, 1 / 2, 2 - sqrt(2), 2 / 3, 1 / (1 + 2**0.25)]}
    season0 = [(1, 1), (1 / 2, 1), (3 / 4, 2), (7 / 8, 3 / 2), (7 / 8, 3 / 2)]
    trajectories = {
        "weights": [[1, 0], [0, 1], [1, 0], [0, 1], [1, 0]],
        "above_start": [[[high0 - 1, high1 - 1], [0, 0]] for high0, high1 in season0],
        "prediction_error": [-1, 2, 0, nan, 1 / 16],
        "prediction_error_high": [-1, 2, 0, nan, 0],
    }
    params = dict.fromkeys(["alpha", "forgetting", "alpha_high", "forgetting_high"], 0.5)
    settings = {**TWO, "initial": 1.0}
    assert_by_hand("aliens_task_sets_argmax", trials, {**params, "beta": log(4)}, expected, trajectories, **settings)


def test_aliens_bayesian():
    # Q_low starts at 0, the belief at (¾, ¼) in season 0 and (¼, ¾) in season 1. α = 1, f = ½, β = ln 16, and
    # precision 8/3 · ln 3: a set that is wrong by δ has the likelihood 3^(−4/3 · δ²).
    # 1: season 0, alien 0, all 0: 1/2. Choice 0, reward 2: both sets are wrong by 2, the belief stays (¾, ¼).
    #    Low: ¾ · 2 = 3/2 in set 0, ¼ · 2 = ½ in set 1.
    # 2: season 1: action 0 is worth ¼ · 3/2 + ¾ · ½ = ¾, weights 8 and 1: 8/9. Reward 5/4: low is forgotten to
    #    ¾ and ¼, wrong by ½ and 1, by ¼ · ½ + ¾ · 1 = ⅞ as expected before. The likelihoods are as 3^(−1/3) to
    #    3^(−4/3), 3 to 1, so ¼ · 3 to ¾ · 1: (½, ½). Low: ¾ + ½ · ½ = 1 and ¼ + ½ · 1 = ¾.
    # 3: season 1: action 0 is worth ½ + ⅜ = ⅞; action 1 has 1/(1 + 16^⅞). No reward: nothing moves.
    # 4: season 0: the belief is (¾, ¼) still; action 0 is worth ¾ + 3/16 = 15/16: 16^(15/16)/(1 + 16^(15/16)).
    trials = aliens((0, 0, 0, 2.0), (1, 0, 0, 1.25), (1, 0, 1, None), (0, 0, 0, None))
    expected = {"choice": [1 / 2, 8 / 9, 1 / (1 + 2**3.5), 2**3.75 / (1 + 2**3.75)]}
    trajectories = {
        "posterior": [[3 / 4, 1 / 4], [1 / 2, 1 / 2], [nan, nan], [nan, nan]],
        "prediction_error": [2, 7 / 8, nan, nan],
        "log_belief": np.log([[[3 / 4, 1 / 4], [1 / 4, 3 / 4]]] * 2 + [[[3 / 4, 1 / 4], [1 / 2, 1 / 2]]] * 2),
    }
    params = {"alpha": 1.0, "beta": log(16), "forgetting": 0.5, "precision": 8 / 3 * log(3)}
    settings = {**TWO, "initial": 0.0, "initial_belief": [[0.75, 0.25], [0.25, 0.75]]}
    assert_by_hand("aliens_bayesian", trials, params, expected, trajectories, **settings)


@pytest.mark.parametrize("name", ["aliens_task_sets", "aliens_task_sets_argmax"])
def test_a_set_for_each_season_is_the_flat_model(name):
    # Set s is worth 1 more in season s for good; with β' = 1,000 another set weighs e^−1000, which is 0.
    rng, case = random.Random(5), CASES["aliens"]
    trials = as_trials(case.model(), random_subjects(case, rng, (40, 25)))
    flat = case.draw_params(rng, 2)
    hierarchical = {**flat, "alpha_high": 0.0, "forgetting_high": 0.0}
    if name == "aliens_task_sets":
        hierarchical["beta_high"] = 1e3
    model = rl.catalogue.MODELS[name](initial_high=(0.12 + np.eye(3)).tolist())
    found, wanted = (rl.compile(m, trials) for m in (model, case.model()))
    assert_close(found.log_likelihood(hierarchical), wanted.log_likelihood(flat), "log_likelihood")
    (_, gradient), (_, flat_gradient) = found.value_and_gradient(hierarchical), wanted.value_and_gradient(flat)
    assert_close({key: gradient[key] for key in flat}, flat_gradient, "gradient")


def played(name, **settings):
    """Return a model, trials of its case, and the middle of its parameters' ranges."""
    case = CASES[name]
    model = case.make(**settings)
    return model, as_trials(model, random_subjects(case, random.Random(7), (40, 40), missing=0.0)), case.middle()


def test_no_gradient_reaches_what_only_an_argmax_depends_on():
    model, trials, params = played("aliens_task_sets_argmax", initial=1.0)
    compiled = rl.compile(model, trials)
    _, gradient = compiled.value_and_gradient(params)
    assert all((gradient[name] == 0).all() for name in ("alpha_high", "forgetting_high"))
    assert all((gradient[name] != 0).all() for name in ("alpha", "beta", "forgetting"))
    # Yet they matter: without learning season and set 0 never part.
    other = compiled.log_likelihood({**params, "alpha_high": 0.0})["choice"]
    assert not other.equals(compiled.log_likelihood(params)["choice"])


def test_the_first_set_is_kept_while_rewards_are_above_the_start():
    model, trials, params = played("aliens_task_sets_argmax", initial=0.12)
    assert trials.events["reward"].values.min() > 0.12
    assert (rl.compile(model, trials).trajectories(params)["weights"] == [1, 0, 0]).all()


def test_the_task_sets_parameters_have_a_gradient():
    model, trials, params = played("aliens_task_sets")
    _, gradient = rl.compile(model, trials).value_and_gradient(params)
    assert all((gradient[name] != 0).all() for name in params)


@pytest.mark.parametrize("name", MODELS)
def test_one_task_set_is_none(name):
    with pytest.raises(ModelError, match=f"{name}: n_task_sets is 1, expected 2 or more"):
        rl.catalogue.MODELS[name](n_task_sets=1)


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("aliens_task_sets", "initial_high"),
        ("aliens_task_sets_argmax", "initial_high"),
        ("aliens_bayesian", "initial_belief"),
    ],
)
@pytest.mark.parametrize("given", [[[1.0, 2.0]], [[1.0, 2.0], [1.0]], "high"])
def test_the_start_is_a_row_a_season(name, setting, given):
    with pytest.raises(ModelError, match=f"{name}: {setting} is .*, expected 3 rows, one a season, of 3 numbers"):
        rl.catalogue.MODELS[name](**{setting: given})


def test_task_sets_start_apart():
    alike = r"initial_high is \[\[1.0, 1.0\], \[2.0, 2.0\]\], in which task sets 0 and 1 start alike in every season"
    with pytest.raises(ModelError, match=alike):
        rl.catalogue.aliens_task_sets(**TWO, initial_high=[[1.0, 1.0], [2.0, 2.0]])
    with pytest.raises(ModelError, match="task sets 0 and 1 start alike in every season"):
        rl.catalogue.aliens_bayesian(**TWO, initial_belief=[[0.5, 0.5], [0.5, 0.5]])


@pytest.mark.parametrize("rows", [[[1.0, 0.0], [0.5, 0.5]], [[0.5, 0.6], [0.5, 0.5]]])
def test_beliefs_are_probabilities(rows):
    with pytest.raises(ModelError, match="expected probabilities above 0 that sum to 1 in each row"):
        rl.catalogue.aliens_bayesian(**TWO, initial_belief=rows)
