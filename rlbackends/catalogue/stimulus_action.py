"""Models that learn a value for each action in each situation, or for each of the stimuli to choose between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = [
    "stimulus_action_learning",
    "aliens",
    "rl_working_memory",
    "probabilistic_selection",
    "probabilistic_selection_one_rate",
]


def aliens(n_seasons: int = 3, n_aliens: int = 4, n_actions: int = 3, initial: float = 0.12) -> Model:
    """Q-learning on a table season × alien × action, with forgetting and a softmax choice ("flat" aliens).

    Parameters
    ----------
    n_seasons, n_aliens, n_actions : int, default 3, 4, 3
        Number of contexts, of stimuli in each, and of actions.
    initial : float, default 0.12
        Action values at the start of each block, toward which they are forgotten, too.

    Returns
    -------
    Model
        Columns that the data need: ``season``, ``alien`` and ``choice`` (one of each), and ``reward`` (a
        number). Parameters: ``alpha`` (learning rate), ``beta`` (inverse temperature) and ``forgetting``
        (share forgotten a trial). Record: ``prediction_error``.

    Notes
    -----
    First every entry is forgotten a little, ``q ← (1 − forgetting) · q + forgetting · initial``; then the
    entry that was used learns, ``q[season, alien, choice] += alpha · (reward − q[season, alien, choice])``,
    its prediction error taken from the value that forgetting left. Choices follow ``softmax(beta · q[season,
    alien])`` with the values before both. On a trial where one of the four is missing nothing is learnt and
    nothing forgotten. The default of ``initial`` is that of the forum's model, see `aliens_task_sets_argmax`; the
    paper's simulations start at the reward expected by chance, 1.67.

    References
    ----------
    Eckstein, M. K., & Collins, A. G. E. (2020). Computational evidence for hierarchically structured
    reinforcement learning in humans. *Proceedings of the National Academy of Sciences, 117*, 29381–29389.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     season=[[0, 0, 0]], alien=[[2, 2, 0]], choice=[[1, 1, 0]], reward=[[3.1, 2.0, 0.4]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.aliens(), data)
    >>> params = {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.099, -0.763, -1.099]])
    """

    def choice(q, season, alien, beta):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q[season, alien])

    def update(q, season, alien, choice, reward, alpha, forgetting):
        kept = components.decay(q, forgetting, toward=initial)
        q, prediction_error = components.delta_rule(kept, (season, alien, choice), reward, alpha)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "aliens",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
            "forgetting": rl.Parameter(rl.UnitInterval(), "share of a value forgotten each trial"),
        },
        states={"q": rl.State("season", "alien", "action", initial=initial)},
        trial={
            "season": rl.Index("season", description="the context"),
            "alien": rl.Index("alien", description="the stimulus that was shown"),
            "choice": choice,
            "reward": rl.Real(description="points won"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"season": n_seasons, "alien": n_aliens, "action": n_actions},
        description="A table of action values learnt by a delta rule and forgotten; softmax choice.",
        reference="Eckstein & Collins (2020)",
    )


def stimulus_action_learning(n_stimuli: int = 6, n_actions: int = 3, initial: float | None = None) -> Model:
    """Q-learning on a table stimulus × action, with a softmax choice.

    Parameters
    ----------
    n_stimuli, n_actions : int, default 6, 3
        Number of stimuli, and of actions that each may be answered with.
    initial : float, optional
        Action values at the start of each block; default: ``1 / n_actions``, what guessing brings on average
        if one action is right, and right is worth 1.

    Returns
    -------
    Model
        Columns that the data need: ``stimulus`` (one of the stimuli), ``choice`` (one of the actions) and
        ``reward`` (a number, such as 1 for right and 0 for wrong). Parameters: ``alpha`` (learning rate) and
        ``beta`` (inverse temperature). Record: ``prediction_error``.

    Notes
    -----
    The value of the action taken with the stimulus shown moves by a share of the prediction error,
    ``q[stimulus, choice] += alpha · (reward − q[stimulus, choice])``; nothing else moves. Choices follow
    ``softmax(beta · q[stimulus])`` with the values before the update. It is the reinforcement learner of
    `rl_working_memory`, and Watkins' rule where no action leads anywhere: without a next state there is
    nothing to discount.

    References
    ----------
    Watkins, C. J. C. H., & Dayan, P. (1992). Q-learning. *Machine Learning, 8*, 279–292.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(stimulus=[[4, 4, 0]], choice=[[2, 2, 0]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.stimulus_action_learning(), data)
    >>> compiled.log_likelihood({"alpha": 0.5, "beta": 3.0})["choice"].values.round(3)
    array([[-1.099, -0.551, -1.099]])
    """
    start = 1 / n_actions if initial is None else initial

    def choice(q, stimulus, beta):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q[stimulus])

    def update(q, stimulus, choice, reward, alpha):
        q, prediction_error = components.delta_rule(q, (stimulus, choice), reward, alpha)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "stimulus_action_learning",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
        },
        states={"q": rl.State("stimulus", "action", initial=start)},
        trial={
            "stimulus": rl.Index("stimulus", description="the stimulus that was shown"),
            "choice": choice,
            "reward": rl.Real(description="points won"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"stimulus": n_stimuli, "action": n_actions},
        description="A value of each action for each stimulus, learnt by a delta rule; softmax choice.",
        reference="Watkins & Dayan (1992)",
    )


def rl_working_memory(n_stimuli: int = 6, n_actions: int = 3, beta_wm: float | None = None) -> Model:
    """A slow reinforcement learner and a fast working memory that holds a few stimuli and forgets.

    Parameters
    ----------
    n_stimuli, n_actions : int, default 6, 3
        Largest number of stimuli in a block, and number of actions that each may be answered with.
    beta_wm : float, optional
        Inverse temperature of working memory, a fixed one. Default: ``beta``, the same as for the
        reinforcement learner.

    Returns
    -------
    Model
        Columns that the data need: ``set_size`` (n, how many stimuli the block has), ``stimulus`` (one of the
        stimuli), ``choice`` (one of the actions) and ``reward`` (a number: 1 for right and 0 for wrong).
        Parameters: ``alpha`` (α, learning rate), ``beta`` (β, inverse temperature), ``forgetting`` (φ, share
        that working memory loses a trial), ``rho`` (ρ, reliance on working memory), ``capacity`` (C, or K:
        how many stimuli working memory holds) and ``lapse`` (ε, share of choices that are guesses). Records:
        ``prediction_error``, and ``wm_weight``, working memory's weight.

    Raises
    ------
    ModelError
        If ``beta_wm`` is not above 0.

    Notes
    -----
    Both tables, ``q`` and ``wm``, start each block at ``1 / n_actions``, written 1/K below. Working memory's
    weight is ``w = rho · min(1, capacity / set_size)``: the chance that a stimulus is among those held, times
    the reliance. Choices follow ::

        p = (1 − lapse) · (w · softmax(beta · wm[stimulus]) + (1 − w) · softmax(beta · q[stimulus])) + lapse / K

    Then the reinforcement learner moves by a share of its own prediction error, ``q[stimulus, choice] +=
    alpha · (reward − q[stimulus, choice])``, and does not forget. In working memory first every entry decays,
    ``wm ← wm + forgetting · (1/K − wm)``, then the entry that was used is set to the outcome, ``wm[stimulus,
    choice] = reward``: a delta rule with rate 1. So an outcome is remembered whole on the next trial, and
    decays from then on.

    This is the model of Collins et al. (2014), whose weight is fixed within a block; such a fixed weight is
    what later papers fit, too. In Collins and Frank (2012), who proposed the model, ``w`` is only where a
    block starts: from there each stimulus's weight moves by Bayes' rule to the system that foretold the
    outcomes better. That is not done here. Later papers fix the inverse temperature at a large number, such
    as 25, 50 or 100, which tells it apart from ``alpha`` and ``lapse``: fix ``beta`` when fitting, or working
    memory's alone by ``beta_wm``. ``capacity``, there often a whole number, is continuous from 0 to
    ``n_stimuli``; above ``set_size`` it has no effect. With ``rho = 0`` and ``lapse = 0`` it is
    `stimulus_action_learning`.

    References
    ----------
    Collins, A. G. E., & Frank, M. J. (2012). How much of reinforcement learning is working memory, not
    reinforcement learning? A behavioral, computational, and neurogenetic analysis. *European Journal of
    Neuroscience, 35*, 1024–1035.

    Collins, A. G. E., Brown, J. K., Gold, J. M., Waltz, J. A., & Frank, M. J. (2014). Working memory
    contributions to reinforcement learning impairments in schizophrenia. *Journal of Neuroscience, 34*,
    13747–13756.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     set_size=[[3.0, 3.0, 3.0]], stimulus=[[2, 0, 2]], choice=[[1, 0, 1]], reward=[[1.0, 0.0, 1.0]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.rl_working_memory(), data)
    >>> params = {"alpha": 0.1, "beta": 5.0, "forgetting": 0.2, "rho": 0.9, "capacity": 2.5, "lapse": 0.05}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.099, -1.099, -0.301]])
    """
    if beta_wm is not None and not beta_wm > 0:
        raise ModelError(f"rl_working_memory: beta_wm is {beta_wm!r}, expected a number above 0, or None for beta.")

    def weight(rho, capacity, set_size):
        return rho * rl.minimum(1.0, capacity / set_size)

    def choice(q, wm, set_size, stimulus, beta, rho, capacity, lapse):
        """The action that was chosen."""
        w = weight(rho, capacity, set_size)
        remembered = rl.softmax((beta if beta_wm is None else beta_wm) * wm[stimulus])
        mixed = w * remembered + (1 - w) * rl.softmax(beta * q[stimulus])
        return rl.Categorical(log_probs=rl.log(components.lapse(mixed, lapse)))

    def update(q, wm, set_size, stimulus, choice, reward, alpha, forgetting, rho, capacity):
        q, prediction_error = components.delta_rule(q, (stimulus, choice), reward, alpha)
        kept = components.decay(wm, forgetting, toward=1 / n_actions)
        return {
            "q": q,
            "wm": kept.at[stimulus, choice].set(reward),
            "prediction_error": prediction_error,
            "wm_weight": weight(rho, capacity, set_size),
        }

    return Model(
        "rl_working_memory",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
            "forgetting": rl.Parameter(rl.UnitInterval(), "share that working memory loses each trial"),
            "rho": rl.Parameter(rl.UnitInterval(), "reliance on working memory"),
            "capacity": rl.Parameter(rl.Interval(0, n_stimuli), "number of stimuli that working memory holds"),
            "lapse": rl.Parameter(rl.UnitInterval(), "share of choices that are guesses"),
        },
        states={
            "q": rl.State("stimulus", "action", initial=1 / n_actions),
            "wm": rl.State("stimulus", "action", initial=1 / n_actions),
        },
        trial={
            "set_size": rl.Real(description="number of stimuli in the block"),
            "stimulus": rl.Index("stimulus", description="the stimulus that was shown"),
            "choice": choice,
            "reward": rl.Real(description="1 if the choice was right, 0 if not"),
        },
        update=update,
        records=["prediction_error", "wm_weight"],
        sizes={"stimulus": n_stimuli, "action": n_actions},
        description="A slow delta rule and a fast, forgetful working memory of limited capacity, mixed.",
        reference="Collins & Frank (2012); Collins et al. (2014)",
    )


def _choice_of_two(q, first, second, beta):
    """The one of the two that was chosen, 0 for the first and 1 for the second."""
    return rl.Categorical(logits=beta * rl.stack(q[first], q[second], axis="option"))


def _two_stimuli(
    name: str, update: Callable[..., Any], rates: dict[str, str], description: str, n_stimuli: int, initial: float
) -> Model:
    """Return a model of choices between two stimuli, each with a value."""
    return Model(
        name,
        parameters={
            **{rate: rl.Parameter(rl.UnitInterval(), what) for rate, what in rates.items()},
            "beta": rl.Parameter(rl.Interval(0, 10), "inverse temperature"),
        },
        states={"q": rl.State("stimulus", initial=initial)},
        trial={
            "first": rl.Index("stimulus", description="one of the two stimuli that were shown"),
            "second": rl.Index("stimulus", description="the other stimulus that was shown"),
            "choice": _choice_of_two,
            "reward": rl.Real(description="1 if the choice was rewarded, 0 if not"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"stimulus": n_stimuli, "option": 2},
        description=description,
        reference="Frank et al. (2007)",
    )


def probabilistic_selection(n_stimuli: int = 6, initial: float = 0.5) -> Model:
    """Choices between two of six stimuli, each with a value of its own: one rate for good news, one for bad news.

    Parameters
    ----------
    n_stimuli : int, default 6
        Number of stimuli.
    initial : float, default 0.5
        Their values at the start of each block; 0 as hBayesDM fits the model.

    Returns
    -------
    Model
        Columns that the data need: ``first`` and ``second`` (the two stimuli that were shown, each one of the
        stimuli), ``choice`` (0 if the first was chosen, 1 if the second) and ``reward`` (1 or 0). Parameters:
        ``alpha_pos`` (α_G, learning rate for gains) and ``alpha_neg`` (α_L, for losses), and ``beta``
        (inverse temperature; the paper's β is the temperature, one over it). Record: ``prediction_error``.

    Notes
    -----
    Only the chosen stimulus's value moves: with ``δ = reward − q[chosen]``, ``q[chosen] += alpha_pos · δ`` if
    ``δ > 0``, else ``q[chosen] += alpha_neg · δ``. Choices follow a softmax over the two stimuli shown, so
    that the first has the probability ``1 / (1 + exp(−beta · (q[first] − q[second])))``.

    A test phase without feedback is trials whose reward is missing: choices count, nothing is learnt.

    The default start, 0.5, is halfway between the two outcomes: the first reward and the first failure are
    news of the same size. From 0, where hBayesDM starts, no bad news is possible before the first reward. The
    bound of ``beta``, 10, is hBayesDM's. In its data ``choice`` is 1 for the first stimulus and 0 for the
    second: say ``levels={"choice": [1, 0]}``. Its ``type``, 12, 34 or 56, is the two stimuli, counted from 1.

    References
    ----------
    Frank, M. J., Moustafa, A. A., Haughey, H. M., Curran, T., & Hutchison, K. E. (2007). Genetic triple
    dissociation reveals multiple roles for dopamine in reinforcement learning. *Proceedings of the National
    Academy of Sciences, 104*, 16311–16316.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     first=[[0, 2, 2]], second=[[1, 3, 0]], choice=[[0, 1, 1]], reward=[[1.0, 0.0, 1.0]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.probabilistic_selection(), data)
    >>> params = {"alpha_pos": 0.4, "alpha_neg": 0.2, "beta": 3.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.693, -0.437]])
    """

    def update(q, first, second, choice, reward, alpha_pos, alpha_neg):
        chosen = rl.where(choice == 0, first, second)
        rate = components.rate_by_sign(reward - q[chosen], alpha_pos, alpha_neg)
        q, prediction_error = components.delta_rule(q, chosen, reward, rate)
        return {"q": q, "prediction_error": prediction_error}

    rates = {
        "alpha_pos": "learning rate of positive prediction errors",
        "alpha_neg": "learning rate of the other prediction errors",
    }
    description = "A value for each stimulus, learnt at a rate by the error's sign; softmax over the two shown."
    return _two_stimuli("probabilistic_selection", update, rates, description, n_stimuli, initial)


def probabilistic_selection_one_rate(n_stimuli: int = 6, initial: float = 0.5) -> Model:
    """Choices between two of six stimuli, each with a value of its own, learnt with one rate.

    Parameters
    ----------
    n_stimuli : int, default 6
        Number of stimuli.
    initial : float, default 0.5
        Their values at the start of each block; 0 as hBayesDM fits the model.

    Returns
    -------
    Model
        Columns that the data need: ``first`` and ``second`` (the two stimuli that were shown, each one of the
        stimuli), ``choice`` (0 if the first was chosen, 1 if the second) and ``reward`` (1 or 0). Parameters:
        ``alpha`` (learning rate) and ``beta`` (inverse temperature). Record: ``prediction_error``.

    Notes
    -----
    `probabilistic_selection` with one rate for gains and losses: ``q[chosen] += alpha · (reward −
    q[chosen])``, and a softmax over the two stimuli shown. What is said there of the start, of the bound of
    ``beta``, of the test phase and of hBayesDM's data goes for this one.

    References
    ----------
    Frank, M. J., Moustafa, A. A., Haughey, H. M., Curran, T., & Hutchison, K. E. (2007). Genetic triple
    dissociation reveals multiple roles for dopamine in reinforcement learning. *Proceedings of the National
    Academy of Sciences, 104*, 16311–16316.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     first=[[0, 2, 2]], second=[[1, 3, 0]], choice=[[0, 1, 1]], reward=[[1.0, 0.0, 1.0]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.probabilistic_selection_one_rate(), data)
    >>> compiled.log_likelihood({"alpha": 0.4, "beta": 3.0})["choice"].values.round(3)
    array([[-0.693, -0.693, -0.437]])
    """

    def update(q, first, second, choice, reward, alpha):
        q, prediction_error = components.delta_rule(q, rl.where(choice == 0, first, second), reward, alpha)
        return {"q": q, "prediction_error": prediction_error}

    rates = {"alpha": "learning rate"}
    description = "A value for each stimulus, learnt by a delta rule; softmax over the two shown."
    return _two_stimuli("probabilistic_selection_one_rate", update, rates, description, n_stimuli, initial)
