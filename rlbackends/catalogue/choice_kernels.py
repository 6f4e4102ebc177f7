"""Models in which choices leave a trace of their own, whatever they brought."""

from __future__ import annotations

import rlbackends as rl
from rlbackends import components
from rlbackends.catalogue._lapse import lapse_parameter
from rlbackends.model import Model

__all__ = ["choice_kernel", "perseveration"]


def choice_kernel(n_actions: int = 2) -> Model:
    """A choice kernel alone: a tendency to repeat, or to alternate, recent choices, whatever they brought.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.

    Returns
    -------
    Model
        Column that the data need: ``choice`` (one of the actions). Parameters: ``alpha_kernel`` (the kernel's
        rate) and ``kappa`` (its weight: above 0 repeats, below 0 alternates).

    Notes
    -----
    ``choice_kernel += alpha_kernel · (onehot(choice) − choice_kernel)``, from 0 at the start of each block: the
    kernel of the action taken moves toward 1, the others toward 0. Choices follow
    ``softmax(kappa · choice_kernel)``. The paper writes α_c for ``alpha_kernel``, and β_c for ``kappa``, an
    inverse temperature there; here it may be below 0, as in `perseveration`.

    References
    ----------
    Wilson, R. C., & Collins, A. G. E. (2019). Ten simple rules for the computational modeling of behavioral
    data. *eLife, 8*, e49547.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]])
    >>> compiled = rl.compile(rl.catalogue.choice_kernel(), data)
    >>> compiled.log_likelihood({"alpha_kernel": 0.5, "kappa": 2.0})["choice"].values.round(3)
    array([[-0.693, -0.313, -1.701]])
    """

    def choice(choice_kernel, kappa):
        """The action that was chosen."""
        return rl.Categorical(logits=kappa * choice_kernel)

    def update(choice_kernel, choice, alpha_kernel):
        return {"choice_kernel": components.choice_kernel(choice_kernel, choice, alpha_kernel)}

    return Model(
        "choice_kernel",
        parameters={
            "alpha_kernel": rl.Parameter(rl.UnitInterval(), "rate of the choice kernel"),
            "kappa": rl.Parameter(rl.RealLine(), "weight of the choice kernel"),
        },
        states={"choice_kernel": rl.State("action")},
        trial={"choice": choice},
        update=update,
        sizes={"action": n_actions},
        description="A trace of recent choices; softmax choice.",
        reference="Wilson & Collins (2019)",
    )


def perseveration(n_actions: int = 2, initial: float = 0.0, lapse: bool = False) -> Model:
    """Rescorla–Wagner learning with a choice kernel: a tendency to repeat, or to alternate, recent choices.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block; the choice kernel starts at 0.
    lapse : bool, default False
        Whether a share of choices is guessed; it is one more parameter, ``lapse``.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameters:
        ``alpha`` (learning rate), ``beta`` (inverse temperature), ``alpha_kernel`` (the kernel's rate) and
        ``kappa`` (its weight: above 0 repeats, below 0 alternates). Record: ``prediction_error``.

    Raises
    ------
    ModelError
        If ``lapse`` is neither True nor False.

    Notes
    -----
    ``q[choice] += alpha · (reward − q[choice])`` and ``choice_kernel += alpha_kernel · (onehot(choice) −
    choice_kernel)``: the kernel of the action taken moves toward 1, the others toward 0. Choices follow
    ``p = softmax(beta · q + kappa · choice_kernel)``, or, with lapses, ``(1 − lapse) · p + lapse / K`` of K
    actions. The paper writes α_c for ``alpha_kernel`` and β_c for ``kappa``. With ``alpha_kernel = 1`` only the
    last choice counts. The kernel needs no reward: it learns on a trial whose reward is missing, too.

    References
    ----------
    Wilson, R. C., & Collins, A. G. E. (2019). Ten simple rules for the computational modeling of behavioral
    data. *eLife, 8*, e49547.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 1]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.perseveration(), data)
    >>> params = {"alpha": 0.5, "beta": 2.0, "alpha_kernel": 0.5, "kappa": 1.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.201, -1.502]])
    """

    def choice(q, choice_kernel, beta, kappa):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q + kappa * choice_kernel)

    def update(q, choice_kernel, choice, reward, alpha, alpha_kernel):
        q, prediction_error = components.delta_rule(q, choice, reward, alpha)
        kernel = components.choice_kernel(choice_kernel, choice, alpha_kernel)
        return {"q": q, "choice_kernel": kernel, "prediction_error": prediction_error}

    return Model(
        "perseveration",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
            "alpha_kernel": rl.Parameter(rl.UnitInterval(), "rate of the choice kernel"),
            "kappa": rl.Parameter(rl.RealLine(), "weight of the choice kernel"),
            **lapse_parameter("perseveration", lapse),
        },
        states={"q": rl.State("action", initial=initial), "choice_kernel": rl.State("action")},
        trial={
            "choice": components.with_lapse(choice) if lapse else choice,
            "reward": rl.Real(description="what the choice brought, in any unit"),
        },
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt by a delta rule, and a choice kernel; softmax choice.",
        reference="Wilson & Collins (2019)",
    )
