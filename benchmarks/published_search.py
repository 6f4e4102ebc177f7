"""Each subject's estimates under a likelihood that is a NumPy function: SciPy's L-BFGS, from three starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Arrays = Mapping[str, np.ndarray]
Likelihood = Callable[[Arrays, Arrays], np.ndarray]
SHIFT = 1e-5  # of the central differences, on the link scale
EDGES = {"interval": 6.0, "positive": 20.7, "real": 50.0}  # how far a search goes on the link scale


@dataclass(frozen=True)
class Search:
    """The best of several searches: parameters, their standard errors and the log-likelihood, by subject."""

    params: dict[str, np.ndarray]
    standard_errors: dict[str, np.ndarray]
    log_likelihood: np.ndarray


def search(likelihood: Likelihood, comparison: Any, *, method: str = "map", near: Any = None) -> Search:
    """Search as ``rl.estimate`` does, subject by subject with SciPy: the same links, and for ``"map"`` the same priors.

    Each subject has a search from the middle of the link scale, one from a draw of the prior, and one from ``near``,
    estimates by ``rl.estimate``, or from another draw.
    """
    import scipy.optimize
    import scipy.special

    names = list(comparison.usual)
    supports = [comparison.model.parameters[name].support for name in names]
    kinds = ["interval" if np.isfinite(s.hi) else "positive" if np.isfinite(s.lo) else "real" for s in supports]
    links = [{"interval": scipy.special.ndtr, "positive": np.exp, "real": np.asarray}[kind] for kind in kinds]
    edges = np.array([EDGES[kind] for kind in kinds])
    n = len(names)
    moves = np.concatenate([np.zeros((1, n)), SHIFT * np.eye(n), -SHIFT * np.eye(n)])
    rng = np.random.default_rng(0)

    def natural(z: np.ndarray) -> dict[str, np.ndarray]:
        return {name: np.asarray(link(z[..., i])) for i, (name, link) in enumerate(zip(names, links, strict=True))}

    def one_subject(events: Arrays, third: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        def total(z: np.ndarray) -> np.ndarray:
            """Return the log-likelihood of points (point, parameter)."""
            return likelihood(events, natural(z[:, None, :])).sum(axis=(1, 2))

        def down(z: np.ndarray) -> tuple[float, np.ndarray]:
            """Return minus what is sought, and its slope by central differences."""
            points = z + moves
            value = total(points) - (0.5 * (points**2).sum(axis=-1) if method == "map" else 0.0)
            return -float(value[0]), (value[n + 1 :] - value[1 : n + 1]) / (2 * SHIFT)

        begin = (np.zeros(n), rng.standard_normal(n), np.clip(third, -edges, edges))
        bounds = list(zip(-edges, edges, strict=True))
        options = {"ftol": 1e-12, "gtol": 1e-5, "maxiter": 300}
        found = [
            scipy.optimize.minimize(down, z, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
            for z in begin
        ]
        z = min(found, key=lambda done: float(done.fun)).x
        step = 1e-3 * np.eye(n)
        curve = np.stack([(down(z + row)[1] - down(z - row)[1]) / 2e-3 for row in step])
        return z, np.sqrt(np.maximum(np.diag(np.linalg.pinv((curve + curve.T) / 2)), 0.0)), float(total(z[None])[0])

    events, n_subjects = comparison.events(), len(comparison.data.subjects)
    third = rng.standard_normal((n_subjects, n))
    if near is not None:
        third = np.stack([near.link_scale[name] for name in names], axis=1)
    each = [one_subject({name: a[s : s + 1] for name, a in events.items()}, third[s]) for s in range(n_subjects)]
    z, errors = (np.stack([row[i] for row in each]) for i in range(2))
    up, low = natural(z + SHIFT), natural(z - SHIFT)
    return Search(
        natural(z),
        {name: errors[:, i] * (up[name] - low[name]) / (2 * SHIFT) for i, name in enumerate(names)},
        np.array([row[2] for row in each]),
    )
