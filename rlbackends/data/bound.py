"""BoundTrials: the arrays that a backend runs on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from rlbackends.data.cells import Label, read_only, remade
from rlbackends.data.faults import Places


@dataclass(frozen=True, eq=False, repr=False)
class BoundTrials:
    """The events of one model, recoded and padded. All arrays are read-only.

    Attributes
    ----------
    subjects
        Labels in natural order.
    lengths
        int64 (subject,): how many trials each subject has.
    trial_numbers
        int64 (subject × trial): labels of the trials, -1 at padding.
    values
        Each event's values (subject × trial × its axes): float64 for real events, int64 codes from 0 for
        others. Missing and padded cells hold 0.
    missing
        Where a value is missing or padded; the same shapes.
    starts
        (subject × trial) True at the first trial of each block.
    levels
        The labels of each event that has codes, in their order.
    reports
        What was inferred, and what a careful reader wants to know.
    """

    subjects: tuple[int | str, ...]
    lengths: np.ndarray
    trial_numbers: np.ndarray
    values: Mapping[str, np.ndarray]
    missing: Mapping[str, np.ndarray]
    starts: np.ndarray
    levels: Mapping[str, tuple[Label, ...]]
    source: str
    places: Places
    reports: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("lengths", "trial_numbers", "starts"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        for name in ("values", "missing"):
            arrays = {event: read_only(array) for event, array in getattr(self, name).items()}
            object.__setattr__(self, name, MappingProxyType(arrays))
        object.__setattr__(self, "levels", MappingProxyType(dict(self.levels)))

    def __reduce__(self) -> tuple[Any, ...]:
        return remade(self)

    def rows(self, part: slice) -> BoundTrials:
        """Return the trials of some subjects, with as many padded trials as before."""
        return BoundTrials(
            self.subjects[part], self.lengths[part], self.trial_numbers[part],
            {name: values[part] for name, values in self.values.items()},
            {name: flags[part] for name, flags in self.missing.items()},
            self.starts[part], self.levels, self.source, self.places, self.reports,
        )  # fmt: skip

    @property
    def n_subjects(self) -> int:
        """How many subjects there are."""
        return len(self.subjects)

    @property
    def n_steps(self) -> int:
        """How many trials the longest sequence has."""
        return self.starts.shape[1]

    @property
    def n_trials(self) -> int:
        """How many trials there are, all subjects together."""
        return int(self.lengths.sum())

    @property
    def is_ragged(self) -> bool:
        """Whether some subject has fewer trials than another, so that there is padding."""
        return bool((self.lengths < self.n_steps).any())

    @cached_property
    def valid(self) -> np.ndarray:
        """(subject × trial) False at padding."""
        return read_only(np.arange(self.n_steps) < self.lengths[:, None])

    def observed(self, event: str) -> np.ndarray:
        """Return (subject × trial) whether an event, or at least one of its entries, is there."""
        there = ~self.missing[event]
        return there if there.ndim == 2 else there.any(axis=tuple(range(2, there.ndim)))

    @cached_property
    def complete(self) -> frozenset[str]:
        """Events that have every entry of every trial."""
        return frozenset(name for name, missing in self.missing.items() if not self._lacks(missing))

    def _lacks(self, missing: np.ndarray) -> bool:
        """Say whether an entry of a trial is missing; axes along which flags are broadcast are looked at once."""
        core = missing[tuple(slice(0, 1) if stride == 0 else slice(None) for stride in missing.strides)]
        if self.is_ragged:
            core = core & self.valid.reshape(self.valid.shape + (1,) * (core.ndim - 2))
        return bool(core.any())

    @cached_property
    def digest(self) -> str:
        """sha256 of subjects, lengths, values, missing, starts and levels; the same on every machine."""
        labels = {name: list(self.levels[name]) for name in sorted(self.levels)}
        shapes = {name: list(self.values[name].shape) for name in sorted(self.values)}
        head = {"subjects": list(self.subjects), "levels": labels, "shapes": shapes}
        digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
        digest.update(self.lengths.astype("<i8").tobytes())
        digest.update(self.starts.astype("u1").tobytes())
        for name in sorted(self.values):
            values = self.values[name]
            # adding 0 makes -0.0 the same as 0.0
            digest.update(
                values.astype("<i8").tobytes()
                if values.dtype.kind == "i"
                else (values + 0.0).astype("<f8").tobytes()
            )
            digest.update(self.missing[name].astype("u1").tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        shortest, longest = int(self.lengths.min()), int(self.lengths.max())
        trials = f"{longest}" if shortest == longest else f"{shortest}–{longest}"
        subjects = "1 subject" if self.n_subjects == 1 else f"{self.n_subjects} subjects"
        return f"BoundTrials({subjects} × {trials} trials; {', '.join(self.values)}; from {self.source})"
