"""Guards: where a branch is not taken, no partial operation sees an argument that it can't bear."""

import math

import numpy as np
import pytest

from rlbackends.backends.reference.tape import Cell, Tape
from rlbackends.expressions import constant, walk
from rlbackends.expressions import functions as f
from rlbackends.expressions.numpy_table import apply, constant_value
from rlbackends.expressions.operations import is_total
from rlbackends.expressions.passes import guard

GRID = np.array([-800.0, -2.0, -0.5, -0.0, 0.0, 0.3, 1.0, 2.5, 800.0])
GOOD = {
    "log": lambda x: x > 0, "log1p": lambda x: x > -1, "sqrt": lambda x: x > 0, "exp": lambda x: x < 700,
    "ndtri": lambda p: (p > 0) & (p < 1),
}  # fmt: skip


def compute(root, leaves):
    """Return the value of a graph and the partial operations that met an argument they can't bear."""
    values, bad = {}, []
    with np.errstate(all="ignore"):
        for node in walk(root):
            if node.op == "const":
                values[node] = constant_value(node)
                continue
            if node.op in ("parameter", "state", "event"):
                values[node] = np.asarray(leaves[node.attr("name")], dtype=float)
                continue
            args = tuple(values[arg] for arg in node.args)
            values[node] = apply(node, args)
            if node.op in GOOD and not np.all(GOOD[node.op](args[0])):
                bad.append(node)
            if node.op == "div" and np.any(args[1] == 0):
                bad.append(node)
            if node.op == "pow" and not is_total(node) and not np.all(np.isfinite(values[node])):
                bad.append(node)
    return values[root], bad


def gradient(root, leaves):
    """Return the gradient of the sum of a graph, from derivatives that are all computed and then multiplied."""
    tape, values = Tape(record=True), {}
    with np.errstate(all="ignore"):
        for node in walk(root):
            if not node.args:
                raw = constant_value(node) if node.op == "const" else np.asarray(leaves[node.attr("name")], dtype=float)
                values[node] = Cell(raw)
            else:
                parents = tuple(values[arg] for arg in node.args)
                values[node] = tape.cell(node, parents, apply(node, tuple(p.value for p in parents)))
        values[root].gradient = np.ones(np.shape(values[root].value))
        tape.back()
    return {node: cell.gradient for node, cell in values.items() if node.op in ("parameter", "state")}


def check(expression, **grids):
    """Compare the guarded graph with the plain one at every point; return how many points the guard was needed at."""
    plain, guarded, needed = expression.node, guard(expression.node), 0
    names = list(grids)
    for point in np.stack(np.meshgrid(*grids.values(), indexing="ij"), axis=-1).reshape(-1, *[len(names)]):
        leaves = {name: value for name, value in zip(names, point, strict=True)}
        before, bad_before = compute(plain, leaves)
        after, bad_after = compute(guarded, leaves)
        np.testing.assert_array_equal(after, before)
        needed += bool(bad_before)
        assert bad_after == [], (leaves, bad_after)
        assert all(g is None or np.all(np.isfinite(g)) for g in gradient(guarded, leaves).values())
    assert guard(guarded) is guarded or compute(guard(guarded), leaves)[1] == []
    return needed


@pytest.fixture
def x(make):
    return make.parameter("x")


@pytest.fixture
def y(make):
    return make.parameter("y")


def test_the_example_of_the_documentation(x):
    plain = f.where(x > 0, f.log(x), 0.0)
    assert guard(plain.node) is f.where(x > 0, f.log(f.where(x > 0, x, 1.0)), 0.0).node


def test_nothing_is_guarded_without_a_branch_or_without_need(x, y):
    for expression in (f.log(x) + f.sqrt(y), f.where(x > 0, x / 2, y**2), f.where(x > 0, f.sigmoid(x), f.tanh(y))):
        assert guard(expression.node) is expression.node


@pytest.mark.parametrize(
    "rule",
    [
        lambda x, y: f.where(x > 0, f.log(x), y),
        lambda x, y: f.where(x <= 0, y, f.log(x)),
        lambda x, y: f.where(x > 0, f.sqrt(x), -1.0),
        lambda x, y: f.where(x > -1, f.log1p(x), y),
        lambda x, y: f.where(x != 0, y / x, 0.0),
        lambda x, y: f.where(x == 0, 0.0, y / x),
        lambda x, y: f.where(x < 10, f.exp(x), 0.0),
        lambda x, y: f.where((x > 0) & (x < 1), f.ndtri(x), y),
        lambda x, y: f.where((x > 0) & (y < 3) & (y > -3), x**y, 0.0),
        lambda x, y: f.where(~(x > 0), y, f.log(x) * f.log(x) + f.sqrt(f.log(x) * f.log(x) + 1.0)),
    ],
)
def test_one_branch(rule, x, y):
    assert check(rule(x, y), x=GRID, y=np.array([-2.0, 0.0, 2.0])) > 0


