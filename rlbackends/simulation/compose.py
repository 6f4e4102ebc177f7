"""A model that plays a task, as one model without responses: what happens is written into its graphs.

Every response and every rule of the world is replaced by the graph of its draw, from a uniform number that is given.
What comes out is an ordinary model whose data are uniforms and schedules and whose records are the trial's events, so
a backend that computes trajectories simulates too, and nothing about simulation is written twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

from rlbackends.errors import did_you_mean, listed
from rlbackends.expressions.kinds import REAL, Axes, Kind
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build, constant
from rlbackends.expressions.passes import assume_complete, substitute
from rlbackends.expressions.standin import to_real
from rlbackends.model.build import Faults, Parts
from rlbackends.model.model import Model
from rlbackends.model.parts import Event, TracedState
from rlbackends.model.responses import Response, argument_leaf
from rlbackends.tasks.task import UNIFORM, Task, TaskEvent, asks_uniform, shape_words

# Names of a composed model that no user can have given.
DRAW = "draw of {}"
UNIFORM_OF = "uniform of {}"
EDGE = "edge of {}"
PREDICTION = "prediction of {}"
WORLD = "world's {}"
_UPDATE = "update"
_NAN = constant(float("nan"))


@dataclass(frozen=True)
class Composed:
    """A model that plays a task.

    Attributes
    ----------
    model : Model
        Without responses; its events are the scheduled variables (by :func:`hidden` names where the subject does not
        see them) and the uniforms, its records are the draws, their edges and the records of the model that plays.
    drawn : tuple of str
        Events that are drawn or follow from draws, in order: recorded as ``DRAW``.
    uniforms : mapping of str to axes
        The uniform numbers that are needed, by what asks for them.
    edges : tuple of str
        Draws that have an edge: recorded as ``EDGE``, the distance of the uniform to the nearest one.
    """

    model: Model
    drawn: tuple[str, ...]
    uniforms: Mapping[str, Axes]
    edges: tuple[str, ...]


def hidden(task: Task, name: str) -> str:
    """Return the name of a task's variable or state within the composed model."""
    return name if name in task.events else WORLD.format(name)


def compose(model: Model, task: Task) -> Composed:
    """Write what happens in a task into a model's graphs.

    Raises
    ------
    ModelError
        If the task lacks what the model needs, or sizes or kinds disagree; all faults at once.
    """
    check_fit(model, task)
    inside = _Inside(model, task)
    for name, event in task.events.items():
        if event.source == "subject":
            inside.respond(model.response_rules[name])
        elif event.source == "rule":
            inside.happen(name)
    states = dict(model.states)
    updates = inside.of_model(dict(model.updates))
    for name, state in task.states.items():
        states[WORLD.format(name)] = TracedState(WORLD.format(name), state.axes, state.initial, state.reset)
    changes = inside.of_task(dict(task.updates), _UPDATE) if task.updates else {}
    updates |= {WORLD.format(name): node for name, node in changes.items()}
    records = inside.of_model(dict(model.records))
    records |= {DRAW.format(name): to_real(node) for name, node in inside.recorded.items()}
    decided = {name: [node] for name, node in inside.recorded.items()} | {_UPDATE: list(changes.values())}
    edges = {name: edge(decided[name], inside.leaf(name)) for name in inside.uniforms}
    found = {name: node for name, node in edges.items() if node is not None}
    records |= {EDGE.format(name): node for name, node in found.items()}
    parts = Parts(
        name=f"{model.name} in {task.name}", parameters=dict(model.parameters), states=states,
        events=_given(task, inside.uniforms), responses={}, updates=updates, records=records, sizes=dict(model.sizes),
    )  # fmt: skip
    return Composed(Model._from_parts(parts), tuple(inside.recorded), dict(inside.uniforms), tuple(found))


