"""Which entries of the responses count, and their log-probability, computed after the loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytensor.tensor as pt

from rlbackends.backends.pymc.loop import Loop
from rlbackends.backends.pymc.lower import Reads, lower
from rlbackends.backends.pymc.tensors import number
from rlbackends.expressions.node import Node


@dataclass(frozen=True)
class Counted:
    """Where a response counts.

    Attributes
    ----------
    entries : bool array (subject, trial, *axes)
        Entries that are there and, where a rule's mask depends on the data only, that it asks for.
    is_static : bool
        Whether there is no mask, or its whole effect is in ``entries``.
    """

    entries: np.ndarray
    is_static: bool

    @property
    def cells(self) -> np.ndarray:
        """Positions (subject · trial) of the trials on which something counts."""
        return np.flatnonzero(self.entries.reshape(*self.entries.shape[:2], -1).any(axis=-1))

    @property
    def rows(self) -> np.ndarray:
        """The entries of these trials: (cell, *axes)."""
        return self.entries.reshape(-1, *self.entries.shape[2:])[self.cells]


def counted(loop: Loop, response: str) -> Counted:
    """Find where a response counts."""
    entries = ~loop.data.missing[response]
    mask = loop.plan.outside[response].get("where")
    if mask is None:
        return Counted(entries, "where" not in loop.plan.inside[response])
    reads = Reads.of([mask])
    if reads.parameters:
        return Counted(entries, False)
    cells = entries.shape[0] * entries.shape[1]
    columns = loop.columns
    tensor = lower(
        {"mask": mask},
        lambda node: pt.constant(columns.array(node.attr("name")).reshape(cells, *node.shape)),
        cells,
        loop.table,
        lambda node: pt.constant(columns.missing(node.attr("name")).reshape(cells, *node.shape)),
    )["mask"]
    wanted = np.broadcast_to(tensor.eval(mode="FAST_COMPILE"), (cells, *mask.shape))
    wanted = wanted.reshape(*entries.shape[:2], *(1,) * (entries.ndim - 2 - len(mask.shape)), *mask.shape)
    return Counted(entries & wanted, True)


def take(value: Any, positions: np.ndarray) -> Any:
    """Return rows of a tensor; all of them as they are."""
    if len(positions) == value.type.shape[0]:
        return value
    return value[pt.constant(positions)]


def log_probability(loop: Loop, response: str, where: Counted, arguments: Mapping[tuple[str, str], Any]) -> Any:
    """Return the log-probability of the trials on which a response counts, (cell,), sub-choices summed."""
    cells, rows = where.cells, where.rows
    program = loop.model.program(loop.data.complete)
    values = loop.data.values[response]
    observed = pt.constant(values.reshape(-1, *values.shape[2:])[cells])

    def leaf(node: Node) -> Any:
        name = node.attr("name")
        if name == response:
            return observed
        if name == "where" and where.is_static:
            return pt.constant(rows)
        return take(arguments[response, name], cells)

    log_p = lower({"log_p": program.log_probability[response]}, leaf, len(cells), loop.table)["log_p"]
    if not rows.all():
        log_p = pt.switch(pt.constant(rows), log_p, number(0.0))
    return pt.sum(log_p, axis=tuple(range(1, log_p.ndim))) if log_p.ndim > 1 else log_p
