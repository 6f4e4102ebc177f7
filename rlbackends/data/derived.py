"""The columns that ``derive=`` asks for: names looked up, formulas computed, faults told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlbackends.data.cells import Column, show
from rlbackends.data.derive import Formula, FormulaError, Value, as_stored, parse, unknown_name, value_of
from rlbackends.data.faults import Faults


@dataclass
class Names:
    """What a formula's name can mean: a column of the table, an event, or one derived before."""

    columns: Mapping[str, Column]
    events: Mapping[str, Column]
    derived: dict[str, Column] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def all(self) -> list[str]:
        """Every name there is."""
        return list(dict.fromkeys([*self.columns, *self.events, *self.derived]))

    def find(self, name: str, formula: Formula) -> Value:
        """Return what a name stands for; raise `FormulaError` when that is nothing, or not one thing."""
        column, event = self.columns.get(name), self.events.get(name)
        found = self.derived.get(name) or event or column
        if found is None:
            raise FormulaError(unknown_name(formula, name, self.all()))
        if name not in self.derived and event is not None and column is not None and event.names != (name,):
            raise FormulaError(
                f"'{name}' is a column of the table, and also the event read from column '{event.names[0]}'. "
                f"Give the event another name, or write '{event.names[0]}'."
            )
        if found.values.ndim > 1:
            raise FormulaError(
                f"'{name}' has {found.values.shape[1]} entries a trial, a formula takes one. "
                f"Use its columns: {', '.join(found.names)}."
            )
        return value_of(found.values, found.missing)


def derived_names(derive: object) -> tuple[str, ...]:
    """Return the names that ``derive=`` gives to new columns."""
    return tuple(derive) if isinstance(derive, Mapping) else ()


def derive_columns(
    derive: object,
    names: Names,
    n_rows: int,
    place: Callable[[int], str],
    faults: Faults,
) -> dict[str, Column]:
    """Return the derived columns in their order; note what is wrong with each formula."""
    if not isinstance(derive, Mapping):
        faults.add(f"derive is {derive!r}, expected a mapping such as {{'reward': 'gain - abs(loss)'}}.")
        return {}
    for event, given in derive.items():
        if not isinstance(event, str) or not event.isidentifier():
            faults.add(f"derive: {event!r} can't be the name of an event (letters, digits and _).")
            continue
        if event in names.events:
            faults.add(f"derive: '{event}' is also given as a column. Give one of the two another name.")
            continue
        formulas: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
        parts = [_compute(event, text, names, n_rows, place, faults) for text in formulas]
        good = [part for part in parts if part is not None]
        if len(good) < len(formulas):
            names.failed.add(event)
        elif not good:
            faults.add(f"derive: '{event}' has an empty list of formulas.")
        else:
            names.derived[event] = _column(event, good, stacked=isinstance(given, list | tuple))
    return names.derived


def _compute(
    event: str, text: str, names: Names, n_rows: int, place: Callable[[int], str], faults: Faults
) -> Value | None:
    try:
        formula = parse(text)
        if not names.failed.isdisjoint(formula.names):
            return None  # the fault that matters is told already
        value = formula.compute({name: names.find(name, formula) for name in formula.names}, n_rows)
    except FormulaError as error:
        faults.add(f"derive '{event}': {error}")
        return None
    for i in np.flatnonzero(value.broken & ~value.missing).tolist():
        inputs = ", ".join(f"{name} is {_shown(names, name, i)}" for name in formula.names)
        faults.add_at(
            [place(i)],
            f"derived '{event}' = '{formula.text}' is no finite number{f' ({inputs})' if inputs else ''}",
        )
    return as_stored(value)


def _shown(names: Names, name: str, row: int) -> str:
    found = names.derived.get(name) or names.events.get(name) or names.columns[name]
    return "missing" if found.missing[row] else show(found.values[row])


def _column(event: str, parts: list[Value], *, stacked: bool) -> Column:
    is_text = any(part.kind == "text" for part in parts)
    data = [part.data.astype(object) if is_text else part.data for part in parts]
    missing = [part.missing.copy() for part in parts]
    if not stacked:
        return Column(data[0], missing[0], (event,))
    names = tuple(f"{event}[{k}]" for k in range(len(parts)))
    return Column(np.stack(data, axis=-1), np.stack(missing, axis=-1), names)
