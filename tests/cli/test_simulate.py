"""``simulate``: the table, the command that fits it, where parameters come from, and what it refuses."""

import csv
import shlex

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.cli.parameters import read_values
from rlbackends.errors import SettingError

BANDIT = ("rescorla_wagner", "bandit")


@pytest.fixture
def simulate(program):
    """Return ``simulate("rescorla_wagner", "bandit", …)``, computed by the quickest to start."""
    return lambda *arguments: program("simulate", *arguments, "--backend", "reference")


@pytest.fixture
def bound_by_fit(program, monkeypatch):
    """Return a function that runs a command line of ``fit`` and returns the trials that it would fit."""
    found = {}

    class Stop(rl.errors.RLBackendsError):
        pass

    def record(_, data, **__):
        found["data"] = data
        raise Stop("enough")

    def run(command):
        monkeypatch.setattr(rl, "fit", record)
        ran = program(*shlex.split(command)[1:])
        assert ran.err == "error: enough\n"
        return found["data"]

    return run


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_it_is_what_the_library_simulates(simulate, tmp_path):
    ran = simulate(
        *BANDIT, "-t", "probabilities=0.3,0.9", "--param", "alpha=0.2,0.4,0.6", "--param", "beta=3",
        "--trials", 7, "--blocks", 2, "--seed", 5, "--output", "t.csv", "--trajectories",
    )  # fmt: skip
    assert (ran.status, ran.out) == (0, "")
    task = rl.tasks.bandit(probabilities=(0.3, 0.9))
    expected = rl.simulate(
        rl.catalogue.rescorla_wagner(), task, {"alpha": [0.2, 0.4, 0.6], "beta": 3.0}, trials=7, blocks=2, seed=5,
        backend="reference",
    ).frame(trajectories=True)  # fmt: skip
    rows = read(tmp_path / "t.csv")
    assert list(rows[0]) == list(expected.columns) and "q_1" in rows[0] and "prediction_error" in rows[0]
    for name in expected.columns:
        assert [float(row[name]) for row in rows] == expected[name].astype(float).tolist()
    assert ran.err.startswith(
        "rescorla_wagner in bandit: 3 subjects × 14 trials in 2 blocks, by reference, seed 5; no draw near an edge\n"
    )
    assert "prior" not in ran.err


@pytest.mark.parametrize(
    ("model", "task", "options"),
    [
        ("rescorla_wagner", "bandit", ["-o", "n_actions=5", "-t", "probabilities=0.9,0.1,0,0,0"]),
        ("rescorla_wagner", "bandit", ["--blocks", 3, "--trials", 4]),
        ("aliens", "aliens", []),
        ("two_step", "two_step", []),
        ("conditioned_response", "conditioning", []),
        ("rl_working_memory", "stimulus_action", []),
        ("orl", "gambling", []),
    ],
)
def test_fit_reads_it_by_the_command_that_is_told(simulate, bound_by_fit, monkeypatch, model, task, options):
    made = []
    run = rl.simulate
    monkeypatch.setattr(rl, "simulate", lambda *a, **k: made.append(run(*a, **k)) or made[-1])
    options = options or ["--trials", 12]
    ran = simulate(model, task, *options, "--subjects", 2, "--output", "t 1.csv")
    assert ran.status == 0, ran.err
    (simulation,) = made
    command = ran.err.splitlines()[-1].strip()
    assert command.startswith(f"rlbackends fit {model} ") and "'t 1.csv'" in command
    data, expected = bound_by_fit(command), simulation.data.bind(simulation.model)
    assert data.subjects == expected.subjects
    np.testing.assert_array_equal(data.starts, expected.starts)
    for event in simulation.model.events:
        np.testing.assert_array_equal(data.missing[event], expected.missing[event])
        np.testing.assert_array_equal(data.values[event], expected.values[event])
    events = simulation.model.events
    assert {name: data.levels.get(name) for name in events} == {name: expected.levels.get(name) for name in events}


def test_an_event_with_entries_is_read_from_its_columns(simulate, bound_by_fit, tmp_path):
    (tmp_path / "offers.py").write_text(
        "import rlbackends as rl\n"
        "def choice(offer, beta):\n    return rl.Categorical(logits=beta * offer)\n"
        "model = rl.Model('offers', parameters={'beta': rl.Parameter(rl.Positive())},\n"
        "    states={'seen': rl.State()}, trial={'offer': rl.Real('action'), 'choice': choice},\n"
        "    update=lambda seen: {'seen': seen + 1.0}, sizes={'action': 2})\n"
        "def draw(rng, n_trials):\n    return rng.normal(size=(n_trials, 2))\n"
        "task = rl.tasks.Task('shop', trial={'offer': rl.tasks.Scheduled(rl.Real('action'), draw),\n"
        "    'choice': rl.Index('action')}, sizes={'action': 2}, n_trials=6)\n",
        encoding="utf-8",
    )
    ran = simulate("offers.py:model", "offers.py:task", "--subjects", 2, "--output", "t.csv")
    command = ran.err.splitlines()[-1].strip()
    assert "--column offer=offer_0,offer_1 --levels choice=0,1" in command
    data = bound_by_fit(command)
    rows = read(tmp_path / "t.csv")
    assert data.values["offer"].shape == (2, 6, 2)
    assert data.values["offer"].ravel().tolist() == [float(r[c]) for r in rows for c in ("offer_0", "offer_1")]


