"""Models of beliefs that are revised by how uncertain they are: the hierarchical Gaussian filters."""

from __future__ import annotations

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["hgf_two_levels", "hgf_three_levels"]

_INPUT = "the input that came after the prediction"
_BETA = "inverse temperature"


def _check_variances(model: str, **variances: float) -> None:
    for name, given in variances.items():
        if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < float("inf"):
            raise ModelError(f"{model}: {name} is {given!r}, expected a variance above 0.")


def _revised(mu2, pi2, shown, volatility):
    """Return the second level's predicted precision, its new precision and mean, and the prediction error."""
    prediction = rl.sigmoid(mu2)
    prediction_error = shown - prediction
    predicted = 1 / (1 / pi2 + volatility)
    precision = predicted + prediction * (1 - prediction)
    return predicted, precision, mu2 + prediction_error / precision, prediction_error


def hgf_two_levels(initial_mu2: float = 0.0, initial_sigma2: float = 0.1) -> Model:
    """The hierarchical Gaussian filter for binary inputs with two levels: a tendency whose volatility is constant.

    Parameters
    ----------
    initial_mu2 : float, default 0.0
        The belief's mean on the logit scale at the start of each block; 0 favours neither input.
    initial_sigma2 : float, default 0.1
        The belief's variance at the start of each block.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (the input that the subject predicted, 0 or 1) and ``input`` (the
        one that came, 0 or 1). Parameters: ``omega2`` (ω, the log variance by which the tendency is believed to
        change from trial to trial) and ``beta`` (ζ, inverse temperature). Records: ``prediction`` (μ̂₁, the
        believed probability of input 1 before it came) and ``prediction_error``.

    Raises
    ------
    ModelError
        If the initial variance is not above 0.

    Notes
    -----
    Level 2 is the tendency toward input 1 on the logit scale, believed to be normal with the mean ``mu2`` and the
    precision ``pi2``. Before the input its prediction is ``μ̂₁ = sigmoid(mu2)``, and the subject predicts input 1
    with the probability ``μ̂₁^ζ / (μ̂₁^ζ + (1 − μ̂₁)^ζ) = sigmoid(beta · mu2)``. After it,

    - ``π̂₂ = 1 / (1 / pi2 + exp(omega2))``,
    - ``pi2 ← π̂₂ + μ̂₁ (1 − μ̂₁)``,
    - ``mu2 ← mu2 + (input − μ̂₁) / pi2``, with the new ``pi2``.

    It is the three-level filter with a coupling of 0. Without an input nothing changes, ``pi2`` neither. hBayesDM
    bounds ``omega2`` from −10 to 0, as here, and ``beta`` from 0 to 2, where it has no upper bound here; TAPAS has
    no bounds of ``omega2``, and both start at the variance 0.1.

    References
    ----------
    Mathys, C., Daunizeau, J., Friston, K. J., & Stephan, K. E. (2011). A Bayesian foundation for individual
    learning under uncertainty. *Frontiers in Human Neuroscience, 5*, 39.

    Mathys, C. D., Lomakina, E. I., Daunizeau, J., Iglesias, S., Brodersen, K. H., Friston, K. J., & Stephan,
    K. E. (2014). Uncertainty in perception and the hierarchical Gaussian filter. *Frontiers in Human
    Neuroscience, 8*, 825.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[1, 1, 0]], input=[[1, 1, 0]])
    >>> compiled = rl.compile(rl.catalogue.hgf_two_levels(), data)
    >>> compiled.log_likelihood({"omega2": -2.0, "beta": 2.0})["choice"].values.round(3)
    array([[-0.693, -0.588, -0.994]])
    """
    _check_variances("hgf_two_levels", initial_sigma2=initial_sigma2)

    def choice(mu2, beta):
        """The input that was predicted: 0 or 1."""
        return rl.Bernoulli(logits=beta * mu2)

    def update(mu2, pi2, input, omega2):
        _, precision2, mean2, prediction_error = _revised(mu2, pi2, input, rl.exp(omega2))
        return {
            "mu2": mean2,
            "pi2": rl.where(rl.is_missing(input), pi2, precision2),
            "prediction": rl.sigmoid(mu2),
            "prediction_error": prediction_error,
        }

    return Model(
        "hgf_two_levels",
        parameters={
            "omega2": rl.Parameter(rl.Interval(-10, 0), "log variance by which the tendency changes per trial"),
            "beta": rl.Parameter(rl.Positive(), _BETA),
        },
        states={"mu2": rl.State(initial=initial_mu2), "pi2": rl.State(initial=1 / initial_sigma2)},
        trial={"choice": choice, "input": rl.Binary(description=_INPUT)},
        update=update,
        records=["prediction", "prediction_error"],
        description="The tendency of binary inputs, filtered at constant volatility; unit-square sigmoid choice.",
        reference="Mathys et al. (2011)",
    )


