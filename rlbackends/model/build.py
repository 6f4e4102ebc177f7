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
from rlbackends.expressions.operations import MAX_ENTRIES, build
from rlbackends.expressions.printing import short_text
from rlbackends.expressions.standin import Expression, locations, recording, to_real
from rlbackends.expressions.tracing import argument_names, first_line, trace, where_defined
from rlbackends.model.parts import Event, Given, Parameter, State, TracedState, resolve_axes
from rlbackends.model.responses import Distribution, Response
from rlbackends.model.supports import Support

RESERVED = ("subject", "trial", "block", "chain", "draw", "observation", "sample")
# The arguments of response families, which stand beside the response in its log-probability.
RESERVED_EVENTS = ("logits", "log_probs", "where", "mean", "sd", "uniform")


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


FAILED = object()


@dataclass
class Faults:
    """Collects the faults of a model, or of another thing of that name."""

    name: str
    what: str = "model"
    found: list[str] = field(default_factory=list)

    def add(self, message: str) -> None:
        self.found.append(message.strip())

    def attempt(self, work: Callable[..., Any], /, *args: Any, place: str = "", **kwargs: Any) -> Any:
        """Return what ``work`` returns, or ``FAILED`` with its fault noted."""
        try:
            return work(*args, **kwargs)
        except ModelError as error:
            self.add(f"{place}{error}")
            return FAILED

    def report(self) -> None:
        if len(self.found) == 1:
            raise ModelError(f"{self.what} '{self.name}': {self.found[0]}")
        if self.found:
            rows = "\n".join(f"  {number}. {fault}" for number, fault in enumerate(self.found, 1))
            raise ModelError(f"{self.what} '{self.name}' has {len(self.found)} faults:\n{rows}")


def check_names(faults: Faults, groups: Mapping[str, Sequence[str]]) -> bool:
    """Add a fault for each name that is no identifier, is reserved, or stands for two things.

    Returns whether each name stands for one thing.
    """
    owner: dict[str, str] = {}
    unique = True
    for group, names in groups.items():
        for name in names:
            if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
                faults.add(f"{group} {name!r} is not a Python name.")
            elif owner.get(name) == "event" and group == "axis":
                continue  # which alien comes, and the axis of aliens, share a word without being confused
            elif name in owner:
                faults.add(f"'{name}' is both {_a(owner[name])} and {_a(group)}; give one of them another name.")
                unique = False
            else:
                reserved = RESERVED + RESERVED_EVENTS if group == "event" else RESERVED
                if name in reserved:
                    faults.add(f"{group} '{name}' has a reserved name; {listed(reserved)} stand for something else.")
                owner[name] = group
    return unique


def _a(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _check_forms(faults: Faults, mappings: Mapping[str, Any], records: Any, words: Mapping[str, Any]) -> None:
    for name, value in mappings.items():
        if not isinstance(value, Mapping):
            faults.add(f"{name} is {value!r}, expected a dict from name to value.")
    if isinstance(records, str) or not isinstance(records, Sequence):
        faults.add(f"records is {records!r}, expected a list of names.")
    for name, value in words.items():
        if not isinstance(value, str):
            faults.add(f"{name} is {value!r}, expected text.")


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
    faults = Faults(name)
    mappings = {"parameters": parameters, "states": states, "trial": trial, "sizes": sizes}
    _check_forms(faults, mappings, records, {"description": description, "reference": reference})
    faults.report()
    groups = {"parameter": parameters, "state": states, "event": trial, "record": records, "axis": sizes}
    clear = check_names(faults, {group: list(names) for group, names in groups.items()})
    for axis, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 1 <= size <= MAX_ENTRIES:
            faults.add(f"axis '{axis}' has size {size!r}, expected a whole number from 1 to {MAX_ENTRIES:,}.")
            clear = False
    for key, given in dict[str, Any](parameters).items():
        if not isinstance(given, Parameter):
            word = f"rl.Parameter(rl.{_class_name(given)}())" if _class_name(given) else "rl.Parameter(support)"
            faults.add(f"parameter '{key}' is {given!r}, expected {word}.")
    if not clear:  # what follows would be about the names and sizes rather than the rules
        faults.report()
    tracer = Tracer(faults, list(parameters), {k: int(v) for k, v in sizes.items()})
    with recording() as found:
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
        name, dict(parameters), tracer.states, tracer.events, tracer.responses, tracer.updates,
        tracer.records, tracer.sizes, description, reference,
    )  # fmt: skip
    return parts, found


