"""Graphs as JSON: exact there and back, and nothing else is let in."""

import json
import math

import pytest

from rlbackends.errors import ModelError
from rlbackends.expressions import BOOL, REAL, Axis, constant, integer
from rlbackends.expressions import functions as f
from rlbackends.expressions.json_form import (
    MAX_NODES,
    axes_from_json,
    axes_to_json,
    from_json,
    kind_from_json,
    kind_to_json,
    to_json,
)


def there_and_back(**roots):
    text = json.dumps(to_json(roots), allow_nan=False)
    back = from_json(json.loads(text))
    assert json.dumps(to_json(back), allow_nan=False) == text
    return back


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        -0.0,
        0.0,
        5e-324,
        1.7976931348623157e308,
        math.inf,
        -math.inf,
        math.nan,
        1 / 3,
        True,
        False,
        0,
        -7,
        2**62,
        [1, 2],
        [[0.5, -0.0], [math.inf, 1e-300]],
        [True, False],
    ],
)
def test_constants_are_exact(value):
    node = constant(value)
    assert there_and_back(x=node)["x"] is node


def test_names_of_axes_are_kept():
    node = constant([[1.0, 2.0]], ("stimulus", None))
    assert there_and_back(x=node)["x"] is node


def test_shared_nodes_are_written_once_and_roots_may_be_equal(make):
    a = make.parameter("a")
    square = (a * a).node
    data = to_json({"x": square, "y": square, "z": a.node})
    assert len(data["nodes"]) == 2 and data["roots"] == {"x": 1, "y": 1, "z": 0}
    assert there_and_back(x=square, y=square, z=a.node) == {"x": square, "y": square, "z": a.node}


def test_deep_graphs_need_no_recursion(make):
    x = make.parameter("a")
    for _ in range(20_000):
        x = x + 1.0
    assert there_and_back(x=x.node)["x"] is x.node


@pytest.mark.parametrize("kind", [REAL, BOOL, integer(0, 3), integer(-5, -5)])
def test_kinds(kind):
    assert kind_from_json(json.loads(json.dumps(kind_to_json(kind)))) == kind


def test_axes():
    axes = (Axis("action", 3), Axis(None, 1))
    assert axes_from_json(json.loads(json.dumps(axes_to_json(axes)))) == axes


@pytest.mark.parametrize(
    "data",
    ["complex", 1, None, [], ["int", 0], ["int", 3, 0], ["int", 0.0, 1], ["int", True, True], ["int", 0, 10**40], {}],
)
def test_what_is_no_kind(data):
    with pytest.raises(ModelError):
        kind_from_json(data)


@pytest.mark.parametrize(
    "data",
    [None, "action", [["a"]], [["a", 0]], [["a", -1]], [["a", 1.0]], [["a", True]], [[1, 2]], [["a", 10**12]], [None]],
)
def test_what_are_no_axes(data):
    with pytest.raises(ModelError):
        axes_from_json(data)


def graph(*nodes, **roots):
    return {"nodes": list(nodes), "roots": roots}


