"""NumPyro's No-U-Turn sampler, one independent program a chain, in float64 on any thread.

The kernel is NumPyro's own (`numpyro.infer.NUTS`); what is ours is the loop around it. Every chain runs the
same compiled program with its own key, so draws depend on the seed and on the chain's number, never on how
many chains run at once. Iterations run in short blocks whose limits are arguments of the program: between
blocks a chain reports, and stops when it is asked to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpyro.infer import NUTS, init_to_uniform

from rlbackends.backends.chains import ChainResults, check_settings, tree_depth
from rlbackends.backends.progress import Progress
from rlbackends.errors import BackendError, SettingError, did_you_mean, listed

_BLOCK = 100  # most iterations between two reports
_BLOCK_SECONDS = 0.5  # what a block should take: how long Ctrl-C waits
_POLL_SECONDS = 0.1

Values = Mapping[str, Any]


def sample_nuts(
    model: Callable[..., Any],
    *,
    model_args: tuple[Any, ...] = (),
    seed: int,
    chains: int,
    tune: int,
    draws: int,
    cores: int,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    dense_mass: bool = False,
    init: Values | Sequence[Values] | None = None,
    inverse_metric: Values | Sequence[Values] | None = None,
    init_radius: float = 1.0,
    progress: Progress | None = None,
    programs: MutableMapping[Any, Programs] | None = None,
) -> ChainResults:
    """Sample a NumPyro model's posterior with NumPyro's NUTS, in float64 whatever the process's settings.

    Parameters
    ----------
    model
        An ordinary NumPyro model.
    model_args
        Its arguments. Arrays among them are arguments of the compiled program (floats become float64);
        anything else is a constant of it.
    seed, chains, tune, draws
        Chain ``i`` uses the threefry key ``fold_in(key(seed), i)``: of four chains, the first two are those
        of a run with two.
    cores
        How many chains run at once. It does not change the draws.
    target_accept, max_tree_depth, dense_mass
        The kernel's settings; ``dense_mass`` adapts a full mass matrix instead of its diagonal.
    init
        Unconstrained starting values, site to array: one mapping for all chains or one a chain. By default
        each chain looks for a point with a finite density and gradient, uniform within `init_radius` of 0.
    inverse_metric
        Diagonal of the inverse mass matrix at which tuning starts, like `init` one for all or one a chain; by
        default 1 everywhere. One near the posterior's variances spares tuning its deepest trees.
    init_radius
        Half the width of that search, on the unconstrained scale.
    progress
        Where to report, not yet entered; nothing is shown without one.
    programs
        Where compiled programs are kept: a later call with the same `model` and settings, but other values of the
        arrays in `model_args`, finds its program there.

    Returns
    -------
    ChainResults
        Without ``constrained``: transform the unconstrained draws.

    Raises
    ------
    SettingError
        A setting is out of range, or `init` does not fit the model or has no finite density.
    BackendError
        No finite start was found.
    KeyboardInterrupt
        After Ctrl-C, when every chain has stopped: within about half a second, or one iteration.

    Notes
    -----
    Runs on the first CPU device. The process's JAX settings are left as they were.
    """
    check_settings(
        "sample_nuts", seed=seed, chains=chains, tune=tune, draws=draws, cores=cores,
        target_accept=target_accept, max_tree_depth=max_tree_depth,
    )  # fmt: skip
    if not init_radius > 0:
        raise SettingError(f"sample_nuts: init_radius is {init_radius!r}, expected a number above 0.")
    settings = {
        "sampler": "numpyro.NUTS", "seed": int(seed), "chains": int(chains), "tune": int(tune),
        "draws": int(draws), "cores": int(cores), "target_accept": float(target_accept),
        "max_tree_depth": int(max_tree_depth), "dense_mass": bool(dense_mass), "device": "cpu",
        "chain_method": "independent", "dtype": "float64",
        "init": f"uniform({-init_radius:g}, {init_radius:g})" if init is None else "given",
        "inverse_metric": "identity" if inverse_metric is None else "given",
    }  # fmt: skip

    def make_kernel(diagonal: Any = None) -> NUTS:
        metric = jnp.diag(diagonal) if dense_mass and diagonal is not None else diagonal
        return NUTS(
            model, target_accept_prob=target_accept, max_tree_depth=max_tree_depth, dense_mass=dense_mass,
            init_strategy=init_to_uniform(radius=init_radius), inverse_mass_matrix=metric,
        )  # fmt: skip

    progress = Progress("numpyro", tune + draws, chains, mode="off") if progress is None else progress
    with progress:
        progress.stage("compiling")
        began = time.perf_counter()
        with _float64_on_cpu():
            arguments = _Arguments.of(model_args)
            key = (arguments.structure, tune, target_accept, max_tree_depth, dense_mass, init_radius,
                   init is None, inverse_metric is None)  # fmt: skip
            kept = None if programs is None else programs.get(key)
            traced = _trace(make_kernel, arguments, tune) if kept is None else kept
            inits = _check_values("init", init, traced.shapes, chains)
            metrics = _check_values("inverse_metric", inverse_metric, traced.shapes, chains)
            program = traced.compile(arguments.arrays, inits[0], metrics[0]) if isinstance(traced, _Traced) else traced
            if programs is not None:
                programs[key] = program
        compiled = time.perf_counter()
        task = _Task(program, arguments.arrays, inits, metrics, seed, tune, draws)
        runs = _run_chains(task, chains, cores, progress)
        ended = time.perf_counter()
    stats = np.stack([run.stats for run in runs])
    n_steps = stats[..., 1].astype(np.int64)
    return ChainResults(
        unconstrained=program.split(np.stack([run.draws for run in runs])),
        stats={
            "diverging": stats[..., 0] > 0,
            "n_steps": n_steps,
            "tree_depth": tree_depth(n_steps),
            "acceptance_rate": stats[..., 2].copy(),
            "energy": stats[..., 3].copy(),
            "lp": -stats[..., 4],
            "step_size": stats[..., 5].copy(),
        },
        timing={
            "compile_seconds": compiled - began,
            "sample_seconds": ended - compiled,
            "tune_seconds": sum(run.tune_seconds for run in runs),
            "draw_seconds": sum(run.draw_seconds for run in runs),
        },
        settings=settings,
    )


@contextmanager
def _float64_on_cpu() -> Iterator[None]:
    """JAX as our draws and NumPyro need it, in this thread only: each of these switches is thread-local."""
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.threefry_partitionable(True))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.default_device(jax.devices("cpu")[0]))
        yield


@dataclass(frozen=True)
class Programs:
    """The two compiled programs that all chains share.

    Attributes
    ----------
    start, block : callable
        From (key, init, metric, arrays) to a chain's first state; and from (state, iterations, steps, arrays) to what
        was done and taken, the state then, the values and the statistics.
    shapes : mapping of str to tuple of int
        Sites in the order of the flat vector.
    """

    start: Callable[..., Any]
    block: Callable[..., Any]
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(int(np.prod(shape, dtype=int)) for shape in self.shapes.values())

    def split(self, flat: np.ndarray) -> dict[str, np.ndarray]:
        """Return ``(chains, draws, size)`` as one array a site."""
        sizes = [int(np.prod(shape, dtype=int)) for shape in self.shapes.values()]
        parts = np.split(flat, np.cumsum(sizes)[:-1], axis=-1)
        return {
            name: np.ascontiguousarray(part).reshape(*flat.shape[:-1], *shape)
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }


@dataclass(frozen=True)
class _Arguments:
    """A model's arguments: arrays, which are arguments of its programs, and all else, which is part of them."""

    arrays: tuple[Any, ...]
    constants: tuple[Any, ...]
    is_array: tuple[bool, ...]
    form: Any

    @classmethod
    def of(cls, model_args: tuple[Any, ...]) -> _Arguments:
        leaves, form = jax.tree.flatten(model_args)
        is_array = tuple(isinstance(leaf, (np.ndarray, jax.Array)) for leaf in leaves)
        arrays = tuple(_widen(leaf) for leaf, traced in zip(leaves, is_array, strict=True) if traced)
        constants = tuple(leaf for leaf, traced in zip(leaves, is_array, strict=True) if not traced)
        return cls(arrays, constants, is_array, form)

    @property
    def structure(self) -> Any:
        """All that a program depends on."""
        return self.form, self.is_array, self.constants, tuple((a.shape, str(a.dtype)) for a in self.arrays)

    def merged(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """Return the model's arguments with these arrays."""
        traced, fixed = iter(arrays), iter(self.constants)
        return jax.tree.unflatten(self.form, [next(traced if kind else fixed) for kind in self.is_array])


@dataclass(frozen=True)
class _Traced:
    """The programs before they are compiled."""

    start: Callable[..., Any]
    block: Callable[..., Any]
    state: Any
    shapes: Mapping[str, tuple[int, ...]]

    def compile(self, arrays: tuple[Any, ...], init: Any, metric: Any) -> Programs:
        """Compile them, for values of these shapes."""
        limit = jnp.asarray(0, jnp.int64)
        return Programs(
            start=jax.jit(self.start).lower(_key(0), init, metric, arrays).compile(),
            block=jax.jit(self.block).lower(self.state, limit, limit, arrays).compile(),
            shapes=self.shapes,
        )


def _key(seed: int) -> Any:
    return jax.random.key(seed, impl="threefry2x32")


def _trace(make_kernel: Callable[..., NUTS], arguments: _Arguments, tune: int) -> _Traced:
    def start(key: Any, init: Any, metric: Any, arrays: Sequence[Any]) -> Any:
        # The order of a flat dict is that of its sorted names, as NumPyro's own.
        diagonal = None if metric is None else ravel_pytree(metric)[0]
        return make_kernel(diagonal).init(key, tune, init, arguments.merged(arrays), {})

    def block(state: Any, iterations: Any, steps: Any, arrays: Sequence[Any]) -> Any:
        # A kernel of its own: what `init` leaves in a kernel belongs to the trace that called it. Its state
        # is not used here, and the compiler drops it.
        kernel, args = make_kernel(), arguments.merged(arrays)
        kernel.init(state.rng_key, tune, state.z, args, {})

        def goes_on(carry: Any) -> Any:
            i, taken, *_ = carry
            return (i < iterations) & (taken < steps)

        def one(carry: Any) -> Any:
            i, taken, state, values, statistics = carry
            state = kernel.sample(state, args, {})
            row = (state.diverging, state.num_steps, state.accept_prob, state.energy,
                   state.potential_energy, state.adapt_state.step_size)  # fmt: skip
            row = jnp.stack([jnp.asarray(value, jnp.float64) for value in row])
            values, statistics = values.at[i].set(ravel_pytree(state.z)[0]), statistics.at[i].set(row)
            return i + 1, taken + state.num_steps, state, values, statistics

        size = ravel_pytree(state.z)[0].size
        zero = jnp.asarray(0, jnp.int64)
        # The limits are arguments: one program serves blocks of any length.
        carry = (zero, zero, state, jnp.zeros((_BLOCK, size)), jnp.zeros((_BLOCK, 6)))
        return jax.lax.while_loop(goes_on, one, carry)

    state = jax.eval_shape(start, _key(0), None, None, arguments.arrays)
    shapes = {name: tuple(state.z[name].shape) for name in sorted(state.z)}
    narrow = [name for name in shapes if state.z[name].dtype != jnp.float64]
    if narrow or not shapes:
        found = f"{listed(narrow)} in {state.z[narrow[0]].dtype}" if narrow else "no free variable"
        raise BackendError(f"sample_nuts: the model has {found}, expected free variables in float64.")
    return _Traced(start, block, state, shapes)


def _widen(leaf: Any) -> Any:
    """Return an array with its floats as float64: data of a 32-bit host come as float32."""
    return jnp.asarray(leaf, jnp.float64 if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf.dtype)


def _check_values(
    what: str, init: Values | Sequence[Values] | None, shapes: Mapping[str, tuple[int, ...]], chains: int
) -> tuple[Any, ...]:
    """Return one mapping a chain, or raise with every name and shape that does not fit."""
    if init is None:
        return (None,) * chains
    given = (init,) * chains if isinstance(init, Mapping) else tuple(init)
    if len(given) != chains:
        raise SettingError(f"sample_nuts: {what} has {len(given)} mappings, expected one for {chains} chains.")
    faults, checked = [], []
    for i, values in enumerate(given, start=1):
        arrays = {name: jnp.asarray(value, jnp.float64) for name, value in values.items()}
        missing = [name for name in shapes if name not in arrays]
        if missing:
            faults.append(f"chain {i}: nothing for {listed(missing)}.")
        for name, array in arrays.items():
            if name not in shapes:
                faults.append(f"chain {i}: the model has no '{name}'.{did_you_mean(name, shapes)}")
            elif array.shape != shapes[name]:
                faults.append(f"chain {i}: '{name}' has shape {array.shape}, expected {shapes[name]}.")
        checked.append(arrays)
    if faults:
        raise SettingError(f"sample_nuts: {what} does not fit the model. {' '.join(dict.fromkeys(faults))}")
    return tuple(checked)


@dataclass(frozen=True)
class _Task:
    """What the chains have to do."""

    programs: Programs
    arrays: tuple[Any, ...]
    inits: tuple[Any, ...]  # one a chain; None: look for one
    metrics: tuple[Any, ...]  # one a chain; None: the identity
    seed: int
    tune: int
    draws: int


@dataclass(frozen=True)
class _Run:
    """One chain, done."""

    draws: np.ndarray  # (draws, size)
    stats: np.ndarray  # (draws, 6)
    tune_seconds: float
    draw_seconds: float


def _run_chains(task: _Task, chains: int, cores: int, progress: Progress) -> list[_Run]:
    stop = threading.Event()

    def run(chain: int) -> _Run | None:
        with _float64_on_cpu():
            return _run_chain(task, chain, progress, stop)

    executor = ThreadPoolExecutor(min(cores, chains), thread_name_prefix="numpyro-chain")
    futures = [executor.submit(run, chain) for chain in range(chains)]
    try:
        pending = set(futures)
        # Short waits: the main thread must wake to see Ctrl-C.
        while pending and not any(f.done() and f.exception() for f in futures):
            _, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_EXCEPTION)
            progress.tick()
    finally:
        stop.set()
        executor.shutdown(wait=True, cancel_futures=True)
    for future in futures:
        if not future.cancelled() and future.exception():
            raise future.exception()
    return [future.result() for future in futures]


