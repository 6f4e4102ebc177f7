"""Read a program: a Python file or a notebook, as one text whose lines know where they come from."""

from __future__ import annotations

import io
import json
import os
import re
import tokenize
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlbackends.errors import DataError

_LARGEST = 4_000_000  # characters of code; a program of people is a thousand times shorter
# Magics whose line is Python after the first word.
_TIMING = re.compile(r"(%(?:time|timeit|prun|memit)\b)(?:\s+-\w+(?:\s+\d+)?)*(?=\s)")
# Cell magics whose cell is still Python.
_PYTHON_CELLS = {"time", "timeit", "capture", "prun", "memit", "python", "python3"}


@dataclass(frozen=True)
class Cell:
    """A code cell of a notebook: its number, counted from 1 over all cells, and its first line in the whole text."""

    number: int
    start: int
    n_lines: int


@dataclass(frozen=True)
class Source:
    """A program's text, with where each line comes from and what could not be read as Python."""

    path: Path
    text: str
    lines: tuple[str, ...]  # as they were written, magics and all
    cells: tuple[Cell, ...] = ()
    skipped: tuple[tuple[int, str], ...] = ()  # line, what was there: magics and shell commands

    def place(self, line: int) -> tuple[int | None, int]:
        """Return the cell's number (None in a plain file) and the line in it, of a line of the whole text."""
        if not self.cells:
            return None, line
        cell = self.cells[max(bisect_right([cell.start for cell in self.cells], line) - 1, 0)]
        return cell.number, line - cell.start + 1

    def where(self, line: int) -> str:
        """Return a line's place in words: ``model.py:12``, or ``model.ipynb, cell 3, line 2``."""
        cell, inside = self.place(line)
        return f"{self.path.name}:{inside}" if cell is None else f"{self.path.name}, cell {cell}, line {inside}"


def read_source(path: str | Path) -> Source:
    """Read a ``.py`` file or a notebook; the file is only read.

    Raises
    ------
    DataError
        If there is no such file, or it is neither Python text nor a notebook.
    """
    if not isinstance(path, str | os.PathLike):
        raise DataError(f"lint: path is {path!r}, expected the path of a Python file (.py) or a notebook (.ipynb).")
    file = Path(path)
    if file.is_dir():
        raise DataError(f"{file} is a folder, expected a Python file (.py) or a notebook (.ipynb).")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: it can't be read ({error.strerror or error}).") from None
    if file.suffix.lower() == ".ipynb":
        source = _notebook(file, raw)
    else:
        text = _decoded(file, raw)
        source = Source(file, text, tuple(text.splitlines()))
    if len(source.text) > _LARGEST:
        raise DataError(
            f"{file}: {len(source.text):,} characters of code, expected at most {_LARGEST:,}. Give the model's file."
        )
    return source


