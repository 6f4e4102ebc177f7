"""Simulated subjects in plain Python: the rules of a model drawn from instead of scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.reference.tape import Cell, Tape, evaluate
from rlbackends.expressions.node import Node

if TYPE_CHECKING:
    from rlbackends.model.model import Model

World = Mapping[str, Callable[[int, Mapping[str, Any]], Any]]


def simulate_subject(
    model: Model, params: Mapping[str, float], world: World, uniforms: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Play one subject through one block, drawing each response by the inverse of its cdf.

    Parameters
    ----------
    model : Model
        The specification.
    params : mapping of str to float
        The subject's parameters.
    world : mapping of str to callable
        For each event that the world gives, a function of the trial's position and the trial's earlier events.
    uniforms : mapping of str to array
        For each response, numbers in [0, 1), trial × axes.

    Returns
    -------
    dict of str to numpy.ndarray
        Each event's values, trial × axes.
    """
    tape = Tape(record=False)
    parameters = {name: Cell(np.float64(value)) for name, value in params.items()}
    states: dict[str, Cell] = {}
    for name, state in model.states.items():
        value = evaluate(state.initial, {}, lambda n: parameters[n.attr("name")], tape).value
        states[name] = Cell(np.broadcast_to(value, state.shape))
    n_trials = len(next(iter(uniforms.values())))
    events: dict[str, list[Any]] = {name: [] for name in model.events}
    for trial in range(n_trials):
        now: dict[str, Any] = {}

        def leaf(node: Node, now: dict[str, Any] = now) -> Cell:
            name = node.attr("name")
            if node.op == "parameter":
                return parameters[name]
            if node.op == "state":
                return states[name]
            cell = Cell(np.asarray(now[name]))
            cell.entries = np.zeros(np.shape(now[name]), dtype=bool)
            return cell

        memo: dict[Node, Cell] = {}
        with np.errstate(all="ignore"):
            for name, event in model.events.items():
                if event.is_response:
                    now[name] = _draw(model, name, uniforms[name][trial], memo, leaf, tape)
                else:
                    now[name] = world[name](trial, now)
                events[name].append(now[name])
            new = {name: evaluate(node, memo, leaf, tape).value for name, node in model.updates.items()}
        for name, value in new.items():
            states[name] = Cell(np.broadcast_to(value, model.states[name].shape))
    return {name: np.asarray(values) for name, values in events.items()}


def _draw(
    model: Model, name: str, uniform: Any, memo: dict[Node, Cell], leaf: Callable[[Node], Cell], tape: Tape
) -> Any:
    response = model.response_rules[name]
    arguments = {argument: evaluate(node, memo, leaf, tape) for argument, node in response.arguments.items()}
    arguments["uniform"] = Cell(np.asarray(uniform))
    return evaluate(response.draw(), {}, lambda n: arguments[n.attr("name")], tape).value
