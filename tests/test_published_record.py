"""The benchmark that audits published likelihoods: each does what is said of it; ours beside it is the library's."""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rlbackends as rl

_FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def record() -> Iterator[Any]:
    pytest.importorskip("scipy")
    path, known = list(sys.path), set(sys.modules)
    spec = importlib.util.spec_from_file_location("published_record", _FOLDER / "published_record.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["published_record"] = module  # where dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = path
    for name in set(sys.modules) - known:
        if name.startswith("published_"):
            del sys.modules[name]


@pytest.fixture(scope="module")
def published(record: Any) -> Any:
    return record.published


def _bandit(n_actions: int, *, lengths: tuple[int, ...] = (25, 25, 18)) -> tuple[dict[str, np.ndarray], Any]:
    """Return random choices and rewards, as the loops take them and as trials."""
    rng = np.random.default_rng(n_actions)
    choice = rng.integers(n_actions, size=(3, 25))
    reward = rng.choice([-1.0, 0.0, 1.0], size=(3, 25))
    there = np.arange(25) < np.array(lengths)[:, None]
    data = rl.Trials.from_arrays(choice=choice, reward=reward, lengths=lengths, levels={"choice": range(n_actions)})
    return {"choice": np.where(there, choice, -1), "reward": np.where(there, reward, 0.0)}, data


def _aliens() -> tuple[dict[str, np.ndarray], Any]:
    rng = np.random.default_rng(0)
    shape = (3, 40)
    events = {name: rng.integers(size, size=shape) for name, size in (("season", 3), ("alien", 4), ("choice", 3))}
    events["reward"] = rng.uniform(0, 8, shape).round(1)
    sizes = {"season": range(3), "alien": range(4), "choice": range(3)}
    return events, rl.Trials.from_arrays(**events, levels=sizes)


def _two_step() -> tuple[dict[str, np.ndarray], Any]:
    rng = np.random.default_rng(1)
    lengths = (30, 22, 30)
    events = {name: rng.integers(2, size=(3, 30)) for name in ("choice1", "state2", "choice2")}
    reward = rng.integers(2, size=(3, 30)).astype(float)
    data = rl.Trials.from_arrays(**events, reward=reward, lengths=lengths, levels={name: range(2) for name in events})
    there = np.arange(30) < np.array(lengths)[:, None]
    coded = {name: np.where(there, codes, -1) for name, codes in events.items()}
    return coded | {"reward": np.where(there, reward, 0.0)}, data


RATES = {"alpha_pos": [0.2, 0.5, 0.9], "alpha_neg": [0.6, 0.1, 0.3], "beta": [0.5, 2.0, 4.0]}
ONE_RATE = {"alpha": [0.2, 0.5, 0.9], "beta": [0.5, 2.0, 4.0]}
FLAT = {"alpha": [0.2, 0.5, 0.9], "beta": [0.3, 1.0, 2.0], "forgetting": [0.0, 0.1, 0.6]}
HYBRID = {
    "beta1": [1.0, 3.0, 5.0], "beta2": [2.0, 4.0, 1.0], "alpha1": [0.2, 0.5, 0.9], "alpha2": [0.7, 0.3, 0.5],
    "eligibility": [0.1, 0.6, 1.0], "w": [0.0, 0.4, 1.0], "stay": [-0.5, 0.2, 1.0],
}  # fmt: skip


def _arrays(params: dict[str, list[float]]) -> dict[str, np.ndarray]:
    return {name: np.array(values) for name, values in params.items()}


def _ours(model: Any, data: Any, params: dict[str, np.ndarray]) -> np.ndarray:
    """Return the library's log-likelihood of each trial, responses summed; 0 where there is none."""
    found = rl.compile(model, data, "reference").log_likelihood(params)
    return np.sum([np.nan_to_num(found[name].values) for name in model.responses], axis=0)


# What is right equals the library


def test_the_right_loops_give_the_librarys_numbers(published: Any) -> None:
    cases = [
        (rl.catalogue.rescorla_wagner_two_rates(n_actions=4), *_bandit(4), _arrays(RATES),
         lambda e, p: published.two_rates(e, p, score="one choice", n_actions=4)),
        (rl.catalogue.rescorla_wagner(initial=0.5), *_bandit(2), _arrays(ONE_RATE),
         lambda e, p: published.delta_rule(e, p, score="one choice", values="before", n_actions=2, initial=0.5)),
        (rl.catalogue.aliens(), *_aliens(), _arrays(FLAT), lambda e, p: published.aliens(e, p, row="shown")),
        (rl.catalogue.aliens(), *_aliens(), _arrays(FLAT), published.aliens_without_guard),
        (rl.catalogue.two_step(), *_two_step(), _arrays(HYBRID),
         lambda e, p: published.two_step(e, p, last_step="before")),
    ]  # fmt: skip
    for model, events, data, params, loop in cases:
        np.testing.assert_allclose(loop(events, params), _ours(model, data, params), rtol=1e-12, atol=1e-13)


def test_parameters_may_have_axes_before_the_subjects(published: Any) -> None:
    events, _ = _aliens()
    params = _arrays(FLAT)
    several = {name: np.stack([values, values * 0.5]) for name, values in params.items()}
    found = published.aliens(events, several, row="previous")
    assert found.shape == (2, 3, 40)
    np.testing.assert_allclose(found[0], published.aliens(events, params, row="previous"), rtol=1e-14)


# 1: independent answers


def test_answers_are_the_sum_of_bernoullis_by_hand(published: Any) -> None:
    events, data = _bandit(4)
    model, params = rl.catalogue.rescorla_wagner_two_rates(n_actions=4), _arrays(RATES)
    found = published.two_rates(events, params, score="answers", n_actions=4)
    q = rl.compile(model, data, "reference").trajectories(params)["q"].values
    for s in range(3):
        for t in range(25):
            choice = events["choice"][s, t]
            if choice < 0:
                assert found[s, t] == 0
                continue
            weights = [math.exp(params["beta"][s] * value) for value in q[s, t]]
            p = [weight / sum(weights) for weight in weights]
            expected = sum(math.log(p[a] if a == choice else 1 - p[a]) for a in range(4))
            assert found[s, t] == pytest.approx(expected, rel=1e-11)


def test_two_answers_are_one_choice_counted_twice(published: Any) -> None:
    events, _ = _bandit(2)
    params, scores = _arrays(RATES), ("one choice", "answers")
    both = [published.two_rates(events, params, score=score, n_actions=2) for score in scores]
    np.testing.assert_allclose(both[1], 2 * both[0], rtol=1e-12)


def test_answers_are_finite_where_a_choice_is_all_but_certain(published: Any) -> None:
    logits = np.array([[900.0, 0.0, 0.0]])
    assert published.independent_answers(logits, np.array([0]))[0] == pytest.approx(0.0, abs=1e-12)
    # log p is −900; the first action's no is the others' log 2 − 900; the third's no is log 1.
    assert published.independent_answers(logits, np.array([1]))[0] == pytest.approx(math.log(2) - 1800, rel=1e-12)


# 2: the sum over actions


def test_the_sum_over_actions_says_nothing_of_choices_or_parameters(published: Any) -> None:
    events, _ = _bandit(2)
    for params in (_arrays(ONE_RATE), {"alpha": np.ones(3), "beta": np.full(3, 30.0)}):
        found = published.delta_rule(events, params, score="sum", values="after", n_actions=2, initial=0.5)
        assert np.abs(found).max() < 1e-13


def test_values_after_the_update_are_those_of_the_next_trial(published: Any) -> None:
    events, data = _bandit(2, lengths=(25, 25, 25))
    params = _arrays(ONE_RATE)
    found = published.delta_rule(events, params, score="one choice", values="after", n_actions=2, initial=0.5)
    model = rl.catalogue.rescorla_wagner(initial=0.5)
    q = rl.compile(model, data, "reference").trajectories(params)["q"].values
    log_p = published.log_softmax(params["beta"][:, None, None] * q)
    later = np.take_along_axis(log_p[:, 1:], events["choice"][:, :-1, None], axis=-1)[..., 0]
    np.testing.assert_allclose(found[:, :-1], later, rtol=1e-12)


# 3: another trial's stimulus


def test_the_previous_stimulus_meets_values_that_are_up_to_date(published: Any) -> None:
    events, data = _aliens()
    params = _arrays(FLAT)
    found = published.aliens(events, params, row="previous")
    q = rl.compile(rl.catalogue.aliens(), data, "reference").trajectories(params)["q"].values
    np.testing.assert_allclose(found[:, 0], -math.log(3), rtol=1e-12)
    for s in range(3):
        for t in range(1, 40):
            row = params["beta"][s] * q[s, t, events["season"][s, t - 1], events["alien"][s, t - 1]]
            expected = row[events["choice"][s, t]] - math.log(np.exp(row).sum())
            assert found[s, t] == pytest.approx(expected, rel=1e-11)


def test_weights_without_a_guard_overflow_where_rates_leave_their_range(published: Any) -> None:
    events, _ = _aliens()
    wild = _arrays(FLAT) | {"forgetting": np.array([0.1, -0.5, 0.1]), "beta": np.array([0.3, 1.0, 200.0])}
    finite = np.isfinite(published.aliens_without_guard(events, wild)).all(axis=1)
    assert finite.tolist() == [True, False, False]


# 4: the last step


def test_the_last_step_after_the_update_is_the_catalogues_variant(published: Any) -> None:
    events, data = _two_step()
    params = _arrays(HYBRID)
    found = published.two_step(events, params, last_step="after")
    np.testing.assert_allclose(found, _ours(rl.catalogue.two_step(last_step="after"), data, params), rtol=1e-12)
    four = {"beta": params["beta1"], "alpha": params["alpha1"], "w": params["w"], "stay": params["stay"]}
    found = published.two_step(events, four, last_step="after")
    np.testing.assert_allclose(found, _ours(rl.catalogue.two_step_four(last_step="after"), data, four), rtol=1e-12)


def test_it_is_the_same_model_with_eligibility_in_another_unit(published: Any) -> None:
    # λ (r − q2') with q2' = q2 + α2 (r − q2) is λ (1 − α2) (r − q2).
    events, _ = _two_step()
    params = _arrays(HYBRID)
    scaled = params | {"eligibility": params["eligibility"] * (1 - params["alpha2"])}
    after, before = (
        published.two_step(events, p, last_step=step) for p, step in ((params, "after"), (scaled, "before"))
    )
    np.testing.assert_allclose(after, before, rtol=1e-12)


def test_a_first_step_that_is_taken_twice_is_one_at_another_rate(published: Any) -> None:
    # Twice with rate α leaves (1 − α)² of the distance. Without a last step, that is one step with 1 − (1 − α)².
    events, _ = _two_step()
    params = _arrays(HYBRID) | {"eligibility": np.zeros(3)}
    faster = params | {"alpha1": 1 - (1 - params["alpha1"]) ** 2}
    twice = published.two_step(events, params, last_step="after", first_steps=2)
    np.testing.assert_allclose(twice, published.two_step(events, faster, last_step="after"), rtol=1e-11)


# The search, and the report


def test_the_search_finds_what_estimate_finds(record: Any) -> None:
    events, data = _bandit(2)
    model = rl.catalogue.rescorla_wagner(initial=0.5)
    rule = record.partial(record.published.delta_rule, score="one choice", values="before", n_actions=2, initial=0.5)
    comparison = record.Comparison("", model, data, {"alpha": 0.3, "beta": 2.0}, rule, rule)
    np.testing.assert_array_equal(comparison.events()["choice"], events["choice"])
    ours = rl.estimate(model, data, backend="reference", starts=2, progress="off")
    theirs = record.search(rule, comparison, near=ours)
    for name in ("alpha", "beta"):
        np.testing.assert_allclose(theirs.params[name], ours.params[name], atol=1e-4)
        np.testing.assert_allclose(theirs.standard_errors[name], ours.standard_errors[name], rtol=1e-2)
    np.testing.assert_allclose(theirs.log_likelihood, ours.log_likelihood, atol=1e-6)


def test_each_mistake_is_named(published: Any) -> None:
    two, four = _bandit(2), _bandit(4)
    cases = [
        (rl.catalogue.rescorla_wagner_two_rates(n_actions=4), four, RATES, "Bernoullis on one-hot choices",
         lambda p: published.two_rates(four[0], p, score="answers", n_actions=4)),
        (rl.catalogue.rescorla_wagner(initial=0.5), two, ONE_RATE, "no index by the choice",
         lambda p: published.delta_rule(two[0], p, score="sum", values="after", n_actions=2, initial=0.5)),
        (rl.catalogue.rescorla_wagner(initial=0.5), two, ONE_RATE, "values after the update",
         lambda p: published.delta_rule(two[0], p, score="one choice", values="after", n_actions=2, initial=0.5)),
        (rl.catalogue.aliens(), _aliens(), FLAT, "another trial's stimulus",
         lambda p: published.aliens(_aliens()[0], p, row="previous")),
        (rl.catalogue.two_step(), _two_step(), HYBRID, "states learn one after the other",
         lambda p: published.two_step(_two_step()[0], p, last_step="after")),
    ]  # fmt: skip
    for model, (_, data), params, mistake, other in cases:
        report = rl.compare_likelihood(model, data, other, _arrays(params), backend="reference")
        assert not report.same
        assert report.explanations[0].explains and report.explanations[0].mistake == mistake


def test_absent_data_are_said(record: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert record.main(["--data", str(tmp_path)]) == 2
    told = capsys.readouterr()
    assert not told.out and "has no 'prl.tsv'" in told.err and "--data" in told.err


# The published data


@pytest.mark.slow
def test_the_aliens_numbers(record: Any, shared_data: Path) -> None:
    comparison = record.shifted(shared_data)
    events, params = comparison.events(), comparison.usual_params()
    assert comparison.by_hand(events, params).sum() == pytest.approx(-12471.5, abs=0.05)
    assert comparison.theirs(events, params).sum() == pytest.approx(-21522.7, abs=0.05)
    assert record.chance(comparison) == pytest.approx(-14985.1, abs=0.05)


@pytest.mark.slow
def test_the_comparisons_hold_on_the_published_data(record: Any, shared_data: Path) -> None:
    lines: list[str] = []
    for make in (record.four_armed, record.two_answers, record.summed, record.shifted, record.last_step):
        comparison = make(shared_data)
        record.at_usual_values(comparison, lines.append)
        events, params = comparison.events(), comparison.usual_params()
        ours = _ours(comparison.model, comparison.data, params)
        np.testing.assert_allclose(comparison.by_hand(events, params), ours, rtol=1e-9, atol=1e-11)
    assert len(lines) == 25
