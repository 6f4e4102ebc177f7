"""A model at fifty digits: an evaluator that shares no arithmetic with the backends, to say which of them is right.

It reads the rules as they were traced, follows the page on semantics in a loop of its own, and differentiates by a
complex step, so that it knows no derivative: where a function has a kink, what it chooses follows from the real
parts, as the page says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.node import Node
from rlbackends.testing.programs.extended_table import MISSING, Table

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model

Arrays = Mapping[str, np.ndarray]


def extended_values(
    model: Model, data: BoundTrials, params: Arrays, *, gradient: bool = True, digits: int = 50
) -> dict[str, dict[str, np.ndarray]]:
    """Return trajectories, log-likelihood and gradient, computed at many digits and then rounded.

    Parameters
    ----------
    model, data
        The specification, and the data bound to it.
    params : mapping of str to array
        Every parameter's values, (subject,) or (subject, trial).
    gradient : bool, default True
        Whether to differentiate: one more evaluation a parameter, one a trial where it varies by trial.
    digits : int, default 50
        Significant decimal digits.

    Returns
    -------
    dict
        ``"trajectories"``, ``"log_likelihood"`` and ``"gradient"`` by name, as ``rl.compile`` gives them; the summed
        log-likelihood is ``"(sum)"`` beside the gradient.

    Raises
    ------
    ImportError
        If mpmath is not installed.
    """
    table = Table(digits)
    run = _Run(model, data, table)
    trajectories, log_p = run.play(params, None)
    total = sum((v for v in _observed(log_p)), table.real(0.0))
    slopes: dict[str, np.ndarray] = {}
    for name, values in params.items() if gradient else ():
        slopes[name] = np.zeros(values.shape)
        for place in range(data.n_steps) if values.ndim == 2 else (None,):
            _, moved = run.play(params, (name, place))
            for subject in range(data.n_subjects):
                at = (subject,) if place is None else (subject, place)
                slopes[name][at] = sum((table.slope(v) for v in _observed(moved, subject)), 0.0)
    return {
        "trajectories": {name: table.rounded(values) for name, values in trajectories.items()},
        "log_likelihood": {name: table.rounded(values) for name, values in log_p.items()},
        "gradient": {**slopes, "(sum)": np.asarray(table.number(total))},
    }


def _observed(log_p: Mapping[str, np.ndarray], subject: int | None = None) -> Iterator[Any]:
    for values in log_p.values():
        for value in (values if subject is None else values[subject]).ravel():
            if value is not None:
                yield value


class _Run:
    """Plays a model's trials; what has no value is None."""

    def __init__(self, model: Model, data: BoundTrials, table: Table) -> None:
        self.model, self.data, self.table = model, data, table

    def play(self, params: Arrays, moved: tuple[str, int | None] | None) -> tuple[Arrays, Arrays]:
        """Return trajectories and log-likelihood; one parameter, or one on one trial, takes a complex step."""
        model, data = self.model, self.data
        lead = (data.n_subjects, data.n_steps)
        shapes = {name: state.shape for name, state in model.states.items()}
        shapes |= {name: node.shape for name, node in model.records.items()}
        trajectories = {name: np.full(lead + shape, None, dtype=object) for name, shape in shapes.items()}
        log_p = {name: np.full(lead, None, dtype=object) for name in model.responses}
        for subject in range(data.n_subjects):
            states: dict[str, np.ndarray] = {}
            for trial in range(int(data.lengths[subject])):
                leaves: dict[str, Any] = {}
                for name, values in params.items():
                    value = values[subject] if values.ndim == 1 else values[subject, trial]
                    steps = moved is not None and moved[0] == name and moved[1] in (None, trial)
                    leaves[name] = self.table.stepped(value) if steps else self.table.real(value)
                self._trial((subject, trial), leaves, states, trajectories, log_p)
        return trajectories, log_p

    def _trial(
        self, at: tuple[int, int], leaves: dict[str, Any], states: dict[str, np.ndarray], trajectories: Arrays,
        log_p: Arrays,
    ) -> None:  # fmt: skip
        model, data = self.model, self.data
        initial: dict[Node, Any] = {}
        for name, state in model.states.items():
            if at[1] == 0 or (state.reset == "block" and data.starts[at]):
                states[name] = np.broadcast_to(self._value(state.initial, leaves, initial, at), state.shape)
        leaves = leaves | states
        memo: dict[Node, Any] = {}
        for name in model.states:
            trajectories[name][at] = states[name]
        for name in model.responses:
            there = ~data.missing[name][at]
            if np.any(there):
                log_p[name][at] = self._respond(name, there, leaves, memo, at)
        for name, node in model.updates.items():
            new = self._value(node, leaves, memo, at)
            if new is not MISSING:
                states[name] = np.broadcast_to(new, model.states[name].shape)
        for name, node in model.records.items():
            record = self._value(node, leaves, memo, at)
            if record is not MISSING:
                trajectories[name][at] = record

    def _respond(self, name: str, there: Any, leaves: Mapping[str, Any], memo: dict[Node, Any], at: Any) -> Any:
        rule = self.model.response_rules[name]
        arguments = {key: self._value(node, leaves, memo, at) for key, node in rule.arguments.items()}
        if any(value is MISSING for value in arguments.values()):
            raise ValueError(f"'{name}' is there, but its rule needs a missing value")
        value = self.data.values[name][at]
        found = self.table.log_probability(rule.family, value, arguments)
        found = np.broadcast_to(found, np.shape(there))
        return sum((found[i] for i in np.ndindex(np.shape(there)) if np.asarray(there)[i]), self.table.real(0.0))

    def _value(self, node: Node, leaves: Mapping[str, Any], memo: dict[Node, Any], at: Any) -> Any:
        """Return a graph's value, or ``MISSING`` where it needs what is missing."""
        if node not in memo:
            memo[node] = self._compute(node, leaves, memo, at)
        return memo[node]

    def _compute(self, node: Node, leaves: Mapping[str, Any], memo: dict[Node, Any], at: Any) -> Any:
        def value(argument: Node) -> Any:
            return self._value(argument, leaves, memo, at)

        if node.op in ("parameter", "state"):
            return leaves[node.attr("name")]
        if node.op == "const":
            return self.table.given(np.asarray(node.attr("value")))
        if node.op == "event":
            name = node.attr("name")
            lost = np.any(self.data.missing[name][at])
            return MISSING if lost else self.table.given(np.asarray(self.data.values[name][at]))
        if node.op == "is_missing":
            return np.array(value(node.args[0]) is MISSING, dtype=object)
        if node.op == "gather" and node.args[0].op == "event":
            return self._entries(node, [value(index) for index in node.args[1:]], at)
        if node.op == "where" and not node.args[0].axes:
            condition = value(node.args[0])
            if condition is MISSING:
                return MISSING
            branch = value(node.args[1 if condition.item() else 2])
            return MISSING if branch is MISSING else np.broadcast_to(branch, node.shape)
        arguments = [value(argument) for argument in node.args]
        if any(argument is MISSING for argument in arguments):
            return MISSING
        return self.table.apply(node, arguments)

    def _entries(self, node: Node, indices: list[Any], at: Any) -> Any:
        """Return entries of an event, of which others may be missing."""
        if any(index is MISSING for index in indices):
            return MISSING
        name = node.args[0].attr("name")
        where = self.table.subscript(node, indices)
        if np.any(self.data.missing[name][at][where]):
            return MISSING
        return self.table.given(np.asarray(self.data.values[name][at][where]))
