"""The reference backend: slow, plain, and the meaning of all others. It explains and checks; it does not sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import layout_for, take_settings
from rlbackends.backends.reference.density import log_density_and_gradient
from rlbackends.backends.reference.loop import SubjectRun, run_subject

if TYPE_CHECKING:
    from rlbackends.backends.protocol import Arrays
    from rlbackends.data import BoundTrials
    from rlbackends.model.model import Model
    from rlbackends.population.layout import Layout


class ReferenceEngine:
    """Computes in NumPy, one trial of one subject at a time."""

    name = "reference"

    def __init__(self, model: Model, data: BoundTrials, layout: Layout, **settings: Any) -> None:
        self.read_settings(settings)
        self.model = model
        self.data = data
        self.layout = layout
        self._last: tuple[Any, bool, list[SubjectRun]] | None = None

    @staticmethod
    def read_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return no settings; raise ``SettingError`` if some are given."""
        return take_settings(ReferenceEngine.name, settings, {})

    def with_data(self, data: BoundTrials) -> ReferenceEngine:
        """Return an engine of the same model and population for other data."""
        return type(self)(self.model, data, layout_for(self.layout, self.model, data))

    def for_checking(self) -> ReferenceEngine:
        """Return itself: nothing is compiled."""
        return self

    def _runs(self, params: Arrays, *, gradient: bool = False) -> list[SubjectRun]:
        # One run gives everything, so the last one is kept: callers ask for several quantities at the same values.
        key = tuple((name, value.shape, value.tobytes()) for name, value in sorted(params.items()))
        if self._last is None or self._last[0] != key or (gradient and not self._last[1]):
            self._last = (key, gradient, self._run(params, gradient=gradient))
        return self._last[2]

    def _run(self, params: Arrays, *, gradient: bool) -> list[SubjectRun]:
        return [
            run_subject(self.model, self.data, s, {name: value[s] for name, value in params.items()}, gradient=gradient)
            for s in range(self.data.n_subjects)
        ]

    def _padded(self, rows: list[np.ndarray]) -> np.ndarray:
        result = np.full((len(rows), self.data.n_steps, *rows[0].shape[1:]), np.nan)
        for row, values in enumerate(rows):
            result[row, : len(values)] = values
        return result

    def log_likelihood(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood, subject × trial; NaN where nothing was observed."""
        runs = self._runs(params)
        return {name: self._padded([run.log_likelihood[name] for run in runs]) for name in self.model.responses}

    def log_likelihood_draws(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return the log-likelihood at many draws, (draw, subject, trial), from parameters (draw, subject)."""
        return self._at_each(self.log_likelihood, params)

    def trajectories_draws(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return trajectories at many draws, (draw, subject, trial, *axes), from parameters (draw, subject)."""
        return self._at_each(self.trajectories, params)

    def _at_each(self, function: Callable[[Arrays], dict[str, np.ndarray]], params: Arrays) -> dict[str, np.ndarray]:
        count = len(next(iter(params.values())))
        rows = [function({name: value[i] for name, value in params.items()}) for i in range(count)]
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    def trajectories(self, params: Arrays) -> dict[str, np.ndarray]:
        """Return states before each trial's update and records, subject × trial × axes."""
        runs = self._runs(params)
        return {name: self._padded([run.trajectories[name] for run in runs]) for name in runs[0].trajectories}

    def value_and_gradient(self, params: Arrays) -> tuple[float, dict[str, np.ndarray]]:
        """Return the summed log-likelihood and its gradient, of the parameters' own shapes."""
        runs = self._runs(params, gradient=True)
        total = float(sum(run.total for run in runs))
        gradient = {name: np.zeros(value.shape) for name, value in params.items()}
        for row, run in enumerate(runs):
            for name, value in run.gradients.items():
                if np.ndim(value):
                    gradient[name][row, : len(value)] = value
                else:
                    gradient[name][row] = value
        return total, gradient

    def value_and_gradient_draws(self, params: Arrays) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return each subject's log-likelihood at many draws, and its gradient by parameter: all (draw, subject)."""
        count = len(next(iter(params.values())))
        rows = [self._runs({name: value[i] for name, value in params.items()}, gradient=True) for i in range(count)]
        values = np.array([[run.total for run in runs] for runs in rows])
        return values, {name: np.array([[run.gradients[name] for run in runs] for runs in rows]) for name in params}

    def log_density(self, z: Mapping[str, np.ndarray]) -> float:
        """Return the log-density of unconstrained latents: log-likelihood, priors and Jacobians."""
        params = self.layout.parameters(self.layout.constrain(z))
        return float(sum(run.total for run in self._runs(params))) + self.layout.log_prior(z)

    def log_density_and_gradient(self, z: Mapping[str, np.ndarray]) -> tuple[float, dict[str, np.ndarray]]:
        """Return the log-density of unconstrained latents and its gradient."""
        return log_density_and_gradient(self.layout, z, self.value_and_gradient)