def hgf_three_levels(
    initial_mu2: float = 0.0,
    initial_sigma2: float = 0.1,
    initial_mu3: float = 1.0,
    initial_sigma3: float = 1.0,
) -> Model:
    """The hierarchical Gaussian filter for binary inputs with three levels: the volatility is learnt, too.

    Parameters
    ----------
    initial_mu2, initial_sigma2 : float, default 0.0 and 0.1
        Mean and variance of the belief about the tendency, on the logit scale, at the start of each block.
    initial_mu3, initial_sigma3 : float, default 1.0 and 1.0
        Mean and variance of the belief about its log volatility at the start of each block.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (the input that the subject predicted, 0 or 1) and ``input`` (the
        one that came, 0 or 1). Parameters: ``coupling`` (κ, how strongly level 3 drives the volatility of level
        2), ``omega2`` (ω, the log volatility of level 2 where level 3 is 0), ``omega3`` (log ϑ, the log volatility
        of level 3) and ``beta`` (ζ, inverse temperature). Records: ``prediction`` (μ̂₁, the believed
        probability of input 1 before it came), ``prediction_error`` (δ₁) and ``volatility_prediction_error``
        (δ₂).

    Raises
    ------
    ModelError
        If an initial variance is not above 0.

    Notes
    -----
    Level 2 is the tendency toward input 1 on the logit scale, level 3 the log of its volatility; both are
    believed to be normal, with means ``mu2``, ``mu3`` and precisions ``pi2``, ``pi3``. Before the input the
    prediction is ``μ̂₁ = sigmoid(mu2)``, and the subject predicts input 1 with the probability ``μ̂₁^ζ / (μ̂₁^ζ +
    (1 − μ̂₁)^ζ) = sigmoid(beta · mu2)``. After it, with κ for ``coupling`` and ``v = exp(κ · mu3 + omega2)``,

    - ``π̂₂ = 1 / (1 / pi2 + v)``,
    - ``pi2 ← π̂₂ + μ̂₁ (1 − μ̂₁)``,
    - ``mu2 ← mu2 + δ₁ / pi2`` with ``δ₁ = input − μ̂₁`` and the new ``pi2``,
    - ``π̂₃ = 1 / (1 / pi3 + exp(omega3))``,
    - ``pi3 ← π̂₃ + κ²/2 · w (w + r δ₂)`` with ``w = v π̂₂``, ``r = 2 w − 1`` and ``δ₂ = (1 / pi2 + (change of
      mu2)²) · π̂₂ − 1``,
    - ``mu3 ← mu3 + κ/2 · w δ₂ / pi3`` with the new ``pi3``.

    Without an input nothing changes, ``pi2`` neither; in hBayesDM the volatility of trials without one adds up.

    TAPAS and hBayesDM call ζ the inverse decision noise. The papers write ϑ for ``exp(omega3)``; both programs
    estimate its logarithm. Bounds are hBayesDM's: ``coupling`` from 0 to 2, ``omega2`` from −10 to 0, ``omega3``
    from −15 to 0; its upper bound 2 of ``beta`` is left out. Initial values are those of TAPAS; hBayesDM starts at
    ``initial_mu2=0.5``. As choices go by level 2 alone, ``coupling`` and ``omega2`` are hard to tell apart: TAPAS
    fixes ``coupling`` at 1, as ``rl.Population(coupling=1.0)`` does. hBayesDM's hgf_ibrb takes, unless its
    ``input_first`` is set, the prediction of the trial *before* for a choice, and leaves out the first one: that is
    not this model.

    The update of level 3 rests on an approximation that does not hold everywhere: with a high volatility of
    level 3, or one of level 2 close to 1, ``pi3`` may come out at 0 or below. TAPAS stops there with an error.
    Here as in hBayesDM the equations go on, to values without a meaning: see that ``pi3`` is above 0 in
    ``compiled.trajectories(params)``.

    References
    ----------
    Mathys, C., Daunizeau, J., Friston, K. J., & Stephan, K. E. (2011). A Bayesian foundation for individual
    learning under uncertainty. *Frontiers in Human Neuroscience, 5*, 39.

    Mathys, C. D., Lomakina, E. I., Daunizeau, J., Iglesias, S., Brodersen, K. H., Friston, K. J., & Stephan,
    K. E. (2014). Uncertainty in perception and the hierarchical Gaussian filter. *Frontiers in Human
    Neuroscience, 8*, 825.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[1, 1, 0]], input=[[1, 1, 0]])
    >>> compiled = rl.compile(rl.catalogue.hgf_three_levels(), data)
    >>> params = {"coupling": 1.0, "omega2": -2.0, "omega3": -4.0, "beta": 2.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.505, -1.319]])
    """
    _check_variances("hgf_three_levels", initial_sigma2=initial_sigma2, initial_sigma3=initial_sigma3)

    def choice(mu2, beta):
        """The input that was predicted: 0 or 1."""
        return rl.Bernoulli(logits=beta * mu2)

    def update(mu2, pi2, mu3, pi3, input, coupling, omega2, omega3):
        volatility = rl.exp(coupling * mu3 + omega2)
        predicted2, precision2, mean2, prediction_error = _revised(mu2, pi2, input, volatility)
        weight = volatility * predicted2
        surprise = (1 / precision2 + (mean2 - mu2) ** 2) * predicted2 - 1
        predicted3 = 1 / (1 / pi3 + rl.exp(omega3))
        precision3 = predicted3 + coupling**2 / 2 * weight * (weight + (2 * weight - 1) * surprise)
        return {
            "mu2": mean2,
            "pi2": rl.where(rl.is_missing(input), pi2, precision2),
            "mu3": mu3 + coupling / 2 * weight * surprise / precision3,
            "pi3": precision3,
            "prediction": rl.sigmoid(mu2),
            "prediction_error": prediction_error,
            "volatility_prediction_error": surprise,
        }

    return Model(
        "hgf_three_levels",
        parameters={
            "coupling": rl.Parameter(rl.Interval(0, 2), "how strongly level 3 drives the volatility of level 2"),
            "omega2": rl.Parameter(rl.Interval(-10, 0), "log volatility of level 2 where level 3 is 0"),
            "omega3": rl.Parameter(rl.Interval(-15, 0), "log volatility of level 3"),
            "beta": rl.Parameter(rl.Positive(), _BETA),
        },
        states={
            "mu2": rl.State(initial=initial_mu2),
            "pi2": rl.State(initial=1 / initial_sigma2),
            "mu3": rl.State(initial=initial_mu3),
            "pi3": rl.State(initial=1 / initial_sigma3),
        },
        trial={"choice": choice, "input": rl.Binary(description=_INPUT)},
        update=update,
        records=["prediction", "prediction_error", "volatility_prediction_error"],
        description="The tendency of binary inputs and its volatility, filtered; unit-square sigmoid choice.",
        reference="Mathys et al. (2011)",
    )
