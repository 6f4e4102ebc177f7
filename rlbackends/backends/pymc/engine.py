"""The PyMC engine: PyTensor functions of parameters, and the genuine PyMC model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pytensor.tensor as pt

from rlbackends.backends.protocol import layout_for, take_settings
from rlbackends.backends.pymc.columns import Source
from rlbackends.backends.pymc.graphs import Graphs
from rlbackends.backends.pymc.loop import Loop
from rlbackends.backends.pymc.model import function_of, log_density_function
from rlbackends.backends.pymc.modes import sound
from rlbackends.backends.pymc.operations import TABLES
from rlbackends.backends.pymc.precision import exact
from rlbackends.backends.pymc.responses import log_probability
from rlbackends.errors import SettingError, did_you_mean, listed

if TYPE_CHECKING:
    import pymc as pm

    from rlbackends.backends.protocol import Arrays
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model
    from rlbackends.population.layout import Layout

_DEFAULTS: Mapping[str, Any] = {"gather": "auto", "mode": None}
_GATHER = ("auto", *TABLES)
CHEAP = "FAST_COMPILE"  # compiles at once into slow code


class Engine:
    """A model, its data and its population in PyTensor and PyMC.

    Parameters
    ----------
    model, data, layout
        The model, the data bound to it, and the latent variables.
    gather : {"auto", "gather", "one_hot"}
        How entries are taken from arrays: by subscripts or by one-hot masks; ``"auto"`` is by subscripts.
    mode : str, optional
        PyTensor's compilation mode, such as ``"NUMBA"``, ``"JAX"`` or ``"FAST_COMPILE"``; PyTensor's own default if
        left out.
    """

    name = "pymc"

    def __init__(self, model: Model, data: BoundTrials, layout: Layout, **settings: Any) -> None:
        self.settings = self.read_settings(settings)
        self.model = model
        self.data = data
        self.layout = layout
        self.gather: str = self.settings["gather"]
        self.mode: str | None = self.settings["mode"]
        self._arrays: dict[Any, np.ndarray] = {}

    @staticmethod
    def read_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings with defaults filled in; raise ``SettingError`` for a wrong one."""
        chosen = take_settings(Engine.name, settings, _DEFAULTS)
        return {"gather": _gather(chosen["gather"]), "mode": _mode(chosen["mode"])}

    def with_data(self, data: BoundTrials) -> Engine:
        """Return an engine for other data; it shares what is compiled if they have the same structure."""
        other = type(self)(self.model, data, layout_for(self.layout, self.model, data), **self.settings)
        with self._precision():
            source = self._graphs.source(data)
        if source is not None and other.layout.digest == self.layout.digest:
            other._graphs, other._source = self._graphs, source
        return other

    def for_checking(self) -> Engine:
        """Return the same graphs, all of a point's values compiled at once: cheaply, unless a mode was chosen."""
        from rlbackends.backends.pymc.checking import CheckingEngine

        return CheckingEngine(self.model, self.data, self.layout, gather=self.gather, mode=self.mode or CHEAP)

    # The likelihood, of parameters on the natural scale

    def log_likelihood(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood, (subject, trial); NaN where nothing was observed."""
        return self._by_response(self._call("log_likelihood", params))

    def trajectories(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return states before each trial's update, and records: (subject, trial, *axes)."""
        return dict(zip(self._played, self._call("trajectories", params), strict=True))

    def value_and_gradient(self, params: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return the summed log-likelihood and its gradient, of the parameters' own shapes."""
        value, *slopes = self._call("value_and_gradient", params)
        return float(value), dict(zip(self.model.parameters, slopes, strict=True))

    def log_likelihood_draws(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood for draws of parameters (draw, subject): (draw, subject, trial)."""
        return self._draws(self.log_likelihood, params)

    def trajectories_draws(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return trajectories for draws of parameters (draw, subject): (draw, subject, trial, *axes)."""
        return self._draws(self.trajectories, params)

    def value_and_gradient_draws(self, params: Arrays) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return each subject's log-likelihood at many draws, and its gradient by parameter: all (draw, subject)."""
        names, n_responses = tuple(self.model.parameters), len(self.model.responses)
        values = np.zeros((len(next(iter(params.values()))), self.data.n_subjects))
        gradient = {name: np.empty(values.shape) for name in names}
        for draw in range(len(values)):
            found = self._call("values_and_gradient", {name: value[draw] for name, value in params.items()})
            for response, by_trial in self._by_response(found[:n_responses]).items():
                counted = self.data.observed(response) & self.data.counts
                values[draw] += np.where(counted, by_trial, 0.0).sum(axis=1)
            for name, slope in zip(names, found[len(found) - len(names) :], strict=True):
                gradient[name][draw] = slope
        return values, gradient

    # The density of the PyMC model

    @cached_property
    def pymc_model(self) -> pm.Model:
        """The PyMC model to take away: float64, observed cells only, subjects' parameters as deterministics."""
        with self._precision():
            return self._graphs.fixed_model(self._source)

    @property
    def sampling_model(self) -> pm.Model:
        """The same PyMC model without deterministics, which a sampler would store.

        Its data are shared variables: of the first of all engines that share what they compile. Those of this one
        are :attr:`columns`, by the variables' names.
        """
        with self._precision():
            return self._graphs.sampling_model

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The data that the graphs read so far, by the names of the variables."""
        return {column.name: self._array(column) for column in self._loop.columns.made}

    @property
    def programs(self) -> dict[Any, Any]:
        """nutpie's compiled models, by its settings."""
        return self._graphs.programs

    def log_density(self, z: Arrays) -> float:
        """Return the PyMC model's log-density of unconstrained latents, with priors and Jacobians."""
        (value,) = self._density(z, gradient=False)
        return float(value)

    def log_density_and_gradient(self, z: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return that log-density and its gradient."""
        value, *slopes = self._density(z, gradient=True)
        return float(value), dict(zip(self.layout.names, slopes, strict=True))

    # How

    @property
    def _played(self) -> list[str]:
        return [*self.model.states, *self.model.records]

    @cached_property
    def _graphs(self) -> Graphs:
        with self._precision():
            table = TABLES["gather" if self.gather == "auto" else self.gather]
            return Graphs(self.model, self.data, self.layout, table)

    @cached_property
    def _source(self) -> Source:
        return self._loop.source

    @property
    def _loop(self) -> Loop:
        return self._graphs.loop

    def _array(self, column: Any) -> np.ndarray:
        if column not in self._arrays:
            self._arrays[column] = self._loop.columns.read(column, self._source)
        return self._arrays[column]

    @contextmanager
    def _precision(self) -> Iterator[None]:
        """Build, compile and call in float64 whatever the process says, and leave its settings as they were."""
        with ExitStack() as stack:
            if self.mode == "JAX":
                from rlbackends.backends.pymc.nutpie_sampler import _float64

                stack.enter_context(_float64("jax"))
            # In the cheap mode nothing is worth a C compiler's time, nor noting where each node was made.
            stack.enter_context(exact(cxx="", traceback__limit=0) if self.mode == CHEAP else exact())
            # There NumPy computes, and warns of what the values say themselves.
            stack.enter_context(np.errstate(all="ignore"))
            yield

    def _call(self, which: str, params: Arrays) -> list[np.ndarray]:
        given = {name: np.asarray(params[name], dtype=np.float64) for name in self.model.parameters}
        shapes = tuple(value.shape for value in given.values())
        with self._precision():
            functions = self._graphs.functions
            if (which, shapes) not in functions:
                functions[which, shapes] = self._compiled(which, given)
            function, columns = functions[which, shapes]
            found = function(*given.values(), *map(self._array, columns))
            return [np.array(value, dtype=np.float64) for value in found]

    def _compiled(self, which: str, given: Mapping[str, np.ndarray]) -> tuple[Callable[..., Any], list[Any]]:
        inputs = {name: pt.tensor(name, dtype="float64", shape=value.shape) for name, value in given.items()}
        outputs = self._outputs(which, inputs)
        return function_of(
            list(inputs.values()), outputs, self._loop.columns, mode=sound(self.mode), trust_input=True
        )

    def _outputs(self, which: str, inputs: Mapping[str, Any]) -> list[Any]:
        if which == "trajectories":
            played = self._loop.trajectories(inputs)
            return [played[name] for name in self._played]
        log_p = self._log_probabilities(self._loop.arguments(inputs))
        if which == "log_likelihood":
            return log_p
        total, *slopes = self._total_and_slopes(log_p, inputs)
        return [*log_p, *slopes] if which == "values_and_gradient" else [total, *slopes]

    def _log_probabilities(self, arguments: Mapping[Any, Any]) -> list[Any]:
        return [log_probability(self._loop, name, arguments) for name in self.model.responses]

    def _total_and_slopes(self, log_p: list[Any], inputs: Mapping[str, Any]) -> list[Any]:
        counted = zip(self.model.responses, log_p, strict=True)
        total = sum((pt.sum(self._counted(*one)) for one in counted), start=pt.constant(np.float64(0.0)))
        return [total, *pt.grad(total, list(inputs.values()), disconnected_inputs="ignore")]

    def _counted(self, response: str, log_p: Any) -> Any:
        """Return a response's log-probabilities, those that are held out as 0."""
        if self._loop.data.held_out is None:
            return log_p
        counts = self._loop.columns.tensor(
            f"{response}: cells that count",
            lambda source: source.data.counts.reshape(-1)[source.counted[response].cells],
        )
        return pt.switch(counts, log_p, np.float64(0.0))

    def _by_response(self, found: list[np.ndarray]) -> dict[str, np.ndarray]:
        return {name: self._in_place(name, values) for name, values in zip(self.model.responses, found, strict=True)}

    def _in_place(self, response: str, values: np.ndarray) -> np.ndarray:
        there = ~self.data.missing[response]
        result = np.where(there.reshape(*there.shape[:2], -1).any(axis=-1), 0.0, np.nan)
        result.reshape(-1)[self._source.counted[response].cells] = values
        return result

    def _draws(self, function: Callable[[Arrays], dict[str, np.ndarray]], params: Arrays) -> dict[str, np.ndarray]:
        n_draws = len(next(iter(params.values())))
        found = [function({name: value[draw] for name, value in params.items()}) for draw in range(n_draws)]
        return {name: np.stack([one[name] for one in found]) for name in found[0]}

    def _density(self, z: Arrays, gradient: bool) -> list[np.ndarray]:
        with self._precision():
            key, functions = ("log_density", gradient), self._graphs.functions
            if key not in functions:
                model, columns = self._graphs.sampling_model, self._loop.columns
                functions[key] = log_density_function(model, self.layout, columns, gradient, self.mode)
            function, read = functions[key]
            values = [np.asarray(z[name], dtype=np.float64) for name in self.layout.names]
            return [np.array(value, dtype=np.float64) for value in function(*values, *map(self._array, read))]


def _gather(given: Any) -> str:
    if given not in _GATHER:
        raise SettingError(
            f"backend 'pymc': gather is {given!r}, expected {listed(_GATHER)}.{did_you_mean(given, _GATHER)}"
        )
    return str(given)


def _mode(given: Any) -> str | None:
    from pytensor.compile.mode import predefined_modes

    if given is not None and given not in predefined_modes:
        raise SettingError(
            f"backend 'pymc': mode is {given!r}, expected a mode of PyTensor: {listed(predefined_modes)}."
            f"{did_you_mean(given, predefined_modes)}"
        )
    return given
