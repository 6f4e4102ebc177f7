"""Bandits: several actions, each with payoffs of its own."""

from __future__ import annotations

from typing import Any

import rlbackends as rl
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["bandit", "gaussian_bandit", "tabulated_bandit"]

CHOICE = rl.Index("action", description="the action that was chosen")


def bandit(
    probabilities: Any = (0.2, 0.8), n_trials: int | None = None, *, win: float = 1.0, loss: float = 0.0
) -> Task:
    """Actions that win with fixed probabilities.

    Parameters
    ----------
    probabilities : array, default (0.2, 0.8)
        Probability that each action wins; or a table trial × action, the same for all subjects and blocks.
    n_trials : int, optional
        Trials of a block; default: as many as the table has, or else 100.
    win, loss : float, default 1.0, 0.0
        The two payoffs.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's, one of the actions) and ``reward`` (``win`` or ``loss``). Hidden:
        ``probability``.

    Raises
    ------
    ModelError
        If a probability is none, or a number makes no sense; all faults at once.

    Notes
    -----
    ``reward = win`` if ``uniform < probability[choice]``, else ``loss``.

    References
    ----------
    Sutton, R. S., & Barto, A. G. (2018). *Reinforcement learning: An introduction* (2nd ed., ch. 2). MIT Press.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.bandit(probabilities=(0.1, 0.5, 0.9), n_trials=60)
    >>> model = rl.catalogue.rescorla_wagner(n_actions=3)
    >>> played = rl.simulate(model, task, {"alpha": 0.3, "beta": 5.0}, subjects=4, backend="reference")
    >>> played.data
    Trials(4 subjects × 60 trials; choice, reward; from bandit)
    """
    settings = Settings("bandit")
    table = settings.probabilities("probabilities", probabilities, "action", trials=True)
    win, loss = settings.number("win", win), settings.number("loss", loss)
    length = settings.trials(n_trials, 100, "probabilities", table if table.ndim == 2 else None)
    settings.report()
    return bernoulli_bandit(
        "bandit",
        table,
        table.shape[-1],
        win,
        loss,
        n_trials=length,
        description="Actions that win with fixed probabilities.",
        reference="Sutton & Barto (2018)",
    )


def gaussian_bandit(means: Any = (0.0, 1.0), sd: Any = 1.0, n_trials: int | None = None) -> Task:
    """Actions whose payoffs are normal.

    Parameters
    ----------
    means : array, default (0.0, 1.0)
        Mean payoff of each action; or a table trial × action, the same for all subjects and blocks.
    sd : float or array, default 1.0
        Standard deviation of payoffs, the same for all actions or one each.
    n_trials : int, optional
        Trials of a block; default: as many as the table has, or else 100.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's, one of the actions) and ``reward`` (a number). Hidden: ``mean_payoff``.

    Raises
    ------
    ModelError
        If a number is none, sizes disagree, or a standard deviation is below 0; all faults at once.

    Notes
    -----
    ``reward = mean_payoff[choice] + sd[choice] · Φ⁻¹(uniform)``.

    References
    ----------
    Sutton, R. S., & Barto, A. G. (2018). *Reinforcement learning: An introduction* (2nd ed., ch. 2). MIT Press.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.gaussian_bandit(means=(0.0, 0.5, 2.0), sd=0.5)
    >>> model = rl.catalogue.rescorla_wagner(n_actions=3)
    >>> rl.simulate(model, task, {"alpha": 0.3, "beta": 2.0}, subjects=4, backend="reference").data
    Trials(4 subjects × 100 trials; choice, reward; from gaussian_bandit)
    """
    settings = Settings("gaussian_bandit")
    table = settings.numbers("means", means, "action", trials=True)
    n_actions = table.shape[-1]
    spread = settings.numbers("sd", sd, "action", lo=0.0) if hasattr(sd, "__len__") else settings.number("sd", sd, 0.0)
    if hasattr(spread, "__len__") and len(spread) != n_actions:
        settings.faults.add(f"sd has {len(spread)} entries, but means has {n_actions} actions.")
    length = settings.trials(n_trials, 100, "means", table if table.ndim == 2 else None)
    settings.report()
    return normal_bandit(
        "gaussian_bandit",
        table,
        n_actions,
        spread,
        n_trials=length,
        description="Actions whose payoffs are normal.",
        reference="Sutton & Barto (2018)",
    )


def tabulated_bandit(payoffs: Any) -> Task:
    """Actions whose payoffs were all fixed beforehand: what each would pay on each trial.

    Parameters
    ----------
    payoffs : array
        A table trial × action, one column an action, the same for all subjects and blocks. A block may be shorter
        than the table, not longer.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's, one of the actions) and ``reward`` (a number). Hidden: ``payoff``. It has
        as many trials as the table.

    Raises
    ------
    ModelError
        If ``payoffs`` is no table of finite numbers.

    Notes
    -----
    ``reward = payoff[choice]``: nothing but the choices is left to chance, and two subjects who choose alike win
    alike.

    Examples
    --------
    >>> import numpy as np
    >>> import rlbackends as rl
    >>> payoffs = np.random.default_rng(1).normal(loc=[0.0, 1.0, 2.0], size=(80, 3))
    >>> task = rl.tasks.tabulated_bandit(payoffs)
    >>> model = rl.catalogue.rescorla_wagner(n_actions=3)
    >>> rl.simulate(model, task, {"alpha": 0.3, "beta": 2.0}, subjects=4, backend="reference").data
    Trials(4 subjects × 80 trials; choice, reward; from tabulated_bandit)
    """
    settings = Settings("tabulated_bandit")
    table = settings.numbers("payoffs", payoffs, "trial", "action")
    settings.report()

    def reward(choice, payoff):
        """What the chosen action pays on this trial."""
        return payoff[choice]

    return Task(
        "tabulated_bandit",
        trial={"choice": CHOICE, "reward": reward},
        schedule={"payoff": Scheduled(rl.Real("action"), table)},
        sizes={"action": table.shape[1]},
        n_trials=len(table),
        description="Actions whose payoffs were fixed beforehand.",
    )


def bernoulli_bandit(
    name: str, probability: Any, n_actions: int, win: float, loss: float, shared: bool = False, **more: Any
) -> Task:
    """Return a bandit whose actions win with probabilities, an array or a function that draws them."""

    def reward(choice, probability, uniform):
        """What the choice brought."""
        return rl.where(uniform < probability[choice], win, loss)

    return Task(
        name,
        trial={"choice": CHOICE, "reward": reward},
        schedule={"probability": Scheduled(rl.Real("action"), probability, shared)},
        sizes={"action": n_actions},
        **more,
    )


def normal_bandit(name: str, means: Any, n_actions: int, sd: Any, shared: bool = False, **more: Any) -> Task:
    """Return a bandit whose payoffs are normal; means are an array, or a function that draws them."""
    schedule = {"mean_payoff": Scheduled(rl.Real("action"), means, shared)}
    if hasattr(sd, "__len__"):
        schedule["payoff_sd"] = Scheduled(rl.Real("action"), sd)

        def reward(choice, mean_payoff, payoff_sd, uniform):
            """What the choice brought."""
            return mean_payoff[choice] + payoff_sd[choice] * rl.ndtri(uniform)

    else:

        def reward(choice, mean_payoff, uniform):
            """What the choice brought."""
            return mean_payoff[choice] + sd * rl.ndtri(uniform)

    return Task(
        name, trial={"choice": CHOICE, "reward": reward}, schedule=schedule, sizes={"action": n_actions}, **more
    )