def follow(model: Model) -> Composed:
    """Return a model that predicts and draws each response one step ahead, while what happens is given by data.

    Its records are, beside the model's own, each response's draw and its ``PREDICTION``: the actions'
    probabilities, the probability of a 1, or the mean.
    """
    events = {name: Event(name, e.kind, e.axes, of=e.of) for name, e in model.events.items()}
    records, uniforms, edges = dict(model.records), {}, []
    for name, response in model.response_rules.items():
        leaf = _uniform(name, response.axes)
        node = drawn(response, dict(response.arguments), leaf)
        uniforms[name] = response.axes
        events[UNIFORM_OF.format(name)] = Event(UNIFORM_OF.format(name), REAL, response.axes)
        records[DRAW.format(name)] = to_real(node)
        records[PREDICTION.format(name)] = _prediction(response)
        nearest = edge([node], leaf)
        if nearest is not None:
            edges.append(name)
            records[EDGE.format(name)] = nearest
    parts = Parts(
        name=f"{model.name} one step ahead", parameters=dict(model.parameters), states=dict(model.states),
        events=events, responses={}, updates=dict(model.updates), records=records, sizes=dict(model.sizes),
    )  # fmt: skip
    return Composed(Model._from_parts(parts), tuple(model.responses), uniforms, tuple(edges))


class _Inside:
    """The values of a trial's events as graphs of states, parameters, schedules and uniforms."""

    def __init__(self, model: Model, task: Task) -> None:
        self.model = model
        self.task = task
        self.values: dict[str, Node] = {}  # what later rules see
        self.recorded: dict[str, Node] = {}  # what becomes data; missing where a sub-choice was not there
        self.uniforms: dict[str, Axes] = {}

    def leaf(self, name: str) -> Node:
        return _uniform(name, self.uniforms[name])

    def respond(self, response: Response) -> None:
        """Draw a response of the model."""
        name = response.name
        self.uniforms[name] = response.axes
        arguments = self.of_model(dict(response.arguments))
        node = drawn(response, arguments, self.leaf(name))
        self.values[name] = self.recorded[name] = node
        if "where" in arguments:
            zero = constant(0) if node.kind.name == "int" else constant(0.0)
            self.values[name] = build("where", arguments["where"], node, zero)
            self.recorded[name] = build("where", arguments["where"], to_real(node), _NAN)

    def happen(self, name: str) -> None:
        """Let the world do something."""
        self.values[name] = self.recorded[name] = self.of_task({name: self.task.rules[name]}, name)[name]

    def of_task(self, graphs: dict[str, Node], asker: str) -> dict[str, Node]:
        """Return graphs of the task in terms of the composed model."""
        if any(asks_uniform(node) for node in graphs.values()):
            self.uniforms[asker] = ()

        def replace(node: Node) -> Node | None:
            if node is UNIFORM:
                return self.leaf(asker)
            if node.op == "state":
                return build("state", name=WORLD.format(node.attr("name")), axes=node.axes)
            if node.op != "event":
                return None
            name = node.attr("name")
            return self.values.get(name) or build("event", name=hidden(self.task, name), kind=node.kind, axes=node.axes)

        return substitute(graphs, replace)

    def of_model(self, graphs: dict[str, Node]) -> dict[str, Node]:
        """Return graphs of the model in terms of the composed model, in which nothing is missing."""

        def replace(node: Node) -> Node | None:
            if node.op != "event":
                return None
            name = node.attr("name")
            given = self.task.events[name]
            value = self.values.get(name) or build("event", name=name, kind=given.kind, axes=given.axes)
            return to_real(value) if node.kind == REAL else value

        return substitute(assume_complete(graphs, self.model.events), replace)


def drawn(response: Response, arguments: Mapping[str, Node], uniform: Node) -> Node:
    """Return the graph of a response's value at a uniform, with the family's arguments put in."""
    leaves = {argument_leaf(name, node): arguments[name] for name, node in response.arguments.items()}
    leaves[build("state", name="uniform", axes=response.axes)] = uniform
    return substitute({"": response.draw()}, leaves.get)[""]


def _prediction(response: Response) -> Node:
    arguments = response.arguments
    if response.family == "normal":
        return arguments["mean"]
    logits = arguments["log_probs" if "log_probs" in arguments else "logits"]
    if response.family == "categorical":
        return build("softmax", logits, axis=-1)
    probability = build("sigmoid", logits)
    return probability if "where" not in arguments else build("where", arguments["where"], probability, _NAN)


def _uniform(name: str, axes: Axes) -> Node:
    return build("event", name=UNIFORM_OF.format(name), kind=REAL, axes=axes)


def _given(task: Task, uniforms: Mapping[str, Axes]) -> dict[str, Event]:
    found = {hidden(task, name): Event(hidden(task, name), v.kind, v.axes) for name, v in task.scheduled.items()}
    return found | {UNIFORM_OF.format(n): Event(UNIFORM_OF.format(n), REAL, axes) for n, axes in uniforms.items()}


