"""How subjects differ, from options: pooling, fixed values, formulas and what else is known of subjects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from rlbackends.cli.arguments import DataOptions, check_covariates, numbers, pairs, read_data, words
from rlbackends.errors import ModelError, SettingError, did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.data import Trials
    from rlbackends.model import Model
    from rlbackends.population import Population


@Parameter(name="*")
@dataclass(frozen=True)
class PopulationOptions:
    """How subjects differ."""

    pooling: Annotated[
        Literal["partial", "none", "complete"],
        Parameter(help="Subjects come from an estimated group, are each alone, or share one value."),
    ] = "partial"
    fix: Annotated[
        tuple[str, ...],
        Parameter(metavar="NAME=NUMBER", help="Fix a parameter, such as lapse=0.02. Can be repeated."),
    ] = ()
    formula: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="FORMULA",
            help='What a parameter depends on, such as "alpha ~ group * scale(age)" or, within subjects, '
            '"beta ~ session". Can be repeated.',
        ),
    ] = ()
    slopes: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="FORMULA",
            help='What subjects differ in besides, within themselves, such as "beta ~ session". Can be repeated.',
        ),
    ] = ()
    sd_by: Annotated[
        tuple[str, ...],
        Parameter(metavar="NAME=COLUMN", help="A parameter's sd is another in each group, such as alpha=group."),
    ] = ()
    correlated: Annotated[
        str, Parameter(metavar="NAMES", help="Parameters that correlate over subjects, such as alpha,beta; or all.")
    ] = ""
    participants: Annotated[
        str, Parameter(metavar="FILE", help="A table with one row a subject, whose columns formulas may read, too.")
    ] = ""
    participant: Annotated[
        str, Parameter(metavar="COLUMN", help="Its column of subjects; default: that of --subject.")
    ] = ""


def read_population(model: Model, options: PopulationOptions) -> Population:
    """Return the population that options say."""
    import rlbackends as rl

    fixed = numbers("--fix", options.fix, "--fix lapse=0.02")
    given: dict[str, dict[str, Any]] = {}
    said = {
        "formula": ("--formula", _formulas("--formula", options.formula)),
        "slopes": ("--slopes", _formulas("--slopes", options.slopes)),
        "sd_by": ("--sd-by", pairs("--sd-by", options.sd_by, "NAME=COLUMN, such as --sd-by alpha=group")),
    }
    for setting, (option, rows_of) in said.items():
        for name, value in rows_of:
            if setting in given.setdefault(name, {}):
                raise SettingError(f"{option} is given twice for '{name}'. Give it once, with all that it depends on.")
            given[name][setting] = value
    both = [name for name in given if name in fixed]
    if both:
        raise SettingError(f"--fix fixes {listed(both)}, which a formula can't change. Give one of the two.")
    for name in given:
        if name not in model.parameters:
            raise ModelError(
                f"population: there is no parameter '{name}' in model '{model.name}', which has "
                f"{listed(model.parameters)}.{did_you_mean(name, model.parameters)}"
            )
    rows = {name: rl.Pooling(options.pooling, **settings) for name, settings in given.items()}
    correlated: Any = True if options.correlated == "all" else words(options.correlated)
    population = rl.Population(options.pooling, correlated=correlated, **fixed, **rows)
    return population


def _formulas(option: str, given: Iterable[str]) -> list[tuple[str, str]]:
    found = []
    for text in given:
        name, tilde, right = text.partition("~")
        if not (name.strip() and tilde and right.strip()):
            raise SettingError(f'{option} is {text!r}, expected PARAMETER ~ TERMS, such as {option} "alpha ~ group".')
        found.append((name.strip(), f"~{right}"))
    return found


def read_trials_of(
    model: Model, data: str | None, columns: DataOptions, population: Population, options: PopulationOptions
) -> Trials:
    """Read the trials, with the columns that the population's formulas read."""
    wanted = population.covariates(model)
    if not options.participants:
        return read_data(model, data, columns, covariates=wanted)
    from rlbackends.data.tables import load_table

    check_covariates(name for name in wanted if name == "subject")  # the others' names are free in a second table
    subject = options.participant or columns.subject
    if subject is None:
        raise SettingError("--participants needs --participant COLUMN, which says whom a row is about.")
    there = load_table(options.participants).columns
    named = {name for name, _ in pairs("--column", columns.column, "EVENT=COLUMN")} | set(model.events)
    own = load_table(data).columns if data is not None and not columns.wide else {}
    both = [name for name in wanted if name in there and name in own and name not in named]
    neither = [name for name in wanted if name not in there and name not in own and name not in named]
    if both:
        raise SettingError(
            f"'{data}' and '{options.participants}' both have a column {listed(both)}. Give it another name in one of "
            f"them, or say --column {both[0]}={both[0]} for that of the trials."
        )
    if neither and own:
        near = did_you_mean(neither[0], [*own, *there])
        raise SettingError(
            f"formulas read {listed(neither)}, a column of neither '{data}' nor '{options.participants}'.{near}"
        )
    there = {name: column for name, column in there.items() if name not in named}
    trials = read_data(model, data, columns, covariates=[name for name in wanted if name not in there])
    joined = {name: name for name in wanted if name in there and name not in trials.columns}
    return trials.join(options.participants, subject=subject, **joined) if joined else trials
