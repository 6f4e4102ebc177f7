"""How a comparison of samplers is written: in a terminal, in a page of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def people_table(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of the columns that people look at first, as text."""
    header = [
        "sampler", "agrees", "conv.", "compile s", "sampling s", "total s", "ESS bulk", "ESS tail", "ESS/s",
        "ESS/total s", "grad./ESS", "R-hat", "div.", "E-BFMI", "MB",
    ]  # fmt: skip
    rows = []
    for name, row in table.iterrows():
        if row["failure"]:
            rows.append([str(name), "failed", *[""] * (len(header) - 2)])
            continue
        rows.append([
            str(name), _yes(row["agrees"], row["kind"]), _yes(row["converged"], ""), number(row["compile_seconds"]),
            number(row["sample_seconds"]), number(row["process_seconds"]), whole(row["ess_bulk"]),
            whole(row["ess_tail"]), number(row["ess_bulk_per_second"]), number(row["ess_bulk_per_total_second"]),
            number(row["gradients_per_ess"]), _fixed(row["r_hat"], 3), whole(row["divergences"]),
            _fixed(row["e_bfmi"], 2), whole(row["memory_peak"]),
        ])  # fmt: skip
    return header, rows


def as_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as aligned lines: words to the left, numbers to the right."""
    widths = [max(len(line[i]) for line in (header, *rows)) for i in range(len(header))]
    lines = []
    for line in (header, *rows):
        left = [cell.ljust(width) for cell, width in zip(line[:3], widths, strict=False)]
        right = [cell.rjust(width) for cell, width in zip(line[3:], widths[3:], strict=True)]
        lines.append("  ".join([*left, *right]).rstrip())
    return "\n".join(lines)


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    marks = ["---" if i < 3 else "---:" for i in range(len(header))]
    lines = [header, marks, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: Any) -> str:
    """Return a number with about two digits that mean something."""
    if is_lacking(value):
        return "–"
    size = abs(float(value))
    if size >= 99.5:
        return f"{value:,.0f}"
    return f"{value:.0f}" if size >= 9.95 else f"{value:.1f}" if size >= 0.95 else f"{value:.2g}"


def whole(value: Any) -> str:
    """Return a number without decimals."""
    return "–" if is_lacking(value) else f"{float(value):,.0f}"


def is_lacking(value: Any) -> bool:
    """Whether a cell of a table is empty."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def _fixed(value: Any, digits: int) -> str:
    return "–" if is_lacking(value) else f"{float(value):.{digits}f}"


def _yes(value: Any, otherwise: str) -> str:
    return ("yes" if value else "NO") if isinstance(value, bool) else otherwise
