"""The go/no-go task's models: what a cue promises, and what going and not going brought at it."""

from __future__ import annotations

import rlbackends as rl
from rlbackends import components
from rlbackends.model import Model

__all__ = ["go_no_go", "go_no_go_bias", "go_no_go_pavlovian", "go_no_go_pavlovian_two_sensitivities"]

_PARAMETERS = {
    "lapse": rl.Parameter(rl.UnitInterval(), "share of responses that are guessed"),
    "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
    "sensitivity": rl.Parameter(rl.Positive(), "how large an outcome of 1 is to the subject"),
    "go_bias": rl.Parameter(rl.RealLine(), "bias toward going"),
    "pavlovian_bias": rl.Parameter(rl.RealLine(), "how much a cue's value drives going"),
}
_CUE = rl.Index("cue", description="the cue that was shown")
_OUTCOME = rl.Real(description="what came of it, above 0 a reward and below 0 a punishment")


def go_no_go(n_cues: int = 4) -> Model:
    """Learning at each cue what going and not going bring, with lapses.

    Parameters
    ----------
    n_cues : int, default 4
        Number of cues.

    Returns
    -------
    Model
        Columns that the data need: ``cue`` (one of the cues), ``go`` (1 if the subject responded, 0 if not) and
        ``outcome`` (a number; in the task 1, 0 or −1). Parameters: ``lapse`` (ξ, the share of responses that are
        guessed), ``alpha`` (ε, the learning rate) and ``sensitivity`` (ρ, how large an outcome of 1 is to the
        subject). Record: ``prediction_error``.

    Notes
    -----
    Each cue has a value of not going, ``q[cue, 0]``, and one of going, ``q[cue, 1]``; all start at 0. The subject
    goes with probability ``(1 − lapse) · logistic(q[cue, 1] − q[cue, 0]) + lapse / 2``. Then the value of what the
    subject did moves toward the outcome's size, ``q[cue, go] += alpha · (sensitivity · outcome − q[cue, go])``.

    There is no inverse temperature: values are in units of ``sensitivity``, which takes its place.

    hBayesDM calls this model gng_m1.

    References
    ----------
    Guitart-Masip, M., Huys, Q. J. M., Fuentemilla, L., Dayan, P., Duzel, E., & Dolan, R. J. (2012). Go and no-go
    learning in reward and punishment: Interactions between affect and effect. *NeuroImage, 62*, 154–166.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     cue=[[0, 0, 0]], go=[[1, 1, 0]], outcome=[[1, -1, 0]], levels={"cue": range(4)}
    ... )
    >>> compiled = rl.compile(rl.catalogue.go_no_go(), data)
    >>> params = {"lapse": 0.1, "alpha": 0.5, "sensitivity": 4.0}
    >>> compiled.log_likelihood(params)["go"].values.round(3)
    array([[-0.693, -0.171, -0.345]])
    """

    def go(q, cue):
        """Whether the subject responded: 1 for go, 0 for no-go."""
        return rl.Bernoulli(logits=q[cue, 1] - q[cue, 0])

    def update(q, cue, go, outcome, alpha, sensitivity):
        q, prediction_error = components.delta_rule(q, (cue, go), sensitivity * outcome, alpha)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "go_no_go",
        parameters={name: _PARAMETERS[name] for name in ("lapse", "alpha", "sensitivity")},
        states={"q": rl.State("cue", "action")},
        trial={"cue": _CUE, "go": components.with_lapse(go), "outcome": _OUTCOME},
        update=update,
        records=["prediction_error"],
        sizes={"cue": n_cues, "action": 2},
        description="Values of going and not going at each cue, learnt by a delta rule; logistic choice with lapses.",
        reference="Guitart-Masip et al. (2012)",
    )


