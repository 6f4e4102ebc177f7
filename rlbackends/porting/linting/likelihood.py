"""Read what the subject is likely to do: the logits behind the probabilities of an observed response."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rlbackends.porting.linting.find_calls import distribution_of
from rlbackends.porting.linting.program import Assignment, Call
from rlbackends.porting.linting.recognise import Learner, start_value
from rlbackends.porting.linting.scans import scans, trial_cut
from rlbackends.porting.linting.terms import Expand, expression, last_word, remade, unshaped, variable
from rlbackends.porting.linting.translate import NotRecognised, Rewrite, Scope, names_in

_RESPONSES = ("Categorical", "Bernoulli", "Normal")
_SIGMOIDS = ("sigmoid", "invlogit", "expit")


@dataclass(frozen=True)
class Response:
    """An observed response as a rule: its event, what the rule returns, the parameters it asks for, its line."""

    event: str
    result: str
    parameters: tuple[str, ...]
    line: int
    note: str = ""


def response(learner: Learner) -> Response | None:
    """Return the first observed response that can be read; what can't is noted in ``learner.unread``."""
    program = learner.program
    start = program.start(learner.scan.call.node)
    later = [place for scan in scans(program) if (place := program.start(scan.call.node)) > start]
    said: Response | None = None
    for call in program.calls:
        kind = distribution_of(call)
        is_potential = call.name == "pymc.Potential"
        if not is_potential and (kind is None or call.argument("observed") is None):
            continue
        if later and program.start(call.node) > later[0]:
            break  # of the next recursion
        found = None
        # A likelihood above the recursion can't know its values.
        if said is None and not learner.scan.unclear and program.start(call.node) > start:
            try:
                if is_potential:
                    found = _of_potential(learner, call)
                elif kind is not None and kind[0] in _RESPONSES:
                    found = _read(learner, call, kind[0])
            except NotRecognised:
                found = None
        if found is not None and names_in(found.result) & set(learner.states):
            said = found
        else:  # it can't be read, is one more response, or has nothing to do with what is learnt
            learner.unread.append((call.line, program.text(call.node)))
    return said


def _read(learner: Learner, call: Call, kind: str) -> Response:
    program = learner.program
    stop = _stop(learner)
    event = _event(learner, call)
    observed = call.argument("observed")
    cut = trial_cut(program, observed, call.line) if observed is not None else ""
    if kind == "Normal":
        values = [
            call.argument("mu", 1),
            next((v for v in (call.argument("sigma", 2), call.argument("sd")) if v), None),
        ]
        if None in values:
            raise NotRecognised("Normal")
        mean, sd = (Expand(program, call.line, stop).visit(expression(program, v)) for v in values)
        mean, note = _written(learner, mean, call.line, cut)
        sd, other = _written(learner, sd, call.line, cut)
        text = f"rl.Normal(mean={mean}, sd={sd})"
        return Response(event, text, _parameters(learner, mean, sd), call.line, note or other)
    logits = call.argument("logit_p")
    if logits is not None:
        node = Expand(program, call.line, stop).visit(expression(program, logits))
        _own_functions(learner, node)
        text, note = _written(learner, node, call.line, cut)
        return Response(event, f"rl.{kind}(logits={text})", _parameters(learner, text), call.line, note)
    value = call.argument("p", 1)
    if value is None:
        raise NotRecognised("p")
    node = Expand(program, call.line, stop).visit(expression(program, value))
    _own_functions(learner, node)
    before = kind
    kind, inner = _logits(node, kind)
    text, note = _written(learner, inner, call.line, cut)
    if kind != before:  # one probability of a softmax is that of a choice among two
        sizes = {learner.sizes.get(facts.axes[-1]) for name, facts in learner.states.items()
                 if name in names_in(text) and facts.axes}  # fmt: skip
        if sizes != {2}:
            raise NotRecognised(text)
    return Response(event, f"rl.{kind}(logits={text})", _parameters(learner, text), call.line, note)


