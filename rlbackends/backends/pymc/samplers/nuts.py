"""PyMC's own No-U-Turn sampler on an engine's PyMC model."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
from pymc.exceptions import SamplingError
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.traversal import graph_inputs

from rlbackends.backends.chains import ChainResults, Interrupted, check_settings, tree_depth
from rlbackends.backends.diagnose import explaining
from rlbackends.backends.progress import Progress
from rlbackends.backends.pymc.modes import sound
from rlbackends.errors import BackendError

if TYPE_CHECKING:
    from rlbackends.backends.pymc.engine import Engine
    from rlbackends.backends.runs import Run

_REPORT_SECONDS = 0.1
_EARLY_TREE_DEPTH = 8  # PyMC's limit in the first 200 iterations
_DATA = threading.Lock()  # the data of models that share what they compile are in the same variables
# A statistic's name, PyMC's name for it, and its type.
_STATISTICS = (
    ("diverging", "diverging", bool),
    ("n_steps", "tree_size", np.int64),
    ("acceptance_rate", "mean_tree_accept", np.float64),
    ("energy", "energy", np.float64),
    ("lp", "model_logp", np.float64),
    ("step_size", "step_size", np.float64),
)


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
    """Sample the posterior with PyMC's NUTS, in float64 whatever the process's settings.

    Chains run one after another in this process, however many `cores` there are. PyMC would give each a process: a
    forked one deadlocks where JAX is live, and a spawned one imports the user's script anew and compiles the model
    again. In a thread it would wait for the others, for its trees are Python's.

    Parameters
    ----------
    engine
        What to sample. It is compiled in the engine's ``mode``.
    seed, chains, tune, draws
        Chains start within 1 of PyMC's initial point on the unconstrained scale, with PyMC's diagonal mass matrix,
        which begins at the mean of their starts: draws depend on the number of chains.
    cores
        Not used.
    target_accept, max_tree_depth
        PyMC's ``target_accept`` and ``max_treedepth``.
    progress
        Where to report, not yet entered; nothing is shown without one.
    run
        Not used: the sampler leaves nothing on its way.

    Raises
    ------
    SettingError
        A setting is out of range.
    BackendError
        PyMC could not sample the model.
    Interrupted
        After Ctrl-C, at the end of the iteration, with the draws so far if every chain has some.
    """
    check_settings(
        "sample_nuts", seed=seed, chains=chains, tune=tune, draws=draws, cores=cores,
        target_accept=target_accept, max_tree_depth=max_tree_depth,
    )  # fmt: skip
    if not engine.layout.names:
        raise BackendError("sample_nuts: the model has no free variable, expected at least one.")
    settings = {
        "sampler": "pymc.NUTS", "seed": int(seed), "chains": int(chains), "tune": int(tune), "draws": int(draws),
        "cores": 1, "target_accept": float(target_accept), "max_tree_depth": int(max_tree_depth), "device": "cpu",
        "chain_method": "sequential", "dtype": "float64", "init": "jitter+adapt_diag",
    }  # fmt: skip
    progress = Progress("pymc", tune + draws, chains, mode="off") if progress is None else progress
    with explaining(engine, seed), progress, engine._precision(), ExitStack() as stack:
        progress.stage("compiling")
        model = engine.sampling_model
        names = {name: model.rvs_to_values[model[name]].name for name in engine.layout.names}
        record = _Record(names, settings, progress, stack)
        stack.enter_context(_data(model, engine.columns))
        began = time.perf_counter()
        try:
            pm.sample(
                draws=settings["draws"], tune=settings["tune"], chains=settings["chains"], cores=1,
                random_seed=settings["seed"], model=model, nuts_sampler="pymc", init=settings["init"],
                nuts={
                    "target_accept": settings["target_accept"], "max_treedepth": settings["max_tree_depth"],
                    "early_max_treedepth": min(_EARLY_TREE_DEPTH, settings["max_tree_depth"]),
                },
                compile_kwargs={"mode": sound(engine.mode)}, var_names=[engine.layout.names[0]], callback=record,
                jitter_max_retries=100, progressbar=False, quiet=True, compute_convergence_checks=False,
                discard_tuned_samples=False, return_inferencedata=True, blas_cores=None, mp_ctx="spawn",
            )  # fmt: skip
        except (KeyboardInterrupt, _Stopped) as error:
            raise Interrupted(record.results(began)) from error
        except SamplingError as error:
            raise BackendError(
                f"sample_nuts: PyMC could not sample the model. It says: {' '.join(str(error).split())} Check priors "
                "and data for values of probability 0."
            ) from error
        found = record.results(began)
        if record.is_cut(settings["chains"]):
            raise Interrupted(found)
    assert found is not None
    return found


class _Stopped(BaseException):
    """Ends PyMC's sampling; at a KeyboardInterrupt it would go on with the next chain."""


