"""A task of one's own: what it is made of, how it is changed, what is wrong with it, and whom it fits."""

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.tasks import Scheduled, Task

RW = rl.catalogue.rescorla_wagner()
PARAMS = {"alpha": 0.3, "beta": 2.0}
CHOICE = rl.Index("action")


def reward(choice, probability, uniform):
    """What the choice brought."""
    return rl.where(uniform < probability[choice], 1.0, 0.0)


def coin(**changed) -> Task:
    parts = {
        "trial": {"choice": CHOICE, "reward": reward},
        "schedule": {"probability": Scheduled(rl.Real("action"), [0.2, 0.8])},
        "sizes": {"action": 2},
        "n_trials": 10,
    }
    return Task("coin", **{**parts, **changed})


def simulate(task, model=RW, params=PARAMS, **more):
    return rl.simulate(model, task, params, backend="reference", **{"subjects": 2, **more})


def refused(make, *args, **kwargs) -> str:
    with pytest.raises(ModelError) as fault:
        make(*args, **kwargs)
    return str(fault.value)


# Renaming, other schedules, identity


def test_renamed_events_are_the_same_events():
    task = coin().rename(choice="response", reward="points")
    assert list(task.events) == ["response", "points"]
    assert task.responses == ("response",)
    back = task.rename(response="choice", points="reward")
    assert back.digest == coin().digest
    played, again = simulate(coin()), simulate(back)
    for name, values in played.events.items():
        np.testing.assert_array_equal(again.events[name], values)


def test_names_may_change_places():
    def second(choice, reward):
        return reward - choice

    task = coin(trial={"choice": CHOICE, "reward": reward, "other": second}).rename(reward="other", other="reward")
    found = simulate(task).events
    np.testing.assert_array_equal(found["reward"], found["other"] - found["choice"])


def test_a_shown_schedule_may_be_renamed():
    task = rl.tasks.go_no_go().rename(cue="picture")
    assert "picture" in task.scheduled and "cue" not in task.scheduled
    assert refused(task.with_schedule, picture=[7]).startswith("task 'go_no_go': 'picture' is 7 on trial 1")


def test_renaming_what_is_not_there():
    assert refused(coin().rename, choise="response") == (
        "task 'coin': rename: there is no event 'choise'; there are 'choice' and 'reward'. Did you mean 'choice'?"
    )


@pytest.mark.parametrize("name", ["reward", "probability", "uniform", "update", "trial", "2nd"])
def test_a_name_that_can_not_be(name):
    assert f"'{name}'" in refused(coin().rename, choice=name)


def test_another_schedule():
    task = coin().with_schedule(probability=[[1.0, 0.0], [0.0, 1.0]] * 5)
    found = simulate(task).events
    np.testing.assert_array_equal(found["reward"], found["choice"] == np.arange(10) % 2)


def test_a_schedule_is_checked_when_it_is_changed():
    assert refused(coin().with_schedule, probabilty=1, probability=[1, 2, 3]) == (
        "task 'coin' has 2 faults:\n"
        "  1. with_schedule: there is no scheduled variable 'probabilty'; there are 'probability'. Did you mean "
        "'probability'?\n"
        "  2. 'probability' has shape (3,), expected trial × action (2)."
    )
    given = Scheduled(rl.Real(), 1.0)
    assert "expected its values alone, an array or a function." in refused(coin().with_schedule, probability=given)


def test_an_array_given_is_copied_and_read_only():
    given = np.array([0.2, 0.8])
    task = coin(schedule={"probability": Scheduled(rl.Real("action"), given)})
    digest = task.digest
    given[:] = 0.0
    assert task.digest == digest
    with pytest.raises(ValueError, match="read-only"):
        task.scheduled["probability"].values[:] = 0.0
    with pytest.raises(AttributeError, match="a task can't be changed"):
        task.n_trials = 3


def drawn(rng, n_trials):
    return rng.random((n_trials, 2))


def by_block(n_trials, block):
    return np.full((n_trials, 2), 0.1 + 0.2 * block)


def lower(choice, probability, uniform):
    return rl.where(uniform <= probability[choice], 1.0, 0.0)


def streak(run):
    return {"run": run + 1}


CHANGES = {
    "a number of trials": {"n_trials": 11},
    "a probability": {"schedule": {"probability": Scheduled(rl.Real("action"), [0.2, 0.7])}},
    "a table": {"schedule": {"probability": Scheduled(rl.Real("action"), [[0.2, 0.8]] * 10)}},
    "a longer table": {"schedule": {"probability": Scheduled(rl.Real("action"), [[0.2, 0.8]] * 12)}},
    "a drawn schedule": {"schedule": {"probability": Scheduled(rl.Real("action"), drawn)}},
    "a shared schedule": {"schedule": {"probability": Scheduled(rl.Real("action"), drawn, shared=True)}},
    "a schedule by block": {"schedule": {"probability": Scheduled(rl.Real("action"), by_block)}},
    "a rule": {"trial": {"choice": CHOICE, "reward": lower}},
    "an event": {"trial": {"choice": CHOICE, "reward": reward, "more": lambda reward: reward}},
    "a state": {"states": {"run": rl.State()}},
    "a state that stays": {"states": {"run": rl.State(reset="never")}},
    "where it starts": {"states": {"run": rl.State(initial=1.0)}},
    "an update": {"states": {"run": rl.State()}, "update": streak},
}


