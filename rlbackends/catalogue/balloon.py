"""Models of the balloon task: each pump earns something, and may burst the balloon."""

from __future__ import annotations

import math

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["balloon_four_parameters", "balloon_mean_variance"]

_OPPORTUNITIES = "decisions that there were to pump or not: pumps made, and the stop unless the balloon burst"
_PUMPS = "pumps made"
_EXPLOSION = "whether the balloon burst (1) or not (0)"


def _check_pumps(model: str, n_pumps: int) -> None:
    if isinstance(n_pumps, bool) or not isinstance(n_pumps, int) or n_pumps < 1:
        raise ModelError(f"{model}: n_pumps is {n_pumps!r}, expected a whole number from 1.")


def _totals(total_pumps, total_bursts, pumps, explosion):
    """Return the totals with one balloon more, and as states: a balloon that lacks one number counts for neither."""
    more_pumps, more_bursts = total_pumps + pumps, total_bursts + explosion
    states = {
        "total_pumps": rl.where(rl.is_missing(explosion), total_pumps, more_pumps),
        "total_bursts": rl.where(rl.is_missing(pumps), total_bursts, more_bursts),
    }
    return more_pumps, more_bursts, states


def balloon_four_parameters(n_pumps: int = 12) -> Model:
    """The balloon task with a number of pumps aimed at, from the belief that a pump succeeds: four parameters.

    Parameters
    ----------
    n_pumps : int, default 12
        The most pumps that a balloon may get.

    Returns
    -------
    Model
        Columns that the data need: ``opportunities`` (decisions that there were on the balloon, at most
        ``n_pumps``), ``pump`` (one column for each of them: 1 up to the last pump, then 0), ``pumps`` (their
        number) and ``explosion`` (1 if the balloon burst). Parameters: ``phi`` (φ, the belief before the first
        balloon that a pump succeeds), ``eta`` (η, the weight of experience), ``gamma`` (γ, risk taking) and
        ``beta`` (β, inverse temperature). The state ``p_burst`` is the belief that a pump bursts the balloon.

    Raises
    ------
    ModelError
        If ``n_pumps`` is no whole number from 1.

    Notes
    -----
    Before the first balloon ``p_burst = 1 − phi``. The subject aims at ω ``= −gamma / log(1 − p_burst)`` pumps,
    at none if every pump is believed to burst the balloon: pump number 1, 2, … is made with the probability
    ``sigmoid(beta · (ω − number))``, and surely if none is believed to. After each balloon, with all pumps so
    far ``total_pumps`` and the balloons that burst ``total_bursts``,

    ``p_burst = 1 − (phi + eta · (total_pumps − total_bursts)) / (1 + eta · total_pumps)``,

    which is computed as ``(1 − phi + eta · total_bursts) / (1 + eta · total_pumps)``. Pumps beyond
    ``opportunities`` do not count, whatever their columns hold: of a balloon that burst at its fifth pump, five
    decisions count; of one that was left after the fifth, these and the decision against a sixth.

    This is Wallsten et al.'s model as van Ravenzwaaij et al. fit it, ``p_burst = 1 − (α + successes) / (μ +
    pumps)``, with Park et al.'s parameters ``phi = α / μ`` and ``eta = 1 / μ``, which are hBayesDM's, too; it
    calls ``beta`` tau. In hBayesDM the decision against a further pump counts even when the
    largest number of pumps has been made: so it does here with ``n_pumps`` larger by 1.

    How the columns are made from ``pumps`` and ``explosion`` is shown in the example; from a table,
    ``rl.read_trials`` makes them by ``derive={"opportunities": "minimum(pumps + 1 - explosion, 12)", "pump":
    [f"pumps >= {number}" for number in range(1, 13)]}``. A balloon of which one of the two is missing teaches
    nothing.

    References
    ----------
    Wallsten, T. S., Pleskac, T. J., & Lejuez, C. W. (2005). Modeling behavior in a clinically diagnostic
    sequential risk-taking task. *Psychological Review, 112*, 862–880.

    van Ravenzwaaij, D., Dutilh, G., & Wagenmakers, E.-J. (2011). Cognitive model decomposition of the BART:
    Assessment and application. *Journal of Mathematical Psychology, 55*, 94–105.

    Park, H., Yang, J., Vassileva, J., & Ahn, W.-Y. (2021). Development of a novel computational model for the
    Balloon Analogue Risk Task: The exponential-weight mean–variance model. *Journal of Mathematical Psychology,
    102*, 102532.

    Examples
    --------
    >>> import numpy as np
    >>> import rlbackends as rl
    >>> pumps, explosion = np.array([[3, 5, 4]]), np.array([[0, 1, 0]])
    >>> data = rl.Trials.from_arrays(
    ...     opportunities=np.minimum(pumps + 1 - explosion, 12),
    ...     pump=(np.arange(12) < pumps[..., None]) * 1.0,
    ...     pumps=pumps,
    ...     explosion=explosion,
    ... )
    >>> compiled = rl.compile(rl.catalogue.balloon_four_parameters(), data)
    >>> params = {"phi": 0.7, "eta": 0.2, "gamma": 1.0, "beta": 0.8}
    >>> compiled.log_likelihood(params)["pump"].values.round(3)
    array([[-1.734, -1.545, -1.424]])
    """
    _check_pumps("balloon_four_parameters", n_pumps)
    number = components.along("pump", range(1, n_pumps + 1))

    def pump(opportunities, p_burst, gamma, beta):
        """Whether each pump was made: 1 up to the last one, then 0."""
        target = rl.where(p_burst < 1, -gamma / rl.log1p(-p_burst), 0.0)
        logits = rl.where(p_burst > 0, beta * (target - number), math.inf)
        return rl.Bernoulli(logits=logits, where=number <= opportunities)

    def update(total_pumps, total_bursts, pumps, explosion, phi, eta):
        total_pumps, total_bursts, totals = _totals(total_pumps, total_bursts, pumps, explosion)
        return {**totals, "p_burst": (1 - phi + eta * total_bursts) / (1 + eta * total_pumps)}

    return Model(
        "balloon_four_parameters",
        parameters={
            "phi": rl.Parameter(rl.UnitInterval(), "belief, before the first balloon, that a pump succeeds"),
            "eta": rl.Parameter(rl.Positive(), "weight of what was seen against that belief"),
            "gamma": rl.Parameter(rl.Positive(), "risk taking"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
        },
        states={
            "total_pumps": rl.State(),
            "total_bursts": rl.State(),
            "p_burst": rl.State(initial=lambda phi: 1 - phi),
        },
        trial={
            "opportunities": rl.Real(description=_OPPORTUNITIES),
            "pump": pump,
            "pumps": rl.Real(description=_PUMPS),
            "explosion": rl.Binary(description=_EXPLOSION),
        },
        update=update,
        sizes={"pump": n_pumps},
        description="A number of pumps aimed at, from the belief that a pump succeeds; logistic choice at each pump.",
        reference="van Ravenzwaaij et al. (2011)",
    )


def balloon_mean_variance(n_pumps: int = 12, gain: float = 1.0) -> Model:
    """The balloon task with a utility for each pump, from its mean and variance: the exponential-weight model.

    Parameters
    ----------
    n_pumps : int, default 12
        The most pumps that a balloon may get.
    gain : float, default 1.0
        What a pump earns: the paper's r. hBayesDM has 1.

    Returns
    -------
    Model
        Columns that the data need: ``opportunities`` (decisions that there were on the balloon, at most
        ``n_pumps``), ``pump`` (one column for each of them: 1 up to the last pump, then 0), ``pumps`` (their
        number) and ``explosion`` (1 if the balloon burst). Parameters: ``phi`` (ψ, the belief before the first
        balloon that a pump bursts it), ``eta`` (ξ, the updating exponent), ``rho`` (ρ, risk preference),
        ``loss_aversion`` (λ) and ``beta`` (τ, inverse temperature). The state ``p_burst`` is the belief that a
        pump bursts the balloon.

    Raises
    ------
    ModelError
        If ``n_pumps`` is no whole number from 1, or ``gain`` no number above 0.

    Notes
    -----
    Pump number 1, 2, … brings ``gain`` or, with the probability ``p_burst``, loses what the pumps before it have
    earned: with ``loss = loss_aversion · gain · (number − 1)`` its utility is mean and, by ``rho``, variance,

    ``utility = (1 − p_burst) · gain − p_burst · loss + rho · p_burst · (1 − p_burst) · (gain + loss)²``.

    Stopping has the utility 0, so that the pump is made with the probability ``sigmoid(beta · utility)``. The
    first two terms are computed as ``gain − p_burst · (gain + loss)``.

    Before the first balloon ``p_burst = phi``; with experience it moves to the share of pumps that burst a
    balloon. After each balloon, with all pumps so far ``total_pumps`` and the balloons that burst
    ``total_bursts``,

    ``p_burst = weight · phi + (1 − weight) · total_bursts / total_pumps``, with ``weight = exp(−eta ·
    total_pumps)``,

    and ``phi`` still if there was no pump. Pumps beyond ``opportunities`` do not count, whatever their columns
    hold. hBayesDM calls the parameters phi, eta, rho, lambda and tau; its bounds are taken here, ``rho`` from
    −0.5 to 0.5 and ``eta`` from 0 to 1. In hBayesDM the decision against a further pump counts even when the
    largest number of pumps has been made: so it does here with ``n_pumps`` larger by 1.

    How the columns are made from ``pumps`` and ``explosion`` is shown in the example; from a table,
    ``rl.read_trials`` makes them by ``derive={"opportunities": "minimum(pumps + 1 - explosion, 12)", "pump":
    [f"pumps >= {number}" for number in range(1, 13)]}``. A balloon of which one of the two is missing teaches
    nothing.

    References
    ----------
    Park, H., Yang, J., Vassileva, J., & Ahn, W.-Y. (2021). Development of a novel computational model for the
    Balloon Analogue Risk Task: The exponential-weight mean–variance model. *Journal of Mathematical Psychology,
    102*, 102532.

    Examples
    --------
    >>> import numpy as np
    >>> import rlbackends as rl
    >>> pumps, explosion = np.array([[3, 5, 4]]), np.array([[0, 1, 0]])
    >>> data = rl.Trials.from_arrays(
    ...     opportunities=np.minimum(pumps + 1 - explosion, 12),
    ...     pump=(np.arange(12) < pumps[..., None]) * 1.0,
    ...     pumps=pumps,
    ...     explosion=explosion,
    ... )
    >>> compiled = rl.compile(rl.catalogue.balloon_mean_variance(), data)
    >>> params = {"phi": 0.1, "eta": 0.1, "rho": -0.05, "loss_aversion": 1.5, "beta": 2.0}
    >>> compiled.log_likelihood(params)["pump"].values.round(3)
    array([[-1.72 , -1.322, -1.865]])
    """
    _check_pumps("balloon_mean_variance", n_pumps)
    if isinstance(gain, bool) or not isinstance(gain, int | float) or not 0 < gain < float("inf"):
        raise ModelError(f"balloon_mean_variance: gain is {gain!r}, expected a number above 0.")
    number = components.along("pump", range(1, n_pumps + 1))
    earned = components.along("pump", [gain * made for made in range(n_pumps)])

    def pump(opportunities, p_burst, rho, loss_aversion, beta):
        """Whether each pump was made: 1 up to the last one, then 0."""
        at_stake = gain + loss_aversion * earned
        mean, variance = gain - p_burst * at_stake, p_burst * (1 - p_burst) * at_stake**2
        return rl.Bernoulli(logits=beta * (mean + rho * variance), where=number <= opportunities)

    def update(total_pumps, total_bursts, pumps, explosion, phi, eta):
        total_pumps, total_bursts, totals = _totals(total_pumps, total_bursts, pumps, explosion)
        weight = rl.exp(-eta * total_pumps)
        seen = rl.where(total_pumps > 0, total_bursts / total_pumps, 0.0)
        return {**totals, "p_burst": weight * phi + (1 - weight) * seen}

    return Model(
        "balloon_mean_variance",
        parameters={
            "phi": rl.Parameter(rl.UnitInterval(), "belief, before the first balloon, that a pump bursts it"),
            "eta": rl.Parameter(rl.UnitInterval(), "updating exponent"),
            "rho": rl.Parameter(rl.Interval(-0.5, 0.5), "risk preference: the weight of the variance"),
            "loss_aversion": rl.Parameter(rl.Positive(), "loss aversion"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
        },
        states={"total_pumps": rl.State(), "total_bursts": rl.State(), "p_burst": rl.State(initial="phi")},
        trial={
            "opportunities": rl.Real(description=_OPPORTUNITIES),
            "pump": pump,
            "pumps": rl.Real(description=_PUMPS),
            "explosion": rl.Binary(description=_EXPLOSION),
        },
        update=update,
        sizes={"pump": n_pumps},
        description="A utility for each pump from its mean and variance; logistic choice at each pump.",
        reference="Park et al. (2021)",
    )
