"""`read_trials`: a tidy table, or wide files, as trials."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from rlbackends.data.assemble import Keys, checked_levels, lay_out, pad_trials
from rlbackends.data.cells import Cell, Column, Label, as_label, as_number, show, subject_labels
from rlbackends.data.derived import Names, derive_columns, derived_names
from rlbackends.data.faults import Faults
from rlbackends.data.tables import Table, load_table
from rlbackends.data.trials import Trials
from rlbackends.data.wide import read_wide
from rlbackends.errors import did_you_mean, listed

type Source = str | os.PathLike | Mapping[str, str | os.PathLike] | object


def read_trials(
    source: Source,
    *,
    subject: str | None = None,
    trial: str | None = None,
    block: str | None = None,
    levels: Mapping[str, Iterable[object]] | None = None,
    derive: Mapping[str, str | Sequence[str]] | None = None,
    **columns: str | Sequence[str],
) -> Trials:
    """Read a table with one row a trial, or wide files with one column a subject.

    Parameters
    ----------
    source
        A path to a CSV or TSV file (UTF-8), a data frame (pandas, polars, …), or a mapping such as
        ``{"choice": "actions.csv", "reward": "rewards.csv"}`` of wide files: one column a subject under its
        label, one row a trial. With wide files only ``levels`` and ``derive`` may be given besides.
    subject
        The column that says whose trial a row is.
    trial
        The column of trial numbers (whole, from 0 on); rows are sorted by it. Without it the order of the
        rows counts, and trials are numbered from 1.
    block
        The column of blocks: wherever it changes, a new block starts (and states start again). Blocks
        follow each other as they first appear; within each, trials are sorted by their numbers.
    levels
        Labels of an event in the order of their codes, as in ``{"choice": ["no-go", "go"]}``. 1, 1.0 and
        "1" are the same label. Events that are not named here get theirs when a model is bound.
    derive
        New events by formula, as in ``{"reward": "gain - abs(loss)"}``; a list of formulas gives an event
        with one entry each. Formulas know the table's columns, the events and the events derived before
        them; numbers, text in quotes, ``+ - * / **``, comparisons, ``and or not`` and the functions abs,
        exp, log, log1p, sqrt, sigmoid, softplus, tanh, maximum, minimum, clip, sign, where and is_missing.
        True and false are kept as 1 and 0.
    **columns
        Each event's column, as in ``choice="response"``; a list of columns for an event with one entry each.

    Returns
    -------
    Trials
        The columns, subjects in natural order, padded to the longest sequence.

    Raises
    ------
    DataError
        If the source is no table, a column is not there, or rows can't be read; all faults of the table are
        told together. Rows of a text file are called by their line in the file (the header is row 1), rows
        of a frame are counted from 0.

    Notes
    -----
    An entry is missing if it is empty, ``NA``, ``NaN``, ``nan``, ``None``, ``null`` or ``.``. A column whose
    entries are all numbers is numeric, any other is text. Whether an entry fits an event is decided by
    `Trials.bind`.

    Examples
    --------
    >>> import rlbackends as rl
    >>> rl.read_trials(  # doctest: +SKIP
    ...     "prl.tsv", subject="subjID", trial="trial", choice="choice", reward="outcome"
    ... )
    Trials(20 subjects × 100 trials; choice, reward; from prl.tsv)
    """
    if isinstance(source, Mapping):
        given = {"subject": subject, "trial": trial, "block": block, **columns}
        return read_wide(source, [name for name, value in given.items() if value is not None], levels, derive)
    table = load_table(source)
    faults = Faults(table.name, table.style)
    asked = _asked_columns(table, subject, trial, block, columns, faults)
    if not asked and not derive:
        faults.add(f"no event is asked for. Name at least one column, as in choice='choice'. {_there(table)}")
    fixed = checked_levels(levels, (*asked, *derived_names(derive)), faults)
    faults.raise_any()

    keys, kept = _read_keys(table, str(subject), trial, block, faults)
    place = _row_name(table)
    layout = lay_out(keys, kept, place, faults)
    flat = {name: _event_column(table, asked[name], columns[name]) for name in asked}
    names = Names(
        {name: Column.of_cells([cells], [name], stacked=False) for name, cells in table.columns.items()}, flat
    )
    flat |= derive_columns(derive or {}, names, table.n_rows, place, faults)
    faults.raise_any()

    used = {column for part in asked.values() for column in part} | {subject, trial, block}
    return pad_trials(
        table.name,
        table.style,
        layout,
        flat,
        fixed,
        table.rows,
        tuple(c for c in table.columns if c not in used),
    )


def _asked_columns(
    table: Table,
    subject: str | None,
    trial: str | None,
    block: str | None,
    columns: Mapping[str, str | Sequence[str]],
    faults: Faults,
) -> dict[str, tuple[str, ...]]:
    """Return the table's columns of each event; note every name that is no column."""
    if subject is None:
        likely = [name for name in table.columns if name.casefold().startswith(("subj", "participant", "id"))]
        example = likely[0] if likely else "column"
        faults.add(f"which column says whose trial a row is? Write subject='{example}'. {_there(table)}")
    unknown: list[str] = []

    def check(name: object, use: str) -> None:
        if not isinstance(name, str):
            faults.add(f"{use} is {name!r}, expected the name of a column.")
        elif name not in table.columns:
            unknown.append(f"'{name}' (for {use}) is no column.{did_you_mean(name, table.columns)}")

    for use, name in (("subject", subject), ("trial", trial), ("block", block)):
        if name is not None:
            check(name, use)
    asked = {}
    for event, given in columns.items():
        names = (given,) if isinstance(given, str) else given
        if not isinstance(names, list | tuple) or not names:
            faults.add(f"{event} is {given!r}, expected the name of a column or a list of names.")
            continue
        asked[event] = tuple(names)
        for name in names:
            check(name, event)
    if unknown:
        faults.add(f"{' '.join(unknown)} {_there(table)}")
    return asked


