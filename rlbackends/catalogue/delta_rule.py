"""Models that learn action values by a delta rule."""

from __future__ import annotations

import rlbackends as rl
from rlbackends import components
from rlbackends.model import Model

__all__ = ["rescorla_wagner", "rescorla_wagner_two_rates"]


def rescorla_wagner(n_actions: int = 2, initial: float = 0.0) -> Model:
    """Rescorla–Wagner learning with a softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameters:
        ``alpha`` (learning rate) and ``beta`` (inverse temperature). Record: ``prediction_error``.

    Notes
    -----
    The chosen action's value moves by a share of the prediction error,
    ``q[choice] += alpha · (reward − q[choice])``; choices follow ``softmax(beta · q)``.

    References
    ----------
    Rescorla, R. A., & Wagner, A. R. (1972). A theory of Pavlovian conditioning: Variations in the
    effectiveness of reinforcement and nonreinforcement. In A. H. Black & W. F. Prokasy (Eds.), *Classical
    conditioning II* (pp. 64–99). Appleton-Century-Crofts.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.rescorla_wagner(), data)
    >>> compiled.log_likelihood({"alpha": 0.5, "beta": 2.0})["choice"].values.round(3)
    array([[-0.693, -0.313, -0.974]])
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


def rescorla_wagner_two_rates(n_actions: int = 2, initial: float = 0.0) -> Model:
    """Rescorla–Wagner learning with one rate for good news, another for bad news, and a softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameters:
        ``alpha_pos`` and ``alpha_neg`` (learning rates) and ``beta`` (inverse temperature). Record:
        ``prediction_error``.

    Notes
    -----
    The rate goes by the sign of the *prediction error*, not of the outcome: with ``δ = reward − q[choice]``,
    ``q[choice] += alpha_pos · δ`` if ``δ > 0``, else ``q[choice] += alpha_neg · δ``. Choices follow
    ``softmax(beta · q)``.

    References
    ----------
    Lefebvre, G., Lebreton, M., Meyniel, F., Bourgeois-Gironde, S., & Palminteri, S. (2017). Behavioural and
    neural characterization of optimistic reinforcement learning. *Nature Human Behaviour, 1*, 0067.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.rescorla_wagner_two_rates(), data)
    >>> params = {"alpha_pos": 0.5, "alpha_neg": 0.1, "beta": 2.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.313, -1.241]])
    """

    def choice(q, beta):
        return rl.Categorical(logits=beta * q)

    def update(q, choice, reward, alpha_pos, alpha_neg):
        rate = components.rate_by_sign(reward - q[choice], alpha_pos, alpha_neg)
        q, prediction_error = components.delta_rule(q, choice, reward, rate)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "rescorla_wagner_two_rates",
        parameters={
            "alpha_pos": rl.Parameter(rl.UnitInterval(), "learning rate of positive prediction errors"),
            "alpha_neg": rl.Parameter(rl.UnitInterval(), "learning rate of the other prediction errors"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
        },
        states={"q": rl.State("action", initial=initial)},
        trial={"choice": choice, "reward": rl.Real()},
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt by a delta rule, its rate by the error's sign; softmax choice.",
        reference="Lefebvre et al. (2017)",
    )
