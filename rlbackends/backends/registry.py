"""The backends there are. A backend's library is imported when the backend is first used."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.samplers import Sampler
from rlbackends.data.given import bind_given
from rlbackends.errors import BackendError, BackendMissingError, SettingError, did_you_mean, listed
from rlbackends.population.population import Population

if TYPE_CHECKING:
    from rlbackends.backends.protocol import Engine


@dataclass(frozen=True)
class Backend:
    """A backend: a row of the registry, or one of your own, which is given wherever a name is.

    Attributes
    ----------
    name : str
        The word that users write; results say it.
    module : str
        Defines ``Engine``. It may define ``SIMULATION_SETTINGS``, the engine's settings for what runs once,
        ``RUNS_IN_THREADS``, whether engines may be called from several threads, and ``likelihood`` and ``log_density``,
        which make functions out of models that were written in its library.
    packages : tuple of str, default ()
        What must be installed.
    samplers : tuple of Sampler or str, default ()
        The samplers it offers, the default first. A word stands for the function ``sample`` of the backend's module.
    """

    name: str
    module: str
    packages: tuple[str, ...] = ()
    samplers: tuple[Sampler, ...] = ()

    def __post_init__(self) -> None:
        rows = (
            Sampler(row, f"{self.module}:sample") if isinstance(row, str) else row for row in self.samplers
        )
        object.__setattr__(self, "samplers", tuple(rows))

    def sampler(self, name: str | None = None) -> Sampler:
        """Return a sampler by its word, or the first; ``SettingError`` lists what there is."""
        if not self.samplers:
            raise SettingError(
                f"backend '{self.name}' checks and explains; it does not sample. "
                "Use backend='numpyro' or backend='pymc'."
            )
        rows = {row.name: row for row in self.samplers}
        if name is None:
            return self.samplers[0]
        if name not in rows:
            raise SettingError(
                f"backend '{self.name}' has no sampler {name!r}. It has {listed(rows)}.{did_you_mean(str(name), rows)}"
            )
        return rows[name]

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
            what = f'"rlbackends[{self.name}]"' if BACKENDS.get(self.name) == self else " ".join(absent)
            raise BackendMissingError(
                f"backend '{self.name}' needs {listed(absent)}, not installed here. Install it with: pip install {what}"
            )

    def load(self) -> Any:
        """Import the backend's module; raises ``BackendMissingError`` as :meth:`require` does."""
        self.require()
        return importlib.import_module(self.module)


_NUMPYRO = "rlbackends.backends.numpyro"
_PYMC = "rlbackends.backends.pymc"


def _nutpie(package: str, summary: str) -> Sampler:
    return Sampler(
        "nutpie", f"{package}.samplers.nutpie:sample", summary, keeps="draws", packages=("nutpie",),
        reads="rlbackends.backends.nutpie_runs:read_run",
    )  # fmt: skip


def _approximations(package: str) -> tuple[Sampler, ...]:
    mode, variational = f"{package}.samplers.mode", f"{package}.samplers.variational"
    return (
        Sampler("map", f"{mode}:sample_map", "the posterior's mode", kind="point"),
        Sampler("laplace", f"{mode}:sample_laplace", "the normal distribution at the mode", kind="approximation"),
        Sampler(
            "mean_field", f"{variational}:sample_mean_field", "independent normal distributions, variational",
            kind="approximation",
        ),
        Sampler(
            "full_rank", f"{variational}:sample_full_rank", "one normal distribution, variational",
            kind="approximation",
        ),
    )  # fmt: skip


BACKENDS: Mapping[str, Backend] = MappingProxyType(
    {
        "reference": Backend("reference", "rlbackends.backends.reference"),
        "numpyro": Backend(
            "numpyro",
            _NUMPYRO,
            ("jax", "numpyro"),
            (
                Sampler(
                    "nuts", f"{_NUMPYRO}.samplers.nuts:sample", "NumPyro's NUTS", keeps="state",
                    reads="rlbackends.backends.chain_files:read_run",
                ),
                _nutpie(_NUMPYRO, "nutpie's NUTS on the JAX density"),
                Sampler(
                    "blackjax", f"{_NUMPYRO}.samplers.blackjax:sample", "BlackJAX's NUTS", packages=("blackjax",)
                ),
                *_approximations(_NUMPYRO),
            ),
        ),
        "pymc": Backend(
            "pymc",
            _PYMC,
            ("pytensor", "pymc", "nutpie"),
            (
                _nutpie(_PYMC, "nutpie's NUTS on the PyMC model"),
                Sampler("nuts", f"{_PYMC}.samplers.nuts:sample", "PyMC's own NUTS, one chain after the other"),
                *_approximations(_PYMC),
            ),
        ),
    }
)


def get_backend(backend: str | Backend) -> Backend:
    """Return a backend by name, or a row as it is; ``BackendError`` lists what there is."""
    if isinstance(backend, Backend):
        return backend
    if not isinstance(backend, str) or backend not in BACKENDS:
        raise BackendError(
            f"there is no backend {backend!r}. There are {listed(BACKENDS)}.{did_you_mean(str(backend), BACKENDS)}"
        )
    return BACKENDS[backend]


def backend_of(thing: Any) -> Backend | None:
    """Return the backend whose library an object comes from, such as a ``pymc.Model``; None if there is none.

    Only the names of modules are looked at; nothing is imported. Arrays are numbers, whoever made them. The backend's
    module offers ``likelihood(thing)``, which makes a function of parameters out of a model of its library.
    """
    if hasattr(thing, "__array__"):
        return None
    roots = {kind.__module__.partition(".")[0] for kind in type(thing).__mro__}
    return next((row for row in BACKENDS.values() if roots & set(row.packages)), None)


def installed_backends() -> tuple[str, ...]:
    """Return the names of the backends whose packages are installed."""
    return tuple(name for name, backend in BACKENDS.items() if backend.is_installed)


def compile(
    model: Any,
    data: Any,
    backend: str | Backend = "reference",
    *,
    population: Population | None = None,
    **settings: Any,
) -> CompiledModel:
    """Compile a model and its data for a backend.

    Parameters
    ----------
    model : Model
        The specification.
    data : Trials or BoundTrials
        From :func:`rlbackends.read_trials`.
    backend : {"reference", "numpyro", "pymc"} or Backend, default "reference"
        Which library computes; a `rlbackends.backends.Backend` is one that is not in the registry.
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
    SettingError
        If ``model`` is no model or ``data`` no trials.

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
    bound = bind_given("compile", model, data)
    layout = (population or Population()).layout(model, bound)
    engine: Engine = module.Engine(model, bound, layout, **settings)
    return CompiledModel(model, bound, layout, engine)
