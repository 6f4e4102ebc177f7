"""``check``, and the options with which it and ``fit`` read data."""

import numpy as np
import pytest

import rlbackends as rl

COLUMNS = ["--subject", "id", "--trial", "n", "--column", "choice=response"]


def check(program, *arguments):
    return program("check", *arguments, "--backends", "reference")


def test_the_reference_alone_says_the_log_likelihood_and_the_levels(program, table):
    ran = check(
        program, "rescorla_wagner", table, *COLUMNS, "--column", "reward=gain",
        "--param", "alpha=0.3", "--param", "beta=0.1", "--points", 0,
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert "A → 0" in ran.out
    data = rl.read_trials(table, subject="id", trial="n", choice="response", reward="gain")
    value = rl.compile(rl.catalogue.rescorla_wagner(), data).log_likelihood({"alpha": 0.3, "beta": 0.1})
    assert f"{float(value['choice'].sum()):.10f}" in ran.out


def test_derived_events_levels_and_columns_of_the_same_name(program, table):
    text = table.read_text(encoding="utf-8").replace("response", "choice")
    table.write_text(text, encoding="utf-8")
    ran = check(
        program, "rescorla_wagner", table, "--subject", "id", "--derive", "reward=gain - abs(loss)",
        "--levels", "choice=B,A", "--param", "alpha=1", "--param", "beta=0", "--points", 0,
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert f"{10 * np.log(0.5):.10f}" in ran.out


def test_wide_files(program, tmp_path):
    (tmp_path / "actions.csv").write_text("s1,s2\n1,2\n2,2\n1,1\n", encoding="utf-8")
    (tmp_path / "rewards.csv").write_text("s1,s2\n1,0\n0,0\n1,1\n", encoding="utf-8")
    wide = ["--wide", "choice=actions.csv", "--wide", "reward=rewards.csv"]
    ran = check(program, "rescorla_wagner", *wide, "--param", "alpha=0.5", "--param", "beta=1", "--points", 0)
    assert ran.status == 0, ran.err
    assert "2 subjects × 3 trials" in ran.out
    both = check(program, "rescorla_wagner", "actions.csv", *wide)
    assert both.status == 2 and "both DATA and --wide" in both.err


def test_several_columns_of_one_event(program, tmp_path):
    (tmp_path / "m.py").write_text(
        "import rlbackends as rl\n"
        "def choice(offer, beta):\n    return rl.Categorical(logits=beta * offer)\n"
        "model = rl.Model('offers', parameters={'beta': rl.Parameter(rl.Positive())},\n"
        "    states={'seen': rl.State()}, trial={'offer': rl.Real('action'), 'choice': choice},\n"
        "    update=lambda seen: {'seen': seen + 1.0}, sizes={'action': 2})\n",
        encoding="utf-8",
    )
    (tmp_path / "d.csv").write_text("id,a,b,choice\n1,0.2,0.5,0\n1,1,0,1\n", encoding="utf-8")
    common = ["m.py:model", "d.csv", "--subject", "id", "--param", "beta=2", "--points", 0]
    at_once = check(program, *common, "--column", "offer=a,b")
    assert at_once.status == 0, at_once.err
    one_by_one = check(program, *common, "--derive", "offer=a", "--derive", "offer=b")
    expected = -np.log1p(np.exp(2 * 0.3)) - np.log1p(np.exp(2 * 1.0))
    assert f"{expected:.10f}" in at_once.out and f"{expected:.10f}" in one_by_one.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rescorla_wagner"], "there are no data"),
        (["rescorla_wagner", "nofile.csv", "--subject", "id"], "nofile.csv: there is no such file"),
        (["rescorla_wagner", "prl.csv"], "subject='id'"),
        (["rescorla_wagner", "prl.csv", "--subject", "idd"], "'idd' (for subject) is no column. Did you mean 'id'?"),
        (["rescorla_wagner", "prl.csv", "--column", "choice"], "--column is 'choice', expected EVENT=COLUMN"),
        (["rescorla_wagner", "prl.csv", "--derive", "=x"], "--derive is '=x', expected EVENT=FORMULA"),
        (["rescorla_wagner", "prl.csv", "--levels", "choice="], "--levels is 'choice=', expected EVENT=LABELS"),
        (["rescorla_wagner", "prl.csv", "--column", "subject=id"], "'subject' can't be the name of an event"),
        (
            ["rescorla_wagner", "prl.csv", *COLUMNS, "--column", "rewrad=gain"],
            "--column: model 'rescorla_wagner' has no event 'rewrad'. It has 'choice' and 'reward'. "
            "Did you mean 'reward'?",
        ),
        (["rescorla_wagner", "prl.csv", *COLUMNS, "--derive", "rewrad=gain"], "--derive: model 'rescorla_wagner'"),
        (["rescorla_wagner", "prl.csv", "--option", "n_actions"], "--option is 'n_actions', expected NAME=VALUE"),
        (
            ["rescorla_wagner", "prl.csv", *COLUMNS, "--column", "reward=gain", "--param", "alpha=a"],
            "--param alpha is 'a', expected a number",
        ),
        (
            ["rescorla_wagner", "prl.csv", *COLUMNS, "--column", "reward=gain", "--param", "alpha=0.1"],
            "no value for 'beta'",
        ),
    ],
)
def test_what_can_not_be_read_is_said(program, table, arguments, words):
    ran = check(program, *arguments)
    assert ran.status == 2
    assert words in ran.err and ran.err.startswith("error: ") and "Traceback" not in ran.err


def test_a_column_may_be_for_a_formula_alone(program, table):
    formula = ["--column", "points=gain", "--derive", "reward=points / 2"]
    ran = check(program, "rescorla_wagner", table, *COLUMNS, *formula, "--param", "alpha=0.3", "--param", "beta=2")
    assert ran.status == 0, ran.err


@pytest.mark.parametrize(("agrees", "status"), [(True, 0), (False, 1)])
def test_the_status_is_the_verdict(program, table, monkeypatch, agrees, status):
    class Report:
        def __str__(self):
            return "a table"

    Report.agrees = agrees
    asked = {}
    monkeypatch.setattr(rl, "check", lambda *_, **given: asked.update(given) or Report())
    ran = program("check", "rescorla_wagner", table, *COLUMNS, "--column", "reward=gain", "--backends", "numpyro, pymc")
    assert ran.status == status and ran.out.endswith("a table\n")
    assert asked["backends"] == ["numpyro", "pymc"]
