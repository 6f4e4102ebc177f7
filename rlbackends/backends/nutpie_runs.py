"""nutpie at work, whatever it samples: it reports, can be stopped, and leaves its draws on disk as it goes.

On disk they are a zarr store: a file for every 16 draws of a variable and a chain, which nutpie writes once, when the
draws are complete or their chain has ended, and under another name first. Where a file is there, it is whole; but files
of zeros are never written, so that a file of divergences which is lacking says "none", or "not yet". The files of a
chain are written nearly in the order of its draws, several at once. What a killed process left therefore counts where
the *next* file of every variable that is never zero is there as well. Reading it takes zarr and nothing else.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import math
import shutil
import time
import warnings
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.chain_files import read_said
from rlbackends.backends.chains import ChainResults, Interrupted, tree_depth
from rlbackends.data.files import write_whole
from rlbackends.errors import BackendError, BackendMissingError, SettingError

if TYPE_CHECKING:
    from rlbackends.backends.progress import Progress
    from rlbackends.backends.runs import Run

_POLL_SECONDS = 0.1
_END_SECONDS = 60.0  # that the threads of chains have to end when one has failed
_STORE, _SAID = "draws.zarr", "draws.json"
# A statistic's name, nutpie's name for it, and its type.
_STATISTICS = (
    ("diverging", "diverging", bool),
    ("n_steps", "n_steps", np.int64),
    ("acceptance_rate", "mean_tree_accept", np.float64),
    ("energy", "energy", np.float64),
    ("lp", "logp", np.float64),
    ("step_size", "step_size", np.float64),
)


@dataclass(frozen=True)
class Task:
    """A compiled model and how it is to be sampled.

    Attributes
    ----------
    compiled
        nutpie's model.
    unconstrained : mapping of str to str
        Variables, and under which names nutpie keeps their unconstrained values.
    settings : mapping
        What the results say of their settings; ``seed``, ``chains``, ``tune``, ``draws``, ``cores``, ``target_accept``
        and ``max_tree_depth`` are nutpie's.
    compile_seconds : float
        What it took to compile the model.
    constrained : tuple of str, optional
        Variables to keep on their natural scale.
    """

    compiled: Any
    unconstrained: Mapping[str, str]
    settings: Mapping[str, Any]
    compile_seconds: float
    constrained: tuple[str, ...] | None = None


def check_can_save(run: Run | None) -> None:
    """Raise ``BackendMissingError`` if draws are to be saved, and what was saved could not be read."""
    if run is not None and importlib.util.find_spec("zarr") is None:
        raise BackendMissingError(
            "nutpie saves its draws as a zarr store, and zarr is not installed here to read it. Install it with: "
            "pip install zarr"
        )


def sample(task: Task, progress: Progress, run: Run | None = None) -> ChainResults:
    """Sample a task; whatever goes wrong, nutpie's threads stop.

    Parameters
    ----------
    task
        What to sample.
    progress
        Where to report, already entered.
    run
        Where to leave the draws so far, for :func:`read_run`. What another run left there is removed.

    Raises
    ------
    BackendError
        nutpie could not sample the model.
    Interrupted
        After Ctrl-C, with the draws so far.
    """
    import nutpie

    began = time.perf_counter()
    settings = task.settings
    states: list[Any] = []

    def report(now: Sequence[Any]) -> None:
        states[:] = now
        for chain, state in enumerate(now):
            if state.started:
                phase = "tune" if state.finished_draws < settings["tune"] else "draw"
                progress.update(chain, state.finished_draws, phase=phase, divergences=state.divergences)

    progress.update(0, 0, phase="tune")
    store = None if run is None else nutpie.zarr_store.LocalStore(_new_store(task, run))
    compiled = copy.copy(task.compiled)  # nobody's but this sampler's: while it lives, so do its threads
    is_held = weakref.ref(compiled)
    sampler = nutpie.sample(
        compiled, sampler="nuts", adaptation="diag", save_warmup=False, store_unconstrained=True, blocking=False,
        progress_bar=False, progress_callback=report, progress_rate=200, zarr_store=store,
        return_raw_trace=store is not None, seed=settings["seed"], chains=settings["chains"], tune=settings["tune"],
        draws=settings["draws"], cores=min(settings["cores"], settings["chains"]),
        target_accept=settings["target_accept"], maxdepth=settings["max_tree_depth"],
    )  # fmt: skip
    del compiled

    def results(tree: Any) -> ChainResults | None:
        if run is not None:
            _say_ended(run)
            return read_run(run)
        # nutpie reports a last time when its chains have ended.
        gradients = sum(state.total_num_steps for state in states)
        return _from_tree(task, tree, gradients, time.perf_counter() - began)

    try:
        while True:
            try:
                tree = sampler.wait(timeout=_POLL_SECONDS)
                break
            except TimeoutError:
                progress.tick()
    except KeyboardInterrupt as error:
        try:
            with warnings.catch_warnings():
                # ArviZ is surprised by fewer draws than chains.
                warnings.simplefilter("ignore", UserWarning)
                tree = sampler.abort()
        except (RuntimeError, ValueError):
            raise Interrupted(None) from error
        raise Interrupted(results(tree)) from error
    except BaseException as error:
        _stop(sampler, is_held)
        if isinstance(error, (RuntimeError, ValueError)):
            raise BackendError(_explained(str(error))) from error
        raise
    found = results(tree)
    if found is None:
        raise BackendError("nutpie has ended and left no draws.")
    return found


def _stop(sampler: Any, is_held: weakref.ref[Any]) -> None:
    """End a sampler, and wait for its threads: those that still sample at the interpreter's end crash it.

    Where a chain has failed, nutpie has let go of the others: its ``cancel`` tells them, but waits for none. They hold
    the model until the last of them has ended.
    """
    with suppress(RuntimeError, ValueError):
        sampler.cancel()
    sampler._compiled_model = None
    until = time.monotonic() + _END_SECONDS
    while is_held() is not None and time.monotonic() < until:
        with suppress(RuntimeError, ValueError):
            _ = sampler.is_finished  # what a thread without Python has dropped is freed in the next call of nutpie
        time.sleep(0.01)


def _explained(message: str) -> str:
    said = " ".join(message.split("Stack backtrace:")[0].split())
    advice = ""
    if "initialization" in said:
        advice = (
            " No start with a finite density and gradient was found: check priors and data for values of "
            "probability 0."
        )
    return f"nutpie could not sample the model. It says: {said}.{advice}"


def _from_tree(task: Task, tree: Any, gradients: int, seconds: float) -> ChainResults | None:
    """Return what nutpie's DataTree holds, of every chain as many draws as the shortest has; None if there are none."""
    groups = [tree[name] for name in ("posterior", "unconstrained_posterior") if name in tree.children]
    stats = tree["sample_stats"] if "sample_stats" in tree.children else {}
    if not groups or "logp" not in stats:
        return None
    # What a chain that was stopped did not draw is NaN; the density of a draw is finite.
    counts = np.isfinite(stats["logp"].values).sum(axis=1)
    kept = int(counts.min()) if len(counts) == task.settings["chains"] else 0
    if kept == 0:
        return None

    def values(name: str) -> np.ndarray:
        # Without a transform the two scales are one, and nutpie stores it once.
        group = next(group for group in reversed(groups) if name in group)
        return group[name].values

    constrained = None
    if task.constrained is not None:
        # nutpie returns integer deterministics as floats; so do we.
        posterior = tree["posterior"]
        constrained = {name: _cut(posterior[name].values, kept, np.float64) for name in task.constrained}
    settings = dict(task.settings) | {"nutpie": str(stats.attrs["inference_library_settings"])}
    return ChainResults(
        unconstrained={name: _cut(values(key), kept, np.float64) for name, key in task.unconstrained.items()},
        constrained=constrained,
        stats=_statistics({key: _cut(stats[key].values, kept, dtype) for _, key, dtype in _STATISTICS}),
        timing={"compile_seconds": task.compile_seconds, "sample_seconds": seconds},
        settings=settings,
        work={"gradients": int(gradients)},
    )


