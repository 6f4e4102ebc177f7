"""The checks of a suite by name: read off a class's tests and their parameters, without running anything."""

from __future__ import annotations

import itertools
from typing import Any

PREFIX = "test_"


def cells_of(suite: type) -> dict[str, tuple[str, ...]]:
    """Return a suite's checks: the name of each test without ``test_`` → the names in brackets that it has.

    Parameters
    ----------
    suite : type
        A test class.
    """
    found = {}
    for name in dir(suite):
        test = getattr(suite, name)
        if name.startswith(PREFIX) and callable(test):
            found[name.removeprefix(PREFIX)] = _names(test)
    return found


def _names(test: Any) -> tuple[str, ...]:
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    groups = [[str(value) for value in mark.args[1]] for mark in marks]
    return tuple("-".join(names) for names in itertools.product(*groups))
