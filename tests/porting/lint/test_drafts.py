"""Drafts: what a draft builds is what the program says, and what was not read is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.porting.linting import LintReport, lint

_DELTA = """
def step(c, r, q, a):
    i = tt.arange(n_subj)
    return tt.set_subtensor(q[i, c], q[i, c] + a * (r - q[i, c]))
"""
_SOFTMAX = "pm.Categorical('c', p=tt.nnet.softmax(beta[:, None] * qs), observed=actions)"
_SIGMOID = "pm.Bernoulli('c', p=tt.nnet.sigmoid(beta * (qs[:, :, 1] - qs[:, :, 0])), observed={})"


def _program(path: Path, step: str = _DELTA, like: str = _SOFTMAX, **other: str) -> LintReport:
    """Write a program around a recursion, and read it."""
    sequences, states = other.get("sequences", "actions, rewards"), other.get("states", "q0")
    like = like if other.get("shift") == "" else f"qs = tt.concatenate([[q0], qs[:-1]], axis=0)\n{like}"
    inside = f"""
alpha = pm.Beta('alpha', 1, 1, shape=n_subj)
beta = pm.HalfNormal('beta', 1, shape=n_subj)
{step}
q0 = {other.get("start", "tt.zeros((n_subj, n_actions))")}
qs, _ = theano.scan(step, sequences=[{sequences}], outputs_info=[{states}],
                    non_sequences=[{other.get("others", "alpha")}]{other.get("more", "")})
{like}
"""
    text = f"""import numpy as np, pymc3 as pm, theano, theano.tensor as tt
