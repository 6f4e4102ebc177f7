"""What the loop over trials has to compute for a model and its data, said in graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlbackends.backends.pymc.lower import Reads
from rlbackends.expressions.kinds import BOOL
from rlbackends.expressions.node import Node
from rlbackends.expressions.operations import build, choose, constant
from rlbackends.expressions.passes import guard

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model

# Leaves of our own; no event can have such a name.
VALID = "(trial)"
"""Whether there is such a trial, or only padding."""


def present(response: str) -> str:
    """Return the name of the leaf that says whether a response is there on a trial."""
    return f"({response} is there)"


def _flag(name: str) -> Node:
    return build("event", name=name, kind=BOOL, axes=())


def _only(flag: str, node: Node) -> Node:
    """Return a graph whose value counts only where a flag holds, harmless elsewhere."""
    safe = constant(True) if node.kind == BOOL else constant(1.0)
    return guard(build("where", _flag(flag), node, safe))


@dataclass(frozen=True)
class Plan:
    """The graphs of one trial for these data.

    Attributes
    ----------
    initial, updates, records
        As in ``Program``; in ragged data, padding holds every state.
    outside : mapping of response to mapping of argument to graph
        Arguments that need no state: computed for all trials at once.
    inside : mapping of response to mapping of argument to graph
        Arguments that the loop computes.
    """

    initial: Mapping[str, Node]
    updates: Mapping[str, Node]
    records: Mapping[str, Node]
    outside: Mapping[str, Mapping[str, Node]]
    inside: Mapping[str, Mapping[str, Node]]

    @classmethod
    def of(cls, model: Model, data: BoundTrials) -> Plan:
        """Make the plan."""
        program = model.program(data.complete)
        updates = dict(program.updates)
        if data.is_ragged:
            for name, node in updates.items():
                old = build("state", name=name, axes=model.states[name].axes)
                updates[name] = guard(choose(_flag(VALID), node, old))
        outside: dict[str, dict[str, Node]] = {}
        inside: dict[str, dict[str, Node]] = {}
        for response, arguments in program.arguments.items():
            outside[response], inside[response] = {}, {}
            for name, node in arguments.items():
                # Where a response is not there, its rule may need what is missing: no NaN may come from it.
                graph = _only(present(response), node) if data.missing[response].any() else node
                group = inside if Reads.of([graph]).states else outside
                group[response][name] = graph
        return cls(program.initial, updates, program.records, outside, inside)

    def outside_graphs(self) -> dict[tuple[str, str], Node]:
        """Return the arguments that need no state, by response and argument."""
        return {(r, a): node for r, arguments in self.outside.items() for a, node in arguments.items()}

    def inside_graphs(self) -> dict[tuple[str, str], Node]:
        """Return the loop's arguments by response and argument."""
        return {(r, a): node for r, arguments in self.inside.items() for a, node in arguments.items()}

    def needed_states(self) -> list[str]:
        """Return the states that the responses depend on, in order."""
        found = Reads.of(self.inside_graphs().values()).states
        while True:
            more = Reads.of([self.updates[name] for name in found if name in self.updates]).states | found
            if more == found:
                return [name for name in self.initial if name in found]
            found = more
