"""``rlbackends export``: a model as a program of another library, a document or JSON."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from rlbackends.cli.arguments import (
    DataOptions,
    ModelArgument,
    OptionPairs,
    model_options,
)
from rlbackends.cli.population import PopulationOptions, read_population, read_trials_of
from rlbackends.errors import SettingError

_DATA_OPTIONS = DataOptions()
_POPULATION_OPTIONS = PopulationOptions()


def export(
    model: ModelArgument,
    data: Annotated[
        str | None,
        Parameter(help="A CSV or TSV file, one row a trial: the program is written for what these data have."),
    ] = None,
    /,
    *,
    to: Annotated[
        Literal["pymc", "numpyro", "stan", "numpy", "latex", "json"],
        Parameter(help="A library that the program is for, or a LaTeX document, or the model as JSON."),
    ],
    option: OptionPairs = (),
    columns: DataOptions = _DATA_OPTIONS,
    people: PopulationOptions = _POPULATION_OPTIONS,
    output: Annotated[
        str,
        Parameter(
            metavar="FILE",
            help="Where the program goes; its data go beside it, with the ending .data.json. Default: it is printed.",
        ),
    ] = "",
    overwrite: Annotated[bool, Parameter(help="Let these files replace others.")] = False,
) -> None:
    """Write a model as a readable program that needs no rlbackends, for a supplement or a reviewer."""
    import rlbackends as rl
    from rlbackends.cli.files import check_file
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.output import say
    from rlbackends.porting.export import TARGETS

    found = load_model(model, model_options(option))
    population = read_population(found, people)
    has_data = data is not None or bool(columns.wide) or bool(people.participants)
    program, table = Path(output), Path()
    if output:
        if program.name in ("", ".."):
            raise SettingError(f"--output '{output}' is a folder, expected a file.")
        program = program if program.suffix else program.with_suffix(TARGETS[to].suffix)
        table = program.with_suffix(".data.json")
        check_file("--output", str(program), overwrite=overwrite)
    trials = read_trials_of(found, data, columns, population, people) if has_data else None
    written = rl.export(found, to, data=trials, population=population)
    if not output:
        say(written.text.removesuffix("\n"))
        if written.data is not None:
            print("the data that this program reads are not printed; write both with --output FILE.", file=sys.stderr)
        return
    if written.data is not None and not written.data_are_in(table):
        check_file("--output", str(table), overwrite=overwrite)
    for path in written.write(program, overwrite=overwrite):
        say(f"{path}   {TARGETS[to].summary if path == program else 'the data that it reads'}")