n_subj, n_actions = 5, {other.get("n_actions", "2")}
actions, rewards, other = np.load('a.npy'), np.load('r.npy'), np.load('o.npy')
{other.get("top", "")}
with pm.Model():
""" + "\n".join(f"    {line}" for line in inside.splitlines())
    file = path / "model.py"
    file.write_text(text + "\n" + other.get("end", ""))
    return lint(file)


_UPDATED = "tt.set_subtensor(q[i, c], q[i, c] + a * (r - q[i, c]))"


def _learn(first: str, returned: str = _UPDATED, extra: str = "") -> str:
    return f"def step(c, r, q, a{extra}):\n    i = tt.arange(n_subj)\n    {first}\n    return {returned}"


_RULE = {
    "taps of a sequence": {"sequences": "dict(input=actions, taps=[-1]), rewards"},
    "taps of a state": {"states": "dict(initial=q0, taps=[-2])"},
    "backwards": {"more": ", go_backwards=True"},
    "lists that are added": {"sequences": "actions] + [rewards"},
    "data of two trials": {"sequences": "actions[:-1], rewards[1:]"},
    "an argument with the name of a number": {
        "step": _learn("a = k * a", extra=", k"),
        "top": "k = 3", "others": "alpha, other"},
    "a number by branch": {
        "step": _learn("k = k0"), "top": "if n_subj > 3:\n    k0 = 0.1\nelse:\n    k0 = 0.2"},
    "keywords of a function": {"step": _learn("q = tt.clip(q, min=0, max=1)")},
    "a function of the program": {
        "step": _learn("q = clip(q, 0, 1)"), "top": "def clip(x, lo, hi):\n    return x / (1 + x)"},
    "all people's choices for each": {"step": _learn("q = tt.set_subtensor(q[:, c], r)")},
    "a slice of the state's own axes": {
        "step": "def step(c, r, q, a):\n    return tt.inc_subtensor(q[:, c], a * (r - q[:, c]))",
        "start": "tt.zeros((3, 2))"},
    "one-hot choices": {"sequences": "np.eye(2)[actions], rewards", "step": _learn("d = r - q", "q + a * c * d")},
    "the largest of another axis": {"step": _learn("q = q - q.max(axis=0)")},
    "a start that was changed": {"start": "start", "top": "start = np.zeros((5, 2))\nstart[:, 1] = 0.5"},
}  # fmt: skip


@pytest.mark.parametrize("case", _RULE)
def test_a_rule_that_can_not_be_read_is_not_guessed(case, tmp_path):
    draft = _program(tmp_path, **_RULE[case]).draft
    assert "the rule of learning\n    return {}" in draft
    assert draft.count("# not recognised: line") > 1


_LIKELIHOOD = {
    "learns from the other choices": {"sequences": "1 - actions, rewards"},
    "the same, by a variable": {"top": "other = 1 - actions", "sequences": "other, rewards"},
    "explains the other choices": {"like": _SIGMOID.format("1 - actions")},
    "explains the last trial's choices": {"like": _SOFTMAX.replace("=actions", "=np.roll(actions, 1)")},
    "another column": {
        "top": "df = np.load('d.npy')", "sequences": "df['c'], rewards",
        "like": _SOFTMAX.replace("=actions", "=df['d']")},
    "choices that changed since": {"like": f"actions = 1 - actions\n{_SOFTMAX}"},
    "one probability among three": {
        "like": "pm.Bernoulli('c', p=tt.nnet.softmax(qs)[:, :, 1], observed=actions)", "n_actions": "3"},
    "a softmax of the program": {
        "top": "def softmax(x):\n    return tt.exp(2 * x)", "like": _SOFTMAX.replace("tt.nnet.", "")},
    "a softmax told more": {"like": _SOFTMAX.replace("beta[:, None] * qs", "qs, beta")},
    "logits that are added to": {
        "like": "z = beta[:, None] * qs\nz += 0.3\n" + _SOFTMAX.replace("beta[:, None] * qs", "z")},
    "another start of the first trial": {
        "like": f"qs = tt.concatenate([[q0 + 0.5], qs[:-1]], axis=0)\n{_SOFTMAX}", "shift": ""},
    "values of the trials after": {
        "like": _SOFTMAX.replace("qs)", "qs[1:])").replace("=actions", "=actions[1:]"), "shift": ""},
}  # fmt: skip


@pytest.mark.parametrize("case", _LIKELIHOOD)
def test_a_likelihood_that_can_not_be_read_is_not_guessed(case, tmp_path):
    draft = _program(tmp_path, **_LIKELIHOOD[case]).draft
    assert "def choose" not in draft
    assert "# not recognised: the likelihood of the responses" in draft


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("# its data are 1 - actions", {"sequences": "1 - actions, rewards"}),
        ("# its data are 2 * rewards - 1", {"sequences": "actions, 2 * rewards - 1"}),
        ("# taken for one number a trial", {"step": _learn("d = r - q", "q + a[:, None] * d")}),
        ("not recognised: line 19: pm.Categorical('d'", {
            "like": f"{_SOFTMAX}\npm.Categorical('d', p=tt.nnet.softmax(qs), observed=other)"}),
        (": there with the values after the trial's update", {"shift": ""}),
        (": there with the values after the trial's update", {
            "shift": "", "like": "lp = tt.log(tt.nnet.softmax(beta[:, None] * qs))\n"
            "pm.Potential('x', lp[tt.arange(9)[:, None], tt.arange(5), actions].sum())"}),
        (": the program does not count the first response", {
            "shift": "", "like": _SOFTMAX.replace("qs)", "qs[:-1])").replace("=actions", "=actions[1:]")}),
        (": the program does not count the first response", {
            "shift": "", "sequences": "actions[:-1], rewards[:-1]",
            "like": _SOFTMAX.replace("=actions", "=actions[1:]")}),
    ],
)  # fmt: skip
def test_what_was_taken_for_granted_is_said(words, options, tmp_path):
    assert words in _program(tmp_path, **options).draft



def _chosen(q: np.ndarray, c: int, change: float) -> np.ndarray:
    return q + change * np.eye(2)[c]


_SAME = {
    "the same recursion": ({}, lambda q, c, r, a: _chosen(q, c, a * (r - q[c]))),
    "both options": (
        {"step": _learn("u = 1 - c\n    q = tt.set_subtensor(q[i, c], q[i, c] + a * (r - q[i, c]))",
                        "tt.inc_subtensor(q[i, u], a * (-r - q[i, u]))")},
        lambda q, c, r, a: _chosen(_chosen(q, c, a * (r - q[c])), 1 - c, a * (-r - q[1 - c]))),
    "forgetting after learning": (
        {"step": _learn("q = tt.set_subtensor(q[i, c], q[i, c] + a * (r - q[i, c]))", "0.9 * q")},
        lambda q, c, r, a: 0.9 * _chosen(q, c, a * (r - q[c]))),
    "forgetting of what was not chosen": (
        {"step": _learn("new = 0.9 * q", "tt.set_subtensor(new[i, c], q[i, c] + a * (r - q[i, c]))")},
        lambda q, c, r, a: np.where(np.arange(2) == c, q + a * (r - q), 0.9 * q)),
    "a rate by the error's sign": (
        {"step": _learn("d = r - q[i, c]\n    k = tt.switch(d > 0, a, 0.1)", "tt.inc_subtensor(q[i, c], k * d)")},
        lambda q, c, r, a: _chosen(q, c, (a if r > q[c] else 0.1) * (r - q[c]))),
    "an argument that is given another value": (
        {"step": _learn("a = a * 0.5")}, lambda q, c, r, a: _chosen(q, c, 0.5 * a * (r - q[c]))),
    "a parameter that is given another value": (
        {"step": _learn("alpha = alpha * 0.5").replace(", a)", ", alpha)").replace("+ a *", "+ alpha *")},
        lambda q, c, r, a: _chosen(q, c, 0.5 * a * (r - q[c]))),
    "the function that stands above": (
        {"end": "def step(c, r, q, a):\n    return 0.1 * q\n"}, lambda q, c, r, a: _chosen(q, c, a * (r - q[c]))),
}  # fmt: skip


@pytest.mark.parametrize("case", _SAME)
def test_a_draft_computes_the_programs_recursion(case, tmp_path):
    options, update = _SAME[case]
    scope: dict[str, object] = {}
    exec(_program(tmp_path, **options).draft, scope)
    rng = np.random.default_rng(3)
    choice, reward = rng.integers(0, 2, (1, 20)), rng.uniform(-1, 1, (1, 20))
    model = scope["model"]
    assert isinstance(model, rl.Model)
    engine = rl.compile(model, rl.Trials.from_arrays(c=choice, r=reward), backend="reference")
    found = engine.log_likelihood({"alpha": 0.3, "beta": 1.7})["c"].values[0]
    q = np.zeros(2)
    for c, r, value in zip(choice[0], reward[0], found, strict=True):
        z = 1.7 * q
        assert value == pytest.approx(z[c] - np.log(np.exp(z).sum()), abs=1e-12)
        q = update(q, c, r, 0.3)


def test_values_that_are_changed_behind_the_scan_stay_changed(tmp_path):
    assert "logits=beta * (q * 0.5)" in _program(tmp_path, like=f"qs = qs * 0.5\n{_SOFTMAX}").draft


def test_choices_counted_from_one_are_said(tmp_path):
    report = _program(tmp_path, sequences="actions - 1, rewards", like=_SOFTMAX.replace("=actions", "=actions - 1"))
    assert '"c": choose,  # its data are actions - 1' in report.draft


def test_axes_of_other_lengths_have_other_names(tmp_path):
    step = """def step(c, d, r, q, v, a):
    i = tt.arange(n_subj)
    return [tt.inc_subtensor(q[i, c], a * (r - q[i, c])), tt.inc_subtensor(v[i, d], a * (r - v[i, d]))]"""
    report = _program(
        tmp_path, step=step, sequences="actions, other, rewards",
        states="tt.zeros((n_subj, 2)), tt.zeros((n_subj, 4))", shift="",
    )  # fmt: skip
    assert '"q": rl.State("action", ' in report.draft
    assert '"v": rl.State("v_action_1", ' in report.draft
    assert 'sizes={"action": 2, "v_action_1": 4}' in report.draft


def test_a_potential_of_values_after_the_update_is_a_row(tmp_path):
    like = "lp = tt.log(tt.nnet.softmax(beta[:, None] * qs))\npm.Potential('x', lp[tt.arange(9), {}, actions].sum())"
    for shift, n in (("", 1), ("qs", 0)):
        report = _program(tmp_path, like=like.format("0"), shift=shift)
        assert [row.rule for row in report.rows].count("not-shifted") == n
    total = _program(tmp_path, like="pm.Potential('x', qs[-1].sum())", shift="")  # what a state adds up is no choice
    assert "not-shifted" not in [row.rule for row in total.rows]


def test_columns_of_a_table_are_told_apart(tmp_path):
    like = _SOFTMAX.replace("=actions", "=df['c'].values.flatten()")
    report = _program(tmp_path, top="df = np.load('d.npy')", sequences="df['c'].values, df['r'].values", like=like)
    assert '"c": choose,' in report.draft
    assert "# not recognised" not in report.draft
