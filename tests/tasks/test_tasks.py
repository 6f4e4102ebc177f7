"""What the functions of ready tasks return, what they refuse, and the examples in their docstrings."""

import doctest
import pickle
import sys

import cloudpickle
import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError

TASKS = sorted(rl.tasks.TASKS)


def make(name: str) -> rl.tasks.Task:
    function = rl.tasks.TASKS[name]
    return function(np.eye(3)) if name == "tabulated_bandit" else function()


@pytest.mark.parametrize("name", TASKS)
def test_each_says_what_it_is(name):
    task = make(name)
    assert task.name == name
    assert task.description
    assert task.reference or name == "tabulated_bandit"
    assert [event.name for event in task.events.values() if not event.description] == []
    assert rl.tasks.TASKS[name] is getattr(rl.tasks, name)


@pytest.mark.parametrize("name", TASKS)
def test_it_travels(name):
    task = make(name)
    for module in (pickle, cloudpickle):
        again = module.loads(module.dumps(task))
        assert again.digest == task.digest == make(name).digest
        assert repr(again) == repr(task)


@pytest.mark.parametrize("name", TASKS)
def test_docstring(name):
    function = rl.tasks.TASKS[name]
    module = sys.modules[function.__module__]
    examples = doctest.DocTestFinder(recurse=False).find(function, name, module=module, globs={})
    outcome = [doctest.DocTestRunner(verbose=False).run(example) for example in examples]
    assert sum(result.attempted for result in outcome) >= 3
    assert sum(result.failed for result in outcome) == 0


@pytest.mark.parametrize("example", [rl.tasks.Task, rl.tasks.Task.with_schedule, rl.tasks.Scheduled])
def test_docstrings_of_what_tasks_are_made_of(example):
    module = sys.modules[example.__module__]
    found = doctest.DocTestFinder(recurse=False).find(example, example.__name__, module=module, globs={})
    outcome = [doctest.DocTestRunner(verbose=False).run(one) for one in found]
    assert sum(result.attempted for result in outcome) >= 2
    assert sum(result.failed for result in outcome) == 0


@pytest.mark.parametrize("title", rl.tasks.FAMILIES)
def test_a_family_says_what_it_is(title):
    family = rl.tasks.FAMILIES[title]
    assert family.__doc__ and family.__all__


def test_exported():
    assert set(rl.tasks.__all__) == {"FAMILIES", "TASKS", "Task", "Scheduled", *rl.tasks.TASKS}


def test_a_table_has_its_trials():
    table = np.full((7, 2), 0.5)
    assert rl.tasks.bandit(table).n_trials == 7
    assert rl.tasks.bandit(table, n_trials=5).n_trials == 5
    assert rl.tasks.tabulated_bandit(table).n_trials == 7
    assert rl.tasks.binary_prediction(table[:, 0]).n_trials == 7
    assert rl.tasks.ultimatum(table[:, 0]).n_trials == 7
    assert rl.tasks.conditioning(table).n_trials == 7
    assert rl.tasks.two_step(probabilities=np.full((9, 2, 2), 0.5)).n_trials == 9


def told(name, *args, **settings) -> str:
    with pytest.raises(ModelError) as fault:
        rl.tasks.TASKS[name](*args, **settings)
    return str(fault.value)


