"""The integrated BIC: how well a group predicts its subjects, averaged over whom it may consist of."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rlbackends.backends.protocol import CompiledModel
    from rlbackends.inference.estimates.em import GroupFit
    from rlbackends.inference.estimates.scale import Scale

_CHUNK_BYTES = 64_000_000


def integrated_log_likelihood(
    compiled: CompiledModel,
    scale: Scale,
    group: GroupFit,
    samples: int,
    rng: np.random.Generator,
    tell: Callable[[str], None],
) -> tuple[np.ndarray, np.ndarray]:
    """Return each subject's log-likelihood averaged over the group, and the standard error of that average.

    Every subject is averaged over points of its own.
    """
    data = compiled.data
    drawn = rng.standard_normal((samples, data.n_subjects, len(scale)))
    lower, upper = scale.edges()
    points = np.clip(group.mean + np.einsum("jk,...k->...j", group.factor, drawn), lower, upper)
    width = 8 * data.n_subjects * data.n_steps * len(compiled.model.responses)
    chunk = min(samples, max(1, _CHUNK_BYTES // width))
    found = np.empty((samples, data.n_subjects))
    for start in range(0, samples, chunk):
        # The last chunk takes points of the one before again rather than being compiled for its own size.
        part = slice(min(start, samples - chunk), min(start, samples - chunk) + chunk)
        tell(f"integrated likelihood, {part.start} of {samples} samples")
        params = {name: np.ascontiguousarray(value) for name, value in scale.natural(points[part]).items()}
        found[part] = summed(compiled, compiled.engine.log_likelihood_draws(params))
    top = found.max(axis=0)
    share = np.exp(found - top)
    mean = share.mean(axis=0)
    error = share.std(axis=0) / (mean * np.sqrt(samples))
    return top + np.log(mean), error


def summed(compiled: CompiledModel, by_trial: dict[str, np.ndarray]) -> np.ndarray:
    """Return log-likelihoods (…, subject, trial) summed over the responses that count."""
    data = compiled.data
    parts = [np.where(data.observed(name) & data.counts, by_trial[name], 0.0).sum(axis=-1) for name in by_trial]
    return np.sum(parts, axis=0)
