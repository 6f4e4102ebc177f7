"""``rlbackends simulate``: a table of trials from a model that plays a task."""

from __future__ import annotations

import csv
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from cyclopts import Parameter

from rlbackends.cli.arguments import (
    ModelArgument,
    OptionPairs,
    RenamePairs,
    TaskArgument,
    TaskOptionPairs,
    model_options,
    task_options,
)
from rlbackends.cli.files import check_tables

if TYPE_CHECKING:
    from rlbackends.cli.parameters import Drawn
    from rlbackends.simulation import Simulation


def simulate(
    model: ModelArgument,
    task: TaskArgument,
    /,
    *,
    option: OptionPairs = (),
    task_option: TaskOptionPairs = (),
    rename: RenamePairs = (),
    param: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="NAME=VALUE",
            help="A parameter's value: a number for all, such as alpha=0.3; one a subject, alpha=0.2,0.4; or a "
            'distribution that each subject\'s is drawn from, "alpha=beta(5,5)". What is given nowhere is drawn '
            "from the default prior (see 'rlbackends show MODEL'): a group, and subjects of it. Can be repeated.",
        ),
    ] = (),
    params: Annotated[
        str,
        Parameter(metavar="FILE", help="A table of parameters: the column 'subject' and one for each parameter."),
    ] = "",
    subjects: Annotated[
        int | None, Parameter(help="How many; default: as many as there are values of parameters, or 20.")
    ] = None,
    blocks: Annotated[int, Parameter(help="Blocks that each subject plays; values start again with each.")] = 1,
    trials: Annotated[int | None, Parameter(help="Trials of a block; default: the task's own number.")] = None,
    seed: Annotated[int, Parameter(help="The same seed gives the same data on every backend.")] = 0,
    backend: Annotated[
        Literal["numpyro", "pymc", "reference"] | None,
        Parameter(help="What computes; default: the first of these that is installed."),
    ] = None,
    trajectories: Annotated[
        bool, Parameter(help="Add the model's states (before the trial's update) and records as columns.")
    ] = False,
    output: Annotated[
        str, Parameter(metavar="FILE", help="Where to write the trials (.csv); '-': standard output.")
    ] = "-",
    truth: Annotated[
        str, Parameter(metavar="FILE", help="Also write the parameters that were used (.csv), as --params reads them.")
    ] = "",
    overwrite: Annotated[bool, Parameter(help="Let these files replace others.")] = False,
) -> None:
    """Simulate subjects of a model in a task: a row a trial, ready for 'rlbackends fit'.

    What was done is told on standard error, with the command that fits what was written.
    """
    import rlbackends as rl
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.load_task import load_task, program_words
    from rlbackends.cli.parameters import make_params, read_values

    found = load_model(model, model_options(option))
    played = load_task(task, task_options(task_option), rename)
    files = [] if output == "-" else [("--output", output)]
    check_tables([*files, *([("--truth", truth)] if truth else [])], overwrite=overwrite)
    drawn = make_params(found, read_values("--param", param), params or None, subjects, seed)
    with program_words(found, played, (model, task)):
        simulation = rl.simulate(
            found, played, drawn.params, subjects=drawn.subjects, blocks=blocks, trials=trials, seed=seed,
            backend=backend,
        )  # fmt: skip
    if truth:
        write_truth(simulation, Path(truth))
    if output == "-":
        simulation.frame(trajectories).to_csv(sys.stdout, index=False)
    else:
        simulation.save_csv(output, overwrite=True, trajectories=trajectories)
    _tell(simulation, drawn, "" if output == "-" else output, truth)
    command = fit_command(simulation, model, option, "TRIALS.csv" if output == "-" else output)
    _say(f"fit it:\n  {command}")


def fit_command(simulation: Simulation, model: str, option: Sequence[str], path: str) -> str:
    """Return the command that fits the table of a simulation as it was written."""
    from rlbackends.backends.registry import BACKENDS

    samples = [row.name for row in BACKENDS.values() if row.samplers]
    here = [name for name in samples if BACKENDS[name].is_installed]
    backend = simulation.backend if simulation.backend in samples else (here or samples)[0]
    words = ["rlbackends", "fit", model, *(word for pair in option for word in ("-o", pair)), path]
    words += ["--backend", backend, "--subject", "subject", "--trial", "trial"]
    if simulation.blocks.max() > 1:
        words += ["--block", "block"]
    for name, event in simulation.model.events.items():
        if event.axes:  # its entries have a column each
            entries = simulation.events[name].shape[2:]
            columns = ["_".join([name, *map(str, entry)]) for entry in np.ndindex(entries)]
            words += ["--column", f"{name}={','.join(columns)}"]
    for name, labels in simulation.data.levels.items():
        if name in simulation.model.events:
            words += ["--levels", f"{name}={','.join(map(str, labels))}"]
    return shlex.join(words)


def write_truth(simulation: Simulation, path: Path) -> None:
    """Write a row a subject: the parameters, every digit of them."""
    from rlbackends.data.files import write_whole

    def write(name: str) -> None:
        with open(name, "w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["subject", *simulation.params])
            for i, subject in enumerate(simulation.subjects):
                rows.writerow([subject, *(repr(float(values[i])) for values in simulation.params.values())])

    write_whole(path, write)


def _tell(simulation: Simulation, drawn: Drawn, output: str, truth: str) -> None:
    lengths = (simulation.blocks > 0).sum(axis=1)
    n, n_blocks = len(simulation.subjects), int(simulation.blocks.max())
    in_blocks = f" in {n_blocks} blocks" if n_blocks > 1 else ""
    _say(
        f"{simulation.model.name} in {simulation.task.name}: {n} subject{'s' if n > 1 else ''} × {lengths.max()} trials"
        f"{in_blocks}, by {simulation.backend}, seed {simulation.seed}; {_near(simulation.near_edge)}"
    )
    if drawn.from_prior:
        names = ", ".join(drawn.from_prior)
        hint = "" if truth else "; --truth FILE writes the values"
        _say(f"drawn from the default prior: {names}{hint}")
    for what, name in (("trials", output), ("parameters", truth)):
        if name:
            _say(f"{what}: {name}")


def _near(count: int) -> str:
    if not count:
        return "no draw near an edge"
    return f"{count} draw{'s' if count > 1 else ''} near an edge, where another machine may draw otherwise"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
