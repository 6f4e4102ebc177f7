"""What is simulated: against a plain loop, against the likelihood's own trajectories, and the same everywhere."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError, ParameterError, SettingError
from rlbackends.testing import assert_close

BACKENDS = ("reference", "numpyro", "pymc")
LAYOUT = dict(blocks=[2, 1, 2, 1], trials=[9, 12, 7, 12])


@pytest.fixture(scope="module")
def played(model, task, params):
    return {name: rl.simulate(model, task, params, **LAYOUT, seed=4, backend=name) for name in BACKENDS}


def plain_loop(simulation, alpha, beta):
    """Play one subject at a time from the same uniforms and probabilities: the equations, by hand."""
    uniforms = simulation.uniforms
    probabilities = simulation.world["probability"].values
    choices, rewards, values = [], [], []
    for s in range(len(simulation.subjects)):
        q, run, block = [0.5] * 3, 0, 0
        for t in np.flatnonzero(simulation.blocks[s]):
            if simulation.blocks[s, t] != block:
                q, run, block = [0.5] * 3, 0, simulation.blocks[s, t]
            weights = [math.exp(beta * value) for value in q]
            total, upto = sum(weights), 0.0
            for choice, weight in enumerate(weights):  # noqa: B007
                upto += weight
                if uniforms["choice"][s, t] < upto / total:
                    break
            p = probabilities[s, t, choice]
            win = 1.0 if uniforms["reward"][s, t] < (1 - p if run >= 5 else p) else 0.0
            choices.append(choice)
            rewards.append(win)
            values.append(list(q))
            q[choice] += alpha[s] * (win - q[choice])
            run = run + 1 if choice == 0 else 0
    return choices, rewards, values


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_plain_loop_does_the_same(played, params, backend):
    simulation = played[backend]
    choices, rewards, values = plain_loop(simulation, params["alpha"], params["beta"])
    there = simulation.blocks > 0
    assert simulation.events["choice"][there].tolist() == choices
    assert simulation.events["reward"][there].tolist() == rewards
    assert_close(simulation.trajectories["q"].values[there], values, "trajectories")


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_backends_draw_the_same(played, backend):
    expected, found = played["reference"], played[backend]
    for name in expected.events:
        np.testing.assert_array_equal(found.events[name], expected.events[name])
    assert_close(found.trajectories, expected.trajectories, "trajectories")
    assert_close(found.world, expected.world, "trajectories")
    assert found.near_edge == expected.near_edge == 0


def test_the_data_have_the_simulated_trajectories(played, model, params):
    """The likelihood's loop, given the data, goes through the states that made them."""
    simulation = played["numpyro"]
    compiled = rl.compile(model, simulation.data, "reference")
    assert_close(compiled.trajectories(params), simulation.trajectories, "trajectories")
    assert np.isfinite(compiled.log_likelihood(params)["choice"].values[simulation.blocks > 0]).all()


def test_blocks_and_lengths(played):
    data = played["reference"].data
    assert data.lengths.tolist() == [18, 12, 14, 12]
    assert np.flatnonzero(data.starts[0]).tolist() == [0, 9]
    assert np.flatnonzero(data.starts[2]).tolist() == [0, 7]
    assert repr(data) == "Trials(4 subjects × 12–18 trials; choice, reward; from streaky)"
    run = played["reference"].world["run"].values
    assert run[0, 9] == 0 and run[0, 0] == 0


def test_a_state_of_the_world_may_carry_over(model, make_task):
    carries = make_task(states={"run": rl.State(reset="never")})
    simulation = rl.simulate(model, carries, {"alpha": 0.1, "beta": 0.0}, blocks=2, trials=6, backend="reference")
    run, choice = simulation.world["run"].values[0], simulation.events["choice"][0]
    assert run[6] == (run[5] + 1 if choice[5] == 0 else 0)


