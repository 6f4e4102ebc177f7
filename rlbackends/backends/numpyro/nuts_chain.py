"""One chain of NumPyro's NUTS, or several that advance together: from its start, or from where a dead run was."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from rlbackends.backends.chain_files import COLUMNS, ChainFiles, Part, part_of
from rlbackends.backends.numpyro.nuts_programs import BLOCK, Programs, chain_key, float64_on_cpu
from rlbackends.backends.progress import Progress
from rlbackends.errors import BackendError, SettingError, did_you_mean, listed

_BLOCK_SECONDS = 0.5  # what a block should take: how long Ctrl-C waits


@dataclass(frozen=True)
class Task:
    """What the chains have to do."""

    programs: Programs
    arrays: tuple[Any, ...]
    inits: tuple[Any, ...]  # one a chain; None: look for one
    metrics: tuple[Any, ...]  # one a chain; None: the identity
    seed: int
    tune: int
    draws: int
    every: float  # seconds between saves, where there are files


class Chain:
    """A chain at work, or several lanes of one program.

    Parameters
    ----------
    task : Task
        What to do.
    numbers : sequence of int
        Which chains; more than one, or ``together``, in a program with lanes.
    together : bool
        Whether the program has lanes.
    files : ChainFiles or None
        Where it is saved, and goes on from.
    """

    def __init__(self, task: Task, numbers: Sequence[int], *, together: bool, files: ChainFiles | None) -> None:
        self.task, self.numbers, self.together, self.files = task, tuple(numbers), together, files
        width = (len(self.numbers),) if together else ()
        self._values = np.empty((task.draws, *width, task.programs.size))
        self._stats = np.empty((task.draws, *width, len(COLUMNS)))
        self._done = self._gradients = self._saved = 0
        self._divergences = np.zeros(len(self.numbers), dtype=int)
        self._seconds = {"tune": 0.0, "draw": 0.0}
        self._state: Any = None
        self.wall = 0.0
        if files is not None:
            self._go_on_from(files)

    def _go_on_from(self, files: ChainFiles) -> None:
        """Take up what a dead run left. What is damaged is sampled again: to the same draws."""
        found = files.read()
        with float64_on_cpu():
            state = None if found is None else self.task.programs.from_arrays(found[0])
        if found is None or state is None:
            files.clear()
            return
        saved, rows = found
        self._state, self._done = state, int(saved["done"])
        if rows:
            part = part_of(saved, rows)
            self._saved = part.values.shape[1]
            self._values[: self._saved], self._stats[: self._saved] = rows["values"], rows["stats"]
            self._divergences += _divergences(rows["stats"])
        self._gradients, self.wall = int(saved["gradients"]), float(saved["wall_seconds"])
        self._seconds = {"tune": float(saved["tune_seconds"]), "draw": float(saved["draw_seconds"])}

    @property
    def drawn(self) -> int:
        """How many draws there are."""
        return max(0, self._done - self.task.tune)

    @property
    def part(self) -> Part:
        """The draws so far."""
        return part_of(self._numbers(), {"values": self._values[: self.drawn], "stats": self._stats[: self.drawn]})

    def run(self, progress: Progress, stop: threading.Event, began: float, earlier: float) -> None:
        """Sample until all is done, or until it is asked to stop.

        Parameters
        ----------
        progress : Progress
            Where to report.
        stop : threading.Event
            Whether it is asked to.
        began, earlier : float
            When sampling began in this process, and for how many seconds others had sampled before.
        """
        task, total = self.task, self.task.tune + self.task.draws
        with float64_on_cpu():
            self._report(progress)
            if self._state is None:
                self._state = self._start()
            saved_at, is_saved, most_steps = time.perf_counter(), True, 1
            while self._done < total and not stop.is_set():
                phase, end = ("tune", task.tune) if self._done < task.tune else ("draw", total)
                steps, took = self._block(phase, min(BLOCK, end - self._done), most_steps)
                # A leapfrog step costs the same in tuning and after, an iteration does not.
                most_steps = max(1, int(_BLOCK_SECONDS * steps / max(took, 1e-9)))
                now = time.perf_counter()
                self.wall, is_saved = earlier + now - began, False
                if now - saved_at >= task.every:
                    self._save()
                    saved_at, is_saved = time.perf_counter(), True
                self._report(progress)
            if not is_saved:
                self._save()

    def _start(self) -> Any:
        """Return the first state."""
        task = self.task
        keys, inits, metrics = (
            [what[number] for number in self.numbers]
            for what in ({n: chain_key(task.seed, n) for n in self.numbers}, task.inits, task.metrics)
        )
        if self.together:
            state = task.programs.start(stacked(keys), stacked(inits), stacked(metrics), task.arrays)
            states = [jax.tree.map(lambda leaf, lane=i: leaf[lane], state) for i in range(len(self.numbers))]
        else:
            state = task.programs.start(keys[0], inits[0], metrics[0], task.arrays)
            states = [state]
        for number, one in zip(self.numbers, states, strict=True):
            _check_start(one, number, is_given=task.inits[number] is not None)
        return state

    def _block(self, phase: str, iterations: int, most_steps: int) -> tuple[int, float]:
        """Run a block; return how many leapfrog steps it took, one after the other, and how long."""
        began = time.perf_counter()
        limits = np.int64(iterations), np.int64(most_steps)
        count, steps, state, values, stats = self.task.programs.block(self._state, *limits, self.task.arrays)
        n = int(count)
        took = time.perf_counter() - began
        found = np.asarray(stats)[:n]
        if phase == "draw":
            rows = slice(self.drawn, self.drawn + n)
            self._values[rows], self._stats[rows] = np.asarray(values)[:n], found
            self._divergences += _divergences(found)
        self._gradients += int(found[..., COLUMNS.index("n_steps")].sum())
        self._seconds[phase] += took
        self._state = state
        self._done += n
        return int(steps), took

    def _numbers(self) -> dict[str, Any]:
        return {
            "done": self._done, "gradients": self._gradients, "tune_seconds": self._seconds["tune"],
            "draw_seconds": self._seconds["draw"], "wall_seconds": self.wall,
        }  # fmt: skip

    def _save(self) -> None:
        if self.files is None:
            return
        new = slice(self._saved, self.drawn)
        rows = {"values": self._values[new], "stats": self._stats[new]}
        self.files.save(self._numbers() | self.task.programs.to_arrays(self._state), rows, self._saved)
        self._saved = self.drawn

    def _report(self, progress: Progress) -> None:
        phase = "tune" if self._done < self.task.tune else "draw"
        for number, divergences in zip(self.numbers, self._divergences, strict=True):
            progress.update(number, self._done, phase=phase, divergences=int(divergences))


def _divergences(stats: np.ndarray) -> np.ndarray:
    """Return how many draws diverged, of each chain."""
    return np.atleast_1d(stats[..., COLUMNS.index("diverging")].sum(axis=0)).astype(int)


def stacked(each: Sequence[Any]) -> Any:
    """Return values of several chains along a first axis; None where there are none."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)


