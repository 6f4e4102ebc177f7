"""The normative derivatives: of every operation against differences, and at ties what the design says."""

import math

import numpy as np
import pytest

from rlbackends.backends.reference.tape import Cell, Tape
from rlbackends.expressions import functions as f
from rlbackends.expressions import integer, walk
from rlbackends.expressions.numpy_table import apply, constant_value, evaluate

RNG = np.random.default_rng(20261122)
# Eight-order central differences with this step: truncation and rounding are both below 1e-10 of the value.
STEP, WEIGHTS = 2e-2, {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}


def slopes(expression, leaves, weight):
    """Return the gradient of ``sum(weight * expression)`` by every real leaf."""
    tape, cells = Tape(record=True), {}
    with np.errstate(all="ignore"):
        for node in walk(expression.node):
            if node.op == "const":
                cells[node] = Cell(constant_value(node))
            elif not node.args:
                cells[node] = Cell(np.asarray(leaves[node.attr("name")]))
            else:
                parents = tuple(cells[arg] for arg in node.args)
                cells[node] = tape.cell(node, parents, apply(node, tuple(p.value for p in parents)))
        root = cells[expression.node]
        root.gradient = weight * np.ones(np.shape(root.value))
        tape.back()
    zero = {name: np.zeros(np.shape(value)) for name, value in leaves.items()}
    found = {node.attr("name"): cell.gradient for node, cell in cells.items() if not node.args and node.op != "const"}
    return {name: zero[name] if found.get(name) is None else found[name] for name in leaves}


def differences(expression, leaves, weight, name, step=STEP):
    """Return the same gradient by one leaf, from values alone."""
    result = np.zeros(np.shape(leaves[name]))
    for index in np.ndindex(result.shape):
        for distance, factor in WEIGHTS.items():
            for sign in (1, -1):
                moved = np.array(leaves[name], dtype=float)
                moved[index] += sign * distance * step
                value = np.sum(weight * evaluate(expression.node, {**leaves, name: moved}))
                result[index] += sign * factor * value / step
    return result


def check(expression, tolerance=1e-9, step=STEP, **leaves):
    leaves = {name: np.asarray(value) for name, value in leaves.items()}
    weight = RNG.normal(size=expression.shape)
    found = slopes(expression, leaves, weight)
    for name, value in leaves.items():
        if value.dtype.kind == "f":
            expected = differences(expression, leaves, weight, name, step)
            assert np.shape(found[name]) == value.shape
            np.testing.assert_allclose(
                found[name], expected, rtol=tolerance, atol=tolerance, err_msg=f"{expression} by {name}"
            )


UNARY = {
    "neg": (lambda a: -a, [-1.3, 0.4]), "abs": (f.abs, [-1.3, 0.4]), "exp": (f.exp, [-2.0, 1.2]),
    "log": (f.log, [0.7, 3.0]), "log1p": (f.log1p, [-0.4, 3.0]), "sqrt": (f.sqrt, [0.8, 5.0]),
    "sigmoid": (f.sigmoid, [-3.0, 0.2, 6.0]), "softplus": (f.softplus, [-3.0, 0.2, 6.0]),
    "tanh": (f.tanh, [-1.5, 0.1, 2.0]), "ndtr": (f.ndtr, [-2.5, 0.3]), "log_ndtr": (f.log_ndtr, [-20.0, -1.0, 2.0]),
    "ndtri": (f.ndtri, [0.3, 0.6]),
}  # fmt: skip
BINARY = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b, "maximum": f.maximum, "minimum": f.minimum,
    "where": lambda a, b: f.where(a < b, a * b, b),
}  # fmt: skip


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name, make):
    function, points = UNARY[name]
    for point in points:
        check(function(make.parameter("a")), a=float(point), step=1e-3 if name == "ndtri" else STEP / 2, tolerance=1e-8)


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_numbers(name, make):
    expression = BINARY[name](make.parameter("a"), make.parameter("b"))
    for a, b in [(0.7, 2.0), (1.8, 1.1), (3.0, 0.5)]:
        check(expression, a=a, b=b, step=5e-3, tolerance=1e-8)


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "maximum", "minimum"])
def test_gradients_of_what_was_broadcast_are_summed(name, make):
    a, q, t = make.parameter("a"), make.state("q", ("x", 3)), make.state("t", ("y", 2), ("x", 3))
    values = {"a": 1.4, "q": np.array([0.6, 1.9, 2.7]), "t": np.array([[1.1, 2.2, 3.4], [0.5, 0.8, 1.6]])}
    one = {k: values[k] for k in ("a", "q")}
    check(BINARY[name](a, q), **one, step=5e-3, tolerance=1e-8)
    check(BINARY[name](q, t), q=values["q"], t=values["t"], step=5e-3, tolerance=1e-8)
    check(BINARY[name](t, a), a=values["a"], t=values["t"], step=5e-3, tolerance=1e-8)
    if name not in ("maximum", "minimum"):  # which tie on the diagonal
        check(BINARY[name](q[:, None], q), q=values["q"], step=5e-3, tolerance=1e-8)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("reduce", [f.sum, f.max, f.mean, f.logsumexp, f.softmax, f.log_softmax])
