"""The meaning of every operation against formulas that share no code with it, extremes included."""

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats

from rlbackends.expressions import REAL, integer
from rlbackends.expressions import functions as f
from rlbackends.expressions.numpy_table import apply, evaluate

INF = math.inf
POINTS = [-INF, -1e308, -800.0, -37.0, -1.0, -1e-300, -0.0, 0.0, 5e-324, 1e-9, 0.5, 1.0, 36.9, 709.0, 1e308, INF]
UNIT = [5e-324, 1e-300, 1e-9, 0.1, 0.5, 0.9, 1 - 1e-9, 1 - 2**-53]


def at(make_expression, make, *values):
    names = ["a", "b", "c"][: len(values)]
    expression = make_expression(*(make.parameter(name) for name in names))
    with np.errstate(all="ignore"):
        return float(evaluate(expression.node, dict(zip(names, map(np.float64, values), strict=True))))


def assert_near(actual, expected, tolerance=1e-15):
    assert actual == pytest.approx(expected, rel=tolerance, abs=0.0, nan_ok=True), (actual, expected)


def exact_sigmoid(x):
    if x > 700 or x < -745:
        return 1.0 if x > 0 else math.exp(max(x, -800.0))
    return 1 / (1 + math.exp(-x)) if x > -700 else math.exp(x)


ONE = {
    "neg": (lambda a: -a, lambda x: 0.0 - x, POINTS),
    "abs": (abs, math.fabs, POINTS),
    "exp": (f.exp, lambda x: math.exp(x) if x < 709.9 else INF, POINTS),
    "log": (f.log, math.log, [5e-324, 1e-9, 0.5, 1.0, 1e308, INF]),
    "log1p": (f.log1p, math.log1p, [-0.5, -1e-300, 0.0, 1e-9, 1.0, 1e308]),
    "sqrt": (f.sqrt, math.sqrt, [0.0, 5e-324, 0.25, 2.0, 1e308, INF]),
    "sigmoid": (f.sigmoid, exact_sigmoid, POINTS),
    "softplus": (f.softplus, lambda x: x if x > 40 else math.log1p(math.exp(x)), [p for p in POINTS if p > -700]),
    "tanh": (f.tanh, math.tanh, POINTS),
    "ndtr": (f.ndtr, lambda x: 0.5 * math.erfc(-x / math.sqrt(2)), [p for p in POINTS if abs(p) < 37]),
    "log_ndtr": (f.log_ndtr, lambda x: float(scipy.stats.norm.logcdf(x)), [-37.0, -5.0, -1.0, 0.0, 0.5, 9.0]),
    "ndtri": (f.ndtri, lambda p: float(scipy.stats.norm.ppf(p)), UNIT),
}
TWO = {
    "add": (lambda a, b: a + b, lambda a, b: a + b),
    "sub": (lambda a, b: a - b, lambda a, b: a - b),
    "mul": (lambda a, b: a * b, lambda a, b: a * b),
    "div": (lambda a, b: a / b, lambda a, b: a / b),
    "pow": (lambda a, b: a**b, math.pow),
    "maximum": (f.maximum, max),
    "minimum": (f.minimum, min),
    "lt": (lambda a, b: a < b, lambda a, b: a < b),
    "le": (lambda a, b: a <= b, lambda a, b: a <= b),
    "eq": (lambda a, b: a == b, lambda a, b: a == b),
}


@pytest.mark.parametrize("name", ONE)
def test_functions_of_one_number(name, make):
    ours, exact, points = ONE[name]
    assert ours(make.parameter("a")).node.op == name
    for point in points:
        assert_near(at(ours, make, point), exact(point), 2e-14 if "ndtr" in name else 4e-15)


@pytest.mark.parametrize("name", TWO)
def test_functions_of_two_numbers(name, make):
    ours, exact = TWO[name]
    assert ours(make.parameter("a"), make.parameter("b")).node.op == name
    for a in (0.25, 1.0, 3.0, 1e-200, 1e200):
        for b in (-2.5, -1.0, 0.5, 1.0, 3.0):
            try:
                expected = exact(a, b)
            except OverflowError:
                expected = INF
            assert_near(at(ours, make, a, b), float(expected))


