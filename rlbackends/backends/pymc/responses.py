"""Which entries of the responses count, and their log-probability, computed after the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor
import pytensor.tensor as pt

from rlbackends.backends.pymc.columns import Counted, Source
from rlbackends.backends.pymc.lower import Reads, lower
from rlbackends.backends.pymc.operations import Row
from rlbackends.backends.pymc.plan import Plan
from rlbackends.backends.pymc.tensors import number
from rlbackends.expressions.node import Node

if TYPE_CHECKING:
    from rlbackends.backends.pymc.loop import Loop
    from rlbackends.data import BoundTrials


class Counting:
    """Finds where responses count, in any data that have one plan.

    Parameters
    ----------
    plan : Plan
        The graphs of one trial.
    n_cells : int
        Subjects × trials.
    table : mapping
        One of ``operations.TABLES``.
    """

    def __init__(self, plan: Plan, n_cells: int, table: Mapping[str, Row]) -> None:
        self._plan = plan
        self._n_cells = n_cells
        self._table = table
        self._masks: dict[str, tuple[list[tuple[str, str]], Callable[..., Any]]] = {}

    def of(self, data: BoundTrials) -> Source:
        """Return data with where each response counts."""
        return Source(data, {name: self._counted(data, name) for name in self._plan.inside})

    def _counted(self, data: BoundTrials, response: str) -> Counted:
        entries = ~data.missing[response]
        mask = self._plan.outside[response].get("where")
        if mask is None:
            return Counted(entries, "where" not in self._plan.inside[response])
        if Reads.of([mask]).parameters:
            return Counted(entries, False)
        source = Source(data)
        names, function = self._mask(response, mask, source)
        arrays = (getattr(source, kind)(name) for kind, name in names)
        wanted = function(*(array.reshape(self._n_cells, *array.shape[2:]) for array in arrays))
        wanted = np.broadcast_to(wanted, (self._n_cells, *mask.shape))
        wanted = wanted.reshape(*entries.shape[:2], *(1,) * (entries.ndim - 2 - len(mask.shape)), *mask.shape)
        return Counted(entries & wanted, True)

    def _mask(self, response: str, mask: Node, source: Source) -> tuple[list[tuple[str, str]], Callable[..., Any]]:
        """Return a function of columns that says which cells a rule asks for, and these columns."""
        if response not in self._masks:
            inputs: dict[tuple[str, str], Any] = {}

            def column(kind: str) -> Callable[[Node], Any]:
                def leaf(node: Node) -> Any:
                    key = (kind, node.attr("name"))
                    if key not in inputs:
                        array = getattr(source, kind)(key[1])
                        shape = (self._n_cells, *array.shape[2:])
                        inputs[key] = pt.tensor(" ".join(key), dtype=str(array.dtype), shape=shape)
                    return inputs[key]

                return leaf

            found = lower({"mask": mask}, column("event"), self._n_cells, self._table, column("flags"))["mask"]
            function = pytensor.function(list(inputs.values()), found, mode="FAST_COMPILE")
            self._masks[response] = (list(inputs), function)
        return self._masks[response]


def take(value: Any, positions: Any) -> Any:
    """Return rows of a tensor; all of them as they are."""
    return value if positions.type.shape[0] == value.type.shape[0] else value[positions]


def log_probability(loop: Loop, response: str, arguments: Mapping[tuple[str, str], Any]) -> Any:
    """Return the log-probability of the trials on which a response counts, (cell,), sub-choices summed."""
    where = loop.source.counted[response]
    program = loop.model.program(loop.data.complete)
    column = loop.columns.tensor
    cells = column(f"{response}: cells", lambda source: source.counted[response].cells)

    def observed(source: Source) -> np.ndarray:
        values = source.data.values[response]
        return values.reshape(-1, *values.shape[2:])[source.counted[response].cells]

    def rows() -> Any:
        return column(f"{response}: rows", lambda source: source.counted[response].rows)

    def leaf(node: Node) -> Any:
        name = node.attr("name")
        if name == response:
            return column(f"{response}: values by row", observed)
        if name == "where" and where.is_static:
            return rows()
        return take(arguments[response, name], cells)

    log_p = lower({"log_p": program.log_probability[response]}, leaf, len(where.cells), loop.table)["log_p"]
    if not where.rows.all():
        log_p = pt.switch(rows(), log_p, number(0.0))
    return pt.sum(log_p, axis=tuple(range(1, log_p.ndim))) if log_p.ndim > 1 else log_p
