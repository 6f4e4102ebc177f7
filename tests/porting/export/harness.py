"""Exported programs against the reference: problems to try, a process that runs the programs, the comparison.

A target plugs in by a file ``runners/TARGET_runner.py``; see ``runners/run.py``.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends.porting.export.export import export
from rlbackends.porting.export.source import Source
from rlbackends.testing.cases import CASES
from rlbackends.testing.suite.populations import CASE, POPULATIONS
from rlbackends.testing.suite.tryout import tryout
from rlbackends.testing.tolerances import largest_difference

RUNNERS = Path(__file__).parent / "runners"
TOLERANCE = 1e-10  # of the density's scale: the programs add up in another order
SPREADS = (0.3, 1.0)


@dataclass(frozen=True)
class Problem:
    """A model, data and a population to write a program of."""

    name: str
    model: Any
    data: Any
    population: rl.Population

    @property
    def layout(self) -> Any:
        return self.population.layout(self.model, self.data)

    def points(self) -> list[dict[str, np.ndarray]]:
        """Return unconstrained values of the latents."""
        rng = random.Random(f"{self.name}, points")
        found = []
        for spread in SPREADS:
            point = {}
            for latent in self.layout.latents:
                shape = self.layout.shape(latent)
                values = [spread * max(-1.5, min(1.5, rng.gauss(0.0, 1.0))) for _ in range(int(np.prod(shape)))]
                point[latent.name] = np.reshape(values, shape)
            found.append(point)
        return found

    def expected(self) -> list[float]:
        """Return the reference's log-density at the points."""
        compiled = rl.compile(self.model, self.data, "reference", population=self.population)
        return [float(compiled.log_density(point)) for point in self.points()]


def catalogue_problem(name: str, kind: str) -> Problem:
    """Return a case of the catalogue with the default population; ``kind`` of data is "plain" or "messy"."""
    on = tryout(CASES[name], kind)
    return Problem(f"{name}-{kind}", on.model, on.data, rl.Population())


def population_problem(name: str) -> Problem:
    """Return a model on messy data under one of the suite's populations."""
    on = tryout(CASE, "messy")
    return Problem(f"population-{name.replace(' ', '_')}", on.model, on.data, POPULATIONS[name])


def formula_problem(name: str) -> Problem:
    """Return a model whose parameters depend on covariates, between and within subjects."""
    return Problem(f"formula-{name}", rl.catalogue.rescorla_wagner(), _with_covariates(), FORMULAS[name])


def program_problem(number: int) -> Problem:
    """Return one of the suite's random programs."""
    from rlbackends.testing.programs.campaign import Settings, numbered_program

    loaded = numbered_program(number, Settings(count=10_000, seed=5))[0].loaded
    return Problem(f"program-{number}", loaded.model, loaded.data, loaded.population or rl.Population())


FORMULAS: Mapping[str, rl.Population] = {
    "between": rl.Population(alpha=rl.Pooling(formula="~ group * scale(age)", sd_by="group"), beta=2.0),
    "within": rl.Population(
        alpha=rl.Pooling(formula="~ session", slopes="~ session"), beta=rl.Pooling(formula="~ group")
    ),
    "correlated": rl.Population(alpha=rl.Pooling(formula="~ session + group"), correlated=["alpha", "beta"]),
}


@cache
def _with_covariates() -> Any:
    rng = random.Random("covariates")
    rows: dict[str, list[Any]] = {name: [] for name in ("who", "choice", "reward", "group", "age", "session")}
    for who in range(5):
        for trial in range(8 - who):
            rows["who"].append(who)
            rows["choice"].append(rng.randrange(2))
            rows["reward"].append(round(rng.gauss(0.5, 1.0), 2))
            rows["group"].append(["a young one", "it's \"old\""][who % 2])
            rows["age"].append(20.0 + who**2)
            rows["session"].append(["first", "2nd half"][trial // 3 % 2])
    import pandas as pd

    trials = rl.read_trials(
        pd.DataFrame(rows), subject="who", choice="choice", reward="reward", group="group", age="age", session="session"
    )
    return trials.bind(rl.catalogue.rescorla_wagner())


def run(target: str, problems: Sequence[Problem], folder: Path, *, timeout: float = 3000.0) -> dict[str, Any]:
    """Return the log-densities that programs give, by problem, or the traceback of one that failed.

    Parameters
    ----------
    target : str
        What is written.
    problems : sequence of Problem
        Of different names.
    folder : Path
        Where programs and data are written.
    timeout : float
        Seconds for all of them.
    """
    jobs = []
    for problem in problems:
        written = export(problem.model, target, data=problem.data, population=problem.population)
        program, data = written.write(folder / problem.name)
        words = Source.of(problem.model, problem.data, problem.population).keys
        jobs.append(
            {
                "name": problem.name,
                "program": str(program),
                "data": str(data),
                "points": [{name: z.tolist() for name, z in point.items()} for point in problem.points()],
                "words": dict(words),
            }
        )
    asked, found = folder / f"{target}_jobs.json", folder / f"{target}_found.json"
    asked.write_text(json.dumps(jobs))
    done = subprocess.run(
        [sys.executable, str(RUNNERS / "run.py"), target, str(asked), str(found)],
        cwd=folder, env={**os.environ, **ENVIRONMENT}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=timeout,
    )  # fmt: skip
    if done.returncode != 0:
        raise AssertionError(f"the programs in {target} ended with {done.returncode}:\n{done.stderr}")
    values: dict[str, Any] = json.loads(found.read_text())
    return values


# Programs that run once are not worth compiling well.
ENVIRONMENT = {"XLA_FLAGS": "--xla_backend_optimization_level=0", "JAX_PLATFORMS": "cpu", "PYTHONPATH": ""}


def assert_same_densities(target: str, problems: Sequence[Problem], folder: Path) -> None:
    """Assert that programs give the reference's log-density, within 1e-10 of its scale; tell about all that do not."""
    found = run(target, problems, folder)
    faults = []
    for problem in problems:
        values = found[problem.name]
        if isinstance(values, str):
            faults.append(f"{problem.name}: {values}")
            continue
        expected = problem.expected()
        difference = max(
            largest_difference(got, want).value for got, want in zip(values, expected, strict=True)
        )
        if not difference <= TOLERANCE:
            faults.append(f"{problem.name}: the program gives {values}, the reference {expected}")
    if faults:
        raise AssertionError(f"{target}:\n" + "\n".join(faults))


def long_lines(text: str, width: int = 99) -> list[str]:
    """Return lines of a program that are too long to be read."""
    return [line for line in text.splitlines() if len(line) > width]
