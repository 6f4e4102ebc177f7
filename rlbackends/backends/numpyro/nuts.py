"""NumPyro's No-U-Turn sampler, one independent program a chain, in float64 on any thread.

The kernel is NumPyro's own (`numpyro.infer.NUTS`); what is ours is the loop around it. Every chain has a key of its
own, so draws depend on the seed and on the chain's number, never on how many chains run at once. Iterations run in
short blocks: between blocks a chain reports, saves what it has, and stops when it is asked to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import Any

import jax.numpy as jnp
from numpyro.infer import NUTS, init_to_uniform

from rlbackends.backends.chain_files import Form, results_of
from rlbackends.backends.chains import ChainResults, Interrupted, check_settings
from rlbackends.backends.numpyro.nuts_chain import Chain, Task, check_values, stacked
from rlbackends.backends.numpyro.nuts_programs import Arguments, Programs, Traced, chain_key, float64_on_cpu, trace
from rlbackends.backends.progress import Progress
from rlbackends.backends.runs import Run
from rlbackends.errors import SettingError, did_you_mean, listed

CHAIN_METHODS = ("parallel", "sequential", "vectorized")
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
    chain_method: str = "parallel",
    init: Values | Sequence[Values] | None = None,
    inverse_metric: Values | Sequence[Values] | None = None,
    init_radius: float = 1.0,
    progress: Progress | None = None,
    programs: MutableMapping[Any, Programs] | None = None,
    run: Run | None = None,
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
    chain_method
        ``"parallel"``: a thread a chain. ``"sequential"``: one chain after the other, with the same draws.
        ``"vectorized"``: all chains in one program, each iteration of which takes as long as the longest trajectory;
        rounding differs there, and so do draws.
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
    run
        Where chains save their states and draws, every so often and when they stop, and go on from: to the draws of a
        run that nobody disturbed.

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
    Interrupted
        After Ctrl-C, when every chain has stopped: within about half a second, or one iteration.

    Notes
    -----
    Runs on the first CPU device. The process's JAX settings are left as they were.
    """
    check_settings(
        "sample_nuts", seed=seed, chains=chains, tune=tune, draws=draws, cores=cores,
        target_accept=target_accept, max_tree_depth=max_tree_depth,
    )  # fmt: skip
    check_chain_method(chain_method)
    if not init_radius > 0:
        raise SettingError(f"sample_nuts: init_radius is {init_radius!r}, expected a number above 0.")
    settings = {
        "sampler": "numpyro.NUTS", "seed": int(seed), "chains": int(chains), "tune": int(tune),
        "draws": int(draws), "cores": int(cores), "target_accept": float(target_accept),
        "max_tree_depth": int(max_tree_depth), "dense_mass": bool(dense_mass), "device": "cpu",
        "chain_method": chain_method, "dtype": "float64",
        "init": f"uniform({-init_radius:g}, {init_radius:g})" if init is None else "given",
        "inverse_metric": "identity" if inverse_metric is None else "given",
    }  # fmt: skip
    together = chain_method == "vectorized"
    lanes = int(chains) if together else None

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
        with float64_on_cpu():
            arguments = Arguments.of(model_args)
            key = (arguments.structure, tune, target_accept, max_tree_depth, dense_mass, init_radius,
                   init is None, inverse_metric is None, lanes)  # fmt: skip
            kept = None if programs is None else programs.get(key)
            traced = trace(make_kernel, arguments, tune, lanes) if kept is None else kept
            inits = check_values("init", init, traced.shapes, chains)
            metrics = check_values("inverse_metric", inverse_metric, traced.shapes, chains)
            if isinstance(traced, Traced):
                each = [chain_key(seed, i) for i in range(chains)], inits, metrics
                program = traced.compile(*(stacked(what) if together else what[0] for what in each), arguments.arrays)
            else:
                program = traced
            if programs is not None:
                programs[key] = program
        compiled = time.perf_counter()
        form = Form(program.shapes, (int(chains),) if together else (1,) * chains, settings)
        task = Task(program, arguments.arrays, inits, metrics, seed, tune, draws, 0.0 if run is None else run.every)
        work = _chains(task, form, run, together=together)
        cores = 1 if chain_method == "sequential" else cores
        is_done = _run_chains(work, cores, progress)
        found = results_of(form, [chain.part for chain in work], compile_seconds=compiled - began)
        if not is_done:
            raise Interrupted(found)
    return found


def check_chain_method(given: Any) -> None:
    """Raise ``SettingError`` unless it is a way to run chains."""
    if given not in CHAIN_METHODS:
        raise SettingError(
            f"sample_nuts: chain_method is {given!r}, expected one of {listed(CHAIN_METHODS)}."
            f"{did_you_mean(str(given), CHAIN_METHODS)}"
        )


def _chains(task: Task, form: Form, run: Run | None, *, together: bool) -> list[Chain]:
    """Return the chains, as far as a dead run has brought them."""
    files: list[Any] = [None] * len(form.lanes)
    if run is not None:
        form.write(run)
        files = form.files(run)
    chains, first = [], 0
    for lanes, place in zip(form.lanes, files, strict=True):
        chains.append(Chain(task, range(first, first + lanes), together=together, files=place))
        first += lanes
    return chains


def _run_chains(chains: Sequence[Chain], cores: int, progress: Progress) -> bool:
    """Run them, each in a thread, so many at once; return whether all is done, or Ctrl-C stopped it."""
    stop, began = threading.Event(), time.perf_counter()
    earlier = max(chain.wall for chain in chains)
    executor = ThreadPoolExecutor(min(cores, len(chains)), thread_name_prefix="numpyro-chain")
    futures = []
    try:
        futures += [executor.submit(chain.run, progress, stop, began, earlier) for chain in chains]
        pending = set(futures)
        # Short waits: the main thread must wake to see Ctrl-C.
        while pending and not any(f.done() and f.exception() for f in futures):
            _, pending = wait(pending, timeout=_POLL_SECONDS, return_when=FIRST_EXCEPTION)
            progress.tick()
        is_done = True
    except KeyboardInterrupt:
        is_done = False
    finally:
        stop.set()
        executor.shutdown(wait=True, cancel_futures=True)
    for future in futures:
        if not future.cancelled() and future.exception():
            raise future.exception()
    return is_done
