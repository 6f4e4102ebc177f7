"""From what a user wrote to a traced, validated model; every fault is found before any is reported."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rlbackends.errors import ModelError, did_you_mean, listed
from rlbackends.expressions.kinds import REAL, Axes, broadcast, describe
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build, constant
from rlbackends.expressions.printing import text
from rlbackends.expressions.standin import Expression, recording, to_real
from rlbackends.expressions.tracing import argument_names, trace, where_defined
from rlbackends.model.parts import Event, Given, Parameter, State, TracedState, resolve_axes
from rlbackends.model.responses import Distribution, Response

RESERVED = ("subject", "trial", "block", "chain", "draw", "observation", "sample")


@dataclass(frozen=True)
class Parts:
    """A traced model, as plain data."""

    name: str
    parameters: dict[str, Parameter]
    states: dict[str, TracedState]
    events: dict[str, Event]
    responses: dict[str, Response]
    updates: dict[str, Node]
    records: dict[str, Node]
    sizes: dict[str, int]
    description: str = ""
    reference: str = ""


@dataclass
class _Faults:
    """Collects the faults of a model."""

    model: str
    found: list[str] = field(default_factory=list)

    def add(self, message: str) -> None:
        self.found.append(message.strip())

    def attempt(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except ModelError as error:
            self.add(str(error))
            return None

    def report(self) -> None:
        if len(self.found) == 1:
            raise ModelError(f"model '{self.model}': {self.found[0]}")
        if self.found:
            rows = "\n".join(f"  {number}. {fault}" for number, fault in enumerate(self.found, 1))
            raise ModelError(f"model '{self.model}' has {len(self.found)} faults:\n{rows}")


def check_names(faults: Any, groups: Mapping[str, Sequence[str]]) -> None:
    """Add a fault for each name that is no identifier, is reserved, or stands for two things."""
    owner: dict[str, str] = {}
    for group, names in groups.items():
        for name in names:
            if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
                faults.add(f"{group} {name!r} is not a Python name.")
            elif name in RESERVED:
                faults.add(f"{group} '{name}' has a reserved name; {listed(RESERVED)} stand for something else.")
            elif name in owner and (owner[name], group) != ("event", "axis"):  # as in "season": rl.Index("season")
                faults.add(f"'{name}' is both a {owner[name]} and a {group}; give one of them another name.")
            else:
                owner[name] = group


def trace_parts(
    name: str,
    *,
    parameters: Mapping[str, Parameter],
    states: Mapping[str, State],
    trial: Mapping[str, Any],
    update: Callable[..., Any],
    records: Sequence[str],
    sizes: Mapping[str, int],
    description: str,
    reference: str,
) -> tuple[Parts, dict[Node, str]]:
    """Trace the rules and return the model's parts, and where its nodes were written."""
    if not isinstance(name, str) or not name:
        raise ModelError(f"a model's name is text, not {name!r}.")
    faults = _Faults(name)
    check_names(
        faults,
        {"parameter": list(parameters), "state": list(states), "event": list(trial), "record": list(records),
         "axis": list(sizes)},
    )  # fmt: skip
    for axis, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            faults.add(f"axis '{axis}' has size {size!r}, expected a whole number of at least 1.")
    for key, parameter in parameters.items():
        if not isinstance(parameter, Parameter):
            faults.add(f"parameter '{key}' is {parameter!r}, expected rl.Parameter(support).")
    faults.report()
    tracer = _Tracer(faults, dict(parameters), {k: int(v) for k, v in sizes.items()})
    with recording() as locations:
        tracer.trace_states(states)
        tracer.trace_trial(trial)
        tracer.trace_update(update, records)
    if not tracer.responses and not faults.found:
        faults.add(
            "no event of the trial is a response; give at least one a rule that returns rl.Categorical(...), "
            "rl.Bernoulli(...) or rl.Normal(...)."
        )
    if not faults.found:
        tracer.find_unused()
    faults.report()
    parts = Parts(
        name, dict(parameters), tracer.states, tracer.events, tracer.responses, tracer.updates, tracer.records,
        tracer.sizes, description, reference,
    )  # fmt: skip
    return parts, locations


