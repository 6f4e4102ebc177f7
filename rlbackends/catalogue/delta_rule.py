"""Models that learn action values by a delta rule."""

from __future__ import annotations

import rlbackends as rl
from rlbackends import components
from rlbackends.catalogue._lapse import lapse_parameter
from rlbackends.model import Model

__all__ = [
    "rescorla_wagner",
    "rescorla_wagner_two_rates",
    "rescorla_wagner_outcome_rates",
    "rescorla_wagner_forgetting",
    "rescorla_wagner_forgetting_unchosen",
]


def rescorla_wagner(n_actions: int = 2, initial: float = 0.0, lapse: bool = False) -> Model:
    """Rescorla–Wagner learning with a softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block.
    lapse : bool, default False
        Whether a share of choices is guessed; it is one more parameter, ``lapse``.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameters:
        ``alpha`` (learning rate) and ``beta`` (inverse temperature). Record: ``prediction_error``.

    Raises
    ------
    ModelError
        If ``lapse`` is neither True nor False.

    Notes
    -----
    The chosen action's value moves by a share of the prediction error,
    ``q[choice] += alpha · (reward − q[choice])``; choices follow ``softmax(beta · q)``, or, with lapses,
    ``(1 − lapse) · softmax(beta · q) + lapse / K`` of K actions.

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
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q)

    def update(q, choice, reward, alpha):
        q, prediction_error = components.delta_rule(q, choice, reward, alpha)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "rescorla_wagner",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
            **lapse_parameter("rescorla_wagner", lapse),
        },
        states={"q": rl.State("action", initial=initial)},
        trial={
            "choice": components.with_lapse(choice) if lapse else choice,
            "reward": rl.Real(description="what the choice brought, in any unit"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt by a delta rule; softmax choice.",
        reference="Rescorla & Wagner (1972)",
    )


def rescorla_wagner_two_rates(n_actions: int = 2, initial: float = 0.0, lapse: bool = False) -> Model:
    """Rescorla–Wagner learning with one rate for good news, another for bad news, and a softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block.
    lapse : bool, default False
        Whether a share of choices is guessed; it is one more parameter, ``lapse``.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameters:
        ``alpha_pos`` and ``alpha_neg`` (learning rates) and ``beta`` (inverse temperature). Record:
        ``prediction_error``.

    Raises
    ------
    ModelError
        If ``lapse`` is neither True nor False.

    Notes
    -----
    The rate goes by the sign of the *prediction error*, not of the outcome: with ``δ = reward − q[choice]``,
    ``q[choice] += alpha_pos · δ`` if ``δ > 0``, else ``q[choice] += alpha_neg · δ``. Choices follow
    ``softmax(beta · q)``, or, with lapses, ``(1 − lapse) · softmax(beta · q) + lapse / K`` of K actions.
    `rescorla_wagner_outcome_rates` goes by the outcome's sign.

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
        """The action that was chosen."""
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
            **lapse_parameter("rescorla_wagner_two_rates", lapse),
        },
        states={"q": rl.State("action", initial=initial)},
        trial={
            "choice": components.with_lapse(choice) if lapse else choice,
            "reward": rl.Real(description="what the choice brought, in any unit"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt by a delta rule, its rate by the error's sign; softmax choice.",
        reference="Lefebvre et al. (2017)",
    )


def rescorla_wagner_outcome_rates(n_actions: int = 2, initial: float = 0.0, lapse: bool = False) -> Model:
    """Rescorla–Wagner learning with one rate after rewards, another after punishments, and a softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block.
    lapse : bool, default False
        Whether a share of choices is guessed; it is one more parameter, ``lapse``.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number, above 0 if it is a
        reward). Parameters: ``alpha_pos`` and ``alpha_neg`` (learning rates after rewards and after the rest)
        and ``beta`` (inverse temperature). Record: ``prediction_error``.

    Raises
    ------
    ModelError
        If ``lapse`` is neither True nor False.

    Notes
    -----
    The rate goes by the sign of the *outcome*, not of the prediction error: with ``δ = reward − q[choice]``,
    ``q[choice] += alpha_pos · δ`` if ``reward > 0``, else ``q[choice] += alpha_neg · δ``; an outcome of 0 is
    no reward. Choices follow ``softmax(beta · q)``, or, with lapses,
    ``(1 − lapse) · softmax(beta · q) + lapse / K`` of K actions. The paper's reward–punishment model writes
    α_rew and α_pun for the rates. hBayesDM's ``prl_rp`` fits this rule with outcomes 1 and −1, and bounds
    ``beta`` by 10.

    If rewards are above and punishments below every action value, as outcomes of 1 and −1 are, this is
    `rescorla_wagner_two_rates`. They differ where a small reward disappoints.

    References
    ----------
    den Ouden, H. E. M., Daw, N. D., Fernandez, G., Elshout, J. A., Rijpkema, M., Hoogman, M., Franke, B., &
    Cools, R. (2013). Dissociable effects of dopamine and serotonin on reversal learning. *Neuron, 80*,
    1090–1100.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 0]], reward=[[1.0, 0.25, -1.0]])
    >>> compiled = rl.compile(rl.catalogue.rescorla_wagner_outcome_rates(), data)
    >>> params = {"alpha_pos": 0.5, "alpha_neg": 0.1, "beta": 2.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.313, -0.387]])
    """

    def choice(q, beta):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q)

    def update(q, choice, reward, alpha_pos, alpha_neg):
        rate = components.rate_by_sign(reward, alpha_pos, alpha_neg)
        q, prediction_error = components.delta_rule(q, choice, reward, rate)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "rescorla_wagner_outcome_rates",
        parameters={
            "alpha_pos": rl.Parameter(rl.UnitInterval(), "learning rate after rewards"),
            "alpha_neg": rl.Parameter(rl.UnitInterval(), "learning rate after the other outcomes"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
            **lapse_parameter("rescorla_wagner_outcome_rates", lapse),
        },
        states={"q": rl.State("action", initial=initial)},
        trial={
            "choice": components.with_lapse(choice) if lapse else choice,
            "reward": rl.Real(description="what the choice brought, above 0 if it was a reward"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt by a delta rule, its rate by the outcome's sign; softmax choice.",
        reference="den Ouden et al. (2013)",
    )


def rescorla_wagner_forgetting(n_actions: int = 2, initial: float = 0.0, lapse: bool = False) -> Model:
    """Rescorla–Wagner learning in which every action's value is forgotten a little each trial; softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block, toward which they are forgotten, too.
    lapse : bool, default False
        Whether a share of choices is guessed; it is one more parameter, ``lapse``.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameters:
        ``alpha`` (learning rate), ``beta`` (inverse temperature) and ``forgetting`` (share forgotten a trial).
        Record: ``prediction_error``.

    Raises
    ------
    ModelError
        If ``lapse`` is neither True nor False.

    Notes
    -----
    First every value is forgotten, ``q ← (1 − forgetting) · q + forgetting · initial``; then the chosen one
    learns, ``q[choice] += alpha · (reward − q[choice])``, its prediction error taken from the value that
    forgetting left. Choices follow ``softmax(beta · q)`` with the values before both, or, with lapses,
    ``(1 − lapse) · softmax(beta · q) + lapse / K`` of K actions. On a trial whose choice or reward is missing
    nothing is learnt and nothing forgotten.

    The paper has it for values of stimulus and action, as a rival of working memory, with φ for
    ``forgetting`` and one over the number of actions for ``initial``.

    References
    ----------
    Collins, A. G. E., & Frank, M. J. (2012). How much of reinforcement learning is working memory, not
    reinforcement learning? A behavioral, computational, and neurogenetic analysis. *European Journal of
    Neuroscience, 35*, 1024–1035.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.rescorla_wagner_forgetting(), data)
    >>> params = {"alpha": 0.5, "beta": 2.0, "forgetting": 0.2}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.313, -0.913]])
    """

    def choice(q, beta):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q)

    def update(q, choice, reward, alpha, forgetting):
        kept = components.decay(q, forgetting, toward=initial)
        q, prediction_error = components.delta_rule(kept, choice, reward, alpha)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "rescorla_wagner_forgetting",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
            "forgetting": rl.Parameter(rl.UnitInterval(), "share of a value forgotten each trial"),
            **lapse_parameter("rescorla_wagner_forgetting", lapse),
        },
        states={"q": rl.State("action", initial=initial)},
        trial={
            "choice": components.with_lapse(choice) if lapse else choice,
            "reward": rl.Real(description="what the choice brought, in any unit"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt by a delta rule and forgotten; softmax choice.",
        reference="Collins & Frank (2012)",
    )


def rescorla_wagner_forgetting_unchosen(n_actions: int = 2, initial: float = 0.0, lapse: bool = False) -> Model:
    """Rescorla–Wagner learning in which the values of actions that were not chosen are forgotten; softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block, toward which they are forgotten, too.
    lapse : bool, default False
        Whether a share of choices is guessed; it is one more parameter, ``lapse``.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameters:
        ``alpha`` (learning rate), ``beta`` (inverse temperature) and ``forgetting`` (share of an unchosen
        action's value forgotten a trial). Record: ``prediction_error``.

    Raises
    ------
    ModelError
        If ``lapse`` is neither True nor False.

    Notes
    -----
    The chosen action learns, ``q[choice] += alpha · (reward − q[choice])``, and every other one is forgotten,
    ``q[other] ← (1 − forgetting) · q[other] + forgetting · initial``. Choices follow ``softmax(beta · q)``, or,
    with lapses, ``(1 − lapse) · softmax(beta · q) + lapse / K`` of K actions. On a trial whose choice or reward
    is missing nothing is learnt and nothing forgotten.

    This is Ito and Doya's Q-learning with differential forgetting, whose values are forgotten toward 0. They
    write α₁ for ``alpha`` and α₂ for ``forgetting``, and measure outcomes by two parameters κ₁ and κ₂ (a
    reward is worth κ₁, its absence −κ₂) where this model has one inverse temperature. Their forgetting
    Q-learning is the special case ``forgetting = alpha``, ordinary Q-learning ``forgetting = 0``. Niv et al.
    forget features that were not chosen in the same way.

    References
    ----------
    Ito, M., & Doya, K. (2009). Validation of decision-making models and analysis of decision variables in the
    rat basal ganglia. *Journal of Neuroscience, 29*, 9861–9874.

    Niv, Y., Daniel, R., Geana, A., Gershman, S. J., Leong, Y. C., Radulescu, A., & Wilson, R. C. (2015).
    Reinforcement learning in multidimensional environments relies on attention mechanisms. *Journal of
    Neuroscience, 35*, 8145–8157.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.rescorla_wagner_forgetting_unchosen(), data)
    >>> params = {"alpha": 0.5, "beta": 2.0, "forgetting": 0.2}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -1.313, -0.371]])
    """

    def choice(q, beta):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q)

    def update(q, choice, reward, alpha, forgetting):
        prediction_error = reward - q[choice]
        forgotten = components.decay(q, forgetting, toward=initial)
        return {
            "q": forgotten.at[choice].set(q[choice] + alpha * prediction_error),
            "prediction_error": prediction_error,
        }

    return Model(
        "rescorla_wagner_forgetting_unchosen",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
            "forgetting": rl.Parameter(rl.UnitInterval(), "share of an unchosen action's value forgotten each trial"),
            **lapse_parameter("rescorla_wagner_forgetting_unchosen", lapse),
        },
        states={"q": rl.State("action", initial=initial)},
        trial={
            "choice": components.with_lapse(choice) if lapse else choice,
            "reward": rl.Real(description="what the choice brought, in any unit"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt by a delta rule, forgotten where not chosen; softmax choice.",
        reference="Ito & Doya (2009)",
    )
