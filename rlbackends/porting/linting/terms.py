"""Expressions of a program as Python's own ``ast``, which minds the brackets when they are written again."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType

from rlbackends.porting.linting.find_calls import bounded, distribution_of
from rlbackends.porting.linting.program import Assignment, Call, Program


def expression(program: Program, node: object) -> ast.expr:
    """Return a libcst expression as an ``ast`` one."""
    code: str = program.module.code_for_node(node)  # type: ignore[arg-type]
    return ast.parse(f"({code})", mode="eval").body


def last_word(node: ast.expr) -> str:
    """Return the last word of what is called: ``softmax`` of ``T.nnet.softmax(x)``."""
    func = node.func if isinstance(node, ast.Call) else node
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def number(program: Program, node: ast.expr, line: int, depth: int = 0) -> float | int | None:
    """Return the number that an expression is, through variables; None: it can't be read."""
    if depth > 20:
        return None
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int | float) and not isinstance(node.value, bool) else None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        inner = number(program, node.operand, line, depth + 1)
        return None if inner is None else -inner
    if isinstance(node, ast.BinOp):
        left, right = (number(program, side, line, depth + 1) for side in (node.left, node.right))
        if left is None or right is None:
            return None
        try:
            if isinstance(node.op, ast.Add):
                return left + right
            if isinstance(node.op, ast.Sub):
                return left - right
            if isinstance(node.op, ast.Mult):
                return left * right
            if isinstance(node.op, ast.Div):
                return left / right
        except ZeroDivisionError:
            return None
        return None
    if (
        isinstance(node, ast.Call)
        and last_word(node) in ("float64", "float32", "float", "int", "constant", "shared")
        and node.args
    ):
        return number(program, node.args[0], line, depth + 1)
    if isinstance(node, ast.Name):
        found = program.value(node.id, line)
        if found is None or node.id in program.counted:
            return None
        value = expression(program, found.value)
        if found.unpacked:
            if not isinstance(value, ast.Tuple | ast.List) or len(value.elts) != len(found.targets):
                return None
            value = value.elts[found.targets.index(node.id)]
        return number(program, value, found.line, depth + 1)
    return None


def variable(program: Program, name: str, line: int | None = None) -> tuple[Assignment, Call] | None:
    """Return the assignment and the call of a name that holds a parameter: a random variable or a Deterministic."""
    found = program.value(name, line) or program.value(name)
    if found is None or found.unpacked:
        return None
    call = program.call_at(found.value)
    if call is None:
        return None
    return (
        (found, call) if call.name == "pymc.Deterministic" or distribution_of(call) or bounded(program, call) else None
    )


_SHAPING = {
    "repeat",
    "tile",
    "reshape",
    "flatten",
    "ravel",
    "dimshuffle",
    "astype",
    "copy",
    "squeeze",
    "cast",
    "as_tensor_variable",
    "as_tensor",
    "shape_padright",
    "shape_padleft",
    "shape_padaxis",
    "broadcast_to",
    "expand_dims",
    "transpose",
    "asarray",
    "array",
    "shared",
    "constant",
    "specify_shape",
    "Deterministic",
}


