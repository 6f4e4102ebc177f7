"""The ultimatum game: offers that may be accepted or refused."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["ultimatum"]


def ultimatum(means: Any = 8.0, sd: float = 1.5, n_trials: int | None = None, *, stake: float = 20.0) -> Task:
    """The ultimatum game for the responder: offers of how to share a stake.

    Parameters
    ----------
    means : float or array, default 8.0
        Mean of the offers; or their mean on each trial, the same for all subjects and blocks.
    sd : float, default 1.5
        Standard deviation of offers around their mean.
    n_trials : int, optional
        Trials of a block; default: as many as ``means`` has, or else 60.
    stake : float, default 20.0
        What is shared: no offer is above it.

    Returns
    -------
    Task
        Events: ``offer`` (a whole number from 0 to ``stake``) and ``accept`` (the subject's: 1 if it was accepted).

    Raises
    ------
    ModelError
        If a number makes no sense; all faults at once.

    Notes
    -----
    Offers are normal, rounded, and cut at 0 and at the stake; they are drawn for each subject and block, and don't
    depend on what the subject does. In the paper 20 are shared, and the mean of the offers changes within the
    session; the numbers are chosen here.

    References
    ----------
    Xiang, T., Lohrenz, T., & Montague, P. R. (2013). Computational substrates of norms and their violations during
    social exchange. *Journal of Neuroscience, 33*, 1099–1108.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.ultimatum(means=[4.0] * 30 + [8.0] * 30)
    >>> params = {"alpha": 0.2, "beta": 0.5, "envy": 1.5}
    >>> rl.simulate(rl.catalogue.ultimatum_delta(), task, params, subjects=3, backend="reference").data
    Trials(3 subjects × 60 trials; offer, accept; from ultimatum)
    """
    settings = Settings("ultimatum")
    by_trial = hasattr(means, "__len__")
    table = settings.numbers("means", means, "trial") if by_trial else np.array([settings.number("means", means)])
    n_trials = settings.trials(n_trials, 60, "means", table if by_trial else None)
    sd, stake = settings.number("sd", sd, 0.0), settings.number("stake", stake, 0.0)
    settings.report()
    return Task(
        "ultimatum",
        trial={
            "offer": Scheduled(
                rl.Real(description="what is offered to the subject"),
                partial(_offers, means=tuple(table.tolist()), sd=sd, stake=stake),
            ),
            "accept": rl.Binary(description="whether the offer was accepted (1) or refused (0)"),
        },
        n_trials=n_trials,
        description="Offers of how to share a stake.",
        reference="Xiang et al. (2013)",
    )


def _offers(
    rng: np.random.Generator, n_trials: int, *, means: tuple[float, ...], sd: float, stake: float
) -> np.ndarray:
    # Where there are too few means, the offers are too few, too, and the task says so.
    count = n_trials if len(means) == 1 else min(n_trials, len(means))
    offers = np.rint(rng.normal(means[0] if len(means) == 1 else means[:count], sd, size=count))
    return np.clip(offers, 0.0, stake)
