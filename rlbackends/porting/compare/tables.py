"""Tables of log-likelihoods, as R, MATLAB or a notebook wrote them: long or wide, with as many digits as they have."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rlbackends.errors import DataError, did_you_mean, listed
from rlbackends.porting.compare.cells import column_of, is_counting, number_of, precision, shortened
from rlbackends.porting.compare.reading import LIKELIHOOD, Given, Reader
from rlbackends.porting.compare.wide import read_wide

_SUBJECT = ("subject", "subj", "subjid", "subject_id", "subjectid", "sub", "id", "participant")
_TRIAL = ("trial", "trial_number", "trialnumber", "trial_id", "t")
_LIKELIHOOD = (LIKELIHOOD, "loglik", "log_lik", "loglikelihood", "log-likelihood", "ll")
_ENTRY = re.compile(r"^(?P<name>.+?)(?P<index>(?:[\[._]\d+(?:\s*,\s*\d+)*\]?)+)$")
_WHOLE = 0.5  # half of the last digit of whole numbers


def is_table(other: Any) -> bool:
    """Say whether this is a path or a data frame."""
    if isinstance(other, str | os.PathLike):
        return True
    return hasattr(other, "collect_schema") or (hasattr(other, "columns") and hasattr(other, "shape"))


def read_table(reader: Reader, source: Any, subject: str | None = None, trial: str | None = None) -> Given:
    """Return the log-likelihoods of a table, and its other columns.

    Parameters
    ----------
    reader
        Knows the trials and their shapes.
    source
        A path to a CSV or TSV file, or a data frame.
    subject, trial
        The table's columns of subjects and trials; found by their usual names if left out.
    """
    is_path = isinstance(source, str | os.PathLike)
    name, header, rows = _text(Path(source), reader) if is_path else _frame(source, reader)
    what = f"{name}:"
    given = _long(reader, what, header, rows, subject, trial) if header is not None else None
    if given is None:
        given = read_wide(reader, what, header, rows)
    reader.check(given, name)
    return given


# Files and frames as rows of cells


def _text(path: Path, reader: Reader) -> tuple[str, list[str] | None, list[list[Any]]]:
    path = path.expanduser()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else ""
        raise DataError(f"{path}: there is no such file.{near}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: the file can't be read as a CSV or TSV table: {error}.") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise DataError(f"{path.name}: the file is empty.")
    separator = max(("\t", ";", ",", " "), key=lambda s: (lines[0].count(s) > 0, "\t;, ".index(s) * -1))
    if separator == " ":
        rows = [line.split() for line in lines]
    else:
        rows = [[c.strip() for c in row] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=separator)]
    if len({len(row) for row in rows[1:]}) > 1 or (len(rows) > 1 and len(rows[1]) - len(rows[0]) not in (0, 1)):
        widths = sorted({len(row) for row in rows})
        raise DataError(f"{path.name}: this is no table: its rows have {listed(widths)} entries.")
    are_subjects = len(rows[0]) > 1 and reader.order(rows[0]) is not None
    if rows[0][0] == "" or any(number_of(cell) is None for cell in rows[0]) or is_counting(rows[0]) or are_subjects:
        header = rows[0]
        if len(rows) > 1 and len(rows[1]) == len(header) + 1:  # R's row names have no header
            header = ["", *header]
        return path.name, header, rows[1:]
    return path.name, None, rows


def _frame(source: Any, reader: Reader) -> tuple[str, list[str] | None, list[list[Any]]]:
    index = getattr(source, "index", None)
    names = [name for name in getattr(index, "names", ()) if name is not None]
    if names and hasattr(source, "reset_index"):
        source = source.reset_index()
    elif index is not None and hasattr(source, "iloc") and (order := reader.order(index)) is not None:
        source = source.iloc[order]  # an index without a name, of subjects
    try:
        import narwhals as nw

        frame = nw.from_native(source)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        columns = [frame.get_column(column).to_list() for column in frame.columns]
        header = [str(column) for column in frame.columns]
    except Exception:
        # Columns that are numbers, as in a frame made from an array, are no names for narwhals.
        if not hasattr(source, "to_numpy"):
            raise DataError(f"the table is a {type(source).__name__}, which can't be read as one.") from None
        header = [str(column) for column in source.columns]
        columns = list(np.asarray(source.to_numpy()).T.tolist())
    return "the table", header, [list(row) for row in zip(*columns, strict=True)]


# Long tables: a row a trial


def _find(header: Sequence[str], names: Sequence[str]) -> str | None:
    return next((column for name in names for column in header if column.strip().casefold() == name), None)


def _long(
    reader: Reader, what: str, header: list[str], rows: list[list[Any]], subject: str | None, trial: str | None
) -> Given | None:
    """Return a table of one row a trial, or a subject; None if it is a wide one."""
    for role, name in (("subject", subject), ("trial", trial)):
        if name is not None and name not in header:
            raise DataError(f"{what} there is no column '{name}' ({role}=).{did_you_mean(name, header)}")
    subject = subject or _find(header, _SUBJECT)
    trial = trial or _find(header, _TRIAL)
    responses = reader.model.responses
    by_response = {r: c for r in responses for c in header if c in (f"{LIKELIHOOD}_{r}", f"{LIKELIHOOD}[{r}]")}
    main: dict[str, str | None] = {"": _find(header, _LIKELIHOOD)}
    if main[""] is None and len(by_response) == len(responses):
        main = dict(by_response)
    if None in main.values():
        rest = [c for c in header if c and c not in (subject, trial)]
        if len(rest) != 1 or (len(header) > 1 and subject is None and trial is None and "" not in header):
            s, t = reader.data.starts.shape
            square = {(s, t), (t, s), (s, t - 1), (t - 1, s)}
            shapes = {(len(rows), len(header) - k) for k in (0, 1)}
            if shapes & square:
                return None
            raise DataError(
                f"{what} there is no column '{LIKELIHOOD}' among {listed(header[:12])}, and {len(rows)} rows × "
                f"{len(header)} columns is no table of subjects and trials. Understood are {reader.shapes()}."
            )
        main = {"": rest[0]}
    columns = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    place = _Places(reader, what, columns, subject, trial)
    values, digits = {}, {}
    level = "trial"
    for name, column in main.items():
        cells = columns[str(column)]
        numbers = column_of(cells, f"{what} column '{column}'")
        level, values[name] = place(numbers)
        digits[name] = np.nan_to_num(place(precision(cells, numbers))[1])
    used = {*main.values(), subject, trial, ""}
    variables: dict[str, np.ndarray] = {}
    rounding: dict[str, float] = {}
    if level == "trial":
        others = {name: cells for name, cells in columns.items() if name not in used}
        variables, rounding = _assembled(reader, others, place)
    return Given(level, values, variables, digits, rounding)


class _Places:
    """Where the rows of a long table belong."""

    def __init__(
        self, reader: Reader, what: str, columns: Mapping[str, list[Any]], subject: str | None, trial: str | None
    ) -> None:
        self.reader, self.cells = reader, None
        data = reader.data
        self.level = "trial"
        count = len(next(iter(columns.values())))
        self.count = count
        if subject is None:
            level, _ = reader.placed(np.zeros(count), f"{what} a column of {count} rows")
            self.level = level
            return
        labels = [reader.subject(cell) for cell in columns[subject]]
        pairs = zip(columns[subject], labels, strict=True)
        strange = list(dict.fromkeys(_label(cell) for cell, place in pairs if place is None))
        if strange:
            raise DataError(
                f"{what} column '{subject}' has {listed(strange[:5])}, who {'is' if len(strange) == 1 else 'are'} not "
                f"among the data's subjects: {shortened(data.subjects)}."
            )
        rows = np.array(labels, np.int64)
        if trial is None and count == data.n_subjects and len(set(labels)) == count and data.n_steps > 1:
            self.level, self.order = "subject", np.argsort(rows)
            return
        positions = self._by_number(what, columns[trial], rows, trial) if trial is not None else None
        if positions is None:
            positions = self._by_order(what, rows)
            if trial is not None:
                self._check_order(what, columns[trial], rows, positions, trial)
        self.cells = (rows, positions)

    def _by_number(self, what: str, cells: list[Any], rows: np.ndarray, trial: str) -> np.ndarray | None:
        """Return each row's trial by its number; None if numbers come twice in the data, as in blocks."""
        data = self.reader.data
        tables = [
            {int(n): t for t, n in enumerate(data.trial_numbers[s, : data.lengths[s]])} for s in range(data.n_subjects)
        ]
        if any(len(table) < length for table, length in zip(tables, data.lengths, strict=True)):
            return None
        numbers = column_of(cells, f"{what} column '{trial}'")
        found = np.empty(len(rows), np.int64)
        for i, (row, number) in enumerate(zip(rows, numbers, strict=True)):
            if not np.isfinite(number) or number != int(number) or int(number) not in tables[row]:
                raise DataError(
                    f"{what} row {i + 1} is trial {number:g} of subject {data.subjects[row]}, whose trials are "
                    f"{data.trial_numbers[row, 0]} to {data.trial_numbers[row, data.lengths[row] - 1]}."
                )
            found[i] = tables[row][int(number)]
        pairs = rows * data.n_steps + found
        values, counts = np.unique(pairs, return_counts=True)
        if (counts > 1).any():
            s, t = divmod(int(values[counts > 1][0]), data.n_steps)
            raise DataError(
                f"{what} trial {data.trial_numbers[s, t]} of subject {data.subjects[s]} is there more than once."
            )
        return found

    def _by_order(self, what: str, rows: np.ndarray) -> np.ndarray:
        data, reader = self.reader.data, self.reader
        counts = np.bincount(rows, minlength=data.n_subjects)
        trials = reader.trials_of(counts)
        if trials is None:
            s = int(np.argmax((counts != data.lengths) & (counts > 0)))
            length, seen = int(data.lengths[s]), int(reader.observed[s].sum())
            raise DataError(
                f"{what} there are {counts[s]} rows of subject {data.subjects[s]}, who has {length} trials"
                + (f", {seen} with a response." if seen != length else ".")
            )
        found = np.empty(len(rows), np.int64)
        for s in np.unique(rows):
            # In the order of the data's rows, which need not be that of time.
            found[rows == s] = np.array([t for i, t in reader.cells if i == s and t in set(trials[s].tolist())])
        return found

    def _check_order(
        self, what: str, cells: list[Any], rows: np.ndarray, positions: np.ndarray, trial: str
    ) -> None:
        """Raise ``DataError`` where a table that is read row by row has other trials than the data."""
        data = self.reader.data
        here = data.trial_numbers[rows, positions]
        numbers = column_of(cells, f"{what} column '{trial}'")
        if (wrong := np.flatnonzero(numbers != here)).size:
            i = wrong[0]
            raise DataError(
                f"{what} row {i + 1} is trial {numbers[i]:g} of subject {data.subjects[rows[i]]}, where the data have "
                f"trial {here[i]}. Trial numbers come again in each block, so the rows must be in the data's order."
            )

    def __call__(self, numbers: np.ndarray) -> tuple[str, np.ndarray]:
        if self.level == "subject" and hasattr(self, "order"):
            return "subject", numbers[self.order]
        if self.cells is None:
            return self.reader.placed(numbers, "a column")
        found = np.full(self.reader.data.starts.shape, np.nan)
        found[self.cells] = numbers
        return "trial", found


