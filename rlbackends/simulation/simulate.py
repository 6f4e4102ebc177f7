"""``rl.simulate``: what subjects of a model do in a task, the same on every backend."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.registry import Backend, get_backend, installed_backends
from rlbackends.backends.values import read_params
from rlbackends.data import BoundTrials, Trials
from rlbackends.data.arrays import trials_from_arrays
from rlbackends.population.population import Population
from rlbackends.simulation.compose import DRAW, EDGE, WORLD, compose
from rlbackends.simulation.design import (
    Design,
    bind_design,
    check_model,
    composed_arrays,
    draw_schedule,
    draw_uniforms,
    natural_order,
    read_subjects,
    read_uniforms,
    reordered,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from rlbackends.model.model import Model
    from rlbackends.tasks.task import Task

_PART = 5_000  # subjects that are played at once, where a backend can play several parts at a time
NEAR = 1e-12
"""A uniform this near to a cdf's edge may fall on the other side of it on another machine."""


class Simulation:
    """What simulated subjects did: made by :func:`rlbackends.simulate`.

    Attributes
    ----------
    model, task
        Who played what.
    params : mapping of str to numpy.ndarray
        The subjects' parameters, (subject,) or (subject, trial).
    subjects : tuple
        Labels, in natural order.
    blocks : numpy.ndarray
        (subject × trial) the block of each trial from 1; 0 behind a subject's last trial.
    events : mapping of str to numpy.ndarray
        Every event of the task, subject × trial × axes: whole numbers from 0 where the event counts, reals elsewhere.
        Behind a subject's last trial there is 0 or NaN.
    uniforms : mapping of str to numpy.ndarray
        The uniform numbers that decided the draws, by event.
    near_edge : int
        How many draws had a uniform within 1e-12 of an edge between two outcomes: there another machine may draw
        otherwise.
    backend : str
        What computed.
    seed : int or None
        Where the uniform numbers came from.
    """

    def __init__(
        self, model: Model, task: Task, design: Design, params: Mapping[str, np.ndarray],
        found: Mapping[str, np.ndarray], given: Mapping[str, np.ndarray], uniforms: Mapping[str, np.ndarray],
        edges: Sequence[str], backend: str, seed: Any,
    ) -> None:  # fmt: skip
        self.model = model
        self.task = task
        self.params = params
        self.subjects = design.subjects
        self.blocks = design.blocks
        self.uniforms = uniforms
        self.backend = backend
        self.seed = seed
        self._design = design
        self._found = found
        self._given = given
        played = design.blocks > 0
        near = [np.count_nonzero((found[EDGE.format(name)] < NEAR) & played) for name in edges]
        self.near_edge = int(sum(near))

    def __repr__(self) -> str:
        lengths = self._design.lengths
        shortest, longest = int(lengths.min()), int(lengths.max())
        trials = f"{longest}" if shortest == longest else f"{shortest}–{longest}"
        who = "1 subject" if len(self.subjects) == 1 else f"{len(self.subjects)} subjects"
        draws = "1 draw" if self.near_edge == 1 else f"{self.near_edge} draws"
        near = f"; {draws} at an edge" if self.near_edge else ""
        return f"Simulation({self.model.name} in {self.task.name}: {who} × {trials} trials, on {self.backend}{near})"

    @cached_property
    def events(self) -> Mapping[str, np.ndarray]:
        """Every event of the task, subject × trial × axes."""
        result = {}
        padding = self.blocks == 0
        for name, event in self.task.events.items():
            values = self._given[name] if event.source == "schedule" else self._found[DRAW.format(name)]
            counts = event.kind.name == "int"
            if padding.any():
                values = np.array(values)
                values[padding] = 0 if counts else np.nan
            if counts and not np.isnan(values).any():  # a sub-choice that was not there is NaN
                values = values.astype(np.int64)
            result[name] = values
        return result

    @cached_property
    def data(self) -> Trials:
        """The trials, ready for :func:`rlbackends.fit`; codes from 0 are their labels."""
        levels = {}
        for name, event in self.task.events.items():
            if event.kind.name == "int" and event.kind.lo >= 0:
                read = self.model.events.get(name, event)  # the model may count further than the task does
                levels[name] = range((read if read.kind.name == "int" else event).kind.hi + 1)
        trials = trials_from_arrays(self.subjects, self._design.lengths, self.blocks, None, levels, self.events)
        return replace(trials, source=self.task.name)

    @cached_property
    def trajectories(self) -> xr.Dataset:
        """Every state of the model before each trial's update, and its records; NaN behind the last trial."""
        names = {name: state.axes for name, state in self.model.states.items()}
        names |= {name: node.axes for name, node in self.model.records.items()}
        return self._dataset({name: self._found[name] for name in names}, names)

    @cached_property
    def world(self) -> xr.Dataset:
        """What the subjects did not see: the task's hidden variables, and its states before each trial's update."""
        names = {name: v.axes for name, v in self.task.scheduled.items() if name not in self.task.events}
        values = {name: self._given[name].astype(np.float64) for name in names}
        names |= {name: state.axes for name, state in self.task.states.items()}
        values |= {name: self._found[WORLD.format(name)] for name in self.task.states}
        return self._dataset(values, names)

    def _dataset(self, values: Mapping[str, np.ndarray], axes: Mapping[str, Any]) -> xr.Dataset:
        import xarray as xr

        played = self.blocks > 0
        variables = {}
        for name, array in values.items():
            dims = [axis.name or f"{name}_axis_{i}" for i, axis in enumerate(axes[name])]
            mask = played.reshape(played.shape + (1,) * (array.ndim - 2))
            variables[name] = (("subject", "trial", *dims), np.where(mask, array, np.nan))
        coords = {
            "subject": list(self.subjects),
            "trial": np.arange(self._design.n_steps),
            "trial_number": (("subject", "trial"), self._design.trial_numbers),
        }
        return xr.Dataset(variables, coords=coords)

    def frame(self, trajectories: bool = False) -> pd.DataFrame:
        """Return a tidy row a trial: ``subject``, ``block``, ``trial`` and the events.

        Parameters
        ----------
        trajectories : bool, default False
            Whether the model's states (``q_0``, before the trial's update) and records come, too.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        rows, columns = np.nonzero(self.blocks > 0)
        table: dict[str, Any] = {
            "subject": np.asarray(self.subjects)[rows],
            "block": self.blocks[rows, columns],
            "trial": self._design.trial_numbers[rows, columns],
        }
        shown = dict(self.events)
        if trajectories:
            shown |= {name: self._found[name] for name in (*self.model.states, *self.model.records)}
        for name, values in shown.items():
            for entry in np.ndindex(values.shape[2:]):
                label = "_".join([name, *map(str, entry)])
                table[label] = values[(rows, columns, *entry)]
        return pd.DataFrame(table)

    def save_csv(self, path: str | os.PathLike[str], *, overwrite: bool = False, trajectories: bool = False) -> Path:
        """Write :meth:`frame` as a CSV file, whole or not at all.

        Raises
        ------
        SettingError
            If it can't be written, or is there and ``overwrite`` is False.
        """
        from rlbackends.data.files import write_whole

        table = self.frame(trajectories)
        return write_whole(path, lambda name: table.to_csv(name, index=False), overwrite=overwrite)


class Simulator:
    """A model compiled to play a task, to be run many times.

    Parameters
    ----------
    model : Model
        Who plays.
    task : Task
        What is played.
    backend : str or Backend, optional
        What computes; default: the first of numpyro, pymc and reference that is installed. They draw the same.
    **settings
        The backend's own settings.

    Raises
    ------
    ModelError
        If the task lacks what the model needs, or their sizes disagree.
    """

    def __init__(self, model: Model, task: Task, backend: str | Backend | None = None, **settings: Any) -> None:
        check_model(model, task)
        self.model = model
        self.task = task
        self.composed = compose(model, task)
        self.player = Player(self.composed.model, backend, **settings)

    @property
    def backend(self) -> str:
        """The backend's name."""
        return self.player.backend

    def run(
        self, params: Mapping[str, Any], *, subjects: Any = None, blocks: Any = 1, trials: Any = None, seed: Any = 0,
        uniforms: Mapping[str, Any] | None = None,
    ) -> Simulation:  # fmt: skip
        """Simulate; the arguments are those of :func:`rlbackends.simulate`."""
        labels, order = natural_order(read_subjects(subjects, params))
        if order != sorted(order):
            blocks, trials = reordered(blocks, order), reordered(trials, order)
            params = {name: reordered(values, order) for name, values in params.items()}
            uniforms = uniforms and {name: reordered(values, order) for name, values in uniforms.items()}
        design = Design.of(labels, blocks, self.task.n_trials if trials is None else trials)
        given = draw_uniforms(self.composed, design, seed) if uniforms is None else None
        numbers = read_uniforms(self.composed, design, uniforms or {}) if given is None else given
        return self.play(design, params, draw_schedule(self.task, design, seed), numbers, seed)

    def play(
        self, design: Design, params: Mapping[str, Any], schedule: Mapping[str, np.ndarray],
        uniforms: Mapping[str, np.ndarray], seed: Any,
    ) -> Simulation:  # fmt: skip
        """Simulate a design with uniforms and schedules that are there already."""
        data = bind_design(self.composed, design, composed_arrays(self.task, schedule, uniforms), {})
        arrays = read_params(self.model, data, params)
        found = self.player.play(data, arrays)
        return Simulation(
            self.model, self.task, design, arrays, found, schedule, uniforms, self.composed.edges, self.backend, seed
        )


class Player:
    """A composed model on a backend; what was compiled serves all data of one structure."""

    def __init__(self, model: Model, backend: str | Backend | None, **settings: Any) -> None:
        self._model = model
        row = get_backend(_default_backend() if backend is None else backend)
        self.backend = row.name
        self._module = row.load()
        # What is wanted once should be quick to compile.
        self._settings = {**getattr(self._module, "SIMULATION_SETTINGS", {}), **settings}
        self._engine: Any = None

    def play(self, data: BoundTrials, params: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the composed model's states and records, subject × trial × axes."""
        parts = -(-data.n_subjects // _PART)
        if parts == 1 or not getattr(self._module, "RUNS_IN_THREADS", False):
            self._engine = self._engine_for(data)
            found: dict[str, np.ndarray] = self._engine.trajectories(params)
            return found
        return self._in_parts(data, params, parts + parts % 2)

    def _engine_for(self, data: BoundTrials) -> Any:
        if self._engine is not None and self._engine.data.n_subjects == data.n_subjects:
            return self._engine.with_data(data)
        layout = Population("none").layout(self._model, data.subjects)
        return self._module.Engine(self._model, data, layout, **self._settings)

    def _in_parts(self, data: BoundTrials, params: Mapping[str, np.ndarray], parts: int) -> dict[str, np.ndarray]:
        """Play some subjects at a time, as many parts at once as there are processors; nothing else depends on it."""
        size = -(-data.n_subjects // parts)
        # The last part takes subjects of the one before again rather than being compiled for its own size.
        firsts = dict.fromkeys(min(part * size, data.n_subjects - size) for part in range(parts))
        rows = [slice(first, first + size) for first in firsts]
        shapes = {name: state.shape for name, state in self._model.states.items()}
        shapes |= {name: node.shape for name, node in self._model.records.items()}
        # In memory trials come first, as the loop makes them.
        result = {
            name: np.empty((data.n_steps, data.n_subjects, *shape)).swapaxes(0, 1) for name, shape in shapes.items()
        }
        self._engine = self._engine_for(data.rows(rows[0]))

        def play(part: slice) -> None:
            engine = self._engine.with_data(data.rows(part))
            found = engine.trajectories({name: values[part] for name, values in params.items()})
            for name, values in found.items():
                result[name][part] = values

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(play, rows))
        return result


def _default_backend() -> str:
    return next(name for name in ("numpyro", "pymc", "reference") if name in installed_backends())


def simulate(
    model: Model,
    task: Task,
    params: Mapping[str, Any],
    *,
    subjects: Any = None,
    blocks: int | Sequence[int] = 1,
    trials: int | Sequence[int] | None = None,
    seed: int = 0,
    backend: str | Backend | None = None,
    uniforms: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Simulation:
    """Simulate subjects of a model in a task.

    Parameters
    ----------
    model : Model
        How the subjects respond and learn.
    task : Task
        What happens to them.
    params : mapping
        Each parameter's values: a number, one per subject (or a mapping by label), or subject × trial.
    subjects : int or sequence, optional
        How many, or their labels; default: as many as the parameters have values. What is given one per subject is in
        the order of these labels; what comes out has subjects in natural order, as data have.
    blocks : int or sequence of int, default 1
        Blocks that each subject plays; one per subject if they differ.
    trials : int or sequence of int, optional
        Trials of a block; one per subject if they differ. Default: the task's.
    seed : int, default 0
        The same seed gives the same draws on every backend.
    backend : {"numpyro", "pymc", "reference"}, optional
        What computes; default: the first that is installed.
    uniforms : mapping of str to array, optional
        The uniform numbers in [0, 1) that decide the draws, by event, subject × trial (× axes); default: drawn from
        the seed.
    **settings
        The backend's own settings.

    Returns
    -------
    Simulation

    Raises
    ------
    ModelError
        If the task lacks what the model needs, or their sizes disagree.
    ParameterError
        If a parameter is unknown, lacking, of the wrong size, or outside its support.
    SettingError
        If numbers of subjects, blocks or trials make no sense.

    Notes
    -----
    A response or an outcome is drawn from a uniform number by the inverse of its cumulative distribution, and the
    uniform numbers come from the seed alone. So every backend draws the same choices and discrete outcomes; continuous
    outcomes and trajectories agree within rounding.

    Examples
    --------
    >>> import rlbackends as rl
    >>> played = rl.simulate(
    ...     rl.catalogue.rescorla_wagner(), rl.tasks.bandit(probabilities=(0.2, 0.8)), {"alpha": 0.3, "beta": 5.0},
    ...     subjects=30, trials=50,
    ... )
    >>> played.data
    Trials(30 subjects × 50 trials; choice, reward; from bandit)
    """
    simulator = Simulator(model, task, backend, **settings)
    return simulator.run(params, subjects=subjects, blocks=blocks, trials=trials, seed=seed, uniforms=uniforms)

