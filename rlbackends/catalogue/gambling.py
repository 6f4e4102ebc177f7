"""Models of the gambling task: four decks, of which two pay more at once and cost more in the long run."""

from __future__ import annotations

from typing import Any

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["pvl_delta", "pvl_decay", "vpp", "orl"]

# Bounds as in Ahn et al. (2014) and in hBayesDM.
_SENSITIVITY = rl.Parameter(rl.Interval(0, 2), "exponent of the utility: how an outcome's size is felt")
_LOSS_AVERSION = rl.Parameter(rl.Interval(0, 10), "how much worse a loss is than a gain of its size is good")
_CONSISTENCY = rl.Parameter(rl.Interval(0, 5), "consistency of choices: an inverse temperature of 3^consistency − 1")
_OUTCOME = rl.Real(description="the trial's net outcome, gain less loss, in hundreds")


def _utility(outcome: Any, sensitivity: Any, loss_aversion: Any) -> Any:
    """Return the prospect utility of an outcome; that of 0 is 0."""
    loss = -loss_aversion * (-outcome) ** sensitivity
    return rl.where(outcome > 0, outcome**sensitivity, rl.where(outcome < 0, loss, 0.0))


def pvl_delta(n_actions: int = 4) -> Model:
    """Prospect valence learning with a delta rule: outcomes are felt as prospect theory has it.

    Parameters
    ----------
    n_actions : int, default 4
        Number of decks.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the decks) and ``outcome`` (the trial's gain less its loss,
        in hundreds: see Notes). Parameters: ``alpha`` (learning rate, A), ``sensitivity`` (exponent of the
        utility, α, from 0 to 2), ``loss_aversion`` (λ, from 0 to 10) and ``consistency`` (c, from 0 to 5).
        Records: ``utility`` and ``prediction_error``.

    Notes
    -----
    An outcome of x has the utility ``u = x^sensitivity`` if it is above 0, ``u = −loss_aversion ·
    (−x)^sensitivity`` if it is below, and 0 if it is 0. The chosen deck's value moves toward it, ``q[choice] +=
    alpha · (u − q[choice])``, and choices follow ``softmax((3^consistency − 1) · q)`` (Yechiam & Ert, 2007: 0 is
    chance, and each step of 1 makes choices about three times as consistent). Values start at 0.

    The power makes parameters depend on the unit of money. Fits are usual in hundreds, as in hBayesDM, whose
    tables have a gain and a loss in each row; ``derive={"outcome": "(gain - abs(loss)) / 100"}`` takes a loss
    with either sign. The bounds are those of Ahn et al. (2014) and hBayesDM.

    References
    ----------
    Ahn, W.-Y., Busemeyer, J. R., Wagenmakers, E.-J., & Stout, J. C. (2008). Comparison of decision learning
    models using the generalization criterion method. *Cognitive Science, 32*, 1376–1402.

    Ahn, W.-Y., Vasilev, G., Lee, S.-H., Busemeyer, J. R., Kruschke, J. K., Bechara, A., & Vassileva, J. (2014).
    Decision-making in stimulant and opiate addicts in protracted abstinence: Evidence from computational modeling
    with pure users. *Frontiers in Psychology, 5*, 849.

    Yechiam, E., & Ert, E. (2007). Evaluating the reliance on past choices in adaptive learning models. *Journal of
    Mathematical Psychology, 51*, 75–84.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 2]], outcome=[[1.0, -1.5, 0.5]])
    >>> compiled = rl.compile(rl.catalogue.pvl_delta(), data)
    >>> params = {"alpha": 0.5, "sensitivity": 0.5, "loss_aversion": 1.5, "consistency": 1.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.386, -0.744, -1.183]])

    Such a table is read by

    >>> data = rl.read_trials(  # doctest: +SKIP
    ...     "igt.tsv",
    ...     subject="subjID",
    ...     trial="trial",
    ...     choice="choice",
    ...     derive={"outcome": "(gain - abs(loss)) / 100"},
    ... )
    """

    def choice(q, consistency):
        """The deck that was chosen."""
        return rl.Categorical(logits=(3.0**consistency - 1) * q)

    def update(q, choice, outcome, alpha, sensitivity, loss_aversion):
        utility = _utility(outcome, sensitivity, loss_aversion)
        q, prediction_error = components.delta_rule(q, choice, utility, alpha)
        return {"q": q, "utility": utility, "prediction_error": prediction_error}

    return Model(
        "pvl_delta",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "sensitivity": _SENSITIVITY,
            "loss_aversion": _LOSS_AVERSION,
            "consistency": _CONSISTENCY,
        },
        states={"q": rl.State("action")},
        trial={"choice": choice, "outcome": _OUTCOME},
        update=update,
        records=["utility", "prediction_error"],
        sizes={"action": n_actions},
        description="Prospect utilities learnt by a delta rule; softmax choice.",
        reference="Ahn et al. (2008)",
    )