def test_a_subjects_draws_do_not_depend_on_who_comes_after(model, task):
    few = rl.simulate(model, task, {"alpha": 0.3, "beta": 2.0}, subjects=2, backend="reference")
    more = rl.simulate(model, task, {"alpha": 0.3, "beta": 2.0}, subjects=3, backend="reference")
    np.testing.assert_array_equal(few.events["choice"], more.events["choice"][:2])
    np.testing.assert_array_equal(few.events["reward"], more.events["reward"][:2])


def test_seeds(model, task):
    def choices(seed):
        return rl.simulate(model, task, {"alpha": 0.3, "beta": 2.0}, subjects=5, seed=seed).events["choice"]

    np.testing.assert_array_equal(choices(1), choices(1))
    assert (choices(1) != choices(2)).any()


def test_uniforms_may_be_given(model, task):
    numbers = {"choice": np.full((2, 12), 0.999), "reward": np.zeros((2, 12))}
    simulation = rl.simulate(model, task, {"alpha": 0.3, "beta": 0.0}, subjects=2, uniforms=numbers)
    assert (simulation.events["choice"] == 2).all()  # the last third of the unit interval
    assert (simulation.events["reward"] == 1).all()


def test_draws_at_an_edge_are_counted(model, task):
    # With beta 0 the cdf's edges are at 1/3 and 2/3; the second subject's third number is 1e-13 beside the first.
    numbers = {"choice": np.full((2, 12), 0.5), "reward": np.full((2, 12), 0.999)}
    numbers["choice"][1, 2] = 1 / 3 + 1e-13
    found = {
        name: rl.simulate(model, task, {"alpha": 0.3, "beta": 0.0}, subjects=2, uniforms=numbers, backend=name)
        for name in BACKENDS
    }
    assert [simulation.near_edge for simulation in found.values()] == [1, 1, 1]
    assert "1 draw at an edge" in repr(found["numpyro"])


def test_a_simulator_serves_again(model, task, params):
    simulator = rl.Simulator(model, task, "numpyro")
    first = simulator.run(params, seed=1)
    again = simulator.run({"alpha": 0.2, "beta": params["beta"]}, subjects=4, seed=2)
    other = simulator.run(params, seed=1, trials=7)
    fresh = rl.simulate(model, task, {"alpha": 0.2, "beta": params["beta"]}, subjects=4, seed=2, backend="numpyro")
    np.testing.assert_array_equal(again.events["choice"], fresh.events["choice"])
    assert other.events["choice"].shape == (4, 7)
    np.testing.assert_array_equal(first.events["choice"], simulator.run(params, seed=1).events["choice"])


def test_a_parameter_may_vary_by_trial(model, task):
    alpha = np.linspace(0.1, 0.9, 12) * np.ones((2, 1))
    found = [rl.simulate(model, task, {"alpha": alpha, "beta": 3.0}, backend=name) for name in BACKENDS]
    errors = [simulation.trajectories["prediction_error"].values for simulation in found]
    q = found[0].trajectories["q"].values
    for simulation, error in zip(found, errors, strict=True):
        np.testing.assert_array_equal(simulation.events["choice"], found[0].events["choice"])
        assert_close(error, errors[0], "trajectories")
    choice = found[0].events["choice"][0, 3]
    assert q[0, 4, choice] == pytest.approx(q[0, 3, choice] + alpha[0, 3] * errors[0][0, 3], abs=1e-14)


