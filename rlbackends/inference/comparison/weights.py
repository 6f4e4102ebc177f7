"""Weights with which to average the models' predictions."""

from __future__ import annotations

import numpy as np

METHODS = ("stacking", "pseudo-bma")


def model_weights(method: str, pointwise: np.ndarray) -> np.ndarray:
    """Return a weight for each model from pointwise scores (cell, model)."""
    return stacking(pointwise) if method == "stacking" else pseudo_bma(pointwise)


def stacking(pointwise: np.ndarray, steps: int = 10_000) -> np.ndarray:
    """Return the weights whose mixture of predictive distributions scores highest (Yao et al. 2018).

    The score is concave in the weights. It is climbed by expectation-maximisation, which stays on the simplex and never
    goes down; ArviZ's optimiser takes exponentials of the scores as they are, which are 0 for a whole subject's.
    """
    density = np.exp(pointwise - pointwise.max(axis=1, keepdims=True))
    weights = np.full(density.shape[1], 1.0 / density.shape[1])
    for _ in range(steps):
        gain = np.mean(density / (density @ weights)[:, None], axis=0)
        # At the optimum no model gains more than 1 a unit of weight (Karush, Kuhn and Tucker).
        if gain.max() - 1.0 < 1e-7:
            break
        weights = weights * gain
    return weights / weights.sum()


def pseudo_bma(pointwise: np.ndarray, replicates: int = 2000, seed: int = 0) -> np.ndarray:
    """Return pseudo-Bayesian-model-averaging weights, stabilised by the Bayesian bootstrap (Yao et al. 2018)."""
    n_cells = len(pointwise)
    rng = np.random.default_rng(seed)
    total = np.zeros(pointwise.shape[1])
    for _ in range(replicates):
        elpd = n_cells * rng.dirichlet(np.ones(n_cells)) @ pointwise
        share = np.exp(elpd - elpd.max())
        total += share / share.sum()
    return total / replicates