class _Tracer:
    def __init__(self, faults: _Faults, parameters: dict[str, Parameter], sizes: dict[str, int]) -> None:
        self.faults = faults
        self.sizes = sizes
        self.values: dict[str, Any] = {name: Expression(build("parameter", name=name)) for name in parameters}
        self.parameters = dict(self.values)
        self.states: dict[str, TracedState] = {}
        self.events: dict[str, Event] = {}
        self.responses: dict[str, Response] = {}
        self.updates: dict[str, Node] = {}
        self.records: dict[str, Node] = {}
        self.broken: set[str] = set()

    def axes(self, names: tuple[str, ...], what: str) -> Axes | None:
        unknown = [name for name in names if name not in self.sizes]
        for axis in unknown:
            hint = did_you_mean(str(axis), self.sizes) or f" Add it: sizes={{'{axis}': ...}}."
            self.faults.add(f"{what} has the axis {axis!r}; sizes has {listed(self.sizes)}.{hint}")
        return None if unknown else resolve_axes(names, self.sizes)

    # States

    def trace_states(self, states: Mapping[str, State]) -> None:
        for name, state in states.items():
            if not isinstance(state, State):
                self.faults.add(f"state '{name}' is {state!r}, expected rl.State(*axes, initial=...).")
                self.broken.add(name)
                continue
            if state.reset not in ("block", "never"):
                self.faults.add(f"state '{name}': reset is {state.reset!r}, expected 'block' or 'never'.")
            axes = self.axes(state.axes, f"state '{name}'")
            initial = None
            if axes is not None:
                initial = self.faults.attempt(lambda n=name, s=state, a=axes: self.initial(n, s.initial, a))
            if axes is None or initial is None:
                self.broken.add(name)
                continue
            self.states[name] = TracedState(name, axes, initial, state.reset)
            self.values[name] = Expression(build("state", name=name, axes=axes))

    def initial(self, name: str, given: Any, axes: Axes) -> Node:
        what = f"the initial value of state '{name}'"
        if isinstance(given, str):
            if given not in self.parameters:
                raise ModelError(
                    f"{what} is '{given}', which is no parameter. There are {listed(self.parameters)}."
                    f"{did_you_mean(given, self.parameters)}"
                )
            node = self.parameters[given].node
        elif callable(given) and not isinstance(given, Expression):
            node = to_real(trace(given, {**self.parameters, **self.sizes}, what=what))
        else:
            try:
                node = constant(np.asarray(given, dtype=float))
            except (TypeError, ValueError, ModelError):
                raise ModelError(f"{what} is {given!r}, expected a number, an array, a parameter's name or a rule.") from None
        if node.kind != REAL or not _fits(node.axes, axes):
            raise ModelError(f"{what} is {describe(node.axes)}, but the state has {describe(axes)}.")
        return node

    # Events

    def trace_trial(self, trial: Mapping[str, Any]) -> None:
        order = list(trial)
        for position, (name, given) in enumerate(trial.items()):
            later = {n: "a later event of the trial" if n != name else "which is the event itself" for n in order[position:]}
            event = self.given_event(name, given) if isinstance(given, Given) else self.response(name, given, later)
            if event is None:
                self.broken.add(name)
            else:
                self.events[name] = event
                self.values[name] = Expression(build("event", name=name, kind=event.kind, axes=event.axes))

    def given_event(self, name: str, given: Given) -> Event | None:
        axes = self.axes(given.axes, f"event '{name}'")
        if given.of is not None and self.axes((given.of,), f"event '{name}'") is None:
            return None
        return None if axes is None else Event(name, given.kind(self.sizes), axes, of=given.of)

    def response(self, name: str, rule: Any, later: Mapping[str, str]) -> Event | None:
        if isinstance(rule, type) and issubclass(rule, Given):
            self.faults.add(f"event '{name}' is the class {rule.__name__}; write rl.{rule.__name__}(...).")
            return None
        if not callable(rule):
            self.faults.add(
                f"event '{name}' is {rule!r}, expected a rule (a function), or rl.Real(), rl.Index(axis), rl.Binary()."
            )
            return None
        if self.broken.intersection(argument_names(rule)):
            return None
        what = f"the rule of '{name}'"
        outcome = self.faults.attempt(lambda: trace(rule, self.values, what=what, later=later))
        if outcome is None:
            if not self.faults.found:
                self.faults.add(f"{where_defined(rule)}: {what} returned None, expected rl.Categorical(...) or another.")
            return None
        if not isinstance(outcome, Distribution):
            self.faults.add(
                f"{where_defined(rule)}: {what} returned {outcome!r}, expected rl.Categorical(logits=...), "
                "rl.Bernoulli(logits=...) or rl.Normal(mean=..., sd=...)."
            )
            return None
        response = self.faults.attempt(lambda: Response(name, outcome.family, dict(outcome.arguments)))
        if response is None:
            return None
        self.responses[name] = response
        return Event(name, response.kind, response.axes, is_response=True, of=response.of)

    # The update

    def trace_update(self, update: Any, records: Sequence[str]) -> None:
        if not callable(update):
            self.faults.add(f"update is {update!r}, expected a function that returns a dict of new states and records.")
            return
        if self.broken.intersection(argument_names(update)):
            return
        outcome = self.faults.attempt(lambda: trace(update, self.values, what="update"))
        if outcome is None and self.faults.found:
            return
        place = f"{where_defined(update)}: update"
        if not isinstance(outcome, Mapping):
            self.faults.add(f"{place} returned {outcome!r}, expected a dict of new states and records.")
            return
        allowed = [*self.states, *records]
        for key, value in outcome.items():
            if key in self.broken:
                continue
            if key not in allowed:
                self.faults.add(
                    f"{place} returns '{key}', which is neither a state nor declared in records. There are "
                    f"{listed(allowed)}.{did_you_mean(str(key), allowed)}"
                )
                continue
            node = self.faults.attempt(lambda v=value: to_real(v))
            if node is None:
                continue
            if node.kind != REAL:
                self.faults.add(f"{place} of '{key}' is {node.kind}, expected a real value; write rl.where(x, 1, 0).")
            elif key in self.states:
                self.new_value(key, value, node, place)
            else:
                self.records[key] = node
        for name in records:
            if name not in outcome:
                self.faults.add(f"{place} does not return '{name}', which is declared in records.")

    def new_value(self, name: str, value: Any, node: Node, place: str) -> None:
        axes = self.states[name].axes
        if node.axes == axes or (len(node.axes) == len(axes) and _fits(node.axes, axes)):
            self.updates[name] = node
            return
        found = _line_of(node, place)
        hint = ""
        index = next((e.name for e in self.events.values() if e.kind.name == "int" and not e.axes), None)
        if not node.axes and len(axes) == 1 and index:
            hint = f" Did you mean '{name}.at[{index}].add(...)'?"
        self.faults.add(
            f"{found} of '{name}' is {describe(node.axes)}, but state '{name}' has {describe(axes)}. "
            f"The expression is '{text(node)}'.{hint}"
        )

    def find_unused(self) -> None:
        graphs = [*self.updates.values(), *self.records.values(), *(s.initial for s in self.states.values())]
        graphs += [node for response in self.responses.values() for node in response.arguments.values()]
        used = {node.attr("name") for node in walk(*graphs) if node.op == "parameter"}
        for name in self.parameters:
            if name not in used:
                self.faults.add(f"parameter '{name}' is used by no rule and no initial value.")


def _line_of(node: Node, place: str) -> str:
    from rlbackends.expressions.standin import locations

    found = (locations.get() or {}).get(node)
    return f"{found}: update" if found else place


def _fits(given: Axes, wanted: Axes) -> bool:
    """Say whether a value of these axes is one of the wanted axes once broadcast."""
    try:
        return [a.size for a in broadcast(given, wanted)] == [a.size for a in wanted]
    except ModelError:
        return False
