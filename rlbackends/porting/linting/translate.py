"""Write the update and the likelihood of a recognised model in the language of rules."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from rlbackends.porting.linting.program import Program, dotted
from rlbackends.porting.linting.recognise import Learner
from rlbackends.porting.linting.terms import (
    MODULES,
    Unshape,
    base_parameter,
    expression,
    last_word,
    number,
    unshaped,
    variable,
)

# Functions of old programs → those of rules.
_FUNCTIONS = {
    "exp": "exp",
    "log": "log",
    "log1p": "log1p",
    "sqrt": "sqrt",
    "abs": "abs",
    "abs_": "abs",
    "maximum": "maximum",
    "minimum": "minimum",
    "switch": "where",
    "where": "where",
    "sigmoid": "sigmoid",
    "invlogit": "sigmoid",
    "softplus": "softplus",
    "tanh": "tanh",
    "argmax": "argmax",
    "clip": "clip",
    "sgn": "sign",
    "sum": "sum",
    "max": "max",
}
_COMPARED = {"eq": ast.Eq, "neq": ast.NotEq, "gt": ast.Gt, "ge": ast.GtE, "lt": ast.Lt, "le": ast.LtE}


_COUNTING = {"arange", "range", "meshgrid", "mgrid", "ogrid", "indices"}


class NotRecognised(Exception):
    """An expression that can't be said in the language of rules."""


@dataclass(frozen=True)
class Scope:
    """What names mean: states with their axes, and names or numbers that take another's place."""

    states: Mapping[str, tuple[str, ...]]
    known: frozenset[str]
    replaced: Mapping[str, str | float | int]
    hidden: frozenset[str] = frozenset()  # arguments whose value is not known here, whatever else has their name
    ranks: Mapping[str, int] = field(default_factory=dict)  # lengths of local variables, subjects counted


