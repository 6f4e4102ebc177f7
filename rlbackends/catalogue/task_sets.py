"""Models that learn which set of rules, or task set, a context calls for, besides the rules themselves.

A task set says what each action brings with each alien; a season calls for one of them. In the paper the
learner draws one set a trial and uses no other; nobody sees which, so its likelihood sums over every sequence
of sets that there might have been, and is not fitted. The models here put something in the place of that
draw: its expected value, the set that is best, or a belief.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["aliens_task_sets", "aliens_task_sets_argmax", "aliens_bayesian"]

Table = Sequence[Sequence[float]]


def aliens_task_sets(
    n_seasons: int = 3,
    n_aliens: int = 4,
    n_actions: int = 3,
    n_task_sets: int = 3,
    initial: float = 0.12,
    initial_high: Table | None = None,
) -> Model:
    """Hierarchical reinforcement learning of task sets, weighted by how good each is in the season.

    Parameters
    ----------
    n_seasons, n_aliens, n_actions : int, default 3, 4, 3
        Number of contexts, of stimuli, and of actions.
    n_task_sets : int, default 3
        Number of task sets.
    initial : float, default 0.12
        Action values of every task set at the start of each block, toward which they are forgotten, too.
    initial_high : table, optional
        Values of the task sets, one row a season, at the start of each block, toward which they are
        forgotten, too. Default: ``initial``, and 1 more for the task set with the season's number.

    Returns
    -------
    Model
        Columns that the data need: ``season``, ``alien`` and ``choice`` (one of each), and ``reward`` (a
        number). Parameters: ``alpha`` (α_a, learning rate of the action values), ``beta`` (β_a, inverse
        temperature of choices), ``forgetting`` (f_a, share of the action values forgotten a trial), and
        ``alpha_high``, ``beta_high`` and ``forgetting_high`` (α_TS, β_TS, f_TS), the same for task sets.
        Records: ``weights`` (the weight of each task set on the trial), ``prediction_error`` and
        ``prediction_error_high``, their weighted means.

    Raises
    ------
    ModelError
        If there are fewer than two task sets, if ``initial_high`` is no table of season × task set, or if two
        task sets start alike in every season.

    Notes
    -----
    ``q_high[season, task set]`` is what a task set is worth in a season; ``q_low[task set, alien, action]``
    is what it says an action is worth. The season's weights are ``weights = softmax(beta_high ·
    q_high[season])``, and choices follow ``softmax(beta · Σ weights · q_low[:, alien])``, the sum being over
    task sets. Then both tables are forgotten a little toward where they started, ``q ← (1 − forgetting) · q +
    forgetting · initial``, and every task set learns by its own prediction error, as much as its weight ``w``
    (from before) says:

    - ``q_low[ts, alien, choice] += alpha · w[ts] · (reward − q_low[ts, alien, choice])``,
    - ``q_high[season, ts] += alpha_high · w[ts] · (reward − q_high[season, ts])``,

    the prediction errors being taken from the values that forgetting left.

    In the paper one task set is drawn with the probabilities ``w``; it alone decides the choice, and it alone
    learns. Here each update is its expected value over that draw, and so is the value on which the choice
    depends: the likelihood can be computed and differentiated, and all six parameters move it. The price is
    that nothing is left to chance: **task sets that start alike stay alike**. If every season began with
    equal values, as in the paper, all task sets would keep the same values for good, and ``alpha_high``,
    ``beta_high`` and ``forgetting_high`` would do nothing; which is why ``initial_high`` has to tell them
    apart. The default lets a season lean to the set of its own number: with ``beta_high = 1`` by a factor of
    e over any other set. Take the lean large, ``beta_high`` large, and ``alpha_high`` and ``forgetting_high``
    0, and each season has a set to itself: that is `aliens`.

    ``q_high`` needs the season and the reward only: it learns and forgets, too, on a trial on which the alien
    or the choice is missing. The paper's simulations start at the reward expected by chance, 1.67, take rates
    from 0 to 1 and inverse temperatures from 1 to 20.

    References
    ----------
    Eckstein, M. K., & Collins, A. G. E. (2020). Computational evidence for hierarchically structured
    reinforcement learning in humans. *Proceedings of the National Academy of Sciences, 117*, 29381–29389.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     season=[[0, 0, 1]], alien=[[0, 0, 0]], choice=[[1, 1, 0]], reward=[[3.1, 2.0, 0.4]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.aliens_task_sets(), data)
    >>> params = {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06}
    >>> params |= {"alpha_high": 0.1, "beta_high": 2.0, "forgetting_high": 0.02}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.099, -0.866, -1.15 ]])
    """
    start_high = _start_high("aliens_task_sets", n_seasons, n_task_sets, initial, initial_high)

    def choice(q_low, q_high, season, alien, beta, beta_high):
        """The action that was chosen."""
        weights = rl.softmax(beta_high * q_high[season])
        return rl.Categorical(logits=beta * rl.sum(weights[:, None] * q_low[:, alien], axis=0))

    def update(
        q_low, q_high, season, alien, choice, reward,
        alpha, forgetting, alpha_high, beta_high, forgetting_high,
    ):  # fmt: skip
        weights = rl.softmax(beta_high * q_high[season])
        kept_low = components.decay(q_low, forgetting, toward=initial)
        kept_high = components.decay(q_high, forgetting_high, toward=start_high)
        q_low, errors = components.delta_rule(kept_low, (slice(None), alien, choice), reward, alpha * weights)
        q_high, errors_high = components.delta_rule(kept_high, season, reward, alpha_high * weights)
        return {
            "q_low": q_low,
            "q_high": q_high,
            "weights": weights,
            "prediction_error": rl.dot(weights, errors),
            "prediction_error_high": rl.dot(weights, errors_high),
        }

    return Model(
        "aliens_task_sets",
        parameters={
            **_PARAMETERS,
            "alpha_high": rl.Parameter(rl.UnitInterval(), "learning rate of the task sets' values"),
            "beta_high": rl.Parameter(rl.Positive(), "inverse temperature of the task sets' weights"),
            "forgetting_high": rl.Parameter(rl.UnitInterval(), "share of a task set's value forgotten each trial"),
        },
        states={
            "q_low": rl.State("task_set", "alien", "action", initial=initial),
            "q_high": rl.State("season", "task_set", initial=start_high),
        },
        trial=_trial(choice),
        update=update,
        records=["weights", "prediction_error", "prediction_error_high"],
        sizes={"season": n_seasons, "alien": n_aliens, "action": n_actions, "task_set": n_task_sets},
        description="Action values in several task sets, weighted by each set's value in the season; softmax choice.",
        reference="Eckstein & Collins (2020)",
    )


def aliens_task_sets_argmax(
    n_seasons: int = 3,
    n_aliens: int = 4,
    n_actions: int = 3,
    n_task_sets: int = 3,
    initial: float = 0.12,
    initial_high: float | Table | None = None,
) -> Model:
    """Hierarchical reinforcement learning of task sets, of which the season's best is used and no other.

    It is here to reproduce fits and to explain why they got stuck: no gradient reaches the parameters of the
    task sets. To fit, take `aliens_task_sets` or `aliens_bayesian`.

    Parameters
    ----------
    n_seasons, n_aliens, n_actions : int, default 3, 4, 3
        Number of contexts, of stimuli, and of actions.
    n_task_sets : int, default 3
        Number of task sets.
    initial : float, default 0.12
        Action values of every task set at the start of each block, toward which they are forgotten, too.
    initial_high : float or table, optional
        Values of the task sets, one for all or one row a season, at the start of each block, toward which
        they are forgotten, too. Default: ``initial``.

    Returns
    -------
    Model
        Columns that the data need: ``season``, ``alien`` and ``choice`` (one of each), and ``reward`` (a
        number). Parameters: ``alpha`` (learning rate of the action values), ``beta`` (inverse temperature),
        ``forgetting`` (share of the action values forgotten a trial), and ``alpha_high`` and
        ``forgetting_high``, the same for task sets. Records: ``weights`` (1 for the task set in use, 0
        for the others), ``prediction_error`` and ``prediction_error_high``.

    Raises
    ------
    ModelError
        If there are fewer than two task sets, or ``initial_high`` is neither a number nor a table of season ×
        task set.

    Notes
    -----
    The task set in use is ``best_set = argmax q_high[season]``, and choices follow ``softmax(beta ·
    q_low[best_set, alien])``. Then both tables are forgotten a little toward where they started, and what was
    used learns: ``q_low[best_set, alien, choice] += alpha · (reward − q_low[best_set, alien, choice])`` and
    ``q_high[season, best_set] += alpha_high · (reward − q_high[season, best_set])``, the prediction errors
    being taken from the values that forgetting left.

    The state is not ``q_high`` but ``above_start = q_high − initial_high``, which forgetting shrinks:
    ``above_start ← (1 − forgetting_high) · above_start``. It is the same model, but two sets that have nearly
    been forgotten are told apart by their values, and not by how a backend happens to round them.

    *Why a sampler that follows gradients gets stuck.* ``q_high`` does nothing but decide an argmax, and a
    small change of it changes no argmax. So the likelihood is flat in ``alpha_high`` and ``forgetting_high``,
    with jumps where a set overtakes another: the gradient is exactly 0 and never tells where the jumps are.
    An inverse temperature of the task sets, which the forum's model has, drops out altogether, as the largest
    of ``beta_high · q_high`` is the largest of ``q_high``; a parameter that nothing depends on is refused
    here, so it is none.

    *Ties.* Where values tie, the first set is taken. With equal initial values every season therefore begins
    with task set 0, and leaves it when its value falls below ``initial``: never, as long as rewards are above
    that. From the forum's 0.12, where a wrong answer pays about 1, one task set serves all seasons: in its
    data, with ``alpha_high = 0.15`` and ``forgetting_high = 0.06``, on 13,128 of 13,640 trials. From the 1.2
    of its later version wrong answers can end the use of a set, and all three are used. A table as
    ``initial_high``, such as ``initial`` plus 1 on the diagonal, gives each season a set of its own to begin
    with.

    ``above_start`` needs the season and the reward only: it learns and forgets, too, on a trial on which the
    alien or the choice is missing.

    References
    ----------
    Eckstein, M. K. (2018). *Modeling reinforcement learning of human participant using PyMC3* [Forum thread]. PyMC
    Discourse, topic 1735.

    Eckstein, M. K., & Collins, A. G. E. (2020). Computational evidence for hierarchically structured
    reinforcement learning in humans. *Proceedings of the National Academy of Sciences, 117*, 29381–29389.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     season=[[0, 0, 1]], alien=[[0, 0, 0]], choice=[[1, 1, 0]], reward=[[3.1, 2.0, 0.4]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.aliens_task_sets_argmax(), data)
    >>> params = {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06, "alpha_high": 0.1, "forgetting_high": 0.02}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.099, -0.763, -1.441]])
    """
    where = "aliens_task_sets_argmax"
    _check_number(where, n_task_sets)
    start_high = initial if initial_high is None else initial_high
    if not isinstance(start_high, int | float):
        start_high = _table(where, "initial_high", start_high, n_seasons, n_task_sets)

    def choice(q_low, above_start, season, alien, beta):
        """The action that was chosen."""
        q_high = start_high + above_start
        return rl.Categorical(logits=beta * q_low[rl.argmax(q_high[season]), alien])

    def update(q_low, above_start, season, alien, choice, reward, alpha, forgetting, alpha_high, forgetting_high):
        q_high = start_high + above_start
        weights = rl.one_hot(rl.argmax(q_high[season]), q_high)
        kept_low = components.decay(q_low, forgetting, toward=initial)
        q_low, errors = components.delta_rule(kept_low, (slice(None), alien, choice), reward, alpha * weights)
        kept_above = components.decay(above_start, forgetting_high)
        errors_high = reward - (start_high + kept_above)[season]
        return {
            "q_low": q_low,
            "above_start": kept_above.at[season].add(alpha_high * weights * errors_high),
            "weights": weights,
            "prediction_error": rl.dot(weights, errors),
            "prediction_error_high": rl.dot(weights, errors_high),
        }

    return Model(
        where,
        parameters={
            **_PARAMETERS,
            "alpha_high": rl.Parameter(rl.UnitInterval(), "learning rate of the task sets' values"),
            "forgetting_high": rl.Parameter(rl.UnitInterval(), "share of a task set's value forgotten each trial"),
        },
        states={
            "q_low": rl.State("task_set", "alien", "action", initial=initial),
            "above_start": rl.State("season", "task_set"),
        },
        trial=_trial(choice),
        update=update,
        records=["weights", "prediction_error", "prediction_error_high"],
        sizes={"season": n_seasons, "alien": n_aliens, "action": n_actions, "task_set": n_task_sets},
        description="Action values in several task sets, of which the best in the season is used; softmax choice.",
        reference="Eckstein (2018); Eckstein & Collins (2020)",
    )


def aliens_bayesian(
    n_seasons: int = 3,
    n_aliens: int = 4,
    n_actions: int = 3,
    n_task_sets: int = 3,
    initial: float = 0.12,
    initial_belief: Table | None = None,
) -> Model:
    """Bayesian inference of the task set that a season calls for, and reinforcement learning of the task sets.

    Parameters
    ----------
    n_seasons, n_aliens, n_actions : int, default 3, 4, 3
        Number of contexts, of stimuli, and of actions.
    n_task_sets : int, default 3
        Number of task sets.
    initial : float, default 0.12
        Action values of every task set at the start of each block, toward which they are forgotten, too.
    initial_belief : table, optional
        Probability of each task set, one row a season, at the start of each block. Default: the task set with
        the season's number is twice as probable as any other.

    Returns
    -------
    Model
        Columns that the data need: ``season``, ``alien`` and ``choice`` (one of each), and ``reward`` (a
        number). Parameters: ``alpha`` (learning rate of the action values), ``beta`` (inverse temperature),
        ``forgetting`` (share of the action values forgotten a trial) and ``precision`` (one over the variance
        with which rewards are thought to scatter, in points⁻²: 0 learns nothing about the season). Records:
        ``posterior`` (the belief after the trial in the task sets, for the trial's season) and
        ``prediction_error`` (from the value expected before it).

    Raises
    ------
    ModelError
        If there are fewer than two task sets, if ``initial_belief`` is no table of season × task set whose
        rows are probabilities above 0 that sum to 1, or if two task sets start alike in every season.

    Notes
    -----
    ``log_belief[season, task set]`` is the logarithm of ``p(ts | season)``; ``q_low[task set, alien,
    action]`` is the reward that a task set foretells. Choices follow ``softmax(beta · Σ p(ts | season) ·
    q_low[ts, alien])``. Then the values are forgotten a little, ``q_low ← (1 − forgetting) · q_low +
    forgetting · initial``, and what is left of them is held against the reward, which a task set expects to
    be normal around its own value:

    - ``p(ts | season) ∝ p(ts | season) · exp(−precision / 2 · (reward − q_low[ts, alien, choice])²)``, normalised,
    - ``q_low[ts, alien, choice] += alpha · p(ts | season) · (reward − q_low[ts, alien, choice])``,

    the second with the belief that the first line brought. Beliefs about other seasons stay. It is computed
    with logarithms throughout, so that no belief is ever rounded to 0.

    As in the paper, and in the models of Collins and Koechlin that it follows, the belief in every task set
    is kept up to date. The paper's model differs in three things. It draws one task set a trial, which alone
    learns; here the choice and the learning are expected values, as in `aliens_task_sets`, and for the same
    reason task sets that start alike stay alike: ``initial_belief`` has to tell them apart. It learns from
    right and wrong, 1 and 0, with ``p(reward | ts, alien, action) = q_low[ts, alien, action]``; here rewards
    may be any numbers, points or 1 and 0. And its simulations pass beliefs through a softmax, and forget
    them.

    References
    ----------
    Eckstein, M. K., & Collins, A. G. E. (2020). Computational evidence for hierarchically structured
    reinforcement learning in humans. *Proceedings of the National Academy of Sciences, 117*, 29381–29389.

    Collins, A., & Koechlin, E. (2012). Reasoning, learning, and creativity: Frontal lobe function and human
    decision-making. *PLoS Biology, 10*, e1001293.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     season=[[0, 0, 1]], alien=[[0, 0, 0]], choice=[[1, 1, 0]], reward=[[3.1, 2.0, 0.4]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.aliens_bayesian(), data)
    >>> params = {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06, "precision": 1.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.099, -0.964, -1.194]])
    """
    where = "aliens_bayesian"
    _check_number(where, n_task_sets)
    if initial_belief is None:
        prior = np.where(_own(n_seasons, n_task_sets), 2.0, 1.0) / (n_task_sets + 1)
    else:
        prior = _table(where, "initial_belief", initial_belief, n_seasons, n_task_sets)
    if prior.min() <= 0 or not np.allclose(prior.sum(axis=1), 1, rtol=0, atol=1e-9):
        raise ModelError(
            f"{where}: initial_belief is {prior.tolist()}, expected probabilities above 0 that sum to 1 in each row."
        )
    _check_apart(where, "initial_belief", prior)

    def choice(q_low, log_belief, season, alien, beta):
        """The action that was chosen."""
        belief = rl.exp(log_belief[season])
        return rl.Categorical(logits=beta * rl.sum(belief[:, None] * q_low[:, alien], axis=0))

    def update(q_low, log_belief, season, alien, choice, reward, alpha, forgetting, precision):
        kept = components.decay(q_low, forgetting, toward=initial)
        errors = reward - kept[:, alien, choice]
        log_posterior = rl.log_softmax(log_belief[season] - precision / 2 * errors * errors)
        posterior = rl.exp(log_posterior)
        return {
            "q_low": kept.at[:, alien, choice].add(alpha * posterior * errors),
            "log_belief": log_belief.at[season].set(log_posterior),
            "posterior": posterior,
            "prediction_error": rl.dot(rl.exp(log_belief[season]), errors),
        }

    return Model(
        where,
        parameters={
            **_PARAMETERS,
            "precision": rl.Parameter(rl.Positive(), "one over the variance with which rewards scatter"),
        },
        states={
            "q_low": rl.State("task_set", "alien", "action", initial=initial),
            "log_belief": rl.State("season", "task_set", initial=np.log(prior)),
        },
        trial=_trial(choice),
        update=update,
        records=["posterior", "prediction_error"],
        sizes={"season": n_seasons, "alien": n_aliens, "action": n_actions, "task_set": n_task_sets},
        description="Action values in several task sets, of which the season's is inferred; softmax choice.",
        reference="Eckstein & Collins (2020)",
    )


# What the models share

_PARAMETERS = {
    "alpha": rl.Parameter(rl.UnitInterval(), "learning rate of the action values"),
    "beta": rl.Parameter(rl.Positive(), "inverse temperature of choices"),
    "forgetting": rl.Parameter(rl.UnitInterval(), "share of an action value forgotten each trial"),
}


def _trial(choice: Callable[..., Any]) -> dict[str, Any]:
    return {
        "season": rl.Index("season", description="the context"),
        "alien": rl.Index("alien", description="the stimulus that was shown"),
        "choice": choice,
        "reward": rl.Real(description="points won"),
    }


def _own(n_seasons: int, n_task_sets: int) -> np.ndarray:
    """Return whether a task set has the season's number; beyond the last set it is counted from 0 again."""
    return np.arange(n_seasons)[:, None] % n_task_sets == np.arange(n_task_sets)


