"""What a fit predicts, forward in a task and one step ahead."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError, SettingError
from rlbackends.testing import assert_close


def reward(choice, uniform):
    return rl.where(uniform < rl.where(choice == 0, 0.8, 0.3), 1.0, 0.0)


@pytest.fixture(scope="module")
def task():
    return rl.tasks.Task("arms", trial={"choice": rl.Index("action"), "reward": reward}, sizes={"action": 2})


def test_forward_plays_as_long_as_the_subjects_did(one_fit, task):
    tree = one_fit.simulate(task, draws=10)
    found = tree["posterior_predictive_forward"]
    assert dict(found.sizes) == {"chain": 2, "draw": 5, "subject": 5, "trial": 60}
    there = np.broadcast_to(one_fit.data.valid, (2, 5, 5, 60))
    np.testing.assert_array_equal(np.isfinite(found["choice"].values), there)
    assert list(found["subject"].values) == list(one_fit.data.subjects)
    # Learners of such arms choose the first one: a draw in which they don't would be a mistake.
    assert (found["choice"].values[there] == 0).mean() > 0.6
    assert tree.attrs["backend"] == one_fit.backend


def test_one_step_ahead_at_the_chosen_draws(one_fit):
    tree = one_fit.predict(draws=4)
    draws = tree["predicted_probability"]["draw"].values
    posterior = one_fit.tree["posterior"]
    compiled = rl.compile(one_fit.model, one_fit.data, "reference")
    observed = ~one_fit.data.missing["choice"]
    at = {name: posterior[name].values[1, draws[1]] for name in one_fit.model.parameters}
    probability = tree["predicted_probability"]["choice"].values[1, 1]
    chosen = np.take_along_axis(probability, one_fit.data.values["choice"][..., None], -1)[..., 0]
    expected = compiled.log_likelihood(at)["choice"].values
    assert_close(np.log(chosen[observed]), expected[observed], "log_likelihood")


def test_wrong_numbers_and_tasks(one_fit, task):
    with pytest.raises(SettingError, match="predict: draws is 0, expected a whole number from 1 to 800"):
        one_fit.predict(draws=0)
    with pytest.raises(ModelError, match="needs the event 'reward'"):
        one_fit.simulate(task.rename(reward="outcome"))


def test_data_and_populations_can_be_sent_to_other_processes(data, model):
    bound = data.bind(model)
    assert pickle.loads(pickle.dumps(data)).bind(model).digest == bound.digest
    assert pickle.loads(pickle.dumps(bound)).digest == bound.digest
    population = rl.Population("none", alpha=0.3)
    assert repr(pickle.loads(pickle.dumps(population))) == repr(population)