PROBABILITY = "expected a probability from 0 to 1."
WHOLE = "expected a whole number from 1 on."
MESSAGES = [
    ("bandit", ((0.2, 1.4),), {}, f"task 'bandit': probabilities[1] is 1.4, {PROBABILITY}"),
    ("bandit", ([[0.2, 0.4], [0.1, -3]],), {}, f"task 'bandit': probabilities[1, 1] is -3, {PROBABILITY}"),
    ("bandit", ((-1, 0.5, 1.4),), {}, f"task 'bandit': probabilities[0] is -1, and 1 more like it, {PROBABILITY}"),
    ("bandit", ("half",), {}, "task 'bandit': probabilities is 'half', expected a probability for each action or "
     "trial × action."),
    ("bandit", (0.5,), {}, "task 'bandit': probabilities is 0.5, expected a probability for each action or "
     "trial × action."),
    ("bandit", ([],), {}, "task 'bandit': probabilities has shape (0,), expected action or trial × action with at "
     "least one entry."),
    ("bandit", ([[0.1, 0.2]] * 5, 9), {}, "task 'bandit': n_trials is 9, but probabilities has 5 trials. Give more of "
     "it, or leave n_trials out."),
    ("bandit", ((0.2, 2),), {"n_trials": 0, "win": "all", "loss": None},
     f"task 'bandit' has 4 faults:\n  1. probabilities[1] is 2, {PROBABILITY}\n  2. win is 'all', expected a finite "
     f"number.\n  3. loss is None, expected a finite number.\n  4. n_trials is 0, {WHOLE}"),
    ("gaussian_bandit", ((0.0, float("nan")),), {"sd": (1, 2, 3)}, "task 'gaussian_bandit' has 2 faults:\n  1. "
     "means[1] is nan, expected a finite number.\n  2. sd has 3 entries, but means has 2 actions."),
    ("gaussian_bandit", ((0, 1), -1), {}, "task 'gaussian_bandit': sd is -1, expected a number of at least 0."),
    ("tabulated_bandit", ((1, 2, 3),), {}, "task 'tabulated_bandit': payoffs has shape (3,), expected a number for "
     "each trial × action."),
    ("restless_bandit", (2,), {"start": (1, 2, 3)}, "task 'restless_bandit': start has 3 entries, but there are 2 "
     "actions."),
    ("restless_bandit", (0,), {"retention": 1.2, "shared": 1}, f"task 'restless_bandit' has 3 faults:\n  1. n_actions "
     f"is 0, {WHOLE}\n  2. retention is 1.2, expected a number from 0 to 1.\n  3. shared is 1, expected True or "
     "False."),
    ("restless_bernoulli_bandit", (), {"bounds": (0.7, 0.2)}, "task 'restless_bernoulli_bandit': bounds is (0.7, 0.2), "
     "expected two numbers, the lower one first, from 0 to 1."),
    ("gain_loss_bandit", (), {"bounds": 3, "loss_size": -1}, "task 'gain_loss_bandit' has 2 faults:\n  1. bounds is 3, "
     "expected two numbers, the lower one first, from 0 to 1.\n  2. loss_size is -1, expected a number of at least "
     "0."),
    ("reversal", ((0.5,),), {}, "task 'reversal': probabilities has shape (1,), expected action with at least 2 "
     "entries each."),
    ("reversal", (), {"every": (10, 5)}, "task 'reversal': every is (10, 5), expected a number of trials, or several "
     "in ascending order."),
    ("reversal", (), {"every": 5, "criterion": 3}, "task 'reversal': every and criterion are both given; leave one of "
     "them out."),
    ("reversal", (), {"criterion": 3, "window": 2}, "task 'reversal': window is 2, expected a whole number from 3 on."),
    ("reversal", (), {"hazard": 0.5}, "task 'reversal': window and hazard belong to a criterion; give criterion=, such "
     "as criterion=8."),
    ("two_step", (), {"transition": 1.3}, f"task 'two_step': transition is 1.3, {PROBABILITY}"),
    ("two_step", (), {"probabilities": [[0.1, 0.2, 0.3]] * 2}, "task 'two_step': probabilities has shape (2, 3), "
     "expected 2 states × 2 actions."),
    ("aliens", ([[1, 2], [3, 4]],), {}, "task 'aliens': rewards has shape (2, 2), expected a number for each task set "
     "× alien × action."),
    ("aliens", (), {"task_sets": (0, 3)}, "task 'aliens': task_sets[1] is 3, expected a whole number from 0 to 2."),
    ("aliens", (), {"task_sets": 2}, "task 'aliens': task_sets is 2, expected the task set of each season."),
    ("aliens", (), {"season_length": 0}, f"task 'aliens': season_length is 0, {WHOLE}"),
    ("stimulus_action", (), {"set_sizes": (2, 9)}, "task 'stimulus_action': set_sizes[1] is 9, expected a whole number "
     "from 1 to 6."),
    ("stimulus_action", (), {"set_sizes": ()}, "task 'stimulus_action': set_sizes is (), expected numbers of stimuli."),
    ("stimulus_action", (2.5,), {}, f"task 'stimulus_action': n_stimuli is 2.5, {WHOLE}"),
    ("probabilistic_selection", ([(0.8, 0.2, 0.1)],), {}, "task 'probabilistic_selection': probabilities has shape "
     "(1, 3), expected two stimuli in each pair."),
    ("go_no_go", (), {"validity": None}, f"task 'go_no_go': validity is None, {PROBABILITY}"),
    ("gambling", (), {"losses": [[5, -3]]}, "task 'gambling': losses[0, 0] is 5, expected a number of at most 0."),
    ("gambling", ((1, 2), [[-5, -3]]), {}, "task 'gambling': gains has shape (2,) and losses has shape (1, 2), "
     "expected a gain of each deck, or as many cards in both."),
    ("gambling", (), {"unit": 0}, "task 'gambling': unit is 0, expected a number that outcomes can be divided by."),
    ("conditioning", ([[0.1, 0.2]] * 4,), {"reversal": 2}, "task 'conditioning': reversal is given, but probabilities "
     "has its trials already; leave reversal out."),
    ("binary_prediction", ((0.1, 2),), {"every": 0}, "task 'binary_prediction' has 2 faults:\n  1. every is 0, "
     "expected a number of trials, or several in ascending order.\n  2. probability[1] is 2, expected a probability "
     "from 0 to 1."),
    ("aversive_learning", (), {"sizes": (1,)}, "task 'aversive_learning': sizes is (1,), expected two numbers, the "
     "lower one first."),
    ("ultimatum", ([4.0, None],), {"stake": -1}, "task 'ultimatum' has 2 faults:\n  1. means[1] is nan, expected a "
     "finite number.\n  2. stake is -1, expected a number of at least 0."),
    ("card_sorting", (20, 9), {}, "task 'card_sorting': 9 decks and 20 dimensions make too many cards, expected "
     "100,000 at most."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args", "settings", "expected"), MESSAGES)
def test_what_is_refused_and_how(name, args, settings, expected):
    assert told(name, *args, **settings) == expected