def _class_name(given: Any) -> str:
    kind = given if isinstance(given, type) else type(given)
    return kind.__name__ if issubclass(kind, Support) else ""


class Tracer:
    """Traces states, events and updates one after the other, and notes every fault."""

    def __init__(self, faults: Faults, parameters: Sequence[str], sizes: dict[str, int]) -> None:
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
        unknown = [name for name in names if not isinstance(name, str) or name not in self.sizes]
        for axis in unknown:
            hint = did_you_mean(str(axis), self.sizes)
            if not hint and isinstance(axis, str):
                hint = f" Add it: sizes={{'{axis}': ...}}."
            self.faults.add(f"{what} has the axis {axis!r}; sizes has {listed(self.sizes)}.{hint}")
        return None if unknown else resolve_axes(names, self.sizes)

    # States

    def trace_states(self, states: Mapping[str, State]) -> None:
        for name, state in dict[str, Any](states).items():
            if not isinstance(state, State):
                self.faults.add(f"state '{name}' is {state!r}, expected rl.State(*axes, initial=...).")
                self.broken.add(name)
                continue
            if state.reset not in ("block", "never"):
                self.faults.add(f"state '{name}': reset is {state.reset!r}, expected 'block' or 'never'.")
            axes = self.axes(state.axes, f"state '{name}'")
            initial: Any = FAILED
            leaf: Any = FAILED
            if axes is not None:
                initial = self.faults.attempt(self.initial, name, state.initial, axes)
                leaf = self.faults.attempt(build, "state", name=name, axes=axes, place=f"state '{name}': ")
            if axes is None or initial is FAILED or leaf is FAILED:
                self.broken.add(name)
                continue
            self.states[name] = TracedState(name, axes, initial, state.reset)
            self.values[name] = Expression(leaf)

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
            value = trace(given, {**self.parameters, **self.sizes}, what=what)
            try:
                node = to_real(value)
            except ModelError:
                raise ModelError(
                    f"{where_defined(given)}: {what} is {value!r}, expected a number or an array."
                ) from None
        else:
            try:
                node = to_real(np.asarray(given))
            except (TypeError, ValueError):  # ModelError is a ValueError
                raise ModelError(
                    f"{what} is {given!r}, expected a number, an array, a parameter's name or a rule."
                ) from None
            if node.kind == REAL and not np.all(np.isfinite(node.attr("value"))):
                raise ModelError(f"{what} is {given!r}, expected finite numbers.")
        if node.kind != REAL:
            raise ModelError(f"{what} is {node.kind}, expected real values.")
        if not is_initial(node.axes, axes):
            raise ModelError(f"{what} is {describe(node.axes)}, but the state has {describe(axes)}.")
        return node

    # Events

    def trace_trial(self, trial: Mapping[str, Any]) -> None:
        order = list(trial)
        for position, (name, given) in enumerate(trial.items()):
            later = {
                n: "a later event of the trial" if n != name else "which is the event itself" for n in order[position:]
            }
            event = self.given_event(name, given) if isinstance(given, Given) else self.response(name, given, later)
            leaf: Any = FAILED
            if event is not None:
                shape = {"kind": event.kind, "axes": event.axes}
                leaf = self.faults.attempt(build, "event", name=name, **shape, place=f"event '{name}': ")
            if event is None or leaf is FAILED:
                self.broken.add(name)
            else:
                self.events[name] = event
                self.values[name] = Expression(leaf)

    def given_event(self, name: str, given: Given) -> Event | None:
        axes = self.axes(given.axes, f"event '{name}'")
        if given.of is not None and self.axes((given.of,), f"event '{name}'") is None:
            return None
        if axes is None:
            return None
        return Event(name, given.kind(self.sizes), axes, of=given.of, description=given.description)

    def waits(self, rule: Callable[..., Any]) -> bool:
        """Say whether a rule asks for something that has a fault of its own, which is enough to report."""
        try:
            return not self.broken.isdisjoint(argument_names(rule))
        except ModelError:
            return False

    def response(self, name: str, rule: Any, later: Mapping[str, str]) -> Event | None:
        if isinstance(rule, type) and issubclass(rule, Given):
            self.faults.add(f"event '{name}' is the class {rule.__name__}; write rl.{rule.__name__}(...).")
            return None
        if not callable(rule):
            self.faults.add(
                f"event '{name}' is {rule!r}, expected a rule (a function), or rl.Real(), rl.Index(axis), rl.Binary()."
            )
            return None
        if self.waits(rule):
            return None
        what = f"the rule of '{name}'"
        outcome = self.faults.attempt(trace, rule, self.values, what=what, later=later)
        if outcome is FAILED:
            return None
        place = f"{where_defined(rule)}: "
        if not isinstance(outcome, Distribution):
            self.faults.add(
                f"{place}{what} returned {outcome!r}, expected rl.Categorical(logits=...), "
                "rl.Bernoulli(logits=...) or rl.Normal(mean=..., sd=...)."
            )
            return None
        response = self.faults.attempt(Response, name, outcome.family, dict(outcome.arguments), place=place)
        if response is FAILED:
            return None
        for axis in response.parameter_axes:
            if axis.name is not None and self.sizes.get(axis.name) != axis.size:
                self.faults.add(
                    f"{place}{what} has the axis {axis}; sizes has {listed(self.sizes)}."
                    f"{did_you_mean(axis.name, self.sizes)}"
                )
                return None
        self.responses[name] = response
        return Event(
            name, response.kind, response.axes, is_response=True, of=response.of, description=first_line(rule)
        )

    # The update

    def trace_update(self, update: Any, records: Sequence[str]) -> None:
        if not callable(update):
            self.faults.add(f"update is {update!r}, expected a function that returns a dict of new states and records.")
            return
        if self.waits(update):
            return
        outcome = self.faults.attempt(trace, update, self.values, what="update")
        if outcome is FAILED:
            return
        place = f"{where_defined(update)}: update"
        if not isinstance(outcome, Mapping):
            what = "new states and records" if records else "new states"
            self.faults.add(f"{place} returned {outcome!r}, expected a dict of {what}.")
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
            try:
                node = to_real(value)
            except ModelError:
                self.faults.add(f"{place} of '{key}' is {value!r}, expected a value of the rule, a number or an array.")
                continue
            if node.kind != REAL:
                self.faults.add(f"{place} of '{key}' is {node.kind}, expected a real value; write rl.where(x, 1, 0).")
            elif key in self.states:
                self.new_value(key, node, place)
            else:
                self.records[key] = node
        for name in records:
            if name not in outcome:
                self.faults.add(f"{place} does not return '{name}', which is declared in records.")

    def new_value(self, name: str, node: Node, place: str) -> None:
        axes = self.states[name].axes
        if is_new_value(node.axes, axes):
            self.updates[name] = node
            return
        hint = ""
        if not node.axes and len(axes) == 1:
            index = (
                e.name for e in self.events.values() if e.kind.name == "int" and not e.axes and e.of == axes[0].name
            )
            hint = "".join(f" Did you mean '{name}.at[{event}].add(...)'?" for event in list(index)[:1])
        self.faults.add(
            f"{_line_of(node, place)} of '{name}' is {describe(node.axes)}, but state '{name}' has "
            f"{describe(axes)}. The expression is '{short_text(node)}'.{hint}"
        )

    def find_unused(self) -> None:
        graphs = [*self.updates.values(), *self.records.values(), *(s.initial for s in self.states.values())]
        graphs += [node for response in self.responses.values() for node in response.arguments.values()]
        used = {node.attr("name") for node in walk(*graphs) if node.op == "parameter"}
        for name in self.parameters:
            if name not in used:
                self.faults.add(f"parameter '{name}' is used by no rule and no initial value.")


def _line_of(node: Node, place: str) -> str:
    found = (locations.get() or {}).get(node)
    return f"{found}: update" if found else place


def is_initial(given: Axes, state: Axes) -> bool:
    """Say whether a value of these axes is one of the state's once broadcast."""
    try:
        return [a.size for a in broadcast(given, state)] == [a.size for a in state]
    except ModelError:
        return False


def is_new_value(given: Axes, state: Axes) -> bool:
    """Say whether a value has the state's shape, and no other axis names."""
    return [a.size for a in given] == [a.size for a in state] and is_initial(given, state)
