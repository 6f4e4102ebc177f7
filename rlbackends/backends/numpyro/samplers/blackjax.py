"""BlackJAX's No-U-Turn sampler on an engine's JAX density, one independent program a chain.

Kernel, step-size adaptation, mass matrix and their schedule are BlackJAX's own; the loop around them is ours, in short
blocks: between two a chain reports, and stops when it is asked to. Every chain runs the same compiled program with a
key of its own, so draws never depend on how many chains there are, or run at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from blackjax.adaptation.mass_matrix import mass_matrix_adaptation
from blackjax.adaptation.step_size import dual_averaging_adaptation
from blackjax.adaptation.window_adaptation import build_schedule
from blackjax.mcmc import nuts

from rlbackends.backends.chains import ChainResults, Interrupted, check_settings, tree_depth
from rlbackends.backends.flat import Flat
from rlbackends.backends.numpyro.precision import float64
from rlbackends.backends.numpyro.samplers.target import flat_density
from rlbackends.backends.progress import Progress
from rlbackends.backends.starts import engine_start
from rlbackends.errors import SettingError

if TYPE_CHECKING:
    from rlbackends.backends.numpyro.engine import Engine

_BLOCK = 100  # most iterations between two reports
_BLOCK_SECONDS = 0.5  # what a block should take: how long Ctrl-C waits
_POLL_SECONDS = 0.1
_FIRST_STEP_SIZE = 1.0
_COLUMNS = 6  # of statistics


def check_sampler_settings(*, dense_mass: bool = False) -> None:
    """Raise ``SettingError`` for a value that the sampler does not take."""
    if not isinstance(dense_mass, bool):
        raise SettingError(f"blackjax: dense_mass is {dense_mass!r}, expected True or False.")


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
    dense_mass: bool = False,
    progress: Progress | None = None,
    run: object = None,
) -> ChainResults:
    """Sample the posterior with BlackJAX's NUTS, tuned by its window adaptation.

    Each chain starts near the prior's middle, with a mass matrix from the density's curvature there.

    Parameters
    ----------
    dense_mass
        Adapt a full mass matrix rather than its diagonal.

    Raises
    ------
    SettingError
        A setting is out of range.
    BackendError
        No start with a finite density was found.
    Interrupted
        After Ctrl-C, with the draws that all chains have.
    """
    check_settings(
        "blackjax", seed=seed, chains=chains, tune=tune, draws=draws, cores=cores,
        target_accept=target_accept, max_tree_depth=max_tree_depth, least_tune=1,
    )  # fmt: skip
    check_sampler_settings(dense_mass=dense_mass)
    flat = Flat(engine.layout)
    settings = {
        "sampler": "blackjax", "seed": int(seed), "chains": int(chains), "tune": int(tune), "draws": int(draws),
        "cores": int(cores), "target_accept": float(target_accept), "max_tree_depth": int(max_tree_depth),
        "dense_mass": bool(dense_mass), "device": "cpu", "dtype": "float64",
    }  # fmt: skip
    progress = Progress("blackjax", tune + draws, chains, mode="off") if progress is None else progress
    with progress:
        progress.stage("compiling")
        began = time.perf_counter()
        starts = [engine_start(engine, seed, chain) for chain in range(chains)]
        metrics = [flat.join(engine.inverse_metric(start)) for start in starts]
        # The schedule depends on the number of tuning iterations, and everything else on the settings alone.
        key = ("blackjax", tune, target_accept, max_tree_depth, dense_mass)
        with _settings():
            programs = engine.programs.get(key)
            if programs is None:
                programs = engine.programs[key] = _compile(engine, *key[1:])
        compiled = time.perf_counter()
        task = _Task(
            programs, engine.arrays, tuple(map(flat.join, starts)), tuple(metrics), _schedule(tune),
            seed, tune, draws,
        )  # fmt: skip
        runs = [_Run(np.empty((draws, flat.size)), np.empty((draws, _COLUMNS))) for _ in range(chains)]

        def results(count: int) -> ChainResults:
            ended = time.perf_counter()
            timing = {"compile_seconds": compiled - began, "sample_seconds": ended - compiled}
            return _results(runs, count, flat, timing, {**settings, "draws": count})

        try:
            _run_chains(task, runs, cores, progress)
        except KeyboardInterrupt as error:
            count = min(one.count for one in runs)
            raise Interrupted(results(count) if count else None) from error
        return results(draws)


def _results(
    runs: Sequence[_Run], count: int, flat: Flat, timing: dict[str, float], settings: dict[str, Any]
) -> ChainResults:
    stats = np.stack([one.stats[:count] for one in runs])
    vectors = np.stack([one.draws[:count] for one in runs])
    n_steps = stats[..., 1].astype(np.int64)
    return ChainResults(
        unconstrained={name: np.ascontiguousarray(value) for name, value in flat.split(vectors).items()},
        stats={
            "diverging": stats[..., 0] > 0,
            "n_steps": n_steps,
            "tree_depth": tree_depth(n_steps),
            "acceptance_rate": stats[..., 2].copy(),
            "energy": stats[..., 3].copy(),
            "lp": stats[..., 4].copy(),
            "step_size": stats[..., 5].copy(),
        },
        timing={
            **timing,
            "tune_seconds": sum(one.seconds["tune"] for one in runs),
            "draw_seconds": sum(one.seconds["draw"] for one in runs),
        },
        settings=settings,
        work={"gradients": sum(one.gradients for one in runs)},
    )


@contextmanager
def _settings() -> Iterator[None]:
    """JAX as our draws need it, in this thread only, as each of its switches is."""
    with float64(), jax.threefry_partitionable(True):
        yield


@dataclass(frozen=True)
class _Programs:
    """What is compiled: a chain's first state, and a block of its iterations."""

    start: Callable[..., Any]
    block: Callable[..., Any]


