"""What a row of the table of mistakes is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.porting.compare.setup import Setup

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

Change = Callable[[Setup], Setup | None]
"""Builds the mistake into a setup; None where it can't be made there."""
Variants = Iterable[tuple[str, Change]]
"""Ways to make one mistake: what is particular about this one, and the change."""


@dataclass(frozen=True)
class Mistake:
    """A usual mistake: a row of the table.

    Attributes
    ----------
    word
        What it is called.
    meaning
        What a script with this mistake does.
    fix
        What to do about it in the script.
    variants
        The ways to make it, for these trials and this model.
    """

    word: str
    meaning: str
    fix: str
    variants: Callable[[Setup, BoundTrials], Variants]


def with_values(changes: dict[str, np.ndarray], missing: dict[str, np.ndarray] | None = None) -> Change:
    """Return a change of what some uses of events read."""

    def change(setup: Setup) -> Setup:
        return setup.changed(values={**setup.values, **changes}, missing={**setup.missing, **(missing or {})})

    return change


def both(*changes: Change) -> Change:
    """Return changes made one after the other."""

    def change(setup: Setup) -> Setup | None:
        found: Setup | None = setup
        for one in changes:
            found = None if found is None else one(found)
        return found

    return change


def shifted(array: np.ndarray, by: int, *, around: bool = False) -> np.ndarray:
    """Return (subject × trial …) values of the trial ``by`` trials later; at the ends their own, or from the other."""
    steps = array.shape[1]
    which = np.arange(steps) + by
    return array[:, which % steps if around else np.clip(which, 0, steps - 1)]


def groups(names: list[str]) -> Iterator[list[str]]:
    """Yield what a mistake may be about: all of some events together, then each alone."""
    if names:
        yield names
    if len(names) > 1:
        yield from ([name] for name in names)