def go_no_go_bias(n_cues: int = 4) -> Model:
    """Learning at each cue what going and not going bring, with a bias toward going, and lapses.

    Parameters
    ----------
    n_cues : int, default 4
        Number of cues.

    Returns
    -------
    Model
        Columns that the data need: ``cue`` (one of the cues), ``go`` (1 if the subject responded, 0 if not) and
        ``outcome`` (a number; in the task 1, 0 or −1). Parameters: ``lapse`` (ξ, the share of responses that are
        guessed), ``alpha`` (ε, the learning rate), ``sensitivity`` (ρ, how large an outcome of 1 is to the subject)
        and ``go_bias`` (b, below 0 for a bias against going). Record: ``prediction_error``.

    Notes
    -----
    Each cue has a value of not going, ``q[cue, 0]``, and one of going, ``q[cue, 1]``; all start at 0. Going weighs
    ``q[cue, 1] + go_bias`` and not going ``q[cue, 0]``; the subject goes with probability
    ``(1 − lapse) · logistic(w_go − w_no_go) + lapse / 2``. Then the value of what the subject did moves toward the
    outcome's size, ``q[cue, go] += alpha · (sensitivity · outcome − q[cue, go])``. The bias is in no value, so
    that it does not fade with learning.

    hBayesDM calls this model gng_m2. Its prior of the bias is wider than the default here, ``Normal(0, 10)`` for the
    location.

    References
    ----------
    Guitart-Masip, M., Huys, Q. J. M., Fuentemilla, L., Dayan, P., Duzel, E., & Dolan, R. J. (2012). Go and no-go
    learning in reward and punishment: Interactions between affect and effect. *NeuroImage, 62*, 154–166.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     cue=[[0, 0, 0]], go=[[1, 1, 0]], outcome=[[1, -1, 0]], levels={"cue": range(4)}
    ... )
    >>> compiled = rl.compile(rl.catalogue.go_no_go_bias(), data)
    >>> params = {"lapse": 0.1, "alpha": 0.5, "sensitivity": 4.0, "go_bias": 1.0}
    >>> compiled.log_likelihood(params)["go"].values.round(3)
    array([[-0.345, -0.097, -0.693]])
    """

    def go(q, cue, go_bias):
        """Whether the subject responded: 1 for go, 0 for no-go."""
        return rl.Bernoulli(logits=q[cue, 1] + go_bias - q[cue, 0])

    def update(q, cue, go, outcome, alpha, sensitivity):
        q, prediction_error = components.delta_rule(q, (cue, go), sensitivity * outcome, alpha)
        return {"q": q, "prediction_error": prediction_error}

    return Model(
        "go_no_go_bias",
        parameters={name: _PARAMETERS[name] for name in ("lapse", "alpha", "sensitivity", "go_bias")},
        states={"q": rl.State("cue", "action")},
        trial={"cue": _CUE, "go": components.with_lapse(go), "outcome": _OUTCOME},
        update=update,
        records=["prediction_error"],
        sizes={"cue": n_cues, "action": 2},
        description="Values of going and not going, and a bias toward going; logistic choice with lapses.",
        reference="Guitart-Masip et al. (2012)",
    )


