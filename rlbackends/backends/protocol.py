"""What a backend offers, and the compiled model that every backend's engine is wrapped in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rlbackends.backends.values import read_latents, read_params
from rlbackends.data.given import bind_given
from rlbackends.errors import SettingError, did_you_mean, listed

if TYPE_CHECKING:
    import xarray as xr

    from rlbackends.data import BoundTrials, Trials
    from rlbackends.model.model import Model
    from rlbackends.population.layout import Layout

Arrays = Mapping[str, np.ndarray]


class Engine(Protocol):
    """A model, its data and its population, lowered to one library.

    Parameters come as float64 arrays of shape (subject,) or (subject, trial), latents as float64 arrays of their own
    shapes. Cells beyond a subject's last trial may hold anything; the compiled model masks them.
    """

    name: str

    def __init__(self, model: Model, data: BoundTrials, layout: Layout, **settings: Any) -> None: ...

    @staticmethod
    def read_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the backend's own settings with defaults filled in; raise ``SettingError`` for a wrong one."""
        ...

    def for_checking(self) -> Engine:
        """Return an engine of the same graphs that is quick to compile, or itself."""
        ...

    def with_data(self, data: BoundTrials) -> Engine:
        """Return an engine of the same model, population and settings for other data; this one stays as it is.

        It shares what was compiled, or will be, with this one if the data have the same structure; otherwise it
        compiles its own.
        """
        ...

    def log_likelihood(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood, (subject, trial)."""
        ...

    def trajectories(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return states before each trial's update, and records: subject × trial × its axes."""
        ...

    def log_likelihood_draws(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return the log-likelihood at many draws, (draw, subject, trial), from parameters (draw, subject)."""
        ...

    def trajectories_draws(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return trajectories at many draws, draw × subject × trial × its axes, from parameters (draw, subject)."""
        ...

    def value_and_gradient(self, params: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return the summed log-likelihood and its gradient, of the parameters' own shapes."""
        ...

    def value_and_gradient_draws(self, params: Arrays) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return each subject's log-likelihood at many draws, (draw, subject), and its gradient by parameter.

        Parameters are (draw, subject), and so are their gradients: subjects don't depend on each other.
        """
        ...

    def log_density(self, z: Arrays) -> float:
        """Return the log-density of unconstrained latents, with priors and Jacobians."""
        ...

    def log_density_and_gradient(self, z: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return that log-density and its gradient."""
        ...


def take_settings(backend: str, settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with defaults filled in; an unknown one is an error."""
    for name in settings:
        if name not in defaults:
            raise SettingError(
                f"backend '{backend}' has no setting '{name}'. There are {listed(defaults)}."
                f"{did_you_mean(name, defaults)}"
            )
    return {**defaults, **settings}


def layout_for(layout: Layout, model: Model, data: BoundTrials) -> Layout:
    """Return the same population's layout for the subjects and covariates of other data."""
    from rlbackends.population.layout import layout_from_description

    if layout.n_subjects == data.n_subjects and not layout.covariates:
        return layout
    return layout_from_description(model, layout.description, data)


def trajectory_dims(model: Model, name: str) -> tuple[str, ...]:
    """Return the names of a state's or a record's own axes."""
    axes = model.states[name].axes if name in model.states else model.records[name].axes
    return tuple(axis.name or f"{name}_axis_{i}" for i, axis in enumerate(axes))


def axis_labels(model: Model, data: BoundTrials, axis: str) -> tuple[Any, ...] | None:
    """Return the labels of an axis: those of the events that count along it, if they agree."""
    found = {
        data.levels[name] for name, event in model.events.items() if event.of == axis and name in data.levels
    }
    return found.pop() if len(found) == 1 else None


class CompiledModel:
    """A model compiled for one backend, with its data.

    Made by :func:`rlbackends.compile`. Parameter values are given as a mapping from name to a scalar, one value per
    subject (in the order of ``subjects``, or a mapping or labelled array by subject), or a subject × trial array.

    Attributes
    ----------
    model : Model
        The specification.
    data : BoundTrials
        The data, as the backend sees them.
    layout : Layout
        The population's latent variables.
    backend : str
        The backend's name.
    engine : Engine
        The backend's own object; ``engine.model_function`` (NumPyro) or ``engine.pymc_model`` (PyMC) is the genuine
        model to take away.
    """

    def __init__(self, model: Model, data: BoundTrials, layout: Layout, engine: Engine) -> None:
        self.model = model
        self.data = data
        self.layout = layout
        self.backend = engine.name
        self.engine = engine
        self._for_checking: CompiledModel | None = None

    def __repr__(self) -> str:
        d = self.data
        return f"CompiledModel({self.model.name} on {self.backend}: {d.n_subjects} subjects, up to {d.n_steps} trials)"

    def for_checking(self) -> CompiledModel:
        """Return the same model compiled for values that are wanted once: quick to compile, slower to run."""
        if self._for_checking is None:  # kept, so that what it compiles serves every later check
            engine = self.engine.for_checking()
            is_same = engine is self.engine
            self._for_checking = self if is_same else CompiledModel(self.model, self.data, self.layout, engine)
        return self._for_checking

    def with_data(self, data: Trials | BoundTrials) -> CompiledModel:
        """Return the same model compiled for other data; this one stays as it is.

        Where the data have the same structure (as many subjects, trials and observations; missing values, unequal
        lengths and blocks in the same events or not at all) nothing is compiled again: a value that was compiled for
        either is there for both.

        Parameters
        ----------
        data : Trials or BoundTrials
            The other data. Other labels of subjects, as many as before, are no other structure.

        Returns
        -------
        CompiledModel

        Raises
        ------
        DataError
            If the data do not fit the model.
        ModelError
            If the population fixes a parameter by subject, and there are more or fewer subjects.

        Examples
        --------
        >>> import rlbackends as rl
        >>> arrays = {"choice": [[0, 1, 0]], "reward": [[1.0, 0.0, 1.0]]}
        >>> compiled = rl.compile(rl.catalogue.rescorla_wagner(), rl.Trials.from_arrays(**arrays))
        >>> other = compiled.with_data(rl.Trials.from_arrays(**arrays | {"choice": [[1, 1, 0]]}))
        >>> other.data.values["choice"].tolist(), compiled.data.values["choice"].tolist()
        ([[1, 1, 0]], [[0, 1, 0]])
        """
        bound = bind_given("with_data", self.model, data)
        layout = layout_for(self.layout, self.model, bound)
        other = CompiledModel(self.model, bound, layout, self.engine.with_data(bound))
        if self._for_checking is not None:
            is_same = self._for_checking is self
            other._for_checking = other if is_same else self._for_checking.with_data(bound)
        return other

    @property
    def subjects(self) -> tuple[Any, ...]:
        """The subjects' labels, in order."""
        return tuple(self.data.subjects)

    def read_params(self, params: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return parameter values as checked float64 arrays, (subject,) or (subject, trial)."""
        return read_params(self.model, self.data, params)

    def log_likelihood(self, params: Mapping[str, Any]) -> xr.Dataset:
        """Return the log-likelihood of every response, subject × trial; NaN where nothing was observed.

        Parameters
        ----------
        params : mapping
            Every parameter's values on the natural scale.

        Returns
        -------
        xarray.Dataset
            One variable a response; sub-choices are summed.

        Raises
        ------
        ParameterError
            If a name is unknown or lacking, a shape does not fit, or a value lies outside its support.
        """
        import xarray as xr

        arrays = self.engine.log_likelihood(self.read_params(params))
        variables = {}
        for name in self.model.responses:
            values = arrays[name]
            variables[name] = (("subject", "trial"), np.where(self.data.observed(name), values, np.nan))
        return xr.Dataset(variables, coords=self._coords())

    def trajectories(self, params: Mapping[str, Any]) -> xr.Dataset:
        """Return every state before each trial's update, and the records.

        Parameters
        ----------
        params : mapping
            Every parameter's values on the natural scale.

        Returns
        -------
        xarray.Dataset
            Dimensions subject, trial and the state's axes; NaN beyond a subject's last trial, and where a record needs
            a missing value.
        """
        return self._trajectory_dataset(self.engine.trajectories(self.read_params(params)), ())

    def trajectories_draws(self, params: Arrays) -> xr.Dataset:
        """Return :meth:`trajectories` at many draws, along a first dimension ``sample``.

        Parameters
        ----------
        params : mapping of str to array
            Every parameter's values on the natural scale, (draw, subject).
        """
        return self._trajectory_dataset(self.engine.trajectories_draws(params), ("sample",))

    def _trajectory_dataset(self, found: Arrays, leading: tuple[str, ...]) -> xr.Dataset:
        import xarray as xr

        valid = self.data.valid
        variables = {}
        for name in (*self.model.states, *self.model.records):
            values = found[name]
            mask = valid.reshape(valid.shape + (1,) * (values.ndim - len(leading) - 2))
            dims = (*leading, "subject", "trial", *trajectory_dims(self.model, name))
            variables[name] = (dims, np.where(mask, values, np.nan))
        coords = self._coords()
        for axis in {dim for dims, _ in variables.values() for dim in dims}:
            labels = axis_labels(self.model, self.data, axis)
            if labels is not None:
                coords[axis] = list(labels)
        return xr.Dataset(variables, coords=coords)

    def value_and_gradient(self, params: Mapping[str, Any]) -> tuple[float, dict[str, np.ndarray]]:
        """Return the summed log-likelihood and its gradient by parameter.

        Returns
        -------
        value : float
            The log-likelihood, summed over responses, subjects and trials.
        gradient : dict of str to numpy.ndarray
            Of the shape in which each parameter was given: a scalar's is the sum over subjects.
        """
        arrays = self.read_params(params)
        value, gradient = self.engine.value_and_gradient(arrays)
        for name, given in params.items():
            if np.ndim(given) == 0 and not isinstance(given, Mapping):
                gradient[name] = np.asarray(gradient[name]).sum()
        return value, gradient

    def log_density(self, z: Mapping[str, Any]) -> float:
        """Return the log-density of unconstrained latents: log-likelihood, priors and Jacobians.

        Parameters
        ----------
        z : mapping
            Latent name → value on the unconstrained scale, one number or one per subject; the names are
            ``layout.names``.
        """
        return float(self.engine.log_density(read_latents(self.layout, z)))

    def log_density_and_gradient(self, z: Mapping[str, Any]) -> tuple[float, dict[str, np.ndarray]]:
        """Return :meth:`log_density` and its gradient by latent."""
        return self.engine.log_density_and_gradient(read_latents(self.layout, z))

    def _coords(self) -> dict[str, Any]:
        coords: dict[str, Any] = {"subject": list(self.data.subjects), "trial": np.arange(self.data.n_steps)}
        coords["trial_number"] = (("subject", "trial"), self.data.trial_numbers)
        return coords
