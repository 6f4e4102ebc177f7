"""Shapes: broadcasting from the right, and the names of axes."""

import numpy as np
import pytest

from rlbackends.errors import ModelError
from rlbackends.expressions import Axis, build, integer
from rlbackends.expressions import functions as f
from rlbackends.expressions.kinds import broadcast, describe


@pytest.fixture
def q(make):
    return make.state("q", ("action", 2))


@pytest.fixture
def table(make):
    return make.state("table", ("stimulus", 3), ("action", 2))


def axes(expression):
    return [(axis.name, axis.size) for axis in expression.node.axes]


def test_values_broadcast_from_the_right(q, table):
    assert axes(table * q) == [("stimulus", 3), ("action", 2)]
    assert axes(q + 1.0) == [("action", 2)]
    assert axes(q + [1.0, 2.0]) == [("action", 2)]
    assert axes(q + [3.0]) == [("action", 2)]
    assert axes(np.ones((3, 2)) * q) == [(None, 3), ("action", 2)]


def test_two_names_that_meet_are_an_error(q, make):
    other = make.state("v", ("stimulus", 2))
    with pytest.raises(
        ModelError, match="axis 'action' meets axis 'stimulus'; insert None to keep them apart"
    ) as caught:
        q + other
    assert "The expression is 'q + v'" in str(caught.value)


def test_none_keeps_two_names_apart(q, make):
    other = make.state("v", ("stimulus", 3))
    assert axes(other[:, None] * q) == [("stimulus", 3), ("action", 2)]
    assert axes(q[None]) == [(None, 1), ("action", 2)]
    assert axes(q[..., None]) == [("action", 2), (None, 1)]
    assert axes(q[None, :, None]) == [(None, 1), ("action", 2), (None, 1)]


def test_sizes_that_differ_are_an_error(q, make):
    with pytest.raises(ModelError, match=r"axis action \(2\) meets axis 3: their sizes differ"):
        q + [1.0, 2.0, 3.0]
    with pytest.raises(ModelError, match=r"action \(2\) meets axis action \(3\)"):
        q + make.state("r", ("action", 3))


def test_an_axis_of_size_1_with_a_name_does_not_stretch(make):
    one = make.state("one", ("action", 1))
    with pytest.raises(ModelError, match="sizes differ"):
        one + [1.0, 2.0]


def test_reductions_drop_their_axis(table):
    for reduce in (f.sum, f.max, f.logsumexp, f.mean, f.argmax):
        assert axes(reduce(table, axis=0)) == [("action", 2)]
        assert axes(reduce(table, axis=-1)) == [("stimulus", 3)]
    assert axes(f.sum(table)) == []
    assert axes(f.softmax(table, axis=0)) == axes(f.log_softmax(table)) == axes(table)
    assert axes(f.dot(table, [0.5, 0.5])) == [("stimulus", 3)]


@pytest.mark.parametrize("axis", [2, -3, True, 0.0, None])
def test_an_axis_that_is_not_there_is_an_error(axis, table):
    with pytest.raises(ModelError, match=r"axis .* of one value per stimulus \(3\) × action \(2\)"):
        f.max(table, axis=axis)


def test_a_scalar_has_no_axis(make):
    with pytest.raises(ModelError, match="of one value"):
        f.max(make.parameter("a"))


def test_stack_puts_a_new_last_axis(q, make):
    a = make.parameter("a")
    assert axes(f.stack(a, 1, 2.5)) == [(None, 3)]
    assert axes(f.stack(a, 0.0, axis="action")) == [("action", 2)]
    assert axes(f.stack(q, a, axis="side")) == [("action", 2), ("side", 2)]
    with pytest.raises(ModelError, match="axis of 'stack' is 3"):
        f.stack(a, a, axis=3)


def test_one_hot_takes_its_axis_from_an_array_or_a_size(q, make):
    choice = make.event("choice", integer(0, 1))
    assert axes(f.one_hot(choice, q)) == [("action", 2)]
    assert axes(f.one_hot(choice, 5)) == [(None, 5)]
    for wrong in ("action", 0, 2.0, True, make.parameter("a")):
        with pytest.raises(ModelError, match="one_hot"):
            f.one_hot(choice, wrong)
    with pytest.raises(ModelError, match=r"'one_hot' of an index in \[0, 1\] over axis 1: it may be out of range"):
        f.one_hot(choice, 1)


def test_broadcast_agrees_with_numpy():
    shapes = [(), (1,), (3,), (2, 1), (2, 3), (4, 1, 3), (1, 1)]
    for left in shapes:
        for right in shapes:
            found = broadcast(tuple(Axis(None, n) for n in left), tuple(Axis(None, n) for n in right))
            assert tuple(axis.size for axis in found) == np.broadcast_shapes(left, right)


def test_shapes_in_words(table, make):
    assert describe(table.node.axes) == "one value per stimulus (3) × action (2)"
    assert describe(()) == "one value"
    assert describe((Axis(None, 4),)) == "one value per entry (4)"
    assert repr(table) == "<table: real, one value per stimulus (3) × action (2)>"
    assert table.shape == (3, 2) and len(table) == 3
    with pytest.raises(ModelError, match="'a' is one value; it has no length"):
        len(make.parameter("a"))


def test_expand_must_fit_its_argument(q):
    with pytest.raises(ModelError, match="'expand' pattern 'n' does not fit"):
        build("expand", q.node, pattern="n")
