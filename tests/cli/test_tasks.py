"""``tasks``: the ready tasks, and one of them; and a task from a word."""

import json

import pytest

import rlbackends as rl
from rlbackends.cli.arguments import task_options
from rlbackends.cli.load_task import load_task
from rlbackends.errors import ModelError, SettingError
from rlbackends.studies.job import pickler

TASK_FILE = """
import rlbackends as rl

def reward(choice, probability, uniform):
    return rl.where(uniform < probability[choice], 1.0, 0.0)

def walk(rng, n_trials):
    return rng.random((n_trials, 2))

def make(best=0.8):
    return rl.tasks.Task(
        "mine",
        trial={"choice": rl.Index("action"), "reward": reward},
        schedule={"probability": rl.tasks.Scheduled(rl.Real("action"), [1 - best, best])},
        sizes={"action": 2},
        n_trials=10,
    )

easy = make(1.0)
drifting = easy.with_schedule(probability=walk)
model = rl.catalogue.rescorla_wagner()
"""


@pytest.fixture
def task_file(tmp_path):
    path = tmp_path / "my_tasks.py"
    path.write_text(TASK_FILE, encoding="utf-8")
    return path


def test_tasks_has_a_row_a_task(program):
    ran = program("tasks")
    assert ran.status == 0
    rows = {line.split()[0]: line for line in ran.out.splitlines() if line.split()}
    assert set(rl.tasks.TASKS) < set(rows)
    assert "choice1, state2, choice2, reward" in rows["two_step"] and "201" in rows["two_step"]
    assert "needs -t payoffs=…" in rows["tabulated_bandit"]


def test_tasks_as_json_says_what_there_is(program):
    found = {task["name"]: task for task in json.loads(program("tasks", "--json").out)}
    assert list(found) == list(rl.tasks.TASKS)
    bandit = found["bandit"]
    assert list(bandit["events"]) == ["choice", "reward"]
    assert bandit["events"]["choice"]["source"] == "subject" and bandit["events"]["reward"]["source"] == "rule"
    assert bandit["hidden"] == {
        "probability": {"holds": "a real number for each action", "drawn": "the same on all trials"}
    }
    assert bandit["options"] == {"probabilities": [0.2, 0.8], "n_trials": None, "win": 1.0, "loss": 0.0}
    assert (bandit["sizes"], bandit["n_trials"], bandit["reference"]) == ({"action": 2}, 100, "Sutton & Barto (2018)")
    assert found["tabulated_bandit"]["events"] is None and found["tabulated_bandit"]["options"] == {"payoffs": None}


def test_one_task_is_told_with_its_options(program):
    out = program("tasks", "bandit", "-t", "probabilities=0.1,0.2,0.7", "-t", "n_trials=25").out
    assert "25 trials a block; sizes: action 3" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["choice", "the", "subject", "0", "to", "2", "the", "action", "that", "was", "chosen"] in lines
    assert "probability  a real number for each action" in out
    assert "win, loss : float, default 1.0, 0.0" in out
    assert out.rstrip().endswith("none: a model needs the task's events, in its sizes")
    assert "payoffs : array" in program("tasks", "tabulated_bandit").out


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("bandit", "rescorla_wagner_two_rates,"),
        ("two_step", "two_step, two_step_six, two_step_four"),
        ("aliens", "season  fixed beforehand  0 to 2"),
        ("restless_bandit", "drawn for each subject and block"),
        ("reversal", "trial by trial, the same for all subjects"),
        ("gambling", "changes with what happens"),
    ],
)
def test_one_task_is_told_with_who_plays_it_and_what_is_hidden(program, task, words):
    ran = program("tasks", task)
    assert ran.status == 0 and words in ran.out


def test_a_task_of_a_file(program, task_file):
    assert load_task(f"{task_file}:easy").n_trials == 10
    assert load_task(f"{task_file}:make", {"best": 0.5}).scheduled["probability"].values.tolist() == [[0.5, 0.5]]
    assert list(load_task(f"{task_file}:easy", {}, ["reward=outcome"]).events) == ["choice", "outcome"]
    ran = program("tasks", f"{task_file}:easy")
    assert ran.status == 0 and "mine" in ran.out and "rescorla_wagner" in ran.out


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("esay", {}, "has no 'esay'. Did you mean 'easy'?"),
        ("model", {}, "'model' of .* is a Model, expected a Task or a function"),
        ("make", {"bset": 1}, "has no option 'bset'; it has 'best'. Did you mean 'best'?"),
        ("make", {"best": "x"}, r"make\(best='x'\) failed: TypeError"),
        ("easy", {"best": 1}, "is a task, not a function that makes one"),
    ],
)
def test_a_file_without_what_was_asked_for(task_file, name, options, words):
    with pytest.raises(ModelError, match=words):
        load_task(f"{task_file}:{name}", options)


def test_without_a_name_a_file_with_several_tasks_says_so(task_file):
    with pytest.raises(ModelError, match="has 'easy' and 'drifting'; say which object to take"):
        load_task(str(task_file))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bandti"], "A task of your own is given as file.py:name. The ready ones are 'bandit', "),
        (["bandti"], "there is no task 'bandti'. Did you mean 'bandit'?"),
        (["tabulated_bandit", "-t", "payofs=1"], "'tabulated_bandit' needs the option 'payoffs': --task-option"),
        (["-t", "n_trials=3"], "--task-option says something about one task"),
        (["bandit", "-t", "probabilities"], "--task-option is 'probabilities', expected NAME=VALUE"),
        (["bandit", "-t", "probabilities=0.2,1.8"], "probabilities[1] is 1.8, expected a probability from 0 to 1"),
    ],
)
def test_what_can_not_be_told_is_said(program, arguments, words):
    ran = program("tasks", *arguments)
    assert ran.status == 2 and ran.out == ""
    assert ran.err.startswith("error: ") and words in ran.err and "Traceback" not in ran.err


def test_options_are_numbers_lists_and_tables(tmp_path):
    (tmp_path / "p.csv").write_text("left,right\n1,0\n0.5,2\n", encoding="utf-8")
    given = ["a=1", "b=0.2,0.8", "c=[[1, 2], [3, 4]]", "d=true", "e=go,no-go", f"f={tmp_path / 'p.csv'}"]
    assert task_options(given) == {
        "a": 1, "b": [0.2, 0.8], "c": [[1, 2], [3, 4]], "d": True, "e": "go,no-go", "f": [[1.0, 0.0], [0.5, 2.0]],
    }  # fmt: skip
    (tmp_path / "bad.csv").write_text("left,right\n1,0\n0.5,x\n", encoding="utf-8")
    with pytest.raises(SettingError, match=r"--task-option f: in row 2 of '.*', 'right' is 'x', expected a number"):
        task_options([f"f={tmp_path / 'bad.csv'}"])


def test_functions_of_a_file_travel_to_other_processes(task_file, run_python, tmp_path):
    (tmp_path / "task.pickle").write_bytes(pickler().dumps(load_task(f"{task_file}:drifting")))
    task_file.unlink()
    said = run_python(
        "import pickle, numpy as np\n"
        f"task = pickle.load(open({str(tmp_path / 'task.pickle')!r}, 'rb'))\n"
        "print(task.scheduled['probability'].draw(np.random.default_rng(0), 3, 0, 0).shape)"
    )
    assert said == "(3, 2)\n"
