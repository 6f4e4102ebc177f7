"""The recursions of a program: what a scan loops over, carries and returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlbackends.porting.linting.program import Assignment, Call, Program

if TYPE_CHECKING:
    import libcst as cst

SCANS = ("pytensor.scan", "pytensor.scan.scan", "pytensor.scan.basic.scan", "pytensor.scan_module.scan")


@dataclass(frozen=True)
class Scan:
    """A scan over trials: its function, and what meets that function's arguments.

    Sequences, states and others are in the order of the function's arguments; ``results`` are the names that receive
    the outputs, empty where none does. ``slices`` says, for each sequence, how it was cut: ``"[:-1]"`` or empty.
    """

    call: Call
    function: cst.FunctionDef | cst.Lambda | None
    arguments: tuple[str, ...]
    sequences: tuple[cst.BaseExpression, ...]
    outputs: tuple[cst.BaseExpression | None, ...]
    others: tuple[cst.BaseExpression, ...]
    results: tuple[str, ...]
    assignment: Assignment | None
    unclear: str = ""  # why its arguments can't be told apart, or its trials do not run as usual

    @property
    def states(self) -> tuple[cst.BaseExpression, ...]:
        """What the states start from."""
        return tuple(output for output in self.outputs if output is not None)

    def state_arguments(self) -> tuple[str, ...]:
        """Return the names of the states inside the function."""
        start = len(self.sequences)
        return self.arguments[start : start + len(self.states)]

    def state_results(self) -> dict[str, str]:
        """Return, for each name that receives a state's values, the state's name inside the function."""
        inside = iter(self.state_arguments())
        found = {}
        for i, output in enumerate(self.outputs):
            name = next(inside, "") if output is not None else ""
            if name and i < len(self.results) and self.results[i]:
                found[self.results[i]] = name
        return found


def scans(program: Program) -> list[Scan]:
    """Return a program's scans."""
    return [_scan(program, call) for call in program.calls if call.name in SCANS]


def _scan(program: Program, call: Call) -> Scan:
    import libcst as cst

    function_node = call.argument("fn", 0)
    function: cst.FunctionDef | cst.Lambda | None = None
    if isinstance(function_node, cst.Lambda):
        function = function_node
    elif isinstance(function_node, cst.Name):
        function = program.function(function_node.value, call.line)
    arguments = tuple(p.name.value for p in function.params.params) if function is not None else ()
    assignment = next((a for a in program.assignments if a.value is call.node), None)
    sequences = _items(program, call.argument("sequences", 1), call.line)
    states = _items(program, call.argument("outputs_info", 2), call.line)
    others = _items(program, call.argument("non_sequences", 3), call.line)
    n_given = len(sequences) + sum(not _is_none(item) for item in states) + len(others)
    unclear = ""
    if any(_taps(item) not in ("", "0", "[0]") for item in sequences) or any(
        _taps(item) not in ("", "-1", "[-1]") for item in states
    ):
        unclear = "taps"
    elif getattr(call.argument("go_backwards"), "value", "False") != "False":
        unclear = "go_backwards"
    elif function is not None and not sum(p.default is None for p in function.params.params) <= n_given <= len(
        arguments
    ):
        unclear = f"{len(arguments)} arguments of the function, {n_given} given"
    elif len({trial_cut(program, item, call.line) for item in sequences}) > 1:
        unclear = "sequences that start or end at different trials"
    return Scan(
        call, function, arguments,
        tuple(_bare(item) for item in sequences),
        tuple(None if _is_none(item) else _bare(item) for item in states),
        tuple(others),
        _results(program, assignment), assignment, unclear,
    )  # fmt: skip


def _items(program: Program, node: cst.BaseExpression | None, line: int) -> list[cst.BaseExpression]:
    """Return a list's items; one thing alone is a list of one."""
    import libcst as cst

    if node is None or _is_none(node):
        return []
    if isinstance(node, cst.Name):
        found = program.value(node.value, line)
        if found is not None and isinstance(found.value, cst.List | cst.Tuple) and not found.unpacked:
            node = found.value
    if isinstance(node, cst.List | cst.Tuple):
        return [element.value for element in node.elements]
    return [node]


def _bare(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return what a ``dict(initial=…, taps=…)`` holds."""
    held = _held(node)
    return held.get("initial", held.get("input", node))


def _held(node: cst.BaseExpression) -> dict[str, cst.BaseExpression]:
    """Return the entries of ``dict(initial=…, taps=…)``, written this way or the other; empty: it is none."""
    import libcst as cst

    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "dict":
        return {arg.keyword.value: arg.value for arg in node.args if arg.keyword is not None}
    if isinstance(node, cst.Dict):
        return {
            str(element.key.evaluated_value): element.value for element in node.elements
            if isinstance(element, cst.DictElement) and isinstance(element.key, cst.SimpleString)
        }  # fmt: skip
    return {}


def _taps(node: cst.BaseExpression) -> str:
    """Return the trials that an entry reads, as written without spaces; empty: not said."""
    import libcst as cst

    taps = _held(node).get("taps")
    return "" if taps is None else "".join(cst.Module([]).code_for_node(taps).split())


def trial_cut(program: Program, node: cst.BaseExpression, line: int) -> str:
    """Return how a value, or the variable that it is, is cut by trials: ``"1:"``, ``":-1"``, or empty."""
    import libcst as cst

    found = program.value(node.value, line) if isinstance(node, cst.Name) else None
    text = program.text(found.value if found is not None else node).replace(" ", "")
    return "1:" if "[1:" in text else ":-1" if "[:-1" in text else ""


def _is_none(node: cst.BaseExpression) -> bool:
    import libcst as cst

    return isinstance(node, cst.Name) and node.value == "None"


def returns_pair(scan: Scan) -> bool:
    """Say whether a scan's call gives results and updates, as it does unless told otherwise."""
    asked = scan.call.argument("return_updates")
    return asked is None or getattr(asked, "value", "") != "False"


def _results(program: Program, assignment: Assignment | None) -> tuple[str, ...]:
    """Return the names that receive the outputs: of ``[a, b], _ = scan(…)`` a and b."""
    import libcst as cst

    if assignment is None:
        return ()
    asked = (
        None
        if not isinstance(assignment.value, cst.Call)
        else next(
            (
                arg.value
                for arg in assignment.value.args
                if arg.keyword is not None and arg.keyword.value == "return_updates"
            ),
            None,
        )
    )
    pair = not (isinstance(asked, cst.Name) and asked.value == "False")
    if not assignment.unpacked:
        word = assignment.targets[0]
        if not pair:
            return (word,)
        # results = scan(…), then values, updates = results: one step further.
        for later in program.assignments:
            if later.unpacked and isinstance(later.value, cst.Name) and later.value.value == word:
                return later.targets[:-1]
        return ()
    return assignment.targets[:-1] if pair else assignment.targets
