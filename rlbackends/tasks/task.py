"""A task: what the world does on a trial, a model's mirror image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from rlbackends.errors import ModelError, did_you_mean, listed
from rlbackends.expressions.kinds import BOOL, Axes, Kind, describe
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build
from rlbackends.expressions.passes import substitute
from rlbackends.expressions.standin import Expression, recording, to_real
from rlbackends.expressions.tracing import first_line, trace, where_defined
from rlbackends.model.build import FAILED, Faults, Tracer, check_names
from rlbackends.model.parts import Event, Given, State, TracedState
from rlbackends.tasks.scheduled import Scheduled, Variable, make_variable

Rule = Callable[..., Any]


@dataclass(frozen=True)
class TaskEvent:
    """One thing that happens on a trial of a task.

    Attributes
    ----------
    name : str
        The column of the data.
    kind, axes
        What its value is.
    source : {"subject", "schedule", "rule"}
        The subject does it (a response of the model), it is fixed beforehand, or a rule of the world says it.
    of : str or None
        The axis that an index counts along.
    description : str
        What it is.
    """

    name: str
    kind: Kind
    axes: Axes
    source: str
    of: str | None = None
    description: str = ""


class Task:
    """An environment, written once in the language of models.

    Parameters
    ----------
    name : str
        A Python-like name.
    trial : mapping of str to a kind, a rule or Scheduled
        What happens on a trial, in order. A kind (``rl.Index("action")``, ``rl.Binary()``, ``rl.Real()``) is the
        subject's: the model that plays must have a response of that name. A rule is the world's: a function that
        asks by argument name for earlier events, scheduled variables, the task's states, axis sizes, and
        ``uniform``, a number between 0 and 1 that is drawn for this event on this trial; it returns the value. A
        :class:`Scheduled` is shown to the subject as it was fixed beforehand, such as the order of stimuli.
    schedule : mapping of str to Scheduled, optional
        Variables that are fixed beforehand and hidden from the subject, such as the probabilities of reward.
    states : mapping of str to State, optional
        What the world carries from trial to trial, such as how often in a row the better action was chosen.
    update : callable, optional
        The rule by which states change at the end of a trial; it asks as the world's rules do, ``uniform``
        included, and returns a dict of new states.
    sizes : mapping of str to int, optional
        The size of each named axis.
    n_trials : int, default 100
        Trials of a block, where a simulation does not say otherwise.
    description, reference : str, optional
        What it is, and the paper.

    Raises
    ------
    ModelError
        With every fault of the task at once, each with the line of the rule.

    Examples
    --------
    >>> import rlbackends as rl
    >>> def reward(choice, probability, uniform):
    ...     return rl.where(uniform < probability[choice], 1.0, 0.0)
    >>> task = rl.tasks.Task(
    ...     "my_bandit",
    ...     trial={"choice": rl.Index("action"), "reward": reward},
    ...     schedule={"probability": rl.tasks.Scheduled(rl.Real("action"), [0.2, 0.8])},
    ...     sizes={"action": 2},
    ... )
    >>> played = rl.simulate(rl.catalogue.rescorla_wagner(), task, {"alpha": 0.3, "beta": 5.0}, subjects=2)
    >>> played.data
    Trials(2 subjects × 100 trials; choice, reward; from my_bandit)
    """

    __slots__ = (
        "description", "events", "n_trials", "name", "reference", "rules", "scheduled", "sizes", "states", "updates",
    )  # fmt: skip
    name: str
    sizes: Mapping[str, int]
    n_trials: int
    description: str
    reference: str
    events: Mapping[str, TaskEvent]
    rules: Mapping[str, Node]
    scheduled: Mapping[str, Variable]
    states: Mapping[str, TracedState]
    updates: Mapping[str, Node]

    def __init__(
        self,
        name: str,
        *,
        trial: Mapping[str, Any],
        schedule: Mapping[str, Scheduled] | None = None,
        states: Mapping[str, State] | None = None,
        update: Rule | None = None,
        sizes: Mapping[str, int] | None = None,
        n_trials: int = 100,
        description: str = "",
        reference: str = "",
    ) -> None:
        if not isinstance(name, str) or not name.isidentifier():
            raise ModelError(f"a task's name is {name!r}, expected a Python name such as 'bandit'.")
        faults = Faults(name, "task")
        schedule, states, sizes = schedule or {}, states or {}, sizes or {}
        for word, mapping in {"trial": trial, "schedule": schedule, "states": states, "sizes": sizes}.items():
            if not isinstance(mapping, Mapping):
                faults.add(f"{word} is {mapping!r}, expected a dict from name to value.")
        faults.report()
        if isinstance(n_trials, bool) or not isinstance(n_trials, int | np.integer) or n_trials < 1:
            faults.add(f"n_trials is {n_trials!r}, expected a whole number from 1 on.")
        for axis, size in sizes.items():
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
                faults.add(f"axis '{axis}' has size {size!r}, expected a whole number from 1 on.")
        _check_reserved(faults, trial, {**schedule, **states, **sizes})
        groups = {"event": trial, "scheduled variable": schedule, "state": states, "axis": sizes}
        if not check_names(faults, {group: list(names) for group, names in groups.items()}) or faults.found:
            faults.report()
        tracer = _TaskTracer(faults, {axis: int(size) for axis, size in sizes.items()}, int(n_trials))
        with recording():
            tracer.trace_schedule(schedule)
            tracer.trace_states(states)
            tracer.trace_world(trial)
            if update is not None:
                tracer.trace_changes(update)
        if not faults.found and not any(event.source == "subject" for event in tracer.happens.values()):
            faults.add("no event of the trial is the subject's; give one its kind, as in 'choice': rl.Index('action').")
        faults.report()
        self._fill(
            name=name, sizes=tracer.sizes, n_trials=int(n_trials), description=description, reference=reference,
            events=tracer.happens, rules=tracer.rules, scheduled=tracer.scheduled, states=tracer.states,
            updates=tracer.updates,
        )  # fmt: skip

    def _fill(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, MappingProxyType(dict(value)) if isinstance(value, Mapping) else value)

    def _values(self) -> dict[str, Any]:
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in found.items()}

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> Task:
        task = cls.__new__(cls)
        task._fill(**values)
        return task

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a task can't be changed; write another one.")

    def __reduce__(self) -> tuple[Any, ...]:
        return Task._of, (self._values(),)

    def __repr__(self) -> str:
        return f"Task({self.name!r}: {', '.join(self.events)}; {self.n_trials} trials a block)"

    @property
    def responses(self) -> tuple[str, ...]:
        """The names of what the subject does, in order."""
        return tuple(name for name, event in self.events.items() if event.source == "subject")

    def rename(self, **names: str) -> Task:
        """Return the task with events renamed: ``task.rename(reward="outcome")``.

        Raises
        ------
        ModelError
            If there is no such event, or two would have one name.
        """
        faults = Faults(self.name, "task")
        for old in names:
            if old not in self.events:
                faults.add(f"rename: there is no event '{old}'; there are {listed(self.events)}."
                           f"{did_you_mean(old, self.events)}")  # fmt: skip
        _check_reserved(faults, names.values(), ())
        renamed = [names.get(old, old) for old in self.events]
        hidden = [name for name in self.scheduled if name not in self.events]
        check_names(faults, {"event": renamed, "scheduled variable": hidden, "state": list(self.states)})
        faults.report()

        def new(node: Node) -> Node | None:
            if node.op != "event" or node.attr("name") not in names:
                return None
            return build("event", name=names[node.attr("name")], kind=node.kind, axes=node.axes)

        values = self._values()
        for key in ("rules", "updates"):
            values[key] = {names.get(n, n): node for n, node in substitute(values[key], new).items()}
        for key in ("scheduled", "events"):
            values[key] = {names.get(n, n): replace(item, name=names.get(n, n)) for n, item in values[key].items()}
        return Task._of(values)

    def with_schedule(self, **values: Any) -> Task:
        """Return the task with other values of scheduled variables: arrays or functions, as in :class:`Scheduled`.

        Examples
        --------
        >>> import rlbackends as rl
        >>> rl.tasks.bandit(probabilities=(0.2, 0.8)).with_schedule(probability=[[0.5, 0.5], [0.1, 0.9]] * 50)
        Task('bandit': choice, reward; 100 trials a block)
        """
        faults = Faults(self.name, "task")
        scheduled = dict(self.scheduled)
        for name, given in values.items():
            if name not in scheduled:
                faults.add(f"with_schedule: there is no scheduled variable '{name}'; there are {listed(scheduled)}."
                           f"{did_you_mean(name, scheduled)}")  # fmt: skip
            elif isinstance(given, Scheduled):
                faults.add(f"with_schedule: '{name}' is {given!r}, expected its values alone, an array or a function.")
            else:
                made = faults.attempt(scheduled[name].with_values, given)
                if made is not FAILED:
                    scheduled[name] = made
        faults.report()
        return Task._of({**self._values(), "scheduled": scheduled})

    @property
    def digest(self) -> str:
        """sha256 of what the task does: rules, states and schedule (a drawn one by what it draws first)."""
        from rlbackends.expressions.json_form import to_json

        graphs = {f"rule {name}": node for name, node in self.rules.items()}
        graphs |= {f"update {name}": node for name, node in self.updates.items()}
        graphs |= {f"initial {name}": state.initial for name, state in self.states.items()}
        head = [
            self.name, sorted(self.sizes.items()), self.n_trials,
            [(e.name, repr(e.kind), repr(e.axes), e.source) for e in self.events.values()],
            [(s.name, repr(s.axes), s.reset) for s in self.states.values()],
            [(v.name, repr(v.kind), repr(v.axes), v.by_subject) for v in self.scheduled.values()],
        ]  # fmt: skip
        digest = hashlib.sha256(repr((head, to_json(graphs))).encode())
        for variable in self.scheduled.values():
            rng = np.random.default_rng(0)
            # Two subjects and two blocks tell apart what goes by subject or block; arrays are whole.
            cells = [(s, b) for s in (0, 1) for b in (0, 1)] if variable.is_drawn else []
            values = [variable.values] if not cells else []
            for subject, block in cells:
                try:
                    values.append(variable.draw(rng, self.n_trials, subject, block))
                except Exception as error:  # a table may know one subject, or one block
                    values.append(np.frombuffer(repr(error).encode(), dtype=np.uint8))
            for array in values:
                digest.update(repr(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def _check_reserved(faults: Faults, events: Iterable[str], others: Iterable[str]) -> None:
    """Note names under which a task has its own uniform numbers; of an event, 'uniform' is noted with the names."""
    for name in [n for n in events if n == "update"] + [n for n in others if n in ("uniform", "update")]:
        faults.add(f"'{name}' is a reserved name: a task has uniform numbers of its own under it. Give yours another.")


class _TaskTracer(Tracer):
    """Traces a task's rules: as a model's, with the roles of subject and world exchanged."""

    def __init__(self, faults: Faults, sizes: dict[str, int], n_trials: int) -> None:
        super().__init__(faults, [], sizes)
        self.n_trials = n_trials
        self.happens: dict[str, TaskEvent] = {}
        self.rules: dict[str, Node] = {}
        self.scheduled: dict[str, Variable] = {}

    def trace_schedule(self, schedule: Mapping[str, Any]) -> None:
        for name, given in schedule.items():
            self.variable(name, given, f"scheduled variable '{name}'")

    def variable(self, name: str, given: Any, what: str) -> Event | None:
        if not isinstance(given, Scheduled):
            self.faults.add(f"{what} is {given!r}, expected rl.tasks.Scheduled(kind, values).")
            self.broken.add(name)
            return None
        event = self.given_event(name, given.kind)
        made = FAILED if event is None else self.faults.attempt(make_variable, event, given, self.n_trials)
        if event is None or made is FAILED:
            self.broken.add(name)
            return None
        self.scheduled[name] = made
        self.values[name] = Expression(build("event", name=name, kind=event.kind, axes=event.axes))
        return event

    def trace_world(self, trial: Mapping[str, Any]) -> None:
        order = list(trial)
        for position, (name, given) in enumerate(trial.items()):
            later = {
                n: "a later event of the trial" if n != name else "which is the event itself" for n in order[position:]
            }
            if isinstance(given, Scheduled):
                event = self.variable(name, given, f"event '{name}'")
                happens = None if event is None else self._happening(event, "schedule")
            elif isinstance(given, Given):
                event = self.given_event(name, given)
                happens = None if event is None else self._happening(event, "subject")
            else:
                happens = self._ruled(name, given, later)
            if happens is None:
                self.broken.add(name)
                continue
            self.happens[name] = happens
            self.values[name] = Expression(build("event", name=name, kind=happens.kind, axes=happens.axes))

    def _happening(self, event: Event, source: str) -> TaskEvent:
        return TaskEvent(event.name, event.kind, event.axes, source, event.of, event.description)

    def _ruled(self, name: str, rule: Any, later: Mapping[str, str]) -> TaskEvent | None:
        if isinstance(rule, type) and issubclass(rule, Given):
            self.faults.add(f"event '{name}' is the class {rule.__name__}; write rl.{rule.__name__}(...).")
            return None
        if not callable(rule):
            self.faults.add(
                f"event '{name}' is {rule!r}, expected a kind such as rl.Index(axis) for what the subject does, a "
                "rule (a function) for what the world does, or rl.tasks.Scheduled(kind, values)."
            )
            return None
        if self.waits(rule):
            return None
        what = f"the rule of '{name}'"
        outcome = self.faults.attempt(trace, rule, self._asked(), what=what, later=later)
        if outcome is FAILED:
            return None
        place = f"{where_defined(rule)}: {what}"
        try:
            node = outcome.node if isinstance(outcome, Expression) else to_real(outcome)
        except (ModelError, TypeError, ValueError, AttributeError):
            self.faults.add(f"{place} returned {outcome!r}, expected the event's value.")
            return None
        if node.kind == BOOL:
            from rlbackends.expressions.functions import where

            node = where(Expression(node), 1, 0).node
        for axis in node.axes:
            if axis.name is not None and self.sizes.get(axis.name) != axis.size:
                self.faults.add(f"{place} has the axis {axis}; sizes has {listed(self.sizes)}.")
                return None
        self.rules[name] = node
        return TaskEvent(name, node.kind, node.axes, "rule", None, first_line(rule))

    def _asked(self) -> dict[str, Any]:
        return {**self.sizes, **self.values, "uniform": Expression(UNIFORM)}

    def trace_changes(self, update: Any) -> None:
        if not callable(update):
            self.faults.add(f"update is {update!r}, expected a function that returns a dict of new states.")
            return
        if self.waits(update):
            return
        asked = self.values
        try:
            self.values = self._asked()
            self.trace_update(update, [])
        finally:
            self.values = asked


UNIFORM = build("event", name="uniform", kind=Kind("real"), axes=())
"""The leaf that stands for a rule's own uniform number."""


def asks_uniform(node: Node) -> bool:
    """Say whether a rule asks for a uniform number."""
    return any(item is UNIFORM for item in walk(node))


def shape_words(event: TaskEvent | Event) -> str:
    """Say what an event's value is: ``one of 2 (action)``, ``a real number``, with its axes."""
    if event.kind.name == "int":
        of = f" of axis '{event.of}'" if event.of else ""
        what = f"a whole number from {event.kind.lo} to {event.kind.hi}{of}"
    else:
        what = "a real number"
    return what if not event.axes else f"{what}, {describe(event.axes)}"