class Rewrite(ast.NodeTransformer):
    """Rewrite an expression. States and copies of them are told apart from other names by ``tables``."""

    by_trial = 0  # axes of trials before those of a state

    def __init__(self, learner: Learner, scope: Scope, tables: dict[str, str], line: int) -> None:
        self.learner, self.scope, self.tables, self.line = learner, scope, tables, line

    def visit_Name(self, node: ast.Name) -> ast.expr:
        found = self.scope.replaced.get(node.id)
        if isinstance(found, str):
            return ast.Name(found)
        if found is not None:
            return ast.Constant(found)
        if node.id in self.scope.known or node.id in self.tables:
            return node
        value = None if node.id in self.scope.hidden else number(self.learner.program, node, self.line)
        if value is not None:
            return ast.Constant(value)
        raise NotRecognised(node.id)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Note the events that meet whole tables: nothing says whether they are one number or one for each entry."""
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if _whole_tables(side, self.tables):
                self.learner.taken |= {
                    inner.id for inner in _parts_of(other)
                    if isinstance(inner, ast.Name) and inner.id in self.learner.events.values()
                }  # fmt: skip
        self.generic_visit(node)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        table = self._table(node.value)
        if table is None:
            if isinstance(node.value, ast.Name) or unshaped(node) is not node:
                stripped = unshaped(node)
                if not isinstance(stripped, ast.Subscript):
                    return self.visit(stripped)
            raise NotRecognised(ast.unparse(node))
        kept = self.indices(node, table)
        axes = self.learner.states[table].axes
        if len(kept) > len(axes):
            raise NotRecognised(ast.unparse(node))
        written = [self.visit(part) for part in kept]
        for part, axis in zip(written, axes, strict=False):
            if isinstance(part, ast.Name) and part.id in self.learner.events.values():
                self.learner.indexed.setdefault(part.id, axis)
        value = self.visit(node.value)
        return value if not written else ast.Subscript(value, _joined(written), ast.Load())

    def indices(self, node: ast.Subscript, table: str) -> list[ast.expr]:
        """Return a subscript's parts without those that only count subjects or trials."""
        parts = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        n_first = 0
        sliced = any(isinstance(part, ast.Slice) for part in parts)
        while parts and self._counts(parts[0]):
            n_first += not (isinstance(parts[0], ast.Constant) and parts[0].value is None)
            parts.pop(0)
        while parts and isinstance(parts[-1], ast.Slice) and parts[-1].lower is parts[-1].upper is None:
            parts.pop()
        if any(isinstance(part, ast.Slice) for part in parts):
            raise NotRecognised(ast.unparse(node))
        if parts and n_first != self.by_trial + self.learner.states[table].by_subject:
            raise NotRecognised(ast.unparse(node))  # a slice of the state's own axes
        if sliced and any(isinstance(inner, ast.Name) and self.scope.replaced.get(inner.id, inner.id)
                          in self.learner.events.values() for part in parts for inner in ast.walk(part)):  # fmt: skip
            raise NotRecognised(ast.unparse(node))  # q[:, c] takes the choices of all people for each of them
        return parts

    def _counts(self, part: ast.expr) -> bool:
        """Say whether a part of a subscript runs over subjects or trials: a range, a slice, or a grid of such."""
        if isinstance(part, ast.Slice):
            return True
        if isinstance(part, ast.Constant):
            return part.value is None or part.value is Ellipsis
        if isinstance(part, ast.Call):
            return last_word(part) in _COUNTING
        names = {inner.id for inner in ast.walk(part) if isinstance(inner, ast.Name)}
        told = self.scope.known | set(self.tables) | {k for k, v in self.scope.replaced.items() if isinstance(v, str)}
        return bool(names) and not names & told and all(self._is_grid(name) for name in names)

    def _is_grid(self, name: str) -> bool:
        """Say whether a variable was made from ranges only, such as one of ``np.meshgrid``."""
        program = self.learner.program
        found = program.value(name, self.line) or program.value(name)
        if found is None:
            return name in MODULES
        words = {
            (dotted(call.node.func) or "").rpartition(".")[2] for call in program.calls_in(found.value, found.line)
        }
        return bool(words & _COUNTING)

    def _table(self, node: ast.expr) -> str | None:
        """Return the state that an expression is a copy of, by its name."""
        if isinstance(node, ast.Name):
            word = self.scope.replaced.get(node.id, node.id)
            return self.tables.get(word) if isinstance(word, str) else None
        return None

    def visit_Call(self, node: ast.Call) -> ast.expr:
        word = last_word(node)
        if isinstance(node.func, ast.Name) and word in self.learner.program.functions:
            raise NotRecognised(ast.unparse(node))  # the program's own, whatever its name
        if (
            word in ("set_subtensor", "inc_subtensor")
            and len(node.args) >= 2
            and isinstance(node.args[0], ast.Subscript)
        ):
            return self._assigned(node.args[0], node.args[1], "set" if word == "set_subtensor" else "add")
        func = node.func
        if (
            word in ("set", "inc", "add")
            and isinstance(func, ast.Attribute)
            and isinstance(func.value, ast.Subscript)
            and node.args
        ):
            place = func.value
            if isinstance(place.value, ast.Attribute) and place.value.attr == "at":
                place = ast.Subscript(place.value.value, place.slice, ast.Load())
            return self._assigned(place, node.args[0], "set" if word == "set" else "add")
        if word in ("ones_like", "zeros_like"):
            return ast.Constant(1.0 if word == "ones_like" else 0.0)
        if word in _COMPARED and len(node.args) == 2:
            left, right = (self.visit(arg) for arg in node.args)
            return ast.Compare(left, [_COMPARED[word]()], [right])
        stripped = Unshape().visit_Call(ast.parse(ast.unparse(node), mode="eval").body)  # type: ignore[arg-type]
        if not isinstance(stripped, ast.Call) or last_word(stripped) != word:
            return self.visit(stripped)
        if word in _FUNCTIONS:
            args = list(node.args)
            if isinstance(func, ast.Attribute) and not _is_library(func.value):
                args = [func.value, *args]
            keywords = []
            if word in ("argmax", "sum", "max"):
                self._check_axis(node, args)
                args = args[:1]
                keywords = [ast.keyword("axis", ast.parse("-1", mode="eval").body)] if word == "sum" else []
            elif node.keywords:
                raise NotRecognised(ast.unparse(node))
            return ast.Call(
                ast.Attribute(ast.Name("rl"), _FUNCTIONS[word], ast.Load()), [self.visit(arg) for arg in args], keywords
            )
        raise NotRecognised(ast.unparse(node))

    def _check_axis(self, node: ast.Call, args: list[ast.expr]) -> None:
        """Refuse a reduction that is not known to run along the last axis: a rule has no axis for subjects."""
        given = [keyword.value for keyword in node.keywords if keyword.arg == "axis"] or args[1:2]
        axis = number(self.learner.program, given[0], self.line) if given else None
        rank = self.rank(args[0])
        if not rank or (axis not in (-1, rank - 1) and not (axis is None and rank == 1)):
            raise NotRecognised(ast.unparse(node))
        if any(keyword.arg == "keepdims" for keyword in node.keywords) and rank > 1 + self._n_before():
            raise NotRecognised(ast.unparse(node))  # the axis that stays would meet another one

    def _n_before(self) -> int:
        """Return the number of axes of trials and subjects."""
        return self.by_trial + max((facts.by_subject for facts in self.learner.states.values()), default=False)

    def rank(self, node: ast.AST) -> int:
        """Return the number of axes that an expression has in the program, as far as it comes from states."""
        table = self._table(node) if isinstance(node, ast.Name) else None
        if table is not None:
            facts = self.learner.states[table]
            return self.by_trial + facts.by_subject + len(facts.axes)
        if isinstance(node, ast.Name):
            return self.scope.ranks.get(node.id, 0)
        if isinstance(node, ast.Subscript):
            of = self._table(node.value)
            if of is None:
                return self.rank(node.value)
            facts = self.learner.states[of]
            return self.by_trial + facts.by_subject + len(facts.axes) - len(self.indices(node, of))
        if isinstance(node, ast.Call):
            if last_word(node) in ("argmax", "sum", "max", "dot", "mean"):
                return 0
            whole = [*node.args, node.func.value] if isinstance(node.func, ast.Attribute) else node.args
            return max((self.rank(part) for part in whole), default=0)
        return max((self.rank(part) for part in ast.iter_child_nodes(node)), default=0)

    def _assigned(self, place: ast.Subscript, value: ast.expr, how: str) -> ast.expr:
        target = self.visit(place)
        if not isinstance(target, ast.Subscript):
            raise NotRecognised(ast.unparse(place))
        at = ast.Subscript(ast.Attribute(target.value, "at", ast.Load()), target.slice, ast.Load())
        return ast.Call(ast.Attribute(at, how, ast.Load()), [self.visit(value)], [])

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == "T":
            return self.visit(node.value)
        raise NotRecognised(ast.unparse(node))


