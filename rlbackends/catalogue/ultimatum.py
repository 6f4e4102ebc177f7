"""Models of the ultimatum game: offers are accepted or refused by what the responder has come to expect."""

from __future__ import annotations

from typing import Any

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["ultimatum_delta", "ultimatum_bayesian"]

# Bounds as in hBayesDM.
_BETA = rl.Parameter(rl.Interval(0, 10), "inverse temperature of accepting")
_ENVY = rl.Parameter(rl.Interval(0, 20), "aversion to an offer's falling short of the norm")
_OFFER = rl.Real(description="what is offered to the subject")


def _number(model: str, **settings: Any) -> None:
    """Raise what is no number; all but ``initial`` must be above 0."""
    for name, value in settings.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
        if not is_number or (name != "initial" and value <= 0):
            expected = "a number" if name == "initial" else "a number above 0"
            raise ModelError(f"{model}: {name} is {value!r}, expected {expected}.")


def ultimatum_delta(initial: float = 10.0) -> Model:
    """The ultimatum game with a norm that adapts by a delta rule; offers below it are disliked.

    Parameters
    ----------
    initial : float, default 10.0
        The norm at the start of each block, in the unit of the offers: half of the 20 that are shared.

    Returns
    -------
    Model
        Columns that the data need: ``offer`` (a number) and ``accept`` (1 if it was accepted, 0 if not).
        Parameters: ``alpha`` (rate at which the norm adapts, ε), ``beta`` (inverse temperature, τ, from 0 to 10)
        and ``envy`` (α, the aversion to offers below the norm, from 0 to 20). Record: ``prediction_error``.

    Raises
    ------
    ModelError
        If ``initial`` is no number.

    Notes
    -----
    An offer is worth ``utility = offer − envy · max(norm − offer, 0)`` (Fehr & Schmidt, 1999, with the norm in the
    place of the other's share), and it is accepted with probability ``logistic(beta · utility)``. Refusing is worth
    0. The norm is that of the offers before; after the choice it adapts, ``norm += alpha · (offer − norm)``,
    whether the offer was accepted or not. The bounds are hBayesDM's.

    References
    ----------
    Gu, X., Wang, X., Hula, A., Wang, S., Xu, S., Lohrenz, T. M., Knight, R. T., Gao, Z., Dayan, P., & Montague,
    P. R. (2015). Necessary, yet dissociable contributions of the insular and ventromedial prefrontal cortices to
    norm adaptation: Computational and lesion evidence in humans. *Journal of Neuroscience, 35*, 467–473.

    Fehr, E., & Schmidt, K. M. (1999). A theory of fairness, competition, and cooperation. *Quarterly Journal of
    Economics, 114*, 817–868.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(offer=[[4.0, 8.0, 8.0]], accept=[[0, 1, 0]])
    >>> compiled = rl.compile(rl.catalogue.ultimatum_delta(), data)
    >>> params = {"alpha": 0.5, "beta": 0.25, "envy": 2.0}
    >>> compiled.log_likelihood(params)["accept"].values.round(3)
    array([[-0.127, -0.127, -2.127]])
    """
    _number("ultimatum_delta", initial=initial)

    def accept(norm, offer, beta, envy):
        """Whether the offer was accepted."""
        return rl.Bernoulli(logits=beta * (offer - envy * rl.maximum(norm - offer, 0.0)))

    def update(norm, offer, alpha):
        prediction_error = offer - norm
        return {"norm": norm + alpha * prediction_error, "prediction_error": prediction_error}

    return Model(
        "ultimatum_delta",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "rate at which the norm adapts to offers"),
            "beta": _BETA,
            "envy": _ENVY,
        },
        states={"norm": rl.State(initial=initial)},
        trial={"offer": _OFFER, "accept": accept},
        update=update,
        records=["prediction_error"],
        description="A norm of offers learnt by a delta rule; offers below it are disliked.",
        reference="Gu et al. (2015)",
    )


