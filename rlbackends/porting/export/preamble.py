"""What stands at the top of a program: which model this is, what its data file holds."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from rlbackends.porting.export.lines import WIDTH
from rlbackends.porting.export.source import CONDITION, LENGTHS, N_SUBJECTS, N_TRIALS, STARTS, Source

_COLUMN = 24


def docstring(source: Source, library: str, usage: str, notes: Iterable[str] = ()) -> list[str]:
    """Return a program's docstring: the model, how to run it, what the data file holds.

    Parameters
    ----------
    source : Source
        The model.
    library : str
        What the program needs, in words.
    usage : str
        How it is run.
    notes : iterable of str, optional
        Further paragraphs.
    """
    import rlbackends

    model = source.model
    title = model.description.rstrip(".")
    paper = f" after {model.reference}" if model.reference else ""
    by = f"The model {model.name}{paper}, written by rlbackends {rlbackends.__version__}; it needs {library}."
    first, *rest = [f"{title}.", by] if title else [by]
    lines = textwrap.wrap(f'"""{first}', WIDTH)
    for part in rest:
        lines += ["", *textwrap.wrap(part, WIDTH)]
    lines += ["", f"    {usage}"]
    for note in notes:
        lines += ["", *textwrap.wrap(note, WIDTH)]
    return [*(_escaped(line) for line in [*lines, "", *file_contents(source)]), '"""']


def file_contents(source: Source) -> list[str]:
    """Return lines that say what the data file holds."""
    rows = [(f"{N_SUBJECTS}, {N_TRIALS}", "how many")]
    if source.is_ragged:
        rows.append((LENGTHS, "(subject) how many trials a subject has; what is behind them is not read"))
    if source.has_blocks:
        rows.append((STARTS, "(subject, trial) 1 where a block starts"))
    if source.layout.within:
        rows.append((CONDITION, "(subject, trial) the trial's condition, from 0"))
    for name in source.events:
        event = source.model.events[name]
        axes = ", ".join(["subject", "trial", *(axis.name or str(axis.size) for axis in event.axes)])
        codes = f", {event.kind.lo} to {event.kind.hi}" if event.kind.name == "int" else ""
        described = event.description[:1].lower() + event.description[1:] if event.description else "an event"
        rows.append((source.keys[name], f"({axes}) {described}{codes}"))
        if name in source.flagged:
            flags = source.keys[source.missing_name(name)]
            rows.append((flags, f"({axes}) 1 where {source.keys[name]} is missing"))
    for name, values in source.by_subject.items():
        shape = "(subject, condition)" if values.ndim == 2 else "(subject)"
        rows.append((source.keys[name], f"{shape} {what_column(source, name)}"))
    lines = ["The data file, JSON, holds"]
    width = min(_COLUMN, max(len(key) for key, _ in rows) + 2)
    for key, meaning in rows:
        first = f"    {key:<{width}}" if len(key) < width else f"    {key}  "
        lines += textwrap.wrap(
            f"{first}{meaning}", WIDTH, subsequent_indent=" " * (4 + width), drop_whitespace=True,
            replace_whitespace=False, break_on_hyphens=False,
        )  # fmt: skip
    return lines


def what_column(source: Source, name: str) -> str:
    """Return what an array of the population is."""
    if name in source.layout.fixed:
        return f"{name}, which is known"
    parameter, _, term = name.partition(" | ")
    return f"the column {term!r} of {parameter}"


def comment(text: str, indent: int = 0) -> list[str]:
    """Return a comment, in as many lines as it takes."""
    space = " " * indent
    return textwrap.wrap(text, WIDTH, initial_indent=f"{space}# ", subsequent_indent=f"{space}# ")


def _escaped(line: str) -> str:
    start, text = line[:3], line[3:]
    return start + text.replace("\\", "\\\\").replace('"""', "'''")
