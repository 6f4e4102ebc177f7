"""``rlbackends compare-samplers``: one model, the same data, one sampler after another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from rlbackends.cli.arguments import (
    DataArgument,
    DataOptions,
    ModelArgument,
    OptionPairs,
    model_options,
    numbers,
    read_data,
)
from rlbackends.errors import SettingError

if TYPE_CHECKING:
    from rlbackends.studies.samplers import SamplerComparison

_DATA_OPTIONS = DataOptions()
_PICTURES = (".png", ".pdf", ".svg")
_TABLES = (".csv", ".md")


def compare_samplers(
    model: ModelArgument,
    data: DataArgument = None,
    /,
    *,
    sampler: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="BACKEND:SAMPLER",
            help="One of those to compare, such as numpyro:nuts, numpyro:nuts:vectorized, pymc:nutpie:jax or "
            "numpyro:nuts:dense_mass=true; default: all that draw Markov chains. Can be repeated.",
        ),
    ] = (),
    option: OptionPairs = (),
    columns: DataOptions = _DATA_OPTIONS,
    pooling: Annotated[
        Literal["partial", "none", "complete"],
        Parameter(help="Subjects come from an estimated group, are each alone, or share one value."),
    ] = "partial",
    fix: Annotated[
        tuple[str, ...],
        Parameter(metavar="NAME=NUMBER", help="Fix a parameter, such as lapse=0.02. Can be repeated."),
    ] = (),
    draws: Annotated[int, Parameter(help="Kept draws of each chain.")] = 1000,
    tune: Annotated[int, Parameter(help="Tuning iterations of each chain.")] = 1000,
    chains: int = 4,
    cores: Annotated[
        int | None, Parameter(help="Chains that run at once; default: as many as there are processors.")
    ] = None,
    seed: Annotated[int, Parameter(help="Of every sampler.")] = 0,
    target_accept: Annotated[float, Parameter(help="Acceptance rate that step sizes are tuned for.")] = 0.8,
    cache: Annotated[
        Literal["warm", "cold"],
        Parameter(help="Compile with the caches as this machine has them, or with empty ones."),
    ] = "warm",
    limit: Annotated[float | None, Parameter(help="Seconds after which a sampler is stopped.")] = None,
    folder: Annotated[
        str,
        Parameter(
            help="Where the fits are kept, a file each; default: MODEL-samplers in this folder. A run that was stopped "
            "or killed goes on where it was: give the same command again. More samplers can be added."
        ),
    ] = "",
    retry_failed: Annotated[bool, Parameter(help="Try samplers again that failed in an earlier run.")] = False,
    figure: Annotated[
        str, Parameter(metavar="FILE", help="Also draw speed, time and agreement (.png, .pdf or .svg).")
    ] = "",
    table: Annotated[
        str, Parameter(metavar="FILE", help="Also write all numbers (.csv), or what is shown here (.md).")
    ] = "",
    overwrite: Annotated[bool, Parameter(help="Let the figure and the table replace others.")] = False,
) -> int:
    """Fit a model with several samplers: how fast they are, whether they agree, and which to take.

    Each sampler runs in a fresh process of its own, one after another. Finished fits stay in the folder, and are
    not computed twice.

    Exit status: 0 if every sampler has a fit and they agree, 1 otherwise.
    """
    import rlbackends as rl
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.output import say

    found = load_model(model, model_options(option))
    bound = read_data(found, data, columns).bind(found)
    population = rl.Population(pooling, **numbers("--fix", fix, "--fix lapse=0.02"))
    population.resolve(found, bound.n_subjects)
    _check_files(figure, table, overwrite=overwrite)
    place = folder or f"{found.name}-samplers"
    say(bound)
    say(f"Fits are kept in {place}.")
    comparison = rl.compare_samplers(
        found, bound, list(sampler) or None, population=population, draws=draws, tune=tune, chains=chains, cores=cores,
        seed=seed, target_accept=target_accept, folder=place, cache=cache, limit=limit, retry_failed=retry_failed,
    )  # fmt: skip
    _tell(comparison)
    _write(comparison, figure, table)
    apart = any(value is False for value in comparison.table["agrees"])
    return 1 if comparison.failed or apart else 0


def _check_files(figure: str, table: str, *, overwrite: bool) -> None:
    """Raise ``SettingError`` now if a file can't be written at the end."""
    from rlbackends.cli.files import check_file

    for option, name, known in (("--figure", figure, _PICTURES), ("--table", table, _TABLES)):
        if not name:
            continue
        if Path(name).suffix not in known:
            raise SettingError(f"{option} is '{name}', expected a file that ends in {', '.join(known)}.")
        check_file(option, name, overwrite=overwrite)


def _tell(comparison: SamplerComparison) -> None:
    from rlbackends.cli.output import heading, say, table

    heading(comparison.heading())
    header, rows = comparison.people_table()
    # Two tables: one would be wider than most terminals.
    speed, rest = list(range(10)), [0, 1, 2, *range(10, len(header))]
    for columns in (speed, rest):
        table(
            [header[i] for i in columns], [[row[i] for i in columns] for row in rows], numbers_from=3, indent=2
        )
        say()
    heading("Do they agree?")
    say(f"  {comparison.agreement_words()}")
    heading("Which one")
    say(f"  {comparison.recommendation}")
    say(f"  {comparison.cache_words}")


def _write(comparison: SamplerComparison, figure: str, table: str) -> None:
    """Write what was asked for, each file whole or not at all."""
    from rlbackends.cli.output import heading, say
    from rlbackends.data.files import write_whole

    if not (figure or table):
        return
    heading("Written")
    if figure:
        drawn, form = comparison.plot(), Path(figure).suffix[1:]
        write_whole(figure, lambda name: drawn.savefig(name, format=form))
        say(f"  {figure}: speed, time and agreement")
    if table:
        rows = comparison.table
        if table.endswith(".md"):
            text = comparison.to_markdown()
            write_whole(table, lambda name: Path(name).write_text(text, encoding="utf-8"))
        else:
            write_whole(table, lambda name: rows.to_csv(name))
        say(f"  {table}: a row a sampler")
