"""The backend under test, and what it has compiled."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import Backend, compile, get_backend
from rlbackends.population import Population

_KEPT = 8


class UnderTest:
    """A backend with its settings.

    Parameters
    ----------
    backend : str or Backend
        Which.
    settings : mapping, optional
        The backend's own settings, such as ``mode`` for pymc.
    """

    def __init__(self, backend: str | Backend, settings: Mapping[str, Any] | None = None) -> None:
        self.backend = get_backend(backend)
        self.settings = dict(settings or {})
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def __repr__(self) -> str:
        words = "".join(f", {name}={value!r}" for name, value in self.settings.items())
        return f"UnderTest({self.backend.name!r}{words})"

    def compile(self, model: Any, data: Any, population: Population | None = None) -> CompiledModel:
        """Return a model compiled the way that is quick to compile.

        Parameters
        ----------
        model, data
            As for :func:`rlbackends.compile`.
        population : Population, optional
            How parameters vary over subjects.
        """
        return compile(model, data, self.backend, population=population, **self.settings).for_checking()

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returned for this key; the last few are kept, since compiling is what takes time."""
        if key not in self._kept:
            self._kept[key] = make()
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return self._kept[key]
