"""Programs in NumPy and NumPyro, run without rlbackends, have the joint density of the reference."""

from __future__ import annotations

import json

import pytest

import rlbackends as rl
from rlbackends.porting.export.export import export
from rlbackends.testing.cases import CASES
from rlbackends.testing.suite.populations import POPULATIONS
from tests.porting.export.harness import (
    FORMULAS,
    Problem,
    assert_same_densities,
    catalogue_problem,
    formula_problem,
    long_lines,
    population_problem,
    program_problem,
    run,
)

TARGETS = [
    "numpy",
    pytest.param(
        "numpyro", marks=pytest.mark.skipif("numpyro" not in rl.installed_backends(), reason="needs numpyro")
    ),
]
# A delta rule; two responses; a table and whole axes; sub-choices under a mask; options that are not available;
# states that read each other; a normal response.
FEW = {
    "numpy": ["rescorla_wagner", "two_step_after", "aliens_bayesian", "balloon_four_parameters_5", "card_sorting",
              "hgf_three_levels", "conditioned_response_pearce_hall"],
    "numpyro": ["two_step_after", "balloon_four_parameters_5"],
}  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
def test_programs_have_the_density_of_the_reference(target, tmp_path):
    problems = [catalogue_problem(name, "messy") for name in FEW[target]]
    problems += [formula_problem("within"), swapping_problem()]
    assert_same_densities(target, problems, tmp_path)


def swapping_problem() -> Problem:
    """Return a model whose states read each other's old values, start at a parameter and carry over blocks."""

    def choice(a, b, beta):
        return rl.Categorical(logits=beta * (a + b))

    def learn(a, b, level, places, choice, reward, alpha):
        return {
            "a": b.at[choice].add(alpha * (reward - a[choice])),
            "b": a.at[places].add(level),
            "level": rl.where(rl.is_missing(reward), level + a[0], b[1] - level),
        }

    model = rl.Model(
        "swapping",
        parameters={"alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive())},
        states={
            "a": rl.State("action", initial="alpha"),
            "b": rl.State("action", initial=[0.1, 0.2, 0.4], reset="never"),
            "level": rl.State(initial=0.0),
        },
        trial={"places": rl.Index("action", "slot"), "choice": choice, "reward": rl.Real()},
        update=learn,
        sizes={"action": 3, "slot": 2},
    )
    nan = float("nan")
    data = rl.Trials.from_arrays(
        subjects=["s1", "s2"], lengths=[5, 4], blocks=[[1, 1, 2, 2, 2], [1, 2, 2, 2, 0]],
        levels={"choice": range(3), "places": range(3)}, choice=[[0, 2, nan, 1, 1], [2, 2, 0, 1, nan]],
        places=[[[0, 0], [1, 2], [2, 2], [0, 1], [1, 1]], [[2, 0], [1, 1], [0, 2], [0, 1], [nan, nan]]],
        reward=[[1.0, nan, 0.5, 0.0, 2.0], [0.0, 1.0, nan, 1.0, nan]],
    )  # fmt: skip
    return Problem("swapping", model, data.bind(model), rl.Population(beta="complete"))


@pytest.mark.parametrize("target", TARGETS)
def test_the_programs_run_without_rlbackends(target, tmp_path):
    problem = catalogue_problem("rescorla_wagner", "plain")
    text = export(problem.model, target, data=problem.data).text
    assert "import rlbackends" not in text
    assert "from rlbackends" not in text


def test_a_program_that_differs_is_told(tmp_path, monkeypatch):
    problem = catalogue_problem("rescorla_wagner", "plain")
    real = export(problem.model, "numpy", data=problem.data)
    wrong = type(real)("numpy", real.text.replace("+= alpha *", "-= alpha *"), ".py", real.data)
    monkeypatch.setattr("tests.porting.export.harness.export", lambda *_, **__: wrong)
    with pytest.raises(AssertionError, match="rescorla_wagner-plain: the program gives"):
        assert_same_densities("numpy", [problem], tmp_path)


def test_a_program_that_fails_is_told(tmp_path, monkeypatch):
    problem = catalogue_problem("rescorla_wagner", "plain")
    real = export(problem.model, "numpy", data=problem.data)
    wrong = type(real)("numpy", "import rlbackends\n" + real.text, ".py", real.data)
    monkeypatch.setattr("tests.porting.export.harness.export", lambda *_, **__: wrong)
    found = run("numpy", [problem], tmp_path)
    assert "ModuleNotFoundError" in found["rescorla_wagner-plain"]


def test_the_file_of_data_is_plain_json(tmp_path):
    problem = catalogue_problem("two_step", "messy")
    program, data = export(problem.model, "numpy", data=problem.data).write(tmp_path / "two_step")
    assert (program.name, data.name) == ("two_step.py", "two_step.data.json")
    held = json.loads(data.read_text())
    assert held["n_subjects"] == problem.data.n_subjects
    assert held["lengths"] == problem.data.lengths.tolist()
    assert held["choice1_missing"][0][:3] == problem.data.missing["choice1"][0][:3].astype(int).tolist()


@pytest.mark.parametrize("target", ["numpy", "numpyro"])
def test_lines_can_be_read(target):
    for name in CASES:
        problem = catalogue_problem(name, "messy")
        text = export(problem.model, target, data=problem.data).text
        assert long_lines(text) == [], name
        compile(text, f"{name}.py", "exec")


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("kind", ["plain", "messy"])
@pytest.mark.parametrize("target", TARGETS)
def test_every_case_has_the_density_of_the_reference(target, kind, tmp_path):
    assert_same_densities(target, [catalogue_problem(name, kind) for name in CASES], tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("target", TARGETS)
def test_every_population_has_the_density_of_the_reference(target, tmp_path):
    problems = [population_problem(name) for name in POPULATIONS]
    problems += [formula_problem(name) for name in FORMULAS]
    assert_same_densities(target, problems, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("target", TARGETS)
def test_random_programs_have_the_density_of_the_reference(target, tmp_path):
    count = {"numpy": 150, "numpyro": 40}[target]
    assert_same_densities(target, [program_problem(number) for number in range(count)], tmp_path)