def pvl_decay(n_actions: int = 4) -> Model:
    """Prospect valence learning with a decay rule: all values fade, the chosen deck's utility is added.

    Parameters
    ----------
    n_actions : int, default 4
        Number of decks.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the decks) and ``outcome`` (the trial's gain less its loss,
        in hundreds: see `pvl_delta`). Parameters: ``retention`` (A, the share of a value that is left after a
        trial), ``sensitivity`` (exponent of the utility, α, from 0 to 2), ``loss_aversion`` (λ, from 0 to 10) and
        ``consistency`` (c, from 0 to 5). Record: ``utility``.

    Notes
    -----
    The utility u of an outcome and the choice are those of `pvl_delta`. First all values fade, ``q ← retention ·
    q``; then the chosen deck gains the utility in full, ``q[choice] += u``. So a high ``retention`` is a long
    memory: A means the opposite of the delta rule's learning rate. Values start at 0.

    References
    ----------
    Ahn, W.-Y., Busemeyer, J. R., Wagenmakers, E.-J., & Stout, J. C. (2008). Comparison of decision learning
    models using the generalization criterion method. *Cognitive Science, 32*, 1376–1402.

    Yechiam, E., & Ert, E. (2007). Evaluating the reliance on past choices in adaptive learning models. *Journal of
    Mathematical Psychology, 51*, 75–84.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 2]], outcome=[[1.0, -1.5, 0.5]])
    >>> compiled = rl.compile(rl.catalogue.pvl_decay(), data)
    >>> params = {"retention": 0.5, "sensitivity": 0.5, "loss_aversion": 1.5, "consistency": 1.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.386, -0.341, -1.121]])
    """

    def choice(q, consistency):
        """The deck that was chosen."""
        return rl.Categorical(logits=(3.0**consistency - 1) * q)

    def update(q, choice, outcome, retention, sensitivity, loss_aversion):
        utility = _utility(outcome, sensitivity, loss_aversion)
        return {"q": (retention * q).at[choice].set(retention * q[choice] + utility), "utility": utility}

    return Model(
        "pvl_decay",
        parameters={
            "retention": rl.Parameter(rl.UnitInterval(), "share of a value that is left after a trial"),
            "sensitivity": _SENSITIVITY,
            "loss_aversion": _LOSS_AVERSION,
            "consistency": _CONSISTENCY,
        },
        states={"q": rl.State("action")},
        trial={"choice": choice, "outcome": _OUTCOME},
        update=update,
        records=["utility"],
        sizes={"action": n_actions},
        description="Prospect utilities added to values that fade; softmax choice.",
        reference="Ahn et al. (2008)",
    )


