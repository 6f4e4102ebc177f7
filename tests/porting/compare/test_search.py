"""The search: rounding, pairs, nearest ones, constants; and what a report says."""

import dataclasses

import legacy
import numpy as np
import pytest

import rlbackends as rl
from rlbackends.porting.compare.mistakes import MISTAKES
from rlbackends.porting.compare.setup import Setup, predicted
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, random_subjects

PARAMS = {"alpha_pos": [0.2, 0.5, 0.35, 0.6, 0.15], "alpha_neg": [0.4, 0.1, 0.3, 0.25, 0.5],
          "beta": [2.0, 1.2, 0.7, 1.6, 2.4], "forgetting": [0.1, 0.05, 0.2, 0.3, 0.15]}  # fmt: skip


def compare(function, **settings):
    model, data = legacy.bandit_model(), legacy.bandit_data(*legacy.bandit_arrays())
    return rl.compare_likelihood(model, data, function, PARAMS, **{"backend": "reference", **settings})


def old(mistake=""):
    return legacy.bandit(*legacy.bandit_arrays(), mistake)


def in_32_bits(mistake=""):
    choice, reward, block = legacy.bandit_arrays()

    def function(params):
        found = np.zeros(choice.shape, np.float32)
        for s in range(5):
            a_pos, a_neg, beta, f = (np.float32(params[k][s]) for k in PARAMS)
            for t in range(choice.shape[1]):
                if t == 0 or block[s, t] != block[s, t - 1]:
                    q = np.full(3, 0.5, np.float32)
                before = q.copy()
                q = (np.float32(1) - f) * q
                error = np.float32(reward[s, t]) - q[choice[s, t]]
                q[choice[s, t]] += (a_pos if error > 0 else a_neg) * error
                x = beta * (q if mistake == "after" else before)
                found[s, t] = x[choice[s, t]] - np.log(np.exp(x).sum())
        return found

    return function


def test_32_bit_arithmetic_is_said_to_be_that():
    report = compare(in_32_bits())
    assert not report.same and 1e-8 < report.difference < 1e-5
    assert [item.mistake for item in report.explained] == ["32-bit arithmetic"]
    assert "float32" in report.notes[0]


def test_one_number_that_differs_a_little_is_no_rounding():
    change = np.zeros((5, 24))
    change[3, 7] = 1e-7
    report = compare(lambda params: old()(params) + change)
    assert report.n_different == 1 and report.explained == ()


@pytest.mark.parametrize("inverse", [False, True])
def test_parameters_in_the_order_of_the_alphabet_are_found(inverse):
    order = np.argsort([str(label) for label in legacy.BANDIT_SUBJECTS])
    order = np.argsort(order) if inverse else order
    report = compare(lambda params: old()({name: values[order] for name, values in params.items()}))
    assert report.explanations[0].mistake == "order of subjects" and report.explanations[0].explains


def test_a_mistake_in_32_bits_is_named_with_the_rounding_it_leaves():
    report = compare(in_32_bits("after"))
    first = report.explanations[0]
    assert first.mistake == "values after the update" and first.explains and first.single_precision
    assert "up to the rounding of 32-bit arithmetic" in " ".join(str(report).split())


def test_two_mistakes_at_once_are_found():
    report = compare(lambda params: -old("after")(params))
    assert report.n_pairs > 0
    first = report.explanations[0]
    assert first.explains and {"values after the update", "sign or factor"} == set(first.mistake.split(", and "))


@pytest.mark.parametrize("paired", [False, True])
def test_an_order_of_subjects_and_another_mistake_are_found(paired):
    # Among the first few subjects, on whom pairs are tried first, this order is ours.
    labels = [f"s{i + 1}" for i in range(12)]
    order = np.argsort(labels)
    assert order[:2].tolist() == [0, 9]
    rng = np.random.default_rng(3)
    choice, reward = rng.integers(0, 2, (12, 60)), rng.integers(0, 2, (12, 60)).astype(float)

    def function(params):
        alpha, beta = (params[k][order] if paired else params[k] for k in ("alpha", "beta"))
        found, q, everyone = np.zeros((12, 60)), np.zeros((12, 2)), np.arange(12)
        for t in range(60):
            c = choice[:, t]
            q[everyone, c] += alpha * (reward[:, t] - q[everyone, c])
            found[:, t] = beta * q[everyone, c] - np.log(np.exp(beta[:, None] * q).sum(axis=1))
        return found if paired else found[order]

    data = rl.Trials.from_arrays(subjects=labels, choice=choice, reward=reward)
    first = rl.compare_likelihood(rl.catalogue.rescorla_wagner(), data, function, backend="reference").explanations[0]
    assert first.explains and "alphabetical" in first.detail
    assert first.mistake == "values after the update, and order of subjects"


