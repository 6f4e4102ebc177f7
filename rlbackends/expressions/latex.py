r"""Expressions as LaTeX that KaTeX and MathJax read: a table from the operation to how it is written.

Names become symbols: ``alpha_pos`` is :math:`\alpha_{\mathrm{pos}}`, ``q[choice]`` is
:math:`q_{\mathrm{choice}}`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rlbackends.errors import ModelError
from rlbackends.expressions.kinds import Axis
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.printing import is_flipped
from rlbackends.expressions.printing import number as plain_number

GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi "
    "chi psi omega".split()
)
# How tightly an operation binds.
_CASES, _OR, _AND, _COMPARE, _SUM, _PRODUCT, _POWER, _ATOM = 0, 1, 2, 3, 4, 5, 7, 9
_INNER = 8  # a function's value: needs parentheses only under a power or a subscript

Written = tuple[str, int]


def latex(node: Node, names: Mapping[Node, str] | None = None) -> str:
    """Return an expression as LaTeX for math mode.

    Parameters
    ----------
    node
        The expression.
    names
        Node → plain name (``prediction_error``) to be written in its place.

    Raises
    ------
    ModelError
        If an operation has no row in the table.
    """
    writer = Writer(names or {})
    writer.prepare(node)
    return writer.write(node)[0]


def symbol(name: str) -> str:
    """Return a name as a symbol: a Greek or italic letter with a subscript, or words upright."""
    first, *rest = [part for part in name.split("_") if part] or [name]
    letters = first.rstrip("0123456789") or first
    below = [first[len(letters) :]] if letters != first else []
    if letters in GREEK or len(letters) == 1:
        head = rf"\{letters}" if letters in GREEK else _escaped(letters)
        below += [part if part.isdigit() else _word(part) for part in rest]
    else:  # words that belong together stay together: prediction_error
        words = " ".join([first, *rest])
        head = rf"\mathrm{{{_escaped(words.rstrip('0123456789')).strip().replace(' ', r'\ ')}}}"
        below = [words[len(words.rstrip("0123456789")) :]] if words[-1].isdigit() else []
    return f"{head}_{{{', '.join(below)}}}" if below else head


def _escaped(word: str) -> str:
    return word.replace("_", r"\_")


def _word(word: str) -> str:
    return rf"\mathrm{{{_escaped(word)}}}"


def number(value: Any) -> str:
    r"""Return a constant as LaTeX: ``0.5``, ``1 \times 10^{-5}``, arrays in parentheses."""
    if isinstance(value, tuple) and all(isinstance(row, tuple) and not isinstance(row[0], tuple) for row in value):
        rows = r" \\ ".join(" & ".join(number(item) for item in row) for row in value)
        return rf"\begin{{pmatrix}} {rows} \end{{pmatrix}}"
    if isinstance(value, tuple):
        return rf"\left({r',\ '.join(number(item) for item in value)}\right)"
    if isinstance(value, bool):
        return _word(str(value).lower())
    if value != value:
        return r"\mathrm{NaN}"
    if value in (float("inf"), float("-inf")):
        return r"\infty" if value > 0 else r"-\infty"
    mantissa, _, exponent = plain_number(value).partition("e")
    return rf"{mantissa} \times 10^{{{int(exponent)}}}" if exponent else mantissa


def axis_word(axis: Axis) -> str:
    """Return an axis as a word; one without a name is a dot."""
    return _word(axis.name) if axis.name else r"\cdot"


class Writer:
    """Writes the nodes of a graph, each once."""

    def __init__(self, names: Mapping[Node, str]) -> None:
        self.names = names
        self.memo: dict[Node, Written] = {}

    def prepare(self, *nodes: Node) -> None:
        """Write everything below ``nodes``, arguments first, so that no graph is too deep."""
        for node in walk(*nodes, known=self.names):
            row = ROWS.get(node.op)
            if row is None:
                raise ModelError(f"LaTeX has no row for the operation '{node.op}'.")
            self.memo[node] = row(self, node)

    def write(self, node: Node) -> Written:
        """Return a node's LaTeX and how tightly it binds."""
        return (symbol(self.names[node]), _ATOM) if node in self.names else self.memo[node]

    def plain(self, node: Node) -> str:
        """Return a node's LaTeX as it stands inside delimiters of its own."""
        return self.write(node)[0]

    def inside(self, node: Node, tightness: int) -> str:
        """Return a node's LaTeX, in parentheses if it binds more loosely than what is around it."""
        words, binds = self.write(node)
        return words if binds >= tightness else parenthesised(words)

    def subscript(self, indices: Sequence[Node], pattern: str) -> str:
        """Return the subscript of a ``gather`` or an update."""
        remaining = iter(indices)
        return r",\,".join(":" if letter == ":" else self.plain(next(remaining)) for letter in pattern.rstrip(":"))


