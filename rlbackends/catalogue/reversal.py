"""The reversal task's models: two actions, of which one is better until it is not."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["fictitious_update", "fictitious_update_two_rates", "experience_weighted_attraction"]

_BETA = rl.Parameter(rl.Interval(0, 10), "inverse temperature")
_REWARD = rl.Real(description="outcome of the choice, 1 for a win and -1 for a loss")


def fictitious_update(indecision_point: bool = True) -> Model:
    """Fictitious updating: the action not taken learns the opposite of what the other brought.

    Parameters
    ----------
    indecision_point : bool, default True
        Whether the model has the parameter ``indecision_point``; without it the two actions are chosen alike when
        their values are equal.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of 2) and ``reward`` (the outcome, 1 or −1). Parameters:
        ``alpha`` (the learning rate, η in the paper), ``indecision_point`` (α in the paper, in units of value)
        and ``beta`` (inverse temperature). Records: ``prediction_error`` of the action taken and
        ``fictitious_error`` of the other.

    Raises
    ------
    ModelError
        If ``indecision_point`` is neither True nor False.

    Notes
    -----
    Values start at 0. Both move by the same rate, the other action's as if its outcome would have been the
    opposite:

    - ``q[choice] += alpha · (reward − q[choice])``,
    - ``q[other] += alpha · (−reward − q[other])``.

    The first action is chosen with probability ``1 / (1 + exp(beta · (indecision_point − (q[0] − q[1]))))``: the
    indecision point is the difference of values at which either action is as likely, and above 0 it favours the
    second action. As both values start at 0, ``q[1]`` is always ``−q[0]``.

    ``indecision_point=False`` leaves the parameter out, which is a softmax; hBayesDM calls the two
    ``prl_fictitious`` and ``prl_fictitious_woa``. It takes the sign of outcomes
    (``derive={"reward": "sign(outcome)"}``), and the bounds 0 and 10 of ``beta`` are from there.

    References
    ----------
    Gläscher, J., Hampton, A. N., & O'Doherty, J. P. (2009). Determining a role for ventromedial prefrontal cortex
    in encoding action-based value signals during reward-related decision making. *Cerebral Cortex, 19*, 483–495.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, -1.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.fictitious_update(), data)
    >>> params = {"alpha": 0.5, "indecision_point": 0.2, "beta": 2.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.913, -0.184, -0.22 ]])
    """

    def update(q, choice, reward, alpha):
        return _both_learn(q, choice, reward, alpha)

    return _fictitious(
        "fictitious_update",
        {"alpha": rl.Parameter(rl.UnitInterval(), "learning rate")},
        update,
        indecision_point,
        description="Fictitious updating of the action not taken.",
        reference="Gläscher et al. (2009)",
    )


def fictitious_update_two_rates(indecision_point: bool = True) -> Model:
    """Fictitious updating with one rate for good news and another for bad news.

    Parameters
    ----------
    indecision_point : bool, default True
        Whether the model has the parameter ``indecision_point``; without it the two actions are chosen alike when
        their values are equal.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of 2) and ``reward`` (the outcome, 1 or −1). Parameters:
        ``alpha_pos`` and ``alpha_neg`` (learning rates), ``indecision_point`` (in units of value) and ``beta``
        (inverse temperature). Records: ``prediction_error`` of the action taken and ``fictitious_error`` of the
        other.

    Raises
    ------
    ModelError
        If ``indecision_point`` is neither True nor False.

    Notes
    -----
    As `fictitious_update`, with the rate of *both* actions by the sign of the prediction error of the action
    taken: with ``δ = reward − q[choice]`` it is ``alpha_pos`` if ``δ > 0``, else ``alpha_neg``. The error of the
    other action has the opposite sign, and that does not matter. Values start at 0, so that a ``δ`` of exactly 0
    moves nothing by either rate.

    The model joins Gläscher and others' fictitious update to the two rates of den Ouden and others, who let them
    go by the outcome's sign and the action not taken unchanged. In this form it is the one that hBayesDM fits as
    ``prl_fictitious_rp``, and ``prl_fictitious_rp_woa`` with ``indecision_point=False``. It takes the sign of
    outcomes (``derive={"reward": "sign(outcome)"}``), and the bounds 0 and 10 of ``beta`` are from there.

    References
    ----------
    Gläscher, J., Hampton, A. N., & O'Doherty, J. P. (2009). Determining a role for ventromedial prefrontal cortex
    in encoding action-based value signals during reward-related decision making. *Cerebral Cortex, 19*, 483–495.

    den Ouden, H. E. M., Daw, N. D., Fernandez, G., Elshout, J. A., Rijpkema, M., Hoogman, M., Franke, B., &
    Cools, R. (2013). Dissociable effects of dopamine and serotonin on reversal learning. *Neuron, 80*, 1090–1100.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, -1.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.fictitious_update_two_rates(), data)
    >>> params = {"alpha_pos": 0.5, "alpha_neg": 0.25, "indecision_point": 0.2, "beta": 2.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.913, -0.184, -0.744]])
    """

    def update(q, choice, reward, alpha_pos, alpha_neg):
        rate = components.rate_by_sign(reward - q[choice], alpha_pos, alpha_neg)
        return _both_learn(q, choice, reward, rate)

    return _fictitious(
        "fictitious_update_two_rates",
        {
            "alpha_pos": rl.Parameter(rl.UnitInterval(), "learning rate of positive prediction errors"),
            "alpha_neg": rl.Parameter(rl.UnitInterval(), "learning rate of the other prediction errors"),
        },
        update,
        indecision_point,
        description="Fictitious updating of the action not taken, its rate by the error's sign.",
        reference="Gläscher et al. (2009); den Ouden et al. (2013)",
    )


def _both_learn(q: Any, choice: Any, reward: Any, rate: Any) -> dict[str, Any]:
    """Let the chosen action learn the outcome, and the other its opposite."""
    other = 1 - choice
    prediction_error = reward - q[choice]
    fictitious_error = -reward - q[other]
    return {
        "q": q.at[choice].add(rate * prediction_error).at[other].add(rate * fictitious_error),
        "prediction_error": prediction_error,
        "fictitious_error": fictitious_error,
    }


def _fictitious(
    name: str,
    rates: dict[str, rl.Parameter],
    update: Callable[..., dict[str, Any]],
    indecision_point: bool,
    **about: str,
) -> Model:
    if not isinstance(indecision_point, bool):
        raise ModelError(f"{name}: indecision_point is {indecision_point!r}, expected True or False.")
    if indecision_point:
        first = np.array([1.0, 0.0])

        def choice(q, beta, indecision_point):
            """The action that was chosen."""
            return rl.Categorical(logits=beta * (q - indecision_point * first))

        point = {"indecision_point": rl.Parameter(rl.RealLine(), "difference of values at which either is chosen")}
    else:

        def choice(q, beta):
            """The action that was chosen."""
            return rl.Categorical(logits=beta * q)

        point = {}
    return Model(
        name,
        parameters={**rates, **point, "beta": _BETA},
        states={"q": rl.State("action")},
        trial={"choice": choice, "reward": _REWARD},
        update=update,
        records=["prediction_error", "fictitious_error"],
        sizes={"action": 2},
        **about,
    )


def experience_weighted_attraction(initial_experience: float = 0.0) -> Model:
    """Experience-weighted attraction: the more often an action was taken, the less its value moves.

    Parameters
    ----------
    initial_experience : float, default 0.0
        Experience weight of each action at the start of each block.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of 2) and ``reward`` (the outcome, 1 or −1). Parameters:
        ``payoff_retention`` (φ, the share of earlier payoffs that is left), ``experience_retention`` (ρ, the share of
        earlier experience that is left) and ``beta`` (inverse temperature). States: ``q`` (v in the paper) and
        ``experience`` (n).

    Raises
    ------
    ModelError
        If ``initial_experience`` is not a finite number of at least 0.

    Notes
    -----
    Values start at 0, and only the chosen action learns. With ``n`` for its experience weight before the trial,

    - ``experience[choice] = experience_retention · n + 1``,
    - ``q[choice] = (payoff_retention · n · q[choice] + reward) / experience[choice]``,

    and choices follow ``softmax(beta · q)``. With ``experience_retention = 0`` the weight is 1 after a first choice
    and the value is ``payoff_retention · q[choice] + reward``: Rescorla–Wagner with a learning rate of
    ``1 − payoff_retention`` and values larger by 1 over that rate, and so ``beta`` smaller. With
    ``experience_retention = payoff_retention = 1`` the value is the mean of all outcomes. Den Ouden and others
    call both parameters decay factors; near 1 little is lost.

    The equations are those of den Ouden and others, who simplified Camerer and Ho's: no value for payoffs forgone,
    and a weight for each action. They leave open where the weight starts. hBayesDM (``prl_ewa``) starts it at 0,
    as is the default here, so that an action's first outcome becomes its value; with ``initial_experience=1`` it
    is ``reward / (experience_retention + 1)``. hBayesDM takes the sign of outcomes
    (``derive={"reward": "sign(outcome)"}``), and the bounds 0 and 10 of ``beta`` are from there. Outcomes of 1 and
    0 make another model than 1 and −1 do.

    Experience needs no outcome: it counts a choice whose reward is missing, while the value holds.

    References
    ----------
    Camerer, C., & Ho, T.-H. (1999). Experience-weighted attraction learning in normal form games. *Econometrica,
    67*, 827–874.

    den Ouden, H. E. M., Daw, N. D., Fernandez, G., Elshout, J. A., Rijpkema, M., Hoogman, M., Franke, B., &
    Cools, R. (2013). Dissociable effects of dopamine and serotonin on reversal learning. *Neuron, 80*, 1090–1100.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, -1.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.experience_weighted_attraction(), data)
    >>> params = {"payoff_retention": 0.5, "experience_retention": 0.25, "beta": 2.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.127, -0.371]])
    """
    number = isinstance(initial_experience, int | float) and not isinstance(initial_experience, bool)
    if not (number and 0 <= initial_experience < math.inf):
        raise ModelError(
            f"experience_weighted_attraction: initial_experience is {initial_experience!r}, "
            "expected a finite number of at least 0."
        )

    def choice(q, beta):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q)

    def update(q, experience, choice, reward, payoff_retention, experience_retention):
        n = experience_retention * experience[choice] + 1
        return {
            "experience": experience.at[choice].set(n),
            "q": q.at[choice].set((payoff_retention * experience[choice] * q[choice] + reward) / n),
        }

    return Model(
        "experience_weighted_attraction",
        parameters={
            "payoff_retention": rl.Parameter(rl.UnitInterval(), "share of earlier payoffs that is left"),
            "experience_retention": rl.Parameter(rl.UnitInterval(), "share of earlier experience that is left"),
            "beta": _BETA,
        },
        states={"q": rl.State("action"), "experience": rl.State("action", initial=initial_experience)},
        trial={"choice": choice, "reward": _REWARD},
        update=update,
        sizes={"action": 2},
        description="Values that move less the more experience there is; softmax choice.",
        reference="Camerer & Ho (1999); den Ouden et al. (2013)",
    )
