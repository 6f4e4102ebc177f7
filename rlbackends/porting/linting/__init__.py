"""Read an old PyMC or Theano program, and say what it needs to run today. Nothing is rewritten."""

from __future__ import annotations

import warnings
from pathlib import Path

from rlbackends.porting.linting.report import LintReport, Part
from rlbackends.porting.linting.rules import RULES, SEVERITIES, Row, Rule
from rlbackends.porting.linting.source import Source, read_source

__all__ = ["RULES", "SEVERITIES", "LintReport", "Part", "Row", "Rule", "lint"]


def lint(path: str | Path) -> LintReport:
    """Say what a PyMC3, Theano or older PyMC program needs to run today, row by row.

    Parameters
    ----------
    path : str or pathlib.Path
        A Python file (``.py``) or a notebook (``.ipynb``). It is only read.

    Returns
    -------
    LintReport
        Rows (what, where, why, the fix), sorted: what changes silently, what breaks, notes. Printed, it is the whole
        story. ``.draft`` is a skeleton of the model as an rlbackends spec, from what was recognised.

    Raises
    ------
    DataError
        If the file is no Python program or notebook, or does not parse.
    BackendMissingError
        If libcst is not installed: ``pip install 'rlbackends[port]'``.

    Notes
    -----
    The program is read, not run, and PyMC is not imported: what today's PyMC, PyTensor and ArviZ have and take is
    a table in this package, made by looking at them. A reader of programs can't see everything: values that come
    from other files, names made at run time and lists of arguments (``**settings``) are not followed.

    Examples
    --------
    >>> import rlbackends as rl
    >>> report = rl.porting.lint("old_model.py")  # doctest: +SKIP
    >>> print(report)  # doctest: +SKIP
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of the program's strings, such as "\\d"
        return _lint(read_source(path))


def _lint(source: Source) -> LintReport:
    from rlbackends.porting.linting import find_calls, find_data, find_held, find_learning, find_names, today
    from rlbackends.porting.linting.draft import draft
    from rlbackends.porting.linting.parse import parse

    program = parse(source)
    finders = (find_names, find_calls, find_held, find_learning, find_data)
    found = dict.fromkeys(row for finder in finders for check in finder.CHECKS for row in check(program))
    ranks = list(SEVERITIES)
    rows = sorted(found, key=lambda row: (ranks.index(row.severity), row.order, row.column))
    parts, text = draft(program)
    skipped = tuple(f"{source.where(line)}: {what}" for line, what in source.skipped)
    return LintReport(source.path, tuple(rows), parts, text, skipped, today.versions())
