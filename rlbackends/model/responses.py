"""How a response is distributed: the log-probability and the draw from a uniform, once, in the language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rlbackends.errors import ModelError
from rlbackends.expressions import functions as f
from rlbackends.expressions.kinds import BOOL, REAL, Axes, Kind, describe, integer
from rlbackends.expressions.node import Node
from rlbackends.expressions.operations import build
from rlbackends.expressions.standin import Expression, as_expression, fail, node_of, to_real


@dataclass(frozen=True)
class Distribution:
    """What a response's rule returns: a family and its arguments, traced."""

    family: str
    arguments: Mapping[str, Node]


def Categorical(*, logits: Any = None, log_probs: Any = None, available: Any = None) -> Distribution:
    """One of several actions.

    Parameters
    ----------
    logits : one real per action, optional
        Softmax of these are the probabilities.
    log_probs : one real per action, optional
        Logarithms of probabilities that sum to 1, instead of ``logits``.
    available : one bool per action, optional
        An action that is not available has probability 0; the others are normalised among themselves.
    """
    if (logits is None) == (log_probs is None):
        fail("Categorical takes either logits or log_probs.")
    node = to_real(logits if log_probs is None else log_probs)
    if len(node.axes) != 1:
        fail(f"Categorical's logits are {describe(node.axes)}, expected one value per action. "
             f"The expression is '{as_expression(node)._text()}'.")  # fmt: skip
    if available is not None:
        mask = node_of(available)
        if mask.kind != BOOL:
            fail(f"Categorical's 'available' is {mask.kind}, expected a bool per action.")
        node = f.where(as_expression(mask), as_expression(node), -math.inf).node
    return Distribution("categorical", {"logits": node} if log_probs is None else {"log_probs": node})


def Bernoulli(*, logits: Any, where: Any = None) -> Distribution:
    """Yes or no (1 or 0); with axes, several sub-choices on one trial.

    Parameters
    ----------
    logits : real
        Log odds of a 1.
    where : bool, optional
        Which sub-choices there are on this trial; the others are not counted.
    """
    node = to_real(logits)
    if where is None:
        return Distribution("bernoulli", {"logits": node})
    mask = node_of(where)
    if mask.kind != BOOL:
        fail(f"Bernoulli's 'where' is {mask.kind}, expected a bool per sub-choice.")
    return Distribution("bernoulli", {"logits": node, "where": mask})


def Normal(*, mean: Any, sd: Any) -> Distribution:
    """A continuous response.

    Parameters
    ----------
    mean, sd : real
        Mean and standard deviation.
    """
    return Distribution("normal", {"mean": to_real(mean), "sd": to_real(sd)})


@dataclass(frozen=True)
class Family:
    """A row of the table of response families.

    ``log_probability(value, **arguments)`` and ``draw(uniform, **arguments)`` are written in the language.
    """

    kind: Callable[[Axes], Kind]
    axes: Callable[[Axes], Axes]
    main: tuple[str, ...]
    log_probability: Callable[..., Expression]
    draw: Callable[..., Expression]


def _categorical_log_probability(value: Expression, logits: Expression) -> Expression:
    return f.log_softmax(logits)[value]


def _categorical_draw(uniform: Expression, logits: Expression) -> Expression:
    probabilities = f.softmax(logits)
    edges = [probabilities[0]]
    for action in range(1, logits.shape[-1]):
        edges.append(edges[-1] + probabilities[action])
    # Rounding may leave the last edge below a uniform; scaled by it, the draw stays among available actions.
    scaled = uniform * edges[-1]
    drawn: Any = len(edges) - 1
    for action in reversed(range(len(edges) - 1)):
        drawn = f.where(scaled < edges[action], action, drawn)
    return as_expression(node_of(drawn))


def _bernoulli_log_probability(value: Expression, logits: Expression, where: Any = None) -> Expression:
    log_p = f.where(value == 1, -f.softplus(-logits), -f.softplus(logits))
    return log_p if where is None else f.where(where, log_p, 0.0)


def _bernoulli_draw(uniform: Expression, logits: Expression, where: Any = None) -> Expression:
    return f.where(uniform < f.sigmoid(logits), 1, 0)


