"""nutpie's No-U-Turn sampler on an engine's JAX density."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from rlbackends.backends.chains import check_settings
from rlbackends.backends.diagnose import explain_no_start
from rlbackends.backends.flat import Flat
from rlbackends.backends.numpyro.precision import float64
from rlbackends.backends.numpyro.samplers.target import flat_density
from rlbackends.backends.nutpie_runs import Task, check_can_save
from rlbackends.backends.nutpie_runs import sample as sample_task
from rlbackends.backends.progress import Progress
from rlbackends.backends.starts import find_start
from rlbackends.errors import BackendError

if TYPE_CHECKING:
    from rlbackends.backends.chains import ChainResults
    from rlbackends.backends.numpyro.engine import Engine
    from rlbackends.backends.runs import Run

_PROGRAM = "nutpie"  # its place among the engine's programs


def sample(
    engine: Engine,
    *,
    seed: int,
    chains: int,
    tune: int,
    draws: int,
    cores: int,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    progress: Progress | None = None,
    run: Run | None = None,
) -> ChainResults:
    """Sample the posterior with nutpie, in float64 whatever the process's settings.

    Each chain starts near the prior's middle. Its steps are nutpie's, in Rust; each asks JAX for the density and its
    gradient by way of Python, which costs about 0.1 ms besides: a small model is sampled faster by NumPyro's own NUTS.

    Parameters
    ----------
    engine
        What to sample.
    seed, chains, tune, draws
        nutpie needs at least one tuning iteration. The first chains of four are those of two.
    cores
        How many chains run at once. It does not change the draws.
    target_accept, max_tree_depth
        nutpie's ``target_accept`` and ``maxdepth``.
    progress
        Where to report, not yet entered; nothing is shown without one.
    run
        Where to leave the draws so far, for ``nutpie_runs.read_run``; what another run left there is removed.

    Raises
    ------
    SettingError
        A setting is out of range.
    BackendMissingError
        zarr is not installed, and draws are to be saved.
    BackendError
        No finite start was found.
    Interrupted
        After Ctrl-C, with the draws so far.
    """
    check_settings(
        "sample_nutpie", seed=seed, chains=chains, tune=tune, draws=draws, cores=cores,
        target_accept=target_accept, max_tree_depth=max_tree_depth, least_tune=1,
    )  # fmt: skip
    check_can_save(run)
    settings = {
        "sampler": "nutpie", "seed": int(seed), "chains": int(chains), "tune": int(tune), "draws": int(draws),
        "cores": int(cores), "target_accept": float(target_accept), "max_tree_depth": int(max_tree_depth),
        "device": "cpu", "chain_method": "independent", "dtype": "float64",
    }  # fmt: skip
    progress = Progress("numpyro", tune + draws, chains, mode="off") if progress is None else progress
    with progress:
        progress.stage("compiling")
        began = time.perf_counter()
        density = _Density(engine)
        starts = _Starts(engine, density, int(seed))
        compiled = _nutpie_model(density, starts)
        task = Task(compiled, {name: name for name in density.flat.shapes}, settings, time.perf_counter() - began)
        try:
            return sample_task(task, progress, run)
        except BackendError:
            if starts.failed is not None:
                raise starts.failed from None
            raise


class _Density:
    """The log-density and its gradient as one compiled function of the vector of latents, with its data."""

    def __init__(self, engine: Engine) -> None:
        self.flat = Flat(engine.layout)
        self._arrays = engine.arrays
        if _PROGRAM not in engine.programs:
            engine.programs[_PROGRAM] = _compile(engine, self.flat.size)
        self._program = engine.programs[_PROGRAM]

    def __call__(self, vector: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the density and its gradient, on any thread."""
        # Whether the vector is taken as it is, is all that JAX's thread-local switches still decide here.
        with jax.enable_x64(True):
            found = np.asarray(self._program(vector, self._arrays))
        return float(found[0]), found[1:]

    def at(self, z: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        """Return the same of named latents."""
        value, slope = self(self.flat.join(z))
        return value, self.flat.split(slope)


def _compile(engine: Engine, size: int) -> Callable[..., Any]:
    """Return a compiled function of the vector and the engine's arrays: the density, then its gradient."""
    density = jax.value_and_grad(flat_density(engine))

    def both(vector: Any, arrays: Any) -> Any:
        value, slope = density(vector, arrays)
        return jnp.concatenate([value[None], slope])

    with float64():
        return jax.jit(both).lower(jnp.zeros(size), engine.arrays).compile()


class _Starts:
    """Finds a start for each chain. Chains have no number here: nutpie gives each a seed of its own."""

    def __init__(self, engine: Engine, density: _Density, seed: int) -> None:
        self._engine, self._density, self._seed = engine, density, seed
        self.failed: BackendError | None = None

    def __call__(self, seed: int) -> np.ndarray:
        if self.failed is not None:  # another chain's: all is over, and nobody needs to wait for this one
            raise self.failed
        try:
            z = find_start(
                self._engine.layout, self._density.at, self._seed, seed,
                explain=lambda z: explain_no_start(self._engine, z),
            )  # fmt: skip
        except BackendError as error:
            self.failed = BackendError(str(error).replace(f"chain {seed + 1} found", "a chain found"))
            raise
        return self._density.flat.join(z)


def _nutpie_model(density: _Density, starts: Callable[[int], np.ndarray]) -> Any:
    from nutpie.compiled_pyfunc import from_pyfunc

    shapes = density.flat.shapes
    return from_pyfunc(
        density.flat.size,
        make_logp_fn=lambda: density,
        make_expand_fn=lambda *_: density.flat.split,
        expanded_dtypes=["float64"] * len(shapes),
        expanded_shapes=list(shapes.values()),
        expanded_names=list(shapes),
        make_initial_point_fn=starts,
    )