def test_standard_output_is_the_table_and_nothing_else(simulate):
    ran = simulate(*BANDIT, "--subjects", 2, "--trials", 3)
    lines = ran.out.splitlines()
    assert lines[0] == "subject,block,trial,choice,reward" and len(lines) == 7
    assert "drawn from the default prior: alpha, beta; --truth FILE writes the values" in ran.err
    assert "rlbackends fit rescorla_wagner TRIALS.csv --backend" in ran.err


def test_what_is_not_given_is_drawn_from_the_default_prior(simulate, tmp_path):
    simulate(*BANDIT, "--subjects", 4, "--trials", 3, "--output", "a.csv", "--truth", "all.csv", "--seed", 2)
    simulate(*BANDIT, "--subjects", 4, "--trials", 3, "--output", "b.csv", "--truth", "one.csv", "--seed", 2,
             "--param", "alpha=0.5")  # fmt: skip
    drawn, given = read(tmp_path / "all.csv"), read(tmp_path / "one.csv")
    assert len({row["alpha"] for row in drawn}) == 4 and {row["alpha"] for row in given} == {"0.5"}
    assert [row["beta"] for row in drawn] == [row["beta"] for row in given]
    # As the prior predictive of the library draws them.
    tree = rl.prior_predictive(
        rl.catalogue.rescorla_wagner(), rl.tasks.bandit(), subjects=4, draws=1, trials=3, seed=2, backend="reference"
    )
    assert [float(row["beta"]) for row in drawn] == tree["prior"]["beta"].values.ravel().tolist()


def test_parameters_that_were_written_are_read_again(simulate, tmp_path):
    first = simulate(*BANDIT, "--subjects", 12, "--trials", 5, "--truth", "p.csv", "--output", "a.csv")
    again = simulate(*BANDIT, "--params", "p.csv", "--trials", 5, "--truth", "q.csv", "--output", "b.csv")
    assert (first.status, again.status) == (0, 0) and "prior" not in again.err
    assert (tmp_path / "p.csv").read_bytes() == (tmp_path / "q.csv").read_bytes()
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_table_of_parameters_names_its_subjects(simulate, tmp_path):
    (tmp_path / "p.csv").write_text("subject,alpha\nanna,0.1\nben,0.9\n", encoding="utf-8")
    ran = simulate(*BANDIT, "--params", "p.csv", "--param", "beta=gamma(9, 3)", "--trials", 2, "--output", "t.csv")
    assert ran.status == 0, ran.err
    assert [row["subject"] for row in read(tmp_path / "t.csv")] == ["anna", "anna", "ben", "ben"]


def test_distributions_are_drawn_for_each_subject_and_by_name(simulate, tmp_path):
    arguments = [*BANDIT, "--subjects", 400, "--trials", 1, "--param", "beta=1", "--output", "t.csv", "--overwrite"]
    arguments += ["--truth", "p.csv"]
    simulate(*arguments, "--param", "alpha=Beta(5, 5)")
    values = np.array([float(row["alpha"]) for row in read(tmp_path / "p.csv")])
    # Beta(5, 5): mean 0.5, sd 0.151; four standard errors.
    assert abs(values.mean() - 0.5) < 4 * 0.151 / 20 and abs(values.std() - 0.151) < 4 * 0.151 / np.sqrt(800)
    simulate(*arguments, "--param", "alpha=uniform(lo=0.2, hi=0.3)")
    values = np.array([float(row["alpha"]) for row in read(tmp_path / "p.csv")])
    assert 0.2 <= values.min() < 0.21 and 0.29 < values.max() <= 0.3