def ultimatum_bayesian(
    initial: float = 10.0, n_mean: float = 4.0, variance: float = 4.0, n_variance: float = 10.0
) -> Model:
    """The ultimatum game with an ideal observer of offers; those below and above its mean are disliked.

    Parameters
    ----------
    initial : float, default 10.0
        The expected offer at the start of each block, in the unit of the offers (μ₀).
    n_mean : float, default 4.0
        How many offers it counts for (k₀).
    variance : float, default 4.0
        The expected variance of offers at the start of each block (σ₀²).
    n_variance : float, default 10.0
        How many offers it counts for (ν₀).

    Returns
    -------
    Model
        Columns that the data need: ``offer`` (a number) and ``accept`` (1 if it was accepted, 0 if not).
        Parameters: ``beta`` (inverse temperature, τ, from 0 to 10), ``envy`` (α, the aversion to offers below the
        norm, from 0 to 20) and ``guilt`` (β, the aversion to offers above it, from 0 to 10). Record:
        ``prediction_error``.

    Raises
    ------
    ModelError
        If ``initial`` is no number, or one of the others is none above 0.

    Notes
    -----
    Offers are taken to be normal, mean and variance unknown with a normal–inverse-χ² prior. The offer of a trial
    is learnt *before* the choice, with n offers behind the norm and n' = n_variance − n_mean + n behind the
    variance:

    - ``norm ← norm + (offer − norm) / (n + 1)``,
    - ``norm_variance ← (n' · norm_variance + n / (n + 1) · (offer − norm)²) / (n' + 1)``, with the norm from before,
    - ``n ← n + 1``,

    so that the choice goes by the norm that has moved: an offer is worth ``utility = offer − envy · max(norm −
    offer, 0) − guilt · max(offer − norm, 0)`` (Fehr & Schmidt, 1999), and it is accepted with probability
    ``logistic(beta · utility)``. The states ``norm``, ``norm_variance`` and ``n`` are reported as they are before
    the offer, and ``prediction_error`` is taken from that norm. The choice does not depend on ``norm_variance``: it
    is there to be compared with other data. A missing offer is not counted. The bounds are hBayesDM's.

    References
    ----------
    Xiang, T., Lohrenz, T., & Montague, P. R. (2013). Computational substrates of norms and their violations during
    social exchange. *Journal of Neuroscience, 33*, 1099–1108.

    Fehr, E., & Schmidt, K. M. (1999). A theory of fairness, competition, and cooperation. *Quarterly Journal of
    Economics, 114*, 817–868.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(offer=[[5.0, 9.0, 12.0]], accept=[[0, 1, 0]])
    >>> compiled = rl.compile(rl.catalogue.ultimatum_bayesian(), data)
    >>> params = {"beta": 0.25, "envy": 2.0, "guilt": 0.5}
    >>> compiled.log_likelihood(params)["accept"].values.round(3)
    array([[-0.387, -0.1  , -2.745]])
    """
    _number("ultimatum_bayesian", initial=initial, n_mean=n_mean, variance=variance, n_variance=n_variance)

    def learnt(norm, n, offer):
        return norm + (offer - norm) / (n + 1)

    def accept(norm, n, offer, beta, envy, guilt):
        """Whether the offer was accepted."""
        above = offer - learnt(norm, n, offer)
        utility = offer - envy * rl.maximum(-above, 0.0) - guilt * rl.maximum(above, 0.0)
        return rl.Bernoulli(logits=beta * utility)

    def update(norm, norm_variance, n, offer):
        prediction_error = offer - norm
        n_before = n + (n_variance - n_mean)
        squares = n_before * norm_variance + n / (n + 1) * prediction_error**2
        return {
            "norm": learnt(norm, n, offer),
            "norm_variance": squares / (n_before + 1),
            "n": rl.where(rl.is_missing(offer), n, n + 1),
            "prediction_error": prediction_error,
        }

    return Model(
        "ultimatum_bayesian",
        parameters={
            "beta": _BETA,
            "envy": _ENVY,
            "guilt": rl.Parameter(rl.Interval(0, 10), "aversion to an offer's going beyond the norm"),
        },
        states={
            "norm": rl.State(initial=initial),
            "norm_variance": rl.State(initial=variance),
            "n": rl.State(initial=n_mean),
        },
        trial={"offer": _OFFER, "accept": accept},
        update=update,
        records=["prediction_error"],
        description="An ideal observer's norm of offers; offers below and above it are disliked.",
        reference="Xiang et al. (2013)",
    )