class Unshape(ast.NodeTransformer):
    """Take away what only shapes: repeat, tile, reshape, flatten, ``[:, None]``, casts."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        word = last_word(node)
        if word not in _SHAPING:
            return node
        if word == "Deterministic":
            return node.args[1] if len(node.args) > 1 else node
        on_module = isinstance(node.func, ast.Name) or (
            isinstance(node.func, ast.Attribute) and _is_module(node.func.value) and bool(node.args)
        )
        if on_module and node.args:
            return node.args[0]
        return node.func.value if isinstance(node.func, ast.Attribute) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return node.value if node.attr == "T" and not _is_module(node) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        return node.value if all(_is_padding(part) for part in parts) else node


MODULES = {
    "T",
    "tt",
    "pt",
    "at",
    "np",
    "theano",
    "pytensor",
    "aesara",
    "tensor",
    "pm",
    "numpy",
    "math",
    "extra_ops",
    "basic",
}


def _is_module(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id in MODULES) or (
        isinstance(node, ast.Attribute) and node.attr in MODULES and _is_module(node.value)
    )


def _is_padding(node: ast.expr) -> bool:
    """Say whether a part of a subscript is ``:``, ``None``, ``newaxis`` or ``...``."""
    return (
        (isinstance(node, ast.Slice) and node.lower is node.upper is node.step is None)
        or (isinstance(node, ast.Constant) and (node.value is None or node.value is Ellipsis))
        or (isinstance(node, ast.Attribute) and node.attr == "newaxis")
    )


def unshaped(node: ast.expr) -> ast.expr:
    """Return an expression without what only shapes it."""
    found = Unshape().visit(ast.parse(ast.unparse(node), mode="eval").body)
    assert isinstance(found, ast.expr)
    return found


class Expand(ast.NodeTransformer):
    """Put the definitions of variables in their place, until only the names in ``stop`` and parameters are left.

    ``stop`` has the assignment that each name means: ``q = 2 * q`` further down is another ``q``.
    """

    def __init__(
        self, program: Program, line: int, stop: Mapping[str, Assignment | None] = MappingProxyType({}), depth: int = 0
    ) -> None:
        self.program, self.line, self.stop, self.depth = program, line, stop, depth

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if not _is_module(node.value):
            self.generic_visit(node)
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = self.program.value(node.id, self.line)
        if node.id in self.stop and found is self.stop[node.id]:
            return node
        if self.depth > 20 or node.id in MODULES or variable(self.program, node.id, self.line):
            return node
        if found is None or found.unpacked or node.id in self.program.counted:
            return node
        value = expression(self.program, found.value)
        if isinstance(value, ast.Constant):
            return node  # its name says what it counts
        value = Expand(self.program, found.line, self.stop, self.depth + 1).visit(value)
        assert isinstance(value, ast.expr)
        return value


# What makes other values of data, and what makes a vector of an index.
_REMAKES = {
    "roll", "shift", "diff", "cumsum", "where", "switch", "eq", "neq", "equal", "not_equal", "replace", "map", "apply",
    "abs", "sign", "clip", "invert", "logical_not", "subtract", "mod", "flip", "factorize",
}  # fmt: skip
_ONE_HOT = {"eye", "identity", "one_hot", "to_one_hot", "get_dummies", "to_categorical"}


def remade(program: Program, node: ast.expr, line: int) -> tuple[str, str]:
    """Return a value without what only shapes it, and what its data were put through: ``""``, changed or one-hot."""
    full = unshaped(Expand(program, line).visit(ast.parse(ast.unparse(node), mode="eval").body))
    at: ast.AST = full
    while True:
        if isinstance(at, ast.Call):
            word = last_word(at)
            if word in _ONE_HOT | _REMAKES:
                return ast.unparse(full), "one-hot" if word in _ONE_HOT else "changed"
            if isinstance(at.func, ast.Attribute) and not _is_module(at.func.value):
                at = at.func.value
            elif at.args:
                at = at.args[0]
            else:
                return ast.unparse(full), ""
        elif isinstance(at, ast.Subscript | ast.Attribute):
            at = at.value
        else:
            made = isinstance(at, ast.BinOp | ast.UnaryOp | ast.Compare | ast.BoolOp | ast.IfExp)
            return ast.unparse(full), "changed" if made else ""


def base_parameter(program: Program, node: ast.expr, line: int) -> str | None:
    """Return the parameter that a value is, once shapes are taken away: ``beta`` of ``T.repeat(beta, 3)``."""
    found = unshaped(Expand(program, line).visit(ast.parse(ast.unparse(node), mode="eval").body))
    return found.id if isinstance(found, ast.Name) and variable(program, found.id, line) else None
