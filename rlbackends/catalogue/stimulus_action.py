"""Models that learn a value for each action in each situation."""

from __future__ import annotations

import rlbackends as rl
from rlbackends import components
from rlbackends.model import Model

__all__ = ["aliens"]


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
    nothing forgotten.

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
            "season": rl.Index("season"),
            "alien": rl.Index("alien"),
            "choice": choice,
            "reward": rl.Real(),
        },
        update=update,
        records=["prediction_error"],
        sizes={"season": n_seasons, "alien": n_aliens, "action": n_actions},
        description="A table of action values learnt by a delta rule and forgotten; softmax choice.",
        reference="Eckstein & Collins (2020)",
    )