def _label(cell: Any) -> str:
    number = number_of(cell)
    text = str(cell).strip().strip('"')
    is_whole = number is not None and np.isfinite(number) and float(number).is_integer()
    return str(int(number or 0)) if is_whole and text.lstrip("+-").replace(".", "").isdigit() else text


def _assembled(
    reader: Reader, columns: Mapping[str, list[Any]], place: _Places
) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return other columns by quantity, 'q[0]' and 'q[1]' being entries of 'q', and half of the last digit of each."""
    model = reader.model
    found: dict[str, np.ndarray] = {}
    rounding: dict[str, float] = {}
    entries: dict[str, dict[tuple[int, ...], np.ndarray]] = {}
    for column, cells in columns.items():
        numbers = [number_of(cell) for cell in cells]
        if any(number is None for number in numbers):
            continue  # text, such as a condition
        _, values = place(np.array(numbers, dtype=np.float64))
        digits = float(precision(cells, np.array(numbers, dtype=np.float64)).max(initial=0.0))
        match = _ENTRY.match(column)
        if column not in (*model.states, *model.records) and match and (
            match["name"] in model.states or match["name"] in model.records
        ):  # fmt: skip
            index = tuple(int(i) for i in re.findall(r"\d+", match["index"]))
            entries.setdefault(match["name"], {})[index] = values
            name = match["name"]
        else:
            found[column] = values
            name = column
        # Whole numbers may be whole by nature, or by mistake.
        rounding[name] = max(rounding.get(name, 0.0), digits if digits < _WHOLE else 0.0)
    for name, parts in entries.items():
        shape = reader._shape_of(name) or ()
        lowest = min((min(index) for index in parts), default=0)
        counted = [tuple(i - (lowest == 1 and _from_one(parts, shape)) for i in index) for index in parts]
        if all(len(i) == len(shape) and all(0 <= a < n for a, n in zip(i, shape, strict=True)) for i in counted):
            array = np.full((*reader.data.starts.shape, *shape), np.nan)
            for place_of, values in zip(counted, parts.values(), strict=True):
                where: tuple[Any, ...] = (slice(None), slice(None), *place_of)
                array[where] = values
            found[name] = array
    return found, rounding


def _from_one(parts: Mapping[tuple[int, ...], Any], shape: tuple[int, ...]) -> bool:
    """Say whether entries are counted from 1, as R and MATLAB count."""
    return any(i == n for index in parts for i, n in zip(index, shape, strict=False))
