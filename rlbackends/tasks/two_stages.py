"""The two-step task: a first choice leads to one of two states, a choice there to a reward."""

from __future__ import annotations

from functools import partial
from typing import Any

import rlbackends as rl
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.schedules import reflected_walk
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["two_step"]


def two_step(
    n_trials: int | None = None,
    *,
    transition: float = 0.7,
    probabilities: Any = None,
    sd: float = 0.025,
    bounds: tuple[float, float] = (0.25, 0.75),
    win: float = 1.0,
    loss: float = 0.0,
    shared: bool = False,
) -> Task:
    """The two-step task, with rewards whose probabilities drift.

    Parameters
    ----------
    n_trials : int, optional
        Trials of a block; default: as many as a table of probabilities has, or else 201.
    transition : float, default 0.7
        Probability of the common transitions: first action 0 to state 0, and 1 to 1.
    probabilities : array, optional
        Probability of a reward, state × action, or a table trial × state × action that is the same for all. Default:
        walks that are drawn for each block.
    sd : float, default 0.025
        Standard deviation of a step of the walks.
    bounds : (float, float), default (0.25, 0.75)
        Where the walks are reflected.
    win, loss : float, default 1.0, 0.0
        The two payoffs.
    shared : bool, default False
        Whether all subjects meet the same walks.

    Returns
    -------
    Task
        Events: ``choice1`` (the subject's, one of 2 actions), ``state2`` (where it led, one of 2 states),
        ``choice2`` (the subject's, one of 2 actions there) and ``reward`` (``win`` or ``loss``). Hidden:
        ``probability``.

    Raises
    ------
    ModelError
        If a probability is none, or sizes disagree; all faults at once.

    Notes
    -----
    ``state2 = choice1`` if ``uniform < transition``, else the other state; ``reward = win`` if another ``uniform <
    probability[state2, choice2]``, else ``loss``. Each of the four probabilities starts anywhere between the bounds
    and takes a normal step between trials that is reflected at the bounds. The transitions, the step, the bounds and
    the number of trials are the paper's.

    References
    ----------
    Daw, N. D., Gershman, S. J., Seymour, B., Dayan, P., & Dolan, R. J. (2011). Model-based influences on
    humans' choices and striatal prediction errors. *Neuron, 69*, 1204–1215.

    Examples
    --------
    >>> import rlbackends as rl
    >>> params = {"beta": 4.0, "alpha": 0.5, "w": 0.6, "stay": 0.2}
    >>> played = rl.simulate(
    ...     rl.catalogue.two_step_four(), rl.tasks.two_step(), params, subjects=5, backend="reference"
    ... )
    >>> played.data
    Trials(5 subjects × 201 trials; choice1, state2, choice2, reward; from two_step)
    """
    settings = Settings("two_step")
    common = settings.probability("transition", transition)
    step, between = settings.number("sd", sd, 0.0), settings.span("bounds", bounds, 0.0, 1.0)
    win, loss = settings.number("win", win), settings.number("loss", loss)
    shared = settings.flag("shared", shared)
    drawn: Any = partial(reflected_walk, shape=(2, 2), sd=step, bounds=between)
    table = None
    if probabilities is not None:
        drawn = settings.probabilities("probabilities", probabilities, "state", "action", trials=True, least=2)
        table = drawn if drawn.ndim == 3 else None
        if drawn.shape[-2:] != (2, 2):
            settings.faults.add(f"probabilities has shape {drawn.shape}, expected 2 states × 2 actions.")
    n_trials = settings.trials(n_trials, 201, "probabilities", table)
    settings.report()

    def state2(choice1, uniform):
        """The state that the first choice led to."""
        return rl.where(uniform < common, choice1, 1 - choice1)

    def reward(state2, choice2, probability, uniform):
        """What the second choice brought."""
        return rl.where(uniform < probability[state2, choice2], win, loss)

    return Task(
        "two_step",
        trial={
            "choice1": rl.Index("action", description="the first choice"),
            "state2": state2,
            "choice2": rl.Index("action", description="the choice in the second state"),
            "reward": reward,
        },
        schedule={"probability": Scheduled(rl.Real("state", "action"), drawn, shared)},
        sizes={"state": 2, "action": 2},
        n_trials=n_trials,
        description="A first choice leads to one of two states, a choice there to a reward.",
        reference="Daw et al. (2011)",
    )
