"""What several commands take: a model, a table of trials, and pairs such as ``choice=response``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rlbackends.errors import SettingError, did_you_mean, listed

if TYPE_CHECKING:
    from rlbackends.data import Trials
    from rlbackends.model import Model

MODEL_HELP = "A name from 'rlbackends models', file.py:name (a Model, or a function that returns one), or a model.json."
TASK_HELP = "A name from 'rlbackends tasks', or file.py:name (a Task, or a function that returns one)."
DATA_HELP = "A CSV or TSV file, one row a trial. Leave it out with --wide."

ModelArgument = Annotated[str, Parameter(help=MODEL_HELP)]
TaskArgument = Annotated[str, Parameter(help=TASK_HELP)]
DataArgument = Annotated[str | None, Parameter(help=DATA_HELP)]
OptionPairs = Annotated[
    tuple[str, ...],
    Parameter(
        name=["--option", "-o"],
        metavar="NAME=VALUE",
        help="An option of the function that makes the model, such as n_actions=5. Can be repeated.",
    ),
]

TaskOptionPairs = Annotated[
    tuple[str, ...],
    Parameter(
        name=["--task-option", "-t"],
        metavar="NAME=VALUE",
        help="An option of the function that makes the task, such as probabilities=0.2,0.8; several numbers have "
        "commas between them, and FILE.csv stands for the table of numbers in it. Can be repeated.",
    ),
]
RenamePairs = Annotated[
    tuple[str, ...],
    Parameter(
        metavar="EVENT=NAME",
        help="Call an event of the task what the model calls it, such as reward=outcome. Can be repeated.",
    ),
]

# Arguments of read_trials that can't name an event as well.
_TAKEN = ("source", "subject", "trial", "block", "levels", "derive")


@Parameter(name="*")
@dataclass(frozen=True)
class DataOptions:
    """Which column holds what."""

    subject: Annotated[str | None, Parameter(metavar="COLUMN", help="The column that says whose trial a row is.")] = (
        None
    )
    trial: Annotated[
        str | None,
        Parameter(metavar="COLUMN", help="The column of trial numbers; without it the rows' order counts."),
    ] = None
    block: Annotated[
        str | None,
        Parameter(metavar="COLUMN", help="The column of blocks; states start again with each block."),
    ] = None
    column: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="EVENT=COLUMN",
            help="An event's column, such as reward=outcome; commas between several columns of one event. "
            "Without it an event is read from the column of its own name. Can be repeated.",
        ),
    ] = ()
    derive: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="EVENT=FORMULA",
            help='An event by formula, such as "reward=gain - abs(loss)". Can be repeated; the same event '
            "again is its next entry.",
        ),
    ] = ()
    levels: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="EVENT=LABELS",
            help="An event's labels in order, such as choice=no-go,go; without it they are inferred and "
            "printed. Can be repeated.",
        ),
    ] = ()
    wide: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="EVENT=FILE",
            help="Instead of DATA: a file for each event, one column a subject, one row a trial. Can be repeated.",
        ),
    ] = ()


def pairs(option: str, given: Iterable[str], expected: str) -> list[tuple[str, str]]:
    """Return ``name=value`` texts in two; what has no ``=`` is an error that says what was expected."""
    found = []
    for text in given:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not (name and sign and value):
            raise SettingError(f"{option} is {text!r}, expected {expected}.")
        found.append((name, value))
    return found


def numbers(option: str, given: Iterable[str], expected: str) -> dict[str, float]:
    """Return ``name=number`` texts as numbers."""
    found = {}
    for name, value in pairs(option, given, expected):
        try:
            found[name] = float(value)
        except ValueError:
            raise SettingError(f"{option} {name} is {value!r}, expected a number, as in {expected}.") from None
    return found


def words(text: str) -> list[str]:
    """Return what stands between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def model_options(given: Iterable[str]) -> dict[str, Any]:
    """Return options of a model's function: numbers, true and false as such, everything else as text."""
    return _options("--option", given, "NAME=VALUE, such as --option n_actions=5")


def task_options(given: Iterable[str]) -> dict[str, Any]:
    """Return options of a task's function; a file's name stands for the table of numbers in it."""
    found = _options("--task-option", given, "NAME=VALUE, such as --task-option probabilities=0.2,0.8")
    for name, value in found.items():
        if isinstance(value, str) and value.endswith((".csv", ".tsv")):
            found[name] = _number_table(f"--task-option {name}", value)
    return found