def _is_library(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).split(".")[0] in MODULES


def _joined(parts: list[ast.expr]) -> ast.expr:
    return parts[0] if len(parts) == 1 else ast.Tuple(parts, ast.Load())


@dataclass(frozen=True)
class Written:
    """A rule as text: its arguments in order, its lines, and what it gives back."""

    arguments: tuple[str, ...]
    lines: tuple[str, ...]
    result: str


def names_in(*texts: str) -> set[str]:
    """Return the names that Python text uses."""
    return {node.id for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def update(learner: Learner) -> tuple[dict[str, str], list[str], list[str]]:
    """Return the update: new values by state, the lines before, and names that are returned besides the states.

    Raises
    ------
    NotRecognised
        If a line can't be said in the language of rules; it is noted in ``learner.unread``.
    """
    program, scan = learner.program, learner.scan
    assert scan.function is not None
    node = _function(program, scan.function)
    start = program.line(scan.function) - node.lineno
    body, returned = _body(node)
    scope = _scope(learner)
    tables = {name: name for name in learner.states}
    lines: list[str] = []
    known, replaced = set(scope.known), dict(scope.replaced)
    ranks: dict[str, int] = {}
    one_hot = {name for name, (_, how) in learner.forms.items() if how == "one-hot"}
    hidden = (frozenset(scan.arguments) - known - set(replaced)) | one_hot
    known -= one_hot

    def now() -> Scope:
        return Scope(scope.states, frozenset(known), replaced, hidden, ranks)

    if scan.unclear:
        line = program.line(scan.call.node)
        learner.unread.append((line, f"{program.source.lines[line - 1].strip()} ({scan.unclear})"))
        raise NotRecognised(scan.unclear)
    for statement in body:
        line = start + statement.lineno
        try:
            if not (isinstance(statement, ast.Assign) and len(statement.targets) == 1
                    and isinstance(statement.targets[0], ast.Name)):  # fmt: skip
                raise NotRecognised("statement")
            name = statement.targets[0].id
            if isinstance(statement.value, ast.Call) and last_word(statement.value) in ("arange", "range"):
                continue  # the subjects, side by side: a rule is of one
            rewrite = Rewrite(learner, now(), tables, line)
            ranks[name] = rewrite.rank(statement.value)
            copied = _copied(statement.value, tables)
            value = ast.unparse(ast.fix_missing_locations(rewrite.visit(statement.value)))
            # A local variable with the name of a parameter: both are needed.
            written = f"{name}_now" if name not in learner.states and variable(program, name, line) else name
            replaced.pop(name, None)
            tables.pop(name, None)
            if written != name:
                replaced[name] = written
            if copied:
                tables[written] = copied
            else:
                known.add(written)
            lines.append(f"{written} = {value}")
        except NotRecognised:
            learner.unread.append((line, program.source.lines[line - 1].strip()))
            raise
    values, extra = {}, []
    states = list(scan.state_arguments())
    inside = iter(states)
    for i, item in enumerate(returned):
        is_state = i >= len(scan.outputs) or scan.outputs[i] is not None
        rewrite = Rewrite(learner, now(), tables, start + item.lineno)
        code = ast.unparse(item)
        try:
            text = ast.unparse(ast.fix_missing_locations(rewrite.visit(item)))
        except NotRecognised:
            learner.unread.append((start + item.lineno, code))
            raise
        if is_state:
            values[next(inside, "")] = text
        elif isinstance(item, ast.Name):
            extra.append(item.id)
    if set(values) != set(states):
        raise NotRecognised("return")
    return values, lines, extra


def _function(program: Program, function: object) -> ast.FunctionDef | ast.Lambda:
    """Return a function of the program as an ``ast`` one; its line counts from the first comment above it."""
    import textwrap

    node = ast.parse(textwrap.dedent(program.module.code_for_node(function))).body[0]  # type: ignore[arg-type]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Lambda):
        return node.value
    if not isinstance(node, ast.FunctionDef):
        raise NotRecognised("function")
    return node


def _body(node: ast.FunctionDef | ast.Lambda) -> tuple[list[ast.stmt], list[ast.expr]]:
    """Return a function's statements and what it returns, item by item."""
    if isinstance(node, ast.Lambda):
        return [], [node.body]
    body = [statement for statement in node.body if not _is_text(statement)]
    if not body or not isinstance(body[-1], ast.Return) or body[-1].value is None:
        raise NotRecognised("return")
    value = body[-1].value
    return body[:-1], list(value.elts) if isinstance(value, ast.List | ast.Tuple) else [value]


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _copied(node: ast.expr, tables: Mapping[str, str]) -> str:
    """Return the state that a value is a new version of: the table that it starts from."""
    if isinstance(node, ast.Call) and last_word(node) in ("set_subtensor", "inc_subtensor") and node.args:
        inner = node.args[0]
        node = inner.value if isinstance(inner, ast.Subscript) else inner
        return tables.get(node.id, "") if isinstance(node, ast.Name) else ""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("set", "inc", "copy", "add")
    ):
        inner = node.func.value
        while isinstance(inner, ast.Subscript | ast.Attribute):
            inner = inner.value
        return tables.get(inner.id, "") if isinstance(inner, ast.Name) else ""
    # A whole table in a sum or product stays a table; an entry of it does not.
    whole = _whole_tables(node, tables)
    return whole[0] if whole else ""


