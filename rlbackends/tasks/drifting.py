"""Drifting bandits: several actions whose payoffs, or their probabilities, change from trial to trial."""

from __future__ import annotations

from functools import partial
from typing import Any

import rlbackends as rl
from rlbackends.tasks.bandits import CHOICE, bernoulli_bandit, normal_bandit
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.schedules import decaying_walk, reflected_walk
from rlbackends.tasks.settings import Settings
from rlbackends.tasks.task import Task

__all__ = ["restless_bandit", "restless_bernoulli_bandit", "gain_loss_bandit"]


def restless_bandit(
    n_actions: int = 4,
    n_trials: int = 300,
    *,
    retention: float = 0.9836,
    decay_center: float = 50.0,
    diffusion_sd: float = 2.8,
    observation_sd: float = 4.0,
    start: Any = None,
    shared: bool = False,
) -> Task:
    """Actions whose mean payoffs drift, each a Gaussian random walk that decays toward a center.

    Parameters
    ----------
    n_actions : int, default 4
        Number of actions.
    n_trials : int, default 300
        Trials of a block.
    retention : float, default 0.9836
        How much of the distance to the center remains from trial to trial (λ), from 0 to 1.
    decay_center : float, default 50.0
        What means decay toward (θ).
    diffusion_sd : float, default 2.8
        Standard deviation of a step of the walk (σ_d).
    observation_sd : float, default 4.0
        Standard deviation of a payoff around its mean (σ_o).
    start : float or array, optional
        Mean payoff on the first trial, of all actions or of each. Default: drawn from the distribution that the walk
        has in the long run.
    shared : bool, default False
        Whether all subjects meet the same walks.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's, one of the actions) and ``reward`` (a number). Hidden: ``mean_payoff``. The
        walks are drawn for each block.

    Raises
    ------
    ModelError
        If a number makes no sense; all faults at once.

    Notes
    -----
    On trial t the mean of action i is μ_i, the payoff is normal with that mean and the standard deviation σ_o, and

    ``μ_i ← λ · μ_i + (1 − λ) · θ + ν``, with ν normal, mean 0 and standard deviation σ_d.

    The numbers are the paper's, and those that `rlbackends.catalogue.kalman_filter` calls by the same names. There,
    payoffs are whole numbers of points from 1 to 100; here they are not rounded, and not bounded. Where the walks
    begin is chosen here.

    References
    ----------
    Daw, N. D., O'Doherty, J. P., Dayan, P., Seymour, B., & Dolan, R. J. (2006). Cortical substrates for exploratory
    decisions in humans. *Nature, 441*, 876–879.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.restless_bandit(n_trials=75, shared=True)
    >>> model = rl.catalogue.kalman_filter()
    >>> params = {"retention": 0.98, "decay_center": 50.0, "diffusion_sd": 2.8, "beta": 0.2}
    >>> params |= {"initial_mean": 50.0, "initial_sd": 4.0}
    >>> played = rl.simulate(model, task, params, subjects=2, backend="reference")
    >>> bool((played.world["mean_payoff"][0] == played.world["mean_payoff"][1]).all())
    True
    """
    settings = Settings("restless_bandit")
    n_actions = settings.whole("n_actions", n_actions)
    first = None
    if hasattr(start, "__len__"):
        first = settings.numbers("start", start, "action").tolist()
        if len(first) != n_actions and not settings.faults.found:
            settings.faults.add(f"start has {len(first)} entries, but there are {n_actions} actions.")
    elif start is not None:
        first = [settings.number("start", start)] * n_actions
    n_trials = settings.trials(n_trials, 300)
    retention = settings.number("retention", retention, 0.0, 1.0)
    center = settings.number("decay_center", decay_center)
    diffusion = settings.number("diffusion_sd", diffusion_sd, 0.0)
    observation = settings.number("observation_sd", observation_sd, 0.0)
    shared = settings.flag("shared", shared)
    settings.report()
    walk = partial(decaying_walk, n_walks=n_actions, retention=retention, center=center, sd=diffusion, start=first)
    return normal_bandit(
        "restless_bandit",
        walk,
        n_actions,
        observation,
        shared,
        n_trials=n_trials,
        description="Actions whose mean payoffs drift.",
        reference="Daw et al. (2006)",
    )