def _start_high(where: str, n_seasons: int, n_task_sets: int, initial: float, given: Table | None) -> np.ndarray:
    """Return the values of task sets at the start, of which no two are alike in every season."""
    _check_number(where, n_task_sets)
    if given is None:
        found = np.where(_own(n_seasons, n_task_sets), initial + 1.0, initial)
    else:
        found = _table(where, "initial_high", given, n_seasons, n_task_sets)
    _check_apart(where, "initial_high", found)
    return found


def _table(where: str, name: str, given: Table, n_seasons: int, n_task_sets: int) -> np.ndarray:
    try:
        found = np.array(given, dtype=float)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (n_seasons, n_task_sets) or not np.isfinite(found).all():
        raise ModelError(
            f"{where}: {name} is {given!r}, expected {n_seasons} rows, one a season, of {n_task_sets} numbers, one a "
            "task set."
        )
    return found


def _check_number(where: str, n_task_sets: int) -> None:
    if n_task_sets < 2:
        raise ModelError(f"{where}: n_task_sets is {n_task_sets!r}, expected 2 or more.")


def _check_apart(where: str, name: str, start: np.ndarray) -> None:
    """Raise where two task sets start alike in every season."""
    for second in range(start.shape[1]):
        for first in range(second):
            if (start[:, first] == start[:, second]).all():
                raise ModelError(
                    f"{where}: {name} is {start.tolist()}, in which task sets {first} and {second} start alike in "
                    "every season; then they stay alike. Expected columns that differ."
                )
