"""Trials: the columns of a table, one row of a padded array per subject, before any model looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.data.bind import bind
from rlbackends.data.cells import Column, Label, as_label, read_only, remade, show
from rlbackends.data.faults import Places
from rlbackends.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from rlbackends.data.bound import BoundTrials


@dataclass(frozen=True, eq=False, repr=False)
class Trials:
    """Trial-by-trial data of some subjects, as `read_trials` or `Trials.from_arrays` made it.

    Attributes
    ----------
    subjects
        Labels in natural order; whole numbers are ints, everything else is text.
    lengths
        How many trials each subject has.
    trial_numbers
        (subject × trial) labels of the trials, -1 at padding.
    starts
        (subject × trial) True at the first trial of each block.
    events
        Each event's raw entries, (subject × trial) or (subject × trial × entry). Nothing is recoded here.
    levels
        Labels that were fixed by ``levels=``, in the order of their codes.
    source
        The short name that messages use.
    reports
        What a careful reader wants to know: gaps in trial numbers, trials that were cut off.
    """

    subjects: tuple[int | str, ...]
    lengths: np.ndarray
    trial_numbers: np.ndarray
    starts: np.ndarray
    events: Mapping[str, Column]
    levels: Mapping[str, tuple[Label, ...]]
    source: str
    places: Places
    reports: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("lengths", "trial_numbers", "starts"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        for name in ("events", "levels"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __reduce__(self) -> tuple[Any, ...]:
        return remade(self)

    @property
    def n_subjects(self) -> int:
        """How many subjects there are."""
        return len(self.subjects)

    @property
    def n_trials(self) -> int:
        """How many trials there are, all subjects together."""
        return int(self.lengths.sum())

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the events, in the order in which they were given."""
        return tuple(self.events)

    def __repr__(self) -> str:
        shortest, longest = int(self.lengths.min()), int(self.lengths.max())
        trials = f"{longest}" if shortest == longest else f"{shortest}–{longest}"
        subjects = "1 subject" if self.n_subjects == 1 else f"{self.n_subjects} subjects"
        return f"Trials({subjects} × {trials} trials; {', '.join(self.columns)}; from {self.source})"

    def bind(self, model: object) -> BoundTrials:
        """Return the events of a model, recoded and checked against it.

        Parameters
        ----------
        model
            A `rlbackends.Model`.

        Raises
        ------
        DataError
            If an event of the model is not among the columns, or entries don't fit it. All faults are told
            at once.

        Warns
        -----
        DataWarning
            If a subject has no response at all.
        """
        return bind(self, model)

    def select(self, subjects: Iterable[object]) -> Trials:
        """Return the trials of some subjects, in natural order.

        Parameters
        ----------
        subjects
            Labels; ``1``, ``1.0`` and ``"1"`` are the same one.

        Raises
        ------
        DataError
            If a label is unknown or there twice, or if there is none.
        """
        if isinstance(subjects, str | int):
            subjects = [subjects]
        place = {as_label(label): i for i, label in enumerate(self.subjects)}
        asked = [as_label(label) for label in subjects]
        faults = []
        for label in dict.fromkeys(asked):
            if label not in place:
                near = did_you_mean(str(label), map(str, self.subjects))
                faults.append(f"there is no subject {show(label)}.{near}")
            elif asked.count(label) > 1:
                faults.append(f"subject {show(label)} is asked for more than once.")
        if not asked:
            faults.append("no subject is asked for.")
        if faults:
            known = f"The subjects are {_span(self.subjects)}."
            raise DataError(f"{self.source}: {' '.join(faults)} {known}")
        index = np.array(sorted(place[label] for label in asked))
        n_steps = int(self.lengths[index].max())
        labels = tuple(self.subjects[i] for i in index)
        return replace(
            self,
            subjects=labels,
            lengths=self.lengths[index],
            trial_numbers=self.trial_numbers[index, :n_steps],
            starts=self.starts[index, :n_steps],
            events={name: column.take(index, n_steps) for name, column in self.events.items()},
            places=Places(self.places.style, labels, read_only(self.places.numbers[index, :n_steps])),
        )

    def join(self, source: object, /, *, subject: str, **columns: str) -> Trials:
        """Return the trials with columns of a table that has one row a subject, such as age or group.

        Parameters
        ----------
        source
            A path to a CSV or TSV file, or a data frame. Rows of other subjects are left out.
        subject
            The table's column that says whom a row is about.
        **columns
            Each new column's name in the table, as in ``age="age_at_test"``; all of them if none is named.

        Raises
        ------
        DataError
            If a column is not there, or a subject has no row, or two. All faults are told at once.

        Examples
        --------
        >>> import pandas as pd
        >>> import rlbackends as rl
        >>> trials = rl.Trials.from_arrays(subjects=["ann", "bob"], choice=[[0, 1], [1, 0]])
        >>> trials.join(pd.DataFrame({"id": ["bob", "ann"], "age": [30, 20]}), subject="id")
        Trials(2 subjects × 2 trials; choice, age; from arrays)
        """
        from rlbackends.data.join import join

        return join(self, source, subject, columns)

    @classmethod
    def from_arrays(
        cls,
        subjects: Iterable[object] | None = None,
        *,
        lengths: Iterable[int] | None = None,
        blocks: object = None,
        trial_numbers: object = None,
        levels: Mapping[str, Iterable[object]] | None = None,
        **events: object,
    ) -> Trials:
        """Make trials from arrays, for simulated data.

        Parameters
        ----------
        subjects
            One label per subject; 1, 2, … if left out. Subjects are put into natural order.
        lengths
            How many trials each subject has; all of them if left out. What lies behind is ignored.
        blocks
            (trial,) or (subject × trial) block labels; a new block starts where they change.
        trial_numbers
            (trial,) or (subject × trial) whole numbers that rise within each block; 1, 2, … if left out.
        levels
            Labels of events by code, as in `read_trials`.
        **events
            (subject × trial) or (subject × trial × entry) arrays; NaN or masked entries are missing.

        Raises
        ------
        DataError
            If the arrays don't fit each other. All faults are told at once.

        Examples
        --------
        >>> import rlbackends as rl
        >>> rl.Trials.from_arrays(choice=[[0, 1, 1], [1, 0, 0]], reward=[[1, 0, 1], [0, 0, 1]])
        Trials(2 subjects × 3 trials; choice, reward; from arrays)
        """
        from rlbackends.data.arrays import trials_from_arrays

        return trials_from_arrays(subjects, lengths, blocks, trial_numbers, levels, events)


def _span(subjects: tuple) -> str:
    """Return the labels of subjects in short: all of a few, first and last of many."""
    words = [show(label) for label in subjects]
    return (
        ", ".join(words)
        if len(words) <= 12
        else f"{', '.join(words[:3])}, …, {words[-1]} ({len(words)} of them)"
    )
