"""Thirty agents with task sets feed aliens: simulated, fitted, recovered.

    python benchmarks/aliens_recovery.py [--backend numpyro] [--folder study] [--figure recovery.png]

The agents learn which task set a season calls for and what each task set says, as in
`rlbackends.catalogue.aliens_task_sets`; the task is `rlbackends.tasks.aliens`, 440 trials. With ``--folder`` a run that
is killed goes on with the same command.
"""

from __future__ import annotations

import argparse
import math

import rlbackends as rl

# Rates and temperatures about those of the published agents; people differ.
TRUTH = {
    "alpha": rl.priors.Beta(4, 8),
    "beta": rl.priors.LogNormal(math.log(1.2), 0.25),
    "forgetting": rl.priors.Beta(2, 40),
    "alpha_high": rl.priors.Beta(3, 9),
    "beta_high": rl.priors.LogNormal(math.log(2.0), 0.3),
    "forgetting_high": rl.priors.Beta(2, 40),
}
POPULATION = rl.Population(**{name: rl.Pooling("partial", sd=rl.priors.HalfNormal(0.5)) for name in TRUTH})


def main() -> None:
    """Print how well each parameter comes back."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--backend", default="numpyro")
    parser.add_argument("--subjects", type=int, default=30)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--tune", type=int, default=400)
    parser.add_argument("--folder")
    parser.add_argument("--figure")
    given = parser.parse_args()
    recovery = rl.recover(
        rl.catalogue.aliens_task_sets(), rl.tasks.aliens(), truth=TRUTH, population=POPULATION,
        subjects=given.subjects, backend=given.backend, draws=given.draws, tune=given.tune, chains=2,
        folder=given.folder, seed=1,
    )  # fmt: skip
    print(recovery)
    print(recovery.summary().round(3).to_string())
    print(recovery.time)
    if given.figure:
        recovery.plot().savefig(given.figure)


if __name__ == "__main__":
    main()