def _run_chain(task: _Task, chain: int, progress: Progress, stop: threading.Event) -> _Run | None:
    programs, arrays, tune, draws = task.programs, task.arrays, task.tune, task.draws
    init, metric = task.inits[chain], task.metrics[chain]
    key = jax.random.fold_in(_key(task.seed), chain)
    progress.update(chain, 0, phase="tune")
    state = programs.start(key, init, metric, arrays)
    _check_start(state, chain, is_given=init is not None)
    values, stats = np.empty((draws, programs.size)), np.empty((draws, 6))
    seconds = {"tune": 0.0, "draw": 0.0}
    done, most_steps, divergences = 0, 1, 0
    while done < tune + draws:
        if stop.is_set():
            return None
        phase, end = ("tune", tune) if done < tune else ("draw", tune + draws)
        limits = np.int64(min(_BLOCK, end - done)), np.int64(most_steps)
        began = time.perf_counter()
        count, steps, state, block_values, block_stats = programs.block(state, *limits, arrays)
        n = int(count)
        took = time.perf_counter() - began
        if phase == "draw":
            rows = slice(done - tune, done - tune + n)
            values[rows], stats[rows] = np.asarray(block_values)[:n], np.asarray(block_stats)[:n]
            divergences += int(stats[rows, 0].sum())
        seconds[phase] += took
        done += n
        # A leapfrog step costs the same in tuning and after, an iteration does not. Where a block ends never
        # changes the draws.
        most_steps = max(1, int(_BLOCK_SECONDS * int(steps) / max(took, 1e-9)))
        progress.update(chain, done, phase="tune" if done < tune else "draw", divergences=divergences)
    return _Run(values, stats, seconds["tune"], seconds["draw"])


def _check_start(state: Any, chain: int, *, is_given: bool) -> None:
    gradient = np.asarray(ravel_pytree(state.z_grad)[0])
    if np.isfinite(state.potential_energy) and np.isfinite(gradient).all():
        return
    bad = [name for name in sorted(state.z_grad) if not np.isfinite(np.asarray(state.z_grad[name])).all()]
    found = f"log density {-float(state.potential_energy):g}, gradient not finite for {listed(bad)}"
    if is_given:
        raise SettingError(f"sample_nuts: init of chain {chain + 1} has {found}; expected finite ones.")
    raise BackendError(
        f"sample_nuts: chain {chain + 1} found no start with a finite density and gradient in 100 tries; the "
        f"last had {found}. Check priors and data for values of probability 0, or give a smaller init_radius "
        "or init."
    )
