"""Predictions: one step ahead they are the likelihood's, forward they are simulations at each draw."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError, SettingError
from rlbackends.simulation import predict
from rlbackends.simulation.design import Design, stream
from rlbackends.testing import assert_close

BACKENDS = ("reference", "numpyro", "pymc")
STEPS = {"chain": [0, 1], "draw": [0, 5, 9]}


@pytest.fixture(scope="module")
def data(model, task, params):
    """Return data with a missed response, blocks and unequal lengths."""
    simulation = rl.simulate(model, task, params, blocks=[2, 1, 2, 1], trials=[4, 9, 5, 8], seed=2)
    choice = simulation.events["choice"].astype(float)
    choice[1, 3] = np.nan
    return rl.Trials.from_arrays(
        lengths=simulation.data.lengths, blocks=simulation.blocks, levels={"choice": range(3)},
        choice=choice, reward=simulation.events["reward"],
    ).bind(model)  # fmt: skip


@pytest.fixture(scope="module")
def draws(model):
    rng = np.random.default_rng(0)
    return {"alpha": rng.uniform(0.1, 0.9, (2, 3, 4)), "beta": rng.uniform(1, 5, (2, 3, 4))}


@pytest.fixture(scope="module")
def one_step(model, data, draws):
    return {name: predict.predict_one_step(model, data, draws, STEPS, seed=1, backend=name) for name in BACKENDS}


@pytest.mark.parametrize("backend", BACKENDS)
def test_one_step_ahead_is_the_likelihood(one_step, model, data, draws, backend):
    tree = one_step[backend]
    compiled = rl.compile(model, data, "reference")
    observed = tree["observed_data"]["choice"].values
    there = ~np.isnan(observed)
    probability = tree["predicted_probability"]["choice"].values
    for chain, draw in np.ndindex(2, 3):
        at = {name: values[chain, draw] for name, values in draws.items()}
        code = np.nan_to_num(observed).astype(int)[..., None]
        chosen = np.take_along_axis(probability[chain, draw], code, -1)[..., 0]
        expected = compiled.log_likelihood(at)["choice"].values
        assert_close(np.log(chosen[there]), expected[there], "log_likelihood")


@pytest.mark.parametrize("backend", BACKENDS)
def test_draws_follow_the_probabilities(one_step, backend):
    """The draw is the first action whose cumulative probability is above the uniform of its draw and trial."""
    tree = one_step[backend]
    probability = tree["predicted_probability"]["choice"].values.reshape(6, 4, 10, 3)
    drawn = tree["posterior_predictive"]["choice"].values.reshape(6, 4, 10)
    for k in range(6):
        uniform = stream(1, "uniform", k, "choice").random((4, 10))
        played = ~np.isnan(drawn[k])
        expected = (uniform[..., None] >= np.cumsum(probability[k], axis=-1)).sum(-1)
        np.testing.assert_array_equal(drawn[k][played], expected[played])


def test_a_missed_response_is_predicted_and_padding_is_not(one_step, data):
    tree = one_step["reference"]
    assert np.isnan(tree["observed_data"]["choice"].values[1, 3])
    drawn = tree["posterior_predictive"]["choice"].values
    assert np.isfinite(drawn[:, :, 1, 3]).all()
    assert np.isnan(drawn[:, :, ~data.valid]).all() and np.isfinite(drawn[:, :, data.valid]).all()
    assert tree["posterior_predictive"]["choice"].dims == ("chain", "draw", "subject", "trial")
    assert tree["predicted_probability"]["choice"].dims == ("chain", "draw", "subject", "trial", "action")


@pytest.fixture(scope="module")
def forward(model, data, draws, task):
    trees = {name: predict.predict_forward(model, data, task, draws, STEPS, seed=1, backend=name) for name in BACKENDS}
    return {name: tree["posterior_predictive_forward"] for name, tree in trees.items()}


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_forward_is_the_same_everywhere(forward, backend):
    for name in ("choice", "reward"):
        np.testing.assert_array_equal(forward[backend][name].values, forward["reference"][name].values)


def test_forward_is_a_simulation_at_each_draw(forward, model, data, draws, task):
    """The second draw of the first chain, simulated alone with the same schedule and its uniforms."""
    simulator = rl.Simulator(model, task, "reference")
    design = Design.like(data)
    schedule = predict.draw_schedule(task, design, 1)
    uniforms = {name: stream(1, "uniform", 1, name).random((4, 10)) for name in ("choice", "reward")}
    alone = simulator.play(design, {name: values[0, 1] for name, values in draws.items()}, schedule, uniforms, None)
    found = forward["reference"]["choice"].values[0, 1]
    np.testing.assert_array_equal(found[data.valid], alone.events["choice"][data.valid])
    assert np.isnan(found[~data.valid]).all()


def test_chunks_leave_no_trace(forward, model, data, draws, task, monkeypatch):
    monkeypatch.setattr(predict, "_CELLS", 4 * 10 * 4)  # four draws at once, of six
    again = predict.predict_forward(model, data, task, draws, STEPS, seed=1, backend="numpyro")
    for name in ("choice", "reward"):
        np.testing.assert_array_equal(
            again["posterior_predictive_forward"][name].values, forward["reference"][name].values
        )


def test_stimuli_are_those_of_the_data():
    model = rl.catalogue.stimulus_action_learning()
    sizes = dict(model.sizes)
    order = rl.tasks.Scheduled(rl.Index("stimulus"), lambda rng, n_trials: rng.integers(0, sizes["stimulus"], n_trials))
    task = rl.tasks.Task(
        "stimuli",
        trial={
            "stimulus": order,
            "choice": rl.Index("action"),
            "reward": lambda stimulus, choice: rl.where(stimulus == choice, 1.0, 0.0),
        },
        sizes=sizes,
        n_trials=20,
    )
    values = {"alpha": 0.4, "beta": 3.0}
    data = rl.simulate(model, task, values, subjects=3, seed=5).data.bind(model)
    draws = {name: np.full((1, 2, 3), value) for name, value in values.items()}
    steps = {"chain": [0], "draw": [0, 1]}
    seen = {
        schedule: predict.predict_forward(model, data, task, draws, steps, seed=0, schedule=schedule)
        for schedule in ("data", "task")
    }
    stimuli = {s: tree["posterior_predictive_forward"]["stimulus"].values[0] for s, tree in seen.items()}
    np.testing.assert_array_equal(stimuli["data"], np.broadcast_to(data.values["stimulus"], (2, 3, 20)))
    assert (stimuli["task"] != stimuli["data"]).any()
    np.testing.assert_array_equal(stimuli["task"][0], stimuli["task"][1])
    with pytest.raises(SettingError, match="schedule is 'mine', expected 'data' or 'task'"):
        predict.predict_forward(model, data, task, draws, steps, schedule="mine")


class TestPrior:
    def test_groups_and_shapes(self, model, task):
        tree = rl.prior_predictive(model, task, subjects=["a", "b"], draws=7, blocks=2, trials=[3, 4])
        assert dict(tree["prior_predictive"]["reward"].sizes) == {"chain": 1, "draw": 7, "subject": 2, "trial": 8}
        assert np.isnan(tree["prior_predictive"]["choice"].values[..., 0, 6:]).all()
        assert {"alpha", "alpha_location", "alpha_sd", "alpha_offset", "alpha_group"} <= set(tree["prior"])

    def test_parameters_are_draws_of_the_prior(self, model, task):
        population = rl.Population("none", alpha=rl.Pooling("none", prior=rl.priors.Beta(2, 5)))
        tree = rl.prior_predictive(model, task, population=population, subjects=40, draws=50, trials=1)
        alpha = tree["prior"]["alpha"].values
        assert alpha.shape == (1, 50, 40)
        # The mean of Beta(2, 5) is 2/7, its sd 0.16: five standard errors of 2,000 draws are 0.018.
        assert abs(alpha.mean() - 2 / 7) < 0.018

    def test_the_same_on_every_backend(self, model, task):
        found = [
            rl.prior_predictive(model, task, subjects=3, draws=4, trials=6, seed=9, backend=name)["prior_predictive"]
            for name in BACKENDS
        ]
        for other in found[1:]:
            np.testing.assert_array_equal(other["choice"].values, found[0]["choice"].values)

    def test_learning_comes_from_the_task(self, task):
        with pytest.raises(ModelError, match="same sizes"):
            rl.prior_predictive(rl.catalogue.rescorla_wagner(), task)

    @pytest.mark.parametrize("draws", [0, 2.5, True])
    def test_draws(self, model, task, draws):
        with pytest.raises(SettingError, match="prior_predictive: draws is"):
            rl.prior_predictive(model, task, draws=draws)


def test_draws_are_spread_over_the_chains():
    assert predict.spread_draws(2, 100, 10, "simulate").tolist() == [0, 25, 50, 74, 99]
    assert predict.spread_draws(4, 50, 1, "simulate").tolist() == [0]
    with pytest.raises(SettingError, match="from 1 to 200"):
        predict.spread_draws(4, 50, 201, "simulate")


def test_what_is_given_for_each_subject_goes_with_it(model, task):
    tree = rl.prior_predictive(model, task, subjects=["b", "a"], trials=[3, 6], draws=2)["prior_predictive"]
    assert list(tree["subject"].values) == ["a", "b"]
    np.testing.assert_array_equal(np.isfinite(tree["choice"].values).sum(-1)[0], [[6, 3], [6, 3]])


def test_nothing_is_shown_behind_the_last_trial():
    model = rl.catalogue.stimulus_action_learning()
    tree = rl.prior_predictive(model, rl.tasks.stimulus_action(), subjects=2, trials=[3, 6], draws=2)
    stimulus = tree["prior_predictive"]["stimulus"].values
    assert np.isnan(stimulus[:, :, 0, 3:]).all() and np.isfinite(stimulus[:, :, 1]).all()
