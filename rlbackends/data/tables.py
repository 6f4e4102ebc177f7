"""Reading a source (a text file or a data frame) into named columns of cleaned entries."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rlbackends.data.cells import Cell, clean
from rlbackends.data.words import and_list, shorten
from rlbackends.errors import DataError, did_you_mean, listed

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_FRAME = "data frame"


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length, and the number by which messages call each row."""

    name: str
    columns: dict[str, list[Cell]]
    rows: np.ndarray
    style: str = "row"

    @property
    def n_rows(self) -> int:
        """How many rows there are, the header not counted."""
        return len(self.rows)


def load_table(source: object, *, wide: bool = False) -> Table:
    """Read a path or a data frame.

    Rows of a text file are called by their line in the file (the header is usually line 1), rows of a frame
    by their position from 0. In a ``wide`` file an empty line is a fault, since its rows are counted as
    trials.
    """
    if isinstance(source, str | os.PathLike):
        return _load_text(Path(source).expanduser(), wide=wide)
    return _load_frame(source)


def _load_text(path: Path, *, wide: bool) -> Table:
    text = _decode(path)
    separator = _separator(text, path.suffix.lower())
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for record in reader:
            records.append((line, record))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path.name}: row {line} can't be read: {error}. Are the quotes closed?") from None
    while records and not any(map(str.strip, records[-1][1])) and len(records[-1][1]) <= 1:
        records.pop()
    while records and not records[0][1]:
        records.pop(0)
    if not records:
        raise DataError(f"{path.name}: the file is empty. A table starts with a line of column names.")

    header = [name.strip() for name in records[0][1]]
    body = records[1:]
    if len(header) > 1 and not header[0] and not wide:  # row names, as pandas and R write them
        header, body = header[1:], [(number, record[1:]) for number, record in body]
    _check_header(path.name, header)
    if len(header) == 1:  # an empty line of a one-column table is a missing entry
        body = [(number, record or [""]) for number, record in body]
    elif not wide:
        body = [(number, record) for number, record in body if record]
    if not body:
        raise DataError(
            f"{path.name}: there is a header ({and_list(shorten(header, 8))}) but no row under it."
        )
    ragged = [(number, len(record)) for number, record in body if len(record) != len(header)]
    if ragged:
        has_row_names = all(len(record) == len(header) + 1 for _, record in body)
        hint = " Are there row names without a header? Write the table without them." if has_row_names else ""
        shown = shorten([f"row {number} has {count}" for number, count in ragged], 6, more="more rows differ")
        raise DataError(
            f"{path.name}: this is not a table: the header has {len(header)} "
            f"{'entry' if len(header) == 1 else 'entries'}, but {and_list(shown)} "
            f"(separator {separator!r}).{hint}"
        )
    columns = {name: [clean(record[i]) for _, record in body] for i, name in enumerate(header)}
    return Table(path.name, columns, np.array([number for number, _ in body], dtype=np.int64))


def _decode(path: Path) -> str:
    """Return the text of a file, or say why it is no text file."""
    if path.is_dir():
        raise DataError(f"{path}: this is a folder, expected a CSV or TSV file.")
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        folder = path.parent
        near = did_you_mean(path.name, [p.name for p in folder.iterdir()]) if folder.is_dir() else ""
        where = "" if folder.is_dir() else f" (nor a folder '{folder}')"
        raise DataError(f"{path}: there is no such file{where}.{near}") from None
    except OSError as error:
        raise DataError(f"{path}: the file can't be opened: {error.strerror}.") from None
    if raw.startswith(b"PK\x03\x04"):
        raise DataError(
            f"{path.name}: this is a binary file (an Excel workbook?), expected CSV or TSV text. "
            "Save it as CSV, or read it with pandas.read_excel and pass the frame."
        )
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError(f"{path.name}: this is UTF-16 text, expected UTF-8. Save it again as 'CSV UTF-8'.")
    if b"\x00" in raw:
        raise DataError(f"{path.name}: this is a binary file, expected CSV or TSV text.")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path.name}: row {line} is not UTF-8 text. Save the file again as 'CSV UTF-8'."
        ) from None


def _separator(text: str, ending: str) -> str:
    """Return what parts the entries: what the ending says if the header has it, else its commonest one."""
    said = _SEPARATORS.get(ending, "\t")
    header = next((line for line in text.splitlines() if line.strip()), "")
    if ending in _SEPARATORS and said in header:
        return said
    found = {separator: header.count(separator) for separator in ("\t", ",", ";", " ")}
    if not any(found.values()):
        return said
    # A space may be part of a name, so it parts entries only when nothing else does.
    if any(found[separator] for separator in ("\t", ",", ";")):
        found[" "] = 0
    elif ending in _SEPARATORS:
        return said
    return max(found, key=lambda separator: found[separator])


def _check_header(name: str, header: list[str]) -> None:
    """Refuse column names that are empty or there twice."""
    unnamed = [str(i + 1) for i, column in enumerate(header) if not column]
    twice = [column for column, count in Counter(header).items() if count > 1 and column]
    faults = []
    if unnamed:
        what = "column" if len(unnamed) == 1 else "columns"
        faults.append(
            f"{what} {and_list(unnamed)} of the header {'has' if len(unnamed) == 1 else 'have'} no name"
        )
    if twice:
        faults.append(f"{listed(twice)} {'is' if len(twice) == 1 else 'are'} in the header more than once")
    if faults:
        raise DataError(f"{name}: {'; '.join(faults)}. Each column needs a name of its own.")


_EXPECTED = (
    "Expected a path to a CSV or TSV file, a data frame (pandas, polars, …) or a mapping of wide files."
)


def _load_frame(source: Any) -> Table:
    what = f"{type(source).__module__.partition('.')[0]}.{type(source).__name__}".removeprefix("builtins.")
    refusal = f"read_trials: can't read a table from a value of type '{what}'. {_EXPECTED}"
    if type(source).__module__ == "builtins" or isinstance(source, np.ndarray):
        raise DataError(f"{refusal} For arrays there is rl.Trials.from_arrays.")
    try:
        import narwhals as nw
    except ImportError:
        install = "pip install narwhals"
        raise DataError(f"read_trials: to read a data frame ({what}), first: {install}") from None

    # Some libraries let names repeat, which narwhals refuses in its own words.
    if not hasattr(source, "collect_schema"):
        given: Any = getattr(source, "column_names", None) or getattr(source, "columns", ())
        _check_header(_FRAME, [str(name).strip() for name in given])
    try:
        frame = nw.from_native(source)
    except TypeError:
        raise DataError(refusal) from None
    if isinstance(frame, nw.LazyFrame):
        frame = frame.collect()
    header = [str(name).strip() for name in frame.columns]
    if not header:
        raise DataError(f"{_FRAME}: it has no columns.")
    if not frame.shape[0]:
        raise DataError(f"{_FRAME}: it has columns ({and_list(shorten(header, 8))}) but no rows.")
    columns = {
        name: [clean(cell) for cell in frame.get_column(column).to_list()]
        for name, column in zip(header, frame.columns, strict=True)
    }
    return Table(_FRAME, columns, np.arange(frame.shape[0]), "frame")