def _there(table: Table) -> str:
    """Return the sentence that lists a table's columns."""
    return f"The columns are {listed(table.columns)}."


def _row_name(table: Table) -> Callable[[int], str]:
    """Return what messages call a row, given its position."""
    return lambda row: f"row {table.rows[row]}"


def _read_keys(
    table: Table, subject: str, trial: str | None, block: str | None, faults: Faults
) -> tuple[Keys, np.ndarray]:
    """Return the keys of every row, and which rows have whole ones; note the others."""
    kept = np.ones(table.n_rows, dtype=bool)

    def note(i: int, message: str) -> None:
        kept[i] = False
        faults.add_at([f"row {table.rows[i]}"], message)

    def present(what: str, column: str) -> list[Cell]:
        cells = table.columns[column]
        name = what if what == column else f"{what} (column '{column}')"
        for i in [i for i, cell in enumerate(cells) if cell is None]:
            note(i, f"{name} is missing")
        return cells

    subjects = subject_labels(["" if cell is None else cell for cell in present("subject", subject)])
    trials = None
    if trial is not None:
        name = "trial" if trial == "trial" else f"trial (column '{trial}')"
        trials = []
        for i, cell in enumerate(present("trial", trial)):
            number = as_number(cell)
            whole = int(number) if number is not None and 0 <= number < 2**53 and number % 1 == 0 else None
            if cell is not None and whole is None:
                note(i, f"{name} is {show(cell)}, expected a whole number from 0 on")
            trials.append(whole or 0)
    blocks: list[Label] | None = None
    if block is not None:
        blocks = ["" if cell is None else as_label(cell) for cell in present("block", block)]
    return Keys(subjects, trials, blocks), kept


def _event_column(table: Table, names: tuple[str, ...], given: str | Sequence[str]) -> Column:
    """Return the entries of one event, stacked if its columns were given as a list."""
    return Column.of_cells([table.columns[name] for name in names], names, stacked=not isinstance(given, str))
