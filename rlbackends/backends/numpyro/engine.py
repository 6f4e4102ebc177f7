"""A model, its data and its population in JAX and NumPyro, always in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro.infer.util import potential_energy

from rlbackends.backends.numpyro.loop import Loop, trial_sequences
from rlbackends.backends.numpyro.model import observe_response, sample_parameters
from rlbackends.backends.numpyro.observed import Observed
from rlbackends.backends.numpyro.operations import Lowering
from rlbackends.backends.numpyro.precision import float64, require_float64
from rlbackends.backends.protocol import layout_for, take_settings

if TYPE_CHECKING:
    from rlbackends.backends.numpyro.nuts import Programs
    from rlbackends.backends.protocol import Arrays
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model
    from rlbackends.population.layout import Layout

Tree = dict[str, Any]
_CHUNK = 2**22  # numbers on a trial array that draws may fill at once: 32 MB each
_TAPE = 8  # about as many of them does a gradient keep of each trial
_VALUE, _SLOPE = "value of ", "slope of "
_ONE_HOT = 1  # after the loop every cell is its own row, where a mask always wins


class Engine:
    """A model lowered to JAX.

    Parameters
    ----------
    model, data, layout
        The specification, the data bound to it, and the population's latent variables.
    gather : {"auto", "gather", "one_hot"}, default "auto"
        How the loop takes one entry from an array: by its position, or as a masked sum. ``"auto"`` masks
        where subjects × entries are few.

    Attributes
    ----------
    arrays : dict
        The data as JAX arrays, the argument of every compiled function.
    structure : tuple
        All that compiled functions know of the data besides ``arrays``, and the shapes of these: engines of one model,
        population and settings that have it in common share what is compiled.
    programs : dict
        NUTS, compiled for the sampler's settings.
    """

    name = "numpyro"

    def __init__(self, model: Model, data: BoundTrials, layout: Layout, **settings: Any) -> None:
        self.settings = self.read_settings(settings)
        self.model = model
        self.data = data
        self.layout = layout
        self._lowering = Lowering(data.n_subjects, self.settings["gather"])
        self._rows = Lowering(_ONE_HOT, "one_hot")
        self._program = model.program(data.complete)
        self._loop = Loop(model, self._program, self._lowering, data.n_steps)
        observed = {name: Observed.of(rule, data) for name, rule in model.response_rules.items()}
        self._observed = {name: item for name, item in observed.items() if len(item)}
        tree = {
            "sequences": trial_sequences(model, self._program, data),
            "observed": {name: item.tree() for name, item in self._observed.items()},
        }
        with float64():
            self.arrays: Tree = jax.tree.map(jnp.asarray, tree)
        leaves, form = jax.tree.flatten(self.arrays)
        shapes = tuple((leaf.shape, str(leaf.dtype)) for leaf in leaves)
        observed_of = tuple(item.missing.shape for item in self._observed.values())
        self.structure = (data.n_subjects, data.n_steps, data.complete, form, shapes, observed_of, layout.digest)
        self._compiled = self._functions()
        self.programs: dict[Any, Programs] = {}

    @staticmethod
    def read_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings with defaults filled in; raise ``SettingError`` for a wrong one."""
        chosen = take_settings(Engine.name, settings, {"gather": "auto"})
        Lowering(1, chosen["gather"])
        return chosen

    def with_data(self, data: BoundTrials) -> Engine:
        """Return an engine for other data; it shares what is compiled if they have the same structure."""
        other = type(self)(self.model, data, layout_for(self.layout, self.model, data), **self.settings)
        if other.structure == self.structure:
            # Compiled functions take the arrays as an argument, so those of this engine serve the other one too.
            other._compiled, other.programs = self._compiled, self.programs
        return other

    def for_checking(self) -> Engine:
        """Return the same graphs, all of a point's values compiled at once, for values that are wanted once."""
        from rlbackends.backends.numpyro.checking import CheckingEngine

        return CheckingEngine(self.model, self.data, self.layout, **self.settings)

    # In JAX

    def _response_rows(self, arguments: Mapping[str, Tree], arrays: Tree) -> dict[str, Tree]:
        return {
            name: item.rows(arguments[name], arrays["observed"][name])
            for name, item in self._observed.items()
        }

    def _log_likelihoods(self, params: Mapping[str, Any], arrays: Tree) -> dict[str, Any]:
        """Return each response's log-likelihood, one number an observation."""
        return self._log_probabilities(self._loop.arguments(params, arrays["sequences"]), arrays)

    def _log_probabilities(self, arguments: Mapping[str, Tree], arrays: Tree) -> dict[str, Any]:
        result = {}
        for name, rows in self._response_rows(arguments, arrays).items():
            graph = self._program.log_probability[name]

            def one(leaves: Tree, graph: Any = graph) -> Any:
                return self._rows.evaluate([graph], leaves)[graph]

            result[name] = jax.vmap(one)({**rows, name: arrays["observed"][name]["values"]})
        return result

    def _total(self, params: Mapping[str, Any], arrays: Tree) -> Any:
        return self._summed(self._log_likelihoods(params, arrays), arrays)

    def _summed(self, log_p: Mapping[str, Any], arrays: Tree) -> Any:
        """Return the sum of the log-likelihoods that count."""
        total = jnp.zeros(())
        for name, values in log_p.items():
            counts = arrays["observed"][name].get("counts")
            total = total + jnp.sum(values if counts is None else jnp.where(counts, values, 0.0))
        return total

    def numpyro_model(self, arrays: Tree, deterministic: bool = False) -> None:
        """The NumPyro model with its data as an argument, as the sampler takes it."""
        params = sample_parameters(self.layout, self._lowering, deterministic=deterministic)
        arguments = self._loop.arguments(params, arrays["sequences"])
        for name, rows in self._response_rows(arguments, arrays).items():
            there = arrays["observed"][name]
            observe_response(name, self.model.response_rules[name].family, rows, there["values"], there.get("counts"))

    def _log_density(self, z: Mapping[str, Any], arrays: Tree) -> Any:
        return -potential_energy(self.numpyro_model, (arrays,), {}, z)

    def _curvature(self, z: Tree, arrays: Tree) -> Tree:
        """Return the diagonal of minus the log-density's Hessian.

        Given the group's variables subjects are independent, so the entries of one latent have no curvature
        in common, and one Hessian-vector product gives all of its diagonal.
        """
        slope = jax.grad(lambda at: -self._log_density(at, arrays))
        result = {}
        for name in z:
            along = {other: jnp.full_like(value, float(other == name)) for other, value in z.items()}
            result[name] = jax.jvp(slope, (z,), (along,))[1][name]
        return result

    # Compiled once

    def _functions(self) -> dict[str, Callable[..., Any]]:
        def over_draws(function: Callable[..., Any]) -> Callable[..., Any]:
            return jax.jit(jax.vmap(function, in_axes=(0, None)))

        def trajectories(params: Tree, arrays: Tree) -> Tree:
            return self._loop.trajectories(params, arrays["sequences"])

        def by_trial(params: Tree, arrays: Tree) -> Tree:
            return self._loop.trajectories_by_trial(params, arrays["sequences"])

        def total_and_parts(params: Tree, arrays: Tree) -> tuple[Any, Tree]:
            log_p = self._log_likelihoods(params, arrays)
            return self._summed(log_p, arrays), log_p

        def values_and_gradient(params: Tree, arrays: Tree) -> Tree:
            (_, log_p), slopes = jax.value_and_grad(total_and_parts, has_aux=True)(params, arrays)
            return {f"{_VALUE}{k}": v for k, v in log_p.items()} | {f"{_SLOPE}{k}": v for k, v in slopes.items()}

        return {
            "log_likelihoods": jax.jit(self._log_likelihoods),
            "trajectories": jax.jit(by_trial),
            "value_and_gradient": jax.jit(jax.value_and_grad(self._total)),
            "log_density": jax.jit(self._log_density),
            "log_density_and_gradient": jax.jit(jax.value_and_grad(self._log_density)),
            "curvature": jax.jit(self._curvature),
            "log_likelihoods_draws": over_draws(self._log_likelihoods),
            "values_and_gradient_draws": over_draws(values_and_gradient),
            "trajectories_draws": over_draws(trajectories),
        }

    def _run(self, function: str, values: Mapping[str, Any]) -> Any:
        """Run a compiled function in float64 and return NumPy arrays."""
        with float64():
            given = {name: jnp.asarray(value, jnp.float64) for name, value in values.items()}
            return jax.tree.map(np.asarray, self._compiled[function](given, self.arrays))

    # The protocol

    def log_likelihood(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood, subject × trial; NaN where nothing was observed."""
        return self._by_trial(self._run("log_likelihoods", params), ())

    def trajectories(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return states before each trial's update and records, subject × trial × axes."""
        # Subjects are put first by a view: copying would take as long as the loop.
        return {name: values.swapaxes(0, 1) for name, values in self._run("trajectories", params).items()}

    def value_and_gradient(self, params: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return the summed log-likelihood and its gradient, of the parameters' own shapes."""
        value, gradient = self._run("value_and_gradient", params)
        return float(value), gradient

    def log_density(self, z: Arrays) -> float:
        """Return the NumPyro model's log-density of unconstrained latents, with priors and Jacobians."""
        return float(self._run("log_density", z))

    def log_density_and_gradient(self, z: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return that log-density and its gradient."""
        value, gradient = self._run("log_density_and_gradient", z)
        return float(value), gradient

    def inverse_metric(self, z: Arrays) -> dict[str, np.ndarray]:
        """Return a diagonal inverse mass matrix from the curvature at a point, at most the prior's scale."""
        curvature = self._run("curvature", z)
        return {name: 1.0 / np.maximum(np.abs(value), 1.0) for name, value in curvature.items()}

    # Of many draws

    def log_likelihood_draws(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood, draw × subject × trial; parameters are draw × subject.

        NaN where nothing was observed.
        """
        draws, flat = self._in_chunks("log_likelihoods_draws", params)
        return self._by_trial(flat, (draws,))

    def value_and_gradient_draws(self, params: Arrays) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return each subject's log-likelihood at many draws, and its gradient by parameter: all draw × subject."""
        draws, rows = len(next(iter(params.values()))), 1
        while rows < draws:  # searches ask for ever other numbers of draws: compile for few of them
            rows *= 4
        padded = {name: np.pad(value, ((0, rows - draws), (0, 0)), mode="edge") for name, value in params.items()}
        _, rest = self._in_chunks("values_and_gradient_draws", padded, held=_TAPE)
        found = {key: value[:draws] for key, value in rest.items()}
        flat = {name: found[key] for name in self.model.responses if (key := f"{_VALUE}{name}") in found}
        values = np.zeros((draws, self.data.n_subjects))
        for name, by_trial in self._by_trial(flat, (draws,)).items():
            values += np.where(self.data.observed(name) & self.data.counts, by_trial, 0.0).sum(axis=-1)
        return values, {name: found[f"{_SLOPE}{name}"] for name in params}

    def trajectories_draws(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return states and records, draw × subject × trial × axes; parameters are draw × subject."""
        return self._in_chunks("trajectories_draws", params)[1]

    def _in_chunks(self, function: str, params: Arrays, held: int = 1) -> tuple[int, dict[str, np.ndarray]]:
        """Run a function over draws, some at a time: what the loop holds at once stays bounded."""
        draws = len(next(iter(params.values())))
        chunk = min(draws, max(1, _CHUNK // (held * self._width() * self.data.n_subjects * self.data.n_steps)))
        result: dict[str, np.ndarray] = {}
        for start in range(0, draws, chunk):
            # The last chunk takes draws of the one before again rather than being compiled for its own size.
            first = min(start, draws - chunk)
            part = slice(first, first + chunk)
            found = self._run(function, {name: value[part] for name, value in params.items()})
            for name, values in found.items():
                result.setdefault(name, np.empty((draws, *values.shape[1:])))[part] = values
        return draws, result

    def _width(self) -> int:
        """Return how many numbers the largest value of a trial has."""
        shapes = [state.shape for state in self.model.states.values()]
        shapes += [node.shape for group in self._program.arguments.values() for node in group.values()]
        return max((int(np.prod(shape, dtype=int)) for shape in shapes), default=1)

    def _by_trial(self, flat: Mapping[str, np.ndarray], lead: tuple[int, ...]) -> dict[str, np.ndarray]:
        shape = (*lead, self.data.n_subjects, self.data.n_steps)
        result = {name: np.full(shape, np.nan) for name in self.model.responses}
        return result | {name: self._observed[name].by_trial(values) for name, values in flat.items()}

    # To take away

    def model_function(self, deterministic: bool = True) -> None:
        """The genuine NumPyro model, to be given to NumPyro's own inference: ``NUTS(engine.model_function)``.

        Latent sites are named as ``layout.names``; a response's site has its name, one entry an observation,
        in the order of subjects, then trials.

        Parameters
        ----------
        deterministic : bool, default True
            Whether the subjects' parameters on the natural scale become deterministic sites.

        Raises
        ------
        BackendError
            If JAX computes in 32 bits here.
        """
        require_float64("model_function")
        self.numpyro_model(self.arrays, deterministic)
