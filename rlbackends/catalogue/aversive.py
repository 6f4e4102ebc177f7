"""The aversive learning task's models: two shapes, of which one leads to a shock of a size that it shows."""

from __future__ import annotations

from typing import Any

import rlbackends as rl
from rlbackends import components
from rlbackends.model import Model

__all__ = ["aversive_delta", "aversive_gamma"]

_PARAMETERS = {
    "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
    "beta": rl.Parameter(rl.Interval(0, 20), "inverse temperature"),
    "risk_preference": rl.Parameter(rl.Interval(0, 10), "how strongly probabilities differ from a half"),
}
_PUNISHMENT = rl.Real("action", description="size of the shock that each shape may lead to")


def aversive_delta() -> Model:
    """Aversive learning: the probability of a shock, learnt by a delta rule, times its size.

    Returns
    -------
    Model
        Columns that the data need: ``punishment`` (two columns: the size of the shock that the first and the second
        shape may lead to), ``choice`` (the shape, one of 2) and ``outcome`` (1 if the first shape led to the shock, 0
        if the second did, whichever was chosen). Parameters: ``alpha`` (learning rate), ``beta`` (inverse temperature,
        in units of 1 / size) and ``risk_preference`` (γ). State: ``belief``, the probability that the first shape
        leads to the shock. Record: ``prediction_error``.

    Notes
    -----
    One of the two shapes leads to the shock, so that one probability is enough: ``belief`` starts at 0.5, and
    ``belief += alpha · (outcome − belief)``, whichever shape was chosen. A probability is then bent, and cut,

    ``weighted(p) = clip(risk_preference · (p − 0.5) + 0.5, 0, 1)``,

    as in Behrens and others. Each shape's expected shock is ``weighted(belief) · punishment[0]`` and
    ``weighted(1 − belief) · punishment[1]``, and the smaller is the better: choices follow
    ``softmax(−beta · expected shock)``. With a ``risk_preference`` above 1 probability counts for more, below 1 size
    does, and at 0 only sizes decide.

    Where ``clip`` cuts, nothing flows to the parameters; just at its bounds the derivative is that of what is cut.

    hBayesDM calls it ``alt_delta``; the bounds 0 and 20 of ``beta``, and 0 and 10 of ``risk_preference``, are from
    there. Its tables are read with ``punishment=["bluePunish", "orangePunish"]``: choice 1 is blue, the first shape,
    and ``outcome``, which in its example is the same for everyone whatever they chose, is whether blue led to the
    shock. Its sizes are from 1 to 99; as hundredths they suit these bounds of ``beta`` better:
    ``derive={"punishment": ["bluePunish / 100", "orangePunish / 100"]}``.

    References
    ----------
    Browning, M., Behrens, T. E., Jocham, G., O'Reilly, J. X., & Bishop, S. J. (2015). Anxious individuals have
    difficulty learning the causal statistics of aversive environments. *Nature Neuroscience, 18*, 590–596.

    Behrens, T. E. J., Woolrich, M. W., Walton, M. E., & Rushworth, M. F. S. (2007). Learning the value of information
    in an uncertain world. *Nature Neuroscience, 10*, 1214–1221.

    Examples
    --------
    >>> import rlbackends as rl
    >>> sizes = [[[0.4, 0.2], [0.5, 0.5], [0.9, 0.1]]]
    >>> data = rl.Trials.from_arrays(punishment=sizes, choice=[[1, 0, 1]], outcome=[[1, 1, 0]])
    >>> compiled = rl.compile(rl.catalogue.aversive_delta(), data)
    >>> params = {"alpha": 0.5, "beta": 4.0, "risk_preference": 1.5}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.513, -1.701, -0.027]])
    """

    def choice(belief, punishment, beta, risk_preference):
        """The shape that was chosen."""
        probability = rl.stack(belief, 1 - belief)
        return rl.Categorical(logits=-beta * (_weighted(probability, risk_preference) * punishment))

    def update(belief, outcome, alpha):
        prediction_error = outcome - belief
        return {"belief": belief + alpha * prediction_error, "prediction_error": prediction_error}

    return Model(
        "aversive_delta",
        parameters=_PARAMETERS,
        states={"belief": rl.State(initial=0.5)},
        trial={
            "punishment": _PUNISHMENT,
            "choice": choice,
            "outcome": rl.Binary(description="whether the first shape led to the shock, whichever was chosen"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"action": 2},
        description="Probability of a shock learnt by a delta rule, times its size; softmax choice of the smaller.",
        reference="Browning et al. (2015)",
    )


def aversive_gamma() -> Model:
    """Aversive learning with a value for each shape, in which choices go by the shocks expected before.

    Returns
    -------
    Model
        Columns that the data need: ``punishment`` (two columns: the size of the shock that the first and the second
        shape may lead to), ``choice`` (the shape, one of 2) and ``shock`` (1 if the *chosen* shape led to the shock,
        else 0). Parameters: ``alpha`` (learning rate), ``beta`` (inverse temperature, in units of 1 / size) and
        ``risk_preference`` (γ). States: ``q``, how probably each shape leads to a shock, and ``expected_shock``.
        Record: ``prediction_error``.

    Notes
    -----
    Both states start at 0. Only the chosen shape learns, ``q[choice] += alpha · (shock − q[choice])``, and then its
    expected shock is set from the *new* value and from the size on *this* trial,

    ``expected_shock[choice] = clip(risk_preference · (q[choice] − 0.5) + 0.5, 0, 1) · punishment[choice]``.

    The other shape keeps both. Choices follow ``softmax(−beta · expected_shock)``: they go by what was computed when
    each shape was last chosen, and the sizes that are on the screen do not enter until the choice is made. This sets
    the model apart from `aversive_delta`, besides the two values.

    It is the model that hBayesDM fits as ``alt_gamma``, which names no paper but the task's; the paper's model is
    `aversive_delta`. hBayesDM's ``outcome`` is one column for both models. If it says whether the first shape led to
    the shock, whatever was chosen, then the chosen one's is ``derive={"shock": "where(choice == 1, outcome, 1 -
    outcome)"}``; ``shock="outcome"`` repeats hBayesDM's fit, which takes the column as it is. Bounds as in
    `aversive_delta`.

    References
    ----------
    Browning, M., Behrens, T. E., Jocham, G., O'Reilly, J. X., & Bishop, S. J. (2015). Anxious individuals have
    difficulty learning the causal statistics of aversive environments. *Nature Neuroscience, 18*, 590–596.

    Examples
    --------
    >>> import rlbackends as rl
    >>> sizes = [[[0.4, 0.2], [0.5, 0.5], [0.9, 0.1]]]
    >>> data = rl.Trials.from_arrays(punishment=sizes, choice=[[1, 0, 1]], shock=[[0, 1, 0]])
    >>> compiled = rl.compile(rl.catalogue.aversive_gamma(), data)
    >>> params = {"alpha": 0.5, "beta": 4.0, "risk_preference": 0.5}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.598, -0.371]])
    """

    def choice(expected_shock, beta):
        """The shape that was chosen."""
        return rl.Categorical(logits=-beta * expected_shock)

    def update(q, expected_shock, punishment, choice, shock, alpha, risk_preference):
        new_q, prediction_error = components.delta_rule(q, choice, shock, alpha)
        expected = _weighted(new_q[choice], risk_preference) * punishment[choice]
        return {
            "q": new_q,
            "expected_shock": expected_shock.at[choice].set(expected),
            "prediction_error": prediction_error,
        }

    return Model(
        "aversive_gamma",
        parameters=_PARAMETERS,
        states={"q": rl.State("action"), "expected_shock": rl.State("action")},
        trial={
            "punishment": _PUNISHMENT,
            "choice": choice,
            "shock": rl.Binary(description="whether the chosen shape led to the shock"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"action": 2},
        description="Each shape's probability of a shock, times the size that it had; softmax choice of the smaller.",
        reference="Browning et al. (2015)",
    )


def _weighted(probability: Any, risk_preference: Any) -> Any:
    """Bend a probability away from a half, or toward it, and cut it at 0 and 1."""
    return rl.clip(risk_preference * (probability - 0.5) + 0.5, 0.0, 1.0)