def _options(option: str, given: Iterable[str], expected: str) -> dict[str, Any]:
    return {name: _plain(value) for name, value in pairs(option, given, expected)}


def _plain(text: str) -> Any:
    """Return what a text says: JSON, several numbers with commas between them, or itself."""
    for form in (text, f"[{text}]"):
        try:
            return json.loads(form)
        except ValueError:
            continue
    return text


def _number_table(option: str, path: str) -> list[list[float]]:
    """Return the rows of a table of numbers."""
    from rlbackends.data.cells import as_number
    from rlbackends.data.tables import load_table

    columns = load_table(path).columns
    rows = [[as_number(cell) for cell in row] for row in zip(*columns.values(), strict=True)]
    for i, row in enumerate(rows):
        if None in row:
            column = list(columns)[row.index(None)]
            raise SettingError(
                f"{option}: in row {i + 1} of '{path}', '{column}' is {columns[column][i]!r}, expected a number."
            )
    return rows  # type: ignore[return-value]


def read_data(
    model: Model, data: str | None, options: DataOptions, covariates: Iterable[str] = ()
) -> Trials:
    """Read the trials that a model needs, and the columns of its covariates."""
    import rlbackends as rl

    wide = dict(pairs("--wide", options.wide, "EVENT=FILE, such as --wide choice=actions.csv"))
    if (data is None) == (not wide):
        raise SettingError(
            "both DATA and --wide are given. Give a table of trials, or a file for each event, not both."
            if wide
            else "there are no data. Give a table of trials (DATA), or a file for each event: "
            "--wide choice=actions.csv."
        )
    columns = _several(pairs("--column", options.column, "EVENT=COLUMN, such as --column reward=outcome"), split=True)
    derive = _several(pairs("--derive", options.derive, 'EVENT=FORMULA, such as --derive "reward=gain - loss"'))
    levels = {
        name: words(value)
        for name, value in pairs("--levels", options.levels, "EVENT=LABELS, such as --levels choice=1,2")
    }
    clash = [name for name in (*columns, *derive) if name in _TAKEN]
    if clash:
        raise SettingError(
            f"{listed(clash)} can't be the name of an event; --subject, --trial and --block say columns."
        )
    check_covariates(covariates)
    needed = dict.fromkeys([*model.events, *covariates])
    _check_events(model, {"--column": columns, "--derive": derive, "--wide": wide}, needed, options.derive)
    if not wide:
        columns = {name: name for name in needed if name not in derive and name not in _TAKEN} | columns
    return rl.read_trials(
        wide or data,
        subject=options.subject,
        trial=options.trial,
        block=options.block,
        levels=levels or None,
        derive=derive or None,
        **columns,
    )


def _check_events(
    model: Model, given: Mapping[str, Iterable[str]], needed: Iterable[str], formulas: Iterable[str]
) -> None:
    """Refuse names that are no event of the model, no covariate and in no formula: they are misspelt."""
    known = {*needed, *re.findall(r"[^\W\d]\w*", " ".join(text.partition("=")[2] for text in formulas))}
    faults = [
        f"{option}: model '{model.name}' has no event '{name}'. It has {listed(model.events)}."
        f"{did_you_mean(name, needed)}"
        for option, names in given.items()
        for name in names
        if name not in known
    ]
    if faults:
        raise SettingError(" ".join(faults))


def check_covariates(names: Iterable[str]) -> None:
    """Refuse covariates whose names are words of `read_trials`; a column can be read under another name."""
    taken = [name for name in names if name in _TAKEN]
    if taken:
        name = taken[0]
        raise SettingError(
            f"formulas read {listed(taken)}, which can't be the name of a covariate. Read the column under another "
            f'name, and write that in the formula, such as --column {name}_={name} --formula "alpha ~ {name}_".'
        )


def _several(given: Iterable[tuple[str, str]], *, split: bool = False) -> dict[str, str | list[str]]:
    """Return each name's value; a name that comes again, or has commas where they split, has a list."""
    found: dict[str, list[str]] = {}
    for name, value in given:
        found.setdefault(name, []).extend(words(value) if split else [value])
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