def _normal_log_probability(value: Expression, mean: Expression, sd: Expression) -> Expression:
    z = (value - mean) / sd
    return -0.5 * z * z - f.log(sd) - 0.5 * math.log(2 * math.pi)


def _normal_draw(uniform: Expression, mean: Expression, sd: Expression) -> Expression:
    return mean + sd * f.ndtri(uniform)


FAMILIES: dict[str, Family] = {
    "categorical": Family(
        kind=lambda axes: integer(0, axes[-1].size - 1),
        axes=lambda axes: axes[:-1],
        main=("logits", "log_probs"),
        log_probability=_categorical_log_probability,
        draw=_categorical_draw,
    ),
    "bernoulli": Family(
        kind=lambda axes: integer(0, 1),
        axes=lambda axes: axes,
        main=("logits",),
        log_probability=_bernoulli_log_probability,
        draw=_bernoulli_draw,
    ),
    "normal": Family(
        kind=lambda axes: REAL,
        axes=lambda axes: axes,
        main=("mean", "sd"),
        log_probability=_normal_log_probability,
        draw=_normal_draw,
    ),
}
_ARGUMENTS = {
    "categorical": ({"logits"}, {"log_probs"}),
    "bernoulli": ({"logits"}, {"logits", "where"}),
    "normal": ({"mean", "sd"},),
}


@dataclass(frozen=True)
class Response:
    """A response of the trial: its event's name, its family and the graphs of the family's arguments."""

    name: str
    family: str
    arguments: Mapping[str, Node]

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ModelError(f"response '{self.name}': there is no family {self.family!r}.")
        if set(self.arguments) not in _ARGUMENTS[self.family]:
            raise ModelError(f"response '{self.name}': {self.family} does not take {sorted(self.arguments)}.")
        for name, node in self.arguments.items():
            if node.kind != (BOOL if name == "where" else REAL):
                raise ModelError(f"response '{self.name}': argument '{name}' is {node.kind}.")
        if self.family == "categorical" and len(self.parameter_axes) != 1:
            raise ModelError(f"response '{self.name}': logits are {describe(self.parameter_axes)}.")

    @property
    def parameter_axes(self) -> Axes:
        """The axes of the family's arguments, broadcast together."""
        from rlbackends.expressions.kinds import broadcast

        return broadcast(*(node.axes for node in self.arguments.values()))

    @property
    def kind(self) -> Kind:
        """The kind of the response's value."""
        return FAMILIES[self.family].kind(self.parameter_axes)

    @property
    def axes(self) -> Axes:
        """The axes of the response's value: none, or those of its sub-choices."""
        return FAMILIES[self.family].axes(self.parameter_axes)

    @property
    def of(self) -> str | None:
        """The axis along which a categorical response counts."""
        return self.parameter_axes[-1].name if self.family == "categorical" else None

    def _leaves(self) -> dict[str, Expression]:
        # Within these graphs the family's arguments are leaves; log_probs are logits, normalised already.
        return {
            "logits" if name == "log_probs" else name: as_expression(argument_leaf(name, node))
            for name, node in self.arguments.items()
        }

    def log_probability(self) -> Node:
        """Return the graph of the log-probability, one value per sub-choice.

        Its leaves are those of ``argument_leaf`` and the event's value.
        """
        return self._log_probability

    @cached_property
    def _log_probability(self) -> Node:
        value = build("event", name=self.name, kind=self.kind, axes=self.axes)
        return FAMILIES[self.family].log_probability(as_expression(value), **self._leaves()).node

    def draw(self) -> Node:
        """Return the graph of the value at a uniform, by the inverse of the cdf; the leaf is ``uniform``."""
        return self._draw

    @cached_property
    def _draw(self) -> Node:
        uniform = build("state", name="uniform", axes=self.axes)
        return FAMILIES[self.family].draw(as_expression(uniform), **self._leaves()).node


def argument_leaf(name: str, node: Node) -> Node:
    """Return the leaf that stands for a family's argument within the family's own graphs."""
    if node.kind == BOOL:
        return build("event", name=name, kind=BOOL, axes=node.axes)
    return build("state", name=name, axes=node.axes)
