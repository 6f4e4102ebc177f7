"""The backends there are. A backend's library is imported when the backend is first used."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rlbackends.backends.protocol import CompiledModel
from rlbackends.errors import BackendError, BackendMissingError, did_you_mean, listed
from rlbackends.population.population import Population

if TYPE_CHECKING:
    from rlbackends.backends.protocol import Engine


@dataclass(frozen=True)
class Backend:
    """A row of the registry.

    Attributes
    ----------
    name : str
        The word that users write.
    module : str
        Defines ``Engine``, and ``sample`` if the backend samples.
    packages : tuple of str
        What must be installed.
    samplers : tuple of str
        The samplers it offers, the default first.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    samplers: tuple[str, ...]

    @property
    def is_installed(self) -> bool:
        """Whether its packages can be found; nothing is imported."""
        return not self.absent()

    def absent(self) -> list[str]:
        """Return the packages that can't be found."""
        return [name for name in self.packages if importlib.util.find_spec(name) is None]

    def require(self) -> None:
        """Raise ``BackendMissingError`` if a package is not installed, with the command that installs it."""
        absent = self.absent()
        if absent:
            raise BackendMissingError(
                f"backend '{self.name}' needs {listed(absent)}, not installed here. "
                f'Install it with: pip install "rlbackends[{self.name}]"'
            )

    def load(self) -> Any:
        """Import the backend's module; raises ``BackendMissingError`` as :meth:`require` does."""
        self.require()
        return importlib.import_module(self.module)


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "reference": Backend("reference", "rlbackends.backends.reference", (), ()),
        "numpyro": Backend("numpyro", "rlbackends.backends.numpyro", ("jax", "numpyro"), ("nuts",)),
        "pymc": Backend("pymc", "rlbackends.backends.pymc", ("pytensor", "pymc", "nutpie"), ("nutpie",)),
    }
)


def get_backend(name: str) -> Backend:
    """Return a backend by name, or raise ``BackendError`` that lists what there is."""
    if name not in BACKENDS:
        raise BackendError(
            f"there is no backend {name!r}. There are {listed(BACKENDS)}.{did_you_mean(str(name), BACKENDS)}"
        )
    return BACKENDS[name]


def installed_backends() -> tuple[str, ...]:
    """Return the names of the backends whose packages are installed."""
    return tuple(name for name, backend in BACKENDS.items() if backend.is_installed)


def compile(
    model: Any, data: Any, backend: str = "reference", *, population: Population | None = None, **settings: Any
) -> CompiledModel:
    """Compile a model and its data for a backend.

    Parameters
    ----------
    model : Model
        The specification.
    data : Trials or BoundTrials
        From :func:`rlbackends.read_trials`.
    backend : {"reference", "numpyro", "pymc"}, default "reference"
        Which library computes.
    population : Population, optional
        How parameters vary over subjects; needed for ``log_density`` only.
    **settings
        The backend's own settings, such as ``gather`` or ``mode``.

    Returns
    -------
    CompiledModel

    Raises
    ------
    BackendError, BackendMissingError
        If there is no such backend, or it is not installed.
    DataError
        If the data do not fit the model.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(subjects=["ann"], choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.rescorla_wagner(), data)
    >>> float(compiled.log_likelihood({"alpha": 0.5, "beta": 0.0})["choice"].sum().round(6))
    -2.079442
    """
    row = get_backend(backend)
    module = row.load()
    bound = data.bind(model) if hasattr(data, "bind") else data
    layout = (population or Population()).layout(model, bound.subjects)
    engine: Engine = module.Engine(model, bound, layout, **settings)
    return CompiledModel(model, bound, layout, engine)
