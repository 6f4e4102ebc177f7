"""Models that learn what an action gains and what it loses apart: the four-armed bandit with gains and losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import rlbackends as rl
from rlbackends import components
from rlbackends.model import Model

__all__ = [
    "gain_loss_bandit",
    "gain_loss_lapse",
    "gain_loss_lapse_decay",
    "gain_loss_single_rate",
    "gain_loss_unit_sensitivity",
]

_RATES = {
    "alpha_gain": rl.Parameter(rl.UnitInterval(), "learning rate of gains"),
    "alpha_loss": rl.Parameter(rl.UnitInterval(), "learning rate of losses"),
}
_SENSITIVITIES = {
    "sensitivity_gain": rl.Parameter(rl.Interval(0, 30), "worth of a gain of 1"),
    "sensitivity_loss": rl.Parameter(rl.Interval(0, 30), "worth of a loss of 1"),
}
_LAPSE = {"lapse": rl.Parameter(rl.UnitInterval(), "share of choices that are guesses")}


def gain_loss_bandit(n_actions: int = 4) -> Model:
    """Gains and losses learnt apart, each with its rate and its sensitivity; actions not taken fade.

    Parameters
    ----------
    n_actions : int, default 4
        Number of actions.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions), ``gain`` (what was won, 0 or more) and ``loss``
        (what was lost, **0 or less**). Parameters: ``alpha_gain`` and ``alpha_loss`` (learning rates; A of reward
        and of punishment), ``sensitivity_gain`` and ``sensitivity_loss`` (R and P, in units of 1 / outcome).
        States: ``q_gain`` and ``q_loss``. Records: ``prediction_error_gain`` and ``prediction_error_loss``.

    Notes
    -----
    Values start at 0. The chosen action learns what it brought,

    - ``q_gain[choice] += alpha_gain · (sensitivity_gain · gain − q_gain[choice])``,
    - ``q_loss[choice] += alpha_loss · (sensitivity_loss · loss − q_loss[choice])``,

    and every other action, at the same rates, that it brought nothing ("fictive" updating):
    ``q_gain[other] += alpha_gain · (0 − q_gain[other])``, and so for ``q_loss``. Choices follow ``softmax(q_gain +
    q_loss)``: the sensitivities are in the place of an inverse temperature. A missing gain lets ``q_loss`` learn,
    and the other way round.

    Losses are not above 0. For a table that has them as sizes, or partly so, read them with ``derive={"loss":
    "-abs(loss)"}``, as hBayesDM does to all losses.

    This is the model without perseveration, four parameters, that hBayesDM fits as ``bandit4arm_4par``, with the
    bounds of the sensitivities, 0 and 30, from there. The paper's own model has a tendency to repeat choices,
    besides.

    References
    ----------
    Seymour, B., Daw, N. D., Roiser, J. P., Dayan, P., & Dolan, R. (2012). Serotonin selectively modulates reward
    value in human decision-making. *Journal of Neuroscience, 32*, 5833–5842.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], gain=[[1.0, 1.0, 0.0]], loss=[[0.0, -1.0, 0.0]])
    >>> compiled = rl.compile(rl.catalogue.gain_loss_bandit(), data)
    >>> params = {"alpha_gain": 0.5, "alpha_loss": 0.25, "sensitivity_gain": 2.0, "sensitivity_loss": 4.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.386, -0.744, -1.537]])
    """

    def update(q_gain, q_loss, choice, gain, loss, alpha_gain, alpha_loss, sensitivity_gain, sensitivity_loss):
        gains = _fictive(q_gain, choice, sensitivity_gain * gain, alpha_gain)
        losses = _fictive(q_loss, choice, sensitivity_loss * loss, alpha_loss)
        return _changes(gains, losses)

    return _model(
        "gain_loss_bandit",
        {**_RATES, **_SENSITIVITIES},
        update,
        n_actions,
        description="Gains and losses learnt apart; actions not taken fade; softmax choice.",
        reference="Seymour et al. (2012)",
    )


def gain_loss_lapse(n_actions: int = 4) -> Model:
    """Gains and losses learnt apart, actions not taken fade, and some choices are guesses.

    Parameters
    ----------
    n_actions : int, default 4
        Number of actions.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions), ``gain`` (what was won, 0 or more) and ``loss``
        (what was lost, **0 or less**). Parameters: ``alpha_gain`` and ``alpha_loss`` (learning rates),
        ``sensitivity_gain`` and ``sensitivity_loss`` (R and P, in units of 1 / outcome) and ``lapse`` (ξ). States:
        ``q_gain`` and ``q_loss``. Records: ``prediction_error_gain`` and ``prediction_error_loss``.

    Notes
    -----
    As `gain_loss_bandit`, with choices from ``(1 − lapse) · softmax(q_gain + q_loss) + lapse / n_actions``.
    hBayesDM calls it ``bandit4arm_lapse``. Losses as sizes: ``derive={"loss": "-abs(loss)"}``.

    References
    ----------
    Seymour, B., Daw, N. D., Roiser, J. P., Dayan, P., & Dolan, R. (2012). Serotonin selectively modulates reward
    value in human decision-making. *Journal of Neuroscience, 32*, 5833–5842.

    Aylward, J., Valton, V., Ahn, W.-Y., Bond, R. L., Dayan, P., Roiser, J. P., & Robinson, O. J. (2019). Altered
    learning under uncertainty in unmedicated mood and anxiety disorders. *Nature Human Behaviour, 3*, 1116–1123.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], gain=[[1.0, 1.0, 0.0]], loss=[[0.0, -1.0, 0.0]])
    >>> compiled = rl.compile(rl.catalogue.gain_loss_lapse(), data)
    >>> params = {"alpha_gain": 0.5, "alpha_loss": 0.25, "sensitivity_gain": 2.0, "sensitivity_loss": 4.0}
    >>> compiled.log_likelihood({**params, "lapse": 0.1})["choice"].values.round(3)
    array([[-1.386, -0.792, -1.521]])
    """

    def update(q_gain, q_loss, choice, gain, loss, alpha_gain, alpha_loss, sensitivity_gain, sensitivity_loss):
        gains = _fictive(q_gain, choice, sensitivity_gain * gain, alpha_gain)
        losses = _fictive(q_loss, choice, sensitivity_loss * loss, alpha_loss)
        return _changes(gains, losses)

    return _model(
        "gain_loss_lapse",
        {**_RATES, **_SENSITIVITIES, **_LAPSE},
        update,
        n_actions,
        description="Gains and losses learnt apart; actions not taken fade; softmax choice with lapses.",
        reference="Seymour et al. (2012); Aylward et al. (2019)",
    )


def gain_loss_lapse_decay(n_actions: int = 4) -> Model:
    """Gains and losses learnt apart, actions not taken forgotten at a rate of its own, and guesses.

    Parameters
    ----------
    n_actions : int, default 4
        Number of actions.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions), ``gain`` (what was won, 0 or more) and ``loss``
        (what was lost, **0 or less**). Parameters: ``alpha_gain`` and ``alpha_loss`` (learning rates),
        ``sensitivity_gain`` and ``sensitivity_loss`` (R and P, in units of 1 / outcome), ``forgetting`` (the decay
        rate d) and ``lapse`` (ξ). States: ``q_gain`` and ``q_loss``. Records: ``prediction_error_gain`` and
        ``prediction_error_loss``.

    Notes
    -----
    As `gain_loss_lapse`, but actions not taken do not learn at the learning rates: both their values are multiplied
    by ``1 − forgetting``. The chosen action's are not. hBayesDM calls it ``bandit4arm_lapse_decay``. Losses as
    sizes: ``derive={"loss": "-abs(loss)"}``.

    References
    ----------
    Aylward, J., Valton, V., Ahn, W.-Y., Bond, R. L., Dayan, P., Roiser, J. P., & Robinson, O. J. (2019). Altered
    learning under uncertainty in unmedicated mood and anxiety disorders. *Nature Human Behaviour, 3*, 1116–1123.

    Niv, Y., Daniel, R., Geana, A., Gershman, S. J., Leong, Y. C., Radulescu, A., & Wilson, R. C. (2015).
    Reinforcement learning in multidimensional environments relies on attention mechanisms. *Journal of
    Neuroscience, 35*, 8145–8157.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 1, 0]], gain=[[1.0, 1.0, 0.0]], loss=[[0.0, -1.0, 0.0]])
    >>> compiled = rl.compile(rl.catalogue.gain_loss_lapse_decay(), data)
    >>> params = {"alpha_gain": 0.5, "alpha_loss": 0.25, "sensitivity_gain": 2.0, "sensitivity_loss": 4.0}
    >>> compiled.log_likelihood({**params, "forgetting": 0.2, "lapse": 0.1})["choice"].values.round(3)
    array([[-1.386, -1.702, -0.896]])
    """

    def update(
        q_gain, q_loss, choice, gain, loss, alpha_gain, alpha_loss, sensitivity_gain, sensitivity_loss, forgetting
    ):
        gains = _forgetting(q_gain, choice, sensitivity_gain * gain, alpha_gain, forgetting)
        losses = _forgetting(q_loss, choice, sensitivity_loss * loss, alpha_loss, forgetting)
        return _changes(gains, losses)

    forgetting = {"forgetting": rl.Parameter(rl.UnitInterval(), "share that actions not taken lose a trial")}
    return _model(
        "gain_loss_lapse_decay",
        {**_RATES, **_SENSITIVITIES, **forgetting, **_LAPSE},
        update,
        n_actions,
        description="Gains and losses learnt apart; actions not taken are forgotten; softmax choice with lapses.",
        reference="Aylward et al. (2019)",
    )


def gain_loss_single_rate(n_actions: int = 4) -> Model:
    """Gains and losses learnt apart with one rate for both; actions not taken fade, and guesses.

    Parameters
    ----------
    n_actions : int, default 4
        Number of actions.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions), ``gain`` (what was won, 0 or more) and ``loss``
        (what was lost, **0 or less**). Parameters: ``alpha`` (learning rate), ``sensitivity_gain`` and
        ``sensitivity_loss`` (R and P, in units of 1 / outcome) and ``lapse`` (ξ). States: ``q_gain`` and ``q_loss``.
        Records: ``prediction_error_gain`` and ``prediction_error_loss``.

    Notes
    -----
    As `gain_loss_lapse` with ``alpha_gain = alpha_loss``. hBayesDM calls it ``bandit4arm_singleA_lapse``. Losses as
    sizes: ``derive={"loss": "-abs(loss)"}``.

    References
    ----------
    Aylward, J., Valton, V., Ahn, W.-Y., Bond, R. L., Dayan, P., Roiser, J. P., & Robinson, O. J. (2019). Altered
    learning under uncertainty in unmedicated mood and anxiety disorders. *Nature Human Behaviour, 3*, 1116–1123.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], gain=[[1.0, 1.0, 0.0]], loss=[[0.0, -1.0, 0.0]])
    >>> compiled = rl.compile(rl.catalogue.gain_loss_single_rate(), data)
    >>> params = {"alpha": 0.5, "sensitivity_gain": 2.0, "sensitivity_loss": 4.0, "lapse": 0.1}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.386, -0.792, -1.293]])
    """

    def update(q_gain, q_loss, choice, gain, loss, alpha, sensitivity_gain, sensitivity_loss):
        gains = _fictive(q_gain, choice, sensitivity_gain * gain, alpha)
        losses = _fictive(q_loss, choice, sensitivity_loss * loss, alpha)
        return _changes(gains, losses)

    return _model(
        "gain_loss_single_rate",
        {"alpha": rl.Parameter(rl.UnitInterval(), "learning rate"), **_SENSITIVITIES, **_LAPSE},
        update,
        n_actions,
        description="Gains and losses learnt apart at one rate; actions not taken fade; softmax choice with lapses.",
        reference="Aylward et al. (2019)",
    )


def gain_loss_unit_sensitivity(n_actions: int = 4) -> Model:
    """Gains and losses learnt apart as they are, without sensitivities; actions not taken fade, and guesses.

    Parameters
    ----------
    n_actions : int, default 4
        Number of actions.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions), ``gain`` (what was won, 0 or more) and ``loss``
        (what was lost, **0 or less**). Parameters: ``alpha_gain`` and ``alpha_loss`` (learning rates) and ``lapse``
        (ξ). States: ``q_gain`` and ``q_loss``. Records: ``prediction_error_gain`` and ``prediction_error_loss``.

    Notes
    -----
    As `gain_loss_lapse` with ``sensitivity_gain = sensitivity_loss = 1``: there is no inverse temperature either, and
    how sharply values decide goes by the unit of the outcomes. hBayesDM calls it ``bandit4arm_2par_lapse``. Losses as
    sizes: ``derive={"loss": "-abs(loss)"}``.

    References
    ----------
    Aylward, J., Valton, V., Ahn, W.-Y., Bond, R. L., Dayan, P., Roiser, J. P., & Robinson, O. J. (2019). Altered
    learning under uncertainty in unmedicated mood and anxiety disorders. *Nature Human Behaviour, 3*, 1116–1123.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], gain=[[1.0, 1.0, 0.0]], loss=[[0.0, -1.0, 0.0]])
    >>> compiled = rl.compile(rl.catalogue.gain_loss_unit_sensitivity(), data)
    >>> params = {"alpha_gain": 0.5, "alpha_loss": 0.25, "lapse": 0.1}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.386, -1.067, -1.521]])
    """

    def update(q_gain, q_loss, choice, gain, loss, alpha_gain, alpha_loss):
        return _changes(_fictive(q_gain, choice, gain, alpha_gain), _fictive(q_loss, choice, loss, alpha_loss))

    return _model(
        "gain_loss_unit_sensitivity",
        {**_RATES, **_LAPSE},
        update,
        n_actions,
        description="Gains and losses learnt apart as they are; actions not taken fade; softmax choice with lapses.",
        reference="Aylward et al. (2019)",
    )


def _fictive(q: Any, choice: Any, worth: Any, rate: Any) -> tuple[Any, Any]:
    """Let the chosen action learn what it was worth, and the others that they were worth nothing."""
    return q + rate * (rl.one_hot(choice, q) * worth - q), worth - q[choice]


def _forgetting(q: Any, choice: Any, worth: Any, rate: Any, forgetting: Any) -> tuple[Any, Any]:
    """Let the chosen action learn what it was worth, and the others lose a share of what they were worth."""
    prediction_error = worth - q[choice]
    return components.decay(q, forgetting).at[choice].set(q[choice] + rate * prediction_error), prediction_error


def _changes(gains: tuple[Any, Any], losses: tuple[Any, Any]) -> dict[str, Any]:
    """Return what an update returns, from the new values and the errors of gains and of losses."""
    return {
        "q_gain": gains[0],
        "q_loss": losses[0],
        "prediction_error_gain": gains[1],
        "prediction_error_loss": losses[1],
    }


def _model(
    name: str,
    parameters: Mapping[str, rl.Parameter],
    update: Callable[..., dict[str, Any]],
    n_actions: int,
    **about: str,
) -> Model:
    def choice(q_gain, q_loss):
        """The action that was chosen."""
        return rl.Categorical(logits=q_gain + q_loss)

    return Model(
        name,
        parameters=parameters,
        states={"q_gain": rl.State("action"), "q_loss": rl.State("action")},
        trial={
            "choice": components.with_lapse(choice) if "lapse" in parameters else choice,
            "gain": rl.Real(description="what was won, 0 or more"),
            "loss": rl.Real(description="what was lost, 0 or less"),
        },
        update=update,
        records=["prediction_error_gain", "prediction_error_loss"],
        sizes={"action": n_actions},
        **about,
    )
