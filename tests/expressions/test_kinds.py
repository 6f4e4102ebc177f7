"""Kinds: what mixes, and the bounds that integers are proven to have."""

import itertools

import numpy as np
import pytest

from rlbackends.errors import ModelError
from rlbackends.expressions import BOOL, REAL, constant, integer
from rlbackends.expressions import functions as f

INTERVALS = [(0, 3), (-2, 5), (-4, -1), (2, 2)]


def kind(expression):
    return expression.node.kind


@pytest.mark.parametrize("name", ["add", "sub", "mul", "maximum", "minimum"])
@pytest.mark.parametrize(("left", "right"), list(itertools.product(INTERVALS, repeat=2)))
def test_bounds_of_two_integers_are_exact(name, left, right, make):
    # Every pair of values is tried, so the interval is the smallest that is right.
    ours = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum}[name]
    values = [int(ours(a, b)) for a in range(left[0], left[1] + 1) for b in range(right[0], right[1] + 1)]
    a, b = make.event("a", integer(*left)), make.event("b", integer(*right))
    made = {"add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b,
            "maximum": lambda: f.maximum(a, b), "minimum": lambda: f.minimum(a, b)}[name]()  # fmt: skip
    assert kind(made) == integer(min(values), max(values))


@pytest.mark.parametrize("bounds", INTERVALS)
def test_bounds_of_one_integer_are_exact(bounds, make):
    x = make.event("x", integer(*bounds))
    values = range(bounds[0], bounds[1] + 1)
    assert kind(-x) == integer(min(-v for v in values), max(-v for v in values))
    assert kind(abs(x)) == integer(min(map(abs, values)), max(map(abs, values)))


def test_bounds_of_a_choice_of_an_argmax_and_of_an_entry(make):
    stimuli = make.event("stimuli", integer(0, 4), ("pair", 2))
    choice = make.event("choice", integer(0, 1))
    q = make.state("q", ("stimulus", 5))
    assert kind(f.where(choice == 0, choice, 7)) == integer(0, 7)
    assert kind(f.argmax(q)) == integer(0, 4)
    assert kind(stimuli[choice]) == integer(0, 4)
    assert q[stimuli[choice]].shape == ()


def test_an_integer_beyond_64_bits_is_refused(make):
    x = make.event("x", integer(0, 2**40))
    with pytest.raises(ModelError, match="64 bits"):
        x * x
    with pytest.raises(ModelError, match="64 bits"):
        integer(0, 2**63)


def test_bounds_must_be_ordered():
    with pytest.raises(ModelError, match="ordered"):
        integer(2, 1)


def test_an_integer_becomes_real_by_an_explicit_node(make):
    x, alpha = make.event("x", integer(0, 3)), make.parameter("alpha")
    assert (x + alpha).node.args[0].op == "to_real"
    assert kind(x / 2) == REAL and kind(x**2) == REAL and kind(f.exp(x)) == REAL
    assert (alpha + 1).node.args[1] is constant(1.0)
    assert f.to_float(alpha) is not None and f.to_float(alpha).node is alpha.node


def test_comparisons_are_bools_and_bools_only_choose(make):
    x, alpha = make.event("x", integer(0, 3)), make.parameter("alpha")
    assert kind(x < 2) == BOOL and kind(alpha >= x) == BOOL and kind((x == 1) | (x != 2)) == BOOL
    for wrong in (lambda: (x == 1) * alpha, lambda: (x == 1) + (x == 2), lambda: (x == 1) * 2, lambda: -(x == 1)):
        with pytest.raises(ModelError, match=r"not .*bool.*A bool only chooses: write rl.where\(x, 1, 0\)"):
            wrong()
    with pytest.raises(ModelError, match="'and' takes bool values"):
        (x == 1) & alpha
    with pytest.raises(ModelError, match=r"condition of 'where' must be a comparison \(bool\), not real"):
        f.where(alpha, 1, 2)
    with pytest.raises(ModelError, match="'where' takes real or int or bool values of one kind"):
        f.where(x == 1, alpha, x == 2)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, BOOL), (1, integer(1, 1)), (1.0, REAL), (np.float32(0.5), REAL), (np.int8(-3), integer(-3, -3)),
        (np.uint8(200), integer(200, 200)), (np.bool_(False), BOOL), ([1, 5, 3], integer(1, 5)), ([1, 0.5], REAL),
        ([[True], [False]], BOOL),
    ],
)  # fmt: skip
def test_constants_have_the_kind_of_their_values(value, expected):
    assert constant(value).kind == expected


@pytest.mark.parametrize("value", ["left", None, 1j, [], [[1], [1, 2]], object(), 2**70, np.uint64(2**63)])
def test_what_is_no_number_is_no_constant(value):
    with pytest.raises(ModelError):
        constant(value)