def go_no_go_pavlovian(n_cues: int = 4) -> Model:
    """Learning at each cue what going and not going bring, while the cue's own value invites or inhibits going.

    Parameters
    ----------
    n_cues : int, default 4
        Number of cues.

    Returns
    -------
    Model
        Columns that the data need: ``cue`` (one of the cues), ``go`` (1 if the subject responded, 0 if not) and
        ``outcome`` (a number; in the task 1, 0 or −1). Parameters: ``lapse`` (ξ, the share of responses that are
        guessed), ``alpha`` (ε, the learning rate), ``sensitivity`` (ρ, how large an outcome of 1 is to the
        subject), ``go_bias`` (b, below 0 for a bias against going) and ``pavlovian_bias`` (π, how much the cue's
        value drives going). Records: ``prediction_error`` (of what the subject did) and ``cue_prediction_error``
        (of the cue).

    Notes
    -----
    Each cue has a value of not going, ``q[cue, 0]``, one of going, ``q[cue, 1]``, and a value whatever one does,
    ``v[cue]``; all start at 0. Going weighs ``q[cue, 1] + go_bias + pavlovian_bias · v[cue]`` and not going
    ``q[cue, 0]``; the subject goes with probability ``(1 − lapse) · logistic(w_go − w_no_go) + lapse / 2``. Then

    - ``q[cue, go] += alpha · (sensitivity · outcome − q[cue, go])``,
    - ``v[cue] += alpha · (sensitivity · outcome − v[cue])``.

    With ``pavlovian_bias`` above 0 a cue that promises reward invites going and one that threatens punishment
    inhibits it. The cue's value needs no response: it learns on a trial whose response is missing, too.

    hBayesDM calls this model gng_m3. Its priors of both biases are wider than the default here, ``Normal(0, 10)`` for
    the locations.

    References
    ----------
    Guitart-Masip, M., Huys, Q. J. M., Fuentemilla, L., Dayan, P., Duzel, E., & Dolan, R. J. (2012). Go and no-go
    learning in reward and punishment: Interactions between affect and effect. *NeuroImage, 62*, 154–166.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     cue=[[0, 0, 0]], go=[[1, 1, 0]], outcome=[[1, -1, 0]], levels={"cue": range(4)}
    ... )
    >>> compiled = rl.compile(rl.catalogue.go_no_go_pavlovian(), data)
    >>> params = {"lapse": 0.1, "alpha": 0.5, "sensitivity": 4.0, "go_bias": 1.0, "pavlovian_bias": 0.5}
    >>> compiled.log_likelihood(params)["go"].values.round(3)
    array([[-0.345, -0.068, -0.494]])
    """

    def go(q, v, cue, go_bias, pavlovian_bias):
        """Whether the subject responded: 1 for go, 0 for no-go."""
        return rl.Bernoulli(logits=q[cue, 1] + go_bias + pavlovian_bias * v[cue] - q[cue, 0])

    def update(q, v, cue, go, outcome, alpha, sensitivity):
        q, prediction_error = components.delta_rule(q, (cue, go), sensitivity * outcome, alpha)
        v, cue_prediction_error = components.delta_rule(v, cue, sensitivity * outcome, alpha)
        return {"q": q, "v": v, "prediction_error": prediction_error, "cue_prediction_error": cue_prediction_error}

    return Model(
        "go_no_go_pavlovian",
        parameters=_PARAMETERS,
        states={"q": rl.State("cue", "action"), "v": rl.State("cue")},
        trial={"cue": _CUE, "go": components.with_lapse(go), "outcome": _OUTCOME},
        update=update,
        records=["prediction_error", "cue_prediction_error"],
        sizes={"cue": n_cues, "action": 2},
        description="Values of going and not going, and a cue's value that drives going; logistic choice with lapses.",
        reference="Guitart-Masip et al. (2012)",
    )


