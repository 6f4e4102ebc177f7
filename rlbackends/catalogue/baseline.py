"""Models that learn no values: what a model of learning has to beat."""

from __future__ import annotations

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["biased_responding", "win_stay_lose_shift"]


def biased_responding() -> Model:
    """Responding that learns nothing: one of two actions, by a preference that never changes.

    Returns
    -------
    Model
        Column that the data need: ``choice`` (one of 2). Parameter: ``bias`` (the probability of action 0).

    Notes
    -----
    Each choice is action 0 with probability ``bias`` and action 1 with ``1 − bias``, whatever happened before.
    The paper writes b for ``bias``.

    References
    ----------
    Wilson, R. C., & Collins, A. G. E. (2019). Ten simple rules for the computational modeling of behavioral
    data. *eLife, 8*, e49547.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]])
    >>> compiled = rl.compile(rl.catalogue.biased_responding(), data)
    >>> compiled.log_likelihood({"bias": 0.75})["choice"].values.round(3)
    array([[-0.288, -0.288, -1.386]])
    """

    def choice(bias):
        """The action that was chosen."""
        return rl.Categorical(log_probs=rl.log(rl.stack(bias, 1.0 - bias, axis="action")))

    def update():
        return {}

    return Model(
        "biased_responding",
        parameters={"bias": rl.Parameter(rl.UnitInterval(), "probability of the first action")},
        states={},
        trial={"choice": choice},
        update=update,
        sizes={"action": 2},
        description="Random choices with a preference that never changes.",
        reference="Wilson & Collins (2019)",
    )


def win_stay_lose_shift(n_actions: int = 2, win_above: float = 0.0) -> Model:
    """Win-stay-lose-shift with noise: repeat what won, leave what lost, and now and then do anything.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions, two or more.
    win_above : float, default 0.0
        What is a win: an outcome above this; any other is a loss.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameter:
        ``lapse`` (the share of choices that are guessed).

    Raises
    ------
    ModelError
        If there are fewer than two actions.

    Notes
    -----
    After a win the rule takes the same action again; after a loss it takes another one, each of the ``K − 1``
    others alike; at the start of a block it takes any action. ``favoured`` holds these probabilities, and a
    choice follows them with probability ``1 − lapse``, and is any action with ``lapse``, the paper's ε:
    ``p = (1 − lapse) · favoured + lapse / K``.

    With two actions, as in the paper, the rule's action has the probability ``1 − lapse / 2``; more actions
    are the obvious extension. A trial whose choice or outcome is missing leaves ``favoured`` as it is. With
    ``lapse = 0`` a choice against the rule has probability 0.

    References
    ----------
    Wilson, R. C., & Collins, A. G. E. (2019). Ten simple rules for the computational modeling of behavioral
    data. *eLife, 8*, e49547.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.win_stay_lose_shift(), data)
    >>> compiled.log_likelihood({"lapse": 0.5})["choice"].values.round(3)
    array([[-0.693, -0.288, -0.288]])
    """
    if n_actions == 1:
        raise ModelError("win_stay_lose_shift: n_actions is 1, expected 2 or more, so that there is one to shift to.")

    def choice(favoured, lapse):
        """The action that was chosen."""
        return rl.Categorical(log_probs=rl.log(components.lapse(favoured, lapse)))

    def update(favoured, choice, reward):
        same = rl.one_hot(choice, favoured)
        others = 1.0 - same
        shift = others if n_actions == 2 else others / (n_actions - 1)
        return {"favoured": rl.where(reward > win_above, same, shift)}

    return Model(
        "win_stay_lose_shift",
        parameters={"lapse": rl.Parameter(rl.UnitInterval(), "share of choices that are guessed")},
        states={"favoured": rl.State("action", initial=lambda action: 1.0 / action)},
        trial={"choice": choice, "reward": rl.Real(description="what the choice brought, in any unit")},
        update=update,
        sizes={"action": n_actions},
        description="The last choice again if it won, another one if it lost, with noise.",
        reference="Wilson & Collins (2019)",
    )
