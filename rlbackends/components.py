"""Parts of learning rules that models share: functions that take stand-ins and return stand-ins."""

from __future__ import annotations

from typing import Any

from rlbackends.expressions import functions as f
from rlbackends.expressions.standin import Expression


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
    return (1.0 - rate) * values + rate * toward


def rate_by_sign(quantity: Any, positive: Any, negative: Any) -> Expression:
    """Return ``positive`` where a quantity is above 0, otherwise ``negative``."""
    return f.where(quantity > 0, positive, negative)


def choice_kernel(kernel: Expression, index: Any, rate: Any) -> Expression:
    """Move a choice kernel toward the action just taken: its entry toward 1, the others toward 0."""
    return kernel + rate * (f.one_hot(index, kernel) - kernel)