def test_along_an_axis(reduce, axis, make):
    t = make.state("t", ("y", 2), ("x", 3))
    check(reduce(t, axis=axis), t=np.array([[0.1, -0.7, 1.3], [0.9, 0.4, -2.0]]))


def test_indexing(make):
    t, a = make.state("t", ("y", 3), ("x", 2)), make.parameter("a")
    i, pair = make.event("i", integer(0, 1)), make.event("pair", integer(0, 2), ("pair", 2))
    leaves = {"t": RNG.normal(size=(3, 2)), "a": 0.4, "i": np.int64(1), "pair": np.array([2, 0])}
    for expression in (
        t[2, i] * a, t[pair] * a, t[pair, i] * a, t[:, i] + a, t[[0, 0, 2]] * a, t[..., None] * a, t[None, 1] * a,
        t.at[i].add(a * a), t.at[2, i].set(a), t.at[pair].add(t[0] * a), t.at[pair, 0].set(a), t.at[:, i].set(t[:, 0]),
        t.at[0].set(a).at[0].add(t[1]), f.stack(a, t[0, 0], 2.0) * a, f.stack(a, t[0]), f.one_hot(i, t) * t[1] * a,
    ):  # fmt: skip
        check(expression, **leaves)


def test_a_composition(make):
    q, alpha, beta = make.state("q", ("action", 3)), make.parameter("alpha"), make.parameter("beta")
    choice, reward = make.event("choice", integer(0, 2)), make.event("reward")
    new = q.at[choice].add(alpha * f.where(reward > q[choice], f.sqrt(alpha), 1.0) * (reward - q[choice]))
    check(f.log_softmax(beta * new)[choice], q=[0.2, 0.6, -0.3], alpha=0.4, beta=2.0, choice=np.int64(1), reward=1.0)


def gradient(expression, **leaves):
    return slopes(expression, {k: np.asarray(v, dtype=float) for k, v in leaves.items()}, 1.0)


def test_ties_are_normative(make):
    a, b, q = make.parameter("a"), make.parameter("b"), make.state("q", ("action", 4))
    assert gradient(abs(a), a=0.0)["a"] == 0.0
    assert gradient(abs(a), a=-0.0)["a"] == 0.0
    for larger in (f.maximum, f.minimum):
        tied = gradient(larger(a, b), a=0.5, b=0.5)
        assert (tied["a"], tied["b"]) == (1.0, 0.0)
    np.testing.assert_array_equal(gradient(f.max(q), q=[1.0, 3.0, 3.0, 3.0])["q"], [0.0, 1.0, 0.0, 0.0])
    np.testing.assert_array_equal(gradient(f.max(q), q=np.zeros(4))["q"], [1.0, 0.0, 0.0, 0.0])
    clipped = gradient(f.clip(a, 0.0, 1.0), a=0.0)["a"]
    assert clipped == 1.0


def test_max_of_ties_in_every_row(make):
    t = make.state("t", ("y", 2), ("x", 3))
    np.testing.assert_array_equal(gradient(f.max(t), t=np.ones((2, 3)))["t"], [[1, 0, 0], [1, 0, 0]])
    np.testing.assert_array_equal(gradient(f.max(t, axis=0), t=np.ones((2, 3)))["t"], [[1, 1, 1], [0, 0, 0]])


def test_nothing_flows_through_indices_comparisons_and_flags(make):
    q, a = make.state("q", ("action", 3)), make.parameter("a")
    found = gradient(
        f.where(a > 0.5, 1.0, 0.0) + f.to_float(f.argmax(q)) + q[f.argmax(q)] * 0.0, q=[0.1, 0.9, 0.3], a=0.2
    )
    assert found["a"] == 0.0
    np.testing.assert_array_equal(found["q"], np.zeros(3))


def test_a_branch_not_taken_leaves_no_nan(make):
    x = make.parameter("x")
    for part in (f.log(x), f.sqrt(x), 1.0 / x, x**0.5, f.ndtri(x)):
        assert gradient(f.where(x > 0, part, 0.0), x=0.0)["x"] == 0.0
    assert gradient(f.where(x < 1, 0.0, f.exp(x)) * 1.0, x=-5.0)["x"] == 0.0


def test_extremes_are_finite(make):
    x, y = make.parameter("x"), make.parameter("y")
    assert gradient(-f.softplus(-x), x=-800.0)["x"] == 1.0
    assert gradient(f.log_ndtr(x), x=-1e4)["x"] == pytest.approx(1e4, rel=1e-7)
    assert gradient(f.sigmoid(x), x=-700.0)["x"] == pytest.approx(math.exp(-700.0), rel=1e-12)
    assert gradient(f.tanh(x), x=400.0)["x"] == 0.0
    power = gradient(x**y, x=0.0, y=2.0)
    assert (power["x"], power["y"]) == (0.0, 0.0)
    assert gradient(x**y, x=0.0, y=0.0)["x"] == 0.0
    assert gradient(x**2, x=-3.0)["x"] == -6.0
    q = make.state("q", ("action", 3))
    masked = f.log_softmax(f.where(f.stack(0.0, 1.0, 1.0) > 0.5, q, -math.inf))
    found = gradient(masked[1], q=[5.0, 0.0, 0.0])["q"]
    np.testing.assert_allclose(found, [0.0, 0.5, -0.5])
