"""The actor–critic models: a critic learns what to expect, and its errors teach what to do."""

from __future__ import annotations

from typing import Literal

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model
from rlbackends.model.parts import Given

__all__ = ["actor_critic", "opal"]


def actor_critic(n_actions: int = 2, n_stimuli: int = 1, initial: float = 0.0) -> Model:
    """A critic that learns what to expect, and an actor that repeats what went better than that.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    n_stimuli : int, default 1
        Number of stimuli, each with a value and action weights of its own. With one, the data need no column
        for it.
    initial : float, default 0.0
        The critic's values at the start of each block; the actor's weights start at 0.

    Returns
    -------
    Model
        Columns that the data need: ``stimulus`` (one of the stimuli; only if there are several), ``choice`` (one
        of the actions) and ``reward`` (a number). Parameters: ``alpha_critic`` (the critic's learning rate) and
        ``alpha_actor`` (the actor's step, any positive number). Record: ``prediction_error``.

    Notes
    -----
    The critic has one value per stimulus, ``v``, whatever was chosen; the actor has a weight per action, and choices
    follow ``softmax(weight[stimulus])``. With the critic's prediction error ``δ = reward − v[stimulus]`` from before
    the update,

    - ``v[stimulus] += alpha_critic · δ``,
    - ``weight[stimulus, choice] += alpha_actor · δ``.

    So an action's weight is no estimate of what it brings: it grows as long as the action does better than is
    usual at this stimulus, whatever its own record. The critic needs no choice: it learns on a trial whose choice is
    missing, too.

    There is no inverse temperature. Weights start at 0 and are proportional to ``alpha_actor``, so that in
    ``softmax(beta · weight)`` choices depend on the product of ``beta`` and the step alone; it is
    ``alpha_actor`` here, which is why it may exceed 1.

    References
    ----------
    Barto, A. G., Sutton, R. S., & Anderson, C. W. (1983). Neuronlike adaptive elements that can solve difficult
    learning control problems. *IEEE Transactions on Systems, Man, and Cybernetics, SMC-13*, 834–846.

    Sutton, R. S., & Barto, A. G. (1998). *Reinforcement learning: An introduction*. MIT Press. (Section 6.6)

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.actor_critic(), data)
    >>> compiled.log_likelihood({"alpha_critic": 0.5, "alpha_actor": 2.0})["choice"].values.round(3)
    array([[-0.693, -0.127, -1.313]])
    """

    def choice(weight, stimulus=0):
        """Which action was chosen."""
        return rl.Categorical(logits=weight[stimulus])

    def update(v, weight, choice, reward, alpha_critic, alpha_actor, stimulus=0):
        v, prediction_error = components.delta_rule(v, stimulus, reward, alpha_critic)
        weight = weight.at[stimulus, choice].add(alpha_actor * prediction_error)
        return {"v": v, "weight": weight, "prediction_error": prediction_error}

    return Model(
        "actor_critic",
        parameters={
            "alpha_critic": rl.Parameter(rl.UnitInterval(), "learning rate of the critic"),
            "alpha_actor": rl.Parameter(rl.Positive(), "step of the actor's weights"),
        },
        states={"v": rl.State("stimulus", initial=initial), "weight": rl.State("stimulus", "action")},
        trial={**_stimulus(n_stimuli), "choice": choice, "reward": rl.Real(description="what the choice brought")},
        update=update,
        records=["prediction_error"],
        sizes={"stimulus": n_stimuli, "action": n_actions},
        description="A critic of stimuli, whose prediction errors move an actor's weights; softmax choice.",
        reference="Barto et al. (1983)",
    )


