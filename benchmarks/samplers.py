"""All installed samplers on three data sets: how fast, whether they agree, which to take.

    python benchmarks/samplers.py FOLDER [--data prl aliens simulated] [--limit SECONDS] [--cache cold]

Every sampler runs in a process of its own, one after another. FOLDER keeps each fit; a run that is killed goes on with
the same command. For each data set it gets the table in Markdown, all numbers as CSV, and a picture.

- ``prl``: 20 people × 100 trials of reversal learning, two learning rates.
- ``aliens``: 31 people × 440 trials, values of 3 seasons × 4 aliens × 3 actions. A gradient takes milliseconds.
- ``simulated``: 40 people × 200 trials × 5 actions, two learning rates; the data of `guide.fresh_data`.

The published ones are read from ``--published``, by default ``../shared/data`` beside the repository.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import rlbackends as rl
from rlbackends.backends.registry import BACKENDS
from rlbackends.studies.samplers import SamplerComparison

PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "data"
VARIANTS = {"numpyro:nuts": ["vectorized"], "pymc:nutpie": ["jax"]}


class Case(NamedTuple):
    """A model, its data, and how many draws finish in reasonable time on two cores."""

    model: Any
    data: Any
    chains: int
    tune: int
    draws: int


def prl(published: Path) -> Case:
    """Return reversal learning."""
    data = rl.read_trials(
        published / "prl.tsv", subject="subjID", trial="trial", choice="choice", reward="outcome"
    )
    return Case(rl.catalogue.rescorla_wagner_two_rates(), data, 4, 1000, 1000)


def aliens(published: Path) -> Case:
    """Return the aliens of the forum, as wide files."""
    files = {"season": "seasons", "alien": "aliens", "choice": "actions", "reward": "rewards"}
    data = rl.read_trials({event: published / "aliens" / f"{name}.csv" for event, name in files.items()})
    return Case(rl.catalogue.aliens(), data, 2, 500, 500)


def simulated(published: Path) -> Case:
    """Return simulated people with five actions; nothing is read."""
    from guide import ACTIONS, categorical, fresh_data, trials_for  # beside this file

    choices, rewards, _ = fresh_data(0)
    model = rl.catalogue.rescorla_wagner_two_rates(n_actions=ACTIONS, initial=0.5)
    return Case(model, trials_for(categorical, choices, rewards), 4, 1000, 1000)


CASES: dict[str, Callable[[Path], Case]] = {"prl": prl, "aliens": aliens, "simulated": simulated}


def all_samplers() -> list[str]:
    """Return every sampler that is installed, and variants of some."""
    found = []
    for backend in BACKENDS.values():
        for sampler in backend.samplers if backend.is_installed else ():
            if not sampler.absent():
                name = f"{backend.name}:{sampler.name}"
                found += [name, *(f"{name}:{variant}" for variant in VARIANTS.get(name, ()))]
    return found


def run(name: str, asked: argparse.Namespace) -> SamplerComparison:
    """Compare the samplers on one data set, and write what was found."""
    case = CASES[name](asked.published)
    folder = Path(asked.folder)
    comparison = rl.compare_samplers(
        case.model, case.data, asked.samplers or all_samplers(), folder=folder / name,
        chains=asked.chains or case.chains, tune=asked.tune or case.tune, draws=asked.draws or case.draws,
        limit=asked.limit, cache=asked.cache, retry_failed=asked.retry_failed, seed=1,
    )  # fmt: skip
    (folder / f"{name}.md").write_text(comparison.to_markdown(), encoding="utf-8")
    comparison.table.to_csv(folder / f"{name}.csv")
    comparison.agreement.to_csv(folder / f"{name}-agreement.csv")
    comparison.plot().savefig(folder / f"{name}.png", dpi=110)
    return comparison


def main(arguments: list[str] | None = None) -> None:
    """Run the data sets that are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", help="where the fits are kept; outside of the repository")
    parser.add_argument("--data", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--samplers", nargs="+", metavar="BACKEND:SAMPLER", help="default: all that are installed")
    parser.add_argument("--published", type=Path, default=PUBLISHED)
    for name in ("chains", "tune", "draws"):
        parser.add_argument(f"--{name}", type=int, help="default: each data set has its own")
    parser.add_argument("--limit", type=float, default=3600.0, help="seconds after which a sampler is stopped")
    parser.add_argument("--cache", choices=["warm", "cold"], default="warm")
    parser.add_argument("--retry-failed", action="store_true")
    asked = parser.parse_args(arguments)
    Path(asked.folder).mkdir(parents=True, exist_ok=True)
    for name in asked.data:
        print(run(name, asked), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