def parenthesised(words: str) -> str:
    """Return words in parentheses that grow with them."""
    return rf"\left({words}\right)"


def entry(base: str, subscript: str) -> str:
    """Return an entry of an array: a subscript, or brackets if the array's symbol has a subscript already."""
    bare = re.fullmatch(r"\\?[A-Za-z]+|\\mathrm\{[^{}]*\}", base)
    return f"{base}_{{{subscript}}}" if bare else rf"{base}\left[{subscript}\right]"


def changed(base: str, subscript: str, sign: str, value: str) -> str:
    """Return an array of which some entries are changed."""
    return rf"{base}\left[{subscript} {sign} {value}\right]"


PLUS_EQUALS = r"\mathrel{{+}{=}}"


def _leaf(w: Writer, node: Node) -> Written:
    return symbol(node.attr("name")), _ATOM


def _const(w: Writer, node: Node) -> Written:
    words = number(node.attr("value"))
    return words, _SUM if words.startswith("-") else _PRODUCT if r"\times" in words else _ATOM


def _infix(sign: str, binds: int) -> Callable[[Writer, Node], Written]:
    def row(w: Writer, node: Node) -> Written:
        a, b = node.args
        return f"{w.inside(a, binds)} {sign} {w.inside(b, binds + 1)}", binds

    return row


def _comparison(sign: str, flipped: str) -> Callable[[Writer, Node], Written]:
    def row(w: Writer, node: Node) -> Written:
        a, b = reversed(node.args) if is_flipped(node.op, node.args) else node.args
        return (
            f"{w.inside(a, _SUM)} {flipped if a is not node.args[0] else sign} {w.inside(b, _SUM)}",
            _COMPARE,
        )

    return row


def _mul(w: Writer, node: Node) -> Written:
    a, b = node.args
    left, right = w.inside(a, _PRODUCT), w.inside(b, _PRODUCT + 1)
    # Two numbers side by side would read as one.
    return f"{left} {r'\cdot' if right[0].isdigit() else r'\,'} {right}", _PRODUCT


def _div(w: Writer, node: Node) -> Written:
    return rf"\frac{{{w.plain(node.args[0])}}}{{{w.plain(node.args[1])}}}", _INNER


def _pow(w: Writer, node: Node) -> Written:
    return rf"{{{w.inside(node.args[0], _ATOM)}}}^{{{w.plain(node.args[1])}}}", _POWER


def _neg(w: Writer, node: Node) -> Written:
    return f"-{w.inside(node.args[0], _PRODUCT)}", _SUM


def _not(w: Writer, node: Node) -> Written:
    (inner,) = node.args
    if inner.op == "eq" and inner not in w.names:
        return rf"{w.inside(inner.args[0], _SUM)} \neq {w.inside(inner.args[1], _SUM)}", _COMPARE
    return rf"\lnot {w.inside(inner, _INNER)}", _PRODUCT


def _function(word: str) -> Callable[[Writer, Node], Written]:
    def row(w: Writer, node: Node) -> Written:
        return f"{word}{parenthesised(', '.join(w.plain(arg) for arg in node.args))}", _INNER

    return row


def _along(word: str) -> Callable[[Writer, Node], Written]:
    """A function along an axis, which is named only where there is a choice."""

    def row(w: Writer, node: Node) -> Written:
        axes = node.args[0].axes
        below = f"_{{{axis_word(axes[node.attr('axis')])}}}" if len(axes) > 1 else ""
        return f"{word}{below} {parenthesised(w.plain(node.args[0]))}", _INNER

    return row


