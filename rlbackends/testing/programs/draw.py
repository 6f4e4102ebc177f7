"""Draws a whole program: what the model declares, its rules, and which checks are made of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from rlbackends.expressions.kinds import Axes, Axis
from rlbackends.testing.programs import rules
from rlbackends.testing.programs.choices import Choices
from rlbackends.testing.programs.grammar import Grammar
from rlbackends.testing.programs.program import _HEAD, Program
from rlbackends.testing.programs.values import Value, number
from rlbackends.testing.programs.world import population_text, world_text

_PARAMETERS = {
    "alpha": ("rl.UnitInterval()", 0.0, 1.0),
    "beta": ("rl.Positive()", 0.05, 5.0),
    "bias": ("rl.RealLine()", -3.0, 3.0),
    "eta": ("rl.UnitInterval()", 0.0, 1.0),
    "span": ("rl.Interval(-0.5, 1.5)", -0.5, 1.5),
}
_AXES = ("action", "stimulus", "feature")
GATHERS = ("auto", "gather", "one_hot")


@dataclass(frozen=True)
class GivenEvent:
    """An event of the world as the generator drew it."""

    name: str
    text: str
    value: Value


def _event(name: str, kind: str, axes: Axes, hi: float = 1.0) -> Value:
    if kind == "real":
        return Value(name, axes, "real", -2.0, 2.0, 0.0, True)
    return Value(name, axes, "int", 0, hi, 0.0, True)


def _names(axes: Axes) -> str:
    return ", ".join(f'"{axis.name}"' for axis in axes)


def _world(choose: Choices, axes: list[Axis]) -> list[GivenEvent]:
    """Return what the world may give; what no rule asks for is left out later."""
    events = [GivenEvent("reward", "rl.Real()", _event("reward", "real", ()))]
    last, first = axes[-1], axes[0]
    if choose.chance(50):
        events.append(GivenEvent("cue", f'rl.Index("{last.name}")', _event("cue", "int", (), last.size - 1)))
    if choose.chance(40):
        events.append(GivenEvent("gains", f"rl.Real({_names((first,))})", _event("gains", "real", (first,))))
    if choose.chance(35):
        events.append(GivenEvent("flag", "rl.Binary()", _event("flag", "int", ())))
    of = next(((a, b) for a in axes for b in reversed(axes) if a is not b and b.size <= a.size), None)
    if of is not None and choose.chance(45):
        text = f'rl.Index("{of[0].name}", "{of[1].name}")'
        places = _event("places", "int", (of[1],), of[0].size - 1)
        events.append(GivenEvent("places", text, replace(places, is_distinct=True)))
    if choose.chance(25):
        events.append(GivenEvent("shown", f"rl.Binary({_names((last,))})", _event("shown", "int", (last,))))
    if len(axes) > 1 and choose.chance(20):
        both = tuple(axes[:2])
        events.append(GivenEvent("payoffs", f"rl.Real({_names(both)})", _event("payoffs", "real", both)))
    return events


def _axes(choose: Choices, axes: list[Axis], most: int) -> Axes:
    """Return some axes in order, from none to ``most``."""
    count = choose.below(min(most, len(axes)) + 1)
    start = choose.below(len(axes) - count + 1)
    return tuple(axes[start : start + count])


def _function(name: str, lines: list[str] | tuple[str, ...], result: str, known: list[str]) -> str:
    kept: list[str] = []
    for line in reversed(lines):
        if re.search(rf"\b{line.partition(' ')[0]}\b", "\n".join([*kept, result])):
            kept.append(line)
    lines = kept[::-1]
    body = "\n".join(lines) + "\n" + result
    used = [word for word in known if re.search(rf"(?<![\w\"'.]){word}\b(?!=[^=])", body)]
    text = "".join(f"    {line}\n" for line in [*lines, result])
    return f"def {name}({', '.join(used)}):\n{text}\n\n"


def _initial(choose: Choices, name: str, axes: Axes, parameters: list[Value], all_axes: list[Axis]) -> tuple[str, str]:
    """Return a state's initial value as it stands in its declaration, and the rule that it names."""
    way = choose.below(6)
    if way <= 1:
        return repr(choose.eighths(-1, 1)), ""
    if way == 2:
        return Grammar(choose, (), all_axes, 0).array(axes).text, ""
    if way == 3 and any(p.text == "alpha" for p in parameters):
        return '"alpha"', ""
    g = Grammar(choose, parameters, all_axes, 4)
    goal = rules.target(g, axes, 2)
    text = goal.text
    if axes and choose.chance(30):
        text = f"({text}) / {axes[-1].name}"
    known = [p.text for p in parameters] + [axis.name or "" for axis in all_axes]
    return f"initial_{name}", _function(f"initial_{name}", g.lines, f"return {text}", known)