def go_no_go_pavlovian_two_sensitivities(n_cues: int = 4) -> Model:
    """The Pavlovian go/no-go model with one sensitivity to rewards and another to punishments.

    Parameters
    ----------
    n_cues : int, default 4
        Number of cues.

    Returns
    -------
    Model
        Columns that the data need: ``cue`` (one of the cues), ``go`` (1 if the subject responded, 0 if not) and
        ``outcome`` (a number; in the task 1, 0 or −1). Parameters: ``lapse`` (ξ, the share of responses that are
        guessed), ``alpha`` (ε, the learning rate), ``sensitivity_reward`` and ``sensitivity_punishment`` (ρ of each,
        how large an outcome of 1, and of −1, is to the subject), ``go_bias`` (b, below 0 for a bias against going)
        and ``pavlovian_bias`` (π, how much the cue's value drives going). Records: ``effective_outcome``
        (the outcome as large as it is to the subject), ``prediction_error`` (of what the subject did) and
        ``cue_prediction_error`` (of the cue).

    Notes
    -----
    The outcome's size goes by its sign, ``size = sensitivity_reward · outcome`` if ``outcome ≥ 0``, else
    ``size = sensitivity_punishment · outcome``; an outcome of 0 has the size 0 either way. Each cue has a value of
    not going, ``q[cue, 0]``, one of going, ``q[cue, 1]``, and a value whatever one does, ``v[cue]``; all start at
    0. Going weighs ``q[cue, 1] + go_bias + pavlovian_bias · v[cue]`` and not going ``q[cue, 0]``; the subject goes
    with probability ``(1 − lapse) · logistic(w_go − w_no_go) + lapse / 2``. Then

    - ``q[cue, go] += alpha · (size − q[cue, go])``,
    - ``v[cue] += alpha · (size − v[cue])``.

    The cue's value needs no response: it learns on a trial whose response is missing, too.

    hBayesDM calls this model gng_m4. Its priors of both biases are wider than the default here, ``Normal(0, 10)`` for
    the locations.

    References
    ----------
    Cavanagh, J. F., Eisenberg, I., Guitart-Masip, M., Huys, Q., & Frank, M. J. (2013). Frontal theta overrides
    Pavlovian learning biases. *Journal of Neuroscience, 33*, 8541–8548.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(
    ...     cue=[[0, 0, 0]], go=[[1, 1, 0]], outcome=[[1, -1, 0]], levels={"cue": range(4)}
    ... )
    >>> compiled = rl.compile(rl.catalogue.go_no_go_pavlovian_two_sensitivities(), data)
    >>> params = {"lapse": 0.1, "alpha": 0.5, "go_bias": 1.0, "pavlovian_bias": 0.5}
    >>> params.update(sensitivity_reward=4.0, sensitivity_punishment=2.0)
    >>> compiled.log_likelihood(params)["go"].values.round(3)
    array([[-0.345, -0.068, -1.231]])
    """

    def go(q, v, cue, go_bias, pavlovian_bias):
        """Whether the subject responded: 1 for go, 0 for no-go."""
        return rl.Bernoulli(logits=q[cue, 1] + go_bias + pavlovian_bias * v[cue] - q[cue, 0])

    def update(q, v, cue, go, outcome, alpha, sensitivity_reward, sensitivity_punishment):
        size = rl.where(outcome >= 0, sensitivity_reward, sensitivity_punishment) * outcome
        q, prediction_error = components.delta_rule(q, (cue, go), size, alpha)
        v, cue_prediction_error = components.delta_rule(v, cue, size, alpha)
        return {
            "q": q,
            "v": v,
            "effective_outcome": size,
            "prediction_error": prediction_error,
            "cue_prediction_error": cue_prediction_error,
        }

    return Model(
        "go_no_go_pavlovian_two_sensitivities",
        parameters={
            "lapse": _PARAMETERS["lapse"],
            "alpha": _PARAMETERS["alpha"],
            "sensitivity_reward": rl.Parameter(rl.Positive(), "how large an outcome of 1 is to the subject"),
            "sensitivity_punishment": rl.Parameter(rl.Positive(), "how large an outcome of -1 is to the subject"),
            "go_bias": _PARAMETERS["go_bias"],
            "pavlovian_bias": _PARAMETERS["pavlovian_bias"],
        },
        states={"q": rl.State("cue", "action"), "v": rl.State("cue")},
        trial={"cue": _CUE, "go": components.with_lapse(go), "outcome": _OUTCOME},
        update=update,
        records=["effective_outcome", "prediction_error", "cue_prediction_error"],
        sizes={"cue": n_cues, "action": 2},
        description="The Pavlovian go/no-go model with sensitivities to rewards and to punishments.",
        reference="Cavanagh et al. (2013)",
    )