def _cut(array: np.ndarray, kept: int, dtype: Any) -> np.ndarray:
    return np.array(array[:, :kept], dtype=dtype)


def _statistics(found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: found[key] for name, key, _ in _STATISTICS} | {"tree_depth": tree_depth(found["n_steps"])}


# On disk


def _new_store(task: Task, run: Run) -> str:
    """Make room for the draws, say what they are, and return where nutpie puts them."""
    store = run.folder / _STORE
    (run.folder / _SAID).unlink(missing_ok=True)
    shutil.rmtree(store, ignore_errors=True)
    try:
        store.mkdir()
    except OSError as error:
        raise SettingError(f"'{store}' can't be written: {error.strerror or error}.") from error
    said = {
        "settings": dict(task.settings),
        "unconstrained": dict(task.unconstrained),
        "constrained": None if task.constrained is None else list(task.constrained),
        "compile_seconds": task.compile_seconds,
        "began": time.time(),
        "ended": None,
    }
    _say(run, said)
    return str(store)


def _say(run: Run, said: Mapping[str, Any]) -> None:
    text = json.dumps(said, indent=2)
    write_whole(run.folder / _SAID, lambda name: Path(name).write_text(text, encoding="utf-8"))


def _said(run: Run) -> dict[str, Any] | None:
    return read_said(run.folder / _SAID)


