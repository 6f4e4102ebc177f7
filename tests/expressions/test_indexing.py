"""Subscripts: provably in range, whole axes, at most one vector; ``at[…].add`` and ``at[…].set``."""

import numpy as np
import pytest

from rlbackends.errors import ModelError
from rlbackends.expressions import functions as f
from rlbackends.expressions import integer
from rlbackends.expressions.numpy_table import evaluate

TABLE = np.arange(6.0).reshape(3, 2)


@pytest.fixture
def table(make):
    return make.state("table", ("stimulus", 3), ("action", 2))


@pytest.fixture
def choice(make):
    return make.event("choice", integer(0, 1))


@pytest.fixture
def stimuli(make):
    return make.event("stimuli", integer(0, 2), ("pair", 2))


def value(expression, **leaves):
    known = {"table": TABLE, "choice": np.int64(1), "stimuli": np.array([2, 0]), **leaves}
    return evaluate(expression.node, known)


def test_subscripts_mean_what_numpy_means(table, choice, stimuli):
    cases = [
        (table[2], TABLE[2]),
        (table[2, 1], TABLE[2, 1]),
        (table[:, choice], TABLE[:, 1]),
        (table[..., 0], TABLE[..., 0]),
        (table[-1], TABLE[-1]),
        (table[0, -2], TABLE[0, -2]),
        (table[stimuli], TABLE[[2, 0]]),
        (table[stimuli, choice], TABLE[[2, 0], 1]),
        (table[1, None], TABLE[1, None]),
        (table[()], TABLE),
        (table[:, None, choice], TABLE[:, None, 1]),
        (table[[-1, 0]], TABLE[[-1, 0]]),
        (table[choice + 1], TABLE[2]),
        (table[np.int32(1)], TABLE[1]),
        (table[f.where(choice == 1, 0, 2)], TABLE[0]),
        (table[2 - choice], TABLE[1]),
    ]
    for expression, expected in cases:
        np.testing.assert_array_equal(value(expression), expected, err_msg=repr(expression))
        assert expression.shape == np.shape(expected)


def test_a_vector_of_indices_puts_its_own_axis_in_place(table, stimuli, choice):
    assert [axis.name for axis in table[stimuli].node.axes] == ["pair", "action"]
    assert [axis.name for axis in table[stimuli, choice].node.axes] == ["pair"]


@pytest.mark.parametrize(
    ("subscript", "message"),
    [
        (3, r"an index in \[3, 3\] may be out of range: axis stimulus \(3\) has entries 0 to 2"),
        (-4, r"an index in \[-4, -4\] may be out of range"),
        ([0, 3], r"an index in \[0, 3\] may be out of range"),
        (1.0, r"an index must be an integer, not real: 'table\[1.0\]'"),
        (slice(0, 2), "only the whole axis ':' can be taken of 'table'"),
        ((0, slice(None, None, -1)), "only the whole axis"),
        (True, "can't be subscripted by a comparison. Write rl.where"),
        (np.array([True, False, True]), "an index must be an integer, not bool"),
        ((0, 0, 0), r"3 subscripts for 'table', which has one value per stimulus \(3\) × action \(2\)"),
        ((..., ...), "subscripts for 'table'"),
        ([[0, 1], [1, 0]], "an index is one value or a vector"),
        (([0, 1], [1, 0]), "at most one vector of indices"),
        ("left", "'left' is no number"),
    ],
)
def test_a_bad_subscript_is_an_error(subscript, message, table):
    with pytest.raises(ModelError, match=message) as caught:
        table[subscript]
    assert str(caught.value).startswith("test_indexing.py:")


def test_an_index_of_the_rule_must_be_in_range_too(table, choice, make):
    assert table[choice * 2].shape == (2,)
    with pytest.raises(ModelError, match=r"an index in \[1, 4\] may be out of range.*'table\[choice \* 3 \+ 1\]'"):
        table[choice * 3 + 1]
    with pytest.raises(ModelError, match="not real"):
        table[make.parameter("alpha")]
    with pytest.raises(ModelError, match="comparison"):
        table[choice == 1]


def test_a_vector_and_an_index_apart_are_refused(make, stimuli):
    cube = make.state("cube", ("a", 3), ("b", 2), ("c", 3))
    with pytest.raises(ModelError, match="take them in two steps"):
        cube[stimuli, :, 0]
    assert cube[stimuli][:, :, 0].shape == (2, 2)


def test_a_vector_of_stimuli_twice_is_refused(make, stimuli):
    square = make.state("square", ("a", 3), ("b", 3))
    with pytest.raises(ModelError, match="at most one vector"):
        square[stimuli, stimuli]


def changed(where, what, amount):
    result = TABLE.copy()
    if what == "add":
        np.add.at(result, where, amount)
    else:
        result[where] = amount
    return result


@pytest.mark.parametrize("what", ["add", "set"])
def test_at_changes_a_copy(what, table, choice, stimuli, make):
    alpha = make.parameter("alpha")
    for where, numpy_where, amount in [
        ((2, choice), (2, 1), 0.5),
        (1, 1, [0.5, 0.25]),
        (1, 1, 0.5),
        ((slice(None), 0), (slice(None), 0), [1.0, 2.0, 3.0]),
        (stimuli, [2, 0], 4),
        (-1, -1, 2),
        (Ellipsis, Ellipsis, 1.5),
    ]:
        expression = getattr(table.at[where], what)(amount)
        np.testing.assert_array_equal(value(expression), changed(numpy_where, what, amount))
        assert expression.node.axes == table.node.axes
    assert getattr(table.at[0, choice], what)(alpha).shape == (3, 2)
    np.testing.assert_array_equal(TABLE, np.arange(6.0).reshape(3, 2))


def test_at_checks_what_it_is_given(table, choice, make):
    with pytest.raises(ModelError, match=r"the value is one value per entry \(3\), but the entries are|sizes differ"):
        table.at[0].add([1.0, 2.0, 3.0])
    with pytest.raises(ModelError, match=r"the value is one value per action.*but the entries are one value"):
        table.at[0, choice].add(make.state("q", ("action", 2)))
    with pytest.raises(ModelError, match="None can't stand"):
        table.at[None, 0]
    with pytest.raises(ModelError, match="may be out of range"):
        table.at[5].set(0.0)
    with pytest.raises(ModelError, match="'at_add' works on real values, not real and bool"):
        table.at[0, 0].add(choice == 1)
    with pytest.raises(ModelError, match="meets"):
        table.at[:, 0].add(make.state("q", ("action", 3)))


def test_changing_in_place_is_refused_with_what_to_write(table, choice):
    with pytest.raises(ModelError, match=r"can't be changed in place. Write table.at\[...\].set"):
        table[0, choice] = 1.0
    with pytest.raises(ModelError, match="can't be changed in place"):
        table[0, choice] += 1.0