def _response(
    choose: Choices, name: str, g: Grammar, axes: list[Axis], shown: Value | None, depth: int
) -> tuple[rules.Response, Value]:
    """Return a response, and its value for the rules that come after it."""
    family = choose.below(3)
    if family == 0:
        axis = axes[0]
        if shown is not None and choose.chance(70):
            axis = shown.axes[0]
        else:
            shown = None
        found = rules.categorical(g, name, axis, shown, depth)
        return found, _event(name, "int", (), axis.size - 1)
    own = _axes(choose, axes, 2)
    if family == 1:
        return rules.bernoulli(g, name, own, depth), _event(name, "int", own)
    return rules.normal(g, name, own, depth), _event(name, "real", own)


def draw_program(choose: Choices, name: str = "program", *, tiny: bool = False, mode: str = "FAST_COMPILE") -> Program:
    """Draw a program.

    Parameters
    ----------
    choose : Choices
        The decisions.
    name : str
        The program's name.
    tiny : bool, default False
        Whether its rules are short, for a compiler that is slow.
    mode : str, default "FAST_COMPILE"
        PyTensor's mode.
    """
    # Mostly short: what goes wrong goes wrong in a few operations, and compiling takes as long as a program is.
    depth, size = (1, 2) if tiny else choose.one_of([(1, 2), (1, 2), (2, 2), (2, 3), (2, 4), (3, 8)])
    axes = [Axis(_AXES[i], choose.one_of([2, 3, 2, 3, 2, 4, 1])) for i in range(1 + choose.below(2 if tiny else 3))]
    names = list(_PARAMETERS)[: 1 + choose.below(len(_PARAMETERS))]
    parameters = [Value(key, (), "real", *_PARAMETERS[key][1:]) for key in names]
    states, initials, functions = [], {}, []
    for key in ("q", "w", "v")[: 1 if tiny else choose.one_of([1, 1, 2, 3])]:
        own = _axes(choose, axes, 2) if key != "q" else tuple(axes[: 1 + choose.below(min(2, len(axes)))])
        states.append(Value(key, own, "real", -1.0, 1.0, 1.0))
        initials[key], function = _initial(choose, key, own, parameters, axes)
        functions.append(function)

    events = _world(choose, axes)
    before = [e for e in events if e.name == "shown" or choose.chance(40)]
    after = [e for e in events if e not in before]
    shown = next((e.value for e in before if e.name == "shown"), None)
    readable = [*parameters, *states, *(e.value for e in before)]
    order = [e.name for e in before]
    responses: list[rules.Response] = []
    for key in ("choice", "answer")[: 1 if tiny else choose.one_of([1, 1, 2])]:
        g = Grammar(choose, readable, axes, size)
        response, value = _response(choose, key, g, axes, shown, depth)
        responses.append(response)
        known = [v.text for v in readable]
        functions.append(_function(f"respond_{key}", response.lines, f"return {response.result}", known))
        readable.append(value)
        order.append(key)
        if after and choose.chance(30):
            readable.append(after[0].value)
            order.append(after.pop(0).name)
    readable += [e.value for e in after]
    order += [e.name for e in after]

    g = Grammar(choose, readable, axes, 2 * size)
    returned = []
    for state in states:
        if state is states[0] or not choose.chance(15):
            returned.append(f'"{state.text}": {rules.new_value(g, state, depth)}')
    records = [f"record{i + 1}" for i in range(choose.below(3))]
    for record in records:
        value = g.real(_axes(choose, axes, 2), depth)
        returned.append(f'"{record}": {value.text}')
    functions.append(_function("update", g.lines, "return {" + ", ".join(returned) + "}", [v.text for v in readable]))

    used = set(re.findall(r"\w+", " ".join(re.findall(r"def \w+\((.*?)\)", "".join(functions)))))
    used |= {text.strip('"') for text in initials.values()}
    kept = [key for key in names if key in used]
    trial = {r.name: f"respond_{r.name}" for r in responses}
    trial |= {e.name: e.text for e in events if e.name in used}
    resets = {s.text: choose.one_of(["block", "block", "never"]) for s in states}
    declared = {
        "parameters": {key: f"rl.Parameter({_PARAMETERS[key][0]})" for key in kept},
        "states": {
            s.text: "rl.State(" + "".join(f'"{a.name}", ' for a in s.axes)
            + f'initial={initials[s.text]}, reset="{resets[s.text]}")'
            for s in states
        },
        "trial": {key: trial[key] for key in order if key in trial},
    }  # fmt: skip
    model_text = "".join(functions) + _model(name, declared, records, axes)
    facts = {e.name: e for e in events}
    return _with_data(choose, name, model_text, responses, facts, kept, tiny, mode)


