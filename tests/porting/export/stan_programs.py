"""Write programs in Stan, their data, points and the reference's log-densities for ``stan_job.py``.

    python -m tests.porting.export.stan_programs FOLDER [NAME ...]

``NAME`` is a case of the catalogue; without names all of them, and all populations, are written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rlbackends.porting.export.export import export
from rlbackends.testing.cases import CASES
from rlbackends.testing.suite.populations import POPULATIONS
from tests.porting.export.harness import FORMULAS, Problem, catalogue_problem, formula_problem, population_problem


def write_jobs(problems: Sequence[Problem], folder: Path) -> Path:
    """Write a folder of problems, and return its table of contents."""
    jobs = []
    for problem in problems:
        written = export(problem.model, "stan", data=problem.data, population=problem.population)
        program, data = written.write(folder / problem.name, overwrite=True)
        # Stan's unconstrained values are those of the parameters block, in order.
        points = [
            [float(value) for latent in problem.layout.latents for value in np.ravel(point[latent.name])]
            for point in problem.points()
        ]
        jobs.append(
            {"name": problem.name, "program": program.name, "data": data.name, "points": points,
             "expected": problem.expected()}
        )  # fmt: skip
    table = folder / "jobs.json"
    table.write_text(json.dumps(jobs, indent=1), encoding="utf-8")
    return table


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    problems = [catalogue_problem(name, kind) for name in sys.argv[2:] or CASES for kind in ("plain", "messy")]
    if not sys.argv[2:]:
        problems += [population_problem(name) for name in POPULATIONS] + [formula_problem(name) for name in FORMULAS]
    print(write_jobs(problems, folder))


if __name__ == "__main__":
    main()