def test_what_python_would_raise_is_ieee(make):
    assert at(lambda a, b: a / b, make, 1.0, 0.0) == INF
    assert math.isnan(at(lambda a, b: a / b, make, 0.0, 0.0))
    assert at(f.log, make, 0.0) == -INF
    assert math.isnan(at(f.log, make, -1.0))
    assert math.isnan(at(f.sqrt, make, -1.0))
    assert at(lambda a, b: a**b, make, 0.0, 0.0) == 1.0
    assert at(lambda a, b: a**b, make, -2.0, 3.0) == -8.0
    assert math.isnan(at(lambda a, b: a**b, make, -2.0, 0.5))
    assert at(f.sigmoid, make, -800.0) == 0.0 and at(f.sigmoid, make, -740.0) > 0.0
    assert at(f.softplus, make, -800.0) == 0.0 and at(f.softplus, make, 800.0) == 800.0
    assert at(lambda a: -f.softplus(-a), make, -800.0) == -800.0
    assert at(f.ndtri, make, 0.0) == -INF and at(f.ndtri, make, 1.0) == INF


def test_log_ndtr_far_into_the_tail(make):
    # Mills' ratio as a continued fraction, by hand: log ndtr(−x) = −x²/2 − log(x √(2π)) + log(1 − 1/x² + 3/x⁴ − …).
    x = 1e4
    expected = -x * x / 2 - math.log(x * math.sqrt(2 * math.pi)) + math.log1p(-1 / x**2 + 3 / x**4)
    assert_near(at(f.log_ndtr, make, -x), expected, 1e-13)
    assert_near(at(f.log_ndtr, make, 40.0), 0.0)


def test_logic_and_choices(make):
    table = [(False, False), (False, True), (True, False), (True, True)]
    for one, two in table:
        a, b = (0.0 if one else 1.0), (0.0 if two else 1.0)
        assert at(lambda a, b: (a < 0.5) & (b < 0.5), make, a, b) == (one and two)
        assert at(lambda a, b: (a < 0.5) | (b < 0.5), make, a, b) == (one or two)
        assert at(lambda a, b: ~(a < 0.5), make, a, b) == (not one)
        assert at(lambda a, b: f.where(a < 0.5, 2.0, b), make, a, b) == (2.0 if one else b)
    assert at(lambda a: f.where(a != a, 1.0, 2.0), make, math.nan) == 1.0
    assert math.isnan(at(f.maximum, make, math.nan, 1.0))


def array(expression, **leaves):
    with np.errstate(all="ignore"):
        return evaluate(expression.node, leaves)


def test_reductions_along_each_axis(make):
    x = make.state("x", ("a", 2), ("b", 3))
    values = np.array([[0.5, -1.0, 2.0], [3.0, 0.25, 3.0]])
    rows, columns = values.tolist(), values.T.tolist()
    for axis, lines in ((-1, rows), (0, columns), (1, rows), (-2, columns)):
        np.testing.assert_allclose(
            array(f.sum(x, axis=axis), x=values), [math.fsum(line) for line in lines], rtol=1e-15
        )
        np.testing.assert_array_equal(array(f.max(x, axis=axis), x=values), [max(line) for line in lines])
        np.testing.assert_array_equal(
            array(f.argmax(x, axis=axis), x=values), [line.index(max(line)) for line in lines]
        )
        expected = [math.log(math.fsum(map(math.exp, line))) for line in lines]
        np.testing.assert_allclose(array(f.logsumexp(x, axis=axis), x=values), expected, rtol=1e-15)
        soft = scipy.special.softmax(values, axis=axis)
        np.testing.assert_allclose(array(f.softmax(x, axis=axis), x=values), soft, rtol=1e-14)
        np.testing.assert_allclose(array(f.log_softmax(x, axis=axis), x=values), np.log(soft), rtol=1e-14)
    assert array(f.sum(x), x=values) == math.fsum([x for row in rows for x in row])
    np.testing.assert_allclose(array(f.mean(x, axis=0), x=values), values.mean(axis=0))
    np.testing.assert_allclose(array(f.dot(x, [1.0, 2.0, 3.0]), x=values), values @ [1.0, 2.0, 3.0])