A = {"op": "parameter", "name": "a"}
Q = {"op": "state", "name": "q", "axes": [["action", 2]]}
ONE = {"op": "const", "value": 1.0, "names": []}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "x",
        {},
        {"nodes": []},
        {"nodes": {}, "roots": {}},
        {"nodes": [], "roots": []},
        graph(A, x=1),
        graph(A, x=-1),
        graph(A, x=True),
        graph(A, x=0.0),
        graph(A, x="0"),
        graph(None),
        graph("neg"),
        graph({}),
        graph({"op": "evil"}),
        graph({"op": ["neg"]}),
        graph({"op": {"a": 1}}),
        graph({"op": "neg"}),
        graph(A, {"op": "neg", "args": [1]}),
        graph({"op": "neg", "args": [0]}),
        graph(A, {"op": "neg", "args": [-1]}),
        graph(A, {"op": "neg", "args": [True]}),
        graph(A, {"op": "neg", "args": [0.0]}),
        graph(A, {"op": "neg", "args": "0"}),
        graph(A, {"op": "neg", "args": [0, 0]}),
        graph(A, {"op": "add", "args": [0]}),
        graph(A, {"op": "neg", "args": [0], "axis": -1}),
        graph({**A, "args": [0]}),
        graph({"op": "parameter"}),
        graph({"op": "parameter", "name": 1}),
        graph({"op": "parameter", "name": None}),
        graph({**Q, "axes": "action"}),
        graph({**Q, "axes": [["action", 2, 3]]}),
        graph({"op": "state", "name": "q"}),
        graph(Q, {"op": "sum", "args": [0], "axis": 0}),
        graph(Q, {"op": "sum", "args": [0], "axis": -2}),
        graph(Q, {"op": "sum", "args": [0], "axis": True}),
        graph(Q, {"op": "sum", "args": [0], "axis": "action"}),
        graph(Q, {"op": "sum", "args": [0], "axis": None}),
        graph(Q, A, {"op": "gather", "args": [0, 1], "pattern": "i"}),
        graph(Q, {"op": "gather", "args": [0], "pattern": ":"}),
        graph(Q, {"op": "expand", "args": [0], "pattern": "n" * 99 + ":"}),
        graph(Q, {"op": "expand", "args": [0], "pattern": "xx"}),
        graph(Q, {"op": "expand", "args": [0], "pattern": 5}),
        graph(A, {"op": "stack", "args": [0], "axis": 5}),
        graph(A, {"op": "stack", "args": [], "axis": None}),
        graph(ONE, {"op": "one_hot", "args": [0], "axis": ["a", 2]}),
        graph({"op": "one_hot", "args": [], "axis": ["a", 2]}),
        graph({**ONE, "value": "1"}),
        graph({**ONE, "value": []}),
        graph({**ONE, "value": [[1], [1, 2]], "names": [None, None]}),
        graph({**ONE, "value": {"float": "1"}}),
        graph({**ONE, "value": {"float": ["NaN"]}}),
        graph({**ONE, "value": {"x": 1}}),
        graph({**ONE, "value": None}),
        graph({**ONE, "value": [None]}),
        graph({**ONE, "value": 10**30}),
        graph({**ONE, "names": [None]}),
        graph({**ONE, "names": None}),
        graph({**ONE, "names": [1]}),
        graph({**ONE, "value": math.inf}),
        graph({**ONE, "value": [1.0], "names": []}),
        graph(A, {"op": "is_missing", "args": [0]}),
        graph({"op": "event", "name": "e", "kind": "text", "axes": []}),
        graph({"op": "event", "name": "e", "kind": "real"}),
    ],
)
def test_what_is_no_graph(data):
    with pytest.raises(ModelError):
        from_json(data)


def test_a_fault_names_its_node():
    with pytest.raises(ModelError, match=r"node 1: operation 'neg' takes 1 arguments, not 2"):
        from_json(graph(A, {"op": "neg", "args": [0, 0]}))


def test_too_many_nodes():
    with pytest.raises(ModelError, match="at most"):
        from_json({"nodes": [A] * (MAX_NODES + 1), "roots": {}})


def test_integers_that_grow_are_stopped():
    """Squaring doubles an integer's digits: sixty squarings would be more than memory."""
    nodes = [{"op": "event", "name": "e", "kind": ["int", 0, 1000], "axes": []}]
    nodes += [{"op": "mul", "args": [i, i]} for i in range(60)]
    with pytest.raises(ModelError, match="64 bits"):
        from_json({"nodes": nodes, "roots": {}})


def test_shapes_that_grow_are_stopped():
    nodes = [{"op": "state", "name": "q", "axes": [["a", 1000]]}]
    for i in range(5):
        nodes.append({"op": "stack", "args": [len(nodes) - 1] * 100, "axis": f"b{i}"})
    with pytest.raises(ModelError, match="entries"):
        from_json({"nodes": nodes, "roots": {}})


def test_errors_are_short():
    with pytest.raises(ModelError) as caught:
        from_json(graph({"op": "parameter", "name": ["x" * 10] * 100_000}))
    assert len(str(caught.value)) < 500


def test_everything_that_functions_make(make, examples):
    a = make.parameter("a")
    roots = {
        **examples.nodes,
        "mean": f.mean(make.state("q", ("action", 3))).node,
        "logit": f.logit(a).node,
        "sign": f.sign(a).node,
        "clip": f.clip(a, 0, 1).node,
    }
    assert there_and_back(**roots) == roots
