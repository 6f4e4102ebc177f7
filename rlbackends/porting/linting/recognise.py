"""Read a learning model out of a program: its states and parameters, as far as they can be read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rlbackends.porting.linting.find_calls import distribution_of
from rlbackends.porting.linting.program import Call, Program, nodes
from rlbackends.porting.linting.scans import Scan
from rlbackends.porting.linting.terms import Expand, expression, last_word, number, variable

_SUBJECT = re.compile(r"(?i)subj|participant|people|person|^n_?s$|^n_?p$|^n_sub")
_UNIT = {"Beta", "LogitNormal", "Kumaraswamy"}
_POSITIVE = {
    "HalfNormal",
    "Gamma",
    "Exponential",
    "LogNormal",
    "Lognormal",
    "HalfCauchy",
    "HalfStudentT",
    "InverseGamma",
    "ChiSquared",
    "Weibull",
    "HalfFlat",
    "Wald",
    "Pareto",
}
_UNIT_LINKS = {"sigmoid", "invlogit", "expit", "invprobit", "Phi", "normcdf", "phi_approx", "ndtr"}


@dataclass(frozen=True)
class Support:
    """Where a parameter lies, as a spec writes it, and the line that says so (0: nothing does)."""

    text: str
    line: int
    why: str = ""


@dataclass
class StateFacts:
    """A state: its axes with their sizes, its start, and the line of the start."""

    name: str
    axes: tuple[str, ...]
    initial: float | tuple[float, ...] | str | None
    line: int
    by_subject: bool = False  # whether the program has all subjects' tables in one, along its first axis


@dataclass
class Learner:
    """What was read of a model. Lines that could not be read are in ``unread``: line, code."""

    program: Program
    scan: Scan
    sizes: dict[str, int | None] = field(default_factory=dict)
    states: dict[str, StateFacts] = field(default_factory=dict)
    events: dict[str, str] = field(default_factory=dict)  # a sequence's outer name → its name in the function
    parameters: dict[str, Support] = field(default_factory=dict)
    unread: list[tuple[int, str]] = field(default_factory=list)
    indexed: dict[str, str] = field(default_factory=dict)  # event → the axis that it indexes
    aliases: dict[str, str] = field(default_factory=dict)  # a variable that a sequence was made from → its event
    remade: dict[str, str] = field(default_factory=dict)  # an event → how its data are computed before the scan
    forms: dict[str, tuple[str, str]] = field(default_factory=dict)  # an event → what :func:`remade` says of its data
    taken: set[str] = field(default_factory=set)  # events that meet a whole table: taken for one number a trial


def support(program: Program, name: str, before: int | None = None) -> Support:
    """Return where a parameter lies: by its prior, by its link, or by its group's location."""
    held = variable(program, name, before)
    if held is None:
        return Support("rl.RealLine()", 0)
    found, call = held
    line = found.line
    kind = distribution_of(call)
    if kind is not None:
        return _of_prior(program, call, kind[0], line)
    if call.name != "pymc.Deterministic":  # a Bound
        return Support("rl.RealLine()", line)
    value = call.argument("var", 1)
    if value is None:
        return Support("rl.RealLine()", line)
    node = expression(program, value)
    if isinstance(node, ast.Call) and last_word(node) in _UNIT_LINKS:
        return Support("rl.UnitInterval()", line)
    if isinstance(node, ast.Call) and last_word(node) in ("exp", "softplus"):
        return Support("rl.Positive()", line)
    for inner in ast.walk(node):
        group = variable(program, inner.id, line) if isinstance(inner, ast.Name) else None
        group_kind = distribution_of(group[1]) if group else None
        if group and group_kind and re.search(r"(?i)mu|mean|loc", _name(inner)):
            of_group = _of_prior(program, group[1], group_kind[0], line)
            if of_group.text == "rl.RealLine()":
                return of_group
            wide = "rl.Positive()" if of_group.text.startswith("rl.Interval(0") else of_group.text
            return Support(wide, line, "the location's range; the program itself sets none")
    return Support("rl.RealLine()", line)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _of_prior(program: Program, call: Call, kind: str, line: int) -> Support:
    """Return the support of a prior."""
    if kind in _UNIT:
        return Support("rl.UnitInterval()", line)
    if kind in _POSITIVE:
        return Support("rl.Positive()", line)
    if kind == "Uniform":
        limits = []
        for keyword, position in (("lower", 1), ("upper", 2)):
            value = call.argument(keyword, position)
            limits.append(number(program, expression(program, value), line) if value is not None else None)
        lower, upper = 0 if limits[0] is None else limits[0], 1 if limits[1] is None else limits[1]
        return Support("rl.UnitInterval()" if (lower, upper) == (0, 1) else f"rl.Interval({lower}, {upper})", line)
    return Support("rl.RealLine()", line)


def state_facts(program: Program, learner: Learner, name: str, start: object, line: int) -> StateFacts | None:
    """Return a state's axes and start, of an expression such as ``0.5 * T.ones([n_subj, 3])``."""
    node = Expand(program, line).visit(expression(program, start))
    shape, value = _shape_and_value(program, node, line)
    if shape is None:
        return None
    where = program.line(start)  # type: ignore[arg-type]
    axes = []
    by_subject = bool(shape) and (
        _indexed_by_subject(program, learner.scan, name) or _is_subject(program, shape[0], line)
    )
    for i, part in enumerate(shape):
        if i == 0 and by_subject:
            continue
        size = number(program, part, line)
        word = _axis(part, i, len(shape), shape)
        length = None if size is None else int(size)
        if word in axes or learner.sizes.get(word, length) != length:
            word = f"{name}_{word}_{i}"  # the name is that of another axis already
        axes.append(word)
        learner.sizes[word] = length
    return StateFacts(name, tuple(axes), value, where, by_subject)


