"""How likely a subject's responses are given the group: the subject's own parameters are integrated out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.inference.comparison.offsets import Offsets
from rlbackends.inference.comparison.psis import log_mean_exp

if TYPE_CHECKING:
    from rlbackends.backends.protocol import CompiledModel

Arrays = Mapping[str, np.ndarray]

_FROM_PRIOR = 0.25  # share of the points that come from the prior: they bound the importance weights
_WIDER = 1.2  # than the subject's posterior given the group is the distribution of the other points
_CHUNK = 2**16  # points at a time, of all subjects


@dataclass(frozen=True)
class Marginal:
    """Each subject's marginal log-likelihood at draws of the group.

    Attributes
    ----------
    log_p : numpy.ndarray
        (draw, subject).
    ess : numpy.ndarray
        (draw, subject) how many independent points the importance weights are worth.
    n_points : int
        How many points there were.
    """

    log_p: np.ndarray
    ess: np.ndarray
    n_points: int

    @property
    def variance(self) -> np.ndarray:
        """(draw, subject) the squared relative error of a probability, if points were independent."""
        return np.maximum(1.0 / self.ess - 1.0 / self.n_points, 0.0)


class SubjectIntegral:
    """Integrates over subjects' own parameters; knows where their posteriors lie.

    Given the group, a subject's offsets are standard normal. The proposal is their posterior given this draw of the
    group, in a normal approximation: the log-likelihood is taken as a quadratic function of the parameters on the link
    scale, fitted to its values at draws of the posterior. A share of the points comes from the prior, so that no weight
    is larger than the likelihood allows. Points are a shifted Sobol sequence, shifted anew for each draw and subject.

    Parameters
    ----------
    compiled : CompiledModel
        The model and data of the fit.
    posterior : mapping of str to array
        Draws of all latents given all data, (draw, …).
    """

    def __init__(self, compiled: CompiledModel, posterior: Arrays) -> None:
        self.compiled = compiled
        self.offsets = Offsets.of(compiled.layout, posterior)
        self._group = [latent.name for latent in compiled.layout.latents if not latent.per_subject]
        if self.offsets.latents:
            group = {name: posterior[name] for name in self._group}
            start, slope = self.offsets.affine(group)
            offsets = self.offsets.read(posterior)
            values = start + np.einsum("dsvo,dso->dsv", slope, offsets)
            log_p = self._log_likelihood(group, offsets)
            self._centre, self._precision = _site(values, log_p)

    def at(self, draws: Arrays, *, points: int, seed: int) -> Marginal:
        """Return the marginal log-likelihood at draws of the group's latents, each (draw,)."""
        if not self.offsets.latents:
            log_p = self._log_likelihood({name: draws[name] for name in self._group}, None)
            return Marginal(log_p, np.ones(log_p.shape), 1)
        n_draws = len(next(iter(draws.values())))
        group = {name: np.asarray(draws[name]) for name in self._group}
        if not group:  # nothing is shared: one integral, with all the points
            points, n_draws = points * n_draws, 1
            points = 2 ** min(int(np.ceil(np.log2(points))), 14)
        log_p, ess = [], []
        step = max(1, _CHUNK // (points * self.compiled.data.n_subjects))
        rng = np.random.default_rng(seed)
        base = _sobol(points, len(self.offsets.latents), seed)
        for first in range(0, n_draws, step):
            part = {name: value[first : first + step] for name, value in group.items()}
            found = self._part(part, min(step, n_draws - first), base, rng)
            log_p.append(found[0])
            ess.append(found[1])
        return Marginal(np.concatenate(log_p), np.concatenate(ess), points)

    def _part(
        self, group: Arrays, n_draws: int, base: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        start, slope = self.offsets.affine(group)
        # In offsets: the prior's precision is 1, the likelihood's that of its site.
        back = np.swapaxes(slope, -1, -2) @ self._precision
        precision = np.eye(slope.shape[-1]) + back @ slope
        covariance = np.linalg.inv(precision)
        mean = (covariance @ (back @ (self._centre - start)[..., None]))[..., 0]
        root = _WIDER * np.linalg.cholesky(covariance)
        points = _points(base, (n_draws, self.compiled.data.n_subjects), rng)
        n_prior = max(1, round(_FROM_PRIOR * len(base)))
        moved = mean + np.einsum("dsij,pdsj->pdsi", root, points[n_prior:])
        offsets = np.concatenate([points[:n_prior], moved])
        log_q = _log_mixture(offsets, mean, root, n_prior / len(base))
        flat = offsets.reshape(-1, *offsets.shape[2:])
        spread = {name: np.tile(value, len(base)) for name, value in group.items()}
        log_p = self._log_likelihood(spread, flat).reshape(offsets.shape[:3])
        weights = log_p + self.offsets.log_prior(offsets) - log_q
        top = weights.max(axis=0)
        with np.errstate(invalid="ignore"):
            share = np.exp(weights - np.where(np.isfinite(top), top, 0.0))
            ess = share.sum(axis=0) ** 2 / (share**2).sum(axis=0)
        return log_mean_exp(weights), np.where(np.isfinite(ess), ess, 1.0)

    def _log_likelihood(self, group: Arrays, offsets: np.ndarray | None) -> np.ndarray:
        """Return each subject's log-likelihood, (draw, subject); all observed responses count."""
        compiled = self.compiled
        values: Any = group if offsets is None else self.offsets.values(group, offsets)
        params = compiled.layout.parameters(values, leading=1)
        if not group and offsets is None:
            params = {name: np.array(value)[None] for name, value in compiled.layout.parameters({}).items()}
        found = compiled.engine.log_likelihood_draws({name: np.array(value) for name, value in params.items()})
        total: Any = 0.0
        for name in compiled.model.responses:
            total = total + np.where(compiled.data.observed(name), found[name], 0.0).sum(axis=-1)
        return np.asarray(total)


def _site(values: np.ndarray, log_p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centre (subject, value) and precision (subject, value, value) of each subject's likelihood, as a normal.

    A quadratic function of the values, (draw, subject, value), is fitted to the log-likelihood, (draw, subject), where
    the posterior is. Directions in which it does not bend down have no precision.
    """
    n_draws, n_subjects, n = values.shape
    upper = np.triu_indices(n)
    centre, precision = np.empty((n_subjects, n)), np.zeros((n_subjects, n, n))
    for s in range(n_subjects):
        middle, scale = values[:, s].mean(axis=0), values[:, s].std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        x = (values[:, s] - middle) / scale
        terms = np.column_stack([np.ones(n_draws), x, (x[:, :, None] * x[:, None, :])[:, *upper]])
        there = np.isfinite(log_p[:, s])
        found = np.linalg.lstsq(terms[there], log_p[there, s], rcond=1e-10)[0]
        bend = np.zeros((n, n))
        bend[upper] = found[1 + n :]
        bent, axes = np.linalg.eigh(-(bend + bend.T))
        bent = np.maximum(bent, 0.0)
        along = axes.T @ found[1 : 1 + n]
        # A direction that hardly bends would have its centre far away.
        way = np.where(bent > 1e-3, along / np.maximum(bent, 1e-3), 0.0)
        bent = np.where(bent > 1e-3, bent, 0.0)
        centre[s] = middle + scale * (axes @ way)
        precision[s] = (axes * bent) @ axes.T / np.outer(scale, scale)
    return centre, precision


def _sobol(points: int, dimensions: int, seed: int) -> np.ndarray:
    """Return a scrambled Sobol sequence, (point, dimension), in an order of its own."""
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, rng=np.random.default_rng([seed, 1]))
    return np.asarray(sequence.random_base2(int(np.log2(points))))


def _points(base: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Return standard normal points (point, draw, subject, dimension): the sequence, each time shifted."""
    from scipy.special import ndtri

    unit = (base[:, None, None, :] + rng.random((*shape, base.shape[1]))) % 1.0
    return np.asarray(ndtri(np.clip(unit, 1e-12, 1 - 1e-12)))


def _log_mixture(offsets: np.ndarray, mean: np.ndarray, root: np.ndarray, from_prior: float) -> np.ndarray:
    """Return the log-density that points were drawn with: the standard normal and the proposal, mixed."""
    half_log = 0.5 * offsets.shape[-1] * np.log(2 * np.pi)
    prior = -0.5 * (offsets**2).sum(axis=-1) - half_log
    apart = np.einsum("dsij,pdsj->pdsi", np.linalg.inv(root), offsets - mean)
    log_root = np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
    proposal = -0.5 * (apart**2).sum(axis=-1) - half_log - log_root
    return np.asarray(np.logaddexp(np.log(from_prior) + prior, np.log1p(-from_prior) + proposal))