def vpp(n_actions: int = 4) -> Model:
    """Value plus perseverance: a delta rule on prospect utilities, and a tendency to stay that outcomes move.

    Parameters
    ----------
    n_actions : int, default 4
        Number of decks.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the decks) and ``outcome`` (the trial's gain less its loss,
        in hundreds: see `pvl_delta`). Parameters: ``alpha`` (learning rate, A), ``sensitivity`` (exponent of the
        utility, α, from 0 to 2), ``loss_aversion`` (λ, from 0 to 10), ``consistency`` (c, from 0 to 5),
        ``retention`` (K, the share of perseverance that is left after a trial), ``stay_pos`` and ``stay_neg``
        (ε⁺ and ε⁻, what a gain and a loss add to the chosen deck's perseverance) and ``w`` (ω, the weight of
        values: 0 is perseverance alone). Records: ``utility`` and ``prediction_error``.

    Notes
    -----
    Values learn as in `pvl_delta`. Perseverance fades for all decks, ``perseverance ← retention · perseverance``,
    and then the chosen deck's grows by ``stay_pos`` if the outcome was 0 or more, by ``stay_neg`` if it was below
    0; either may be negative, a tendency to switch. Choices follow ``softmax((3^consistency − 1) · (w · q + (1 −
    w) · perseverance))``. Both start at 0. The bounds are hBayesDM's, where ``stay_pos`` and ``stay_neg`` have
    none.

    References
    ----------
    Worthy, D. A., Pang, B., & Byrne, K. A. (2013). Decomposing the roles of perseveration and expected value
    representation in models of the Iowa gambling task. *Frontiers in Psychology, 4*, 640.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 2]], outcome=[[1.0, -1.5, 0.5]])
    >>> compiled = rl.compile(rl.catalogue.vpp(), data)
    >>> params = {"alpha": 0.5, "sensitivity": 0.5, "loss_aversion": 1.5, "consistency": 1.0}
    >>> params |= {"retention": 0.5, "stay_pos": 0.4, "stay_neg": -0.2, "w": 0.5}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.386, -0.797, -1.256]])
    """

    def choice(q, perseverance, consistency, w):
        """The deck that was chosen."""
        return rl.Categorical(logits=(3.0**consistency - 1) * (w * q + (1 - w) * perseverance))

    def update(q, perseverance, choice, outcome, alpha, sensitivity, loss_aversion, retention, stay_pos, stay_neg):
        utility = _utility(outcome, sensitivity, loss_aversion)
        q, prediction_error = components.delta_rule(q, choice, utility, alpha)
        stay = rl.where(outcome >= 0, stay_pos, stay_neg)
        return {
            "q": q,
            "perseverance": (retention * perseverance).at[choice].set(retention * perseverance[choice] + stay),
            "utility": utility,
            "prediction_error": prediction_error,
        }

    return Model(
        "vpp",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "sensitivity": _SENSITIVITY,
            "loss_aversion": _LOSS_AVERSION,
            "consistency": _CONSISTENCY,
            "retention": rl.Parameter(rl.UnitInterval(), "share of perseverance that is left after a trial"),
            "stay_pos": rl.Parameter(rl.RealLine(), "what a gain adds to the chosen deck's perseverance"),
            "stay_neg": rl.Parameter(rl.RealLine(), "what a loss adds to the chosen deck's perseverance"),
            "w": rl.Parameter(rl.UnitInterval(), "weight of values against perseverance"),
        },
        states={"q": rl.State("action"), "perseverance": rl.State("action")},
        trial={"choice": choice, "outcome": _OUTCOME},
        update=update,
        records=["utility", "prediction_error"],
        sizes={"action": n_actions},
        description="Prospect utilities learnt by a delta rule, and perseverance moved by outcomes; softmax choice.",
        reference="Worthy et al. (2013)",
    )


