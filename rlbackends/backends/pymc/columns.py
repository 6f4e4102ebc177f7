"""The data as tensors, in the order that the loop and the responses read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from rlbackends.backends.pymc.plan import VALID, present

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials


@dataclass(frozen=True)
class Counted:
    """Where a response counts.

    Attributes
    ----------
    entries : bool array (subject, trial, *axes)
        Entries that are there and, where a rule's mask depends on the data only, that it asks for.
    is_static : bool
        Whether there is no mask, or its whole effect is in ``entries``.
    """

    entries: np.ndarray
    is_static: bool

    @property
    def cells(self) -> np.ndarray:
        """Positions (subject · trial) of the trials on which something counts."""
        return np.flatnonzero(self.entries.reshape(*self.entries.shape[:2], -1).any(axis=-1))

    @property
    def rows(self) -> np.ndarray:
        """The entries of these trials: (cell, *axes)."""
        return self.entries.reshape(-1, *self.entries.shape[2:])[self.cells]

    @property
    def structure(self) -> tuple[Any, ...]:
        """What graphs are built by, and all shapes."""
        rows = self.rows
        return self.is_static, rows.shape, bool(rows.all()), int(self.entries.sum())


@dataclass(frozen=True)
class Source:
    """Data, and where their responses count: all that columns are read from."""

    data: BoundTrials
    counted: Mapping[str, Counted] = MappingProxyType({})

    @property
    def structure(self) -> tuple[Any, ...]:
        """All that graphs know of the data; their values are columns."""
        data = self.data
        lacking = tuple((name, bool(missing.any())) for name, missing in data.missing.items())
        has_blocks = bool(data.starts[:, 1:].any())
        counted = tuple((name, where.structure) for name, where in self.counted.items())
        holds_out = data.held_out is not None
        return data.n_subjects, data.n_steps, data.complete, data.is_ragged, has_blocks, holds_out, lacking, counted

    def event(self, name: str) -> np.ndarray:
        """Return an event's values, or one of the plan's own flags: (subject × trial × axes)."""
        if name == VALID:
            return self.data.valid
        if name in self.data.values:
            return self.data.values[name]
        return self.data.observed(next(event for event in self.data.missing if present(event) == name))

    def flags(self, name: str) -> np.ndarray:
        """Return an event's missing flags."""
        return self.data.missing[name]

    def starts(self, name: str = "") -> np.ndarray:
        """Return where blocks start."""
        return self.data.starts


Read = Callable[[Source], np.ndarray]


class Columns:
    """Gives each column of the data, made into a tensor when it is first asked for.

    Parameters
    ----------
    source : Source
        Where columns are read.
    is_fixed : bool, default False
        Whether columns are constants; otherwise they are shared variables of static shape, and one compilation serves
        all data of one structure.
    """

    def __init__(self, source: Source, *, is_fixed: bool = False) -> None:
        self._source = source
        self._is_fixed = is_fixed
        self._made: dict[str, Any] = {}
        self._reads: dict[Any, Read] = {}

    def tensor(self, name: str, read: Read) -> Any:
        """Return a column by its own name; ``read`` gives its values."""
        if name not in self._made:
            array = np.ascontiguousarray(read(self._source))
            if self._is_fixed:
                self._made[name] = pt.constant(array, name=name)
            else:
                self._made[name] = pytensor.shared(array, name=name, shape=array.shape)
                self._reads[self._made[name]] = read
        return self._made[name]

    @property
    def made(self) -> list[Any]:
        """The shared variables that were asked for."""
        return list(self._reads)

    def among(self, variables: Any) -> list[Any]:
        """Return those of the variables that are columns, in the order in which they were made."""
        found = set(variables)
        return [variable for variable in self._reads if variable in found]

    def read(self, variable: Any, source: Source) -> np.ndarray:
        """Return a column of other data of the same structure."""
        return np.ascontiguousarray(self._reads[variable](source))

    def by_trial(self, kind: str, name: str) -> Any:
        """Return a column as (trial, subject, *axes); ``kind`` is ``"event"``, ``"flags"`` or ``"starts"``."""
        return self.tensor(f"{kind} {name} by trial", lambda source: getattr(source, kind)(name).swapaxes(0, 1))

    def by_cell(self, kind: str, name: str) -> Any:
        """Return a column as (subject · trial, *axes)."""

        def read(source: Source) -> np.ndarray:
            array = getattr(source, kind)(name)
            return array.reshape(-1, *array.shape[2:])

        return self.tensor(f"{kind} {name} by cell", read)