def restless_bernoulli_bandit(
    n_actions: int = 2,
    n_trials: int = 200,
    *,
    sd: float = 0.025,
    bounds: tuple[float, float] = (0.25, 0.75),
    win: float = 1.0,
    loss: float = 0.0,
    shared: bool = False,
) -> Task:
    """Actions that win with drifting probabilities, each a Gaussian random walk between two bounds.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    n_trials : int, default 200
        Trials of a block.
    sd : float, default 0.025
        Standard deviation of a step of the walk.
    bounds : (float, float), default (0.25, 0.75)
        Where the walks are reflected.
    win, loss : float, default 1.0, 0.0
        The two payoffs.
    shared : bool, default False
        Whether all subjects meet the same walks.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's, one of the actions) and ``reward`` (``win`` or ``loss``). Hidden:
        ``probability``. The walks are drawn for each block.

    Raises
    ------
    ModelError
        If a number makes no sense, or a bound is no probability; all faults at once.

    Notes
    -----
    Each probability starts anywhere between the bounds, and takes a normal step with the standard deviation ``sd``
    between trials; what goes beyond a bound is reflected at it. The step and the bounds are those of `two_step`;
    ``reward = win`` if ``uniform < probability[choice]``, else ``loss``.

    References
    ----------
    Daw, N. D., Gershman, S. J., Seymour, B., Dayan, P., & Dolan, R. J. (2011). Model-based influences on
    humans' choices and striatal prediction errors. *Neuron, 69*, 1204–1215.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.restless_bernoulli_bandit(n_actions=3, bounds=(0.1, 0.9))
    >>> model = rl.catalogue.rescorla_wagner(n_actions=3)
    >>> played = rl.simulate(model, task, {"alpha": 0.4, "beta": 4.0}, subjects=3, backend="reference")
    >>> walks = played.world["probability"]
    >>> bool(walks.min() >= 0.1 and walks.max() <= 0.9)
    True
    """
    settings = Settings("restless_bernoulli_bandit")
    n_actions = settings.whole("n_actions", n_actions)
    n_trials = settings.trials(n_trials, 200)
    step, between = settings.number("sd", sd, 0.0), settings.span("bounds", bounds, 0.0, 1.0)
    win, loss = settings.number("win", win), settings.number("loss", loss)
    shared = settings.flag("shared", shared)
    settings.report()
    walk = partial(reflected_walk, shape=(n_actions,), sd=step, bounds=between)
    return bernoulli_bandit(
        "restless_bernoulli_bandit",
        walk,
        n_actions,
        win,
        loss,
        shared,
        n_trials=n_trials,
        description="Actions that win with drifting probabilities.",
        reference="Daw et al. (2011)",
    )


def gain_loss_bandit(
    n_actions: int = 4,
    n_trials: int = 200,
    *,
    sd: float = 0.025,
    bounds: tuple[float, float] = (0.0, 0.5),
    gain_size: float = 1.0,
    loss_size: float = 1.0,
    shared: bool = False,
) -> Task:
    """Actions that may win and may lose on the same trial, with probabilities that drift apart from each other.

    Parameters
    ----------
    n_actions : int, default 4
        Number of actions.
    n_trials : int, default 200
        Trials of a block.
    sd : float, default 0.025
        Standard deviation of a step of the walks.
    bounds : (float, float), default (0.0, 0.5)
        Where the walks are reflected.
    gain_size, loss_size : float, default 1.0, 1.0
        What is won, and what is lost.
    shared : bool, default False
        Whether all subjects meet the same walks.

    Returns
    -------
    Task
        Events: ``choice`` (the subject's, one of the actions), ``gain`` (``gain_size`` or 0) and ``loss``
        (``−loss_size`` or 0). Hidden: ``gain_probability`` and ``loss_probability``, drawn for each block.

    Raises
    ------
    ModelError
        If a number makes no sense, or a bound is no probability; all faults at once.

    Notes
    -----
    Every action has a probability to win and one to lose, independent of each other and of those of the other
    actions. Each starts anywhere between the bounds and takes a normal step between trials that is reflected at
    the bounds. As in the paper, a choice leads to both outcomes at once, to either, or to none; the sizes of
    steps and bounds are chosen here.

    References
    ----------
    Seymour, B., Daw, N. D., Roiser, J. P., Dayan, P., & Dolan, R. (2012). Serotonin selectively modulates reward
    value in human decision-making. *Journal of Neuroscience, 32*, 5833–5842.

    Examples
    --------
    >>> import rlbackends as rl
    >>> task = rl.tasks.gain_loss_bandit(n_trials=50)
    >>> params = {"alpha_gain": 0.3, "alpha_loss": 0.3, "sensitivity_gain": 3.0, "sensitivity_loss": 3.0}
    >>> rl.simulate(rl.catalogue.gain_loss_bandit(), task, params, subjects=4, backend="reference").data
    Trials(4 subjects × 50 trials; choice, gain, loss; from gain_loss_bandit)
    """
    settings = Settings("gain_loss_bandit")
    n_actions = settings.whole("n_actions", n_actions)
    n_trials = settings.trials(n_trials, 200)
    step, between = settings.number("sd", sd, 0.0), settings.span("bounds", bounds, 0.0, 1.0)
    won, lost = settings.number("gain_size", gain_size, 0.0), settings.number("loss_size", loss_size, 0.0)
    shared = settings.flag("shared", shared)
    settings.report()
    walk = Scheduled(rl.Real("action"), partial(reflected_walk, shape=(n_actions,), sd=step, bounds=between), shared)

    def gain(choice, gain_probability, uniform):
        """What was won."""
        return rl.where(uniform < gain_probability[choice], won, 0.0)

    def loss(choice, loss_probability, uniform):
        """What was lost, 0 or less."""
        return rl.where(uniform < loss_probability[choice], -lost, 0.0)

    return Task(
        "gain_loss_bandit",
        trial={"choice": CHOICE, "gain": gain, "loss": loss},
        schedule={"gain_probability": walk, "loss_probability": walk},
        sizes={"action": n_actions},
        n_trials=n_trials,
        description="Actions that may win and may lose, with drifting probabilities.",
        reference="Seymour et al. (2012)",
    )
