"""The data as tensors, in the order that the loop and the responses read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.tensor as pt

from rlbackends.backends.pymc.plan import VALID, present

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials


class Columns:
    """Gives each column of the data, made into a tensor when it is first asked for.

    Parameters
    ----------
    data : BoundTrials
        The data.
    """

    def __init__(self, data: BoundTrials) -> None:
        self._data = data
        self._made: dict[tuple[str, str], Any] = {}
        self._present = {present(name): name for name in data.missing}

    def array(self, name: str) -> np.ndarray:
        """Return an event's values, or one of the plan's own flags: (subject × trial × axes)."""
        if name == VALID:
            return self._data.valid
        if name in self._present:
            missing = self._data.missing[self._present[name]]
            return ~missing.all(axis=tuple(range(2, missing.ndim)))
        return self._data.values[name]

    def missing(self, name: str) -> np.ndarray:
        """Return an event's missing flags."""
        return self._data.missing[name]

    def by_trial(self, kind: str, name: str) -> Any:
        """Return a column as (trial, subject, *axes); ``kind`` is ``"event"``, ``"flags"`` or ``"starts"``."""
        return self._tensor("trial", kind, name, lambda a: np.swapaxes(a, 0, 1))

    def by_cell(self, kind: str, name: str) -> Any:
        """Return a column as (subject · trial, *axes)."""
        return self._tensor("cell", kind, name, lambda a: a.reshape(-1, *a.shape[2:]))

    def _tensor(self, order: str, kind: str, name: str, arrange: Callable[[np.ndarray], np.ndarray]) -> Any:
        key = (order, kind, name)
        if key not in self._made:
            source = {"event": self.array, "flags": self.missing, "starts": lambda _: self._data.starts}[kind]
            array = np.ascontiguousarray(arrange(source(name)))
            self._made[key] = pt.constant(array, name=f"{name or kind} by {order}")
        return self._made[key]
