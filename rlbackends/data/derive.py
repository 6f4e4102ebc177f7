"""Derived columns: small formulas over a table's columns, with missing entries carried along.

A value is missing when one of its arguments is; ``is_missing`` stops that, and ``where`` takes it from its
condition and the branch chosen: the same rule that a model's update follows. Values that are not finite (a
logarithm of 0) take the same route, so the branch of a ``where`` that is not chosen does no harm.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rlbackends.errors import did_you_mean, listed
from rlbackends.expressions.numpy_table import ELEMENTWISE


class FormulaError(Exception):
    """A formula can't be read or computed; the message shows it and points at the place."""


@dataclass(frozen=True, eq=False)
class Value:
    """What a part of a formula is: entries, where they are missing, and where they are no finite number."""

    data: np.ndarray
    missing: np.ndarray
    broken: np.ndarray

    @property
    def kind(self) -> str:
        """One of ``"number"``, ``"bool"`` and ``"text"``."""
        return {"f": "number", "b": "bool"}.get(self.data.dtype.kind, "text")


def value_of(data: np.ndarray, missing: np.ndarray) -> Value:
    """Return a table's column as a value; an infinite entry counts as not finite."""
    broken = ~np.isfinite(data) & ~missing if data.dtype.kind == "f" else np.zeros(data.shape, dtype=bool)
    return Value(data, missing, broken)


# The functions of rules are computed as rules are.
_ONE = ("abs", "exp", "log", "log1p", "sqrt", "sigmoid", "softplus", "tanh")
_TWO = ("maximum", "minimum")
_FUNCTIONS: dict[str, tuple[int, Callable[..., np.ndarray]]] = {
    **{name: (1, ELEMENTWISE[name]) for name in _ONE},
    **{name: (2, ELEMENTWISE[name]) for name in _TWO},
    "clip": (3, lambda x, low, high: np.minimum(np.maximum(x, low), high)),
    "sign": (1, np.sign),
}
FUNCTION_NAMES = (*_FUNCTIONS, "where", "is_missing")

