"""The report of a program: what was found, row by row, and the draft of a spec."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any

from rlbackends.porting.linting.rules import SEVERITIES, Row

_WIDTH = 110


@dataclass(frozen=True)
class Part:
    """A part of the model that was recognised: what it is, where, and its code."""

    kind: str  # "learning rule", "prior", "likelihood", "start", "decay"
    name: str
    where: str
    code: str

    def to_data(self) -> dict[str, str]:
        """Return the part as plain data."""
        return {"kind": self.kind, "name": self.name, "where": self.where, "code": self.code}


@dataclass(frozen=True)
class LintReport:
    """What a program needs to run today.

    Attributes
    ----------
    path : pathlib.Path
        The file.
    rows : tuple of Row
        What changes silently first, then what breaks, then notes; each by line.
    parts : tuple of Part
        The learning rule, priors and likelihood that were recognised.
    draft : str
        A skeleton of the model as an rlbackends spec, as Python; empty if nothing was recognised.
    skipped : tuple of str
        Lines of a notebook that are no Python: magics and shell commands.
    checked_against : dict
        Versions of the packages that the rules were checked against.
    """

    path: Path
    rows: tuple[Row, ...]
    parts: tuple[Part, ...]
    draft: str
    skipped: tuple[str, ...]
    checked_against: dict[str, str]

    def count(self, severity: str) -> int:
        """Return how many rows there are of a severity."""
        return sum(row.severity == severity for row in self.rows)

    @property
    def clean(self) -> bool:
        """True if nothing changes silently and nothing breaks; notes don't count."""
        return not (self.count("silent") or self.count("breaks"))

    def to_data(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "path": str(self.path),
            "clean": self.clean,
            "counts": {severity: self.count(severity) for severity in SEVERITIES},
            "rows": [row.to_data() for row in self.rows],
            "parts": [part.to_data() for part in self.parts],
            "draft": self.draft,
            "skipped": list(self.skipped),
            "checked_against": dict(self.checked_against),
        }

    def frame(self) -> Any:
        """Return the rows as a pandas table."""
        import pandas as pd

        columns = [name for name in Row.__dataclass_fields__ if name != "order"]
        table = pd.DataFrame([row.to_data() for row in self.rows], columns=columns)
        return table.astype({"cell": "Int64"})

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        counts = ", ".join(f"{self.count(severity)} {severity}" for severity in SEVERITIES)
        return f"LintReport({self.path.name}: {counts})"

    def _lines(self) -> Iterator[str]:
        checked = ", ".join(f"{name} {version}" for name, version in self.checked_against.items())
        yield f"{self.path.name}, against {checked}"
        yield _summary(self)
        for severity, title in SEVERITIES.items():
            rows = [row for row in self.rows if row.severity == severity]
            if rows:
                yield ""
                yield title
                yield from _rows(rows)
        if self.parts:
            yield ""
            yield "The model, as far as it was recognised"
            width = max(len(part.where) for part in self.parts)
            kinds = max(len(part.kind) for part in self.parts)
            for part in self.parts:
                yield f"  {part.where:<{width}}  {part.kind:<{kinds}}  {_short(part.code, _WIDTH - width - kinds - 6)}"
        if self.skipped:
            yield ""
            yield f"No Python, and not read: {'; '.join(self.skipped[:8])}{' …' * (len(self.skipped) > 8)}"


def _summary(report: LintReport) -> str:
    if not report.rows:
        return "Nothing to change was found."
    words = {"silent": "silently", "breaks": "", "note": ""}
    counts = {severity: report.count(severity) for severity in words}
    return (
        f"{_n(counts['silent'], 'thing')} that change{'s' * (counts['silent'] == 1)} silently, "
        f"{_n(counts['breaks'], 'thing')} that break{'s' * (counts['breaks'] == 1)}, {_n(counts['note'], 'note')}."
    )


def _n(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _short(code: str, room: int) -> str:
    return code if len(code) <= room else f"{code[: room - 1]}…"


def _rows(rows: list[Row]) -> Iterator[str]:
    """Yield rows in their order; a reason that the row before has given is not said again."""
    said = ""
    for row in rows:
        place = f"{Path(row.path).name}:{row.line}" if row.cell is None else f"cell {row.cell}, line {row.line}"
        yield f"  {place}  [{row.rule}]  {row.what}"
        yield f"      {_short(row.code, _WIDTH - 6)}"
        if row.why != said:
            yield fill(row.why, _WIDTH, initial_indent="      why: ", subsequent_indent="           ")
        if row.fix:
            yield fill(row.fix, _WIDTH, initial_indent="      fix: ", subsequent_indent="           ",
                       break_long_words=False, break_on_hyphens=False)  # fmt: skip
        said = row.why