class _Record:
    """Takes every iteration from PyMC: keeps it, reports it, and stops where Ctrl-C was pressed."""

    def __init__(
        self, names: Mapping[str, str], settings: Mapping[str, Any], progress: Progress, stack: ExitStack
    ) -> None:
        self._names, self._settings, self._progress, self._stack = names, settings, progress, stack
        chains = range(settings["chains"])
        self._values: list[dict[str, list[np.ndarray]]] = [{name: [] for name in names} for _ in chains]
        self._stats: list[list[tuple[Any, ...]]] = [[] for _ in chains]
        self._gradients = 0
        self._divergences = 0
        self._pressed: threading.Event | None = None
        self._sampling_since = 0.0
        self._reported = 0.0

    def __call__(self, trace: Any, draw: Any) -> None:
        """Take an iteration."""
        now = time.perf_counter()
        if self._pressed is None:
            self._sampling_since = now
            self._pressed = self._stack.enter_context(_interrupts())
        (stats,) = draw.stats
        # PyMC computes the gradient at the start of a trajectory anew.
        self._gradients += int(stats["tree_size"]) + 1
        if not draw.tuning:
            for name, value_name in self._names.items():
                self._values[draw.chain][name].append(np.array(draw.point[value_name], dtype=np.float64))
            self._stats[draw.chain].append(tuple(stats[key] for _, key, _ in _STATISTICS))
        is_first, done = draw.draw_idx == 0, draw.draw_idx + 1
        self._divergences = (0 if is_first else self._divergences) + int(stats["diverging"] and not draw.tuning)
        is_last = done == self._settings["tune"] + self._settings["draws"]
        if is_first or is_last or now - self._reported > _REPORT_SECONDS:
            self._reported = now
            phase = "tune" if draw.tuning else "draw"
            self._progress.update(draw.chain, done, phase=phase, divergences=self._divergences)
        if self._pressed.is_set() or (is_first and self.is_cut(draw.chain)):
            raise _Stopped

    def is_cut(self, chains: int) -> bool:
        """Say whether one of the first so many chains, which have ended, lacks draws.

        A KeyboardInterrupt that finds PyMC itself, before the first iteration is done or by a host's own handler, ends
        a chain there without a word.
        """
        return any(len(rows) < self._settings["draws"] for rows in self._stats[:chains])

    def results(self, began: float) -> ChainResults | None:
        """Return the draws, of every chain as many as the shortest has; None if one has none."""
        kept = min(len(rows) for rows in self._stats)
        if kept == 0:
            return None
        now = time.perf_counter()
        columns = {
            name: np.array([[row[i] for row in rows[:kept]] for rows in self._stats], dtype=dtype)
            for i, (name, _, dtype) in enumerate(_STATISTICS)
        }
        return ChainResults(
            unconstrained={
                name: np.stack([np.stack(chain[name][:kept]) for chain in self._values]) for name in self._names
            },
            stats=columns | {"tree_depth": tree_depth(columns["n_steps"])},
            timing={"compile_seconds": self._sampling_since - began, "sample_seconds": now - self._sampling_since},
            settings=self._settings,
            work={"gradients": self._gradients},
        )


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Note Ctrl-C instead of raising wherever it finds PyMC; a second one raises."""
    pressed = threading.Event()
    is_main = threading.current_thread() is threading.main_thread()
    # Where the host has a handler of its own, or ignores the signal, that is what counts.
    if not is_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield pressed
        return

    def note(number: int, frame: Any) -> None:
        if pressed.is_set():
            signal.default_int_handler(number, frame)
        pressed.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def _data(model: pm.Model, columns: Mapping[str, np.ndarray]) -> Iterator[None]:
    """Put an engine's data into the model's shared variables, and take them out again."""
    shared = [v for v in graph_inputs([*model.basic_RVs, *model.values_to_rvs]) if isinstance(v, SharedVariable)]
    read = {v: columns[v.name] for v in shared if v.name in columns}
    with _DATA:
        before = {variable: variable.get_value(borrow=True) for variable in read}
        try:
            for variable, value in read.items():
                variable.set_value(value)
            yield
        finally:
            for variable, value in before.items():
                variable.set_value(value, borrow=True)