def test_sub_choices_that_are_not_there_are_missing():
    """Of a balloon's opportunities only those count that are on: the others are missing, as in real data."""
    model = rl.catalogue.balloon_four_parameters()
    size = model.sizes["opportunity"] if "opportunity" in model.sizes else next(iter(model.sizes.values()))
    axis = next(iter(model.sizes))

    def some(opportunities):
        return opportunities * 0.0

    available = np.where(np.arange(size) < size // 2, 1, 0)
    event = model.events["opportunities"]
    kind = rl.Binary(axis) if event.axes else rl.Real()
    values = np.tile(available, (4, 1)) if event.axes else np.full(4, size // 2)
    task = rl.tasks.Task(
        "pumping",
        trial={
            "opportunities": rl.tasks.Scheduled(kind, values),
            "pump": rl.Binary(axis),
            "pumps": lambda pump: rl.sum(pump),
            "explosion": lambda uniform: rl.where(uniform < 0.3, 1, 0),
        },
        sizes=dict(model.sizes),
        n_trials=4,
    )
    values = {"phi": 0.5, "eta": 0.1, "gamma": 0.5, "beta": 1.0}
    found = {name: rl.simulate(model, task, values, subjects=2, backend=name) for name in BACKENDS}
    pump = found["reference"].events["pump"]
    assert np.isnan(pump[..., size // 2 :]).all() and np.isin(pump[..., : size // 2], [0, 1]).all()
    for simulation in found.values():
        np.testing.assert_array_equal(simulation.events["pump"], pump)
    assert rl.compile(model, found["reference"].data).log_likelihood(values)["pump"].notnull().all()


def test_continuous_draws(model):
    task = rl.tasks.Task(
        "gaussian",
        trial={"choice": rl.Index("action"), "reward": lambda choice, uniform: choice + 0.5 * rl.ndtri(uniform)},
        sizes={"action": 3},
        n_trials=8,
    )
    found = [rl.simulate(model, task, {"alpha": 0.3, "beta": 1.0}, subjects=3, backend=name) for name in BACKENDS]
    for simulation in found[1:]:
        np.testing.assert_array_equal(simulation.events["choice"], found[0].events["choice"])
        assert_close(simulation.events["reward"], found[0].events["reward"], "trajectories")


def test_the_table(played, tmp_path):
    simulation = played["reference"]
    table = simulation.frame(trajectories=True)
    assert list(table.columns) == [
        "subject", "block", "trial", "choice", "reward", "q_0", "q_1", "q_2", "prediction_error",
    ]  # fmt: skip
    assert len(table) == 56 and table["block"].value_counts().to_dict() == {1: 40, 2: 16}
    path = simulation.save_csv(tmp_path / "new folder" / "played.csv")
    read = rl.read_trials(path, subject="subject", trial="trial", block="block", choice="choice", reward="reward",
                          levels={"choice": range(3)})  # fmt: skip
    assert read.bind(simulation.model).digest == simulation.data.bind(simulation.model).digest
    with pytest.raises(SettingError, match="exists"):
        simulation.save_csv(path)
    assert simulation.save_csv(path, overwrite=True) == path


def test_labels(model, task):
    simulation = rl.simulate(model, task, {"alpha": {"ann": 0.1, "bob": 0.9}, "beta": 1.0}, subjects=["ann", "bob"])
    assert simulation.subjects == ("ann", "bob") and simulation.params["alpha"].tolist() == [0.1, 0.9]
    assert simulation.data.subjects == ("ann", "bob")


@pytest.mark.parametrize("alpha", [[0.1, 0.9, 0.5], {"s10": 0.1, "a": 0.9, "s2": 0.5}])
def test_subjects_come_in_natural_order_with_what_is_theirs(model, task, alpha):
    given = dict(subjects=["s10", "a", "s2"], trials=[5, 6, 7], backend="reference")
    simulation = rl.simulate(model, task, {"alpha": alpha, "beta": 2.0}, **given)
    assert simulation.subjects == simulation.data.subjects == ("a", "s2", "s10")
    assert simulation.params["alpha"].tolist() == [0.9, 0.5, 0.1]
    assert simulation.data.lengths.tolist() == [6, 7, 5]
    again = rl.compile(model, simulation.data).trajectories(simulation.params)
    assert_close(again, simulation.trajectories, "trajectories")


def test_it_can_be_pickled(played):
    copy = pickle.loads(pickle.dumps(played["reference"].data))
    assert copy.subjects == played["reference"].data.subjects


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"params": {"alpha": 0.3}}, ParameterError, "there is no value for 'beta'"),
        ({"params": {"alpha": 1.3, "beta": 1.0}}, ParameterError, "outside its support"),
        ({"params": {"alpha": [0.3, 0.4], "beta": [1.0] * 3}}, SettingError, "'alpha' 2, 'beta' 3"),
        ({"params": {"alpha": [0.3, 0.4], "beta": 1.0}, "subjects": 3}, ParameterError, r"has shape \(2,\)"),
        ({"subjects": 0}, SettingError, "at least one"),
        ({"subjects": ["ann", "ann"]}, SettingError, "each of them once"),
        ({"blocks": 0}, SettingError, "blocks is 0"),
        ({"trials": [3, 4], "subjects": 3}, SettingError, "one per subject"),
        ({"seed": -1}, SettingError, "seed is -1"),
        ({"uniforms": {"choice": np.zeros((1, 12))}}, SettingError, "expected an array for each of"),
        ({"uniforms": {"choice": np.ones((1, 12)), "reward": np.zeros((1, 12))}}, SettingError, r"\[0, 1\)"),
        ({"uniforms": {"choice": np.zeros((1, 3)), "reward": np.zeros((1, 12))}}, SettingError, "expected"),
        ({"model": "rescorla_wagner"}, SettingError, "the model is 'rescorla_wagner'"),
        ({"task": "bandit"}, SettingError, "the task is 'bandit'"),
    ],
)
def test_what_makes_no_sense(model, task, changes, error, words):
    given = {"model": model, "task": task, "params": {"alpha": 0.3, "beta": 1.0}, "backend": "reference"} | changes
    with pytest.raises(error, match=words):
        rl.simulate(given.pop("model"), given.pop("task"), given.pop("params"), **given)


