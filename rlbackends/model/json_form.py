"""A model as JSON text and back: plain data, checked as it comes in; nothing is evaluated."""

from __future__ import annotations

import json
import math
from typing import Any

from rlbackends.errors import ModelError, listed
from rlbackends.expressions.json_form import (
    axes_from_json,
    axes_to_json,
    brief,
    from_json,
    kind_from_json,
    kind_to_json,
    to_json,
)
from rlbackends.expressions.kinds import REAL, integer
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import MAX_ENTRIES, build
from rlbackends.model.build import Faults, Parts, check_names, is_initial, is_new_value
from rlbackends.model.parts import Event, Parameter, TracedState
from rlbackends.model.responses import Response
from rlbackends.model.supports import support_from_bounds

FORMAT = "rlbackends-model"
VERSION = 1
MAX_CHARACTERS = 50_000_000
_WORDS = {str: "text", int: "a whole number", dict: "an object", list: "a list"}


def model_to_json(parts: Parts) -> str:
    """Return a model as JSON text."""
    roots: dict[str, Node] = {f"initial/{name}": state.initial for name, state in parts.states.items()}
    for name, response in parts.responses.items():
        roots.update({f"response/{name}/{argument}": node for argument, node in response.arguments.items()})
    roots.update({f"update/{name}": node for name, node in parts.updates.items()})
    roots.update({f"record/{name}": node for name, node in parts.records.items()})
    return json.dumps(
        {
            "format": FORMAT,
            "version": VERSION,
            "name": parts.name,
            "description": parts.description,
            "reference": parts.reference,
            "sizes": parts.sizes,
            "parameters": {
                name: {"lo": _bound(p.support.lo), "hi": _bound(p.support.hi), "description": p.description}
                for name, p in parts.parameters.items()
            },
            "states": {
                name: {"axes": axes_to_json(state.axes), "reset": state.reset} for name, state in parts.states.items()
            },
            "events": {
                name: {
                    "kind": kind_to_json(event.kind),
                    "axes": axes_to_json(event.axes),
                    "of": event.of,
                    "family": parts.responses[name].family if event.is_response else None,
                    "description": event.description,
                }
                for name, event in parts.events.items()
            },
            "graph": to_json(roots),
        },
        allow_nan=False,
        indent=1,
    )


