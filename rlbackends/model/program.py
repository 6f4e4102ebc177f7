"""What a backend lowers: a model's graphs with the semantics of missing values written out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlbackends.expressions.kinds import BOOL
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import FALSE, build, choose, constant
from rlbackends.expressions.passes import missing

if TYPE_CHECKING:
    from rlbackends.model.build import Parts

_NAN = constant(float("nan"))


@dataclass(frozen=True)
class Program:
    """The graphs of one trial, ready to be lowered.

    Attributes
    ----------
    initial : mapping of state to graph
        Initial values, graphs of parameters; broadcast them to the state's shape.
    updates : mapping of state to graph
        New values; a state whose new value needs a missing value holds its old one. States that never change
        are left out.
    records : mapping of record to graph
        NaN where they need a missing value.
    arguments : mapping of response to mapping of argument to graph
        The arguments of each response's family. Where one needs a missing value it is 1 (a mask is False),
        and so it is where the mask is off: nothing is read there, and no NaN may leak from what is computed
        all the same.
    log_probability : mapping of response to graph
        From leaves named as the arguments and the response's event.
    masked_events : frozenset of str
        Events whose missing flags the graphs read.
    """

    initial: Mapping[str, Node]
    updates: Mapping[str, Node]
    records: Mapping[str, Node]
    arguments: Mapping[str, Mapping[str, Node]]
    log_probability: Mapping[str, Node]
    masked_events: frozenset[str]

    @classmethod
    def of(
        cls,
        parts: Parts,
        complete: frozenset[str],
        assume_complete: Callable[[dict[str, Node], frozenset[str]], dict[str, Node]],
        guard: Callable[[Node], Node],
    ) -> Program:
        """Write the semantics out for data in which the events ``complete`` have no missing value."""

        def ready(graphs: Mapping[str, Node]) -> dict[str, Node]:
            return {name: guard(node) for name, node in assume_complete(dict(graphs), complete).items()}

        updates = {}
        for name, node in parts.updates.items():
            old = build("state", name=name, axes=parts.states[name].axes)
            updates[name] = choose(missing(node), old, node)
        records = {
            name: node if missing(node) is FALSE else choose(missing(node), _NAN, node)
            for name, node in parts.records.items()
        }
        updates, records = ready(updates), ready(records)
        arguments = {name: ready(_settled(response.arguments)) for name, response in parts.responses.items()}
        graphs = [*updates.values(), *records.values()]
        graphs += [node for group in arguments.values() for node in group.values()]
        flags = {node.args[0] for node in walk(*graphs) if node.op == "is_missing"}
        return cls(
            initial={name: guard(state.initial) for name, state in parts.states.items()},
            updates=updates,
            records=records,
            arguments=arguments,
            log_probability={name: guard(r.log_probability()) for name, r in parts.responses.items()},
            masked_events=frozenset((f.args[0] if f.op == "gather" else f).attr("name") for f in flags),
        )

    def used_events(self) -> frozenset[str]:
        """Return the names of the events whose values the loop over trials reads."""
        graphs: list[Any] = [*self.updates.values(), *self.records.values()]
        graphs += [node for group in self.arguments.values() for node in group.values()]
        return frozenset(node.attr("name") for node in walk(*graphs) if node.op == "event")


def _settled(arguments: Mapping[str, Node]) -> dict[str, Node]:
    """Return a response's arguments, harmless where they need a missing value or where their mask is off."""
    mask, one = arguments.get("where"), constant(1.0)
    settled = {}
    for name, node in arguments.items():
        masked = node if mask is None or node is mask else choose(mask, node, one)
        settled[name] = choose(missing(masked), FALSE if node.kind == BOOL else one, masked)
    return settled
