"""Leaving out one response: Pareto-smoothed importance sampling on a fit's pointwise log-likelihood."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.inference.comparison.psis import good_k, log_mean_exp
from rlbackends.inference.comparison.scores import CrossValidation

if TYPE_CHECKING:
    from rlbackends.inference.result import Fit


def trial_scores(where: str, name: str, fit: Fit) -> CrossValidation:
    """Return leave-one-response-out scores of a fit, also of the cells that don't vary over draws."""
    tree = fit.tree
    if "log_likelihood" not in tree.children:
        raise SettingError(
            f"{where}: '{name}' was fitted with log_likelihood=False, so no trial can be left out. Fit it with "
            "log_likelihood=True, or leave out subjects: by='subject'."
        )
    sizes = tree["posterior"].sizes
    group = tree["log_likelihood"]
    log_p = group["log_likelihood"].values.reshape(sizes["chain"] * sizes["draw"], -1)
    elpd, k = np.empty(0), np.empty(0)
    if log_p.shape[1]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of high Pareto k, which the comparison tells
            found = fit.loo()
        elpd, k = np.ravel(found.elpd_i.values), np.ravel(found.pareto_k.values)
    constant = tree["log_likelihood_constant"]
    fixed = constant["log_likelihood"].values
    nothing = np.zeros(len(fixed))
    cells = _keys(group) + _keys(constant)
    return CrossValidation(
        name, "trial", "psis", tuple(cells),
        elpd_i=np.concatenate([elpd, fixed]),
        p_i=np.concatenate([log_mean_exp(log_p) - elpd, nothing]),
        pareto_k=np.concatenate([k, np.full(len(fixed), np.nan)]),
        span=np.concatenate([np.ptp(log_p, axis=0), nothing]),
        limit=good_k(len(log_p)),
        refitted=np.zeros(len(cells), dtype=bool),
    )  # fmt: skip


def _keys(group: Any) -> list[tuple[Any, int, str]]:
    """Return the cells of a group of log-likelihoods."""
    subjects, trials, responses = (group[name].values.tolist() for name in ("subject", "trial", "response"))
    return [(s, int(t), str(r)) for s, t, r in zip(subjects, trials, responses, strict=True)]
