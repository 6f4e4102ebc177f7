"""A response that is there although its rule needs what is missing; entries that a rule sets at once."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl

ALPHA = {"alpha": rl.Parameter(rl.UnitInterval())}


def stimulus_model(rule):
    def update(q, stimulus, choice, reward, alpha):
        return {"q": q.at[stimulus, choice].add(alpha * (reward - q[stimulus, choice]))}

    return rl.Model(
        "stimuli",
        parameters=ALPHA,
        states={"q": rl.State("stimulus_kind", "action")},
        trial={"stimulus": rl.Index("stimulus_kind"), "choice": rule, "reward": rl.Real()},
        update=update,
        sizes={"stimulus_kind": 2, "action": 2},
    )


def trials(**events):
    levels = {"stimulus": range(2), "choice": range(2)}
    return rl.Trials.from_arrays(subjects=["ann"], levels={k: v for k, v in levels.items() if k in events}, **events)


def test_stimulus_missing_where_the_choice_is_there():
    model = stimulus_model(lambda q, stimulus: rl.Categorical(logits=q[stimulus]))
    data = trials(stimulus=[[0, np.nan, 1]], choice=[[0, 1, 1]], reward=[[1, 0, 1]])
    with pytest.raises(rl.errors.DataError, match=r"Trial 2 of subject ann: choice is there, but 'stimulus'.*missing"):
        data.bind(model)


def test_stimulus_missing_with_the_choice_is_fine():
    model = stimulus_model(lambda q, stimulus: rl.Categorical(logits=q[stimulus]))
    bound = trials(stimulus=[[0, np.nan, 1]], choice=[[0, np.nan, 1]], reward=[[1, 0, 1]]).bind(model)
    assert bound.missing["stimulus"][0].tolist() == [False, True, False]


def test_a_rule_that_asks_whether_it_is_missing_may_respond():
    def rule(q, stimulus):
        return rl.Categorical(logits=rl.where(rl.is_missing(stimulus), 0.0, q[stimulus]))

    data = trials(stimulus=[[0, np.nan, 1]], choice=[[0, 1, 1]], reward=[[1, 0, 1]])
    model = stimulus_model(rule)
    # By hand: every value is 0 at first; trial 2 has no stimulus, so its choice is one of two alike.
    log_p = rl.compile(model, data).log_likelihood({"alpha": 0.0})["choice"].values[0]
    np.testing.assert_allclose(log_p, np.log(0.5), rtol=1e-15)


def test_nothing_is_said_of_a_branch_that_is_not_taken():
    def rule(q, gain, stimulus):
        likes = rl.where(gain > 0, rl.log(gain), 0.0)
        return rl.Categorical(logits=rl.where(likes > 0.3, q[stimulus], q[0]))

    model = rl.Model(
        "gains",
        parameters=ALPHA,
        states={"q": rl.State("stimulus_kind", "action")},
        trial={"gain": rl.Real(), "stimulus": rl.Index("stimulus_kind"), "choice": rule},
        update=lambda q, alpha: {"q": (1 - alpha) * q},
        sizes={"stimulus_kind": 2, "action": 2},
    )
    # The logarithm has no value at -1 and 0, where it is not taken; a warning would be an error here.
    trials(stimulus=[[np.nan, np.nan, 1]], choice=[[0, 1, 1]], gain=[[-1.0, 0.0, 2.0]]).bind(model)
    with pytest.raises(rl.errors.DataError, match="Trial 3 of subject ann: choice is there"):
        trials(stimulus=[[0, 0, np.nan]], choice=[[0, 1, 1]], gain=[[-1.0, 0.0, 2.0]]).bind(model)


def test_a_response_may_need_an_earlier_response():
    model = rl.Model(
        "twice",
        parameters={"beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action")},
        trial={
            "first": lambda q: rl.Categorical(logits=q),
            "second": lambda q, first, beta: rl.Categorical(logits=beta * rl.one_hot(first, q)),
        },
        update=lambda q: {},
        sizes={"action": 2},
    )
    data = rl.Trials.from_arrays(
        subjects=[1], first=[[0, np.nan]], second=[[0, 1]], levels={"first": range(2), "second": range(2)}
    )
    with pytest.raises(rl.errors.DataError, match="second is there, but 'first', which its rule needs"):
        data.bind(model)


def test_entries_set_at_once_are_distinct():
    def update(seen, pair):
        return {"seen": seen.at[pair].set(1.0)}

    model = rl.Model(
        "pairs",
        parameters={"beta": rl.Parameter(rl.Positive())},
        states={"seen": rl.State("item")},
        trial={"pair": rl.Index("item", "side"), "choice": lambda seen, beta: rl.Bernoulli(logits=beta * seen[0])},
        update=update,
        sizes={"item": 3, "side": 2},
    )
    levels = {"pair": range(3), "choice": range(2)}
    fine = rl.Trials.from_arrays(subjects=[1], pair=[[[0, 1], [2, 0]]], choice=[[0, 1]], levels=levels)
    assert fine.bind(model).n_steps == 2
    twice = rl.Trials.from_arrays(subjects=[1], pair=[[[0, 1], [2, 2]]], choice=[[0, 1]], levels=levels)
    with pytest.raises(rl.errors.DataError, match="Trial 2 of subject 1: pair names one entry twice"):
        twice.bind(model)
