"""``rlbackends port compare``: a table of an old script's log-likelihoods against a model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from rlbackends.cli.arguments import (
    DataArgument,
    DataOptions,
    ModelArgument,
    OptionPairs,
    model_options,
    read_data,
)
from rlbackends.errors import SettingError, listed

_DATA_OPTIONS = DataOptions()


def compare(
    model: ModelArgument,
    data: DataArgument = None,
    /,
    *,
    table: Annotated[
        str,
        Parameter(
            metavar="FILE",
            help="The old script's log-likelihoods (.csv or .tsv): a row a subject and a column a trial, or the other "
            "way round; or a row a trial, with the column log_likelihood.",
        ),
    ],
    option: OptionPairs = (),
    columns: DataOptions = _DATA_OPTIONS,
    param: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="NAME=NUMBER",
            help="A parameter's value at which the table was computed: a number, or several with commas between them, "
            "one a subject. Can be repeated.",
        ),
    ] = (),
    params: Annotated[
        str,
        Parameter(
            metavar="FILE",
            help="These values as a table: the column subject, or the one that --subject names, and one a parameter.",
        ),
    ] = "",
    layout: Annotated[
        Literal["subject_trial", "trial_subject"] | None,
        Parameter(help="Which of the two is the table's rows, where there are as many trials as subjects."),
    ] = None,
    tolerance: Annotated[
        float | None, Parameter(help="The largest difference that counts as the same, in units of the scale.")
    ] = None,
    backend: Annotated[str, Parameter(help="What computes our side; default: the first that is installed.")] = "",
    csv: Annotated[str, Parameter(metavar="FILE", help="Also write a row a number, here and theirs (.csv).")] = "",
    overwrite: Annotated[bool, Parameter(help="Let this file replace another.")] = False,
    json: Annotated[bool, Parameter(help="Print JSON for programs.")] = False,
) -> int:
    """Compare an old script's log-likelihoods with a model's, and say which usual mistake explains what differs.

    Exit status: 0 if they are the same, 1 if they are not, 2 if they can't be compared.
    """
    import rlbackends as rl
    from rlbackends.cli.files import check_tables
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.output import say, say_json

    if csv:
        check_tables([("--csv", csv)], overwrite=overwrite)
    found = load_model(model, model_options(option))
    values = _values(param, params, columns.subject)
    if values is None and found.parameters:
        told = " ".join(f"--param {name}=…" for name in found.parameters)
        raise SettingError(
            f"a table belongs to the parameter values at which it was computed: give {told}, or --params FILE."
        )
    bound = read_data(found, data, columns).bind(found)
    report = rl.compare_likelihood(
        found, bound, Path(table), values, tolerance=tolerance, backend=backend or None, layout=layout,
        subject=_if_there(table, columns.subject), trial=_if_there(table, columns.trial),
    )  # fmt: skip
    if json:
        say_json(report.to_data())
    else:
        say(report)
    if csv:
        from rlbackends.data.files import write_whole

        write_whole(csv, lambda name: report.frame().to_csv(name, index=False))
        if not json:
            say(f"{csv}: a row a number")
    return 0 if report.same else 1


def _if_there(table: str, column: str | None) -> str | None:
    """Return the data's column if the table has one of that name, too; if not, the usual names are looked for."""
    try:
        with Path(table).expanduser().open(encoding="utf-8-sig") as stream:
            header = stream.readline()
    except (OSError, UnicodeDecodeError):
        return None  # what is wrong with the file is told when it is read
    return column if column in [word.strip().strip('"') for word in re.split(r"[\t;,]", header)] else None


def _values(given: tuple[str, ...], table: str, subject: str | None) -> dict[str, Any] | None:
    """Return the parameters' values, of the options and of the table."""
    from rlbackends.cli.parameters import read_params_table, read_values

    values: dict[str, Any] = dict(read_values("--param", given))
    drawn = [name for name, value in values.items() if not isinstance(value, float | list)]
    if drawn:
        raise SettingError(f"--param {drawn[0]} is a distribution, expected the value at which the table was computed.")
    if table:
        labels, columns = read_params_table(table, subject)
        twice = [name for name in columns if name in values]
        if twice:
            raise SettingError(f"{listed(twice)} is given by --param and in '{table}'. Give it once.")
        values |= {name: dict(zip(labels, column, strict=True)) for name, column in columns.items()}
    return values or None