def _stop(learner: Learner) -> dict[str, Assignment | None]:
    """Return the names of events and of states' values, each with the assignment that it means."""
    program, line = learner.program, learner.scan.call.line
    stop = {name: program.value(name, line) for name in learner.events}
    begun = learner.scan.assignment
    for name in learner.scan.state_results():
        made = (a for a in program.assignments if name in a.targets and begun is not None and a.line >= begun.line)
        stop[name] = next(made, None)
    return stop


def _own_functions(learner: Learner, node: ast.expr) -> None:
    """Refuse functions of the program itself: ``softmax(q, beta)`` is whatever it says."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Name):
            if inner.func.id in learner.program.functions:
                raise NotRecognised(ast.unparse(inner))


def _event(learner: Learner, call: Call) -> str:
    """Return the event that was observed: a sequence of the scan, or a name of its own."""
    program = learner.program
    observed = call.argument("observed")
    assert observed is not None
    chain: Iterable[Any] = program.chain(observed, call.line)
    names = [node.value for node in chain if type(node).__name__ == "Name"]
    form, how = remade(program, expression(program, observed), call.line)
    same = next((event for event, (of_event, _) in learner.forms.items() if of_event == form), None)
    if same is not None:
        return same
    event = next((learner.events[name] for name in names if name in learner.events), None)
    event = event or next((learner.aliases[name] for name in names if name in learner.aliases), None)
    if event is None:
        return names[0] if names else "choice"
    learnt, learnt_how = learner.forms[event]
    one, other = _places(form), _places(learnt)
    if how or learnt_how or not (one <= other or other <= one):
        raise NotRecognised(form)  # the choices that are explained are not those that are learnt from
    return event


def _places(form: str) -> set[str]:
    """Return what says which data a value is: names of files and columns, and numbers of columns."""
    tree = ast.parse(form, mode="eval")
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {repr(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)} | {
        node.attr for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and id(node) not in called and node.attr not in ("values", "T")
    }  # fmt: skip


def _of_potential(learner: Learner, call: Call) -> Response:
    """Read a sum of log-probabilities, each trial's picked by its choice: ``log_p[arange(n), actions].sum()``."""
    program = learner.program
    value = call.argument("var", 1)
    if value is None:
        raise NotRecognised("Potential")
    stop = _stop(learner)
    node = unshaped(Expand(program, call.line, stop).visit(expression(program, value)))
    _own_functions(learner, node)
    if isinstance(node, ast.Call) and last_word(node) == "sum":
        on_module = isinstance(node.func, ast.Attribute) and node.args
        node = node.args[0] if on_module else node.func.value if isinstance(node.func, ast.Attribute) else node
    node = unshaped(node)
    parts = node.slice.elts if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) else []
    last = parts[-1] if parts else None
    cut = "1:" if last is not None and "[1:" in ast.unparse(last) else ""
    while isinstance(last, ast.Subscript):
        last = last.value
    if not (isinstance(node, ast.Subscript) and isinstance(last, ast.Name) and last.id in learner.events):
        raise NotRecognised("Potential")
    logits = _log_softmax(unshaped(node.value))
    if logits is None:
        raise NotRecognised("Potential")
    text, note = _written(learner, logits, call.line, cut)
    event = learner.events[last.id]
    return Response(event, f"rl.Categorical(logits={text})", _parameters(learner, text), call.line, note)


def _log_softmax(node: ast.expr) -> ast.expr | None:
    """Return z if a value is the logarithm of softmax(z), written in one of the usual ways."""
    if isinstance(node, ast.Call) and node.args:
        if last_word(node) in ("log_softmax", "logsoftmax"):
            return node.args[0] if _along_last(node) else None
        return _softmax(unshaped(node.args[0])) if last_word(node) == "log" else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        return _softmax(ast.Call(ast.Name("exp"), [node], [])) or _softmax(
            ast.BinOp(ast.Call(ast.Name("exp"), [node.left], []), ast.Div(), _exponent(node.right))
        )
    return None


def _exponent(node: ast.expr) -> ast.expr:
    """Return exp of a value: of ``log(x)`` x."""
    node = unshaped(node)
    if isinstance(node, ast.Call) and last_word(node) == "log" and node.args:
        return node.args[0]
    return ast.Call(ast.Name("exp"), [node], [])