def _decoded(file: Path, raw: bytes) -> str:
    """Return a Python file's text, by the encoding that it declares, with plain line ends."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        text = raw.decode(encoding)
    except (SyntaxError, LookupError, UnicodeDecodeError) as error:
        raise DataError(
            f"{file}: it can't be read as text ({error}). Expected UTF-8, or a first line such as "
            "'# -*- coding: latin-1 -*-'."
        ) from None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ")
    if "\0" in text:
        raise DataError(f"{file}: it holds zero bytes, expected the text of a Python program.")
    return text


def _notebook(file: Path, raw: bytes) -> Source:
    """Return the code cells of a notebook, one below the other, a blank line between them."""
    try:
        found: Any = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: it can't be read as text ({error}). Notebooks are UTF-8.") from None
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{file}: it is not JSON ({error}), expected a notebook.") from None
    cells = _cells(found)
    if cells is None:
        raise DataError(f"{file}: it is JSON, but no notebook: expected an object with a list of 'cells'.")
    kernel = found.get("metadata") or {}
    language = kernel.get("kernelspec", {}).get("language") if isinstance(kernel, dict) else None
    if language is not None and str(language).lower() != "python":
        raise DataError(f"{file}: its language is {language!r}, expected Python.")
    texts, originals, places, skipped = [], [], [], []
    start = 1
    for number, cell in enumerate(cells, start=1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        code = cell.get("source", cell.get("input", ""))  # 'input': notebooks of format 3
        code = "".join(str(part) for part in code) if isinstance(code, list) else str(code)
        code = code.replace("\r\n", "\n").replace("\r", "\n").replace("\f", " ").replace("\0", " ")
        lines = code.split("\n")
        plain, gone = without_magics(lines)
        places.append(Cell(number, start, len(lines)))
        texts += [*plain, ""]
        originals += [*lines, ""]
        skipped += [(start + i, what) for i, what in gone]
        start += len(lines) + 1
    text = "\n".join(texts)
    return Source(file, text, tuple(originals), tuple(places), tuple(skipped))


def _cells(found: Any) -> list[Any] | None:
    """Return a notebook's cells, of format 4 or 3."""
    if not isinstance(found, dict):
        return None
    cells = found.get("cells")
    if cells is None and isinstance(found.get("worksheets"), list):
        cells = [cell for sheet in found["worksheets"] if isinstance(sheet, dict) for cell in sheet.get("cells", [])]
    return cells if isinstance(cells, list) else None


def without_magics(lines: list[str]) -> tuple[list[str], list[tuple[int, str]]]:
    """Return a cell's lines with magics and shell commands blanked, and those lines: their index and text.

    What follows ``%time`` stays, at its columns. Lines inside brackets, strings and continued lines are left alone:
    a ``%`` there is Python's.
    """
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].startswith("%%"):
        word = lines[first][2:].split(maxsplit=1)
        if not word or word[0] not in _PYTHON_CELLS:
            return ["" for _ in lines], [(i, line) for i, line in enumerate(lines) if line.strip()]
        rest, gone = without_magics(["", *lines[first + 1 :]])
        return [*[""] * first, *rest], [(first, lines[first]), *((first + i, what) for i, what in gone)]
    plain, skipped, open_brackets, quote, continued = [], [], 0, "", False
    for i, line in enumerate(lines):
        stripped = line.lstrip()
        if not (open_brackets or quote or continued):
            indent = line[: len(line) - len(stripped)]
            timing = _TIMING.match(stripped)
            if timing:
                skipped.append((i, timing[0]))
                line = f"{indent}0;{' ' * (timing.end() - 2)}{stripped[timing.end() :]}"
            elif _is_magic(stripped):
                skipped.append((i, line.strip()))
                plain.append(f"{indent}pass" if indent else "")
                continue
        open_brackets, quote, continued = _state_after(line, open_brackets, quote)
        plain.append(line)
    return plain, skipped


_ASSIGNED_MAGIC = re.compile(r"[A-Za-z_][\w, ]*=\s*(?:!|%[A-Za-z])")
_HELP = re.compile(r"\?{0,2}[A-Za-z_][\w.\[\]\"'*]*\?{1,2}\s*$|\?{1,2}[A-Za-z_]")


def _is_magic(line: str) -> bool:
    return line.startswith(("%", "!")) or bool(_ASSIGNED_MAGIC.match(line) or _HELP.match(line))


def _state_after(line: str, depth: int, quote: str) -> tuple[int, str, bool]:
    """Return how a line leaves the reader: open brackets, an open triple quote, whether it is continued."""
    i = 0
    while i < len(line):
        if quote:
            if line[i] == "\\":
                i += 2
                continue
            if line.startswith(quote, i):
                i += len(quote)
                quote = ""
                continue
            i += 1
            continue
        sign = line[i]
        if sign == "#":
            return depth, quote, False
        if sign in "\"'":
            quote = sign * 3 if line.startswith(sign * 3, i) else sign
            i += len(quote)
            continue
        depth += (sign in "([{") - (sign in ")]}")
        i += 1
    continued = line.endswith("\\")
    return max(depth, 0), quote if len(quote) == 3 or (quote and continued) else "", continued
