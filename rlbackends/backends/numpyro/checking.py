"""The same graphs for values that are wanted once: all of a point's values from one compilation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from rlbackends.backends.numpyro.engine import Engine, Tree

if TYPE_CHECKING:
    from rlbackends.backends.protocol import Arrays


_QUICK = {"xla_backend_optimization_level": 0}  # a third less to compile; runs of milliseconds lose nothing


class CheckingEngine(Engine):
    """A model lowered to JAX as :class:`Engine` does it; one function gives all that is compared at a point.

    Callers ask for several quantities at the same values, so the last ones are kept.
    """

    _last: tuple[Any, Any] | None = None

    def for_checking(self) -> Engine:
        """Return itself."""
        return self

    def _everything(self, params: Mapping[str, Any], arrays: Tree) -> tuple[Any, tuple[Tree, Tree]]:
        arguments, trajectories = self._loop.both(params, arrays["sequences"])
        log_p = self._log_probabilities(arguments, arrays)
        return self._summed(log_p, arrays), (log_p, trajectories)

    def _functions(self) -> dict[str, Callable[..., Any]]:
        functions = {
            "everything": jax.value_and_grad(self._everything, has_aux=True),
            "log_density_and_gradient": jax.value_and_grad(self._log_density),
        }
        return super()._functions() | {
            name: jax.jit(function, compiler_options=_QUICK) for name, function in functions.items()
        }

    def _at(self, params: Arrays) -> Any:
        key = tuple((name, value.shape, value.tobytes()) for name, value in sorted(params.items()))
        if self._last is None or self._last[0] != key:
            self._last = (key, self._run("everything", params))
        return self._last[1]

    def log_likelihood(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood, subject × trial; NaN where nothing was observed."""
        (_, (flat, _)), _ = self._at(params)
        return self._by_trial(flat, ())

    def trajectories(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return states before each trial's update and records, subject × trial × axes."""
        (_, (_, found)), _ = self._at(params)
        return dict(found)

    def value_and_gradient(self, params: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return the summed log-likelihood and its gradient, of the parameters' own shapes."""
        (value, _), gradient = self._at(params)
        return float(value), dict(gradient)