def _logits(node: ast.expr, kind: str) -> tuple[str, ast.expr]:
    """Return the response's kind and the logits behind probabilities: of ``exp(z) / sum(exp(z))`` z."""
    node = unshaped(node)
    picked = False
    if isinstance(node, ast.Subscript):  # p[:, 1] of two actions
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        last = parts[-1]
        if (isinstance(last, ast.Constant) and last.value == 1) or ast.unparse(last) == "-1":
            picked, node = True, unshaped(node.value)
    found = _softmax(node)
    if found is not None and (kind == "Categorical" or picked):
        return "Categorical", found
    if picked:
        raise NotRecognised("p")
    if isinstance(node, ast.Call) and last_word(node) == "exp" and kind == "Categorical":
        return kind, node.args[0]
    if kind == "Bernoulli":
        if isinstance(node, ast.Call) and last_word(node) in _SIGMOIDS and node.args:
            return kind, node.args[0]
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):  # 1 / (1 + exp(-z))
            below = node.right
            if isinstance(below, ast.BinOp) and isinstance(below.op, ast.Add):
                for side, one in ((below.left, below.right), (below.right, below.left)):
                    if isinstance(side, ast.Call) and last_word(side) == "exp" and ast.unparse(one) in ("1", "1.0"):
                        if ast.unparse(node.left) in ("1", "1.0"):
                            return kind, ast.UnaryOp(ast.USub(), side.args[0])
    raise NotRecognised(ast.unparse(node))


def _softmax(node: ast.expr) -> ast.expr | None:
    """Return z if a value is softmax(z), written in one of the usual ways."""
    if isinstance(node, ast.Call):
        word = last_word(node)
        if "softmax" in word and "log" not in word and node.args:
            return node.args[0] if _along_last(node) else None
        if word == "exp" and node.args:
            inner = unshaped(node.args[0])
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub):
                below = unshaped(inner.right)
                if isinstance(below, ast.Call) and last_word(below) == "logsumexp" and below.args:
                    return inner.left if ast.unparse(unshaped(below.args[0])) == ast.unparse(inner.left) else None
            if isinstance(inner, ast.Call) and last_word(inner) in ("log_softmax", "logsoftmax") and inner.args:
                return inner.args[0]
        return None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        above, below = unshaped(node.left), unshaped(node.right)
        if (
            isinstance(above, ast.Call)
            and last_word(above) == "exp"
            and isinstance(below, ast.Call)
            and last_word(below) == "sum"
        ):
            func = below.func
            whole = func.value if isinstance(func, ast.Attribute) and last_word(func.value) == "exp" else None
            whole = whole if whole is not None else below.args[0] if below.args else None
            if whole is not None and _same(unshaped(whole), above):
                return above.args[0]
    return None


def _along_last(node: ast.Call) -> bool:
    """Say whether a softmax is told nothing but its values and an axis that is not the first."""
    more = [*node.args[1:], *(keyword.value for keyword in node.keywords)]
    words = {keyword.arg for keyword in node.keywords}
    return words <= {"axis"} and len(more) <= 1 and all(ast.unparse(axis) in ("-1", "1", "2", "3") for axis in more)


def _same(one: ast.expr, other: ast.expr) -> bool:
    """Say whether two exponentials are of the same thing, whatever module exp comes from."""
    if isinstance(one, ast.Call) and isinstance(other, ast.Call) and last_word(one) == last_word(other):
        return [ast.unparse(arg) for arg in one.args] == [ast.unparse(arg) for arg in other.args]
    return ast.unparse(one) == ast.unparse(other)


_AFTER = ": there with the values after the trial's update"
_NOT_FIRST = ": the program does not count the first response"
# How the sequences, the states' values and the responses are cut by trials → what is to be said.
_ALIGNED = {("", "shifted", ""): "", ("", "", ""): _AFTER, ("", ":-1", "1:"): _NOT_FIRST, (":-1", "", "1:"): _NOT_FIRST}