class TestWhatDoesNotFit:
    def test_an_event_that_the_task_lacks(self, task):
        with pytest.raises(ModelError, match="needs the event 'outcome'"):
            rl.simulate(rl.catalogue.pvl_delta(), task, {})

    def test_sizes(self, task):
        with pytest.raises(ModelError, match=r"from 0 to 2 .*from 0 to 1.*same sizes"):
            rl.simulate(rl.catalogue.rescorla_wagner(), task, {})

    def test_a_response_of_another_name(self, model, task):
        with pytest.raises(ModelError, match=r"task.rename\(press='choice'\)"):
            rl.simulate(model, task.rename(choice="press"), {})

    def test_what_comes_too_late(self):
        def choose(q, cue, beta):
            return rl.Categorical(logits=beta * q + cue)

        model = rl.Model(
            "cued",
            parameters={"beta": rl.Parameter(rl.Positive())},
            states={"q": rl.State("action")},
            trial={"cue": rl.Real(), "choice": choose},
            update=lambda q: {"q": q},
            sizes={"action": 2},
        )
        late = rl.tasks.Task("late", trial={"choice": rl.Index("action"), "cue": lambda choice: choice * 1.0},
                             sizes={"action": 2})  # fmt: skip
        with pytest.raises(ModelError, match="needs 'cue' for its 'choice', which comes first in the task"):
            rl.simulate(model, late, {"beta": 1.0})

    def test_who_does_it(self, model):
        odd = rl.tasks.Task("odd", trial={"reward": rl.Real(), "choice": lambda reward: rl.where(reward > 0, 1, 0)},
                            sizes={"action": 3})  # fmt: skip
        with pytest.raises(ModelError, match="'reward' is what the subject does"):
            rl.simulate(model, odd, {})


def test_edges_of_the_worlds_own_changes_are_counted(model):
    def update(uniform, phase):
        return {"phase": rl.where(uniform < 0.5, 1 - phase, phase)}

    task = rl.tasks.Task(
        "phases",
        trial={"choice": rl.Index("action"), "reward": lambda choice, phase: choice * phase},
        states={"phase": rl.State()}, update=update, sizes={"action": 3}, n_trials=3,
    )  # fmt: skip
    numbers = {"choice": np.full((1, 3), 0.1), "update": np.array([[0.1, 0.5 - 1e-14, 0.9]])}
    simulation = rl.simulate(model, task, {"alpha": 0.3, "beta": 1.0}, uniforms=numbers)
    assert simulation.near_edge == 1
    assert simulation.world["phase"].values.tolist() == [[0, 1, 0]]


