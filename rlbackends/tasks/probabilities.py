"""Tasks about which of two things comes, with a probability that may change: predictions and shocks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.schedules import reversed_after
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["binary_prediction", "aversive_learning"]


def binary_prediction(
    probability: Any = 0.8, every: int | Sequence[int] | None = 40, n_trials: int | None = None
) -> Task:
    """Predictions of an input that is 0 or 1, whose probability is stable for a while and then turns around.

    Parameters
    ----------
    probability : float or array, default 0.8
        Probability that the input is 1, at the start of a block; or on each trial, the same for all subjects and
        blocks.
    every : int, sequence of int or None, default 40
        Trials after which the two inputs change their probabilities, again and again; or the numbers of trials after
        which they do; None: never. An array of probabilities has its changes in it, and none is added.
    n_trials : int, optional
        Trials of a block; default: as many as the array has, or else 160.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's: the input that is predicted) and ``input`` (0 or 1). Hidden:
        ``probability`` of a 1, and of a 0.

    Raises
    ------
    ModelError
        If a probability is none, or a number makes no sense; all faults at once.

    Notes
    -----
    ``input = 1`` if ``uniform < probability[0]``, else 0, whatever is predicted. The numbers are chosen here.

    References
    ----------
    Mathys, C., Daunizeau, J., Friston, K. J., & Stephan, K. E. (2011). A Bayesian foundation for individual
    learning under uncertainty. *Frontiers in Human Neuroscience, 5*, 39.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.binary_prediction(every=20, n_trials=80)
    >>> params = {"omega2": -3.0, "beta": 2.0}
    >>> rl.simulate(rl.catalogue.hgf_two_levels(), task, params, subjects=3, backend="reference").data
    Trials(3 subjects × 80 trials; choice, input; from binary_prediction)
    """
    settings = Settings("binary_prediction")
    length, values = _chances(settings, probability, every, n_trials, 160)
    settings.report()

    def shown(probability, uniform):
        """The input that came."""
        return uniform < probability[0]

    return Task(
        "binary_prediction",
        trial={"choice": rl.Binary(description="the input that was predicted"), "input": shown},
        schedule={"probability": Scheduled(rl.Real("inputs"), values)},
        sizes={"inputs": 2},
        n_trials=length,
        description="Predictions of an input that is 0 or 1, whose probability turns around.",
        reference="Mathys et al. (2011)",
    )


def aversive_learning(
    probability: Any = 0.75,
    every: int | Sequence[int] | None = None,
    n_trials: int | None = None,
    *,
    sizes: tuple[float, float] = (0.0, 1.0),
) -> Task:
    """Two shapes, of which one leads to a shock; how large either one's would be is shown.

    Parameters
    ----------
    probability : float or array, default 0.75
        Probability that the first shape leads to the shock, at the start of a block; or on each trial, the same for
        all subjects and blocks.
    every : int, sequence of int or None, default None
        Trials after which the shapes change their probabilities, again and again; or the numbers of trials after
        which they do; None: never. An array of probabilities has its changes in it, and none is added.
    n_trials : int, optional
        Trials of a block; default: as many as the array has, or else 90.
    sizes : (float, float), default (0.0, 1.0)
        The smallest and the largest shock; sizes are drawn between them, each as likely.

    Returns
    -------
    Task
        Events: ``punishment`` (what is shown: the size of the shock that either shape may lead to), ``choice`` (the
        subject's, one of 2 shapes), ``outcome`` (1 if the first shape led to the shock, whichever was chosen) and
        ``shock`` (1 if the chosen one did). Hidden: ``probability`` of either shape.

    Raises
    ------
    ModelError
        If a probability is none, or a number makes no sense; all faults at once.

    Notes
    -----
    ``outcome = 1`` if ``uniform < probability[0]``, else 0; ``shock`` is ``outcome`` if the first shape was chosen,
    and the opposite if the second. As in the paper, one and only one of the shapes leads to a shock on each trial,
    and its probability may be stable (``every=None``) or volatile (``every=20``); the numbers are chosen here.

    References
    ----------
    Browning, M., Behrens, T. E., Jocham, G., O'Reilly, J. X., & Bishop, S. J. (2015). Anxious individuals have
    difficulty learning the causal statistics of aversive environments. *Nature Neuroscience, 18*, 590–596.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.aversive_learning(every=20)
    >>> params = {"alpha": 0.3, "beta": 5.0, "risk_preference": 1.0}
    >>> rl.simulate(rl.catalogue.aversive_delta(), task, params, subjects=3, backend="reference").data
    Trials(3 subjects × 90 trials; punishment, choice, outcome, shock; from aversive_learning)
    """
    settings = Settings("aversive_learning")
    length, values = _chances(settings, probability, every, n_trials, 90)
    lo, hi = settings.span("sizes", sizes)
    settings.report()

    def outcome(probability, uniform):
        """Whether the first shape led to the shock, whichever was chosen."""
        return uniform < probability[0]

    def shock(choice, outcome):
        """Whether the chosen shape led to the shock."""
        return rl.where(choice == 0, outcome, 1 - outcome)

    return Task(
        "aversive_learning",
        trial={
            "punishment": Scheduled(
                rl.Real("action", description="the size of the shock that each shape may lead to"),
                partial(_sizes, lo=lo, hi=hi),
            ),
            "choice": rl.Index("action", description="the shape that was chosen"),
            "outcome": outcome,
            "shock": shock,
        },
        schedule={"probability": Scheduled(rl.Real("action"), values)},
        sizes={"action": 2},
        n_trials=length,
        description="Two shapes, of which one leads to a shock of a size that is shown.",
        reference="Browning et al. (2015)",
    )


def _chances(settings: Settings, given: Any, every: Any, n_trials: Any, default: int) -> tuple[int, Any]:
    """Return the number of trials, and a probability with that of the opposite, (trial × 2) or what makes it."""
    after = None if every is None else settings.places("every", every)
    if hasattr(given, "__len__"):
        array = settings.probabilities("probability", given, "trial")
        return settings.trials(n_trials, default, "probability", array), np.stack([array, 1 - array], axis=-1)
    one = settings.probability("probability", given)
    values = (one, 1 - one)
    length = settings.trials(n_trials, default)
    return length, values if after is None else partial(reversed_after, values=values, after=after)


def _sizes(rng: np.random.Generator, n_trials: int, *, lo: float, hi: float) -> np.ndarray:
    return rng.uniform(lo, hi, size=(n_trials, 2))