def test_the_digest_tells_tasks_apart():
    digests = {name: coin(**changed).digest for name, changed in CHANGES.items()} | {"nothing": coin().digest}
    assert len(set(digests.values())) == len(digests)
    assert coin().digest == digests["nothing"]
    assert coin(description="of two sides").digest == digests["nothing"]


def test_the_digest_is_the_same_in_another_process(run_python):
    code = "import rlbackends as rl; print(*(make().digest for make in (rl.tasks.aliens, rl.tasks.restless_bandit)))"
    expected = f"{rl.tasks.aliens().digest} {rl.tasks.restless_bandit().digest}"
    assert run_python(code, {"PYTHONHASHSEED": "7"}).strip() == expected


# What happens in it


def test_a_hidden_state_counts_and_starts_again_with_the_block():
    def count(choice, run, uniform):
        return {"run": rl.where(choice == 1, run + 1, 0.0)}

    played = simulate(coin(states={"run": rl.State()}, update=count), blocks=2)
    for subject in range(2):
        run = 0
        for t in range(20):
            run = 0 if t == 10 else run
            assert played.world["run"].values[subject, t] == run
            run = run + 1 if played.events["choice"][subject, t] == 1 else 0


def test_a_schedule_may_go_by_subject_and_block():
    def where_and_when(n_trials, subject, block):
        return np.full((n_trials, 2), [0.1 * subject, 0.1 * block])

    task = coin(schedule={"probability": Scheduled(rl.Real("action"), where_and_when)})
    world = simulate(task, subjects=3, blocks=2, trials=[4, 5, 6]).world["probability"].values
    np.testing.assert_allclose(world[2, :12, 0], 0.2)
    np.testing.assert_allclose(world[1, :10, 1], [0.0] * 5 + [0.1] * 5)
    assert np.isnan(world[0, 8:]).all()


def test_the_same_values_in_the_same_subjects_however_many_there_are():
    task = coin(schedule={"probability": Scheduled(rl.Real("action"), drawn)})
    few, many = (simulate(task, subjects=n) for n in (2, 5))
    np.testing.assert_array_equal(many.world["probability"].values[:2], few.world["probability"].values)
    np.testing.assert_array_equal(many.events["choice"][:2], few.events["choice"])


# What is wrong with it


def test_all_faults_at_once():
    def asks_later(reward, other):
        return reward

    def misspelled(choice, probabilty):
        return choice

    message = refused(
        coin,
        trial={"choice": CHOICE, "first": asks_later, "reward": misspelled, "other": 3, "shown": rl.Real},
        schedule={"probability": [0.2, 0.8]},
        states={"run": 0},
    )
    rows = message.splitlines()
    assert rows[0] == "task 'coin' has 6 faults:"
    assert "scheduled variable 'probability' is [0.2, 0.8], expected rl.tasks.Scheduled(kind, values)." in rows[1]
    assert "state 'run' is 0, expected rl.State(*axes, initial=...)." in rows[2]
    assert "the rule of 'first' asks for 'reward', a later event of the trial." in rows[3]
    assert "the rule of 'reward' asks for 'probabilty'. There are 'action', 'choice' and 'uniform'." in rows[4]
    assert "event 'other' is 3, expected a kind such as rl.Index(axis) for what the subject does, a rule" in rows[5]
    assert "event 'shown' is the class Real; write rl.Real(...)." in rows[6]


def test_the_nearest_spelling():
    def misspelled(choice, probabilty):
        return probabilty[choice]

    message = refused(coin, trial={"choice": CHOICE, "reward": misspelled})
    assert message.endswith("There are 'action', 'probability', 'choice' and 'uniform'. Did you mean 'probability'?")
    assert "test_task.py:" in message


def of_two_names(choice, run):
    return {"ran": run + 1}


def no_dict(run):
    return run


