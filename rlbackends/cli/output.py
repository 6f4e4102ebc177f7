"""How the program writes: headings, tables, and text that can be copied."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_WIDTH = 110
_LEAST_WIDTH = 80  # a narrower terminal breaks lines, which loses nothing; rich would cut the tables


def console() -> Console:
    """Return a console on the standard output of now; a file or a pipe gets lines of a fixed width."""
    from rich.console import Console

    screen = Console(file=sys.stdout, highlight=False, emoji=False)
    has_width = screen.is_terminal or "COLUMNS" in os.environ
    screen.width = max(screen.width, _LEAST_WIDTH) if has_width else _PIPED_WIDTH
    return screen


def say(text: object = "") -> None:
    """Write text as it is, at once."""
    print(text, flush=True)


def heading(text: str) -> None:
    """Write a line that starts a part."""
    from rich.text import Text

    screen = console()
    screen.print()
    screen.print(Text(text, style="bold"))
    sys.stdout.flush()


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers_from: int | None = None,
    indent: int = 0,
) -> None:
    """Write a table; columns from ``numbers_from`` on are aligned to the right, an empty row is a line across."""
    from rich import box
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for i, name in enumerate(header):
        right = numbers_from is not None and i >= numbers_from
        grid.add_column(
            Text(name), justify="right" if right else "left", no_wrap=right or i == 0, overflow="fold",
            min_width=max((len(word) for row in rows if row for word in str(row[i]).split()), default=1),
        )  # fmt: skip
    for row in rows:
        if row:
            grid.add_row(*(Text(str(cell)) for cell in row))
        else:
            grid.add_section()
    console().print(Padding(grid, (0, 0, 0, indent), expand=False))
    sys.stdout.flush()


def say_json(data: Any) -> None:
    """Write data as JSON."""
    say(json.dumps(data, indent=2, ensure_ascii=False))


def seconds(value: float) -> str:
    """Return seconds as people read them: ``3.2 s``, ``48 s``, ``2 min 05 s``."""
    if value < 9.95:
        return f"{value:.1f} s"
    whole = round(value)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60:02d} s"