def _say_ended(run: Run) -> None:
    """Take note that nutpie has written all that there will be."""
    said = _said(run)
    if said is not None:
        _say(run, said | {"ended": time.time()})


def read_run(run: Run, layout: Any = None) -> ChainResults | None:
    """Return the draws that nutpie has left so far, of every chain as many as the shortest has; None if there are none.

    Of the draws of a killed process at most 47 a chain are lost: up to 15 that did not complete a file, 16 on their way
    to the disk, and 16 before these of which it is not certain that all is there.

    Parameters
    ----------
    run : Run
        Where they were saved.
    layout : Layout, optional
        Not needed here: the folder says what it holds.

    Raises
    ------
    BackendMissingError
        If zarr is not installed.
    """
    said = _said(run)
    if said is None:
        return None
    check_can_save(run)
    settings, unconstrained, constrained = said["settings"], said["unconstrained"], said["constrained"]
    store = run.folder / _STORE
    paths = {name: store / "posterior" / name for name in (*unconstrained.values(), *(constrained or ()))}
    paths |= {key: store / "sample_stats" / key for _, key, _ in _STATISTICS}
    warmup = store / "warmup_sample_stats" / "n_steps"
    if not all((path / "zarr.json").is_file() for path in (store, warmup, *paths.values())):
        return None  # nutpie creates them all before it starts
    saved = {key: Saved.open(path) for key, path in paths.items()}
    never_zero = [*unconstrained.values(), *(key for _, key, dtype in _STATISTICS if dtype is np.float64)]
    chunks = [min(saved[key].n_chunks(chain) for key in never_zero) for chain in range(settings["chains"])]
    density = saved["logp"]
    if said["ended"] is None:
        counts = [max(there - 1, 0) * density.array.chunks[1] for there in chunks]
    else:
        counts = [density.count(chain, there) for chain, there in enumerate(chunks)]
    kept = min(counts)
    if kept == 0:
        return None
    last = said["ended"] or max(density.written(chain, there) for chain, there in enumerate(chunks))
    # As nutpie's results give them where they do not go through a store.
    root = json.loads((store / "zarr.json").read_text(encoding="utf-8"))
    of_nutpie = {"sampler": "nuts", "adaptation": "diag", "settings": root["attributes"]["sampler_settings"]}
    return ChainResults(
        unconstrained={name: saved[key].read(kept, np.float64) for name, key in unconstrained.items()},
        constrained=None if constrained is None else {name: saved[name].read(kept, np.float64) for name in constrained},
        stats=_statistics({key: saved[key].read(kept, dtype) for _, key, dtype in _STATISTICS}),
        timing={"compile_seconds": said["compile_seconds"], "sample_seconds": max(0.0, last - said["began"])},
        settings=settings | {"nutpie": json.dumps(of_nutpie)},
        work={"gradients": saved["n_steps"].total() + Saved.open(warmup).total()},
    )


@dataclass(frozen=True)
class Saved:
    """A variable in nutpie's store: (chain, draw, …), of which not all needs to be there.

    Attributes
    ----------
    path : pathlib.Path
        Its folder.
    array : zarr.Array
        What is not there reads as NaN, 0 or False.
    """

    path: Path
    array: Any

    @classmethod
    def open(cls, path: Path) -> Saved:
        """Open the array in a folder."""
        import zarr

        return cls(path, zarr.open_array(str(path), mode="r"))

    def _file(self, chain: int, chunk: int) -> Path:
        # zarr's default encoding of a chunk's position; all further axes have one chunk.
        return self.path.joinpath("c", str(chain), str(chunk), *["0"] * (self.array.ndim - 2))

    def n_chunks(self, chain: int) -> int:
        """Return how many files of a chain are there, up to the first that is not."""
        most = math.ceil(self.array.shape[1] / self.array.chunks[1])
        return next((chunk for chunk in range(most) if not self._file(chain, chunk).is_file()), most)

    def count(self, chain: int, chunks: int) -> int:
        """Return how many draws so many files of a chain hold; the last one of a chain that has ended is not full."""
        if chunks == 0:
            return 0
        size = self.array.chunks[1]
        last = self.array[chain, (chunks - 1) * size : chunks * size]
        return (chunks - 1) * size + int(np.isfinite(last).sum())

    def written(self, chain: int, chunks: int) -> float:
        """Return when the last of so many files was written."""
        return self._file(chain, chunks - 1).stat().st_mtime if chunks else -math.inf

    def read(self, kept: int, dtype: Any) -> np.ndarray:
        """Return the first draws of every chain."""
        return np.array(self.array[:, :kept], dtype=dtype)

    def total(self) -> int:
        """Return the sum of all that is there of numbers of which no file is zero."""
        most = max(self.n_chunks(chain) for chain in range(self.array.shape[0])) * self.array.chunks[1]
        return int(np.sum(self.array[:, :most]))