def _sum(w: Writer, node: Node) -> Written:
    axis = node.args[0].axes[node.attr("axis")]
    return rf"\sum_{{{axis_word(axis)}}} {w.inside(node.args[0], _PRODUCT)}", _SUM


def _abs(w: Writer, node: Node) -> Written:
    return rf"\left|{w.plain(node.args[0])}\right|", _ATOM


def _sqrt(w: Writer, node: Node) -> Written:
    return rf"\sqrt{{{w.plain(node.args[0])}}}", _INNER


def _log1p(w: Writer, node: Node) -> Written:
    return rf"\log\left(1 + {w.inside(node.args[0], _SUM + 1)}\right)", _INNER


def _where(w: Writer, node: Node) -> Written:
    """Write one list of cases, a row a condition."""
    rows: list[str] = []
    while node.op == "where" and (not rows or node not in w.names):
        condition, yes, no = node.args
        rows.append(rf"{w.plain(yes)} & \text{{if }} {w.plain(condition)}")
        node = no
    rows.append(rf"{w.plain(node)} & \text{{otherwise}}")
    return rf"\begin{{cases}} {r' \\ '.join(rows)} \end{{cases}}", _CASES


def _same(w: Writer, node: Node) -> Written:
    return w.write(node.args[0])


def _gather(w: Writer, node: Node) -> Written:
    x, *indices = node.args
    return entry(w.inside(x, _ATOM), w.subscript(indices, node.attr("pattern"))), _ATOM


def _at(sign: str) -> Callable[[Writer, Node], Written]:
    def row(w: Writer, node: Node) -> Written:
        x, *indices, value = node.args
        where = w.subscript(indices, node.attr("pattern"))
        return changed(w.inside(x, _ATOM), where, sign, w.plain(value)), _ATOM

    return row


def _one_hot(w: Writer, node: Node) -> Written:
    return rf"\mathbf{{1}}\left[{axis_word(node.attr('axis'))} = {w.plain(node.args[0])}\right]", _ATOM


def _stack(w: Writer, node: Node) -> Written:
    below = f"_{{{_word(node.attr('axis'))}}}" if node.attr("axis") else ""
    return f"{parenthesised(r',\ '.join(w.plain(arg) for arg in node.args))}{below}", _INNER


def _expand(w: Writer, node: Node) -> Written:
    below = ",".join(r"\ast" if letter == "n" else ":" for letter in node.attr("pattern"))
    return entry(w.inside(node.args[0], _ATOM), below), _ATOM


ROWS: Mapping[str, Callable[[Writer, Node], Written]] = {
    "const": _const, "parameter": _leaf, "state": _leaf, "event": _leaf,
    "add": _infix("+", _SUM), "sub": _infix("-", _SUM), "mul": _mul, "div": _div, "pow": _pow, "neg": _neg,
    "abs": _abs, "exp": _function(r"\exp"), "log": _function(r"\log"), "log1p": _log1p, "sqrt": _sqrt,
    "sigmoid": _function(r"\operatorname{logistic}"), "softplus": _function(r"\operatorname{softplus}"),
    "tanh": _function(r"\tanh"), "maximum": _function(r"\max"), "minimum": _function(r"\min"),
    "ndtr": _function(r"\Phi"), "log_ndtr": _function(r"\log \Phi"), "ndtri": _function(r"\Phi^{-1}"),
    "lt": _comparison("<", ">"), "le": _comparison(r"\leq", r"\geq"), "eq": _comparison("=", "="),
    "and": _infix(r"\land", _AND), "or": _infix(r"\lor", _OR), "not": _not,
    "where": _where, "is_missing": _function(r"\operatorname{missing}"), "to_real": _same,
    "sum": _sum, "max": _along(r"\max"), "argmax": _along(r"\operatorname*{arg\,max}"),
    "softmax": _along(r"\operatorname{softmax}"), "log_softmax": _along(r"\log \operatorname{softmax}"),
    "logsumexp": _along(r"\log \sum \exp"),
    "gather": _gather, "at_add": _at(PLUS_EQUALS), "at_set": _at(r"\leftarrow"), "one_hot": _one_hot,
    "stack": _stack, "expand": _expand,
}  # fmt: skip
