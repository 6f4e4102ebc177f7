"""Parts of learning rules that models share: functions that take stand-ins and return stand-ins."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from rlbackends.errors import ModelError, listed
from rlbackends.expressions import functions as f
from rlbackends.expressions.operations import constant
from rlbackends.expressions.standin import Expression
from rlbackends.model.responses import Bernoulli, Categorical, Distribution


def delta_rule(values: Expression, index: Any, outcome: Any, rate: Any) -> tuple[Expression, Expression]:
    """Move one entry of ``values`` toward an outcome by a share of the prediction error.

    Parameters
    ----------
    values : array
        Learnt values.
    index : int or tuple of int
        The entry that learns.
    outcome, rate : real
        What happened, and the learning rate.

    Returns
    -------
    values, prediction_error
        The changed copy, and ``outcome - values[index]``.
    """
    prediction_error = outcome - values[index]
    return values.at[index].add(rate * prediction_error), prediction_error


def decay(values: Expression, rate: Any, toward: Any = 0.0) -> Expression:
    """Move every entry of ``values`` a share ``rate`` of the way to ``toward``."""
    kept = (1.0 - rate) * values
    return kept if isinstance(toward, int | float) and toward == 0 else kept + rate * toward


def rate_by_sign(quantity: Any, positive: Any, negative: Any) -> Expression:
    """Return ``positive`` where a quantity is above 0, otherwise ``negative``."""
    return f.where(quantity > 0, positive, negative)


def choice_kernel(kernel: Expression, index: Any, rate: Any) -> Expression:
    """Move a choice kernel toward the action just taken: its entry toward 1, the others toward 0."""
    return kernel + rate * (f.one_hot(index, kernel) - kernel)


def lapse(probabilities: Expression, rate: Any) -> Expression:
    """Mix probabilities with guessing: a share ``rate`` of choices falls on every action alike."""
    return (1.0 - rate) * probabilities + rate / probabilities.shape[-1]


def along(axis: str, numbers: Sequence[float] | np.ndarray) -> Expression:
    """Return numbers side by side along a named axis: what each pump of a balloon earns, the order of some cues."""
    return Expression(constant(np.asarray(numbers, dtype=float), (axis,)))


def with_lapse(rule: Callable[..., Distribution]) -> Callable[..., Distribution]:
    """Return a response's rule with lapses, which asks for one more parameter: ``lapse``.

    Parameters
    ----------
    rule : callable
        A rule that returns ``rl.Categorical(logits=…)`` or ``rl.Bernoulli(logits=…)``.

    Returns
    -------
    callable
        The rule of the same response, of which a share ``lapse`` is guessed: every action, or yes and no, with the
        same probability.

    Raises
    ------
    ModelError
        If the rule returns something else, or asks for ``lapse`` itself.

    Examples
    --------
    >>> import rlbackends as rl
    >>> def choice(q, beta):
    ...     return rl.Categorical(logits=beta * q)
    >>> lapsing = rl.components.with_lapse(choice)
    """
    signature = inspect.signature(rule)
    if "lapse" in signature.parameters:
        raise ModelError(f"with_lapse: '{rule.__name__}' asks for 'lapse' itself.")

    @functools.wraps(rule)
    def lapsing(**values: Any) -> Distribution:
        rate = values.pop("lapse")
        response = rule(**values)
        logits = response.arguments.get("logits")
        if logits is None or len(response.arguments) > 1:
            raise ModelError(
                f"with_lapse: '{rule.__name__}' returned a response of {listed(response.arguments)}, expected "
                "rl.Categorical(logits=...) or rl.Bernoulli(logits=...), with nothing else."
            )
        x = Expression(logits)
        if response.family == "categorical":
            return Categorical(log_probs=f.log(lapse(f.softmax(x), rate)))
        yes, no = (f.log((1.0 - rate) * f.sigmoid(side) + rate / 2.0) for side in (x, -x))
        return Bernoulli(logits=yes - no)

    asked = [*signature.parameters.values(), inspect.Parameter("lapse", inspect.Parameter.KEYWORD_ONLY)]
    lapsing.__signature__ = signature.replace(parameters=asked)  # type: ignore[attr-defined]
    return lapsing
