"""``rlbackends recover``: do the parameters that simulated data come from come back from fits?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from rlbackends.cli.arguments import (
    ModelArgument,
    OptionPairs,
    RenamePairs,
    TaskArgument,
    TaskOptionPairs,
    model_options,
    numbers,
    task_options,
)
from rlbackends.errors import SettingError

if TYPE_CHECKING:
    from rlbackends.studies import Recovery

_PICTURES = (".png", ".pdf", ".svg")


def recover(
    model: ModelArgument,
    task: TaskArgument,
    /,
    *,
    backend: Annotated[Literal["numpyro", "pymc"], Parameter(help="Which library simulates and samples.")],
    option: OptionPairs = (),
    task_option: TaskOptionPairs = (),
    rename: RenamePairs = (),
    truth: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="NAME=VALUE",
            help='True values of a parameter: a distribution, "alpha=beta(5,5)", drawn from for each subject and data '
            "set; a number for all; or one a subject, with commas. Give all parameters or none: then both the groups "
            "and their subjects are drawn from the fit's own prior. Can be repeated.",
        ),
    ] = (),
    repeats: Annotated[int, Parameter(help="How many data sets are simulated and fitted.")] = 1,
    subjects: Annotated[int, Parameter(help="Subjects of each.")] = 40,
    blocks: Annotated[int, Parameter(help="Blocks that each subject plays; values start again with each.")] = 1,
    trials: Annotated[int | None, Parameter(help="Trials of a block; default: the task's own number.")] = None,
    pooling: Annotated[
        Literal["partial", "none", "complete"],
        Parameter(help="In the fits, subjects come from an estimated group, are each alone, or share one value."),
    ] = "partial",
    fix: Annotated[
        tuple[str, ...],
        Parameter(metavar="NAME=NUMBER", help="Fix a parameter in the fits, such as lapse=0.02. Can be repeated."),
    ] = (),
    draws: Annotated[int, Parameter(help="Kept draws of each chain.")] = 1000,
    tune: Annotated[int, Parameter(help="Tuning iterations of each chain.")] = 1000,
    chains: int = 4,
    target_accept: Annotated[float, Parameter(help="Raise it towards 1 if there are divergences.")] = 0.8,
    seed: Annotated[int, Parameter(help="The same seed gives the same data and draws, however many workers.")] = 0,
    folder: Annotated[
        str,
        Parameter(
            help="Where the fits are kept, a file each; default: MODEL-TASK-BACKEND-recovery in this folder. A run "
            "that was stopped or killed goes on where it was: give the same command again."
        ),
    ] = "",
    workers: Annotated[
        str,
        Parameter(metavar="N", help="How many fits run at once; or the address of a dask scheduler, tcp://host:8786."),
    ] = "1",
    retry_failed: Annotated[bool, Parameter(help="Try fits again that failed in an earlier run.")] = False,
    figure: Annotated[
        str, Parameter(metavar="FILE", help="Also draw estimates against true values (.png, .pdf or .svg).")
    ] = "",
    table: Annotated[
        str, Parameter(metavar="FILE", help="Also write a row a data set, subject and parameter (.csv).")
    ] = "",
    overwrite: Annotated[bool, Parameter(help="Let the figure and the table replace others.")] = False,
) -> int:
    """Simulate data with known parameters, fit them, and compare.

    A run that was stopped or killed goes on where it was: give the same command again. Finished fits stay in the
    folder, and are not computed twice.

    Exit status: 0 if every fit is there, 1 if some failed.
    """
    import rlbackends as rl
    from rlbackends.backends.registry import get_backend
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.load_task import load_task, program_words
    from rlbackends.cli.output import say
    from rlbackends.cli.parameters import read_values

    get_backend(backend).require()
    found = load_model(model, model_options(option))
    played = load_task(task, task_options(task_option), rename)
    known = read_values("--truth", truth)
    population = rl.Population(pooling, **numbers("--fix", fix, "--fix lapse=0.02"))
    many = _workers(workers)
    _check_files(figure, table, overwrite=overwrite)
    place = folder or f"{found.name}-{played.name}-{backend}-recovery"
    say(
        f"{found.name} in {played.name}: {repeats} data set{'s' if repeats != 1 else ''} of {subjects} subjects, each "
        f"fitted on {backend} with {chains} chains × ({tune} tuning + {draws} kept) draws"
    )
    say(f"True values: {', '.join(truth) or 'drawn from the prior of the fits'}. Fits are kept in {place}.")
    with program_words(found, played, (model, task)):
        recovery = rl.recover(
            found, played, backend=backend, truth=known or None, subjects=subjects, blocks=blocks, trials=trials,
            repeats=repeats, population=population, seed=seed, folder=place, workers=many, retry_failed=retry_failed,
            draws=draws, tune=tune, chains=chains, target_accept=target_accept,
        )  # fmt: skip
    _tell(recovery)
    _write(recovery, figure, table)
    return 1 if recovery.failed else 0


def _workers(text: str) -> int | str:
    """Return a number of processes, or a scheduler's address."""
    if "://" in text:
        return text
    if not text.isdecimal() or int(text) < 1:
        raise SettingError(f"--workers is {text!r}, expected a whole number from 1 on, or an address such as tcp://host:8786.")
    return int(text)


def _check_files(figure: str, table: str, *, overwrite: bool) -> None:
    """Raise ``SettingError`` now if a file can't be written at the end."""
    from rlbackends.cli.files import check_file, check_tables

    if figure:
        if Path(figure).suffix not in _PICTURES:
            raise SettingError(f"--figure is '{figure}', expected a file that ends in {', '.join(_PICTURES)}.")
        check_file("--figure", figure, overwrite=overwrite)
    if table:
        check_tables([("--table", table)], overwrite=overwrite)


def _tell(recovery: Recovery) -> None:
    from rlbackends.cli.output import heading, say, table

    summary = recovery.summary()
    heading(f"How the true values came back; intervals are of {100 * recovery.interval:g} %")
    rows = [[name, *(_rounded(column, row[column]) for column in summary.columns)] for name, row in summary.iterrows()]
    table(("", *(str(column).replace("_", " ") for column in summary.columns)), rows, numbers_from=1, indent=2)
    say(f"  {summary.attrs['fits'].replace(' (see .failed)', '')}")
    for number, why in list(recovery.failed.items())[:3]:
        say(f"  data set {number} failed with {why.error}: {why.message}")


def _rounded(column: str, value: Any) -> str:
    return f"{value:.0f}" if column == "n" else f"{value:.3f}"


def _write(recovery: Recovery, figure: str, table: str) -> None:
    """Write what was asked for, each file whole or not at all."""
    from rlbackends.cli.output import heading, say
    from rlbackends.data.files import write_whole

    if not (figure or table):
        return
    heading("Written")
    if figure:
        drawn, form = recovery.plot(), Path(figure).suffix[1:]
        write_whole(figure, lambda name: drawn.savefig(name, format=form))
        say(f"  {figure}: estimates against true values")
    if table:
        rows = recovery.table
        write_whole(table, lambda name: rows.to_csv(name, index=False))
        say(f"  {table}: a row a data set, subject and parameter")
