"""One scan over trials, all subjects side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytensor
import pytensor.tensor as pt

from rlbackends.backends.pymc.columns import Columns, Source
from rlbackends.backends.pymc.lower import Reads, lower
from rlbackends.backends.pymc.operations import Row
from rlbackends.backends.pymc.plan import Plan
from rlbackends.backends.pymc.tensors import spread
from rlbackends.expressions.node import Node

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model

Tensors = dict[Any, Any]


class Loop:
    """A model and its data, ready to be lowered for any parameters.

    Parameters
    ----------
    model : Model
        The model.
    plan : Plan
        Its graphs of one trial, for such data.
    source : Source
        The data bound to it. Graphs know of these what their structure is; values are columns.
    table : mapping
        One of ``operations.TABLES``.
    is_fixed : bool, default False
        Whether columns are constants of the graphs.
    """

    def __init__(
        self, model: Model, plan: Plan, source: Source, table: Mapping[str, Row], *, is_fixed: bool = False
    ) -> None:
        self.model = model
        self.data: BoundTrials = source.data
        self.source = source
        self.table = table
        self.plan = plan
        self.columns = Columns(source, is_fixed=is_fixed)

    def arguments(self, parameters: Mapping[str, Any]) -> Tensors:
        """Return the responses' arguments: (response, argument) → (subject · trial, *axes).

        Parameters are (subject,) or (subject, trial).
        """
        played = self._play(parameters, self.plan.needed_states(), self.plan.inside_graphs(), emit=())
        return self._by_cell(parameters, played)

    def trajectories(self, parameters: Mapping[str, Any]) -> Tensors:
        """Return states before each trial's update, and records: name → (subject, trial, *axes)."""
        states = list(self.plan.initial)
        played = self._play(parameters, states, dict(self.plan.records), emit=states)
        return {name: value.swapaxes(0, 1) for name, value in played.items()}

    def both(self, parameters: Mapping[str, Any]) -> tuple[Tensors, Tensors]:
        """Return what :meth:`arguments` and :meth:`trajectories` return, from one scan."""
        states = list(self.plan.initial)
        played = self._play(parameters, states, {**self.plan.inside_graphs(), **self.plan.records}, emit=states)
        inside = {key: played.pop(key) for key in self.plan.inside_graphs()}
        trajectories = {name: value.swapaxes(0, 1) for name, value in played.items()}
        return self._by_cell(parameters, inside), trajectories

    def _by_cell(self, parameters: Mapping[str, Any], played: Tensors) -> Tensors:
        """Return arguments cell by cell: those that were played, and those that need no state."""
        cells = self.data.n_subjects * self.data.n_steps
        inside = {
            key: value.swapaxes(0, 1).reshape((cells, *value.type.shape[2:])) for key, value in played.items()
        }
        return {**inside, **self._outside(parameters, cells)}

    def _outside(self, parameters: Mapping[str, Any], cells: int) -> Tensors:
        """Return the arguments that need no state, for all cells at once."""

        def leaf(node: Node) -> Any:
            name = node.attr("name")
            if node.op == "event":
                return self.columns.by_cell("event", name)
            value = parameters[name]
            value = value[:, None] if value.ndim == 1 else value
            return spread(value, (self.data.n_subjects, self.data.n_steps)).reshape((cells,))

        def flags(node: Node) -> Any:
            return self.columns.by_cell("flags", node.attr("name"))

        graphs = self.plan.outside_graphs()
        found = lower(graphs, leaf, cells, self.table, flags)
        return {key: spread(value, (cells, *graphs[key].shape)) for key, value in found.items()}

    def _start(self, states: list[str], parameters: Mapping[str, Any]) -> Tensors:
        """Return the states' initial values from one trial's parameters, (subject, *axes)."""
        size = self.data.n_subjects
        graphs = {name: self.plan.initial[name] for name in states}
        found = lower(graphs, lambda node: parameters[node.attr("name")], size, self.table)
        return {name: spread(value, (size, *self.model.states[name].shape)) for name, value in found.items()}

    def _play(
        self, parameters: Mapping[str, Any], states: list[str], outputs: Mapping[Any, Node], emit: Any
    ) -> Tensors:
        """Play all trials: outputs, and the states ``emit``, as (trial, subject, *axes)."""
        if not outputs and not emit:
            return {}
        size, n_steps, plan = self.data.n_subjects, self.data.n_steps, self.plan
        start = self._start(states, {n: v[:, 0] if v.ndim == 2 else v for n, v in parameters.items()})

        # Which states start again at blocks, and which of these from values that a trial's parameters decide.
        by_trial = {name for name, value in parameters.items() if value.ndim == 2}
        has_blocks = bool(self.data.starts[:, 1:].any())
        resets = [s for s in states if has_blocks and self.model.states[s].reset == "block"]
        varying = [s for s in resets if Reads.of([plan.initial[s]]).parameters & by_trial]
        carried = [s for s in states if s in plan.updates or s in varying]
        resets = [s for s in resets if s in carried]
        again = [s for s in resets if s not in varying]
        updates = {s: plan.updates[s] for s in carried if s in plan.updates}

        graphs = {("update", s): node for s, node in updates.items()}
        graphs |= {("output", key): node for key, node in outputs.items()}
        reads = Reads.of([*graphs.values(), *(plan.initial[s] for s in varying)])
        sequences: Tensors = {("event", n): self.columns.by_trial("event", n) for n in sorted(reads.events)}
        sequences |= {("flags", n): self.columns.by_trial("flags", n) for n in sorted(reads.flags)}
        if resets:
            sequences["starts", ""] = self.columns.by_trial("starts", "")
        sequences |= {("parameter", n): parameters[n].T for n in sorted(reads.parameters & by_trial)}
        others: Tensors = {("parameter", n): parameters[n] for n in sorted(reads.parameters - by_trial)}
        # A state that never changes is a constant of the loop.
        others |= {("state", s): start[s] for s in states if s not in carried and s in reads.states}
        others |= {("again", s): start[s] for s in again}
        # A state that starts at a parameter is that parameter's own variable, and a scan takes each variable once.
        distinct = list(dict.fromkeys(others.values()))
        names = [*sequences, *(("state", s) for s in carried)]

        def step(*given: Any) -> list[Any]:
            here = dict(zip(names, given[: len(names)], strict=True))
            inside = dict(zip(distinct, given[len(names) :], strict=True))
            here |= {key: inside[value] for key, value in others.items()}
            current = {n: here["parameter", n] for n in reads.parameters}
            fresh = {**{s: here["again", s] for s in again}, **self._start(varying, current)}
            for s in resets:
                is_start = here["starts", ""].dimshuffle(0, *["x"] * (fresh[s].ndim - 1))
                here["state", s] = pt.switch(is_start, fresh[s], here["state", s])
            new = lower(
                graphs,
                lambda node: here[node.op, node.attr("name")],
                size,
                self.table,
                lambda node: here["flags", node.attr("name")],
            )
            return [
                *(self._state(s, new["update", s]) if s in updates else here["state", s] for s in carried),
                *(here["state", s] for s in carried if s in emit),
                *(spread(new["output", key], (size, *node.shape)) for key, node in outputs.items()),
            ]

        emitted = [s for s in carried if s in emit]
        results = pytensor.scan(
            step,
            sequences=list(sequences.values()),
            outputs_info=[*(start[s] for s in carried), *[None] * (len(emitted) + len(outputs))],
            non_sequences=distinct,
            n_steps=n_steps,
            strict=True,
            return_updates=False,
            return_list=True,
        )
        found = dict(zip([*emitted, *outputs], results[len(carried) :], strict=True))
        for s in emit:
            if s not in carried:
                found[s] = spread(start[s][None], (n_steps, size, *self.model.states[s].shape))
        return found

    def _state(self, name: str, value: Any) -> Any:
        return spread(value, (self.data.n_subjects, *self.model.states[name].shape))
