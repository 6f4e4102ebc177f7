"""BoundTrials: the arrays that a backend runs on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from rlbackends.data.cells import Column, Label, read_only, remade
from rlbackends.data.faults import Places
from rlbackends.errors import DataError


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
    covariates
        The other columns that were read with the events, raw: what formulas of a population know.
    held_out
        (subject × trial) True where responses are not counted: they are read, so the subject learns from them, but
        they add nothing to the density. None: all are counted.
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
    covariates: Mapping[str, Column] = MappingProxyType({})
    held_out: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in ("lengths", "trial_numbers", "starts"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        if self.held_out is not None:
            object.__setattr__(self, "held_out", read_only(self.held_out))
        object.__setattr__(self, "covariates", MappingProxyType(dict(self.covariates)))
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
            {name: Column(read_only(c.values[part]), read_only(c.missing[part]), c.names)
             for name, c in self.covariates.items()},
            None if self.held_out is None else self.held_out[part],
        )  # fmt: skip

    def holding_out(self, mask: Any) -> BoundTrials:
        """Return the same trials, the responses of some of which are not counted.

        Engines for two masks share what they compile, also for a mask without any trial; with no mask at all they
        compile something simpler.

        Parameters
        ----------
        mask
            (subject × trial) or (subject,) True where responses are read but add nothing to the density.

        Raises
        ------
        DataError
            If the mask has another shape, or leaves nothing to count.
        """
        given = np.asarray(mask)
        if given.dtype != bool or given.shape not in ((self.n_subjects,), (self.n_subjects, self.n_steps)):
            raise DataError(
                f"holding_out: the mask is {given.dtype} of shape {given.shape}, expected bool of shape "
                f"{(self.n_subjects, self.n_steps)}, or {(self.n_subjects,)} for whole subjects."
            )
        whole = given[:, None] if given.ndim == 1 else given
        held = np.broadcast_to(whole, (self.n_subjects, self.n_steps)) & self.valid
        if not (self.valid & ~held).any():
            raise DataError("holding_out: the mask leaves no trial to count.")
        return replace(self, held_out=held)

    @property
    def counts(self) -> np.ndarray:
        """(subject × trial) whether responses are counted."""
        return self.valid if self.held_out is None else self.valid & ~self.held_out

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
        labels = {name: list(self.levels[name]) for name in sorted(self.levels) if name in self.values}
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
        if self.held_out is not None:
            digest.update(self.held_out.astype("u1").tobytes())
        return digest.hexdigest()

    def __repr__(self) -> str:
        shortest, longest = int(self.lengths.min()), int(self.lengths.max())
        trials = f"{longest}" if shortest == longest else f"{shortest}–{longest}"
        subjects = "1 subject" if self.n_subjects == 1 else f"{self.n_subjects} subjects"
        held = ""
        if self.held_out is not None:
            count = int((self.held_out & self.valid).sum())
            held = f"; {count} trial{'' if count == 1 else 's'} held out"
        return f"BoundTrials({subjects} × {trials} trials; {', '.join(self.values)}{held}; from {self.source})"
