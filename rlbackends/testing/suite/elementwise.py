"""Rows of the operations that work entry by entry, and of the leaves."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy import special

import rlbackends as rl
from rlbackends.testing.suite.rows import Row, flat, of_one, of_two

_ROOT = math.sqrt(2.0 * math.pi)


def _density(x):
    """Return the standard normal density."""
    return np.exp(-0.5 * x * x) / _ROOT


LEAVES = (
    Row("parameter", lambda x: x, ({"x": -1.5}, {"x": 0.25}), lambda x: x),
    Row("const", lambda x: x * np.array([1.0, -2.5, 0.1]), ({"x": 0.7},), lambda x: x * np.array([1.0, -2.5, 0.1])),
    Row("event", lambda x: x, ({"x": [0.1, -2.0, 3.5]}, {"x": [1e-300, 1e300, 0.0]}), lambda x: x),
    # The state 'carried' is there in every model of rows, and starts at these values.
    Row("state", lambda x, carried: x * carried, ({"x": 0.3}, {"x": -4.0}), lambda x: x * np.array([0.5, -1.5, 2.0])),
    Row(
        "to_real", lambda i: rl.to_float(i), ({"i": 0}, {"i": 1}, {"i": 2}), lambda i: float(i), along={"i": "three"}
    ),
    Row(
        "is_missing",
        lambda x: rl.is_missing(x),
        ({"x": 1.0}, {"x": None}, {"x": 0.0}),
        lambda x: np.isnan(x),
        flat,
    ),
    Row(
        "is_missing",
        lambda x, i: rl.is_missing(x[i]),
        ({"x": [1.0, None, 2.0], "i": 0}, {"x": [1.0, None, 2.0], "i": 1}, {"x": [None, None, 0.0], "i": 2}),
        lambda x, i: np.isnan(x[i]),
        flat,
        {"i": "three"},
    ),
)
OF_ONE = (
    of_one("neg", lambda x: -x, (-1.3, 0.0, 1e300), lambda x: -x),
    of_one("abs", rl.abs, (-1.3, 0.0, -0.0, 2.5, -1e-300), np.fabs, lambda x: 0.0 if x == 0 else math.copysign(1, x)),
    of_one("exp", rl.exp, (-700.0, -1.0, 0.0, 0.3, 700.0, 800.0), np.exp, np.exp),
    of_one("log", rl.log, (1e-300, 0.3, 1.5, 1e300, 0.0, -1.0), lambda x: np.log(x), lambda x: 1.0 / x),
    of_one("log1p", rl.log1p, (-0.9, 1e-18, -1e-9, 0.0, 3.0, 1e300, -1.0), np.log1p, lambda x: 1.0 / (1.0 + x)),
    of_one("sqrt", rl.sqrt, (1e-300, 0.25, 2.0, 1e300, 0.0, -1.0), np.sqrt, lambda x: 0.5 * x**-0.5),
    of_one(
        "sigmoid", rl.sigmoid, (-700.0, -40.0, -1.3, 0.0, 0.7, 40.0, 800.0),
        special.expit, lambda x: special.expit(x) * special.expit(-x),
    ),
    of_one(
        "softplus", rl.softplus, (-700.0, -40.0, -1.3, 0.0, 0.7, 40.0, 800.0),
        lambda x: np.logaddexp(0.0, x), special.expit,
    ),
    of_one(
        "tanh", rl.tanh, (-400.0, -1.2, 1e-9, 0.0, 0.3, 15.0), np.tanh,
        lambda x: 1.0 / np.cosh(np.clip(x, -350, 350)) ** 2,
    ),
    of_one(
        "ndtr", rl.ndtr, (-37.0, -8.0, -1.0, 0.0, 0.6, 8.0), lambda x: 0.5 * special.erfc(-x / math.sqrt(2)), _density
    ),
    of_one(
        "log_ndtr", rl.log_ndtr, (-1e3, -20.0, -5.0, -1.0, 0.0, 0.6, 3.0), special.log_ndtr,
        # The inverse of Mills' ratio, by the scaled complementary error function.
        lambda x: math.sqrt(2 / math.pi) / special.erfcx(-x / math.sqrt(2)),
    ),
    of_one(
        "ndtri", rl.ndtri, (1e-300, 1e-10, 0.02, 0.7, 0.999, 0.0, 1.0), special.ndtri,
        lambda p: 1.0 / _density(special.ndtri(p)),
    ),
)  # fmt: skip

_SCALARS = ((0.7, 2.0), (-1.8, 1.1), (3.0, -0.5))
_SHAPES = (((1.4, [0.6, 1.9, -2.7]),), (([0.6, 1.9, 2.7], [[1.1, 2.2, -3.4], [0.5, 0.8, 1.6]]),))


def _arithmetic(operation, expression, value, slopes=None, more=()):
    """Return rows of an operation of two values: numbers, edges, and shapes, which meet from the right."""
    shaped = of_two(operation, expression, (([0.3, 1.5], [0.25, -2.0, 1.0]),), value, slopes)

    def column(at):
        return {**at, "a": at["a"][:, None]}

    across = replace(
        shaped,
        expression=lambda a, b: expression(a[:, None], b),
        value=lambda a, b: value(a[:, None], b),
        slope=shaped.slope and (lambda at, to: shaped.slope(column(at), column(to))),
    )
    points = (_SCALARS + tuple(more), *_SHAPES)
    return (*(of_two(operation, expression, these, value, slopes) for these in points), across)


ARITHMETIC = (
    *_arithmetic("add", lambda a, b: a + b, lambda a, b: a + b, more=((1e300, -1e300), (0.0, -0.0))),
    *_arithmetic("sub", lambda a, b: a - b, lambda a, b: a - b, more=((0.3, 0.3), (0.0, -0.0))),
    *_arithmetic("mul", lambda a, b: a * b, lambda a, b: a * b, more=((0.0, 0.0), (1e-200, -1e200))),
    *_arithmetic(
        "div", lambda a, b: a / b, np.true_divide, lambda a, b: (1.0 / b, -a / b / b),
        ((1e-200, 1e100), (1.0, 0.0), (0.0, 0.0)),
    ),
    *_arithmetic(
        "maximum", rl.maximum, lambda a, b: np.where(a >= b, a, b),
        lambda a, b: (np.where(a >= b, 1.0, 0.0), np.where(a >= b, 0.0, 1.0)), ((0.5, 0.5), (0.0, 0.0), (-1e300, 1.0)),
    ),
    *_arithmetic(
        "minimum", rl.minimum, lambda a, b: np.where(a <= b, a, b),
        lambda a, b: (np.where(a <= b, 1.0, 0.0), np.where(a <= b, 0.0, 1.0)), ((0.5, 0.5), (0.0, 0.0), (1e300, 1.0)),
    ),
    of_two(
        "pow", lambda a, b: a**b, ((0.3, 0.5), (2.0, 3.0), (1e-100, 2.5), (1.7, -1.2), (0.0, 2.0), (0.0, 1.0)),
        np.power,
        lambda a, b: (b * np.power(a, b - 1.0), np.where(a > 0, a**b * np.log(np.where(a > 0, a, 1.0)), 0.0)),
    ),
    # 0 ** 0 is 1 and flat; nothing flows to the exponent of a base that is not positive.
    of_two("pow", lambda a, b: a**b, ((0.0, 0.0),), lambda a, b: 1.0, lambda a, b: (0.0, 0.0)),
    of_two("pow", lambda a, b: a**b, ((-2.0, 3.0),), lambda a, b: -8.0, lambda a, b: (12.0, 0.0)),
    of_two("pow", lambda a, b: a**b, (([0.3, 1.9, 2.7], 1.5),), np.power),
    Row("pow", lambda x: x**2, ({"x": -3.0}, {"x": 0.0}), lambda x: x * x),
)  # fmt: skip

_PAIRS = ((1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (-0.0, 0.0), (1e-300, 0.0))
_ROWS = (([1.0, 2.0, 3.0], 2.0),)
_CODES = tuple({"i": i, "j": j} for i in range(3) for j in range(3))
_BOTH = {"i": "three", "j": "three"}


def _comparison(operation, expression, value):
    """Return rows of a comparison: of numbers, of arrays, of integers."""
    return (
        Row(operation, expression, tuple({"a": a, "b": b} for a, b in _PAIRS), value, flat),
        Row(operation, expression, tuple({"a": a, "b": b} for a, b in _ROWS), value, flat),
        Row(operation, lambda i, j: expression(i, j), _CODES, lambda i, j: value(i, j), along=_BOTH),
    )


_TRUTH = tuple({"p": p, "q": q} for p in (False, True) for q in (False, True))
CHOICES = (
    *_comparison("lt", lambda a, b: a < b, lambda a, b: a < b),
    *_comparison("le", lambda a, b: a <= b, lambda a, b: a <= b),
    *_comparison("eq", lambda a, b: a == b, lambda a, b: a == b),
    Row("and", lambda p, q: p & q, _TRUTH, lambda p, q: p and q),
    Row("or", lambda p, q: p | q, _TRUTH, lambda p, q: p or q),
    Row("and", lambda p, q: p & q, ({"p": [True, False, True], "q": True},), lambda p, q: np.logical_and(p, q)),
    Row("not", lambda p: ~p, ({"p": False}, {"p": True}), lambda p: not p),
    Row(
        "where",
        lambda p, a, b: rl.where(p, a, b),
        ({"p": True, "a": 1.5, "b": -2.0}, {"p": False, "a": 1.5, "b": -2.0}),
        lambda p, a, b: a if p else b,
    ),
    Row(
        "where",
        lambda p, a, b: rl.where(p, a, b),
        ({"p": [True, False, True], "a": 1.5, "b": [0.1, 0.2, 0.3]},),
        lambda p, a, b: np.where(p, a, b),
    ),
    # Nothing flows out of the branch that was not taken, though its slope is infinite.
    Row("where", lambda x: rl.where(x > 0, rl.log(x), 0.0), ({"x": 0.0}, {"x": -1.0}), lambda x: 0.0, flat),
    Row("where", lambda x: rl.where(x > 0, rl.sqrt(x), x), ({"x": 0.0}, {"x": -1.0}), lambda x: x),
)
ELEMENTWISE = (*LEAVES, *OF_ONE, *ARITHMETIC, *CHOICES)
