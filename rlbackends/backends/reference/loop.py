"""The meaning of a model: one subject, one trial at a time, in plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.reference.tape import Cell, Tape, evaluate
from rlbackends.errors import BackendError
from rlbackends.expressions.node import Node

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model


@dataclass
class SubjectRun:
    """What the loop found for one subject; ``total`` is the log-likelihood of all that was observed."""

    log_likelihood: dict[str, np.ndarray]
    trajectories: dict[str, np.ndarray]
    total: float = 0.0
    gradients: dict[str, np.ndarray] = field(default_factory=dict)


def run_subject(
    model: Model, data: BoundTrials, subject: int, values: Mapping[str, np.ndarray], *, gradient: bool = False
) -> SubjectRun:
    """Play a subject's trials in order.

    Parameters
    ----------
    model, data
        The model and the data bound to it.
    subject : int
        Position of the subject.
    values : mapping
        Parameter name → one number, or one per trial.
    gradient : bool
        Whether to go back and collect the gradient of the summed log-likelihood.
    """
    tape = Tape(record=gradient)
    length = int(data.lengths[subject])
    cells = {name: [Cell(np.float64(v)) for v in np.atleast_1d(value)] for name, value in values.items()}
    run = SubjectRun(
        {name: np.full(length, np.nan) for name in model.responses},
        {
            **{name: np.full((length, *state.shape), np.nan) for name, state in model.states.items()},
            **{name: np.full((length, *node.shape), np.nan) for name, node in model.records.items()},
        },
    )
    states: dict[str, Cell] = {}
    with np.errstate(all="ignore"):
        for trial in range(length):
            _Trial(model, data, subject, trial, cells, tape).play(states, run, gradient)
        if gradient:
            tape.back()
    for name, series in cells.items():
        collected = np.array([0.0 if c.gradient is None else float(c.gradient) for c in series])
        run.gradients[name] = collected if values[name].ndim else collected[0]
    return run


class _Trial:
    def __init__(
        self, model: Model, data: BoundTrials, subject: int, trial: int, cells: Mapping[str, list[Cell]], tape: Tape
    ) -> None:
        self.model = model
        self.data = data
        self.where = (subject, trial)
        self.parameters = {name: series[trial if len(series) > 1 else 0] for name, series in cells.items()}
        self.tape = tape
        self.states: dict[str, Cell] = {}
        self.memo: dict[Node, Cell] = {}

    def leaf(self, node: Node) -> Cell:
        name = node.attr("name")
        if node.op == "parameter":
            return self.parameters[name]
        if node.op == "state":
            return self.states[name]
        cell = Cell(self.data.values[name][self.where])
        cell.entries = self.data.missing[name][self.where]
        cell.missing = bool(np.any(cell.entries))
        return cell

    def value(self, node: Node) -> Cell:
        return evaluate(node, self.memo, self.leaf, self.tape)

    def play(self, states: dict[str, Cell], run: SubjectRun, gradient: bool) -> None:
        """Reset, respond, then learn: all states update together from the old values."""
        trial = self.where[1]
        for name, state in self.model.states.items():
            if trial == 0 or (state.reset == "block" and self.data.starts[self.where]):
                states[name] = self.spread(self.value(state.initial), state.shape)
        self.states = dict(states)
        for name in self.model.states:
            run.trajectories[name][trial] = states[name].value
        for name in self.model.responses:
            self.respond(name, run, gradient)
        for name, node in self.model.updates.items():
            new = self.value(node)
            if not new.missing:
                states[name] = self.spread(new, self.model.states[name].shape)
        for name, node in self.model.records.items():
            record = self.value(node)
            if not record.missing:
                run.trajectories[name][trial] = record.value

    def spread(self, cell: Cell, shape: tuple[int, ...]) -> Cell:
        """Return a value broadcast to a state's shape."""
        if np.shape(cell.value) == shape:
            return cell
        from rlbackends.expressions.operations import build, constant

        zeros = constant(np.zeros(shape))
        node = build("add", zeros, constant(np.zeros(np.shape(cell.value))))
        return self.tape.cell(node, (Cell(np.zeros(shape)), cell), np.broadcast_to(cell.value, shape))

    def respond(self, name: str, run: SubjectRun, gradient: bool) -> None:
        observed = ~self.data.missing[name][self.where]
        if not np.any(observed):
            return
        response = self.model.response_rules[name]
        arguments = {argument: self.value(node) for argument, node in response.arguments.items()}
        lacking = [argument for argument, cell in arguments.items() if cell.missing]
        if lacking:
            subject = self.data.subjects[self.where[0]]
            number = self.data.trial_numbers[self.where]
            raise BackendError(
                f"subject {subject}, trial {number}: '{name}' is there, but its rule needs a missing value."
            )
        value = Cell(self.data.values[name][self.where])

        def leaf(node: Node) -> Cell:
            return value if node.attr("name") == name else arguments[node.attr("name")]

        log_p = evaluate(response.log_probability(), {}, leaf, self.tape)
        found = float(np.sum(np.where(observed, log_p.value, 0.0)))
        run.log_likelihood[name][self.where[1]] = found
        if self.data.held_out is not None and self.data.held_out[self.where]:
            return
        run.total += found  # here, where a NaN is a value and not a trial without a response
        if gradient:
            seed: Any = np.broadcast_to(np.where(observed, 1.0, 0.0), np.shape(log_p.value))
            log_p.gradient = seed if log_p.gradient is None else log_p.gradient + seed
