"""Hierarchical expectation–maximisation: a normal group on the link scale, subjects by Laplace's approximation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rlbackends.inference.estimates.climb import climb
from rlbackends.inference.estimates.objective import Likelihood, Objective, WithGroup
from rlbackends.inference.estimates.peaks import Peaks, best_of, settle

_LEAST_SD = 0.01  # below this on the link scale, subjects are alike
_FIRST_SD = 1.0
_WIDE = 10.0  # prior sd of a parameter without bounds, in the first round
_STILL = 1e-5  # change of the group, in units of its sd, that is none
_STEP = 1e-3  # of the differences for standard errors, in units of the group's sd
_SLOW = 1e-4  # the same of a plain step, where a longer one explains less
_NARROW = 0.01  # a group's mean need not be known better than in these units
_WIDEST = 8.0  # a step changes no variance by a larger factor
_LEAST_SHARE = 1e-4
_LEAST_DAMPING = 1 / 64
_LOSS = 1e-3  # Laplace's log evidence is not quite highest where the group stands still
_BETTER = 1e-6
_MOST_CHECKS = 5


@dataclass(frozen=True)
class GroupFit:
    """The group that expectation–maximisation found.

    Attributes
    ----------
    mean : array (parameter,)
        On the link scale.
    factor : array (parameter, parameter)
        Lower Cholesky factor of the covariance; diagonal unless a full one was asked for.
    mean_error, sd_error : array (parameter,)
        Standard errors of the means, and of the standard deviations.
    is_alike : bool array (parameter,)
        Whether the standard deviation is at its floor: subjects don't differ more than by chance.
    iterations : int
        Expectation steps.
    converged : bool
        Whether the group stood still.
    """

    mean: np.ndarray
    factor: np.ndarray
    mean_error: np.ndarray
    sd_error: np.ndarray
    is_alike: np.ndarray
    iterations: int
    converged: bool

    @property
    def covariance(self) -> np.ndarray:
        """The group's covariance."""
        return self.factor @ self.factor.T

    @property
    def sd(self) -> np.ndarray:
        """Standard deviations."""
        return np.sqrt(np.diagonal(self.covariance))


@dataclass(frozen=True)
class _Modes:
    """The subjects' modes given some groups, with axes group and subject first, and their Laplace covariances."""

    z: np.ndarray
    value: np.ndarray
    hessian: np.ndarray
    converged: np.ndarray
    precision: np.ndarray

    def covariance(self) -> np.ndarray:
        """Return the inverse Hessians; what is no maximum says no more than the prior does."""
        inverse = np.linalg.inv(self.precision)[:, None]
        fine = np.isfinite(self.hessian).all(axis=(-1, -2))
        safe = np.where(fine[..., None, None], self.hessian, np.eye(self.z.shape[-1]))
        fine &= np.linalg.eigvalsh(safe)[..., 0] > 0
        safe = np.where(fine[..., None, None], safe, np.eye(self.z.shape[-1]))
        return np.where(fine[..., None, None], np.linalg.inv(safe), inverse)

    def log_evidence(self) -> np.ndarray:
        """Return Laplace's log evidence of each subject."""
        n = self.z.shape[-1]
        return self.value + 0.5 * n * np.log(2 * np.pi) + 0.5 * np.linalg.slogdet(self.covariance())[1]


