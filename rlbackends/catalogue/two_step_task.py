"""Models of the two-step task: a first choice leads to one of two states, a choice there to a reward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model
from rlbackends.model.responses import Distribution

__all__ = ["two_step", "two_step_six", "two_step_four"]

LastStep = Literal["before", "after"]


def two_step(transition: float = 0.7, last_step: LastStep = "before") -> Model:
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
    leads_to = _leads_to("two_step", transition, last_step)

    def choice1(q1, q2, previous, beta1, w, stay):
        """Which of the two first actions was chosen."""
        return _first_choice(leads_to, q1, q2, previous, beta1, w, stay)

    def choice2(q2, state2, beta2):
        """Which of the two actions in the second state was chosen."""
        return rl.Categorical(logits=beta2 * q2[state2])

    def update(q1, q2, previous, choice1, state2, choice2, reward, alpha1, alpha2, eligibility):
        reached = (choice1, (state2, choice2), reward)
        return _learn(q1, q2, previous, *reached, alpha1, alpha2, alpha1 * eligibility, last_step)

    return _model(
        "two_step",
        {
            "beta1": rl.Parameter(rl.Positive(), "inverse temperature of the first choice"),
            "beta2": rl.Parameter(rl.Positive(), "inverse temperature of the second choice"),
            "alpha1": rl.Parameter(rl.UnitInterval(), "learning rate of first-stage values"),
            "alpha2": rl.Parameter(rl.UnitInterval(), "learning rate of second-stage values"),
            "eligibility": rl.Parameter(rl.UnitInterval(), "share of the last error that reaches back"),
        },
        {"choice1": choice1, "choice2": choice2},
        update,
        description="Model-based and model-free values of the two-step task, mixed; softmax choices.",
        reference="Daw et al. (2011)",
    )


def two_step_six(transition: float = 0.7, last_step: LastStep = "before") -> Model:
    """The two-step task's hybrid with six parameters: the reward's prediction error reaches back in full.

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
        (learning rates α₁, α₂), ``w`` (w, the weight of the model-based values: 0 is model-free, 1 model-based)
        and ``stay`` (π, the bonus of the previous first choice). Records: ``prediction_error1`` and
        ``prediction_error2``, both from the values before the update.

    Raises
    ------
    ModelError
        If ``transition`` is no probability, or ``last_step`` is neither word.

    Notes
    -----
    This is `two_step` with ``eligibility`` (λ) fixed at 1. The first action's model-based value is what the
    best action of each state is worth, ``mb[a] = Σ_s P(s | a) · max q2[s]``, and the first choice follows
    ``softmax(beta1 · (w · mb + (1 − w) · q1) + stay · previous)``, with ``previous`` 1 at the last first choice
    that was made in the block, and 0 elsewhere. The second follows ``softmax(beta2 · q2[state2])``. All values
    start at 0. Then

    - ``q1[choice1] += alpha1 · (q2[state2, choice2] − q1[choice1])``,
    - ``q2[state2, choice2] += alpha2 · (reward − q2[state2, choice2])``,
    - ``q1[choice1] += alpha1 · (reward − q2[state2, choice2])``,

    where the last line takes q2 before or after the second, as ``last_step`` says. With "before" the first and
    the last line make ``q1[choice1] += alpha1 · (reward − q1[choice1])`` of the values before the trial: the
    model-free value of a first action learns from rewards alone, whatever happened in between.

    hBayesDM calls this model ts_par6 and takes q2 after its update: ``last_step="after"``. It holds ``stay``
    between 0 and 5; here it is a real number, below 0 for a tendency to switch.

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
    >>> compiled = rl.compile(rl.catalogue.two_step_six(), data)
    >>> params = {"beta1": 3.0, "beta2": 2.0, "alpha1": 0.3, "alpha2": 0.5, "w": 0.4, "stay": 0.2}
    >>> compiled.log_likelihood(params)["choice1"].values.round(3)
    array([[-0.693, -0.319, -1.184]])
    """
    leads_to = _leads_to("two_step_six", transition, last_step)

    def choice1(q1, q2, previous, beta1, w, stay):
        """Which of the two first actions was chosen."""
        return _first_choice(leads_to, q1, q2, previous, beta1, w, stay)

    def choice2(q2, state2, beta2):
        """Which of the two actions in the second state was chosen."""
        return rl.Categorical(logits=beta2 * q2[state2])

    def update(q1, q2, previous, choice1, state2, choice2, reward, alpha1, alpha2):
        reached = (choice1, (state2, choice2), reward)
        return _learn(q1, q2, previous, *reached, alpha1, alpha2, alpha1, last_step)

    return _model(
        "two_step_six",
        {
            "beta1": rl.Parameter(rl.Positive(), "inverse temperature of the first choice"),
            "beta2": rl.Parameter(rl.Positive(), "inverse temperature of the second choice"),
            "alpha1": rl.Parameter(rl.UnitInterval(), "learning rate of first-stage values"),
            "alpha2": rl.Parameter(rl.UnitInterval(), "learning rate of second-stage values"),
        },
        {"choice1": choice1, "choice2": choice2},
        update,
        description="The two-step task's hybrid whose last error reaches back in full; softmax choices.",
        reference="Daw et al. (2011)",
    )


def two_step_four(transition: float = 0.7, last_step: LastStep = "before") -> Model:
    """The two-step task's hybrid with four parameters: both stages share a learning rate and a temperature.

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
        ``beta`` (inverse temperature β of both stages), ``alpha`` (learning rate α of both), ``w`` (w, the weight
        of the model-based values: 0 is model-free, 1 model-based) and ``stay`` (π, the bonus of the previous
        first choice). Records: ``prediction_error1`` and ``prediction_error2``, both from the values before the
        update.

    Raises
    ------
    ModelError
        If ``transition`` is no probability, or ``last_step`` is neither word.

    Notes
    -----
    This is `two_step` with ``alpha1 = alpha2 = alpha``, ``beta1 = beta2 = beta``, and ``eligibility`` (λ)
    fixed at 1. The first action's model-based value is what the best action of each state is worth,
    ``mb[a] = Σ_s P(s | a) · max q2[s]``, and the first choice follows
    ``softmax(beta · (w · mb + (1 − w) · q1) + stay · previous)``, with ``previous`` 1 at the last first choice that
    was made in the block, and 0 elsewhere. The second follows ``softmax(beta · q2[state2])``. All values start at
    0. Then

    - ``q1[choice1] += alpha · (q2[state2, choice2] − q1[choice1])``,
    - ``q2[state2, choice2] += alpha · (reward − q2[state2, choice2])``,
    - ``q1[choice1] += alpha · (reward − q2[state2, choice2])``,

    where the last line takes q2 before or after the second, as ``last_step`` says. With "before" the first and
    the last line make ``q1[choice1] += alpha · (reward − q1[choice1])`` of the values before the trial.

    hBayesDM calls this model ts_par4, refers to Wunderlich et al. for it, and takes q2 after its update:
    ``last_step="after"``. It holds ``stay`` between 0 and 5; here it is a real number, below 0 for a tendency to
    switch.

    References
    ----------
    Daw, N. D., Gershman, S. J., Seymour, B., Dayan, P., & Dolan, R. J. (2011). Model-based influences on
    humans' choices and striatal prediction errors. *Neuron, 69*, 1204–1215.

    Wunderlich, K., Smittenaar, P., & Dolan, R. J. (2012). Dopamine enhances model-based over model-free choice
    behavior. *Neuron, 75*, 418–424.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     choice1=[[0, 0, 1]], state2=[[0, 1, 1]], choice2=[[1, 0, 0]], reward=[[1.0, 0.0, 1.0]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.two_step_four(), data)
    >>> params = {"beta": 3.0, "alpha": 0.5, "w": 0.4, "stay": 0.2}
    >>> compiled.log_likelihood(params)["choice1"].values.round(3)
    array([[-0.693, -0.233, -1.234]])
    """
    leads_to = _leads_to("two_step_four", transition, last_step)

    def choice1(q1, q2, previous, beta, w, stay):
        """Which of the two first actions was chosen."""
        return _first_choice(leads_to, q1, q2, previous, beta, w, stay)

    def choice2(q2, state2, beta):
        """Which of the two actions in the second state was chosen."""
        return rl.Categorical(logits=beta * q2[state2])

    def update(q1, q2, previous, choice1, state2, choice2, reward, alpha):
        reached = (choice1, (state2, choice2), reward)
        return _learn(q1, q2, previous, *reached, alpha, alpha, alpha, last_step)

    return _model(
        "two_step_four",
        {
            "beta": rl.Parameter(rl.Positive(), "inverse temperature of both choices"),
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate of both stages' values"),
        },
        {"choice1": choice1, "choice2": choice2},
        update,
        description="The two-step task's hybrid with one learning rate and one temperature; softmax choices.",
        reference="Daw et al. (2011); Wunderlich et al. (2012)",
    )


# What the three share


def _leads_to(model: str, transition: float, last_step: LastStep) -> np.ndarray:
    """Return P(state | first action), first action × state, once the settings are seen to be right."""
    if not 0 <= transition <= 1:
        raise ModelError(f"{model}: transition is {transition!r}, expected a probability from 0 to 1.")
    if last_step not in ("before", "after"):
        raise ModelError(f"{model}: last_step is {last_step!r}, expected 'before' or 'after'.")
    return np.array([[transition, 1 - transition], [1 - transition, transition]])


def _first_choice(leads_to: np.ndarray, q1: Any, q2: Any, previous: Any, beta: Any, w: Any, stay: Any) -> Distribution:
    """Return a choice by the mixture of model-based and model-free values, with a bonus of the previous one."""
    model_based = rl.dot(leads_to, rl.max(q2))
    return rl.Categorical(logits=beta * (w * model_based + (1 - w) * q1) + stay * previous)


def _learn(
    q1: Any, q2: Any, previous: Any, choice1: Any, chosen: Any, reward: Any, rate1: Any, rate2: Any, rate_back: Any,
    last_step: LastStep,
) -> dict[str, Any]:  # fmt: skip
    """Return the states and records; ``rate_back`` is how much of the last error reaches the first stage."""
    new_q1, prediction_error1 = components.delta_rule(q1, choice1, q2[chosen], rate1)
    new_q2, prediction_error2 = components.delta_rule(q2, chosen, reward, rate2)
    reaching_back = reward - (q2 if last_step == "before" else new_q2)[chosen]
    return {
        "q1": new_q1.at[choice1].add(rate_back * reaching_back),
        "q2": new_q2,
        "previous": rl.one_hot(choice1, previous),
        "prediction_error1": prediction_error1,
        "prediction_error2": prediction_error2,
    }


def _model(
    name: str,
    parameters: Mapping[str, rl.Parameter],
    choices: Mapping[str, Callable[..., Distribution]],
    update: Callable[..., dict[str, Any]],
    **words: str,
) -> Model:
    """Return the model of these rules; ``w`` and ``stay`` come after the parameters given."""
    return Model(
        name,
        parameters={
            **parameters,
            "w": rl.Parameter(rl.UnitInterval(), "weight of model-based values"),
            "stay": rl.Parameter(rl.RealLine(), "bonus of the previous first choice"),
        },
        states={"q1": rl.State("action"), "q2": rl.State("state", "action"), "previous": rl.State("action")},
        trial={
            "choice1": choices["choice1"],
            "state2": rl.Index("state", description="the state that the first choice led to"),
            "choice2": choices["choice2"],
            "reward": rl.Real(description="what the second choice brought"),
        },
        update=update,
        records=["prediction_error1", "prediction_error2"],
        sizes={"action": 2, "state": 2},
        **words,
    )
