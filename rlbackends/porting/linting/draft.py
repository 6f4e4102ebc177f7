"""Draft a spec from what was recognised of a program: Python that builds a model, and says what could not be read."""

from __future__ import annotations

import re

from rlbackends.porting.linting.find_calls import bounded, distribution_of
from rlbackends.porting.linting.likelihood import Response, response
from rlbackends.porting.linting.program import Program, nodes
from rlbackends.porting.linting.recognise import Learner, StateFacts, state_facts, support
from rlbackends.porting.linting.report import Part
from rlbackends.porting.linting.scans import Scan, scans
from rlbackends.porting.linting.terms import expression, remade
from rlbackends.porting.linting.translate import NotRecognised, names_in, update


def draft(program: Program) -> tuple[tuple[Part, ...], str]:
    """Return the parts of the model that were recognised, and the draft of a spec; empty if there is no recursion."""
    found = [scan for scan in scans(program) if scan.function is not None and scan.states]
    parts = _parts(program, found)
    if not found:
        return parts, ""
    try:
        text = _write(_read(program, found[0]), found)
        compile(text, "draft", "exec")
    except (RecursionError, SyntaxError, ValueError):
        return parts, ""  # what was written there could not be read at all
    return parts, text


# ------------------------------------------------------------------------------------------------------ what there is


def _parts(program: Program, found: list[Scan]) -> tuple[Part, ...]:
    """Return the lines of the priors, the learning rule and the likelihood."""
    import libcst as cst

    rows: list[tuple[int, Part]] = []

    def add(kind: str, name: str, node: cst.CSTNode) -> None:
        line = program.line(node)
        rows.append((line, Part(kind, name, program.source.where(line), program.source.lines[line - 1].strip())))

    for call in program.calls:
        kind = distribution_of(call)
        if (kind is not None and not kind[1]) or bounded(program, call):
            name = call.positional()[0] if call.positional() else None
            word = program.text(name).strip("'\"") if name is not None else ""
            if kind is not None and call.argument("observed") is not None:
                add("likelihood", word, call.node)
            else:
                add("prior", word, call.node)
        elif call.name == "pymc.Potential":
            add("likelihood", "", call.node)
    for scan in found:
        for node in nodes(scan.function):  # type: ignore[arg-type]
            if isinstance(node, cst.Assign | cst.Return) and node.value is not None:
                kind_of = _rule_kind(program, node.value)
                if kind_of:
                    add(kind_of, "", node)
        add("recursion", "", scan.call.node)
    unique = dict.fromkeys(sorted(rows, key=lambda row: row[0]))
    return tuple(part for _, part in unique)


_DECAY = re.compile(r"\(\s*1(\.0?)?\s*-\s*\w+\s*\)\s*\*")
_ERROR = re.compile(r"\(\s*[\w\[\],. :()]+\s*-\s*[\w\[\],. :()]+\s*\)")


def _rule_kind(program: Program, value: object) -> str:
    """Return what a line of a scan's function does: learns, decays, or nothing that is known."""
    text = program.text(value)  # type: ignore[arg-type]
    if "set_subtensor" in text or "inc_subtensor" in text or re.search(r"\]\.(set|inc|add)\(", text):
        return "learning rule"
    if _DECAY.search(text):
        return "decay"
    if re.search(r"\w+\s*\+\s*\w+(\[[^\]]*\])?\s*\*", text) and _ERROR.search(text):
        return "learning rule"
    if re.fullmatch(r"\(?\s*(rewards?|outcomes?|r|R)\w*\s*-\s*\w+(\[.*\])?\s*\)?", text):
        return "prediction error"
    return ""


def _read(program: Program, scan: Scan) -> Learner:
    """Read the events and states of a scan."""
    import libcst as cst

    learner = Learner(program, scan)
    for outside, inside in zip(scan.sequences, scan.arguments, strict=False):
        learner.forms[inside] = remade(program, expression(program, outside), scan.call.line)
        words = [n.value for n in nodes(outside) if isinstance(n, cst.Name)]
        name = next((word for word in words if program.value(word, scan.call.line) is not None), inside)
        if learner.forms[inside][1]:
            learner.remade[inside] = _as_made(program, outside, scan.call.line)
            name = name if isinstance(outside, cst.Name) else inside
        learner.events[inside if name in learner.events else name] = inside
    made_from = {
        inside: {n.value for n in program.chain(outside, scan.call.line) if isinstance(n, cst.Name)}
        for outside, inside in zip(scan.sequences, scan.arguments, strict=False)
    }
    for inside, names in made_from.items():
        others = set().union(*(found for event, found in made_from.items() if event != inside))
        learner.aliases.update(dict.fromkeys(names - others, inside))
    for name, start in zip(scan.state_arguments(), scan.states, strict=False):
        facts = state_facts(program, learner, name, start, scan.call.line)
        if facts is None:
            learner.unread.append((program.line(start), program.text(start)))
            facts = StateFacts(name, (), None, program.line(start))
        learner.states[name] = facts
    return learner


def _as_made(program: Program, outside: object, line: int) -> str:
    """Return how an event's data are computed, on one line: ``1 - actions``, or ``unchosen = 1 - actions``."""
    text = program.text(outside)  # type: ignore[arg-type]
    found = program.value(text, line)
    return text if found is None else f"{text} = {program.text(found.value)}"


# ------------------------------------------------------------------------------------------------------- how it is said