def _compile(engine: Engine, tune: int, target_accept: float, max_tree_depth: int, dense_mass: bool) -> _Programs:
    density = flat_density(engine)
    size = Flat(engine.layout).size
    kernel = nuts.build_kernel()
    step_init, step_update, step_final = dual_averaging_adaptation(target_accept)
    mass_init, mass_update, mass_final = mass_matrix_adaptation(not dense_mass)

    def start(vector: Any, diagonal: Any, arrays: Any) -> Any:
        metric = jnp.diag(diagonal) if dense_mass else diagonal
        state = nuts.init(vector, lambda at: density(at, arrays))
        return state, step_init(jnp.asarray(_FIRST_STEP_SIZE)), mass_init(size, metric)

    def adapted(steps: Any, mass: Any, position: Any, acceptance: Any, stage: Any) -> Any:
        """Window adaptation: step size always; mass matrix in slow windows, taken up where a window ends."""
        steps = step_update(steps, acceptance)
        mass = jax.lax.cond(stage[0] == 1, lambda m: mass_update(m, position), lambda m: m, mass)
        return jax.lax.cond(
            stage[1] == 1,
            lambda s, m: (step_init(step_final(s)), mass_final(m)), lambda s, m: (s, m), steps, mass,
        )  # fmt: skip

    def block(carry: Any, key: Any, first: Any, iterations: Any, gradients: Any, schedule: Any, arrays: Any) -> Any:
        is_tuning = first < tune

        def one(loop: Any) -> Any:
            n, taken, (state, steps, mass), values, statistics = loop
            i = first + n
            step_size = jnp.exp(jnp.where(is_tuning, steps.log_step_size, steps.log_step_size_avg))
            # A key for each iteration: where a block ends never changes the draws.
            state, info = kernel(
                jax.random.fold_in(key, i), state, lambda at: density(at, arrays), step_size,
                mass.inverse_mass_matrix, max_tree_depth,
            )  # fmt: skip
            stage = schedule[jnp.minimum(i, tune - 1)]
            steps, mass = jax.lax.cond(
                is_tuning,
                lambda s, m: adapted(s, m, state.position, info.acceptance_rate, stage), lambda s, m: (s, m),
                steps, mass,
            )  # fmt: skip
            row = (info.is_divergent, info.num_integration_steps, info.acceptance_rate, info.energy,
                   state.logdensity, step_size)  # fmt: skip
            row = jnp.stack([jnp.asarray(value, jnp.float64) for value in row])
            values, statistics = values.at[n].set(state.position), statistics.at[n].set(row)
            return n + 1, taken + info.num_integration_steps, (state, steps, mass), values, statistics

        def goes_on(loop: Any) -> Any:
            return (loop[0] < iterations) & (loop[1] < gradients)

        zero = jnp.asarray(0, jnp.int64)
        empty = jnp.zeros((_BLOCK, size)), jnp.zeros((_BLOCK, _COLUMNS))
        # The limits are arguments: one program serves blocks of any length, of tuning and of draws.
        return jax.lax.while_loop(goes_on, one, (zero, zero, carry, *empty))

    vector, number = jnp.zeros(size), np.int64(0)
    first = jax.eval_shape(start, vector, vector, engine.arrays)
    given = first, _key(0, 0), number, number, number, _schedule(tune), engine.arrays
    return _Programs(
        start=jax.jit(start).lower(vector, vector, engine.arrays).compile(),
        block=jax.jit(block).lower(*given).compile(),
    )


