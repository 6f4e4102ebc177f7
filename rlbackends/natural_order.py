"""The order of labels as people have it: 2 before 10, and s2 before s10."""

from __future__ import annotations

import re


def natural_key(label: int | float | str) -> tuple:
    """Sort key: numbers first and by value, then text with its digits read as numbers (s2 before s10)."""
    if isinstance(label, str):
        parts = re.split(r"([0-9]+)", label.casefold())
        return (1, tuple(int(part) if i % 2 else part for i, part in enumerate(parts)), label)
    return (0, label)