class GroupSearch:
    """Expectation–maximisation on one model and its data.

    Parameters
    ----------
    likelihood : Likelihood
        Of the subjects.
    there : bool array (subject,)
        Who responded at all; the others say nothing about the group.
    full : bool
        Whether the group's covariance is full, or diagonal.
    tell : function
        Takes a line on how far it is.
    """

    def __init__(self, likelihood: Likelihood, there: np.ndarray, full: bool, tell: Callable[[str], None]) -> None:
        self.likelihood = likelihood
        self.there = there
        self.full = full
        self.tell = tell
        self.edges = likelihood.scale.edges()
        n = len(likelihood.scale)
        self._below = np.tril_indices(n, -1)
        self.n = n
        self.iterations = 0

    # The group as a vector: means, logarithms of the factor's diagonal, and what is below it

    def _pack(self, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        if not self.full:
            sd = np.maximum(np.sqrt(np.diagonal(covariance)), _LEAST_SD)
            return np.concatenate([mean, np.log(sd)])
        values, vectors = np.linalg.eigh(covariance)
        factor = np.linalg.cholesky((vectors * np.maximum(values, _LEAST_SD**2)) @ vectors.T)
        return np.concatenate([mean, np.log(np.diagonal(factor)), factor[self._below]])

    def _unpack(self, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and factor, of one group or of several in rows."""
        n = self.n
        factor = np.zeros((*group.shape[:-1], n, n))
        factor[..., np.arange(n), np.arange(n)] = np.maximum(np.exp(group[..., n : 2 * n]), _LEAST_SD)
        if self.full:
            factor[(..., *self._below)] = group[..., 2 * n :]
        return group[..., :n], factor

    # Expectation

    def _expect(self, groups: np.ndarray, modes: _Modes) -> _Modes:
        """Return the modes given each group (row, …), searched from modes of a group like them."""
        mean, factor = self._unpack(groups)
        objective = WithGroup(self.likelihood, mean, factor)
        precision = objective.precision()
        bend = modes.hessian - modes.precision[:, None] + precision[:, None]
        fine = np.isfinite(bend).all(axis=(-1, -2))
        fine &= np.linalg.eigvalsh(np.where(fine[..., None, None], bend, np.eye(self.n)))[..., 0] > 0
        guess = np.where(fine[..., None, None], bend, precision[:, None])
        starts = np.broadcast_to(modes.z, (len(groups), *modes.z.shape[1:]))
        found = climb(objective, starts, self.edges, inverse=np.linalg.inv(guess))
        found, hessian = settle(objective, found, self.edges)
        self.iterations += 1
        return _Modes(found.z, found.value, hessian, found.converged, precision)

    def _fresh(self, objective: Objective, starts: np.ndarray, precision: np.ndarray) -> tuple[_Modes, np.ndarray]:
        found, same = best_of(climb(objective, starts, self.edges, tell=self.tell))
        found, hessian = settle(objective, found, self.edges)
        return _Modes(found.z, found.value, hessian, found.converged, precision), same

    # Maximisation

    def _maximise(self, modes: _Modes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the group that subjects' posteriors suggest: mean, covariance, and the posteriors' mean covariance."""
        z, spread = modes.z[0][self.there], modes.covariance()[0][self.there].mean(axis=0)
        mean = z.mean(axis=0)
        deviation = z - mean
        return mean, deviation.T @ deviation / len(z) + spread, spread

    def _ahead(self, group: np.ndarray, modes: _Modes) -> tuple[np.ndarray, np.ndarray]:
        """Return the group after a maximisation step, and where such steps lead to in the end.

        Posteriors lean on the group they were found with, so the group creeps where subjects tell little: each step
        goes only as far as the share that the data have in the posteriors. Divided by it, it is one of Fisher scoring,
        and stands still where the other one does.
        """
        mean, covariance, spread = self._maximise(modes)
        old_mean, old_factor = self._unpack(group)
        old = old_factor @ old_factor.T
        if not self.full:
            covariance, spread = (np.diag(np.diagonal(matrix)) for matrix in (covariance, spread))
        plain = self._pack(mean, covariance)
        share = np.eye(self.n) - spread @ modes.precision[0]
        if np.linalg.eigvals(share).real.min(initial=1.0) <= _LEAST_SHARE:
            share = np.diag(np.maximum(np.diagonal(share), _LEAST_SHARE))
        inverse = np.linalg.inv(share)
        reach = np.maximum(1.0, np.abs(old_mean))
        far_mean = old_mean + np.clip(inverse @ (mean - old_mean), -reach, reach)
        # What the step makes of the old covariance, which it may widen or narrow so far and no farther.
        whiten = np.linalg.inv(old_factor)
        change = whiten @ (inverse @ (covariance - old) @ inverse.T) @ whiten.T
        values, vectors = np.linalg.eigh(np.eye(self.n) + 0.5 * (change + change.T))
        frame = old_factor @ vectors
        return plain, self._pack(far_mean, (frame * np.clip(values, 1 / _WIDEST, _WIDEST)) @ frame.T)

    def _evidence(self, modes: _Modes) -> float:
        return float(modes.log_evidence()[0][self.there].sum())

    def _change(self, old: np.ndarray, new: np.ndarray) -> float:
        n = self.n
        unit = np.concatenate([np.maximum(np.exp(old[n : 2 * n]), _NARROW), np.ones(len(old) - n)])
        return float(np.max(np.abs(new - old) / unit, initial=0.0))

    def run(self, starts: np.ndarray, rng: np.random.Generator, most: int) -> tuple[GroupFit, Peaks]:
        """Return the group and the subjects' modes given it; ``starts`` (search, subject, parameter) are normal."""
        modes = self._first_modes(starts)
        group = self._pack(*self._maximise(modes)[:2])
        modes = self._expect(group[None], modes)
        reached = np.ones(starts.shape[1], dtype=int)
        converged = False
        for _ in range(_MOST_CHECKS):
            group, modes, converged = self._settle(group, modes, most)
            mean, factor = self._unpack(group)
            objective = WithGroup(self.likelihood, mean[None], factor[None])
            spread = mean + np.einsum("jk,...k->...j", factor, rng.permuted(starts, axis=0))
            searches = np.concatenate([modes.z, spread])
            again, same = self._fresh(_Same(objective), searches, objective.precision())
            is_higher = again.value[0] > modes.value[0] + _BETTER * np.maximum(1.0, np.abs(modes.value[0]))
            modes, reached = again, same[1:].sum(axis=0)  # the first search began where it had ended before
            if not (is_higher & self.there).any() or not converged:
                break
        mean_error, sd_error, alike = self._errors(group, modes)
        mean, factor = self._unpack(group)
        fit = GroupFit(mean, factor, mean_error, sd_error, alike, self.iterations, converged)
        log_likelihood, _ = self.likelihood(modes.z)
        peaks = Peaks(
            modes.z[0], modes.value[0], log_likelihood[0], modes.hessian[0], modes.converged[0], reached,
            np.zeros(modes.z.shape[1:], dtype=bool),
        )  # fmt: skip
        return fit, peaks

    def _first_modes(self, starts: np.ndarray) -> _Modes:
        """Return modes under a wide prior, from which the first group is taken."""
        sd = np.where(self.likelihood.scale.is_bounded(), _FIRST_SD, _WIDE)
        objective = WithGroup(self.likelihood, np.zeros((1, self.n)), np.diag(sd)[None])
        return self._fresh(_Same(objective), starts * sd, objective.precision())[0]

    def _settle(self, group: np.ndarray, modes: _Modes, most: int) -> tuple[np.ndarray, _Modes, bool]:
        """Repeat both steps until the group stands still."""
        last, damping, before = self.iterations + most, 1.0, np.zeros(len(group))
        while self.iterations < last:
            evidence = self._evidence(modes)
            self.tell(f"{self.iterations} expectation steps, log evidence {evidence:.4f}")
            plain, far = self._ahead(group, modes)
            if self._change(group, far) <= _STILL:
                return group, modes, True
            step = far - group
            turns = step @ before < -0.3 * (before @ before)  # back where it came from, by not much less
            damping, before = (max(damping / 2, _LEAST_DAMPING) if turns else min(2 * damping, 1.0)), step
            there = group + damping * step
            found = self._expect(there[None], modes)
            if not self._evidence(found) >= evidence - _LOSS:
                if self._change(group, plain) <= _SLOW:
                    return group, modes, True
                damping = max(damping / 8, _LEAST_DAMPING)
                there, found = plain, self._expect(plain[None], modes)
            group, modes = there, found
        return group, modes, False

    # Standard errors

    def _score(self, groups: np.ndarray, modes: _Modes) -> np.ndarray:
        """Return the slope of the log evidence at each group, by Fisher's identity with Laplace's posterior."""
        n = self.n
        mean, factor = self._unpack(groups)
        deviation = (modes.z - mean[:, None])[:, self.there]
        square = deviation[..., :, None] * deviation[..., None, :] + modes.covariance()[:, self.there]
        precision = modes.precision
        by_mean = np.einsum("gjk,gsk->gj", precision, deviation)
        by_factor = precision @ square.sum(axis=1) @ precision @ factor - self.there.sum() * (precision @ factor)
        diagonal = np.arange(n)
        by_log = by_factor[:, diagonal, diagonal] * factor[:, diagonal, diagonal]
        below = [by_factor[(slice(None), *self._below)]] if self.full else []
        return np.concatenate([by_mean, by_log, *below], axis=1)

    def _errors(self, group: np.ndarray, modes: _Modes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return standard errors of means and standard deviations, and which of the latter are at their floor."""
        n = self.n
        _, factor = self._unpack(group)
        alike = np.sqrt((factor**2).sum(axis=1)) <= 1.001 * _LEAST_SD
        nothing = np.full(n, np.nan)
        free = np.ones(len(group), dtype=bool)
        free[n : 2 * n] = ~alike
        if self.full and alike.any():
            return nothing, nothing, alike
        step = np.full(len(group), _STEP)
        step[:n] *= np.exp(group[n : 2 * n])
        if self.full:
            step[2 * n :] *= np.sqrt((factor**2).sum(axis=1))[self._below[0]]
        shift = np.diag(step)[free]
        groups = np.concatenate([group + shift, group - shift])
        up, down = np.split(self._score(groups, self._expect(groups, modes)), 2)
        information = ((down - up) / (2 * step[free][:, None]))[:, free]
        information = 0.5 * (information + information.T)
        if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0:
            return nothing, nothing, alike
        covariance = np.full((len(group), len(group)), 0.0)
        covariance[np.ix_(free, free)] = np.linalg.inv(information)
        mean_error = np.sqrt(np.diagonal(covariance)[:n])
        slopes = np.zeros((n, len(group)))
        sd = np.sqrt((factor**2).sum(axis=1))
        slopes[np.arange(n), np.arange(n, 2 * n)] = np.diagonal(factor) ** 2 / sd
        if self.full:
            rows, columns = self._below
            slopes[rows, 2 * n + np.arange(len(rows))] = factor[rows, columns] / sd[rows]
        sd_error = np.sqrt(np.einsum("jk,kl,jl->j", slopes, covariance, slopes))
        return mean_error, np.where(alike, np.nan, sd_error), alike


@dataclass(frozen=True)
class _Same:
    """The same group for all searches."""

    objective: WithGroup

    def __call__(self, z: np.ndarray, searches: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.objective(z, np.zeros_like(searches))

