"""Random-effects model selection: the variational posterior of how frequent models are, and what it says."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

_STEPS = 10_000
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Posterior:
    """The variational posterior.

    Attributes
    ----------
    alpha : numpy.ndarray
        (model,) counts of a Dirichlet distribution of the models' frequencies.
    assigned : numpy.ndarray
        (subject, model) with which probability each subject's data come from each model.
    bound : float
        Lower bound of the log evidence that frequencies differ.
    """

    alpha: np.ndarray
    assigned: np.ndarray
    bound: float


def variational_posterior(log_evidence: np.ndarray, prior: float = 1.0) -> Posterior:
    """Return the posterior of frequencies with a symmetric Dirichlet prior (Stephan et al. 2009, eq. 14)."""
    from scipy.special import digamma

    n_models = log_evidence.shape[1]
    alpha = np.full(n_models, prior) + len(log_evidence) / n_models
    assigned = np.full(log_evidence.shape, 1.0 / n_models)
    for _ in range(_STEPS):
        assigned = _shares(log_evidence + digamma(alpha) - digamma(alpha.sum()))
        updated = prior + assigned.sum(axis=0)
        moved = np.abs(updated - alpha).max()
        alpha = updated
        if moved < _TOLERANCE:
            break
    return Posterior(alpha, assigned, _bound(log_evidence, alpha, assigned, prior))


def _shares(values: np.ndarray) -> np.ndarray:
    share = np.exp(values - values.max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def _bound(log_evidence: np.ndarray, alpha: np.ndarray, assigned: np.ndarray, prior: float) -> float:
    """Return the free energy (Rigoux et al. 2014, appendix)."""
    from scipy.special import digamma, gammaln, xlogy

    n_models = len(alpha)
    log_r = digamma(alpha) - digamma(alpha.sum())
    expected = (assigned * (log_evidence + log_r)).sum()
    log_prior = gammaln(n_models * prior) - n_models * gammaln(prior) + (prior - 1) * log_r.sum()
    entropy_r = gammaln(alpha).sum() - gammaln(alpha.sum()) - ((alpha - 1) * log_r).sum()
    return float(expected + log_prior + entropy_r - xlogy(assigned, assigned).sum())


def equal_frequencies(log_evidence: np.ndarray) -> float:
    """Return the log evidence that all models are equally frequent."""
    from scipy.special import logsumexp

    return float((logsumexp(log_evidence, axis=1) - math.log(log_evidence.shape[1])).sum())


def exceedance(alpha: np.ndarray) -> np.ndarray:
    """Return the probability of each model that it is the most frequent of all, under a Dirichlet distribution.

    Frequencies are gamma variables over their sum, which does not change their order: the probability is the expected
    product of the other gammas' distribution functions, an integral over one number.
    """
    from scipy.integrate import quad
    from scipy.special import gammainc, gammaincinv

    result = np.empty(len(alpha))
    for k, own in enumerate(alpha):
        others = np.delete(alpha, k)

        def inside(u: float, own: float = own, others: np.ndarray = others) -> float:
            return float(np.prod(gammainc(others, gammaincinv(own, u))))

        result[k] = quad(inside, 0.0, 1.0, epsabs=1e-10, epsrel=1e-10, limit=400)[0]
    return result / result.sum()
