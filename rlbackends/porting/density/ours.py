"""Our joint density at some points, term by term, and with parts of it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.expressions.node import Node
from rlbackends.population.priors import Normal
from rlbackends.population.transforms import log_jacobian
from rlbackends.porting.compare.setup import Setup, predicted

if TYPE_CHECKING:
    from rlbackends.backends.protocol import CompiledModel
    from rlbackends.population.layout import Latent

Values = Mapping[str, np.ndarray]
_BATCH = 400_000  # trials, over draws and subjects, that are computed at once


def _stacked(params: Sequence[Values]) -> dict[str, np.ndarray]:
    return {name: np.stack([p[name] for p in params]) for name in params[0]}


class Ours:
    """Every term of our joint density.

    Parameters
    ----------
    compiled : CompiledModel
        The model with its data and population.
    points : sequence of mappings
        Unconstrained values of the latents.
    has_jacobians : bool
        Whether the density is one of unconstrained values.
    by_engine : bool, default False
        Whether the likelihood at the points is that of the compiled model's backend; otherwise all of it is computed
        here, on all points at once.

    Attributes
    ----------
    values : list of dict
        The latents on the natural scale, at each point.
    log_prior, log_jacobian : dict of str to array
        Latent → (point, entry), the entries being subjects, or one. Jacobians of bounded latents only.
    cells : dict of str to array
        Response → (point, subject, trial) log-likelihood, 0 where nothing counts.
    """

    def __init__(
        self, compiled: CompiledModel, points: Sequence[Values], *, has_jacobians: bool, by_engine: bool = False
    ) -> None:
        self.by_engine = by_engine
        self.compiled, self.layout, self.points = compiled, compiled.layout, list(points)
        self.has_jacobians = has_jacobians
        self.values = [self.layout.constrain(z) for z in self.points]
        self.latents: dict[str, Latent] = {latent.name: latent for latent in self.layout.latents}
        with np.errstate(all="ignore"):
            self.log_prior = {name: self._priors(latent) for name, latent in self.latents.items()}
            self.log_jacobian = {
                name: np.stack([np.atleast_1d(log_jacobian(z[name], latent.bounds)) for z in self.points])
                for name, latent in self.latents.items()
                if np.isfinite(latent.bounds).any()
            }
        compute = self._from_engine if by_engine else self._played
        self.cells = compute(self.parameters())

    def _priors(self, latent: Latent) -> np.ndarray:
        return np.stack([np.atleast_1d(self.prior_at(latent, values)) for values in self.values])

    @staticmethod
    def prior_at(latent: Latent, values: Values) -> np.ndarray:
        """Return a latent's log-prior, entry by entry."""
        if latent.prior is not None:
            return np.asarray(latent.prior.log_density(values[latent.name]))
        assert latent.parents is not None
        location, sd = (float(values[name]) for name in latent.parents)
        if not sd > 0:
            return np.full(np.shape(values[latent.name]), -np.inf)
        return np.asarray(Normal(location, sd).log_density(values[latent.name]))

    @property
    def n_points(self) -> int:
        """How many points there are."""
        return len(self.points)

    @property
    def n_subjects(self) -> int:
        """How many subjects there are."""
        return self.layout.n_subjects

    def _from_engine(self, params: Sequence[Values]) -> dict[str, np.ndarray]:
        """Return each response's log-likelihood as the backend computes it, (point, subject, trial)."""
        with np.errstate(all="ignore"):
            found = self.compiled.engine.log_likelihood_draws(_stacked(params))
        return {name: self._counted(name, found[name]) for name in self.compiled.model.responses}

    def _played(self, params: Sequence[Values]) -> dict[str, np.ndarray]:
        """Return the same of any parameters, all subjects and draws at once."""
        data, found = self.compiled.data, []
        batch = max(1, _BATCH // data.valid.size)
        for first in range(0, len(params), batch):
            setup = Setup.of(self.compiled.model, data, list(params[first : first + batch]))
            with np.errstate(all="ignore"):
                found.append(predicted(setup, apart=True)[0])
        return {
            name: self._counted(name, np.concatenate([part[name] for part in found]))
            for name in self.compiled.model.responses
        }

    def _counted(self, response: str, cells: np.ndarray) -> np.ndarray:
        data = self.compiled.data
        return np.where(data.counts & data.observed(response), cells, 0.0)

    def changed_by(self, params: Sequence[Values]) -> np.ndarray:
        """Return by how much the log-likelihood changes, (try, point), if subjects' parameters are these.

        Parameters
        ----------
        params
            Of all points for the first try, then of all for the second, and so on.
        """
        everything = [*self.parameters(), *params]
        played = np.sum([cells.sum(axis=(1, 2)) for cells in self._played(everything).values()], axis=0)
        with np.errstate(all="ignore"):
            return played[self.n_points :].reshape(-1, self.n_points) - played[: self.n_points]

    def parameters(
        self, changes: Sequence[Values] | None = None, graphs: Mapping[str, Node] | None = None
    ) -> list[dict[str, np.ndarray]]:
        """Return subjects' parameters at each point, from changed values of latents or by other graphs."""
        layout = self.layout if graphs is None else replace(self.layout, natural={**self.layout.natural, **graphs})
        changes = [{}] * self.n_points if changes is None else changes
        with np.errstate(all="ignore"):
            return [layout.parameters({**v, **change}) for v, change in zip(self.values, changes, strict=True)]

    @property
    def by_subject(self) -> np.ndarray:
        """Each subject's log-likelihood, (point, subject)."""
        return np.sum([cells.sum(axis=2) for cells in self.cells.values()], axis=0)

    @property
    def log_likelihood(self) -> np.ndarray:
        """The whole log-likelihood, (point,)."""
        return self.by_subject.sum(axis=1)

    @property
    def terms(self) -> dict[str, np.ndarray]:
        """Each term under its name, (point,)."""
        several = len(self.cells) > 1
        found = {
            f"log-likelihood of {name}" if several else "log-likelihood": cells.sum(axis=(1, 2))
            for name, cells in self.cells.items()
        }
        for name, latent in self.latents.items():
            found[f"prior of {name}"] = self.log_prior[name].sum(axis=1)
            if self.has_jacobians and latent.name in self.log_jacobian:
                found[f"Jacobian of {name}"] = self.log_jacobian[name].sum(axis=1)
        return found

    @property
    def total(self) -> np.ndarray:
        """The log-density, (point,)."""
        return np.sum(list(self.terms.values()), axis=0)

    @property
    def scale(self) -> np.ndarray:
        """What differences are measured in, (point,): the sum of the terms' sizes, and at least 1."""
        return np.maximum(1.0, np.sum(np.abs(list(self.terms.values())), axis=0))
