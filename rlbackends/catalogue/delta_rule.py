"""Models that learn action values by a delta rule."""

from __future__ import annotations

import rlbackends as rl
from rlbackends import components
from rlbackends.model import Model


def rescorla_wagner(n_actions: int = 2, initial: float = 0.0) -> Model:
    """Rescorla–Wagner learning with a softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values before the first trial.

    Returns
    -------
    Model
        Parameters ``alpha`` (learning rate) and ``beta`` (inverse temperature); events ``choice`` and ``reward``.

    Notes
    -----
    The chosen action's value moves by a share of the prediction error,
    ``q[choice] += alpha · (reward − q[choice])``; choices follow ``softmax(beta · q)``.

    References
    ----------
    Rescorla, R. A., & Wagner, A. R. (1972). A theory of Pavlovian conditioning. In *Classical conditioning II*.
    """

    def choice(q, beta):
        return rl.Categorical(logits=beta * q)

    def update(q, choice, reward, alpha):
        q, prediction_error = components.delta_rule(q, choice, reward, alpha)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "rescorla_wagner",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
        },
        states={"q": rl.State("action", initial=initial)},
        trial={"choice": choice, "reward": rl.Real()},
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt by a delta rule; softmax choice.",
        reference="Rescorla & Wagner (1972)",
    )