def test_nested_branches(x, y):
    inner = f.where(y > 0, f.log(y), f.sqrt(-y + 1e-3))
    rule = f.where(x > 0, f.log(x) + inner, f.where(x < -1, f.log(-x), 0.0))
    assert check(rule, x=GRID, y=GRID) > 0


def test_a_partial_operation_in_the_condition_of_a_branch(x, y):
    rule = f.where(x > 0, f.where(f.log(x) > 0.5, f.sqrt(f.log(x)), y), 0.0)
    assert check(rule, x=GRID, y=np.array([1.0])) > 0


def test_a_part_that_both_branches_use_needs_no_guard(x, y):
    shared = f.log(x * x + 1.0)
    node = f.where(y > 0, shared, shared * 2.0).node
    assert guard(node) is node


def test_a_part_with_two_users_is_guarded_by_either(x, y):
    log_x = f.log(x)
    rule = f.where(x > 1, log_x, 0.0) + f.where((x > 0) & (y > 0), log_x * y, 1.0)
    guarded = guard(rule.node)
    assert sum(node.op == "log" for node in walk(guarded)) == 1
    assert check(rule, x=GRID, y=np.array([-1.0, 1.0])) > 0


def test_vector_conditions(make, x):
    q = make.state("q", ("action", 4))
    leaves = {"q": np.array([-1.0, 0.0, 0.5, 2.0]), "x": 0.0}
    for rule in (
        f.where(q > 0, f.log(q), 0.0),
        f.where(q > 0, f.log(q) / q, x),
        f.where(q > 5, f.log(x), q),
        f.where(q > 0, f.sum(f.where(q > 0, f.sqrt(q), 0.0)), 0.0),
        f.where(q > 5, q / x, q),
    ):
        before, bad_before = compute(rule.node, leaves)
        after, bad_after = compute(guard(rule.node), leaves)
        np.testing.assert_array_equal(after, before)
        assert bad_before and not bad_after
        assert all(np.all(np.isfinite(g)) for g in gradient(guard(rule.node), leaves).values() if g is not None)


def test_reductions_and_subscripts_within_a_branch(make, x):
    table = make.state("table", ("stimulus", 3), ("action", 2))
    leaves = {"table": np.array([[-1.0, 2.0], [0.5, 0.5], [0.0, 3.0]]), "x": -1.0}
    ok = f.stack(0.0, 1.0, 0.0) > 0.5  # only the second stimulus has a logarithm everywhere
    for rule in (
        f.where(ok, f.sum(f.log(table), axis=-1), 0.0),
        f.where(ok, f.max(f.log(table), axis=-1), 0.0),
        f.where(ok, f.logsumexp(f.sqrt(table), axis=1), 0.0),
        f.where(x > 0, f.sum(f.log(table)), 0.0),
        f.where(x > 0, f.log(table)[0, 1], 0.0),
        f.where(x > 0, f.softmax(f.log(table))[0], 0.0),
        f.where(x > 0, f.log(x) * f.one_hot(1, 2), 0.0),
        f.where(x > 0, table.at[0, 0].add(f.log(x)), table),
        f.where(x > 0, f.stack(f.log(x), f.sqrt(x)), 0.0),
        f.where(x > 0, f.log(table)[:, None], 0.0),
    ):
        before, bad_before = compute(rule.node, leaves)
        after, bad_after = compute(guard(rule.node), leaves)
        np.testing.assert_array_equal(after, before)
        assert bad_before and not bad_after, rule
        assert all(np.all(np.isfinite(g)) for g in gradient(guard(rule.node), leaves).values() if g is not None)


def test_many_nested_choices_stay_small(x):
    """Each step uses the last one in both branches: guarded by path, this would double at every step."""
    value = f.log(x)
    for i in range(40):
        value = f.where(x > i, f.sqrt(value * value + 1.0), f.log(value * value + 2.0))
    guarded = guard(f.where(x > 0, value, 0.0).node)
    assert len(list(walk(guarded))) < 1500
    assert compute(guarded, {"x": -3.0})[1] == []


def test_deep_graphs_need_no_recursion(x):
    value = f.where(x > 0, f.log(x), 0.0)
    for _ in range(5000):
        value = value + 1.0
    assert compute(guard(value.node), {"x": 0.0})[0] == 5000.0


def test_a_constant_is_not_guarded(x):
    node = f.where(x > 0, f.log(constant(0.0)), 1.0).node
    assert guard(node) is node
    assert math.isclose(float(compute(node, {"x": -1.0})[0]), 1.0)
