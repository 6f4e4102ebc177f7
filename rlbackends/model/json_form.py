"""A model as JSON text and back: plain data, checked as it comes in; nothing is evaluated."""

from __future__ import annotations

import json
import math
from typing import Any

from rlbackends.errors import ModelError
from rlbackends.expressions.json_form import axes_from_json, axes_to_json, from_json, kind_from_json, kind_to_json, to_json
from rlbackends.expressions.kinds import REAL
from rlbackends.expressions.node import Node, walk
from rlbackends.model.build import Parts, _Faults, _fits, check_names
from rlbackends.model.parts import Event, Parameter, TracedState
from rlbackends.model.responses import Response
from rlbackends.model.supports import support_from_bounds

FORMAT = "rlbackends-model"
VERSION = 1
MAX_CHARACTERS = 50_000_000


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


def _get(data: Any, key: str, kind: type, where: str) -> Any:
    if not isinstance(data, dict) or key not in data:
        raise ModelError(f"{where}: '{key}' is not there.")
    if not isinstance(data[key], kind) or (kind is int and isinstance(data[key], bool)):
        raise ModelError(f"{where}: '{key}' is {data[key]!r}, expected {kind.__name__}.")
    return data[key]


def parts_from_json(text: str) -> Parts:
    """Read a model's parts; raises ``ModelError`` on anything that :func:`model_to_json` would not write."""
    if not isinstance(text, str) or len(text) > MAX_CHARACTERS:
        raise ModelError(f"a model's JSON must be text of at most {MAX_CHARACTERS} characters.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"this is no JSON: {error}.") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise ModelError(f"this JSON is no model: 'format' is not '{FORMAT}'.")
    if data.get("version") != VERSION:
        raise ModelError(f"this model is of version {data.get('version')!r}; this rlbackends reads version {VERSION}.")
    try:
        return _parts(data)
    except RecursionError:
        raise ModelError("this JSON nests too deeply.") from None


def _support(name: str, data: Any) -> Parameter:
    where = f"parameter '{name}'"
    if not isinstance(data, dict) or set(data) != {"lo", "hi", "description"}:
        raise ModelError(f"{where} must have 'lo', 'hi' and 'description'.")
    lo, hi = data["lo"], data["hi"]
    for bound in (lo, hi):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
            raise ModelError(f"{where}: a bound is {bound!r}, expected a number or null.")
    low, high = -math.inf if lo is None else float(lo), math.inf if hi is None else float(hi)
    return Parameter(support_from_bounds(low, high), _get(data, "description", str, where))


def _parts(data: dict[str, Any]) -> Parts:
    name = _get(data, "name", str, "model")
    sizes = _get(data, "sizes", dict, "model")
    if not all(type(size) is int and size > 0 for size in sizes.values()):
        raise ModelError(f"sizes must be whole numbers of at least 1, not {sizes!r}.")
    parameters = {key: _support(key, row) for key, row in _get(data, "parameters", dict, "model").items()}
    roots = from_json(_get(data, "graph", dict, "model"))
    groups: dict[str, dict[str, Any]] = {"initial": {}, "update": {}, "record": {}, "response": {}}
    for path, node in roots.items():
        group, _, rest = path.partition("/")
        if group not in groups:
            raise ModelError(f"root '{path}' is of no known group.")
        if group == "response":
            response, _, argument = rest.partition("/")
            groups[group].setdefault(response, {})[argument] = node
        else:
            groups[group][rest] = node
    states = {}
    for key, row in _get(data, "states", dict, "model").items():
        reset = _get(row, "reset", str, f"state '{key}'")
        if reset not in ("block", "never") or key not in groups["initial"]:
            raise ModelError(f"state '{key}' has reset {reset!r}, or no initial value.")
        states[key] = TracedState(key, axes_from_json(row.get("axes")), groups["initial"][key], reset)
    events, responses = _events(_get(data, "events", dict, "model"), groups["response"])
    parts = Parts(
        name, parameters, states, events, responses, groups["update"], groups["record"], dict(sizes),
        _get(data, "description", str, "model"), _get(data, "reference", str, "model"),
    )  # fmt: skip
    _validate(parts)
    return parts


def _events(rows: dict[str, Any], arguments: dict[str, Any]) -> tuple[dict[str, Event], dict[str, Response]]:
    events, responses = {}, {}
    for key, row in rows.items():
        if not isinstance(row, dict) or set(row) != {"kind", "axes", "of", "family"}:
            raise ModelError(f"event '{key}' must have 'kind', 'axes', 'of' and 'family'.")
        kind, axes, of = kind_from_json(row["kind"]), axes_from_json(row["axes"]), row["of"]
        if of is not None and not isinstance(of, str):
            raise ModelError(f"event '{key}': 'of' is {of!r}, expected text or null.")
        family = row["family"]
        events[key] = Event(key, kind, axes, family is not None, of)
        if family is not None:
            responses[key] = Response(key, family, arguments.get(key, {}))
            if (responses[key].kind, responses[key].axes) != (kind, axes):
                raise ModelError(f"response '{key}' does not have the kind and axes that its rule gives.")
    if set(arguments) != set(responses):
        raise ModelError(f"the graph has rules for {sorted(arguments)}, but the responses are {sorted(responses)}.")
    return events, responses


def _leaves(node: Node) -> set[tuple[str, str]]:
    return {(leaf.op, leaf.attr("name")) for leaf in walk(node) if leaf.op in ("parameter", "state", "event")}


def _validate(parts: Parts) -> None:
    """Check what tracing guarantees: names, shapes, and that no rule sees what it may not."""
    faults = _Faults(parts.name)
    check_names(
        faults,
        {"parameter": list(parts.parameters), "state": list(parts.states), "event": list(parts.events),
         "record": list(parts.records), "axis": list(parts.sizes)},
    )  # fmt: skip
    if not parts.responses:
        faults.add("no event of the trial is a response.")
    order = list(parts.events)
    everything: set[tuple[str, str]] = {("parameter", name) for name in parts.parameters}
    inside = everything | {("state", name) for name in parts.states}
    rules: list[tuple[str, Node, set[tuple[str, str]]]] = []
    for name, state in parts.states.items():
        rules.append((f"the initial value of '{name}'", state.initial, everything))
        if state.initial.kind != REAL or not _fits(state.initial.axes, state.axes):
            faults.add(f"the initial value of state '{name}' has another kind or shape.")
    for name, response in parts.responses.items():
        seen = inside | {("event", event) for event in order[: order.index(name)]}
        rules += [(f"the rule of '{name}'", node, seen) for node in response.arguments.values()]
    seen = inside | {("event", event) for event in order}
    for name, node in [*parts.updates.items(), *parts.records.items()]:
        rules.append((f"update of '{name}'", node, seen))
        if node.kind != REAL:
            faults.add(f"update of '{name}' is {node.kind}, expected a real value.")
    for name, node in parts.updates.items():
        if name not in parts.states or not _fits(node.axes, parts.states[name].axes):
            faults.add(f"update of '{name}' has another shape than a state of that name.")
    for what, node, allowed in rules:
        for op, leaf in sorted(_leaves(node) - allowed):
            faults.add(f"{what} asks for {op} '{leaf}', which it can't see.")
        for leaf_node in walk(node):
            if leaf_node.op == "state" and leaf_node.attr("name") in parts.states:
                if leaf_node.axes != parts.states[leaf_node.attr("name")].axes:
                    faults.add(f"{what} reads state '{leaf_node.attr('name')}' with other axes.")
            if leaf_node.op == "event" and leaf_node.attr("name") in parts.events:
                event = parts.events[leaf_node.attr("name")]
                if (leaf_node.kind, leaf_node.axes) != (event.kind, event.axes):
                    faults.add(f"{what} reads event '{event.name}' with another kind or axes.")
    faults.report()
