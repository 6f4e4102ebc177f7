"""Graphs as plain JSON data and back, exactly; what comes in is checked as if a rule had built it."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

from rlbackends.errors import ModelError
from rlbackends.expressions.kinds import Axes, Axis, Kind, integer
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import MAX_ENTRIES, OPERATIONS, build, constant

MAX_NODES = 100_000
_NON_FINITE = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}


def brief(data: Any) -> str:
    """Return data that can't be read as text short enough for an error."""
    return reprlib.repr(data)


def axes_to_json(axes: Axes) -> list[list[Any]]:
    """Return axes as ``[[name, size], …]``."""
    return [[axis.name, axis.size] for axis in axes]


def axes_from_json(data: Any) -> Axes:
    """Read axes; raises ``ModelError`` on anything else."""
    if not isinstance(data, list):
        raise ModelError(f"axes must be a list of [name, size], not {brief(data)}.")
    axes = []
    for item in data:
        good = isinstance(item, list) and len(item) == 2 and (item[0] is None or isinstance(item[0], str))
        if not good or type(item[1]) is not int or not 0 < item[1] <= MAX_ENTRIES:
            raise ModelError(f"an axis must be [name or null, size], not {brief(item)}.")
        axes.append(Axis(item[0], item[1]))
    return tuple(axes)


def kind_to_json(kind: Kind) -> Any:
    """Return a kind as a word, or ``["int", lo, hi]``."""
    return ["int", kind.lo, kind.hi] if kind.name == "int" else kind.name


def kind_from_json(data: Any) -> Kind:
    """Read a kind; raises ``ModelError`` on anything else."""
    if data in ("real", "bool"):
        return Kind(data)
    if isinstance(data, list) and len(data) == 3 and data[0] == "int" and all(type(b) is int for b in data[1:]):
        return integer(data[1], data[2])
    raise ModelError(f"a kind must be 'real', 'bool' or ['int', lo, hi], not {brief(data)}.")


def _number_to_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_number_to_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
    return value


def _number_from_json(data: Any) -> Any:
    if isinstance(data, list) and data:
        return [_number_from_json(item) for item in data]
    if isinstance(data, dict) and list(data) == ["float"] and isinstance(data["float"], str):
        if data["float"] in _NON_FINITE:
            return _NON_FINITE[data["float"]]
    elif isinstance(data, bool) or (isinstance(data, int) and -(2**63) < data < 2**63):
        return data
    elif isinstance(data, float) and math.isfinite(data):
        return data
    raise ModelError(f"a constant must be numbers or booleans, not {brief(data)}.")


def _text(data: Any) -> str:
    if not isinstance(data, str):
        raise ModelError(f"a name or pattern must be text, not {brief(data)}.")
    return data


def _names(data: Any) -> tuple[str | None, ...]:
    if not isinstance(data, list) or not all(item is None or isinstance(item, str) for item in data):
        raise ModelError(f"the names of axes must be a list of texts and nulls, not {brief(data)}.")
    return tuple(data)


def _axis_number(data: Any) -> int:
    if type(data) is not int:
        raise ModelError(f"an axis must be a whole number, not {brief(data)}.")
    return data


def _attr_to_json(name: str, value: Any) -> Any:
    if name == "value":
        return _number_to_json(value)
    if name == "names":
        return list(value)
    if name == "axes":
        return axes_to_json(value)
    if name == "kind":
        return kind_to_json(value)
    return axes_to_json((value,))[0] if isinstance(value, Axis) else value


def _attr_reader(op: str, name: str) -> Callable[[Any], Any]:
    if name == "axis" and op == "one_hot":
        return lambda data: axes_from_json([data])[0]
    if name == "axis" and op == "stack":
        return lambda data: None if data is None else _text(data)
    readers: dict[str, Callable[[Any], Any]] = {
        "value": _number_from_json, "names": _names, "axes": axes_from_json, "kind": kind_from_json,
        "axis": _axis_number, "name": _text, "pattern": _text,
    }  # fmt: skip
    return readers[name]


def to_json(roots: Mapping[str, Node]) -> dict[str, Any]:
    """Return graphs as a list of nodes, arguments before their users, and the position of each root."""
    position: dict[Node, int] = {}
    nodes: list[dict[str, Any]] = []
    for node in walk(*roots.values()):
        row: dict[str, Any] = {"op": node.op}
        if node.args:
            row["args"] = [position[arg] for arg in node.args]
        row.update({name: _attr_to_json(name, value) for name, value in node.attrs})
        position[node] = len(nodes)
        nodes.append(row)
    return {"nodes": nodes, "roots": {name: position[root] for name, root in roots.items()}}


def from_json(data: Any) -> dict[str, Node]:
    """Read what :func:`to_json` wrote.

    Raises
    ------
    ModelError
        If the data have another form, name an unknown operation or build a node that the language refuses.
    """
    if not isinstance(data, dict) or set(data) != {"nodes", "roots"}:
        raise ModelError("a graph must be an object with 'nodes' and 'roots'.")
    rows, roots = data["nodes"], data["roots"]
    if not isinstance(rows, list) or not isinstance(roots, dict) or len(rows) > MAX_NODES:
        raise ModelError(f"a graph must have a list of at most {MAX_NODES} nodes and named roots.")
    nodes: list[Node] = []
    for number, row in enumerate(rows):
        try:
            nodes.append(_node(row, nodes))
        except ModelError as error:
            raise ModelError(f"node {number}: {error}") from None
    for name, index in roots.items():
        if type(index) is not int or not 0 <= index < len(nodes):
            raise ModelError(f"root '{name}' is {brief(index)}, expected the number of a node.")
    return {name: nodes[index] for name, index in roots.items()}


def _node(row: Any, nodes: list[Node]) -> Node:
    if not isinstance(row, dict) or not isinstance(row.get("op"), str) or row["op"] not in OPERATIONS:
        raise ModelError(f"{brief(row)} is no operation of the language.")
    attrs = {name: value for name, value in row.items() if name not in ("op", "args")}
    expected = OPERATIONS[row["op"]].attrs
    if set(attrs) != set(expected):
        raise ModelError(f"operation '{row['op']}' takes {expected}, not {brief(tuple(attrs))}.")
    args = row.get("args", [])
    if not isinstance(args, list) or not all(type(i) is int and 0 <= i < len(nodes) for i in args):
        raise ModelError(f"arguments {brief(args)} must be the numbers of earlier nodes.")
    read = {name: _attr_reader(row["op"], name)(value) for name, value in attrs.items()}
    if row["op"] == "const" and not args:
        return constant(read["value"], read["names"])
    return build(row["op"], *(nodes[i] for i in args), **read)
