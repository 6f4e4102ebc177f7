"""Models of conditioned responses: a continuous response to a stimulus, before its outcome."""

from __future__ import annotations

from typing import Literal

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["conditioned_response", "conditioned_response_pearce_hall"]

_STIMULUS = "the stimulus that was shown"
_OUTCOME = "what followed the stimulus, such as 1 for a shock and 0 for none"
_RESPONSE_PARAMETERS = {
    "b0": rl.Parameter(rl.RealLine(), "response where the predictor is 0"),
    "b1": rl.Parameter(rl.RealLine(), "change of the response with the predictor"),
    "sigma": rl.Parameter(rl.Positive(), "standard deviation of the response"),
}


def conditioned_response(n_stimuli: int = 2, initial: float = 0.0) -> Model:
    """Rescorla–Wagner learning of what follows each stimulus, and a normal response that goes by it.

    Parameters
    ----------
    n_stimuli : int, default 2
        Number of stimuli.
    initial : float, default 0.0
        The outcome that each stimulus predicts at the start of each block.

    Returns
    -------
    Model
        Columns that the data need: ``stimulus`` (one of the stimuli), ``response`` (a number: a skin conductance
        response, a rating …, measured before the outcome) and ``outcome`` (a number, such as 1 for a shock and 0
        for none). Parameters: ``alpha`` (learning rate), ``b0`` and ``b1`` (the response to a value of 0, and
        its change with the value) and ``sigma`` (standard deviation, in the response's unit). Record:
        ``prediction_error``.

    Notes
    -----
    The response is normal with the mean ``b0 + b1 · v[stimulus]`` and the standard deviation ``sigma``. Then the
    stimulus shown learns, ``v[stimulus] += alpha · (outcome − v[stimulus])``. A response that is missing, as that
    of a trial with an artefact, changes nothing in what is learnt.

    The default priors of ``b0``, ``b1`` and ``sigma`` suit responses of a standard deviation of about 1.

    References
    ----------
    Rescorla, R. A., & Wagner, A. R. (1972). A theory of Pavlovian conditioning: Variations in the
    effectiveness of reinforcement and nonreinforcement. In A. H. Black & W. F. Prokasy (Eds.), *Classical
    conditioning II* (pp. 64–99). Appleton-Century-Crofts.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     stimulus=[["A", "A", "B"]], response=[[0.2, 0.8, 0.0]], outcome=[[1, 1, 0]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.conditioned_response(), data)
    >>> params = {"alpha": 0.5, "b0": 0.1, "b1": 1.0, "sigma": 0.4}
    >>> compiled.log_likelihood(params)["response"].values.round(3)
    array([[-0.034, -0.128, -0.034]])
    """

    def response(v, stimulus, b0, b1, sigma):
        """How strong the response to the stimulus was, before the outcome."""
        return rl.Normal(mean=b0 + b1 * v[stimulus], sd=sigma)

    def update(v, stimulus, outcome, alpha):
        v, prediction_error = components.delta_rule(v, stimulus, outcome, alpha)
        return {"v": v, "prediction_error": prediction_error}

    return Model(
        "conditioned_response",
        parameters={"alpha": rl.Parameter(rl.UnitInterval(), "learning rate"), **_RESPONSE_PARAMETERS},
        states={"v": rl.State("stimulus", initial=initial)},
        trial={
            "stimulus": rl.Index("stimulus", description=_STIMULUS),
            "response": response,
            "outcome": rl.Real(description=_OUTCOME),
        },
        update=update,
        records=["prediction_error"],
        sizes={"stimulus": n_stimuli},
        description="Each stimulus's value learnt by a delta rule; a normal response that goes by it.",
        reference="Rescorla & Wagner (1972)",
    )


