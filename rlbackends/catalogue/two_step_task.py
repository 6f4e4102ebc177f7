"""Models of the two-step task: a first choice leads to one of two states, a choice there to a reward."""

from __future__ import annotations

from typing import Literal

import numpy as np

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["two_step"]


def two_step(transition: float = 0.7, last_step: Literal["before", "after"] = "before") -> Model:
    """The two-step task's hybrid of model-based and model-free learning, with seven parameters.

    Parameters
    ----------
    transition : float, default 0.7
        Probability of the common transitions: first action 0 to state 0, and 1 to 1.
    last_step : {"before", "after"}, default "before"
        Which second-stage value the reward's prediction error is taken from when it reaches back to the first
        stage: the one *before* this trial's update, as in Daw et al., or the one *after* it, as hBayesDM fits
        the model.

    Returns
    -------
    Model
        Columns that the data need: ``choice1`` (one of 2), ``state2`` (one of 2; the first is the one that
        the first action commonly leads to), ``choice2`` (one of 2) and ``reward`` (a number). Parameters:
        ``beta1`` and ``beta2`` (inverse temperatures β₁, β₂ of the stages), ``alpha1`` and ``alpha2``
        (learning rates α₁, α₂), ``eligibility`` (λ, how much of the reward's prediction error reaches back to
        the first stage), ``w`` (w, the weight of the model-based values: 0 is model-free, 1 model-based) and
        ``stay`` (π, the bonus of the previous first choice). Records: ``prediction_error1`` and
        ``prediction_error2``, both from the values before the update.

    Raises
    ------
    ModelError
        If ``transition`` is no probability, or ``last_step`` is neither word.

    Notes
    -----
    The first action's model-based value is what the best action of each state is worth,
    ``mb[a] = Σ_s P(s | a) · max q2[s]``, and the first choice follows
    ``softmax(beta1 · (w · mb + (1 − w) · q1) + stay · previous)``, with ``previous`` 1 at the last first
    choice that was made in the block, and 0 elsewhere. The second follows ``softmax(beta2 · q2[state2])``.
    All values start at 0. Then

    - ``q1[choice1] += alpha1 · (q2[state2, choice2] − q1[choice1])``,
    - ``q2[state2, choice2] += alpha2 · (reward − q2[state2, choice2])``,
    - ``q1[choice1] += alpha1 · eligibility · (reward − q2[state2, choice2])``,

    where the last line takes q2 before or after the second, as ``last_step`` says.

    ``stay`` is a real number, below 0 for a tendency to switch, and it is not multiplied by ``beta1``: Daw et
    al. write ``beta1 · (q + p · previous)``, so that ``stay = beta1 · p``. hBayesDM has it outside as here,
    between 0 and 5.

    References
    ----------
    Daw, N. D., Gershman, S. J., Seymour, B., Dayan, P., & Dolan, R. J. (2011). Model-based influences on
    humans' choices and striatal prediction errors. *Neuron, 69*, 1204–1215.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     choice1=[[0, 0, 1]], state2=[[0, 1, 1]], choice2=[[1, 0, 0]], reward=[[1.0, 0.0, 1.0]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.two_step(), data)
    >>> params = {"beta1": 3.0, "beta2": 3.0, "alpha1": 0.5, "alpha2": 0.5, "eligibility": 0.6, "w": 0.4}
    >>> params["stay"] = 0.2
    >>> compiled.log_likelihood(params)["choice1"].values.round(3)
    array([[-0.693, -0.319, -1.11 ]])
    """
    if not 0 <= transition <= 1:
        raise ModelError(f"two_step: transition is {transition!r}, expected a probability from 0 to 1.")
    if last_step not in ("before", "after"):
        raise ModelError(f"two_step: last_step is {last_step!r}, expected 'before' or 'after'.")
    leads_to = np.array([[transition, 1 - transition], [1 - transition, transition]])  # first action × state

    def choice1(q1, q2, previous, beta1, w, stay):
        model_based = rl.dot(leads_to, rl.max(q2))
        return rl.Categorical(logits=beta1 * (w * model_based + (1 - w) * q1) + stay * previous)

    def choice2(q2, state2, beta2):
        return rl.Categorical(logits=beta2 * q2[state2])

    def update(q1, q2, previous, choice1, state2, choice2, reward, alpha1, alpha2, eligibility):
        chosen = (state2, choice2)
        new_q1, prediction_error1 = components.delta_rule(q1, choice1, q2[chosen], alpha1)
        new_q2, prediction_error2 = components.delta_rule(q2, chosen, reward, alpha2)
        reaching_back = reward - (q2 if last_step == "before" else new_q2)[chosen]
        return {
            "q1": new_q1.at[choice1].add(alpha1 * eligibility * reaching_back),
            "q2": new_q2,
            "previous": rl.one_hot(choice1, previous),
            "prediction_error1": prediction_error1,
            "prediction_error2": prediction_error2,
        }

    return Model(
        "two_step",
        parameters={
            "beta1": rl.Parameter(rl.Positive(), "inverse temperature of the first choice"),
            "beta2": rl.Parameter(rl.Positive(), "inverse temperature of the second choice"),
            "alpha1": rl.Parameter(rl.UnitInterval(), "learning rate of first-stage values"),
            "alpha2": rl.Parameter(rl.UnitInterval(), "learning rate of second-stage values"),
            "eligibility": rl.Parameter(rl.UnitInterval(), "share of the last error that reaches back"),
            "w": rl.Parameter(rl.UnitInterval(), "weight of model-based values"),
            "stay": rl.Parameter(rl.RealLine(), "bonus of the previous first choice"),
        },
        states={"q1": rl.State("action"), "q2": rl.State("state", "action"), "previous": rl.State("action")},
        trial={"choice1": choice1, "state2": rl.Index("state"), "choice2": choice2, "reward": rl.Real()},
        update=update,
        records=["prediction_error1", "prediction_error2"],
        sizes={"action": 2, "state": 2},
        description="Model-based and model-free values of the two-step task, mixed; softmax choices.",
        reference="Daw et al. (2011)",
    )