def orl(n_actions: int = 4) -> Model:
    """Outcome-representation learning: how much a deck pays, how often it pays, and perseverance.

    Parameters
    ----------
    n_actions : int, default 4
        Number of decks.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the decks) and ``outcome`` (the trial's gain less its loss,
        in hundreds: see `pvl_delta`). Parameters: ``alpha_pos`` and ``alpha_neg`` (learning rates A_rew and A_pun
        after a gain and a loss), ``decay`` (K', how fast perseverance fades, from 0 to 5), ``frequency_weight``
        (β_F) and ``perseverance_weight`` (β_P). Records: ``prediction_error`` and
        ``frequency_prediction_error``.

    Raises
    ------
    ModelError
        If there are fewer than two decks.

    Notes
    -----
    With the outcome x and its sign s (−1, 0 or 1), of C decks:

    - ``q[choice] += α · (x − q[choice])``,
    - ``frequency[choice] += α · (s − frequency[choice])``,
    - ``frequency[other] += α' · (−s / (C − 1) − frequency[other])`` for all other decks,
    - ``perseverance[choice] ← 1``, and then ``perseverance ← perseverance / 3^decay`` for all decks, the chosen
      one too.

    After x of 0 or more the rate α is ``alpha_pos``, and α' is ``alpha_neg``; after x below 0 the two change
    places: a deck that was not chosen is thought to have done the opposite. Choices follow ``softmax(q +
    frequency_weight · frequency + perseverance_weight · perseverance)``, without an inverse temperature. All start
    at 0. The paper writes 1 + K for 3^decay, with K = 3^K' − 1 and K' from 0 to 5.

    References
    ----------
    Haines, N., Vassileva, J., & Ahn, W.-Y. (2018). The outcome-representation learning model: A novel
    reinforcement learning model of the Iowa gambling task. *Cognitive Science, 42*, 2534–2561.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 2]], outcome=[[1.0, -1.5, 0.5]])
    >>> compiled = rl.compile(rl.catalogue.orl(), data)
    >>> params = {"alpha_pos": 0.5, "alpha_neg": 0.2, "decay": 1.0}
    >>> params |= {"frequency_weight": 1.0, "perseverance_weight": 1.5}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.386, -0.486, -1.599]])
    """
    if isinstance(n_actions, int) and n_actions < 2:
        raise ModelError(f"orl: n_actions is {n_actions!r}, expected 2 or more decks.")

    def choice(q, frequency, perseverance, frequency_weight, perseverance_weight):
        """The deck that was chosen."""
        return rl.Categorical(logits=q + frequency_weight * frequency + perseverance_weight * perseverance)

    def update(q, frequency, perseverance, choice, outcome, alpha_pos, alpha_neg, decay):
        rate = rl.where(outcome >= 0, alpha_pos, alpha_neg)
        other_rate = rl.where(outcome >= 0, alpha_neg, alpha_pos)
        sign = rl.sign(outcome)
        q, prediction_error = components.delta_rule(q, choice, outcome, rate)
        frequency_prediction_error = sign - frequency[choice]
        others = components.decay(frequency, other_rate, toward=-sign / (n_actions - 1))
        return {
            "q": q,
            "frequency": others.at[choice].set(frequency[choice] + rate * frequency_prediction_error),
            "perseverance": perseverance.at[choice].set(1.0) / 3.0**decay,
            "prediction_error": prediction_error,
            "frequency_prediction_error": frequency_prediction_error,
        }

    return Model(
        "orl",
        parameters={
            "alpha_pos": rl.Parameter(rl.UnitInterval(), "learning rate of a gain"),
            "alpha_neg": rl.Parameter(rl.UnitInterval(), "learning rate of a loss"),
            "decay": rl.Parameter(rl.Interval(0, 5), "how fast perseverance fades, by 3^decay a trial"),
            "frequency_weight": rl.Parameter(rl.RealLine(), "weight of how often a deck pays"),
            "perseverance_weight": rl.Parameter(rl.RealLine(), "weight of perseverance"),
        },
        states={"q": rl.State("action"), "frequency": rl.State("action"), "perseverance": rl.State("action")},
        trial={"choice": choice, "outcome": _OUTCOME},
        update=update,
        records=["prediction_error", "frequency_prediction_error"],
        sizes={"action": n_actions},
        description="How much and how often a deck pays, with rates by the outcome's sign, and perseverance.",
        reference="Haines et al. (2018)",
    )