class TestOddNames:
    def test_an_event_named_as_a_parameter_is_refused(self, model):
        clash = rl.tasks.Task(
            "clash",
            trial={
                "beta": rl.tasks.Scheduled(rl.Real(), [0.0] * 5),
                "choice": rl.Index("action"),
                "reward": lambda choice, beta: choice + beta,
            },
            sizes={"action": 3},
            n_trials=5,
        )
        with pytest.raises(ModelError, match="'beta' is an event, and a parameter of model 'rescorla_wagner'"):
            rl.simulate(model, clash, {"alpha": 0.3, "beta": 5.0})

    def test_events_may_be_named_as_arguments_of_trials(self, model, make_task):
        named = make_task(trial={
            "levels": rl.tasks.Scheduled(rl.Real(), [1.0]),
            "choice": rl.Index("action"),
            "reward": lambda choice, levels: choice * levels,
        })  # fmt: skip
        simulation = rl.simulate(model, named, {"alpha": 0.3, "beta": 1.0}, backend="reference")
        assert "levels" in simulation.data.columns


def test_the_model_may_count_further_than_the_task(make_task):
    def choose(q, state, beta):
        return rl.Categorical(logits=beta * q[state])

    model = rl.Model(
        "wide",
        parameters={"beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("place", "action")},
        trial={"state": rl.Index("place"), "choice": choose},
        update=lambda q: {"q": q},
        sizes={"place": 3, "action": 2},
    )
    task = rl.tasks.Task(
        "narrow",
        trial={"state": lambda uniform: rl.where(uniform < 0.5, 0, 1), "choice": rl.Index("action")},
        sizes={"action": 2},
    )
    assert rl.simulate(model, task, {"beta": 1.0}).data.bind(model).levels["state"] == (0, 1, 2)


def test_uniforms_stay_the_users_own(model, task):
    numbers = {"choice": np.full((1, 12), 0.5), "reward": np.zeros((1, 12))}
    rl.simulate(model, task, {"alpha": 0.3, "beta": 1.0}, uniforms=numbers, backend="reference")
    assert all(array.flags.writeable for array in numbers.values())


def test_a_shared_schedule_is_the_same_for_short_and_long(model, make_task):
    def shuffled(rng, n_trials):
        return rng.permutation(n_trials * 3).reshape(-1, 3) / 99

    shared = make_task(schedule={"probability": rl.tasks.Scheduled(rl.Real("action"), shuffled, shared=True)})
    simulation = rl.simulate(
        model, shared, {"alpha": 0.3, "beta": 1.0}, subjects=2, trials=[5, 9], blocks=[2, 1], backend="reference"
    )
    shown = simulation.world["probability"].values
    np.testing.assert_array_equal(shown[0, :5], shown[1, :5])
    with pytest.raises(ModelError, match="'probability' is shared, but its function asks for 'subject'"):
        own = rl.tasks.Scheduled(rl.Real("action"), lambda subject: [[subject] * 3], shared=True)
        make_task(schedule={"probability": own})


def test_labels_come_from_labelled_parameters(model, task):
    simulation = rl.simulate(model, task, {"alpha": {"b": 0.1, "a": 0.9}, "beta": 1.0}, backend="reference")
    assert simulation.subjects == ("a", "b") and simulation.params["alpha"].tolist() == [0.9, 0.1]


def test_whole_numbers_made_from_a_uniform_have_no_edge(model):
    def reward(uniform):
        third = rl.where(uniform < 0.3, 0, rl.where(uniform < 0.6, 1, 2))
        return rl.where(third < 1, 1.0, 0.0)

    task = rl.tasks.Task("thirds", trial={"choice": rl.Index("action"), "reward": reward}, sizes={"action": 3})
    assert rl.simulate(model, task, {"alpha": 0.3, "beta": 1.0}, subjects=3).near_edge == 0