_ARITHMETIC: dict[type, Callable[..., np.ndarray]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_COMPARISONS: dict[type, Callable[..., np.ndarray]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
_LOGICAL: dict[type, Callable[..., np.ndarray]] = {
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
    ast.BitAnd: np.logical_and,
    ast.BitOr: np.logical_or,
}
_OPERATORS = "+ - * / **, < <= > >= == != and 'and', 'or', 'not'"
_OTHER_SPELLINGS = {
    "ln": "log",
    "max": "maximum",
    "min": "minimum",
    "ifelse": "where",
    "isna": "is_missing",
}


@dataclass(frozen=True, eq=False)
class Formula:
    """A formula that was read; `names` are the columns that it uses, in order of appearance."""

    text: str
    body: ast.expr
    names: tuple[str, ...]

    def compute(self, lookup: Mapping[str, Value], n_rows: int) -> Value:
        """Return the formula's value for each row; ``lookup`` must have every one of `names`."""
        with np.errstate(all="ignore"):
            value = _Computation(self.text, lookup).visit(self.body)
        return Value(
            *(np.broadcast_to(part, (n_rows,)) for part in (value.data, value.missing, value.broken))
        )


def parse(text: str) -> Formula:
    """Read a formula; raise `FormulaError` when it is not one."""
    if not isinstance(text, str):
        raise FormulaError(f"the formula is {text!r}, expected text such as 'gain - abs(loss)'.")
    text = " ".join(text.split("\n")).strip()
    if not text:
        raise FormulaError("the formula is empty, expected something such as 'gain - abs(loss)'.")
    try:
        body = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        column = max((error.offset or 1) - 1, 0)
        raise FormulaError(f"the formula can't be read: {error.msg}.{_caret(text, column)}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"the formula can't be read: {error}.") from None
    # The names within what is called ("np" of np.log(x)) are no columns: the call itself is told.
    calls = [node.func for node in ast.walk(body) if isinstance(node, ast.Call)]
    called = {id(part) for function in calls for part in ast.walk(function)}
    found = [node for node in ast.walk(body) if isinstance(node, ast.Name) and id(node) not in called]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return Formula(text, body, tuple(dict.fromkeys(node.id for node in found)))


def unknown_name(formula: Formula, name: str, options: list[str]) -> str:
    """Return the message for a name that is no column."""
    node = next(n for n in ast.walk(formula.body) if isinstance(n, ast.Name) and n.id == name)
    function = " (it is a function: write its arguments in parentheses)" if name in FUNCTION_NAMES else ""
    return (
        f"there is no column or event '{name}'{function}.{did_you_mean(name, options)}"
        f" There are {listed(options)}.{_caret(formula.text, _column(formula.text, node))}"
    )


def _column(text: str, node: ast.expr) -> int:
    """Return where a node starts, in characters (the parser counts bytes)."""
    return len(text.encode()[: node.col_offset].decode())


def _caret(text: str, column: int) -> str:
    return f"\n      {text}\n      {' ' * column}^"


class _Computation:
    """One walk over a formula: a method for each kind of node, an error that points for every other."""

    def __init__(self, text: str, lookup: Mapping[str, Value]) -> None:
        self._text = text
        self._lookup = lookup

    def visit(self, node: ast.expr) -> Value:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise self._error(node, _advice(node))
        return method(node)

    def _error(self, node: ast.expr, message: str) -> FormulaError:
        return FormulaError(f"{message}{_caret(self._text, _column(self._text, node))}")

    def _source(self, node: ast.expr) -> str:
        return ast.get_source_segment(self._text, node) or ast.unparse(node)

    def _expect(self, node: ast.expr, kind: str) -> Value:
        return self._checked(node, self.visit(node), kind)

    def _checked(self, node: ast.expr, value: Value, kind: str) -> Value:
        if value.kind == kind:
            return value
        found = {"number": "a number", "bool": "a comparison (true or false)", "text": "text"}[value.kind]
        wanted = {"number": "a number", "bool": "a comparison such as 'x > 0'"}[kind]
        fix = ""
        if (value.kind, kind) == ("bool", "number"):
            fix = f" Write 'where({self._source(node)}, 1, 0)'."
        elif (value.kind, kind) == ("text", "number"):
            fix = " Text can only be compared with text, as in \"x == 'go'\"."
        raise self._error(node, f"'{self._source(node)}' is {found}, expected {wanted}.{fix}")

    def _apply(self, function: Callable[..., np.ndarray], *arguments: Value) -> Value:
        data = np.asarray(function(*(argument.data for argument in arguments)))
        missing = np.logical_or.reduce(np.broadcast_arrays(*(argument.missing for argument in arguments)))
        broken = np.logical_or.reduce(np.broadcast_arrays(*(argument.broken for argument in arguments)))
        if data.dtype.kind == "f":
            broken = broken | (~np.isfinite(data) & ~missing)
        return Value(data, missing, broken)

    def _constant(self, node: ast.Constant) -> Value:
        if isinstance(node.value, bool):
            data = np.array(node.value)
        elif isinstance(node.value, int | float):
            try:
                data = np.array(float(node.value))
            except OverflowError:
                raise self._error(node, f"'{self._source(node)}' is too large a number.") from None
        elif isinstance(node.value, str):
            data = np.array(node.value, dtype=object)
        else:
            raise self._error(node, f"'{self._source(node)}' is neither a number nor text.")
        return value_of(data, np.array(False))

    def _name(self, node: ast.Name) -> Value:
        return self._lookup[node.id]

    def _binop(self, node: ast.BinOp) -> Value:
        operation = type(node.op)
        function, kind = _ARITHMETIC.get(operation), "number"
        if operation in _LOGICAL:
            function, kind = _LOGICAL[operation], "bool"
        if function is None:
            hint = " A power is written '**'." if operation is ast.BitXor else ""
            raise self._error(node, f"'{self._source(node)}': its operator is none of {_OPERATORS}.{hint}")
        return self._apply(function, self._expect(node.left, kind), self._expect(node.right, kind))

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not | ast.Invert):
            return self._apply(np.logical_not, self._expect(node.operand, "bool"))
        value = self._expect(node.operand, "number")
        return self._apply(np.negative, value) if isinstance(node.op, ast.USub) else value

    def _boolop(self, node: ast.BoolOp) -> Value:
        values = [self._expect(part, "bool") for part in node.values]
        result = values[0]
        for value in values[1:]:
            result = self._apply(_LOGICAL[type(node.op)], result, value)
        return result

    def _compare(self, node: ast.Compare) -> Value:
        operation = type(node.ops[0])
        if len(node.ops) > 1:
            raise self._error(node, f"'{self._source(node)}' compares twice. Write 'a < b and b < c'.")
        if operation not in _COMPARISONS:
            raise self._error(node, f"'{self._source(node)}': that comparison is not one of < <= > >= == !=.")
        compare = _COMPARISONS[operation]
        left, right = self.visit(node.left), self.visit(node.comparators[0])
        if "text" in (left.kind, right.kind) and operation in (ast.Eq, ast.NotEq):
            if left.kind == right.kind:
                return self._apply(lambda a, b: np.asarray(compare(a, b), dtype=bool), left, right)
            text, other = (node.left, right) if left.kind == "text" else (node.comparators[0], left)
            raise self._error(
                node, f"'{self._source(node)}' compares text ({self._source(text)}) with a {other.kind}."
            )
        left = self._checked(node.left, left, "number")
        return self._apply(compare, left, self._checked(node.comparators[0], right, "number"))

    def _call(self, node: ast.Call) -> Value:
        name = node.func.id if isinstance(node.func, ast.Name) else self._source(node.func)
        if name not in FUNCTION_NAMES:
            short = name.rpartition(".")[2]
            if short in FUNCTION_NAMES:
                near = f" Write '{short}'."
            elif short in _OTHER_SPELLINGS:
                near = f" Did you mean '{_OTHER_SPELLINGS[short]}'?"
            else:
                near = did_you_mean(name, FUNCTION_NAMES)
            raise self._error(
                node, f"there is no function '{name}'.{near} There are {listed(FUNCTION_NAMES)}."
            )
        wanted = {"where": 3, "is_missing": 1}.get(name) or _FUNCTIONS[name][0]
        if (
            node.keywords
            or len(node.args) != wanted
            or any(isinstance(part, ast.Starred) for part in node.args)
        ):
            arguments = "one argument" if wanted == 1 else f"{wanted} arguments"
            raise self._error(node, f"'{self._source(node)}': {name} takes {arguments}, given by position.")
        if name == "where":
            return self._where(node)
        if name == "is_missing":
            missing = self.visit(node.args[0]).missing
            nowhere = np.zeros_like(missing)
            return Value(missing, nowhere, nowhere)
        return self._apply(_FUNCTIONS[name][1], *(self._expect(part, "number") for part in node.args))

    def _where(self, node: ast.Call) -> Value:
        condition = self._expect(node.args[0], "bool")
        yes, no = self.visit(node.args[1]), self.visit(node.args[2])
        if yes.kind != no.kind:
            raise self._error(node, f"'{self._source(node)}': its branches differ, {yes.kind} and {no.kind}.")
        choose = np.where(condition.data, yes.data, no.data)
        return Value(
            choose,
            condition.missing | np.where(condition.data, yes.missing, no.missing),
            condition.broken | np.where(condition.data, yes.broken, no.broken),
        )


def _advice(node: ast.expr) -> str:
    """Return what to say of a piece of Python that a formula can't have."""
    if isinstance(node, ast.IfExp):
        return "a formula has no 'if … else'. Write 'where(condition, a, b)'."
    if isinstance(node, ast.Attribute):
        return f"a formula has no dots. Write '{node.attr}' alone."
    return (
        f"a formula has no {type(node).__name__.lower()}, only numbers, text in quotes, columns, "
        f"{_OPERATORS} and the functions {listed(FUNCTION_NAMES)}."
    )


def as_stored(value: Value) -> Value:
    """Return a value as a column keeps it: true and false as 1 and 0, missing and broken entries emptied."""
    data = value.data.astype(np.float64) if value.kind == "bool" else value.data.copy()
    data[value.missing | value.broken] = "" if value.kind == "text" else 0.0
    return replace(value, data=data)
