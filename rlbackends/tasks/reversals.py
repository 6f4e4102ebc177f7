"""Reversal learning: one action is better until it is not."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import rlbackends as rl
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.schedules import reversed_after
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["reversal"]


def reversal(
    probabilities: Any = (0.8, 0.2),
    every: int | Sequence[int] | None = None,
    n_trials: int = 100,
    *,
    criterion: int | None = None,
    window: int | None = None,
    hazard: float = 1.0,
    win: float = 1.0,
    loss: float = -1.0,
) -> Task:
    """Actions whose probabilities to win change places, after fixed times or once they have been learnt.

    Parameters
    ----------
    probabilities : array, default (0.8, 0.2)
        Probability that each action wins at the start of a block. At a reversal each action gets the probability of
        the one before it, and the first that of the last: two change places.
    every : int or sequence of int, optional
        Trials between two reversals; or the numbers of trials after which there is one. Default: 25, unless there is
        a criterion.
    n_trials : int, default 100
        Trials of a block.
    criterion : int, optional
        Reversals depend on choices: this many choices of the best action in a row, or within ``window``.
    window : int, optional
        The number of last trials among which ``criterion`` choices must be of the best action. Default: in a row.
    hazard : float, default 1.0
        Probability of a reversal after each trial on which the criterion is met.
    win, loss : float, default 1.0, −1.0
        The two payoffs.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's, one of the actions) and ``reward`` (``win`` or ``loss``). Hidden:
        ``probability``, which is a state of the world where there is a criterion, and with it ``run``, how many of the
        last choices in a row were of the best action, or ``recent``, which of the window's were.

    Raises
    ------
    ModelError
        If a probability is none, settings contradict each other, or a number makes no sense; all faults at once.

    Notes
    -----
    ``reward = win`` if ``uniform < probability[choice]``, else ``loss``. With a criterion, after the outcome ``run``
    counts on, or is 0 again after a choice that is not of the best action; if ``run ≥ criterion``, and another
    ``uniform < hazard``, the probabilities move on by one place and counting starts anew. The best action is that
    with the largest probability. Blocks start with the probabilities given.

    The payoffs are those that `rlbackends.catalogue.fictitious_update` takes. In Hampton et al.'s task contingencies
    reverse, once the better action was chosen four times in a row, with probability 1/4 on each further trial:
    ``criterion=4, hazard=0.25``.

    References
    ----------
    Cools, R., Clark, L., Owen, A. M., & Robbins, T. W. (2002). Defining the neural mechanisms of probabilistic
    reversal learning using event-related functional magnetic resonance imaging. *Journal of Neuroscience, 22*,
    4563–4567.

    Hampton, A. N., Bossaerts, P., & O'Doherty, J. P. (2006). The role of the ventromedial prefrontal cortex in
    abstract state-based inference during decision making in humans. *Journal of Neuroscience, 26*, 8360–8367.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.reversal(probabilities=(0.8, 0.2), every=40, n_trials=120)
    >>> model = rl.catalogue.fictitious_update(indecision_point=False)
    >>> played = rl.simulate(model, task, {"alpha": 0.4, "beta": 2.0}, subjects=2, backend="reference")
    >>> played.world["probability"][0, ::40, 0].values
    array([0.8, 0.2, 0.8])

    >>> learnt = rl.tasks.reversal(criterion=8, window=10)
    >>> rl.simulate(model, learnt, {"alpha": 0.4, "beta": 2.0}, subjects=2, backend="reference").data
    Trials(2 subjects × 100 trials; choice, reward; from reversal)
    """
    settings = Settings("reversal")
    start = settings.probabilities("probabilities", probabilities, "action", least=2)
    n_trials = settings.trials(n_trials, 100)
    win, loss = settings.number("win", win), settings.number("loss", loss)
    hazard = settings.probability("hazard", hazard)
    if criterion is not None:
        criterion = settings.whole("criterion", criterion)
        if every is not None:
            settings.faults.add("every and criterion are both given; leave one of them out.")
        if window is not None:
            window = settings.whole("window", window, criterion)
    else:
        if window is not None or hazard != 1:
            settings.faults.add("window and hazard belong to a criterion; give criterion=, such as criterion=8.")
        every = settings.places("every", 25 if every is None else every)
    settings.report()

    def reward(choice, probability, uniform):
        """What the choice brought."""
        return rl.where(uniform < probability[choice], win, loss)

    common = {
        "trial": {"choice": rl.Index("action", description="the action that was chosen"), "reward": reward},
        "sizes": {"action": len(start)},
        "n_trials": n_trials,
        "description": "Actions whose probabilities to win change places.",
        "reference": "Cools et al. (2002)",
    }
    if criterion is None:
        values = partial(reversed_after, values=start.tolist(), after=every)
        return Task("reversal", schedule={"probability": Scheduled(rl.Real("action"), values)}, **common)
    states = {"probability": rl.State("action", initial=start)}
    if window is None:
        states["run"] = rl.State()
        return Task("reversal", states=states, update=_after_run(len(start), criterion, hazard), **common)
    common["sizes"]["window"] = window
    states["recent"] = rl.State("window")
    return Task("reversal", states=states, update=_after_window(len(start), criterion, hazard, window), **common)


def _after_run(n_actions: int, criterion: int, hazard: float) -> Any:
    """Return the update that counts how often in a row the best action was chosen."""

    def update(choice, probability, run, uniform):
        counted = rl.where(_is_best(choice, probability), run + 1, 0.0)
        turned = _and(counted >= criterion, uniform, hazard)
        return {
            "probability": rl.where(turned, _moved(probability, n_actions), probability),
            "run": rl.where(turned, 0.0, counted),
        }

    return update


def _after_window(n_actions: int, criterion: int, hazard: float, window: int) -> Any:
    """Return the update that looks how many of the last choices were of the best action."""

    def update(choice, probability, recent, uniform):
        best = rl.where(_is_best(choice, probability), 1.0, 0.0)
        shifted = rl.stack(best, *(recent[i] for i in range(window - 1)))
        turned = _and(rl.sum(shifted) >= criterion, uniform, hazard)
        return {
            "probability": rl.where(turned, _moved(probability, n_actions), probability),
            "recent": rl.where(turned, 0.0, shifted),
        }

    return update


def _is_best(choice: Any, probability: Any) -> Any:
    return probability[choice] >= rl.max(probability)


def _and(met: Any, uniform: Any, hazard: float) -> Any:
    """Return whether a criterion is met and the reversal comes; without a chance no uniform number is used up."""
    return met if hazard == 1 else met & (uniform < hazard)


def _moved(probability: Any, n_actions: int) -> Any:
    return rl.stack(*(probability[(i - 1) % n_actions] for i in range(n_actions)))