def test_softmaxes_at_extremes(make):
    x = make.state("x", ("a", 3))
    huge = np.array([1e308, 0.0, -1e308])
    np.testing.assert_array_equal(array(f.softmax(x), x=huge), [1.0, 0.0, 0.0])
    np.testing.assert_array_equal(array(f.log_softmax(x), x=np.array([1000.0, 0.0, 1000.0]))[1], -1000.0 - math.log(2))
    masked = np.array([0.0, -INF, 0.0])
    np.testing.assert_allclose(array(f.log_softmax(x), x=masked), [-math.log(2), -INF, -math.log(2)])
    np.testing.assert_allclose(array(f.softmax(x), x=masked), [0.5, 0.0, 0.5])
    assert array(f.logsumexp(x), x=np.full(3, -INF)) == -INF
    assert array(f.logsumexp(x), x=np.array([INF, 0.0, 0.0])) == INF


def test_the_first_of_equal_entries_is_the_largest(make):
    x = make.state("x", ("a", 4))
    assert array(f.argmax(x), x=np.array([1.0, 3.0, 3.0, 3.0])) == 1


def test_one_hot_stack_and_conversions(make):
    choice = make.event("choice", integer(0, 2), ("pair", 2))
    np.testing.assert_array_equal(array(f.one_hot(choice, 3), choice=np.array([2, 0])), [[0, 0, 1], [1, 0, 0]])
    a, x = make.parameter("a"), make.state("x", ("a", 2))
    np.testing.assert_array_equal(array(f.stack(a, x, 5), a=1.0, x=np.array([2.0, 3.0])), [[1, 2, 5], [1, 3, 5]])
    result = array(f.to_float(choice), choice=np.array([2, 0]))
    assert result.dtype == np.float64


def test_changes_do_not_touch_their_argument(make):
    x = make.state("x", ("a", 2))
    values = np.array([1.0, 2.0])
    values.flags.writeable = False
    np.testing.assert_array_equal(array(x.at[0].add(1.0), x=values), [2.0, 2.0])
    np.testing.assert_array_equal(values, [1.0, 2.0])


def test_compositions(make):
    for x in (-2.0, -0.0, 0.0, 3.0):
        assert at(f.sign, make, x) == (x > 0) - (x < 0)
        assert at(lambda a: f.clip(a, -1.0, 1.0), make, x) == min(max(x, -1.0), 1.0)
    for p in (1e-9, 0.2, 0.5, 0.999):
        assert_near(at(f.logit, make, p), math.log(p / (1 - p)), 1e-13)


def test_elementwise_graphs_take_leading_axes(make):
    a, b = make.parameter("a"), make.parameter("b")
    draws = np.linspace(0.1, 0.9, 6).reshape(2, 3)
    result = array(f.where(a > 0.4, f.ndtr(a) * b, b / a), a=draws, b=np.array([1.0, 2.0, 3.0]))
    assert result.shape == (2, 3)
    assert result[1, 2] == pytest.approx(0.5 * math.erfc(-0.9 / math.sqrt(2)) * 3.0)


def test_flags_are_read_from_what_is_missing(make):
    rewards, choice = make.event("rewards", REAL, ("action", 2)), make.event("choice", integer(0, 1))
    leaves = {"rewards": np.zeros(2), "choice": np.int64(1)}
    for missing, expected in (([False, True], True), ([True, False], False)):
        flags = {"rewards": np.array(missing), "choice": np.False_}
        assert evaluate(f.is_missing(rewards[choice]).node, leaves, flags) == expected
        assert evaluate(f.is_missing(rewards).node, leaves, flags)
    with pytest.raises(NotImplementedError, match="is_missing"):
        apply(f.is_missing(choice).node, (1,))
