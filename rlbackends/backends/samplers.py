"""What a sampler is, whatever its backend: a word, a function, and what it can do."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from rlbackends.errors import BackendMissingError, listed

if TYPE_CHECKING:
    from rlbackends.backends.chains import ChainResults
    from rlbackends.backends.runs import Run
    from rlbackends.population.layout import Layout

OURS = (
    "seed", "chains", "tune", "draws", "cores", "target_accept", "max_tree_depth", "progress", "run",
)  # fmt: skip
"""What ``fit`` gives to every sampler; all other keywords of its function are settings of its own."""


@dataclass(frozen=True)
class Sampler:
    """One of a backend's samplers.

    Attributes
    ----------
    name : str
        The word that users write; the same method has the same word on every backend.
    function : str
        ``"module:function"``; the function takes an engine and, as keywords, what ``OURS`` lists and settings of its
        own, and returns `ChainResults`. The module may define ``check_sampler_settings``, which takes the settings of
        its own and raises ``SettingError`` for a wrong value.
    summary : str, default ""
        What it is, in a few words.
    kind : {"chains", "approximation", "point"}
        Whether draws are those of Markov chains, of a distribution that stands in for the posterior, or one point.
    keeps : {"", "draws", "state"}
        What a run that is killed leaves: nothing, its draws, or its draws and all that it needs to go on.
    packages : tuple of str, default ()
        What must be installed besides the backend's own packages.
    reads : str, default ""
        ``"module:function"``; the function takes a `Run` and a layout and returns the draws that the run has left, as
        `ChainResults`, or None if there are none. By default it is ``read_run`` of the sampler's own module; name a
        module that imports no backend, and a run can be read where there is none.
    """

    name: str
    function: str
    summary: str = ""
    kind: Literal["chains", "approximation", "point"] = "chains"
    keeps: Literal["", "draws", "state"] = ""
    packages: tuple[str, ...] = ()
    reads: str = ""

    def absent(self) -> list[str]:
        """Return the packages that can't be found; nothing is imported."""
        return [name for name in self.packages if importlib.util.find_spec(name) is None]

    @property
    def module(self) -> ModuleType:
        """The imported module; raises ``BackendMissingError`` where a package is lacking."""
        absent = self.absent()
        if absent:
            raise BackendMissingError(
                f"sampler '{self.name}' needs {listed(absent)}, not installed here. Install it with: "
                f"pip install {' '.join(absent)}"
            )
        return importlib.import_module(self.function.partition(":")[0])

    def load(self) -> Callable[..., Any]:
        """Return its function."""
        return getattr(self.module, self.function.partition(":")[2])

    def read_run(self, run: Run, layout: Layout) -> ChainResults | None:
        """Return the draws that a run has left; None if there are none."""
        if not self.reads:
            return self.module.read_run(run, layout)
        module, _, function = self.reads.partition(":")
        return getattr(importlib.import_module(module), function)(run, layout)
