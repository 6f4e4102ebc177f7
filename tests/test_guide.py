"""The benchmark that reproduces a public tutorial: its data as recorded, its likelihoods against a plain loop."""

from __future__ import annotations

import hashlib
import importlib.util
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rlbackends as rl

_FOLDER = Path(__file__).parents[1] / "benchmarks"


def _script(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, _FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def guide() -> Any:
    return _script("guide")


@pytest.fixture(scope="module")
def exact() -> Any:
    pytest.importorskip("scipy")
    return _script("guide_exact")


def _by_hand(
    choices: np.ndarray, rewards: np.ndarray, alpha_pos: float, alpha_neg: float, temperature: float, *, bits: bool
) -> list[float]:
    """Return one subject's log-likelihood per trial: of the choice, or of five yes-or-no answers."""
    q, found = [0.5] * 5, []
    for choice, paid in zip(choices, rewards, strict=True):
        weights = [math.exp(value / temperature) for value in q]
        p = [weight / sum(weights) for weight in weights]
        if bits:
            found.append(sum(math.log(p[a]) if a == choice else math.log(1 - p[a]) for a in range(5)))
        else:
            found.append(math.log(p[choice]))
        error = paid[choice] - q[choice]
        q[choice] += (alpha_pos if error > 0 else alpha_neg) * error
    return found


def test_the_data_are_those_that_were_recorded(guide: Any) -> None:
    pytest.importorskip("jax")
    choices, rewards, truth = guide.guide_data()
    assert choices.shape == (40, 200) and rewards.shape == (200, 5)
    assert choices[0, :10].tolist() == [0, 4, 0, 4, 4, 1, 0, 2, 4, 1]
    assert np.bincount(choices.ravel()).tolist() == [968, 1417, 2800, 845, 1970]
    digest = hashlib.sha256(choices.astype("<i8").tobytes()).hexdigest()
    assert digest == "0fb306ee6b6da6349c1d07ce267c16f67f2c72064f9956bd518a36600c5269e6"
    assert rewards[0].tolist() == [0, 0, 1, 0, 1] and rewards[:, 2].sum() == 143
    np.testing.assert_allclose(truth["temperature"][:3], [0.27435941, 0.53905751, 0.46227725], atol=1e-8)


def test_fresh_data_follow_the_softmax_and_share_numbers_only_when_asked(guide: Any) -> None:
    own, rewards, truth = guide.fresh_data(0)
    shared, same_rewards, same_truth = guide.fresh_data(0, shared=True)
    assert np.array_equal(rewards, same_rewards)
    assert all(np.array_equal(truth[name], same_truth[name]) for name in truth)
    # All start with five equal values: the first choice is the random number alone.
    assert len(set(shared[:, 0])) == 1 and len(set(own[:, 0])) > 1
    # Choices are as probable as the model says: the sum of log p over 2,000 of them, standardised. Beyond 4 is a
    # matter of one seed in 16,000; the seed is fixed.
    model, few = guide.categorical, {name: values[:10] for name, values in truth.items()}
    compiled = rl.compile(model, guide.trials_for(model, own[:10], rewards))
    q = compiled.trajectories(few)["q"].values / few["temperature"][:, None, None]
    log_p = q - np.log(np.exp(q).sum(axis=-1, keepdims=True))
    chosen = np.take_along_axis(log_p, own[:10, :, None], axis=-1)[..., 0]
    expected = (np.exp(log_p) * log_p).sum(axis=-1)
    variance = (np.exp(log_p) * log_p**2).sum(axis=-1) - expected**2
    assert abs((chosen - expected).sum()) < 4 * math.sqrt(variance.sum())


@pytest.mark.parametrize("name", ["categorical", "bernoullis"])
def test_the_log_likelihood_of_each_trial_is_that_of_a_plain_loop(guide: Any, name: str) -> None:
    model = getattr(guide, name)
    choices, rewards, truth = guide.fresh_data(1)
    truth = {key: value[:3] for key, value in truth.items()}
    compiled = rl.compile(model, guide.trials_for(model, choices[:3], rewards))
    found = compiled.log_likelihood(truth)["choice"].values
    for subject in range(3):
        params = {key: float(value[subject]) for key, value in truth.items()}
        expected = _by_hand(choices[subject], rewards, **params, bits=name == "bernoullis")
        np.testing.assert_allclose(found[subject], expected, rtol=1e-9, atol=1e-11)


def test_the_first_trial_by_hand(guide: Any) -> None:
    # Five equal values: log 1/5 for one choice; log 1/5 + 4 log 4/5 for five independent answers.
    choices, rewards, _ = guide.fresh_data(1)
    params = {"alpha_pos": 0.5, "alpha_neg": 0.5, "temperature": 0.5}
    for model, first in (
        (guide.categorical, math.log(0.2)),
        (guide.bernoullis, math.log(0.2) + 4 * math.log(0.8)),
    ):
        compiled = rl.compile(model, guide.trials_for(model, choices[:3], rewards))
        np.testing.assert_allclose(compiled.log_likelihood(params)["choice"].values[:, 0], first, rtol=1e-12)


def test_a_certain_choice_has_finite_log_odds(guide: Any) -> None:
    # At a temperature of 0.001 the paid action is chosen with a probability that rounds to 1.
    data = rl.Trials.from_arrays(choice=[np.eye(5, dtype=int)[[0, 0, 1]]], reward=[[1.0, 1.0, 0.0]])
    compiled = rl.compile(guide.bernoullis, data)
    params = {"alpha_pos": 0.9, "alpha_neg": 0.9, "temperature": 0.001}
    found = compiled.log_likelihood(params)["choice"].values[0]
    assert np.isfinite(found).all() and found[2] == pytest.approx(-2 * (0.995 - 0.5) / 0.001, rel=0.01)


def test_the_grid_scores_as_the_library_does(guide: Any, exact: Any) -> None:
    choices, rewards, truth = guide.fresh_data(1)
    truth = {key: value[:3] for key, value in truth.items()}
    found = exact.log_likelihoods(choices[:3], rewards, *(truth[name][None] for name in guide.NAMES))
    for model, values in zip(guide.MODELS.values(), found, strict=True):
        compiled = rl.compile(model, guide.trials_for(model, choices[:3], rewards))
        np.testing.assert_allclose(values[0], compiled.log_likelihood(truth)["choice"].values.sum(axis=1), rtol=1e-9)


def test_the_grid_gives_the_posterior_of_weighted_prior_draws(guide: Any, exact: Any) -> None:
    # Draws from the prior, weighted by their likelihood: a way without a grid.
    choices, rewards, _ = guide.fresh_data(2)
    choices = choices[:2]
    axes, scores = exact.log_likelihoods_on_grid(choices, rewards)
    draws = np.random.default_rng(1).beta(5, 5, (3, 20_000, 1))
    for on_grid, of_draws in zip(scores, exact.log_likelihoods(choices, rewards, *draws), strict=True):
        weights = np.exp(of_draws - of_draws.max(axis=0))
        weights /= weights.sum(axis=0)
        # Some 200 effective draws or more: standard errors of 0.07 sd (mean) and 0.016 (probability), times 4.
        assert (1 / (weights**2).sum(axis=0) > 200).all()
        for values, (mean, low, high) in zip(draws, exact.posteriors(axes, on_grid), strict=True):
            sd = np.sqrt((weights * (values - mean) ** 2).sum(axis=0))
            assert (np.abs((weights * values).sum(axis=0) - mean) < 0.28 * sd).all()
            for outside in (values < low, values > high):
                assert (np.abs((weights * outside).sum(axis=0) - 0.055) < 0.065).all()


def test_a_group_on_the_grid_shrinks_toward_what_its_priors_say(guide: Any, exact: Any) -> None:
    # With a group of hardly any spread every subject has the group's value; with a wide one each keeps its own.
    choices, rewards, _ = guide.fresh_data(3)
    axes, (log_likelihood, _) = exact.log_likelihoods_on_grid(choices[:8], rewards, sides=(9, 11))
    spread = [
        np.ptp(exact.group_posteriors(axes, log_likelihood, 0.5, sd, seed=0, sweeps=20)[2][0]) for sd in (0.005, 1.0)
    ]
    alone = np.ptp(exact.posteriors(axes, log_likelihood)[2][0])
    assert spread[0] < 0.2 * alone and 0.7 * alone < spread[1] < 1.5 * alone