def opal(
    n_actions: int = 2,
    n_stimuli: int = 1,
    initial: float = 0.0,
    critic: Literal["stimulus", "action"] = "stimulus",
    rectified: bool = False,
) -> Model:
    """Opponent actor learning: a critic, an actor that learns what speaks for an action, one what speaks against.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    n_stimuli : int, default 1
        Number of stimuli, each with values and weights of its own. With one, the data need no column for it.
    initial : float, default 0.0
        The critic's values at the start of each block; the weights of both actors start at 1.
    critic : {"stimulus", "action"}, default "stimulus"
        What the critic has a value of: of each *stimulus*, whatever was chosen, as an actor–critic has, or of
        each *action* at a stimulus.
    rectified : bool, default False
        Whether a weight that would fall below 0 becomes 0, where it stays.

    Returns
    -------
    Model
        Columns that the data need: ``stimulus`` (one of the stimuli; only if there are several), ``choice`` (one
        of the actions) and ``reward`` (a number). Parameters: ``alpha_critic``, ``alpha_go`` and ``alpha_no_go``
        (learning rates α_C, α_G, α_N), ``beta_go`` and ``beta_no_go`` (inverse temperatures β_G, β_N of the two
        actors). Record: ``prediction_error``.

    Raises
    ------
    ModelError
        If ``critic`` is neither word.

    Notes
    -----
    With the critic's prediction error ``δ = reward − v[stimulus]`` (or ``reward − v[stimulus, choice]``) from
    before the update,

    - critic: ``v[stimulus] += alpha_critic · δ`` (or ``v[stimulus, choice]``),
    - G: ``go[stimulus, choice] += alpha_go · go[stimulus, choice] · δ``,
    - N: ``no_go[stimulus, choice] += alpha_no_go · no_go[stimulus, choice] · (−δ)``.

    Choices follow ``softmax(beta_go · go[stimulus] − beta_no_go · no_go[stimulus])``. A weight changes in proportion
    to itself: G comes to tell good actions apart, N bad ones. The paper also writes ``beta_go = β(1 + ρ)`` and
    ``beta_no_go = β(1 − ρ)``, with ρ the dopamine at choice.

    A weight is multiplied by ``1 ± alpha · δ``, so that it turns negative where ``alpha · |δ| > 1``. That can't
    happen with rewards and ``initial`` from 0 to 1. With larger rewards, scale them (``derive=``), or take
    ``rectified=True``, as the code of the authors' later model, OpAL*, does (Jaskir & Frank, 2023). That code has
    both critics.

    References
    ----------
    Collins, A. G. E., & Frank, M. J. (2014). Opponent actor learning (OpAL): Modeling interactive effects of
    striatal dopamine on reinforcement learning and choice incentive. *Psychological Review, 121*, 337–366.

    Jaskir, A., & Frank, M. J. (2023). On the normative advantages of dopamine and striatal opponency for learning
    and choice. *eLife, 12*, e85107.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.opal(), data)
    >>> params = {"alpha_critic": 0.5, "alpha_go": 0.5, "alpha_no_go": 0.25, "beta_go": 2.0, "beta_no_go": 1.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.252, -0.917]])
    """
    if critic not in ("stimulus", "action"):
        raise ModelError(f"opal: critic is {critic!r}, expected 'stimulus' or 'action'.")

    def choice(go, no_go, beta_go, beta_no_go, stimulus=0):
        """Which action was chosen."""
        return rl.Categorical(logits=beta_go * go[stimulus] - beta_no_go * no_go[stimulus])

    def update(v, go, no_go, choice, reward, alpha_critic, alpha_go, alpha_no_go, stimulus=0):
        taken = (stimulus, choice)
        judged = stimulus if critic == "stimulus" else taken
        v, prediction_error = components.delta_rule(v, judged, reward, alpha_critic)

        def learnt(weight, new):
            return weight.at[taken].set(rl.maximum(new, 0.0) if rectified else new)

        return {
            "v": v,
            "go": learnt(go, go[taken] + alpha_go * go[taken] * prediction_error),
            "no_go": learnt(no_go, no_go[taken] - alpha_no_go * no_go[taken] * prediction_error),
            "prediction_error": prediction_error,
        }

    axes = ("stimulus",) if critic == "stimulus" else ("stimulus", "action")
    return Model(
        "opal",
        parameters={
            "alpha_critic": rl.Parameter(rl.UnitInterval(), "learning rate of the critic"),
            "alpha_go": rl.Parameter(rl.UnitInterval(), "learning rate of what speaks for an action"),
            "alpha_no_go": rl.Parameter(rl.UnitInterval(), "learning rate of what speaks against it"),
            "beta_go": rl.Parameter(rl.Positive(), "inverse temperature of what speaks for an action"),
            "beta_no_go": rl.Parameter(rl.Positive(), "inverse temperature of what speaks against it"),
        },
        states={
            "v": rl.State(*axes, initial=initial),
            "go": rl.State("stimulus", "action", initial=1.0),
            "no_go": rl.State("stimulus", "action", initial=1.0),
        },
        trial={**_stimulus(n_stimuli), "choice": choice, "reward": rl.Real(description="what the choice brought")},
        update=update,
        records=["prediction_error"],
        sizes={"stimulus": n_stimuli, "action": n_actions},
        description="A critic whose prediction errors move weights for and against each action; softmax choice.",
        reference="Collins & Frank (2014)",
    )


def _stimulus(n_stimuli: int) -> dict[str, Given]:
    """Return the event of which stimulus is shown; none where there is one only, and rules take 0."""
    return {} if n_stimuli == 1 else {"stimulus": rl.Index("stimulus", description="the stimulus that was shown")}
