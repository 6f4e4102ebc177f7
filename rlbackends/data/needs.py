"""A response that is there although its rule needs a value that is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.numpy_table import apply, constant_value, subscript

if TYPE_CHECKING:
    from rlbackends.data.bound import BoundTrials
    from rlbackends.model.model import Model


def unmet_needs(model: Model, data: BoundTrials) -> list[tuple[int, int, str, tuple[str, ...]]]:
    """Return (subject, trial, response, missing events) for every response whose rule can't be computed.

    A need that depends on a state or a parameter is not known before the model runs, and is not counted here.
    """
    found = []
    for response in model.responses:
        needs = model.needs(response)
        events = tuple({n.attr("name"): None for n in walk(needs) if n.op == "event"})
        if not events:
            continue
        there = ~_any_entry(data.missing[response], all_of_them=True)
        lacking = np.zeros_like(there)
        for event in events:
            lacking |= _any_entry(data.missing[event])
        for subject, trial in np.argwhere(there & lacking):
            where = (int(subject), int(trial))
            if _known(needs, data, where) is True:
                absent = tuple(e for e in events if np.any(data.missing[e][where]))
                found.append((*where, response, absent))
    return found


def repeated_entries(model: Model, data: BoundTrials) -> list[tuple[int, int, str]]:
    """Return (subject, trial, expression) where a rule sets several entries at once and names one of them twice."""
    from rlbackends.expressions.printing import text

    graphs = [*model.updates.values(), *model.records.values()]
    graphs += [node for rule in model.response_rules.values() for node in rule.arguments.values()]
    indices = {i for node in walk(*graphs) if node.op == "at_set" for i in node.args[1:-1] if i.axes}
    found = []
    for index in indices:
        events = {n.attr("name") for n in walk(index) if n.op == "event"}
        there = data.valid.copy()
        for event in events:
            there &= ~_any_entry(data.missing[event])
        for subject, trial in np.argwhere(there):
            entries = np.asarray(_known_value(index, data, (int(subject), int(trial))))
            if len(np.unique(entries)) < entries.size:
                found.append((int(subject), int(trial), text(index)))
    return found


def _any_entry(missing: np.ndarray, *, all_of_them: bool = False) -> np.ndarray:
    axes = tuple(range(2, missing.ndim))
    if not axes:
        return missing
    return missing.all(axis=axes) if all_of_them else missing.any(axis=axes)


def _known(root: Node, data: BoundTrials, where: tuple[int, int]) -> bool | None:
    """Return the value of a boolean graph on one trial, or None if it depends on a state or a parameter."""
    result = _known_value(root, data, where)
    return None if result is None else bool(result)


def _known_value(root: Node, data: BoundTrials, where: tuple[int, int]) -> Any:
    values: dict[Node, Any] = {}
    with np.errstate(all="ignore"):  # of a 'where', the branch that is not taken may have no value
        for node in walk(root):
            values[node] = _value(node, values, data, where)
    return values[root]


def _value(node: Node, values: dict[Node, Any], data: BoundTrials, where: tuple[int, int]) -> Any:
    if node.op == "const":
        return constant_value(node)
    if node.op == "event":
        return data.values[node.attr("name")][where]
    if node.op in ("state", "parameter"):
        return None
    args = tuple(values[arg] for arg in node.args)
    if node.op == "is_missing":
        source = node.args[0]
        if source.op == "event":
            return bool(np.any(data.missing[source.attr("name")][where]))
        indices = tuple(values[arg] for arg in source.args[1:])
        if any(index is None for index in indices):
            return None
        return bool(np.any(data.missing[source.args[0].attr("name")][where][subscript(source, indices)]))
    if node.op in ("and", "or") and any(arg is None for arg in args):
        decisive = node.op == "or"  # one True decides an 'or', one False an 'and', whatever the other is
        return decisive if any(arg is not None and bool(np.all(arg)) is decisive for arg in args) else None
    return None if any(arg is None for arg in args) else apply(node, args)