def _write(learner: Learner, found: list[Scan]) -> str:
    """Return the draft as Python text."""
    program = learner.program
    try:
        values, lines, extra = update(learner)
    except NotRecognised:
        values, lines, extra = {}, [], []
    said = response(learner)
    names = _model_name(program)
    used = names_in("\n".join(lines) or "0", *values.values())
    assigned = {line.partition(" = ")[0] for line in lines}
    told = set(learner.states) | set(learner.events.values()) | {"rl"}
    parameters = [name for name in _ordered(program) if name in used and name not in assigned and name not in told]
    for name in (*parameters, *(said.parameters if said else ())):
        learner.parameters.setdefault(name, support(program, name, learner.scan.call.line))
    text = [
        f'"""Drafted from {program.source.path.name}: read every line before you use it."""',
        "",
        "import rlbackends as rl",
        "",
    ]
    text += _choice(learner, said)
    text += _learning(learner, values, lines, extra, parameters)
    text += _model(learner, said, values, extra, names)
    for other in found[1:]:
        text.append(f"# not recognised: {_place(program, other.call.line)}: a second scan")
    for line, code in dict.fromkeys(learner.unread):
        text.append(f"# not recognised: {_place(program, line)}: {code}")
    return "\n".join(text).rstrip() + "\n"


def _place(program: Program, line: int) -> str:
    cell, inside = program.source.place(line)
    return f"line {inside}" if cell is None else f"cell {cell}, line {inside}"


def _ordered(program: Program) -> list[str]:
    """Return the names that a program assigns, in its order."""
    return list(dict.fromkeys(name for item in program.assignments for name in item.targets if name))


def _model_name(program: Program) -> str:
    word = re.sub(r"\W+", "_", program.source.path.stem).strip("_")
    return word if word and not word[0].isdigit() else f"model_{word}".rstrip("_")


def _choice(learner: Learner, said: Response | None) -> list[str]:
    if said is None:
        return ["", "# not recognised: the likelihood of the responses", ""]
    used = names_in(said.result)
    known = [*learner.states, *learner.events.values(), *said.parameters]
    arguments = [name for name in known if name in used]
    return [
        "",
        f"def choose({', '.join(dict.fromkeys(arguments))}):",
        f"    # {_place(learner.program, said.line)}{said.note}",
        f"    return {said.result}",
        "",
    ]


def _learning(
    learner: Learner, values: dict[str, str], lines: list[str], extra: list[str], parameters: list[str]
) -> list[str]:
    line = learner.program.line(learner.scan.function) if learner.scan.function is not None else 0
    where = _place(learner.program, line)
    if not values:
        return ["", f"def learn({', '.join(learner.states)}):", f"    # not recognised: {where}: the rule of learning",
                "    return {}", ""]  # fmt: skip
    used = names_in("\n".join(lines) or "0", *values.values())
    known = [name for name in (*learner.states, *learner.events.values(), *parameters) if name in used]
    returned = ", ".join(f'"{name}": {value}' for name, value in {**values, **{name: name for name in extra}}.items())
    return ["", f"def learn({', '.join(dict.fromkeys(known))}):", f"    # {where}", *(f"    {item}" for item in lines),
            f"    return {{{returned}}}", ""]  # fmt: skip


def _model(learner: Learner, said: Response | None, values: dict[str, str], extra: list[str], name: str) -> list[str]:
    program = learner.program
    text = ["", "model = rl.Model(", f'    "{name}",', "    parameters={"]
    for word, where in learner.parameters.items():
        comment = f"  # {_place(program, where.line)}" if where.line else ""
        comment += f": {where.why}" if where.why else ""
        text.append(f'        "{word}": rl.Parameter({where.text}),{comment}')
    text += ["    },", "    states={"]
    for facts in learner.states.values():
        axes = "".join(f'"{axis}", ' for axis in facts.axes)
        start = (
            "0.0"
            if facts.initial is None
            else list(facts.initial)
            if isinstance(facts.initial, tuple)
            else facts.initial
        )
        comment = f"  # {_place(program, facts.line)}" if facts.initial is not None else \
            f"  # not recognised: {_place(program, facts.line)}: its axes and start"  # fmt: skip
        text.append(f'        "{facts.name}": rl.State({axes}initial={start}),{comment}')
    text += ["    },", "    trial={"]
    text += _trial(learner, said)
    text += ["    },", "    update=learn,"]
    if extra:
        text.append(f"    records=[{', '.join(f'{name!r}' for name in extra)}],")
    sizes: list[str] = []
    unknown: list[str] = []
    for axis, size in learner.sizes.items():
        (sizes if size is not None else unknown).append(f'"{axis}": {size}')
    text.append(f"    sizes={{{', '.join([*sizes, *unknown])}}},")
    text += [f"    # not recognised: the size of {item.partition(':')[0]}" for item in unknown]
    return [*text, ")"]


def _trial(learner: Learner, said: Response | None) -> list[str]:
    """Return the events in order: those that the choice reads, the choice, what comes after it."""
    read = names_in(said.result) if said is not None else set()
    event = said.event if said is not None else None
    before = [name for name in learner.events.values() if name in read and name != event]
    after = [name for name in learner.events.values() if name not in before and name != event]
    lines = [f'        "{name}": {_kind(learner, name)},{_data(learner, name)}' for name in before]
    if event is not None:
        lines.append(f'        "{event}": choose,{_data(learner, event)}')
    return [*lines, *(f'        "{name}": {_kind(learner, name)},{_data(learner, name)}' for name in after)]


def _data(learner: Learner, event: str) -> str:
    """Return what to say of an event's data: that the program computes them, that their shape was taken."""
    said = []
    if event in learner.remade:
        said.append(f"its data are {learner.remade[event]}")
    if event in learner.taken and learner.forms[event][1] != "one-hot":
        said.append("taken for one number a trial, not one for each entry")
    return f"  # {'; '.join(said)}" if said else ""


def _kind(learner: Learner, event: str) -> str:
    axis = learner.indexed.get(event)
    return f'rl.Index("{axis}")' if axis is not None else "rl.Real()"
