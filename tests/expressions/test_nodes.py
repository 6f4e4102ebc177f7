"""Nodes: structural equality is identity, in every thread and after pickling, and nothing can be changed."""

import gc
import pickle
import threading

import pytest

from rlbackends.expressions import Node, build, constant, walk
from rlbackends.expressions import functions as f


def expression(make, name="a"):
    a, q = make.parameter(name), make.state("q", ("action", 2))
    return f.where(a > 0.5, q * a, f.softmax(q / 2.0)).node


def test_equal_structure_is_the_same_object(make):
    assert expression(make) is expression(make)
    assert expression(make) is not expression(make, "b")


def test_equal_structure_is_the_same_object_across_threads(make):
    found, start = [], threading.Barrier(8)

    def work():
        start.wait()
        found.append([expression(make, f"p{i}") for i in range(200)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(a is b for row in found for a, b in zip(row, found[0], strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [(0.0, -0.0), (True, 1), (1, 1.0), (0, False), (float("inf"), float("-inf")), ([1, 2], [1.0, 2.0])],
)
def test_constants_that_python_calls_equal_are_apart(one, other):
    assert constant(one) is not constant(other)
    assert constant(one) is constant(one)


def test_nan_is_itself():
    assert constant(float("nan")) is constant(float("nan"))


def test_pickling_gives_the_same_object(make):
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(expression(make), protocol)) is expression(make)


def test_a_node_that_nobody_holds_is_forgotten_and_comes_back_equal(make):
    text = pickle.dumps(expression(make, "only_here"))
    gc.collect()
    assert pickle.loads(text) is expression(make, "only_here")


def test_nodes_are_frozen(make):
    node = expression(make)
    with pytest.raises(AttributeError, match="can't be changed"):
        node.op = "add"
    with pytest.raises(AttributeError):
        node.extra = 1
    with pytest.raises(TypeError, match="build"):
        Node()
    assert isinstance(node.args, tuple) and isinstance(node.attrs, tuple)


def test_walk_gives_arguments_first_and_each_node_once(make):
    node = expression(make)
    order = list(walk(node, node))
    assert len(order) == len(set(order))
    assert order[-1] is node
    for position, item in enumerate(order):
        assert all(order.index(arg) < position for arg in item.args)


def test_walk_stops_at_what_is_known(make):
    a = make.parameter("a")
    inner = a + 1.0
    outer = inner * 2.0
    assert inner.node not in list(walk(outer.node, known={inner.node}))
    assert a.node not in list(walk(outer.node, known={inner.node}))
    assert outer.node in list(walk(outer.node, known={inner.node}))


def test_deep_graphs_need_no_recursion(make):
    x = make.parameter("a")
    for _ in range(20_000):
        x = -x
    assert len(list(walk(x.node))) == 20_001
    assert f.is_missing(x).node is constant(False)
    assert len(repr(x)) < 2000
    del x
    gc.collect()


def test_attributes_by_name():
    assert build("parameter", name="a").attr("name") == "a"
    with pytest.raises(KeyError):
        build("parameter", name="a").attr("axis")
