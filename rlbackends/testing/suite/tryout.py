"""A case on data: the trials it is tried on, the points, and what the reference gives there."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import compile
from rlbackends.data.faults import DataWarning
from rlbackends.inference.agreement import Point, compute
from rlbackends.population import Population
from rlbackends.testing.cases.case import ModelCase, limits
from rlbackends.testing.suite.under_test import UnderTest
from rlbackends.testing.trials import Rows, as_trials, random_subjects

KINDS = ("plain", "messy")
Params = Mapping[str, np.ndarray]
Found = Mapping[str, Mapping[str, np.ndarray]]


def rows_of(case: ModelCase, kind: str) -> list[Rows]:
    """Return the trials of a case.

    Parameters
    ----------
    case : ModelCase
        The case.
    kind : {"plain", "messy", "long"}
        Plain: three subjects, complete, of one length and one block. Messy: with missing values and blocks, of unequal
        lengths, one subject of a single trial, and one who never responded. Long: for the reference alone, to see what
        is rare.
    """
    rng = random.Random(f"{case.name}, {kind}")
    if kind == "long":
        return random_subjects(case, rng, (60, 60, 60), missing=0.0, blocks=0.0)
    if kind == "plain":
        return random_subjects(case, rng, (10, 10, 10), missing=0.0, blocks=0.0)
    *others, last = random_subjects(case, rng, (12, 9, 7))
    return [*others, *random_subjects(case, rng, (1,), missing=0.0), silent(case.model(), last)]


def silent(model: Any, rows: Rows) -> Rows:
    """Return a subject's trials without the responses."""
    return [{**trial, **dict.fromkeys(model.responses)} for trial in rows]


def bound(model: Any, subjects: Sequence[Rows]) -> Any:
    """Return subjects' trials bound to their model."""
    return bound_quietly(model, as_trials(model, subjects))


def bound_quietly(model: Any, trials: Any) -> Any:
    """Return trials bound to their model; that a subject has no response at all is no surprise here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return trials.bind(model)


class Tryout:
    """A case on data of one kind. Made by :func:`tryout`.

    On plain data parameters have one value per subject, on messy data one per subject and trial, so that each kind of
    data is compiled once; the joint density takes the other way on messy data.

    Parameters
    ----------
    case : ModelCase
        The case.
    kind : {"plain", "messy"}
        Which data.
    """

    def __init__(self, case: ModelCase, kind: str) -> None:
        self.case = case
        self.kind = kind
        self.model = case.model()
        self.data = bound(self.model, rows_of(case, kind))
        self._kept: dict[str, Any] = {}

    @cached_property
    def reference(self) -> CompiledModel:
        """The reference on these data."""
        return compile(self.model, self.data, "reference", population=Population())

    @cached_property
    def points(self) -> dict[str, Params]:
        """Parameter values to compare at: ``"by subject"``, and on other data ``"by trial"`` and the limits."""
        rng = random.Random(f"{self.case.name}, parameters")
        drawn = {name: np.array(x) for name, x in self.case.draw_params(rng, self.data.n_subjects).items()}
        if self.kind == "plain":
            return {"by subject": drawn}
        points = {"by subject": {name: self.spread(x) for name, x in drawn.items()}}
        for label, (name, value) in limits(self.model).items():
            at = self.case.middle() | {name: value}
            points[label] = {name: self.spread(np.full(self.data.n_subjects, x)) for name, x in at.items()}
        by_trial = {
            name: np.reshape([rng.uniform(*span) for _ in range(self.data.starts.size)], self.data.starts.shape)
            for name, span in self.case.params.items()
        }
        return {**points, "by trial": by_trial}

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Return one value per subject as one per subject and trial."""
        return np.repeat(values[:, None], self.data.n_steps, axis=1)

    def expected(self, point: str) -> Found:
        """Return what the reference gives at a point."""
        return self.once(point, lambda: compute(self.reference, Point(self.points[point])))

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returned for this key: what no backend has a part in is computed once for all."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def compiled(self, tested: UnderTest) -> CompiledModel:
        """Return the backend under test on these data, compiled once."""
        return tested.once(self, lambda: tested.compile(self.model, self.data, Population()))

    def found_at_limits(self, tested: UnderTest) -> dict[str, Found]:
        """Return what the backend under test gives at each limit of a parameter."""
        return tested.once((self, "limits"), lambda: {label: self.found(tested, label) for label in limits(self.model)})

    def found(self, tested: UnderTest, point: str) -> Found:
        """Return what the backend under test gives at a point."""
        return compute(self.compiled(tested), Point(self.points[point]))


_TRYOUTS: dict[tuple[int, str], Tryout] = {}


def tryout(case: ModelCase, kind: str) -> Tryout:
    """Return a case on data of one kind; the same object each time, so that the reference runs once."""
    key = (id(case), kind)  # the tryout holds the case, so that its id stays its own
    if key not in _TRYOUTS:
        _TRYOUTS[key] = Tryout(case, kind)
    return _TRYOUTS[key]
