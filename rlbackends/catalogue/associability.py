"""Models whose learning rate is itself learnt, from how surprising outcomes were."""

from __future__ import annotations

import math

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["pearce_hall"]


def pearce_hall(n_actions: int = 2, initial: float = 0.0, initial_associability: float | None = 1.0) -> Model:
    """The hybrid of Rescorla–Wagner and Pearce–Hall: surprising outcomes raise the learning rate; softmax choice.

    Parameters
    ----------
    n_actions : int, default 2
        Number of actions.
    initial : float, default 0.0
        Action values at the start of each block.
    initial_associability : float or None, default 1.0
        Associability of every action at the start of each block; None: a parameter from 0 to 1.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (a number). Parameters:
        ``alpha`` (learning rate, which associability scales), ``alpha_associability`` (the rate at which
        associability follows surprise) and ``beta`` (inverse temperature), and ``initial_associability`` if the
        setting is None. Record: ``prediction_error``.

    Raises
    ------
    ModelError
        If ``initial_associability`` is neither a number of 0 or more nor None.

    Notes
    -----
    With ``δ = reward − q[choice]``, the chosen action's value and associability both move, from their values
    before the trial:

    - ``q[choice] += alpha · associability[choice] · δ``,
    - ``associability[choice] ← alpha_associability · |δ| + (1 − alpha_associability) · associability[choice]``.

    So a trial's own surprise changes the rate of the next trial, not its own. Choices follow
    ``softmax(beta · q)``. With ``alpha_associability = 0`` the rate stays as it was at the start.

    Li et al. write κ for ``alpha``, η for ``alpha_associability``, α for associability and V for q, of cues
    whose outcomes are 0 or 1. Zhang and Gläscher have the rule for choices; they keep one associability for all
    actions, and fit where it starts. The bounds here are theirs. With outcomes far from the range of 0 to 1,
    associability, which is measured in their unit, may carry a value beyond the outcome.

    References
    ----------
    Li, J., Schiller, D., Schoenbaum, G., Phelps, E. A., & Daw, N. D. (2011). Differential roles of human
    striatum and amygdala in associative learning. *Nature Neuroscience, 14*, 1250–1252.

    Zhang, L., & Gläscher, J. (2020). A brain network supporting social influences in human decision-making.
    *Science Advances, 6*, eabb4159.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 0]], reward=[[1.0, 0.0, 1.0]])
    >>> compiled = rl.compile(rl.catalogue.pearce_hall(), data)
    >>> params = {"alpha": 0.5, "alpha_associability": 0.5, "beta": 2.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-0.693, -0.313, -0.474]])
    """
    fitted = initial_associability is None
    if not fitted and not _is_associability(initial_associability):
        raise ModelError(
            f"pearce_hall: initial_associability is {initial_associability!r}, expected a number of 0 or more, or "
            "None for a parameter."
        )

    def choice(q, beta):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * q)

    def update(q, associability, choice, reward, alpha, alpha_associability):
        q, prediction_error = components.delta_rule(q, choice, reward, alpha * associability[choice])
        kept = (1.0 - alpha_associability) * associability[choice]
        return {
            "q": q,
            "associability": associability.at[choice].set(alpha_associability * rl.abs(prediction_error) + kept),
            "prediction_error": prediction_error,
        }

    start = {"initial_associability": rl.Parameter(rl.UnitInterval(), "associability at the start")} if fitted else {}
    return Model(
        "pearce_hall",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval(), "learning rate, which associability scales"),
            "alpha_associability": rl.Parameter(rl.UnitInterval(), "rate at which associability follows surprise"),
            "beta": rl.Parameter(rl.Positive(), "inverse temperature"),
            **start,
        },
        states={
            "q": rl.State("action", initial=initial),
            "associability": rl.State("action", initial="initial_associability" if fitted else initial_associability),
        },
        trial={"choice": choice, "reward": rl.Real(description="what the choice brought, in any unit")},
        update=update,
        records=["prediction_error"],
        sizes={"action": n_actions},
        description="Action values learnt at a rate that follows surprise; softmax choice.",
        reference="Li et al. (2011)",
    )


def _is_associability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf
