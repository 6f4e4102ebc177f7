"""The planned fits of a study, what they share, and the work of one of them, in the process that does it."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import Backend
from rlbackends.backends.registry import compile as compile_model
from rlbackends.data.cells import subject_labels
from rlbackends.errors import SettingError, listed
from rlbackends.inference import Fit, Fitter
from rlbackends.inference.certificate import library_versions
from rlbackends.inference.gradients import GradientWarning
from rlbackends.inference.result import ConvergenceWarning
from rlbackends.population.population import Population
from rlbackends.simulation import Simulator
from rlbackends.simulation.compose import check_fit
from rlbackends.simulation.design import Design, check_model, natural_order, read_subjects, stream

if TYPE_CHECKING:
    from rlbackends.model.model import Model
    from rlbackends.tasks.task import Task

# Settings of a fit that change nothing in it, or that a study decides.
_APART = {"self", "model", "backend", "population", "progress", "cores", "log_likelihood", "keep_interrupted"}
Measure = Callable[["Bench", "Draft", Any, Fit], tuple[Fit, dict[str, Any]]]


@dataclass(frozen=True)
class Draft:
    """One fit of a study, as it is planned: all that decides it, besides the :class:`Setup`.

    Attributes
    ----------
    fitted, simulated : str
        Names of the model that is fitted, and of the one that the data are from.
    data_set : int
        Number of the data set, from 1.
    params : mapping of str to numpy.ndarray
        The simulated subjects' parameters.
    seed : tuple of int
        Of everything that is random in the data set and its fit.
    """

    fitted: str
    simulated: str
    data_set: int
    params: Mapping[str, np.ndarray]
    seed: tuple[int, ...]

    @property
    def fit_seed(self) -> int:
        """The sampler's seed."""
        return int(stream(self.seed, "fit", self.fitted).integers(2**31))


@dataclass(frozen=True)
class Setup:
    """What all fits of a study share; it can be pickled.

    Attributes
    ----------
    models : mapping of str to Model
        By name: those that are fitted, and those that simulate.
    tasks : mapping of str to Task
        What each of the simulating models plays.
    populations : mapping of str to Population or None
        Of the fitted models.
    backend : Backend
        What simulates and samples.
    settings : mapping
        Of :class:`rlbackends.Fitter`.
    subjects, blocks, trials
        Who plays how much.
    data : Trials, optional
        Data that are there already, instead of tasks.
    measure : callable, optional
        Takes note of something in each fit that is expensive to find out later.
    extra : object
        What ``measure`` needs.
    """

    models: Mapping[str, Model]
    tasks: Mapping[str, Task]
    populations: Mapping[str, Population | None]
    backend: Backend
    settings: Mapping[str, Any]
    subjects: tuple[Any, ...]
    blocks: Any = 1
    trials: Any = None
    data: Any = None
    measure: Measure | None = None
    extra: Any = None

    def check(self) -> None:
        """Raise for whatever can be known to fail before anything is simulated; no compiling."""
        for name, population in self.populations.items():
            model = self.models[name]
            Fitter(model, backend=self.backend, population=population, **self.settings)  # type: ignore[arg-type]
            if population is not None:
                layout = population.layout(model, self.subjects)
                _check_fixed(layout.fixed, self.subjects)
        for player, task in self.tasks.items():
            check_model(self.models[player], task)
            Design.of(self.subjects, self.blocks, task.n_trials if self.trials is None else self.trials)
            for model in dict.fromkeys([self.models[player], *(self.models[name] for name in self.populations)]):
                check_fit(model, task)
        if self.data is not None:
            for name in self.populations:
                self.data.bind(self.models[name])

    def describe(self) -> dict[str, Any]:
        """Return everything that decides the fits, for a study's manifest."""
        known = inspect.signature(Fitter).parameters.values()
        defaults = {p.name: p.default for p in known if p.name not in _APART and p.kind is p.KEYWORD_ONLY}
        given = {name: value for name, value in self.settings.items() if name not in _APART}
        populations = {}
        for name, population in self.populations.items():
            chosen = Population() if population is None else population
            populations[name] = dict(chosen.layout(self.models[name], self.subjects).description)
        said = {
            "models": {name: digest(model.to_json()) for name, model in self.models.items()},
            "tasks": {name: task.digest for name, task in self.tasks.items()},
            "populations": populations,
            "backend": self.backend.name,
            "settings": {**defaults, **given, "sampler": self.backend.sampler(given.get("sampler")).name},
            "subjects": list(self.subjects),
            "blocks": np.asarray(self.blocks).tolist(),
            "trials": None if self.trials is None else np.asarray(self.trials).tolist(),
            "versions": library_versions(self.backend.packages),
        }
        if self.data is not None:
            said["data"] = {name: self.data.bind(self.models[name]).digest for name in self.populations}
        return said


def digest(text: str) -> str:
    """Return a sha256."""
    return hashlib.sha256(text.encode()).hexdigest()


# ------------------------------------------------------------------------------------------- in the process that works


