"""Simulation-based calibration of this library: are the posteriors right, on both backends?

    python benchmarks/calibration.py --backend numpyro --model rescorla_wagner --datasets 200

draws parameters from the prior, simulates, fits, and ranks the true values among the posterior's draws (Talts et al.,
2018). If simulation, likelihood, prior and sampler are right, all ranks are uniform. It prints the verdict, how long it
took, and with ``--figure`` it saves the picture. With ``--folder`` a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import rlbackends as rl


def cases() -> dict[str, dict[str, Any]]:
    """Return what is calibrated, by model: small data, so that one fit takes about a second."""
    return {
        "rescorla_wagner": {
            "model": rl.catalogue.rescorla_wagner(), "task": rl.tasks.bandit(), "subjects": 6, "trials": 40,
            "population": rl.Population("partial"),
        },
        "two_step": {
            "model": rl.catalogue.two_step(), "task": rl.tasks.two_step(), "subjects": 3, "trials": 50,
            # The default prior of sd for a real parameter is Cauchy: right for people, but it draws groups in which one
            # subject always stays and another always switches, whatever they win.
            "population": rl.Population("partial", stay=rl.Pooling("partial", sd=rl.priors.HalfNormal(0.5))),
        },
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one calibration."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--backend", choices=["numpyro", "pymc"], default="numpyro")
    parser.add_argument("--model", choices=list(cases()), default="rescorla_wagner")
    parser.add_argument("--datasets", type=int, default=200)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--subjects", type=int, help="default: 6, or 3 in the two-step task")
    parser.add_argument("--trials", type=int, help="default: 40, or 50 in the two-step task")
    parser.add_argument("--alone", action="store_true", help="each subject has a prior of its own: no group")
    parser.add_argument("--draws", type=int, default=500, help="of each of two chains, after as many for tuning")
    parser.add_argument("--thinned", type=int, default=99, help="among how many of them the truth is ranked")
    parser.add_argument("--target-accept", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", help="where the fits are kept")
    parser.add_argument("--figure", help="save a picture here")
    asked = parser.parse_args(arguments)
    case = cases()[asked.model]
    case |= {name: value for name in ("subjects", "trials") if (value := getattr(asked, name)) is not None}
    if asked.alone:
        case["population"] = rl.Population("none")
    calibration = rl.calibrate(
        case.pop("model"), case.pop("task"), **case, backend=asked.backend, datasets=asked.datasets, seed=asked.seed,
        folder=asked.folder, workers=asked.workers, draws=asked.draws, tune=asked.draws, chains=2, cores=1,
        target_accept=asked.target_accept, thinned=asked.thinned, certificate_points=1,
    )  # fmt: skip
    print(calibration)
    print(calibration.summary().to_string(index=False, float_format=lambda x: f"{x:.4f}"))
    print(", ".join(f"{name} {value:.1f}" for name, value in calibration.time.items()))
    if asked.figure:
        calibration.plot().savefig(asked.figure)


if __name__ == "__main__":
    main()
