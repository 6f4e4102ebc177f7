"""An engine's JAX density as what modes and approximations work on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from rlbackends.backends.approximate import Target
from rlbackends.backends.diagnose import explain_no_start
from rlbackends.backends.flat import Flat
from rlbackends.backends.numpyro.precision import float64

if TYPE_CHECKING:
    from collections.abc import Callable

    from rlbackends.backends.numpyro.engine import Engine

_COLUMNS = 32  # of the matrix of second derivatives, computed at once


def flat_density(engine: Engine) -> Callable[[Any, Any], Any]:
    """Return the log-density as a function of the vector of latents and of the engine's arrays."""
    flat = Flat(engine.layout)
    return lambda vector, arrays: engine._log_density(flat.split(vector), arrays)


def target_of(engine: Engine) -> Target:
    """Return an engine's density; what it compiles is kept in ``engine.programs``."""
    flat = Flat(engine.layout)
    density = flat_density(engine)

    def precision(vector: Any, arrays: Any) -> Any:
        def column(direction: Any) -> Any:
            return -jax.jvp(lambda at: jax.grad(density)(at, arrays), (vector,), (direction,))[1]

        return jax.lax.map(column, jnp.eye(flat.size), batch_size=_COLUMNS)

    seconds = [0.0]

    def run(name: str, function: Callable[..., Any], given: np.ndarray) -> np.ndarray:
        key = ("target", name, given.shape)
        with float64():
            vector = jnp.asarray(given, jnp.float64)
            if key not in engine.programs:
                began = time.perf_counter()
                engine.programs[key] = jax.jit(function).lower(vector, engine.arrays).compile()
                seconds[0] += time.perf_counter() - began
            return np.asarray(engine.programs[key](vector, engine.arrays))

    def symmetric(vector: np.ndarray) -> np.ndarray:
        matrix = run("precision", precision, vector)
        return 0.5 * (matrix + matrix.T)

    return Target(
        layout=engine.layout,
        density=engine.log_density_and_gradient,
        precision=symmetric,
        log_densities=lambda rows: run("log_densities", jax.vmap(density, in_axes=(0, None)), rows),
        compile_seconds=lambda: seconds[0],
        explain=lambda z: explain_no_start(engine, z),
    )