def _parts_of(node: ast.AST) -> list[ast.AST]:
    """Return the parts of a sum or product that have its shape: an entry of a table and its index do not."""
    if isinstance(node, ast.BinOp):
        return _parts_of(node.left) + _parts_of(node.right)
    if isinstance(node, ast.Subscript):
        padding = unshaped(node)
        return [] if isinstance(padding, ast.Subscript) else _parts_of(padding)
    return _parts_of(node.operand) if isinstance(node, ast.UnaryOp) else [node]


def _whole_tables(node: ast.AST, tables: Mapping[str, str]) -> list[str]:
    if isinstance(node, ast.Name):
        return [tables[node.id]] if node.id in tables else []
    if isinstance(node, ast.BinOp):
        return _whole_tables(node.left, tables) + _whole_tables(node.right, tables)
    if isinstance(node, ast.UnaryOp):
        return _whole_tables(node.operand, tables)
    return []


def _scope(learner: Learner) -> Scope:
    """Return what the names of the scan's function mean."""
    program, scan = learner.program, learner.scan
    states = {name: facts.axes for name, facts in learner.states.items()}
    known = set(learner.events.values()) | set(states)
    replaced: dict[str, str | float | int] = {}
    start = len(scan.sequences) + len(scan.states)
    for inside, outside in zip(scan.arguments[start:], scan.others, strict=False):
        node = expression(program, outside)
        parameter = base_parameter(program, node, scan.call.line)
        if parameter is not None:
            replaced[inside] = parameter
            continue
        value = number(program, node, scan.call.line)
        if value is not None:
            replaced[inside] = value
    # A function sees the program's own variables, too.
    if scan.function is not None:
        for inner in ast.walk(_function(program, scan.function)):
            if isinstance(inner, ast.Name) and inner.id not in scan.arguments and variable(
                program, inner.id, scan.call.line
            ):
                replaced[inner.id] = inner.id
    return Scope(states, frozenset(known), replaced)
