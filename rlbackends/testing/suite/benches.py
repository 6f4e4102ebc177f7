"""The table of operations as models: a group of rows at once, or one operation alone where a backend lacks some."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from rlbackends.testing.suite.along import INDEXING, REDUCTIONS
from rlbackends.testing.suite.bench import Bench, Found, assert_nothing_flows_back, assert_rows, run_bench
from rlbackends.testing.suite.elementwise import ARITHMETIC, CHOICES, LEAVES, OF_ONE
from rlbackends.testing.suite.rows import Row
from rlbackends.testing.suite.under_test import UnderTest


def _named(rows: tuple[Row, ...]) -> dict[str, Row]:
    """Return rows by the names of their records: the operation and a number."""
    found: dict[str, Row] = {}
    for row in rows:
        count = sum(other.operation == row.operation for other in found.values())
        found[f"{row.operation}_{count}"] = row
    return found


_GROUPS = tuple(_named(rows) for rows in (LEAVES, OF_ONE, ARITHMETIC, CHOICES, REDUCTIONS, INDEXING))


def _by_operation() -> dict[str, Mapping[str, Row]]:
    rows = {key: row for group in _GROUPS for key, row in group.items()}
    names = dict.fromkeys(row.operation for row in rows.values())
    return {name: {key: row for key, row in rows.items() if row.operation == name} for name in names}


ROWS: Mapping[str, Mapping[str, Row]] = MappingProxyType(_by_operation())
"""Operation → its rows by name; every operation of the language has at least one."""


def _unread() -> tuple[str, ...]:
    """Return the operations that have points at which a value or its derivative is not finite."""
    seen = {
        name: [row.is_read(*move) for row in rows.values() if row.moves for move in row.trials()]
        for name, rows in ROWS.items()
    }
    return tuple(name for name, points in seen.items() if not all(points))


UNREAD = _unread()
"""Operations that somewhere are not finite, or have no finite derivative."""


@cache
def _group(number: int) -> Bench:
    return Bench(_GROUPS[number])


@cache
def _alone(operation: str) -> Bench:
    return Bench(ROWS[operation])


def _found(tested: UnderTest, operation: str) -> tuple[Bench, Found]:
    """Return the bench that has an operation's rows, and what the backend makes of it."""
    number = next(i for i, group in enumerate(_GROUPS) if any(key in group for key in ROWS[operation]))

    def together() -> Found | None:
        try:
            return run_bench(tested, _group(number))
        except Exception:  # whatever it is, it comes again, from the operation that raises it
            return None

    found = tested.once(("operations", number), together)
    if found is not None:
        return _group(number), found
    alone = _alone(operation)
    return alone, tested.once(("operation", operation), lambda: run_bench(tested, alone))


def assert_operation(tested: UnderTest, operation: str) -> None:
    """Assert that an operation has the table's values, shapes and derivatives, at ties and edges too.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    operation : str
        A key of `ROWS`.
    """
    bench, found = _found(tested, operation)
    assert_rows(bench, found, list(ROWS[operation]))


def assert_unread_operation(tested: UnderTest, operation: str) -> None:
    """Assert that where nobody reads a value its infinite slope passes nothing back; see `assert_operation`."""
    bench, found = _found(tested, operation)
    assert_nothing_flows_back(bench, found, list(ROWS[operation]))