def check_values(
    what: str, given: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None, shapes: Mapping[str, Any], chains: int
) -> tuple[Any, ...]:
    """Return one mapping a chain, or raise ``SettingError`` with every name and shape that does not fit."""
    if given is None:
        return (None,) * chains
    each = (given,) * chains if isinstance(given, Mapping) else tuple(given)
    if len(each) != chains:
        raise SettingError(f"sample_nuts: {what} has {len(each)} mappings, expected one for {chains} chains.")
    faults, checked = [], []
    for i, values in enumerate(each, start=1):
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


def _check_start(state: Any, chain: int, *, is_given: bool) -> None:
    slopes = {name: np.asarray(state.z_grad[name]) for name in sorted(state.z_grad)}
    bad = [name for name, slope in slopes.items() if not np.isfinite(slope).all()]
    if np.isfinite(state.potential_energy) and not bad:
        return
    found = f"log density {-float(state.potential_energy):g}, gradient not finite for {listed(bad)}"
    if is_given:
        raise SettingError(f"sample_nuts: init of chain {chain + 1} has {found}; expected finite ones.")
    raise BackendError(
        f"sample_nuts: chain {chain + 1} found no start with a finite density and gradient in 100 tries; the "
        f"last had {found}. Check priors and data for values of probability 0, or give a smaller init_radius "
        "or init."
    )
