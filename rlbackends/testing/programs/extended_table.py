"""The meaning of every operation at many digits, entry by entry, on arrays of mpmath's numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import Any

import numpy as np

from rlbackends.expressions.node import Node

MISSING = object()
"""Stands for what needs a missing value."""


def _context(digits: int) -> Any:
    try:
        import mpmath
    except ImportError:
        raise ImportError(
            "evaluating a model at many digits needs mpmath, which is not installed here. "
            "Install it with: pip install mpmath"
        ) from None
    context = mpmath.mp.clone()  # mpmath's own precision stays as it is
    context.dps = digits
    return context


class Table:
    """Operations on arrays of numbers with many digits.

    A number may have a tiny imaginary part: what comes of it is the derivative (a complex step).

    Parameters
    ----------
    digits : int
        Significant decimal digits; numbers that agree in as many are equal, so that what is equal in theory ties.
    """

    def __init__(self, digits: int) -> None:
        self._mp = _context(digits + 10)  # the last ten are rounding's
        self._tie = self._mp.mpf(10) ** -digits
        self._step = self._tie**2
        self._infinity = self._mp.inf
        one = self._each
        self._elementwise: Mapping[str, Callable[..., Any]] = {
            "add": one(lambda a, b: a + b), "sub": one(lambda a, b: a - b), "mul": one(lambda a, b: a * b),
            "div": one(self._div), "pow": one(self._pow), "neg": one(lambda a: -a), "abs": one(self._abs),
            "exp": one(self._exp), "log": one(self._log), "log1p": one(lambda a: self._log(1 + a)),
            "sqrt": one(self._sqrt), "sigmoid": one(lambda a: 1 / (1 + self._exp(-a))),
            "softplus": one(self._softplus), "tanh": one(lambda a: 2 / (1 + self._exp(-2 * a)) - 1),
            "ndtr": one(self._ndtr),
            "log_ndtr": one(lambda a: self._log(self._ndtr(a))), "ndtri": one(self._ndtri),
            "maximum": one(lambda a, b: a if self._order(a, b) >= 0 else b),
            "minimum": one(lambda a, b: a if self._order(a, b) <= 0 else b),
            "lt": one(lambda a, b: self._order(a, b) < 0), "le": one(lambda a, b: self._order(a, b) <= 0),
            "eq": one(lambda a, b: self._order(a, b) == 0), "and": one(lambda a, b: a and b),
            "or": one(lambda a, b: a or b), "not": one(lambda a: not a), "where": one(lambda c, a, b: a if c else b),
            "to_real": one(self._mp.mpf),
        }  # fmt: skip
        self._along: Mapping[str, Callable[[list[Any]], Any]] = {
            "sum": lambda row: sum(row, self._mp.mpf(0)), "max": lambda row: row[self._first_largest(row)],
            "argmax": self._first_largest, "logsumexp": self._logsumexp,
        }  # fmt: skip
        self._normalised: Mapping[str, Callable[[list[Any]], list[Any]]] = {
            "softmax": lambda row: [self._exp(x - self._logsumexp(row)) for x in row],
            "log_softmax": lambda row: [x - self._logsumexp(row) for x in row],
        }

    # In and out

    def real(self, value: float) -> Any:
        """Return a number."""
        return self._mp.mpf(float(value))

    def stepped(self, value: float) -> Any:
        """Return a number that the derivative is taken by."""
        return self._mp.mpc(float(value), self._step)

    def given(self, array: np.ndarray) -> np.ndarray:
        """Return an array of constants or data: reals at many digits, integers and truth values as they are."""
        convert = self.real if array.dtype.kind == "f" else lambda value: value
        return _each_of(convert, np.asarray(array.tolist(), dtype=object))

    def number(self, value: Any) -> float:
        """Return a number rounded to a float."""
        return float(_re(value))

    def slope(self, value: Any) -> float:
        """Return the derivative that a number carries."""
        return float(self._mp.im(value) / self._step)

    def rounded(self, array: np.ndarray) -> np.ndarray:
        """Return an array rounded to floats, NaN where there is no value."""
        return np.array(_each_of(lambda v: np.nan if v is None else self.number(v), array), dtype=np.float64)

    # Operations

    def apply(self, node: Node, arguments: Sequence[Any]) -> Any:
        """Return an operation's value."""
        if node.op in self._elementwise:
            return self._elementwise[node.op](*arguments)
        if node.op in self._along:
            return _along(self._along[node.op], np.asarray(arguments[0], dtype=object), node.attr("axis"))
        if node.op in self._normalised:
            return _rows(self._normalised[node.op], np.asarray(arguments[0], dtype=object), node.attr("axis"))
        shaped: Mapping[str, Callable[..., Any]] = {
            "gather": self._gather, "at_add": self._change, "at_set": self._change, "one_hot": self._one_hot,
            "stack": self._stack, "expand": self._expand,
        }  # fmt: skip
        return shaped[node.op](node, *(np.asarray(argument, dtype=object) for argument in arguments))

    def subscript(self, node: Node, indices: Sequence[Any]) -> tuple[Any, ...]:
        """Return a NumPy subscript from a pattern and the values of its indices."""
        rest = iter(indices)
        pattern = node.attr("pattern")
        return tuple(slice(None) if letter == ":" else np.array(next(rest), dtype=np.int64)[()] for letter in pattern)

    def log_probability(self, family: str, value: Any, arguments: Mapping[str, Any]) -> np.ndarray:
        """Return the log-probability of a response's entries, by the family's textbook formula."""
        if family == "categorical":
            row = list(next(iter(arguments.values())))
            return np.array(row[int(value)] - self._logsumexp(row), dtype=object)
        if family == "normal":
            y = self.given(np.asarray(value, dtype=float))
            return self._each(self._normal)(y, arguments["mean"], arguments["sd"])
        found = self._each(lambda y, x: -self._softplus(-x) if y == 1 else -self._softplus(x))(
            np.asarray(np.asarray(value).tolist(), dtype=object), arguments["logits"]
        )
        if "where" in arguments:
            found = self._each(lambda c, x: x if c else self._mp.mpf(0))(arguments["where"], found)
        return found

    def _normal(self, y: Any, mean: Any, sd: Any) -> Any:
        return -(((y - mean) / sd) ** 2) / 2 - self._log(sd) - self._mp.log(2 * self._mp.pi) / 2

    # One entry

    def _each(self, function: Callable[..., Any]) -> Callable[..., np.ndarray]:
        return lambda *arrays: _each_of(function, *arrays)

    def _div(self, a: Any, b: Any) -> Any:
        if b == 0:
            return self._mp.nan if _re(a) == 0 else self._infinity * (1 if _re(a) > 0 else -1)
        return a / b

    def _pow(self, a: Any, b: Any) -> Any:
        if _re(a) > 0:
            return self._mp.exp(b * self._mp.log(a))
        if _re(b) != self._mp.floor(_re(b)):
            return self._mp.nan if _re(a) < 0 else self._mp.mpf(0) if _re(b) > 0 else self._infinity
        whole = int(_re(b))
        return self._infinity if a == 0 and whole < 0 else a**whole

    def _order(self, a: Any, b: Any) -> int:
        """Return -1, 0 or 1, as ``a`` is below, equal to or above ``b``; 2 where one is no number."""
        a, b = _re(a), _re(b)
        if a != a or b != b:
            return 2
        if a == b or abs(a - b) <= self._tie * max(1, min(abs(a), abs(b))):
            return 0
        return 1 if a > b else -1

    def _first_largest(self, row: Sequence[Any]) -> int:
        best = 0
        for place, value in enumerate(row):
            if self._order(value, row[best]) > 0:
                best = place
        return best

    def _abs(self, a: Any) -> Any:
        return self._order(a, 0) * a

    def _exp(self, a: Any) -> Any:
        if _re(a) == -self._infinity:
            return self._mp.mpf(0)
        return self._infinity if _re(a) == self._infinity else self._mp.exp(a)

    def _log(self, a: Any) -> Any:
        if a == 0:
            return -self._infinity
        return self._mp.nan if _re(a) < 0 else self._mp.log(a)

    def _sqrt(self, a: Any) -> Any:
        return self._mp.nan if _re(a) < 0 else self._mp.sqrt(a)

    def _softplus(self, a: Any) -> Any:
        return a + self._softplus(-a) if _re(a) > 0 else self._mp.log(1 + self._exp(a))

    def _ndtr(self, a: Any) -> Any:
        # mpmath's erfc of a complex number loses a tiny imaginary part; the density carries it.
        return self._mp.erfc(-_re(a) / self._mp.sqrt(2)) / 2 + self._imaginary(a) * self._mp.npdf(_re(a))

    def _ndtri(self, p: Any) -> Any:
        at = _re(p)
        if not 0 < at < 1:
            return {0: -self._infinity, 1: self._infinity}.get(at, self._mp.nan)
        x = self._mp.mpf(NormalDist().inv_cdf(float(at)))
        for _ in range(6):  # each step doubles the digits; the start has about fifteen, or seven far out
            x = x - (self._ndtr(x) - at) / self._mp.npdf(x)
        return x + self._imaginary(p) / self._mp.npdf(x)

    def _imaginary(self, a: Any) -> Any:
        return self._mp.mpc(0, self._mp.im(a)) if isinstance(a, self._mp.mpc) else self._mp.mpf(0)

    def _logsumexp(self, row: Sequence[Any]) -> Any:
        top = max((_re(x) for x in row), default=self._mp.mpf(0))
        if abs(top) == self._infinity:
            return top
        return top + self._mp.log(sum((self._exp(x - top) for x in row), self._mp.mpf(0)))

    # Shapes

    def _gather(self, node: Node, x: Any, *indices: Any) -> Any:
        return np.asarray(x[self.subscript(node, indices)], dtype=object)

    def _change(self, node: Node, x: Any, *rest: Any) -> Any:
        where, result = self.subscript(node, rest[:-1]), np.array(x, dtype=object, order="C")
        places = np.arange(x.size).reshape(x.shape)[where]
        values = np.broadcast_to(rest[-1], np.shape(places))
        flat = result.reshape(-1)
        for i in np.ndindex(np.shape(places)):
            place = np.asarray(places)[i]
            flat[place] = flat[place] + values[i] if node.op == "at_add" else values[i]
        return result

    def _one_hot(self, node: Node, index: Any) -> Any:
        count = node.attr("axis").size
        return self.given(np.equal.outer(index.astype(np.int64), np.arange(count)).astype(float))

    def _stack(self, node: Node, *values: Any) -> Any:
        return np.stack(np.broadcast_arrays(*values), axis=-1)

    def _expand(self, node: Node, x: Any) -> Any:
        return x[tuple(None if letter == "n" else slice(None) for letter in node.attr("pattern"))]


def _re(value: Any) -> Any:
    return value.real


def _each_of(function: Callable[..., Any], *arrays: Any) -> np.ndarray:
    """Return a function of the entries of arrays that broadcast."""
    spread = np.broadcast_arrays(*(np.asarray(array, dtype=object) for array in arrays))
    result = np.empty(spread[0].shape, dtype=object)
    for i in np.ndindex(result.shape):
        result[i] = function(*(array[i] for array in spread))
    return result


def _along(function: Callable[[list[Any]], Any], x: np.ndarray, axis: int) -> np.ndarray:
    rows = np.moveaxis(x, axis, -1)
    result = np.empty(rows.shape[:-1], dtype=object)
    for i in np.ndindex(result.shape):
        result[i] = function(list(rows[i]))
    return result


def _rows(function: Callable[[list[Any]], list[Any]], x: np.ndarray, axis: int) -> np.ndarray:
    rows = np.moveaxis(x, axis, -1)
    result = np.empty(rows.shape, dtype=object)
    for i in np.ndindex(rows.shape[:-1]):
        for place, value in enumerate(function(list(rows[i]))):
            result[(*i, place)] = value
    return np.moveaxis(result, -1, axis)
