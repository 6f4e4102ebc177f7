"""What the conformance suite covers: backend × check × name, and a file of it that may only grow.

``python -m tests.conformance.coverage`` writes the file from the tests as they are. Cells are read off the test
classes, so nothing runs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from rlbackends.testing.suite.cells import cells_of
from rlbackends.testing.suite.gaps import find_gap
from rlbackends.testing.suite.suite import Independent

FILE = Path(__file__).with_name("coverage.json")
COMMAND = "python -m tests.conformance.coverage"
COVERED = "covered"
Table = dict[str, dict[str, dict[str, str]]]


def suites() -> list[type[Independent]]:
    """Return the test classes of the package's backends."""
    from tests.conformance import test_backends

    return [
        item
        for item in vars(test_backends).values()
        if isinstance(item, type) and issubclass(item, Independent) and item.__name__.startswith("Test")
    ]


def table_of(classes: list[type[Independent]]) -> Table:
    """Return backend → check → name → ``"covered"``, or the kind of gap.

    Parameters
    ----------
    classes : list of type
        Test classes that say their backend as an attribute.
    """
    table: Table = {}
    for suite in classes:
        cells: dict[str, dict[str, str]] = {}
        for check, names in sorted(cells_of(suite).items()):
            gaps = {name: find_gap(suite.gaps, check, name) for name in names}
            cells[check] = {name: COVERED if gap is None else gap.kind for name, gap in gaps.items()}
        table[getattr(suite.backend, "name", suite.backend)] = cells
    return table


def lost(before: Table, now: Table) -> list[str]:
    """Return the cells that were covered and no longer are."""
    found = []
    for backend, check, name, how in _cells(before):
        present = now.get(backend, {}).get(check, {}).get(name, "not there")
        if how == COVERED and present != COVERED:
            found.append(f"{backend} × {check} × {name} was covered, now it is {present}")
    return found


def gained(before: Table, now: Table) -> list[str]:
    """Return the cells that are not in the file as they are now."""
    return [
        f"{backend} × {check} × {name} is {how}"
        for backend, check, name, how in _cells(now)
        if before.get(backend, {}).get(check, {}).get(name) != how
    ]


def _cells(table: Table) -> list[tuple[str, str, str, str]]:
    return [
        (backend, check, name, how)
        for backend, checks in table.items()
        for check, names in checks.items()
        for name, how in names.items()
    ]


def to_text(table: Table) -> str:
    """Return the table as compact JSON: backend → check → how → names, a check a line."""
    lines = []
    for backend, checks in table.items():
        rows = [f"    {json.dumps(check)}: {json.dumps(_by_how(names))}" for check, names in checks.items()]
        lines.append(f"  {json.dumps(backend)}: {{\n" + ",\n".join(rows) + "\n  }")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _by_how(names: Mapping[str, str]) -> dict[str, list[str]]:
    kinds = dict.fromkeys(names.values())
    return {kind: sorted(name for name, how in names.items() if how == kind) for kind in kinds}


def from_text(text: str) -> Table:
    """Read what :func:`to_text` wrote."""
    return {
        backend: {
            check: {name: how for how, names in kinds.items() for name in names} for check, kinds in checks.items()
        }
        for backend, checks in json.loads(text).items()
    }


if __name__ == "__main__":
    FILE.write_text(to_text(table_of(suites())), encoding="utf-8")
    print(f"wrote {FILE}")
