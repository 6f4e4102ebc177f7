"""Tasks in which the right action depends on what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.schedules import runs, shuffled_rounds
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["stimulus_action", "aliens", "probabilistic_selection"]

# Mean payoffs of the published simulated data, season (its task set) × alien × action.
_ALIENS = (
    ((1, 6, 1), (1, 1, 4), (5, 1, 1), (10, 1, 1)),
    ((1, 1, 2), (1, 8, 1), (1, 1, 7), (1, 3, 1)),
    ((1, 1, 7), (3, 1, 1), (1, 3, 1), (2, 1, 1)),
)
_CHOICE = rl.Index("action", description="the action that was chosen")


def aliens(
    rewards: Any = _ALIENS,
    n_trials: int = 440,
    *,
    task_sets: Sequence[int] | None = None,
    season_length: int = 52,
    sd: float = 0.5,
    lowest: float | None = 0.0,
) -> Task:
    """Aliens that want to be fed differently in each season: contexts that call for task sets.

    Parameters
    ----------
    rewards : array, default: 3 task sets × 4 aliens × 3 actions
        Mean payoffs, task set × alien × action.
    n_trials : int, default 440
        Trials of a block.
    task_sets : sequence of int, optional
        The task set that each season calls for, counted from 0. Default: each task set has its season.
    season_length : int, default 52
        Trials after which the season changes.
    sd : float, default 0.5
        Standard deviation of payoffs around their means.
    lowest : float or None, default 0.0
        Payoffs below it are raised to it; None leaves them.

    Returns
    -------
    Task
        Events: ``season`` and ``alien`` (what is shown), ``choice`` (the subject's, one of the actions) and
        ``reward`` (a number). Hidden: ``mean_payoff``.

    Raises
    ------
    ModelError
        If sizes disagree or a number makes no sense; all faults at once.

    Notes
    -----
    ``reward = max(lowest, mean_payoff[season, alien, choice] + sd · Φ⁻¹(uniform))``. Seasons last
    ``season_length`` trials; they come in shuffled rounds in which each comes once, and none follows itself. Aliens
    come in shuffled rounds, too. Both orders are drawn for each subject and block.

    The paper has three seasons, each calling for its own task set, four aliens and three actions. The mean payoffs,
    their standard deviation, the number of trials and the order are those of simulated data that its first author
    published in PyMC's forum (discourse.pymc.io, topic 1735), read off its means per season, alien and action; there
    payoffs are rounded to one decimal, which they are not here. The paper's payoffs are others.

    References
    ----------
    Eckstein, M. K., & Collins, A. G. E. (2020). Computational evidence for hierarchically structured
    reinforcement learning in humans. *Proceedings of the National Academy of Sciences, 117*, 29381–29389.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.aliens(n_trials=156)
    >>> params = {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06}
    >>> rl.simulate(rl.catalogue.aliens(), task, params, subjects=3, backend="reference").data
    Trials(3 subjects × 156 trials; season, alien, choice, reward; from aliens)

    Two seasons that call for the same task set, as in tests of transfer:

    >>> rl.tasks.aliens(task_sets=(0, 1, 2, 0)).sizes["season"]
    4
    """
    settings = Settings("aliens")
    table = settings.numbers("rewards", rewards, "task set", "alien", "action")
    n_trials = settings.trials(n_trials, 440)
    length = settings.whole("season_length", season_length)
    sd = settings.number("sd", sd, 0.0)
    lowest = None if lowest is None else settings.number("lowest", lowest)
    sets = list(range(len(table)))
    if task_sets is not None:
        given = [] if isinstance(task_sets, str) or not hasattr(task_sets, "__len__") else list(task_sets)
        if not given:
            settings.faults.add(f"task_sets is {task_sets!r}, expected the task set of each season.")
        sets = [settings.whole(f"task_sets[{i}]", number, 0, len(table) - 1) for i, number in enumerate(given)] or sets
    settings.report()
    n_aliens, n_actions = table.shape[1:]

    def reward(season, alien, choice, mean_payoff, uniform):
        """Points won."""
        paid = mean_payoff[season, alien, choice]
        if sd:
            paid = paid + sd * rl.ndtri(uniform)
        return paid if lowest is None else rl.maximum(paid, lowest)

    return Task(
        "aliens",
        trial={
            "season": Scheduled(
                rl.Index("season", description="the context"), partial(runs, n_items=len(sets), length=length)
            ),
            "alien": Scheduled(
                rl.Index("alien", description="the stimulus that is shown"),
                partial(shuffled_rounds, items=range(n_aliens)),
            ),
            "choice": _CHOICE,
            "reward": reward,
        },
        schedule={"mean_payoff": Scheduled(rl.Real("season", "alien", "action"), table[sets])},
        sizes={"season": len(sets), "alien": n_aliens, "action": n_actions},
        n_trials=n_trials,
        description="Aliens that want to be fed differently in each season.",
        reference="Eckstein & Collins (2020)",
    )


def stimulus_action(
    n_stimuli: int = 6,
    n_actions: int = 3,
    n_trials: int = 90,
    *,
    set_sizes: Sequence[int] | None = None,
    validity: float = 1.0,
    win: float = 1.0,
    loss: float = 0.0,
) -> Task:
    """Stimuli that each have one right action, in sets of different sizes.

    Parameters
    ----------
    n_stimuli, n_actions : int, default 6, 3
        Number of stimuli, and of actions that each may be answered with.
    n_trials : int, default 90
        Trials of a block.
    set_sizes : sequence of int, optional
        How many of the stimuli a block has: blocks take the sizes in turn, and each subject begins with the next one.
        Default: all stimuli in each block.
    validity : float, default 1.0
        Probability that the right action wins, and that a wrong one does not.
    win, loss : float, default 1.0, 0.0
        The two payoffs.

    Returns
    -------
    Task
        Events: ``set_size`` (how many stimuli the block has), ``stimulus`` (what is shown), ``choice`` (the subject's,
        one of the actions) and ``reward`` (``win`` or ``loss``). Hidden: ``correct``, the right action of each
        stimulus.

    Raises
    ------
    ModelError
        If a set is larger than there are stimuli, or a number makes no sense; all faults at once.

    Notes
    -----
    Right actions are drawn for each subject and block, each as likely for each stimulus. The first ``set_size``
    stimuli come in shuffled rounds. In the paper, blocks have sets of 2 to 6 stimuli with three actions and
    deterministic feedback, which is ``set_sizes=(2, 3, 4, 5, 6)`` with several blocks; the orders are chosen here.

    References
    ----------
    Collins, A. G. E., & Frank, M. J. (2012). How much of reinforcement learning is working memory, not
    reinforcement learning? A behavioral, computational, and neurogenetic analysis. *European Journal of
    Neuroscience, 35*, 1024–1035.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.stimulus_action(set_sizes=(2, 4, 6), n_trials=24)
    >>> params = {"alpha": 0.1, "beta": 8.0, "forgetting": 0.1, "rho": 0.9, "capacity": 3.0, "lapse": 0.05}
    >>> model = rl.catalogue.rl_working_memory()
    >>> played = rl.simulate(model, task, params, subjects=2, blocks=3, backend="reference")
    >>> played.events["set_size"][:, ::24]
    array([[2., 4., 6.],
           [4., 6., 2.]])
    """
    settings = Settings("stimulus_action")
    n_stimuli, n_actions = settings.whole("n_stimuli", n_stimuli), settings.whole("n_actions", n_actions, 2)
    n_trials = settings.trials(n_trials, 90)
    validity = settings.probability("validity", validity)
    win, loss = settings.number("win", win), settings.number("loss", loss)
    sizes: Sequence[int] = (n_stimuli,)
    if set_sizes is not None:
        given = [] if isinstance(set_sizes, str) or not hasattr(set_sizes, "__len__") else list(set_sizes)
        if not given:
            settings.faults.add(f"set_sizes is {set_sizes!r}, expected numbers of stimuli.")
        sizes = [settings.whole(f"set_sizes[{i}]", size, 1, n_stimuli) for i, size in enumerate(given)]
    settings.report()
    sizes = tuple(sizes)

    def reward(stimulus, choice, correct, uniform):
        """Whether feedback was positive."""
        if validity == 1:
            return rl.where(choice == correct[stimulus], win, loss)
        return rl.where(uniform < rl.where(choice == correct[stimulus], validity, 1 - validity), win, loss)

    return Task(
        "stimulus_action",
        trial={
            "set_size": Scheduled(
                rl.Real(description="how many stimuli the block has"), partial(_block_size, sizes=sizes)
            ),
            "stimulus": Scheduled(
                rl.Index("stimulus", description="the stimulus that is shown"), partial(_block_stimuli, sizes=sizes)
            ),
            "choice": _CHOICE,
            "reward": reward,
        },
        schedule={
            "correct": Scheduled(
                rl.Index("action", "stimulus"), partial(_right_actions, n_stimuli=n_stimuli, n_actions=n_actions)
            )
        },
        sizes={"stimulus": n_stimuli, "action": n_actions},
        n_trials=n_trials,
        description="Stimuli that each have one right action, in sets of different sizes.",
        reference="Collins & Frank (2012)",
    )


def _set_size(subject: int, block: int, sizes: Sequence[int]) -> int:
    return sizes[(subject + block) % len(sizes)]


def _block_size(n_trials: int, subject: int, block: int, *, sizes: Sequence[int]) -> np.ndarray:
    return np.full(n_trials, _set_size(subject, block, sizes), dtype=np.float64)


def _block_stimuli(
    rng: np.random.Generator, n_trials: int, subject: int, block: int, *, sizes: Sequence[int]
) -> np.ndarray:
    return shuffled_rounds(rng, n_trials, items=range(_set_size(subject, block, sizes)))


def _right_actions(rng: np.random.Generator, *, n_stimuli: int, n_actions: int) -> np.ndarray:
    return rng.integers(n_actions, size=n_stimuli)


def probabilistic_selection(
    probabilities: Any = ((0.8, 0.2), (0.7, 0.3), (0.6, 0.4)),
    n_trials: int = 120,
    *,
    win: float = 1.0,
    loss: float = 0.0,
) -> Task:
    """Pairs of stimuli, of which one is right more often than the other.

    Parameters
    ----------
    probabilities : array, default ((0.8, 0.2), (0.7, 0.3), (0.6, 0.4))
        Probability of positive feedback for both stimuli of each pair: A and B, C and D, E and F.
    n_trials : int, default 120
        Trials of a block.
    win, loss : float, default 1.0, 0.0
        The two kinds of feedback.

    Returns
    -------
    Task
        Events: ``first`` and ``second`` (the stimuli that are shown: pair 0 is 0 and 1, pair 1 is 2 and 3, …),
        ``choice`` (the subject's: 0 for the first, 1 for the second) and ``reward`` (``win`` or ``loss``). Hidden:
        ``pair``, ``swapped`` and ``probability``.

    Raises
    ------
    ModelError
        If a probability is none, or ``probabilities`` has no pairs; all faults at once.

    Notes
    -----
    Pairs come in shuffled rounds, and within a pair either stimulus is first with probability 1/2. ``reward = win``
    if ``uniform < probability`` of the stimulus chosen. This is the training phase; the probabilities are the
    paper's, the number of trials is chosen here.

    References
    ----------
    Frank, M. J., Seeberger, L. C., & O'Reilly, R. C. (2004). By carrot or by stick: Cognitive reinforcement
    learning in parkinsonism. *Science, 306*, 1940–1943.

    Frank, M. J., Moustafa, A. A., Haughey, H. M., Curran, T., & Hutchison, K. E. (2007). Genetic triple
    dissociation reveals multiple roles for dopamine in reinforcement learning. *Proceedings of the National
    Academy of Sciences, 104*, 16311–16316.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.probabilistic_selection(n_trials=60)
    >>> model = rl.catalogue.probabilistic_selection()
    >>> params = {"alpha_pos": 0.3, "alpha_neg": 0.2, "beta": 4.0}
    >>> rl.simulate(model, task, params, subjects=3, backend="reference").data
    Trials(3 subjects × 60 trials; first, second, choice, reward; from probabilistic_selection)
    """
    settings = Settings("probabilistic_selection")
    table = settings.probabilities("probabilities", probabilities, "pair", "stimulus of the pair")
    if table.shape[1] != 2 and not settings.faults.found:
        settings.faults.add(f"probabilities has shape {table.shape}, expected two stimuli in each pair.")
    n_trials = settings.trials(n_trials, 120)
    win, loss = settings.number("win", win), settings.number("loss", loss)
    settings.report()
    n_pairs = len(table)

    def first(pair, swapped):
        """The first of the two stimuli."""
        return 2 * pair + swapped

    def second(pair, swapped):
        """The second of the two stimuli."""
        return 2 * pair + 1 - swapped

    def reward(first, second, choice, probability, uniform):
        """The feedback."""
        return rl.where(uniform < probability[rl.where(choice == 0, first, second)], win, loss)

    return Task(
        "probabilistic_selection",
        trial={
            "first": first,
            "second": second,
            "choice": rl.Index("option", description="which of the two was chosen: the first or the second"),
            "reward": reward,
        },
        schedule={
            "pair": Scheduled(rl.Index("pairs"), partial(shuffled_rounds, items=range(n_pairs))),
            "swapped": Scheduled(rl.Binary(), _coins),
            "probability": Scheduled(rl.Real("stimulus"), table.ravel()),
        },
        sizes={"pairs": n_pairs, "stimulus": 2 * n_pairs, "option": 2},
        n_trials=n_trials,
        description="Pairs of stimuli, of which one is right more often than the other.",
        reference="Frank et al. (2004, 2007)",
    )


def _coins(rng: np.random.Generator, n_trials: int) -> np.ndarray:
    return rng.integers(2, size=n_trials)