def _bound(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _row(data: Any, where: str, **kinds: type) -> list[Any]:
    """Return the values of an object that has exactly these keys, of these types (``object``: anything)."""
    if not isinstance(data, dict) or set(data) != set(kinds):
        given = sorted(data) if isinstance(data, dict) else data
        raise ModelError(f"{where} must be an object with {listed(kinds)}, not {brief(given)}.")
    for key, kind in kinds.items():
        if not isinstance(data[key], kind):
            raise ModelError(f"{where}: '{key}' is {brief(data[key])}, expected {_WORDS[kind]}.")
    return [data[key] for key in kinds]


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        raise ModelError("a key stands twice in one object.")
    return data


def _no_literal(word: str) -> None:
    raise ModelError(f"{word} is no number of JSON.")


def parts_from_json(text: str) -> Parts:
    """Read a model's parts; raises ``ModelError`` on anything that :func:`model_to_json` would not write."""
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise ModelError(f"a model's JSON must be text of at most {MAX_CHARACTERS} characters.")
    try:
        data = json.loads(text, object_pairs_hook=_no_repeats, parse_constant=_no_literal)
    except RecursionError:
        raise ModelError("this JSON nests too deeply.") from None
    except ValueError as error:
        raise ModelError(f"this is no JSON of a model: {str(error).rstrip('.')}.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ModelError(f"this JSON is no model: 'format' is not '{FORMAT}'.")
    if type(data.get("version")) is not int or data["version"] != VERSION:
        raise ModelError(
            f"this model is of version {brief(data.get('version'))}; this rlbackends reads version {VERSION}."
        )
    try:
        return _parts(data)
    except RecursionError:
        raise ModelError("this JSON nests too deeply.") from None


def _parameter(name: str, data: Any) -> Parameter:
    where = f"parameter '{name}'"
    lo, hi, description = _row(data, where, lo=object, hi=object, description=str)
    for bound in (lo, hi):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
            raise ModelError(f"{where}: a bound is {brief(bound)}, expected a number or null.")
    support = support_from_bounds(-math.inf if lo is None else lo, math.inf if hi is None else hi)
    if (_bound(support.lo), _bound(support.hi)) != (lo, hi):
        raise ModelError(f"{where}: the bounds {brief(lo)} and {brief(hi)} are no finite numbers.")
    return Parameter(support, description)


def _parts(data: dict[str, Any]) -> Parts:
    _, _, name, description, reference, sizes, parameters, states, events, graph = _row(
        data, "a model", format=str, version=int, name=str, description=str, reference=str, sizes=dict,
        parameters=dict, states=dict, events=dict, graph=dict,
    )  # fmt: skip
    if not name:
        raise ModelError("a model has a name.")
    if not all(type(size) is int and 0 < size <= MAX_ENTRIES for size in sizes.values()):
        raise ModelError(f"sizes must be whole numbers from 1 to {MAX_ENTRIES:,}, not {brief(sizes)}.")
    groups = _groups(from_json(graph))
    if set(groups["initial"]) != set(states):
        raise ModelError(
            f"the states are {listed(states)}, but there are initial values of {listed(groups['initial'])}."
        )
    traced = {}
    for key, row in states.items():
        axes, reset = _row(row, f"state '{key}'", axes=list, reset=str)
        if reset not in ("block", "never"):
            raise ModelError(f"state '{key}': reset is {brief(reset)}, expected 'block' or 'never'.")
        traced[key] = TracedState(key, axes_from_json(axes), groups["initial"][key], reset)
        build("state", name=key, axes=traced[key].axes)
    rows, responses = _events(events, groups["response"])
    parts = Parts(
        name, {key: _parameter(key, row) for key, row in parameters.items()}, traced, rows, responses,
        groups["update"], groups["record"], dict(sizes), description, reference,
    )  # fmt: skip
    _validate(parts)
    return parts


def _groups(roots: dict[str, Node]) -> dict[str, dict[str, Any]]:
    """Return the roots of a model's graph by what they are for."""
    groups: dict[str, dict[str, Any]] = {"initial": {}, "update": {}, "record": {}, "response": {}}
    for path, node in roots.items():
        group, _, rest = path.partition("/")
        if group not in groups:
            raise ModelError(f"root {brief(path)} is of no known group.")
        if group == "response":
            response, _, argument = rest.partition("/")
            groups[group].setdefault(response, {})[argument] = node
        else:
            groups[group][rest] = node
    return groups


def _events(rows: dict[str, Any], arguments: dict[str, Any]) -> tuple[dict[str, Event], dict[str, Response]]:
    events, responses = {}, {}
    for key, row in rows.items():
        # A model written before events had a description has none.
        row = {"description": "", **row} if isinstance(row, dict) else row
        kind_data, axes_data, of, family, description = _row(
            row, f"event '{key}'", kind=object, axes=list, of=object, family=object, description=str
        )
        for word, value in (("of", of), ("family", family)):
            if value is not None and not isinstance(value, str):
                raise ModelError(f"event '{key}': '{word}' is {brief(value)}, expected text or null.")
        kind, axes = kind_from_json(kind_data), axes_from_json(axes_data)
        build("event", name=key, kind=kind, axes=axes)
        events[key] = Event(key, kind, axes, family is not None, of, description)
        if family is not None:
            responses[key] = Response(key, family, arguments.get(key, {}))
            if (responses[key].kind, responses[key].axes, responses[key].of) != (kind, axes, of):
                raise ModelError(f"response '{key}' does not have the kind and axes that its rule gives.")
    if set(arguments) != set(responses):
        raise ModelError(f"the graph has rules for {listed(arguments)}, but the responses are {listed(responses)}.")
    return events, responses


def _leaves(node: Node) -> set[tuple[str, str]]:
    return {(leaf.op, leaf.attr("name")) for leaf in walk(node) if leaf.op in ("parameter", "state", "event")}


def _validate(parts: Parts) -> None:
    """Check what tracing guarantees: names, shapes, and that no rule sees what it may not."""
    faults = Faults(parts.name)
    check_names(
        faults,
        {"parameter": list(parts.parameters), "state": list(parts.states), "event": list(parts.events),
         "record": list(parts.records), "axis": list(parts.sizes)},
    )  # fmt: skip
    if not parts.responses:
        faults.add("no event of the trial is a response.")
    _check_declared(faults, parts)
    rules = _rules(parts)
    for what, node, allowed in rules:
        for op, unseen in sorted(_leaves(node) - allowed):
            faults.add(f"{what} asks for {op} '{unseen}', which it can't see.")
    leaves = [node for node in walk(*(rule[1] for rule in rules)) if node.op in ("parameter", "state", "event")]
    for leaf in leaves:
        name = leaf.attr("name")
        if leaf.op == "state" and name in parts.states and leaf.axes != parts.states[name].axes:
            faults.add(f"a rule reads state '{name}' with other axes.")
        if leaf.op == "event" and name in parts.events:
            event = parts.events[name]
            if (leaf.kind, leaf.axes) != (event.kind, event.axes):
                faults.add(f"a rule reads event '{name}' with another kind or axes.")
    unused = set(parts.parameters) - {leaf.attr("name") for leaf in leaves if leaf.op == "parameter"}
    for name in sorted(unused):
        faults.add(f"parameter '{name}' is used by no rule and no initial value.")
    faults.report()


def _check_declared(faults: Faults, parts: Parts) -> None:
    """Check states and events against the sizes, and new values against their states."""
    axes = [(f"state '{s.name}'", axis) for s in parts.states.values() for axis in s.axes]
    axes += [(f"event '{e.name}'", axis) for e in parts.events.values() for axis in e.axes]
    for what, axis in axes:
        # Sub-choices of a response may lie along an axis without a name; what is declared has names.
        named = axis.name is not None or what.removeprefix("event ").strip("'") in parts.responses
        if not named or (axis.name is not None and parts.sizes.get(axis.name) != axis.size):
            faults.add(f"{what} has the axis {axis}, which is not in sizes.")
    for event in parts.events.values():
        size = parts.sizes.get(event.of or "", 2 if event.of is None else 0)
        if event.of is not None and event.of not in parts.sizes:
            faults.add(f"event '{event.name}' counts along '{event.of}', which is not in sizes.")
        elif not event.is_response and event.kind not in (REAL, integer(0, size - 1)):
            faults.add(f"event '{event.name}' is {event.kind}, which is no kind of event.")
        elif event.of is not None and event.kind != integer(0, size - 1):
            faults.add(f"event '{event.name}' does not count along '{event.of}' ({size}).")
    for name, state in parts.states.items():
        if not is_initial(state.initial.axes, state.axes):
            faults.add(f"the initial value of state '{name}' has another shape.")
    for name, node in [
        *((s.name, s.initial) for s in parts.states.values()),
        *parts.updates.items(),
        *parts.records.items(),
    ]:
        if node.kind != REAL:
            faults.add(f"the value of '{name}' is {node.kind}, expected a real value.")
    for name, node in parts.updates.items():
        if name not in parts.states or not is_new_value(node.axes, parts.states[name].axes):
            faults.add(f"update of '{name}' has another shape than a state of that name.")


def _rules(parts: Parts) -> list[tuple[str, Node, set[tuple[str, str]]]]:
    """Return every rule's name and graph, and the leaves that it may see."""
    order = list(parts.events)
    everything: set[tuple[str, str]] = {("parameter", name) for name in parts.parameters}
    inside = everything | {("state", name) for name in parts.states}
    rules = [(f"the initial value of '{name}'", state.initial, everything) for name, state in parts.states.items()]
    for name, response in parts.responses.items():
        seen = inside | {("event", event) for event in order[: order.index(name)]}
        rules += [(f"response '{name}', argument '{a}'", node, seen) for a, node in response.arguments.items()]
    seen = inside | {("event", event) for event in order}
    rules += [(f"update of '{name}'", node, seen) for name, node in [*parts.updates.items(), *parts.records.items()]]
    return rules
