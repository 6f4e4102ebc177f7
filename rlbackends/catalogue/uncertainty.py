"""Models that track how uncertain they are of what they expect."""

from __future__ import annotations

import math

import rlbackends as rl
from rlbackends import components
from rlbackends.errors import ModelError
from rlbackends.model import Model

__all__ = ["kalman_filter"]


def kalman_filter(n_actions: int = 4, observation_sd: float = 4.0) -> Model:
    """A Kalman filter on payoffs that drift, as in the restless four-armed bandit; softmax choice.

    Parameters
    ----------
    n_actions : int, default 4
        Number of actions.
    observation_sd : float, default 4.0
        Standard deviation of a payoff around its action's mean (σ_o), in points.

    Returns
    -------
    Model
        Columns that the data need: ``choice`` (one of the actions) and ``reward`` (the payoff, in points from 0
        to 100). Parameters, of what the subject believes: ``retention`` (λ, the share of a mean's distance from
        the centre that is left after a trial), ``decay_center`` (θ, the centre), ``diffusion_sd`` (σ_d, how far
        means drift in a trial), ``initial_mean`` and ``initial_sd`` (of each mean, at the start of a block);
        and ``beta`` (inverse temperature, per point). Records: ``gain`` (the Kalman gain, which is the learning
        rate) and ``prediction_error``.

    Raises
    ------
    ModelError
        If ``observation_sd`` is not a number above 0.

    Notes
    -----
    ``mean`` and ``variance`` are the subject's belief about each action before a choice; they start at
    ``initial_mean`` and ``initial_sd²``. A payoff teaches about the action that was chosen, with
    ``gain = variance[choice] / (variance[choice] + observation_sd²)``:

    - ``mean[choice] += gain · (reward − mean[choice])``,
    - ``variance[choice] ← (1 − gain) · variance[choice]``.

    Then the means of all actions drift to the next trial:

    - ``mean ← retention · mean + (1 − retention) · decay_center``,
    - ``variance ← retention² · variance + diffusion_sd²``.

    Choices follow ``softmax(beta · mean)``. If a trial's choice is missing, mean and variance stay as they
    are; if only its payoff is missing, the mean stays, and the variance changes as it would have.

    Daw et al. write λ̂, θ̂, σ̂_d, μ̂_0 and σ̂_0 for the parameters, and keep σ_o at the task's 4 points. The
    bounds are those of hBayesDM's ``bandit4arm2_kalman_filter``, which fits this rule: 0 to 1 for
    ``retention`` and ``beta``, 0 to 100 for ``decay_center`` and ``initial_mean``, 0 to 15 for ``initial_sd`` and
    ``diffusion_sd``. They suit payoffs from 0 to 100; bring others to that scale.

    References
    ----------
    Daw, N. D., O'Doherty, J. P., Dayan, P., Seymour, B., & Dolan, R. J. (2006). Cortical substrates for
    exploratory decisions in humans. *Nature, 441*, 876–879.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 0, 3]], reward=[[68.0, 50.0, 51.0]])
    >>> compiled = rl.compile(rl.catalogue.kalman_filter(), data)
    >>> params = {"retention": 0.9, "decay_center": 50.0, "diffusion_sd": 3.0, "beta": 0.1}
    >>> params |= {"initial_mean": 60.0, "initial_sd": 4.0}
    >>> compiled.log_likelihood(params)["choice"].values.round(3)
    array([[-1.386, -1.129, -1.333]])
    """
    if not _is_sd(observation_sd):
        raise ModelError(f"kalman_filter: observation_sd is {observation_sd!r}, expected a number above 0.")

    def choice(mean, beta):
        """The action that was chosen."""
        return rl.Categorical(logits=beta * mean)

    def update(mean, variance, choice, reward, retention, decay_center, diffusion_sd):
        gain = variance[choice] / (variance[choice] + observation_sd**2)
        taught, prediction_error = components.delta_rule(mean, choice, reward, gain)
        surer = variance.at[choice].set((1.0 - gain) * variance[choice])
        return {
            "mean": retention * taught + (1.0 - retention) * decay_center,
            "variance": retention**2 * surer + diffusion_sd**2,
            "gain": gain,
            "prediction_error": prediction_error,
        }

    return Model(
        "kalman_filter",
        parameters={
            "retention": rl.Parameter(rl.UnitInterval(), "share of the distance to the centre that is left"),
            "decay_center": rl.Parameter(rl.Interval(0.0, 100.0), "where means decay to"),
            "diffusion_sd": rl.Parameter(rl.Interval(0.0, 15.0), "standard deviation of means' drift in a trial"),
            "beta": rl.Parameter(rl.UnitInterval(), "inverse temperature"),
            "initial_mean": rl.Parameter(rl.Interval(0.0, 100.0), "mean payoff expected at the start"),
            "initial_sd": rl.Parameter(rl.Interval(0.0, 15.0), "standard deviation of that expectation"),
        },
        states={
            "mean": rl.State("action", initial="initial_mean"),
            "variance": rl.State("action", initial=lambda initial_sd: initial_sd**2),
        },
        trial={"choice": choice, "reward": rl.Real(description="payoff, in points from 0 to 100")},
        update=update,
        records=["gain", "prediction_error"],
        sizes={"action": n_actions},
        description="Means of drifting payoffs tracked by a Kalman filter; softmax choice.",
        reference="Daw et al. (2006)",
    )


def _is_sd(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
