"""Mistakes of the whole likelihood: missing, twice, averaged, of another sign or base, without some trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rlbackends.porting.density.mistakes import EVERYTHING, LIKELIHOOD, Mistake, Try
from rlbackends.porting.density.ours import Ours


def _whole(function: Callable[[Ours], np.ndarray]) -> Callable[[Ours], Iterator[Try]]:
    """Return what finds one try: a likelihood, (point,), that stands in the place of ours."""

    def find(ours: Ours) -> Iterator[Try]:
        with np.errstate(all="ignore"):
            yield Try("all trials", frozenset([LIKELIHOOD]), function(ours) - ours.log_likelihood)

    return find


def _counted(ours: Ours) -> np.ndarray:
    """Return how many responses of each subject count, (subject,)."""
    data = ours.compiled.data
    return np.sum([(data.counts & data.observed(name)).sum(axis=1) for name in ours.cells], axis=0)


def _sign(ours: Ours) -> Iterator[Try]:
    yield Try("the whole density", frozenset([EVERYTHING]), -2.0 * ours.total)


def _responses(ours: Ours) -> Iterator[Try]:
    if len(ours.cells) > 1:
        for name, cells in ours.cells.items():
            yield Try(name, frozenset([LIKELIHOOD]), -cells.sum(axis=(1, 2)))


def _subjects(ours: Ours) -> Iterator[Try]:
    if ours.n_subjects > 1:
        labels, by_subject = ours.compiled.data.subjects, ours.by_subject
        yield Try(f"the first subject ({labels[0]})", frozenset([LIKELIHOOD]), -by_subject[:, 0])
        yield Try(f"the last subject ({labels[-1]})", frozenset([LIKELIHOOD]), -by_subject[:, -1])
        rest = f"all subjects but the first ({labels[0]})"
        yield Try(rest, frozenset([LIKELIHOOD]), by_subject[:, 0] - ours.log_likelihood)


def _trials(ours: Ours) -> Iterator[Try]:
    data = ours.compiled.data
    cells = np.sum(list(ours.cells.values()), axis=0)
    subjects = np.arange(data.n_subjects)
    yield Try("the first trial of each subject", frozenset([LIKELIHOOD]), -cells[:, :, 0].sum(axis=1))
    last = cells[:, subjects, data.lengths - 1].sum(axis=1)
    yield Try("the last trial of each subject", frozenset([LIKELIHOOD]), -last)
    starts = data.starts & data.valid
    if starts[:, 1:].any():
        begun = np.where(starts, cells, 0.0).sum(axis=(1, 2))
        yield Try("the first trial of each block", frozenset([LIKELIHOOD]), -begun)


OF_LIKELIHOOD = (
    Mistake(
        "another sign",
        "What is returned is minus the log-density: an energy, or a loss.",
        "Return its negative.",
        _sign,
    ),
    Mistake(
        "likelihood missing",
        "There is no likelihood: only priors (and Jacobians).",
        "Add the log-likelihood of all responses. In a PyMC model, give the response observed=.",
        _whole(lambda ours: np.zeros(ours.n_points)),
    ),
    Mistake(
        "likelihood twice",
        "The log-likelihood is counted twice.",
        "Count it once: an observed variable and a Potential of the same responses are two.",
        _whole(lambda ours: 2 * ours.log_likelihood),
    ),
    Mistake(
        "likelihood negative",
        "The log-likelihood is subtracted: a loss, added to log-priors.",
        "Add minus the loss.",
        _whole(lambda ours: -ours.log_likelihood),
    ),
    Mistake(
        "likelihood averaged over subjects",
        "The log-likelihood is divided by the number of subjects (a mean, where a sum is meant).",
        "Take the sum over subjects.",
        _whole(lambda ours: ours.log_likelihood / ours.n_subjects),
    ),
    Mistake(
        "likelihood averaged over trials",
        "Each subject's log-likelihood is divided by the number of its responses (a mean, where a sum is meant).",
        "Take the sum over trials.",
        _whole(lambda ours: (ours.by_subject / np.maximum(_counted(ours), 1)).sum(axis=1)),
    ),
    Mistake(
        "likelihood averaged over everything",
        "The log-likelihood is divided by the number of all responses (a mean, where a sum is meant).",
        "Take the sum over subjects and trials.",
        _whole(lambda ours: ours.log_likelihood / max(int(_counted(ours).sum()), 1)),
    ),
    Mistake(
        "likelihood to base 2",
        "The log-likelihood is in bits (log2), the priors are in nats.",
        "Use the natural logarithm.",
        _whole(lambda ours: ours.log_likelihood / np.log(2)),
    ),
    Mistake(
        "likelihood to base 10",
        "The log-likelihood is of logarithms to base 10, the priors are of natural ones.",
        "Use the natural logarithm.",
        _whole(lambda ours: ours.log_likelihood / np.log(10)),
    ),
    Mistake(
        "response missing",
        "The log-likelihood of {what} is left out.",
        "Add it; or, if that is meant, leave the response out of the model.",
        _responses,
    ),
    Mistake(
        "subjects left out",
        "The responses of {what} do not count.",
        "Look at where the loop over subjects begins and ends.",
        _subjects,
    ),
    Mistake(
        "trials left out",
        "The log-likelihood of {what} does not count.",
        "Count it; or, if that is meant, hold these trials out here: data.bind(model).holding_out(mask).",
        _trials,
    ),
)