def _model(name: str, declared: dict[str, dict[str, str]], records: list[str], axes: list[Axis]) -> str:
    lines = [f'model = rl.Model(\n    "{name}",\n']
    for group, entries in declared.items():
        lines.append(f"    {group}={{\n" + "".join(f'        "{k}": {v},\n' for k, v in entries.items()) + "    },\n")
    sizes = ", ".join(f'"{axis.name}": {axis.size}' for axis in axes)
    return "".join(lines) + f"    update=update,\n    records={records!r},\n    sizes={{{sizes}}},\n)\n"


def _with_data(
    choose: Choices, name: str, model_text: str, responses: list[rules.Response], facts: dict[str, GivenEvent],
    parameters: list[str], tiny: bool, mode: str,
) -> Program:  # fmt: skip
    """Return the program with data for its model."""
    scope: dict[str, Any] = {}
    exec(compile(_HEAD + model_text, f"{name}.py", "exec"), scope)
    masks = {r.name: r.mask for r in responses if r.mask is not None}
    distinct = {key for key, event in facts.items() if event.value.is_distinct}
    data_text, n_subjects, n_steps = world_text(choose, scope["model"], masks, distinct)
    bounds = {key: _PARAMETERS[key][1:] for key in parameters}
    rows = []
    varies = False
    for key, (lo, hi) in bounds.items():
        text, by_trial = _values(choose, lo, hi, n_subjects, n_steps)
        rows.append(f'    "{key}": {text},\n')
        varies |= by_trial
    data_text += "params = {\n" + "".join(rows) + "}\n"
    draws = 1 if choose.chance(12) and not tiny else 0
    data_text += f"population = {population_text(choose, parameters) if draws else 'None'}\n"
    settings: dict[str, dict[str, Any]] = {"numpyro": {}, "pymc": {"mode": mode}}
    for backend in settings:
        gather = choose.one_of(GATHERS)
        if gather != "auto":
            settings[backend]["gather"] = gather
    return Program(name, model_text, data_text, settings, draws, tuple(choose.made))


def _values(choose: Choices, lo: float, hi: float, n_subjects: int, n_steps: int) -> tuple[str, bool]:
    """Return a parameter's values: one, one a subject, or one a subject and trial."""
    edges = (lo, hi) if (lo, hi) == (0.0, 1.0) else ()

    def one() -> float:
        if edges and choose.chance(8):
            return edges[choose.below(2)]
        # Hundredths, not eighths: what is computed from them is rounded.
        span = hi - lo
        return round(lo + span * (0.1 + 0.8 * (choose.below(41) / 40)) + 0.00301, 5)

    way = choose.below(4)
    if way <= 1:
        return number(one()), False
    if way == 2:
        return repr([one() for _ in range(n_subjects)]), False
    return repr([[one() for _ in range(n_steps)] for _ in range(n_subjects)]), True