def test_pairs_take_the_nearest_variants():
    # "all that is missing counts as 0" is among the last ways to count what is missing, and the nearest here.
    rng = np.random.default_rng(4)
    choice, reward = rng.integers(0, 2, (4, 30)).astype(float), np.round(rng.uniform(0, 1, (4, 30)), 2)
    choice[rng.random((4, 30)) < 0.1] = np.nan
    reward[rng.random((4, 30)) < 0.1] = np.nan
    filled, outcome = np.nan_to_num(choice).astype(int), np.nan_to_num(reward)

    def function(params):
        found, q, everyone = np.zeros((4, 30)), np.zeros((4, 2)), np.arange(4)
        for t in range(30):
            c, beta = filled[:, t], params["beta"]
            q[everyone, c] += params["alpha"] * (outcome[:, t] - q[everyone, c])
            found[:, t] = beta * q[everyone, c] - np.log(np.exp(beta[:, None] * q).sum(axis=1))
        return found

    data = rl.Trials.from_arrays(choice=choice, reward=reward)
    first = rl.compare_likelihood(rl.catalogue.rescorla_wagner(), data, function, backend="reference").explanations[0]
    assert first.explains and first.detail == "all that is missing counts as 0"
    assert first.mistake == "values after the update, and missing trials counted"


def test_explanations_that_tie_are_said_to_need_more_points():
    report = compare(old("after"))
    assert len(report.explained) == 1 and "told apart" not in str(report)
    tied = dataclasses.replace(report, explanations=(*report.explained, *report.explained))
    assert "At one point they can't be told apart: compare at several" in " ".join(str(tied).split())
    tied = dataclasses.replace(tied, sums=tied.sums * 3)
    assert "At these points they can't be told apart." in " ".join(str(tied).split())


def test_what_nothing_explains_is_said_with_what_comes_nearest():
    rng = np.random.default_rng(0)
    report = compare(lambda params: old("after")(params) + rng.normal(0, 0.01, (5, 24)))
    assert report.explained == () and report.explanations[0].mistake == "values after the update"
    text = " ".join(str(report).split())
    assert "None of the usual mistakes explains it, nor does any of" in text
    assert "nearest: values after the update: difference left 0.0" in text


@pytest.mark.slow
def test_noise_has_no_nearest():
    noise = np.random.default_rng(0).normal(0, 1e-3, (5, 24))
    assert "none comes nearer" in " ".join(str(compare(lambda params: old()(params) + noise)).split())


@pytest.mark.parametrize("change", [lambda x: 0.93 * x, lambda x: x + 0.25])
def test_constants_are_solved_for(change):
    report = compare(lambda params: change(old()(params)))
    assert report.explanations[0].mistake in ("a constant factor", "a constant added")
    assert report.explanations[0].detail in ("times 0.93", "plus 0.25")


def test_a_constant_is_no_explanation_of_one_number():
    # On everyone's first trial ours is log ½, and any other number is that times a constant.
    data = rl.Trials.from_arrays(choice=[[1], [0], [1]], reward=[[1.0], [0.0], [1.0]])
    model = rl.catalogue.rescorla_wagner()
    report = rl.compare_likelihood(model, data, lambda params: np.full(3, -0.4), backend="reference")
    assert report.explained == ()


@pytest.mark.parametrize("level", ["trial", "subject"])
def test_rows_in_any_other_order_are_found(level):
    order = [3, 0, 4, 2, 1]
    report = compare(lambda params: old()(params)[order] if level == "trial" else old()(params).sum(axis=1)[order])
    assert report.explanations[0].mistake == "order of subjects"
    assert report.explanations[0].detail == "your rows are those of subjects 11, 8, 12, 10, 9"


def test_the_constant_of_an_initial_value_is_named():
    assert compare(old("starts at 0.2")).explanations[0].detail == "'q' starts at 0.2"
    assert compare(old("hard-coded")).explanations[0].detail == "forgetting is 0.37"


@pytest.mark.slow
def test_the_nearest_value_is_no_explanation_of_a_single_number():
    # One constant makes one number right, whatever is wrong.
    report = compare(lambda params: old()(params).sum() - 1.0)
    assert not any(item.mistake == "another initial value" for item in report.explained)


def test_a_report_reads_well():
    report = compare(old("after"))
    lines = str(report).splitlines()
    assert lines[0].startswith("Not the same: 120 of 120 log-likelihoods differ, by up to ")
    assert "They part first at subject 8, trial 1:" in lines
    words = " ".join(str(report).split())
    assert "What explains it: values after the update: a choice is explained by values that have already" in words
    assert "In your script: Use the values as they are before the trial's update" in words
    assert max(map(len, lines)) <= 120


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_mistake_can_be_made_in_every_model(name):
    # Whatever the model, a mistake gives numbers of the right shape, and it does not change what it is made in.
    import random

    rng = random.Random(name)
    case = CASES[name]
    model = case.model()
    data = as_trials(model, random_subjects(case, rng, (9, 7))).bind(model)
    point = {k: np.array(v) for k, v in case.draw_params(rng, 2).items()}
    setup = Setup.of(model, data, [point])
    before = {field.name: getattr(setup, field.name) for field in dataclasses.fields(setup)}
    for mistake in MISTAKES:
        for detail, change in mistake.variants(setup, data):
            changed = change(setup)
            if changed is not None:
                for values in predicted(changed, apart=True)[0].values():
                    assert values.shape == (1, 2, data.n_steps), (mistake.word, detail)
    assert all(before[name] is getattr(setup, name) for name in before)
