"""What engines of one model share if their data have one structure: graphs, and all that was compiled of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rlbackends.backends.pymc.columns import Source
from rlbackends.backends.pymc.loop import Loop
from rlbackends.backends.pymc.model import build_model
from rlbackends.backends.pymc.modes import OUTSIDE
from rlbackends.backends.pymc.operations import TABLES, Row
from rlbackends.backends.pymc.plan import Plan
from rlbackends.backends.pymc.responses import Counting

if TYPE_CHECKING:
    import pymc as pm

    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model
    from rlbackends.population.layout import Layout


class Graphs:
    """A model's graphs for data of one structure.

    Parameters
    ----------
    model, data, layout
        The model, the first data, and the latent variables.
    table : mapping
        One of ``operations.TABLES``.

    Attributes
    ----------
    loop : Loop
        The graphs; data are shared variables in them.
    functions : dict
        Compiled functions, each with the columns that it takes after its other arguments.
    programs : dict
        nutpie's compiled models.
    """

    def __init__(self, model: Model, data: BoundTrials, layout: Layout, table: Mapping[str, Row]) -> None:
        self.layout = layout
        self._plan = Plan.of(model, data)
        self._counting = Counting(self._plan, data.n_subjects * data.n_steps, table)
        self.loop = Loop(model, self._plan, self._counting.of(data), table)
        self.functions: dict[Any, tuple[Callable[..., Any], list[Any]]] = {}
        self.programs: dict[Any, Any] = {}

    def source(self, data: BoundTrials) -> Source | None:
        """Return data as these graphs read them, or None if they have another structure."""
        own = self.loop.source
        if Source(data).structure != Source(own.data).structure:
            return None
        source = self._counting.of(data)
        return source if source.structure == own.structure else None

    @cached_property
    def sampling_model(self) -> pm.Model:
        """The PyMC model without deterministics, which a sampler would store."""
        return build_model(self.loop, self.layout, deterministics=False)

    def fixed_model(self, source: Source) -> pm.Model:
        """Return the PyMC model to take away, its data constants."""
        loop = Loop(self.loop.model, self._plan, source, TABLES[OUTSIDE], is_fixed=True)
        return build_model(loop, self.layout, deterministics=True)
