"""Cases of the actor–critic models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase, payoff

_CRITIC = {"alpha_critic": (0.05, 0.95)}
_ACTOR_CRITIC = {**_CRITIC, "alpha_actor": (0.3, 3.0)}
_BETAS = dict.fromkeys(["beta_go", "beta_no_go"], (0.3, 2.0))
_OPAL = {**_CRITIC, **dict.fromkeys(["alpha_go", "alpha_no_go"], (0.05, 0.95)), **_BETAS}
_BANDIT = {"reward": payoff(0.0, 1.0)}


def _share(*means):
    """Return a draw of a share, of two decimals, whose mean goes by the choice."""
    return lambda rng, now: round(min(max(rng.gauss(means[int(now["choice"])], 0.3), 0.0), 1.0), 2)


def _by_stimulus(rng, now):
    """Return a share whose mean is high if choice and stimulus go together."""
    mean = 0.8 if now["choice"] == now["stimulus"] % 2 else 0.3
    return round(min(max(rng.gauss(mean, 0.3), 0.0), 1.0), 2)


def _share_or_extreme(rng, now):
    """Return a share that goes by the choice, and now and then a win or a loss that cuts a weight off at 0."""
    if rng.random() < 0.12:
        return rng.choice((-4.0, 5.0))
    return round(rng.uniform(0.2, 0.5) + 0.3 * now["choice"], 2)


CASES = (
    ModelCase("actor_critic", catalogue.actor_critic, _ACTOR_CRITIC, _BANDIT),
    ModelCase(
        "actor_critic_stimuli",
        catalogue.actor_critic,
        _ACTOR_CRITIC,
        {"reward": _by_stimulus},
        {"n_actions": 3, "n_stimuli": 3, "initial": 0.5},
    ),
    ModelCase("opal", catalogue.opal, _OPAL, {"reward": _share(0.3, 0.7)}),
    ModelCase("opal_stimuli", catalogue.opal, _OPAL, {"reward": _by_stimulus}, {"n_stimuli": 3, "initial": 0.5}),
    ModelCase(
        "opal_action_critic",
        catalogue.opal,
        _OPAL,
        {"reward": _share(0.3, 0.5, 0.8)},
        {"n_actions": 3, "critic": "action"},
    ),
    ModelCase(
        "opal_rectified",
        catalogue.opal,
        # Prediction errors are either small or large, so that no weight ends near the kink at 0.
        {"alpha_critic": (0.02, 0.08), **dict.fromkeys(["alpha_go", "alpha_no_go"], (0.4, 0.9)), **_BETAS},
        {"reward": _share_or_extreme},
        {"rectified": True, "initial": 0.5},
    ),
)