def edge(nodes: Iterable[Node], uniform: Node) -> Node | None:
    """Return the graph of the smallest distance between the two sides of a comparison that decides a draw.

    Only comparisons that depend on ``uniform`` count; None if there is none, as for a continuous draw.
    """
    depends: set[Node] = set()
    distances = []
    for item in walk(*nodes):
        if item is uniform or any(arg in depends for arg in item.args):
            depends.add(item)
            # Between whole numbers nothing lies at an edge.
            is_real = any(arg.kind == REAL for arg in item.args)
            if item.op in ("lt", "le") and is_real and any(arg in depends for arg in item.args):
                gap = build("abs", build("sub", *(to_real(arg) for arg in item.args)))
                distances.append(_smallest(gap))
    return reduce(lambda a, b: build("minimum", a, b), distances) if distances else None


def _smallest(node: Node) -> Node:
    while node.axes:
        node = build("neg", build("max", build("neg", node), axis=-1))
    return node


# Whether they fit


def check_fit(model: Model, task: Task) -> None:
    """Raise ``ModelError`` with everything that keeps a model from playing a task."""
    faults = Faults(task.name, "task")
    for name, event in model.events.items():
        given = task.events.get(name)
        if given is None:
            faults.add(_absent(model, task, event))
        elif (given.source == "subject") != event.is_response:
            who = "the subject does" if given.source == "subject" else "the world does"
            faults.add(f"'{name}' is what {who}, but in model '{model.name}' it is {event.holds}.")
        elif not _agree(event, given):
            faults.add(
                f"'{name}' is {shape_words(given)}, but model '{model.name}' has {shape_words(event)}. Make the model "
                "and the task with the same sizes."
            )
    taken = {**dict.fromkeys(model.parameters, "parameter"), **dict.fromkeys(model.records, "record")}
    taken |= dict.fromkeys(model.states, "state")
    for name in task.events:
        if name in taken and name not in model.events:
            faults.add(f"'{name}' is an event, and a {taken[name]} of model '{model.name}'. Give it another name: "
                       f"task.rename({name}='…').")  # fmt: skip
    for name in task.responses:
        if name not in model.events:
            own = [r for r in model.responses if r not in task.events]
            hint = f" If it is the model's '{own[0]}': task.rename({name}='{own[0]}')." if own else ""
            faults.add(f"'{name}' is what the subject does, but model '{model.name}' has {_responses(model)}.{hint}")
    if not faults.found:
        _check_order(faults, model, task)
    faults.report()


def _responses(model: Model) -> str:
    return f"the response{'s' if len(model.responses) > 1 else ''} {listed(model.responses)}"


def _absent(model: Model, task: Task, event: Event) -> str:
    hint = did_you_mean(event.name, task.events)
    kind = "response" if event.is_response else "event"
    near = [n for n, e in task.events.items() if n not in model.events and _agree(event, e)
            and (e.source == "subject") == event.is_response]  # fmt: skip
    if near and not hint:
        hint = f" If '{near[0]}' is meant: task.rename({near[0]}='{event.name}')."
    return (
        f"model '{model.name}' needs the {kind} '{event.name}' ({event.meaning}), which the task does not have. It has "
        f"{listed(task.events)}.{hint}"
    )


def _agree(event: Event, given: TaskEvent) -> bool:
    if [axis.size for axis in event.axes] != [axis.size for axis in given.axes]:
        return False
    if event.kind.name == "real":
        return not event.is_response or given.kind.name == "real"
    if given.kind.name != "int":
        return False
    inside: bool = event.kind.lo <= given.kind.lo and given.kind.hi <= event.kind.hi
    same = _bounds(event.kind) == _bounds(given.kind)
    return same if event.is_response or given.of is not None else inside


def _bounds(kind: Kind) -> tuple[int, int]:
    return kind.lo, kind.hi


def _check_order(faults: Faults, model: Model, task: Task) -> None:
    """Note each response whose rule needs what happens in the task only after it."""
    order = list(task.events)
    for name, response in model.response_rules.items():
        needed = _events(response.arguments.values())
        late = [event for event in needed if order.index(event) > order.index(name)]
        if late:
            faults.add(
                f"model '{model.name}' needs {listed(late)} for its '{name}', which comes first in the task: "
                f"{listed(order)}."
            )


def _events(graphs: Iterable[Node]) -> list[str]:
    return list(dict.fromkeys(node.attr("name") for node in walk(*graphs) if node.op == "event"))