class Bench:
    """What a process keeps from one fit to the next: simulators and fitters, compiled when they are first needed."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.done = 0
        self._simulators: dict[str, Simulator] = {}
        self._fitters: dict[str, Fitter] = {}
        self._compiled: CompiledModel | None = None

    def data(self, draft: Draft) -> Any:
        """Return the trials of a data set."""
        setup = self.setup
        if setup.data is not None:
            return setup.data
        name = draft.simulated
        if name not in self._simulators:
            self._simulators[name] = Simulator(setup.models[name], setup.tasks[name], setup.backend)
        return (
            self._simulators[name]
            .run(draft.params, subjects=setup.subjects, blocks=setup.blocks, trials=setup.trials, seed=draft.seed)
            .data
        )

    def fitter(self, name: str) -> Fitter:
        """Return the fitter of a model."""
        if name not in self._fitters:
            setup = self.setup
            # Ctrl-C stops a study: a fit that was cut short is never taken for a finished one.
            settings = {**setup.settings, "keep_interrupted": False}
            self._fitters[name] = Fitter(
                setup.models[name], backend=setup.backend, population=setup.populations[name], **settings
            )  # type: ignore[arg-type]
        return self._fitters[name]

    def total_log_likelihood(self, name: str, data: Any, params: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the log-likelihood of all data at parameters of shape (draw, subject)."""
        if self._compiled is None:
            model = self.setup.models[name]
            compiled = compile_model(model, data, self.setup.backend, population=self.setup.populations[name])
            self._compiled = compiled.for_checking()
        else:
            self._compiled = self._compiled.with_data(data)
        total: Any = 0.0
        for response, values in self._compiled.engine.log_likelihood_draws(params).items():
            total = total + np.asarray(values)[:, self._compiled.data.observed(response)].sum(axis=1)
        return np.asarray(total)


def do_fit(bench: Bench, draft: Draft, path: Path) -> None:
    """Simulate, fit, and save the fit: the work of a job."""
    started = time.perf_counter()
    data = bench.data(draft)
    simulated = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the study tells of them, once
        warnings.simplefilter("ignore", GradientWarning)  # told when the settings were checked
        fit = bench.fitter(draft.fitted).fit(data, seed=draft.fit_seed)
    notes: dict[str, Any] = {
        "data_set": draft.data_set, "simulated": draft.simulated, "fitted": draft.fitted, "seed": list(draft.seed),
        "truth": {name: np.asarray(value).tolist() for name, value in draft.params.items()}, **fit.diagnostics,
    }  # fmt: skip
    if bench.setup.measure is not None:
        fit, measured = bench.setup.measure(bench, draft, data, fit)
        notes |= measured
    notes |= {
        "simulate_seconds": simulated - started, "fit_seconds": time.perf_counter() - simulated,
        "nth_of_process": bench.done + 1, "process": os.getpid(),
    }  # fmt: skip
    fit.tree.attrs["study"] = json.dumps(notes)
    fit.save(path)
    bench.done += 1


# ------------------------------------------------------------------------------------------------- what users give


def _check_fixed(fixed: Mapping[str, np.ndarray], subjects: tuple[Any, ...]) -> None:
    """Raise where it can't be told whose a value is that is fixed for each subject."""
    names = [name for name, values in fixed.items() if np.ptp(values) > 0]
    ordered = natural_order(subjects)[0]
    if names and list(ordered) != list(subjects):
        raise SettingError(
            f"the population fixes {listed(names)} for each subject, in the order that data have: natural order. Give "
            f"the subjects in it, too: {listed(ordered[:5])}{', …' if len(ordered) > 5 else ''}."
        )


def labels_of(subjects: Any) -> tuple[Any, ...]:
    """Return labels of subjects from their number or labels, in the form that data give them."""
    return tuple(subject_labels(read_subjects(subjects, {})))


def in_order(values: np.ndarray, subjects: tuple[Any, ...], wanted: Any) -> np.ndarray:
    """Return values of subjects in the order of a fit's subjects; data put labels into natural order."""
    place = {str(label): i for i, label in enumerate(subjects)}
    return np.asarray(values)[[place[str(label)] for label in wanted]]


def study_settings(settings: Mapping[str, Any], workers: Any, **ours: Any) -> dict[str, Any]:
    """Return a fit's settings with those that a study decides."""
    for name in ("seed", "output", "overwrite", "checkpoint", "checkpoint_seconds", "keep_interrupted"):
        if name in settings:
            raise SettingError(f"'{name}' is not a setting of a study's single fits. Leave it out.")
    chosen = {**settings, **ours, "progress": "off"}
    if workers != 1 or not isinstance(workers, int):
        chosen.setdefault("cores", 1)  # the workers are all the processors there are
    return chosen


def check_count(where: str, name: str, value: Any, least: int = 1) -> None:
    """Raise ``SettingError`` unless a count is a whole number."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise SettingError(f"{where}: {name} is {value!r}, expected a whole number of at least {least}.")