def _schedule(tune: int) -> np.ndarray:
    return np.asarray(build_schedule(tune)).astype(np.int64)


def _key(seed: int, chain: int) -> Any:
    return jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), chain)


@dataclass(frozen=True)
class _Task:
    """What the chains have to do."""

    programs: _Programs
    arrays: Any
    starts: tuple[np.ndarray, ...]  # one a chain
    metrics: tuple[np.ndarray, ...]
    schedule: np.ndarray  # (tune, 2): whether an iteration adapts the mass matrix, and whether it ends a window
    seed: int
    tune: int
    draws: int


class _Run:
    """One chain, as far as it is."""

    def __init__(self, draws: np.ndarray, stats: np.ndarray) -> None:
        self.draws = draws
        self.stats = stats
        self.count = 0
        self.gradients = 0
        self.seconds = {"tune": 0.0, "draw": 0.0}


def _run_chains(task: _Task, runs: Sequence[_Run], cores: int, progress: Progress) -> None:
    stop = threading.Event()

    def run(chain: int) -> None:
        with _settings():
            _run_chain(task, chain, runs[chain], progress, stop)

    executor = ThreadPoolExecutor(min(cores, len(runs)), thread_name_prefix="blackjax-chain")
    futures = [executor.submit(run, chain) for chain in range(len(runs))]
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
        if not future.cancelled():
            future.result()


def _run_chain(task: _Task, chain: int, run: _Run, progress: Progress, stop: threading.Event) -> None:
    programs, arrays, tune, draws = task.programs, task.arrays, task.tune, task.draws
    key = _key(task.seed, chain)
    progress.update(chain, 0, phase="tune")
    carry = programs.start(task.starts[chain], task.metrics[chain], arrays)
    run.gradients += 1
    done, most_steps, divergences = 0, 1, 0
    while done < tune + draws:
        if stop.is_set():
            return
        phase, end = ("tune", tune) if done < tune else ("draw", tune + draws)
        limits = np.int64(min(_BLOCK, end - done)), np.int64(most_steps)
        began = time.perf_counter()
        count, taken, carry, values, stats = programs.block(
            carry, key, np.int64(done), *limits, task.schedule, arrays
        )
        n, steps = int(count), int(taken)
        took = time.perf_counter() - began
        if phase == "draw":
            rows = slice(run.count, run.count + n)
            run.draws[rows], run.stats[rows] = np.asarray(values)[:n], np.asarray(stats)[:n]
            divergences += int(run.stats[rows, 0].sum())
            run.count += n
        run.seconds[phase] += took
        run.gradients += steps
        done += n
        most_steps = max(1, int(_BLOCK_SECONDS * steps / max(took, 1e-9)))
        progress.update(chain, done, phase="tune" if done < tune else "draw", divergences=divergences)
