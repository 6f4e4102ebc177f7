"""Programs in Stan: their text. That they compile and agree is a job of its own, ``stan_job.py``; it needs PyStan."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.porting.export.stan_words import KEYWORDS, WIDTH, number, wrapped
from rlbackends.testing.cases import CASES
from rlbackends.testing.suite.populations import POPULATIONS
from rlbackends.testing.suite.tryout import tryout
from tests.porting.export.harness import FORMULAS, catalogue_problem, formula_problem, long_lines, population_problem
from tests.porting.export.stan_job import difference
from tests.porting.export.stan_programs import write_jobs

HERE = Path(__file__).parent


def stan(model, data=None, population=None):
    return rl.export(model, "stan", data=data, population=population).text


def model_of(update, states, **trial):
    def response(q, beta):
        return rl.Categorical(logits=beta * q)

    return rl.Model(
        "made", parameters={"beta": rl.Parameter(rl.Positive())}, states=states,
        trial={"choice": response, **trial}, update=update, sizes={"action": 2},
    )  # fmt: skip


def assert_well_formed(text):
    """Assert that brackets close, lines are short, and nothing of Python is left over."""
    code = "\n".join(line.partition("//")[0] for line in text.splitlines())
    for opening, closing in ("()", "[]", "{}"):
        assert code.count(opening) == code.count(closing)
    assert long_lines(text, WIDTH) == []
    assert not re.search(r"\b(None|True|False|nan|inf)\b", code)
    declared = re.findall(r"^\s*(?:array\[[^\]]*\] )?(?:int|real|vector)(?:<[^>]*>)?(?:\[[^\]]*\])? (\w+)", code, re.M)
    assert not set(declared) & KEYWORDS


def test_the_text_is_stable():
    text = stan(rl.catalogue.rescorla_wagner())
    golden = (HERE / "golden" / "rescorla_wagner.stan").read_text(encoding="utf-8")
    assert re.sub(r"rlbackends \d+\.\d+\.\d+\w*", "rlbackends VERSION", text) == golden


@pytest.mark.parametrize("name", CASES)
def test_every_model_is_written(name):
    model = CASES[name].model()
    assert_well_formed(stan(model))
    assert_well_formed(stan(model, tryout(CASES[name], "messy").data))


@pytest.mark.parametrize("name", POPULATIONS)
def test_every_population_is_written(name):
    problem = population_problem(name)
    assert_well_formed(stan(problem.model, problem.data, problem.population))


@pytest.mark.parametrize("name", FORMULAS)
def test_formulas_are_written(name):
    problem = formula_problem(name)
    text = stan(problem.model, problem.data, problem.population)
    assert_well_formed(text)
    assert ("alpha_by_condition[condition[t] + 1]" in text) == (name != "between")


def test_a_program_says_only_what_its_data_need():
    model = rl.catalogue.rescorla_wagner()
    rewards = [[1.0, 0.0], [0.0, 1.0]]
    whole = rl.Trials.from_arrays(choice=[[0, 1], [1, 0]], reward=rewards)
    gaps = rl.Trials.from_arrays(choice=[[0, np.nan], [1, 0]], reward=rewards, levels={"choice": [0, 1]})
    short = rl.Trials.from_arrays(choice=[[0, 1], [1, 0]], reward=rewards, lengths=[2, 1])
    blocks = rl.Trials.from_arrays(choice=[[0, 1], [1, 0]], reward=rewards, blocks=[[1, 2], [1, 1]])
    words = {"choice_missing": gaps, "lengths": short, "starts": blocks, "nothing": whole}
    for word in ("choice_missing", "lengths", "starts"):
        assert [name for name, data in words.items() if word in stan(model, data)] == [word]


def test_bounds_and_constants_of_priors():
    p = rl.priors
    population = rl.Population(
        alpha=rl.Pooling(location=p.StudentT(4, 0, 1), sd=p.Uniform(0.1, 2)),
        beta=rl.Pooling("none", prior=p.HalfNormal(3)),
    )
    text = stan(rl.catalogue.rescorla_wagner(), population=population)
    assert "  real<lower=0.1, upper=2> alpha_sd;\n" in text
    assert "  vector<lower=0>[n_subjects] beta;\n" in text
    assert "target += student_t_lpdf(alpha_location | 4, 0, 1);" in text
    assert "target += normal_lpdf(beta | 0, 3) + n_subjects * log(2);" in text
    assert " ~ " not in text  # it would drop constants


def test_fixed_parameters_are_data():
    text = stan(rl.catalogue.rescorla_wagner(), population=rl.Population(alpha=0.25))
    assert "transformed data {\n  real alpha = 0.25;\n}" in text
    assert "alpha_location" not in text and "trial_log_lik(choice[s], reward[s], alpha, beta[s])" in text


def test_actions_that_are_not_available_get_no_infinite_logits():
    def choice(q, beta, there):
        return rl.Categorical(logits=beta * q, available=there > 0)

    model = rl.Model(
        "made", parameters={"beta": rl.Parameter(rl.Positive())}, states={"q": rl.State("action")},
        trial={"there": rl.Real("action"), "choice": choice},
        update=lambda q, choice: {"q": q.at[choice].add(0.1)}, sizes={"action": 2},
    )  # fmt: skip
    text = stan(model)
    assert "log_softmax(" in text and "categorical_logit" not in text


def test_states_that_read_each_other_change_together():
    def swap(q, w, choice):
        return {"q": w, "w": q.at[choice].add(1.0)}

    text = stan(model_of(swap, {"q": rl.State("action"), "w": rl.State("action")}))
    learning = text[text.index("// learning") :]
    assert learning.index("vector[2] new_w = q;") < learning.index("new_w[choice_t] += 1;") < learning.index("q = w;")
    assert learning.index("q = w;") < learning.index("w = new_w;")


def test_an_entry_is_read_before_it_changes():
    def learn(q, choice):
        return {"q": q.at[choice].set(q[0]).at[1].add(q[choice])}

    learning = stan(model_of(learn, {"q": rl.State("action")})).partition("// learning")[2]
    name = re.search(r"real (\w+) = q\[choice_t\];", learning)[1]
    assert learning.index(f"real {name}") < learning.index("q[choice_t] = q[1];") < learning.index(f"q[2] += {name};")


def test_whole_numbers_are_not_divided_as_integers():
    def learn(q, choice, count):
        return {"q": q.at[choice].add(count / 2)}

    text = stan(model_of(learn, {"q": rl.State("action")}, count=rl.Binary()))
    assert "1.0 * count[t] / 2" in text


def test_names_that_stan_keeps_for_itself():
    def choice(q, real):
        return rl.Categorical(logits=real * q)

    def learn(q, t, Phi, choice, reward):
        return {"q": q.at[choice].add(t * reward), "t": t + rl.exp(Phi)}

    model = rl.Model(
        "made", parameters={"real": rl.Parameter(rl.Positive()), "Phi": rl.Parameter(rl.UnitInterval())},
        states={"q": rl.State("action"), "t": rl.State()}, trial={"choice": choice, "reward": rl.Real()}, update=learn,
        sizes={"action": 2},
    )  # fmt: skip
    text = stan(model)
    assert "categorical_logit_lpmf(choice_t | real_ * q)" in text and "t_ += exp(Phi_);" in text
    assert "vector<lower=0, upper=1>[n_subjects] Phi_ = Phi(Phi_location + Phi_sd * Phi_offset);" in text


def test_an_event_that_stan_has_no_name_for_is_refused():
    def learn(q, choice, vector, offset):
        return {"q": q.at[choice].add(vector + offset)}

    model = model_of(learn, {"q": rl.State("action")}, vector=rl.Real(), offset=rl.Real())
    with pytest.raises(ModelError, match=r"'vector' and 'offset' are names of Stan's own.*Rename"):
        stan(model)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (-0.5, "-0.5"), (True, "1"), (float("-inf"), "negative_infinity()"), (3e9, "3000000000.0")],
)
def test_numbers(value, text):
    assert number(value).text == text


def test_long_lines_break_at_their_loosest_operator():
    line = f"    x = f({' + '.join(f'name_{n} * value_{n}' for n in range(8))});"
    lines = wrapped(line)
    assert len(lines) > 1 and all(len(row) <= WIDTH for row in lines)
    assert " ".join(row.strip() for row in lines) == line.strip()
    assert all(row.endswith("+") for row in lines[:-1])
    assert wrapped(f"  int x;  // {'word ' * 30}")[-1] == "  int x;"


def test_differences_of_log_densities():
    assert difference(-1000.0, -1000.0 + 1e-8) == pytest.approx(1e-11)
    assert difference(float("nan"), 1.0) == float("inf") and difference(-float("inf"), -float("inf")) == 0.0


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("stan") is None, reason="PyStan is not installed: see docs/testing.md")
def test_programs_compile_and_agree(tmp_path):
    problems = [catalogue_problem(name, "messy") for name in ("rescorla_wagner", "two_step", "aliens")]
    write_jobs(problems, tmp_path)
    job = subprocess.run([sys.executable, HERE / "stan_job.py", tmp_path], capture_output=True, text=True)
    assert job.returncode == 0, job.stdout + job.stderr