FAULTS = {
    "a name": (lambda: Task("a bandit", trial={}), "a task's name is 'a bandit', expected a Python name such as"),
    "no mapping": (lambda: coin(trial=[CHOICE]), "trial is [Index("),
    "no trials": (lambda: coin(n_trials=0), "n_trials is 0, expected a whole number from 1 on."),
    "a size": (lambda: coin(sizes={"action": 0}), "axis 'action' has size 0, expected a whole number from 1 on."),
    "an unknown axis": (lambda: coin(sizes={}), "event 'choice' has the axis 'action'; sizes has none. Add it: "),
    "no subject": (lambda: coin(trial={"reward": lambda uniform: uniform}), "no event of the trial is the subject's"),
    "itself": (lambda: coin(trial={"choice": CHOICE, "reward": lambda reward: 0}), "which is the event itself"),
    "a reserved event": (lambda: coin(trial={"choice": CHOICE, "update": reward}), "'update' is a reserved name"),
    "a reserved state": (lambda: coin(states={"uniform": rl.State()}), "'uniform' is a reserved name"),
    "a name twice": (lambda: coin(states={"probability": rl.State()}), "'probability' is both a scheduled variable"),
    "an update's name": (lambda: coin(states={"run": rl.State()}, update=of_two_names), "update returns 'ran'"),
    "an update's value": (lambda: coin(states={"run": rl.State()}, update=no_dict), "update returned"),
    "no function": (lambda: coin(update=3), "update is 3, expected a function that returns a dict of new states."),
    "text": (lambda: coin(trial={"choice": CHOICE, "reward": lambda choice: "x"}), "returned 'x', expected the event"),
    "a kind": (lambda: Scheduled(rl.Real, [1]), "Scheduled: the kind is"),
    "no flag": (lambda: Scheduled(rl.Real(), [1], shared="yes"), "Scheduled: shared is 'yes', expected True or False."),
    "not finite": (
        lambda: coin(schedule={"probability": Scheduled(rl.Real("action"), [[0.1, 0.2], [0.3, np.nan]])}),
        "'probability' is nan on trial 2, expected a finite number.",
    ),
    "a code": (
        lambda: coin(schedule={"best": Scheduled(rl.Index("action"), [0, 1, 2])}),
        "'best' is 2 on trial 3, expected a whole number from 0 to 1.",
    ),
    "no numbers": (
        lambda: coin(schedule={"best": Scheduled(rl.Index("action"), ["A", "B"])}),
        "'best' is ['A', 'B'], expected a number for each trial.",
    ),
    "what it asks": (
        lambda: coin(schedule={"probability": Scheduled(rl.Real("action"), lambda rng, n_trial: 0)}),
        "function that draws a schedule asks for 'n_trial'; it may ask for 'rng', 'n_trials', 'subject' and 'block'.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told(fault):
    make, expected = FAULTS[fault]
    assert expected in refused(make)


def test_a_drawn_schedule_that_does_not_fit():
    short = coin(schedule={"probability": Scheduled(rl.Real("action"), lambda n_trials: np.zeros((n_trials - 1, 2)))})
    assert refused(simulate, short) == (
        "task 'coin': 'probability' of subject 0 in block 0 has 9 trials, expected 10."
    )
    wide = coin(schedule={"probability": Scheduled(rl.Real("action"), lambda n_trials: np.zeros((n_trials, 3)))})
    assert refused(simulate, wide) == (
        "task 'coin': 'probability' of subject 0 in block 0 has shape (10, 3), expected trial × action (2)."
    )


def test_a_block_longer_than_the_table():
    task = coin().with_schedule(probability=[[0.2, 0.8]] * 6)
    assert refused(simulate, task) == (
        "task 'coin': 'probability' is fixed for 6 trials, but a block has 10. Give more of it, or play fewer trials."
    )
    assert simulate(task, trials=6, blocks=2).events["choice"].shape == (2, 12)


# Whom it fits


def test_a_task_that_lacks_what_the_model_needs():
    message = refused(simulate, rl.tasks.bandit().rename(reward="points"))
    assert message == (
        "task 'bandit': model 'rescorla_wagner' needs the event 'reward' (what the choice brought, in any unit: a real "
        "number, given by the world), which the task does not have. It has 'choice' and 'points'. If 'points' is "
        "meant: task.rename(points='reward')."
    )


def test_a_response_of_another_name():
    message = refused(simulate, rl.tasks.bandit().rename(choice="response"))
    assert "needs the response 'choice'" in message
    assert "task.rename(response='choice')" in message


def test_sizes_that_disagree():
    message = refused(simulate, rl.tasks.bandit((0.1, 0.5, 0.9)))
    assert message == (
        "task 'bandit': 'choice' is a whole number from 0 to 2 of axis 'action', but model 'rescorla_wagner' has a "
        "whole number from 0 to 1 of axis 'action'. Make the model and the task with the same sizes."
    )


def test_the_subject_does_what_the_world_should():
    task = coin(trial={"choice": CHOICE, "reward": rl.Real()})
    assert "'reward' is what the subject does, but in model 'rescorla_wagner' it is a real number, given by" in refused(
        simulate, task
    )


def test_a_response_that_goes_by_what_comes_later():
    task = Task(
        "late",
        trial={"choice": CHOICE, "stimulus": lambda choice: 2 * choice, "reward": lambda choice: 0.0},
        sizes={"action": 3},
    )
    message = refused(simulate, task, rl.catalogue.stimulus_action_learning())
    assert "needs 'stimulus' for its 'choice', which comes first in the task: 'choice', 'stimulus' and" in message


def test_an_axis_may_have_another_size_in_the_task():
    model = rl.catalogue.opal(n_actions=3)  # its own 'stimulus' has one entry
    params = dict.fromkeys(["alpha_critic", "alpha_go", "alpha_no_go"], 0.3) | {"beta_go": 1.0, "beta_no_go": 1.0}
    played = simulate(rl.tasks.stimulus_action(n_trials=9), model, params)
    assert played.world["correct"].shape == (2, 9, 6)
    assert played.trajectories["v"].shape == (2, 9, 1)