def _written(learner: Learner, node: ast.expr, line: int, cut: str) -> tuple[str, str]:
    """Return an expression at a line in the language of rules, and a note on the trials that it is of.

    ``cut`` is how the responses are cut.
    """
    results = learner.scan.state_results()
    parameters = {
        inner.id: inner.id for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and variable(learner.program, inner.id, line) and inner.id not in learner.events
        and inner.id not in results
    }  # fmt: skip
    replaced: dict[str, str | float | int] = {**parameters, **learner.events, **results}
    states = {name: facts.axes for name, facts in learner.states.items()}
    scope = Scope(states, frozenset({*learner.events.values(), *states, *parameters}), replaced)
    rewrite = _Behind(learner, scope, {name: name for name in states}, line)
    text = ast.unparse(ast.fix_missing_locations(rewrite.visit(node)))
    sequences = {trial_cut(learner.program, item, learner.scan.call.line) for item in learner.scan.sequences}
    before = next(iter(sequences), "")
    if not rewrite.cuts:
        return text, ""
    if before == cut and rewrite.cuts <= {"", "shifted"}:
        before = cut = ""  # all data begin at the same trial
    aligned = (before, rewrite.cuts.pop(), cut) if len(rewrite.cuts) == 1 else None
    if aligned not in _ALIGNED:
        raise NotRecognised("trials")
    return text, _ALIGNED[aligned]


class _Behind(Rewrite):
    """Rewrite what stands behind the scan: values by trial, put one trial later or cut by one."""

    by_trial = 1

    def __init__(self, learner: Learner, scope: Scope, tables: dict[str, str], line: int) -> None:
        super().__init__(learner, scope, tables, line)
        self.cuts: set[str] = set()  # how the states' values were cut by trials: "", ":-1", "shifted"

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if self._table(node):
            self.cuts.add("")
        return super().visit_Name(node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if last_word(node) in ("concatenate", "stack", "join", "vstack"):
            parts = next((arg.elts for arg in node.args if isinstance(arg, ast.List | ast.Tuple)), node.args[-2:])
            last = parts[-1] if len(parts) == 2 else None
            table = self._table(last.value) if isinstance(last, ast.Subscript) else None
            if isinstance(last, ast.Subscript) and table and ast.unparse(last.slice) == ":-1":
                if self._starts(parts[0], table):
                    self.cuts.add("shifted")
                    return super().visit_Name(last.value)  # type: ignore[arg-type]
            raise NotRecognised(ast.unparse(node))
        return super().visit_Call(node)

    def _starts(self, node: ast.expr, table: str) -> bool:
        """Say whether what is put before a state's values is what the recursion starts from."""
        program, scan = self.learner.program, self.learner.scan
        while isinstance(node, ast.List | ast.Tuple) and len(node.elts) == 1:
            node = node.elts[0]
        start = scan.states[list(self.learner.states).index(table)]
        begun = unshaped(Expand(program, scan.call.line).visit(expression(program, start)))
        node = unshaped(Expand(program, self.line).visit(node))
        if ast.unparse(node) == ast.unparse(begun):
            return True
        value = start_value(program, node, self.line)
        return value is not None and value == start_value(program, begun, scan.call.line)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        table = self._table(node.value)
        if table:
            first = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) else node.slice
            cut = ast.unparse(first) if isinstance(first, ast.Slice) else ":"
            if cut not in (":", ":-1"):
                raise NotRecognised(ast.unparse(node))
            found = {*self.cuts, cut if cut == ":-1" else ""}
            written = super().visit_Subscript(node)
            self.cuts = found
            return written
        if isinstance(node.value, ast.Call) and last_word(node.value) == "concatenate":
            values = self.visit(node.value)
            if isinstance(values, ast.Name):
                found = set(self.cuts)
                if any(isinstance(part, ast.Slice) and (part.lower or part.upper) for part in ast.walk(node.slice)):
                    raise NotRecognised(ast.unparse(node))
                written = super().visit_Subscript(ast.Subscript(values, node.slice, ast.Load()))
                self.cuts = found
                return written
        if isinstance(node.value, ast.Name) and node.value.id in self.learner.events:
            return self.visit(node.value)  # actions[1:]
        return super().visit_Subscript(node)


def _parameters(learner: Learner, *texts: str) -> tuple[str, ...]:
    names = [node.id for text in texts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    told = set(learner.states) | set(learner.events.values()) | {"rl"}
    return tuple(dict.fromkeys(name for name in names if name not in told))
