"""Programs in PyMC: their joint densities are the reference's, and they read as a person would write them."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.data.faults import DataWarning
from rlbackends.porting.export import export
from rlbackends.testing.cases import CASES
from rlbackends.testing.suite.populations import POPULATIONS
from rlbackends.testing.trials import as_trials, random_subjects
from tests.porting.export.harness import (
    FORMULAS,
    RUNNERS,
    Problem,
    assert_same_densities,
    catalogue_problem,
    formula_problem,
    long_lines,
    population_problem,
    program_problem,
)
from tests.porting.export.test_densities import swapping_problem
from tests.porting.export.test_programs import awkward_model

pytestmark = pytest.mark.skipif("pymc" not in rl.installed_backends(), reason="needs pymc")

GOLDEN = Path(__file__).parent / "golden" / "rescorla_wagner_pymc.txt"
RESCORLA_WAGNER = rl.catalogue.rescorla_wagner()
SHARDS = 6


def alone(name: str) -> Problem:
    """Return a case on the data of one subject."""
    import random

    model = CASES[name].model()
    subjects = random_subjects(CASES[name], random.Random(name), (7,), missing=0.0, blocks=0.0)
    return Problem(f"{name}-alone", model, as_trials(model, subjects).bind(model), rl.Population())


def made(name: str, kind: str) -> Problem:
    return alone(name) if kind == "alone" else catalogue_problem(name, kind)


def prior_problems() -> list[Problem]:
    """Return problems in which every prior is met, with numbers that float32 holds and numbers that it doesn't."""
    p = rl.priors
    locations = [p.Normal(0.5, 0.25), p.StudentT(3.0, 0.5, 2.5), p.StudentT(4.1, 0.1, 0.3)]
    sds = [p.HalfNormal(0.5), p.HalfCauchy(0.5), p.HalfCauchy(0.3), p.Exponential(2.0), p.Exponential(1.0),
           p.Gamma(2.5, 0.5), p.LogNormal(0.5, 0.5), p.HalfNormal(0.2)]  # fmt: skip
    own = [p.Beta(1.5, 2.5), p.Beta(1.1, 1.0), p.Uniform(0.0, 1.0)]
    data = catalogue_problem("rescorla_wagner", "plain").data
    populations = [
        rl.Population(alpha=rl.Pooling("none", prior=prior), beta=rl.Pooling(location=location, sd=sd))
        for sd, location, prior in zip(sds, cycle(locations), cycle(own), strict=False)
    ]
    return [Problem(f"priors-{i}", RESCORLA_WAGNER, data, population) for i, population in enumerate(populations)]


def awkward_problem() -> Problem:
    """Return a model of which every name means something else in a program."""
    model = awkward_model()
    data = rl.Trials.from_arrays(
        subjects=["a", "b"], levels={"range": range(2)}, range=[[0, 1, 1], [1, 1, 0]],
        data=[[0.5, 1.0, 0.0], [1.0, 1.5, float("nan")]],
    )  # fmt: skip
    return Problem("awkward", model, data.bind(model), rl.Population())


def test_programs_have_the_density_of_the_reference(tmp_path):
    problems = [alone("rescorla_wagner"), catalogue_problem("two_step", "plain")]
    problems += [catalogue_problem("balloon_four_parameters_5", "messy"), formula_problem("within"), swapping_problem()]
    problems.append(awkward_problem())
    assert_same_densities("pymc", problems, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("kind", ["plain", "messy", "alone"])
def test_every_case_has_the_density_of_the_reference(kind, shard, tmp_path):
    assert_same_densities("pymc", [made(name, kind) for name in list(CASES)[shard::SHARDS]], tmp_path)


@pytest.mark.slow
def test_every_population_and_prior_has_the_density_of_the_reference(tmp_path):
    problems = [population_problem(name) for name in POPULATIONS]
    problems += [formula_problem(name) for name in FORMULAS]
    assert_same_densities("pymc", [*problems, *prior_problems()], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("start", [0, 20, 40])
def test_random_programs_have_the_density_of_the_reference(start, tmp_path):
    assert_same_densities("pymc", [program_problem(number) for number in range(start, start + 20)], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two_step", "two_step_after", "balloon_four_parameters_5", "card_sorting"])
def test_gradients_are_those_of_the_reference(name, tmp_path, monkeypatch):
    # The largest of the values of a stage is a tie on the first trials.
    monkeypatch.syspath_prepend(str(RUNNERS))
    import pymc_runner

    problem = catalogue_problem(name, "messy")
    program, data = export(problem.model, "pymc", data=problem.data).write(tmp_path / "program")
    density, names, _ = pymc_runner.compiled(program, data, gradient=True)
    engine = rl.compile(problem.model, problem.data, "reference")
    for point in problem.points():
        _, expected = engine.log_density_and_gradient(point)
        _, *found = density(*(np.asarray(point[name], dtype=float) for name in names))
        scale = max(1.0, *(float(np.max(np.abs(slope))) for slope in expected.values()))
        for latent, slope in zip(names, found, strict=True):
            np.testing.assert_allclose(slope, expected[latent], rtol=0.0, atol=1e-9 * scale, err_msg=latent)


def test_the_text_is_stable():
    text = export(RESCORLA_WAGNER, "pymc").text
    assert re.sub(r"rlbackends \d+\.\d+\.\d+\w*", "rlbackends VERSION", text) == GOLDEN.read_text(encoding="utf-8")


def test_lines_can_be_read():
    for name in CASES:
        problem = catalogue_problem(name, "messy")
        text = export(problem.model, "pymc", data=problem.data).text
        assert long_lines(text) == [], name
        compile(text, f"{name}.py", "exec")
        assert "import rlbackends" not in text


def test_a_program_has_what_its_model_needs_and_no_more():
    simple = export(CASES["biased_responding"].model(), "pymc").text
    assert "scan" not in simple and "largest" not in simple
    assert "def largest" in export(CASES["two_step"].model(), "pymc").text
    known = export(RESCORLA_WAGNER, "pymc", population=rl.Population(alpha=0.3, beta=2.0)).text
    assert "pm.sample" not in known and "invprobit" not in known


def test_a_response_that_was_never_observed_has_no_likelihood():
    nan = float("nan")
    data = rl.Trials.from_arrays(
        subjects=["a"], levels={"choice": range(2)}, choice=[[nan, nan, nan]], reward=[[1.0, 0.0, 1.0]]
    )
    with pytest.warns(DataWarning, match="no response at all"):
        text = export(RESCORLA_WAGNER, "pymc", data=data).text
    assert "pm.Categorical" not in text and "scan" not in text


@pytest.mark.slow
def test_a_program_runs_where_only_pymc_is(tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "pymc", "nutpie", "matplotlib"]
    if subprocess.run(install, capture_output=True, timeout=400).returncode:
        pytest.skip("pip could not install PyMC")
    problem = catalogue_problem("rescorla_wagner", "messy")
    program, data = export(problem.model, "pymc", data=problem.data).write(tmp_path / "program")
    text = program.read_text()
    for word, value in {"draws": 20, "tune": 20, "chains": 1, "cores": 1}.items():
        text, count = re.subn(rf"\b{word}=\d+", f"{word}={value}", text)
        assert count == 1
    program.write_text(text)
    command = [str(python), str(program), str(data)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    assert "alpha_location" in done.stdout