def _indexed_by_subject(program: Program, scan: Scan, name: str) -> bool:
    """Say whether the scan's function indexes a state by a range first: ``q[pt.arange(n), choice]``."""
    import libcst as cst

    ranges = {
        a.targets[0]
        for a in program.assignments
        if (call := program.call_at(a.value)) is not None and call.name.endswith(".arange") and not a.unpacked
    }
    for node in nodes(scan.function) if scan.function is not None else ():
        if not (isinstance(node, cst.Subscript) and isinstance(node.value, cst.Name) and len(node.slice) > 1):
            continue
        first = node.slice[0].slice
        value = first.value if isinstance(first, cst.Index) else None
        call = program.call_at(value)
        if (call is not None and call.name.endswith(".arange")) or (
            isinstance(value, cst.Name) and value.value in ranges
        ):
            if node.value.value == name or name in _tables_of(program, node.value.value, node):
                return True
    return False


def _tables_of(program: Program, word: str, node: object) -> set[str]:
    """Return the names that a local copy of a state was made from."""
    found = program.value(word, program.line(node))  # type: ignore[arg-type]
    parts: Iterable[Any] = nodes(found.value) if found else ()
    return {part.value for part in parts if type(part).__name__ == "Name"}


def _is_subject(program: Program, part: ast.expr, line: int) -> bool:
    """Say whether a length is the number of subjects: by its name, or as the shape of the offsets."""
    text = ast.unparse(part)
    if _SUBJECT.search(text):
        return True
    shapes = {
        program.text(value) for call in program.calls if distribution_of(call) and (value := call.argument("shape"))
    }
    return isinstance(part, ast.Name) and text in {shape.strip("(),") for shape in shapes}


def _axis(part: ast.expr, i: int, n: int, shape: list[ast.expr]) -> str:
    """Return an axis's name: ``action`` of ``n_actions``."""
    if isinstance(part, ast.Name):
        word = re.sub(r"(?i)^(n|num|nr)_?(?=[a-z])", "", part.id) if re.match(r"(?i)(n|num|nr)_", part.id) else part.id
        word = word[:-1] if word.endswith("s") and len(word) > 2 and word[:-1].islower() else word
        return word or f"axis_{i}"
    return "action" if i == n - 1 else f"axis_{i}"


def start_value(program: Program, node: ast.expr, line: int) -> float | tuple[float, ...] | None:
    """Return the value that a whole array has, or its list of numbers; None: it can't be read."""
    return _shape_and_value(program, node, line)[1]


def _shape_and_value(
    program: Program, node: ast.expr, line: int
) -> tuple[list[ast.expr] | None, float | tuple[float, ...] | None]:
    """Return the lengths and the value of an array of one value, or of a list of numbers."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Add | ast.Div | ast.Sub):
        for array, other in ((node.left, node.right), (node.right, node.left)):
            shape, inner = _shape_and_value(program, array, line)
            factor = number(program, other, line)
            if shape is not None and isinstance(inner, int | float) and factor is not None:
                pair = (inner, factor) if array is node.left else (factor, inner)
                if isinstance(node.op, ast.Div) and not pair[1]:
                    return None, None
                value = {ast.Mult: lambda a, b: a * b, ast.Add: lambda a, b: a + b, ast.Sub: lambda a, b: a - b,
                         ast.Div: lambda a, b: a / b}[type(node.op)](*pair)  # fmt: skip
                return shape, value
        return None, None
    if isinstance(node, ast.List | ast.Tuple):
        values = [number(program, item, line) for item in node.elts]
        if values and all(value is not None for value in values):
            return [ast.Constant(len(values))], tuple(float(value) for value in values if value is not None)
        return None, None
    if not isinstance(node, ast.Call):
        return None, None
    word, args = last_word(node), list(node.args)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if word in ("ones", "zeros"):
        given = args[0] if args else keywords.get("shape")
        return (_lengths(given), 1.0 if word == "ones" else 0.0) if given is not None else (None, None)
    if word == "full" and (args or keywords):
        given = args[0] if args else keywords.get("shape")
        fill = args[1] if len(args) > 1 else keywords.get("fill_value")
        if given is not None and fill is not None and (value := number(program, fill, line)) is not None:
            return _lengths(given), float(value)
    if word == "alloc" and args and (value := number(program, args[0], line)) is not None:
        return args[1:], float(value)
    if word in ("as_tensor_variable", "as_tensor", "asarray", "array", "shared", "constant") and args:
        return _shape_and_value(program, args[0], line)
    if word in ("astype", "copy") and isinstance(node.func, ast.Attribute):
        return _shape_and_value(program, node.func.value, line)
    return None, None


def _lengths(shape: ast.expr) -> list[ast.expr]:
    return list(shape.elts) if isinstance(shape, ast.List | ast.Tuple) else [shape]