def conditioned_response_pearce_hall(
    n_stimuli: int = 2,
    initial: float = 0.0,
    initial_associability: float = 1.0,
    predictor: Literal["associability", "value"] = "associability",
) -> Model:
    """Learning at a rate that is learnt, too (the Pearce–Hall hybrid), and a normal response that goes by it.

    Parameters
    ----------
    n_stimuli : int, default 2
        Number of stimuli.
    initial : float, default 0.0
        The outcome that each stimulus predicts at the start of each block.
    initial_associability : float, default 1.0
        Each stimulus's associability at the start of each block.
    predictor : {"associability", "value"}, default "associability"
        What the response goes by: the stimulus's associability, as Li et al. found of skin conductance, or the
        outcome that it predicts.

    Returns
    -------
    Model
        Columns that the data need: ``stimulus`` (one of the stimuli), ``response`` (a number: a skin conductance
        response, a rating …, measured before the outcome) and ``outcome`` (a number, such as 1 for a shock and 0
        for none). Parameters: ``alpha`` (learning rate, which associability scales), ``alpha_associability``
        (the rate at which associability follows surprise), ``b0`` and ``b1`` (the response where the predictor is
        0, and its change with the predictor) and ``sigma`` (standard deviation, in the response's unit). Record:
        ``prediction_error``.

    Raises
    ------
    ModelError
        If ``predictor`` is neither word.

    Notes
    -----
    The response is normal with the mean ``b0 + b1 · associability[stimulus]``, or ``b0 + b1 · v[stimulus]``, and
    the standard deviation ``sigma``. Then, with ``δ = outcome − v[stimulus]``, the stimulus shown learns:

    - ``v[stimulus] += alpha · associability[stimulus] · δ``, with the associability from before this trial,
    - ``associability[stimulus] ← alpha_associability · |δ| + (1 − alpha_associability) · associability[stimulus]``.

    The paper writes κ for ``alpha``, η for ``alpha_associability``, and V and α for value and associability;
    `pearce_hall` is the same rule for choices. A response that is missing, as that of a trial with an artefact,
    changes nothing in what is learnt.

    The default priors of ``b0``, ``b1`` and ``sigma`` suit responses of a standard deviation of about 1.

    References
    ----------
    Li, J., Schiller, D., Schoenbaum, G., Phelps, E. A., & Daw, N. D. (2011). Differential roles of human
    striatum and amygdala in associative learning. *Nature Neuroscience, 14*, 1250–1252.

    Pearce, J. M., & Hall, G. (1980). A model for Pavlovian learning: Variations in the effectiveness of
    conditioned but not of unconditioned stimuli. *Psychological Review, 87*, 532–552.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     stimulus=[["A", "A", "B"]], response=[[0.9, 0.5, 1.3]], outcome=[[1, 1, 0]]
    ... )
    >>> compiled = rl.compile(rl.catalogue.conditioned_response_pearce_hall(), data)
    >>> params = {"alpha": 0.5, "alpha_associability": 0.4, "b0": 0.0, "b1": 1.0, "sigma": 0.4}
    >>> compiled.log_likelihood(params)["response"].values.round(3)
    array([[-0.034, -0.784, -0.284]])
    """
    if predictor not in ("associability", "value"):
        raise ModelError(
            f"conditioned_response_pearce_hall: predictor is {predictor!r}, expected 'associability' or 'value'."
        )

    def response(v, associability, stimulus, b0, b1, sigma):
        """How strong the response to the stimulus was, before the outcome."""
        by = associability if predictor == "associability" else v
        return rl.Normal(mean=b0 + b1 * by[stimulus], sd=sigma)

    def update(v, associability, stimulus, outcome, alpha, alpha_associability):
        rate = alpha * associability[stimulus]
        v, prediction_error = components.delta_rule(v, stimulus, outcome, rate)
        kept = (1 - alpha_associability) * associability[stimulus]
        return {
            "v": v,
            "associability": associability.at[stimulus].set(alpha_associability * rl.abs(prediction_error) + kept),
            "prediction_error": prediction_error,
        }

    return Model(
        "conditioned_response_pearce_hall",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate, which associability scales"),
            "alpha_associability": rl.Parameter(rl.UnitInterval(), "rate at which associability follows surprise"),
            **_RESPONSE_PARAMETERS,
        },
        states={
            "v": rl.State("stimulus", initial=initial),
            "associability": rl.State("stimulus", initial=initial_associability),
        },
        trial={
            "stimulus": rl.Index("stimulus", description=_STIMULUS),
            "response": response,
            "outcome": rl.Real(description=_OUTCOME),
        },
        update=update,
        records=["prediction_error"],
        sizes={"stimulus": n_stimuli},
        description=f"Values learnt at a rate that follows surprise; a normal response that goes by the {predictor}.",
        reference="Li et al. (2011)",
    )
