"""Labels of an event to codes from 0: as ``levels=`` says, or inferred where the data leave no doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlbackends.data.cells import Column, Label, as_label, show, show_labels
from rlbackends.data.faults import Faults, Places
from rlbackends.data.words import and_list, plural, shorten
from rlbackends.natural_order import natural_key

_RARE = 3


@dataclass(frozen=True, eq=False)
class Coded:
    """An event's codes, its labels in their order, and what to report."""

    codes: np.ndarray
    levels: tuple[Label, ...]
    reports: tuple[str, ...]


def encode(
    event: Any,
    column: Column,
    given: tuple[Label, ...] | None,
    model: Any,
    places: Places,
    faults: Faults,
) -> Coded | None:
    """Return the codes of an event with a fixed number of options, or note why they can't be told."""
    size = 2 if event.kind.name == "bool" else int(event.kind.hi) - int(event.kind.lo) + 1
    there = ~column.missing
    distinct, inverse, counts = np.unique(column.values[there], return_inverse=True, return_counts=True)
    labels = [as_label(value) for value in distinct]
    count = dict.fromkeys(labels, 0)
    for label, number in zip(labels, counts.tolist(), strict=True):
        count[label] += number
    found = _Found(event, column, model, places, faults, size, count)
    levels = found.checked(given) if given is not None else found.inferred()
    if levels is None:
        return None
    code = {label: i for i, label in enumerate(levels)}
    codes = np.zeros(column.values.shape, dtype=np.int64)
    codes[there] = np.array([code[label] for label in labels], dtype=np.int64)[inverse] if labels else 0
    return Coded(codes, levels, found.reports(levels, is_inferred=given is None))


@dataclass(frozen=True, eq=False)
class _Found:
    """The labels of one event, and how often each is there."""

    event: Any
    column: Column
    model: Any
    places: Places
    faults: Faults
    size: int
    count: dict[Label, int]

    def checked(self, given: tuple[Label, ...]) -> tuple[Label, ...] | None:
        """Return given levels if they fit the model and the data."""
        name = self.event.name
        fits = len(given) == self.size
        if not fits:
            self.faults.add(
                f"levels of '{name}' has {plural(len(given), 'label')} ({show_labels(given)}), "
                f"but in model '{self.model.name}' it is one of {self.size}.{self._resize(len(given))}"
            )
        outside = [label for label in self.count if label not in given]
        for label in outside:
            self._note(label, f"expected one of {show_labels(given)}")
        return given if fits and not outside else None

    def inferred(self) -> tuple[Label, ...] | None:
        """Return the levels that the labels show, or note that they don't."""
        labels = sorted(self.count, key=natural_key)
        numbers = self._numbers()
        bad = [label for label in numbers if isinstance(label, float)]
        for label in bad:
            self._note(label, "expected a whole number (or say which labels there are with levels=)")
        if bad:
            return None
        if len(labels) > self.size:
            self._too_many(labels)
        elif len(labels) == self.size:
            return tuple(labels)
        elif not labels or (numbers and min(numbers) == 0 and max(numbers) < self.size):
            return tuple(range(self.size))
        elif numbers and min(numbers) >= 1 and max(numbers) == self.size:
            return tuple(range(1, self.size + 1))
        else:
            self._ambiguous(labels)
        return None

    def _numbers(self) -> list[int | float]:
        """Return the labels if all are numbers, else nothing."""
        return [label for label in self.count if not isinstance(label, str)] if self.column.is_numeric else []

    def reports(self, levels: Sequence[Label], *, is_inferred: bool) -> tuple[str, ...]:
        """Return what to tell of the levels in use."""
        name, told = self.event.name, []
        if is_inferred:
            pairs = shorten([f"{label} → {code}" for code, label in enumerate(levels)], 12)
            told.append(f"{name}: {', '.join(pairs)} (labels inferred)")
            whole = [label for label in levels if isinstance(label, int)]
            if len(whole) == len(levels) and whole[-1] - whole[0] >= len(whole):
                told.append(
                    f"{name}: the labels are not consecutive ({show_labels(levels)}); if one is no option, "
                    "or an option was never there, fix them with levels="
                )
        unseen = [label for label in levels if label not in self.count]
        if unseen:
            are = "is an option that is" if len(unseen) == 1 else "are options that are"
            told.append(f"{name}: {show_labels(unseen)} {are} never in the data (kept)")
        return tuple(told)

    def _note(self, label: Label, expected: str) -> None:
        """Note every place of a label that can't be."""
        for cell, k, entry in self.column.entries(self._mask(label)):
            name = self.column.called(self.event.name, k)
            self.faults.add_at(self.places.of([cell]), f"{name} is {show(entry)}, {expected}")

    def _mask(self, label: Label) -> np.ndarray:
        same = np.frompyfunc(lambda value: as_label(value) == label, 1, 1)
        return ~self.column.missing & same(self.column.values).astype(bool)

    def _resize(self, size: int) -> str:
        """Return how to build the model with another number of options."""
        axes = [axis for axis, n in self.model.sizes.items() if n == self.size]
        axis = self.event.of or (axes[0] if len(axes) == 1 else None)
        if axis is None:
            return f" For {size} options build the model with other sizes."
        shortcut = f"n_{axis}s={size} or " if axis == "action" else ""
        return f" For {size} options build the model with {shortcut}sizes={{'{axis}': {size}}}."

    def _too_many(self, labels: list[Label]) -> None:
        told = []
        for label in labels:
            rare = self.places.where(self._mask(label)) if self.count[label] <= _RARE else []
            told.append(f"{show(label)} × {self.count[label]}{f' in {and_list(rare)}' if rare else ''}")
        thing = "actions" if self.event.is_response else "labels"
        self.faults.add(
            f"too many {thing}: '{self.event.name}' has {len(labels)} different labels "
            f"({and_list(shorten(told, 8))}), but in model '{self.model.name}' it is one of {self.size}."
            f"{self._resize(len(labels))} "
            "An entry that is no option should be missing (NA); "
            f"with levels={{'{self.event.name}': […]}} each one outside is shown with its row."
        )

    def _ambiguous(self, labels: list[Label]) -> None:
        size, name, numbers = self.size, self.event.name, self._numbers()
        if numbers and min(numbers) >= 0 and max(numbers) <= size:
            first = 0 if min(numbers) == 0 else 1
            guess = [str(label) for label in range(first, first + size)]
        else:
            guess = [*map(show, labels), *["…"] * (size - len(labels))]
        example = ", ".join(guess if len(guess) <= 8 else [*guess[:3], "…", guess[-1]])
        self.faults.add(
            f"'{name}' has only {len(labels)} of {size} labels in the data ({show_labels(labels)}), and "
            f"which of the {size} options of model '{self.model.name}' they are can't be told. "
            f"Say all labels in order, for example levels={{'{name}': [{example}]}}."
        )