def test_values_as_texts():
    found = read_values("--param", ["a=0.3", "b=1, 2", "c=Normal(1, sd=2)", "d=halfnormal()"])
    assert found == {"a": 0.3, "b": [1.0, 2.0], "c": rl.priors.Normal(1, 2), "d": rl.priors.HalfNormal(1)}
    for text, words in (
        ("a=x", "--param a is 'x', expected a number, several with commas"),
        ("a=1,x", "--param a is '1,x', expected a number"),
        ("a=betta(1,2)", "there is no distribution 'betta'.* Did you mean 'beta'?"),
        ("a=beta(1,2,3)", r"expected beta\(a, b\), each a number"),
        ("a=beta(c=1)", r"expected beta\(a, b\), each a number"),
        ("a=beta(1,x)", r"expected beta\(a, b\), each a number"),
        ("a=beta(0,1)", "Beta: a is 0.0, expected a number above 0"),
        ("a", "--param is 'a', expected NAME=VALUE, such as --param alpha=0.3"),
    ):
        with pytest.raises(SettingError, match=words):
            read_values("--param", [text])
    with pytest.raises(SettingError, match="--param a is given twice"):
        read_values("--param", ["a=1", "a=2"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*BANDIT, "--output", "here.csv"], "--output 'here.csv' exists. Choose another name, remove it, or add"),
        ([*BANDIT, "--truth", "here.csv"], "--truth 'here.csv' exists"),
        ([*BANDIT, "--output", "new.txt"], "--output is 'new.txt', expected a file that ends in .csv"),
        ([*BANDIT, "--output", "no/new.csv"], "can't be written: there is no folder 'no'"),
        ([*BANDIT, "--truth", "new.csv"], "--output and --truth are the same file"),
        (["rescorla_wagner", "bandti"], "there is no task 'bandti'. Did you mean 'bandit'?"),
        (["rescorla_wagnr", "bandit"], "Did you mean 'rescorla_wagner'?"),
        (["rescorla_wagner", "two_step"], "needs the response 'choice'"),
        ([*BANDIT, "--rename", "reward=outcome"], "If 'outcome' is meant: --rename outcome=reward."),
        ([*BANDIT, "--rename", "rward=outcome"], "there is no event 'rward'; there are 'choice' and 'reward'. Did"),
        ([*BANDIT, "-t", "probabilities=0.1,0.2,0.3"], "size 2 in the model and 3 in the task: pass -o n_actions=3."),
        (["rescorla_wagner", "restless_bandit"], "pass -o n_actions=4 or -t n_actions=2."),
        ([*BANDIT, "-t", "probabilities=0.1,1.2"], "probabilities[1] is 1.2, expected a probability from 0 to 1"),
        ([*BANDIT, "-t", "probability=0.1,0.2"], "'bandit' has no option 'probability'"),
        ([*BANDIT, "--param", "alpa=0.1"], "'alpa' is no parameter of model 'rescorla_wagner'"),
        ([*BANDIT, "--param", "alpa=0.1"], "Did you mean 'alpha'?"),
        ([*BANDIT, "--param", "alpha=1.1"], "'alpha' is 1.1 for subject 1, which is outside its support (0, 1)"),
        ([*BANDIT, "--param", "alpha=0.1,0.2", "--subjects", 3], "disagree: --param alpha 2, --subjects 3."),
        ([*BANDIT, "--params", "p.csv", "--param", "alpha=1"], "'alpha' is given by --param and in 'p.csv'"),
        ([*BANDIT, "--params", "p.csv", "--subjects", 2], "disagree: --params p.csv 1, --subjects 2."),
        ([*BANDIT, "--params", "none.csv"], "none.csv: there is no such file"),
        ([*BANDIT, "--params", "here.csv"], "--params 'here.csv' has no column 'subject'; it has 'a'."),
        ([*BANDIT, "--params", "twice.csv"], "--params 'twice.csv' has two rows of subject 1"),
        ([*BANDIT, "--params", "text.csv"], "'alpha' of subject 2 is 'x', expected a number"),
        ([*BANDIT, "--subjects", 0], "--subjects is 0, expected at least 1"),
        ([*BANDIT, "--trials", 0], "trials is 0, expected a whole number from 1 on"),
        ([*BANDIT, "--seed", -1], "seed is -1"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is_written(simulate, tmp_path, arguments, words):
    files = {
        "here.csv": "a\n1\n", "p.csv": "subject,alpha\n1,0.2\n", "twice.csv": "subject,alpha\n1,0.2\n1,0.3\n",
        "text.csv": "subject,alpha\n1,0.2\n2,x\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    ran = simulate("--output", "new.csv", *arguments) if "--output" not in arguments else simulate(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error: ") and words in ran.err and "Traceback" not in ran.err
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == files


def test_existing_files_are_replaced_when_asked(simulate, tmp_path):
    (tmp_path / "t.csv").write_text("old", encoding="utf-8")
    ran = simulate(*BANDIT, "--subjects", 1, "--trials", 2, "--output", "t.csv", "--overwrite")
    assert ran.status == 0 and len(read(tmp_path / "t.csv")) == 2
    assert "1 subject × 2 trials" in ran.err
