"""The cells that were observed: from the loop's (trial, subject) arrays to one row an observation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials
    from rlbackends.model.responses import Response

Tree = dict[str, Any]


def _take(x: Any, rows: Any) -> Any:
    return x.at[rows].get(mode="promise_in_bounds", wrap_negative_indices=False)


@jax.custom_vjp
def _select(x: Any, rows: Any, back: Any) -> Any:
    """Return ``x[rows]``; the gradient is a gather too, which on a CPU is much faster than a scatter."""
    return _take(x, rows)


def _select_forward(x: Any, rows: Any, back: Any) -> tuple[Any, Any]:
    return _take(x, rows), back


def _select_backward(back: Any, gradient: Any) -> tuple[Any, None, None]:
    # Rows that were not observed point one beyond the end.
    return gradient.at[back].get(mode="fill", fill_value=0.0, wrap_negative_indices=False), None, None


_select.defvjp(_select_forward, _select_backward)


@dataclass(frozen=True)
class Observed:
    """Where a response was observed.

    Attributes
    ----------
    response : Response
        Its family and the graphs of its arguments.
    cells : tuple of (subject, trial) index arrays
        Where each observation stands; a trial with several sub-choices comes once for each observed one.
    missing : array, (subject, trial, *axes)
        Which entries were not observed.
    values : array
        The observations, subject by subject.
    counts : bool array or None
        Which observations add to the density; None: all.
    """

    response: Response
    cells: tuple[np.ndarray, np.ndarray]
    missing: np.ndarray
    values: np.ndarray
    counts: np.ndarray | None = None

    @classmethod
    def of(cls, response: Response, data: BoundTrials) -> Observed:
        """Find a response's observations in the data."""
        missing = data.missing[response.name]
        subject, trial = np.nonzero(~missing)[:2]
        counts = None if data.held_out is None else ~data.held_out[subject, trial]
        return cls(response, (subject, trial), missing, data.values[response.name][~missing], counts)

    def __len__(self) -> int:
        return len(self.values)

    def tree(self) -> Tree:
        """Return what ``rows`` and the log-probability read, as NumPy arrays."""
        tree: Tree = {"values": self.values}
        if self.counts is not None:
            tree["counts"] = self.counts
        if self.missing.any():
            # Entry of (subject, trial, *axes) → row of the loop's (trial, subject, *axes), flattened.
            by_trial = self.missing.swapaxes(0, 1).shape
            tree["rows"] = np.arange(self.missing.size).reshape(by_trial).swapaxes(0, 1)[~self.missing]
            tree["back"] = np.full(self.missing.size, len(self))
            tree["back"][tree["rows"]] = np.arange(len(self))
        return tree

    def rows(self, arguments: Tree, tree: Tree) -> Tree:
        """Return a family's arguments at the observations: (observation,), logits (observation, action)."""
        entries = self.missing.shape[2:]
        tail = self.response.parameter_axes[len(entries) :]
        full = (*entries, *(axis.size for axis in tail))
        result = {}
        for name, x in arguments.items():
            lead, own = x.shape[:2], x.shape[2:]
            x = jnp.broadcast_to(x.reshape(*lead, *(1,) * (len(full) - len(own)), *own), (*lead, *full))
            if "rows" not in tree:
                result[name] = x.swapaxes(0, 1).reshape(len(self), *full[len(entries) :])
            else:
                result[name] = _select(x.reshape(-1, *full[len(entries) :]), tree["rows"], tree["back"])
        return result

    def by_trial(self, values: np.ndarray) -> np.ndarray:
        """Return numbers by observation as (…, subject, trial): sub-choices summed, NaN where none is."""
        lead, shape = values.shape[:-1], self.missing.shape[:2]
        result = np.full((*lead, *shape), np.nan)
        result[(..., *self.cells)] = 0.0
        if self.missing.ndim == 2:
            result[(..., *self.cells)] = values
        else:
            np.add.at(result, (..., *self.cells), values)
        return result
