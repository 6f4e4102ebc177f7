"""Cases of the gambling task's models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase

# Of the classic decks A to D, in hundreds: the gain, how often there is a loss, and what it may be.
_DECKS = (
    (1.0, 0.5, (1.5, 2.0, 2.5, 3.0, 3.5)),
    (1.0, 0.1, (12.5,)),
    (0.5, 0.5, (0.25, 0.5, 0.75)),
    (0.5, 0.1, (2.5,)),
)


def _outcome(rng, now):
    """Return the net outcome of a draw from the chosen deck."""
    gain, often, losses = _DECKS[now["choice"]]
    return gain - (rng.choice(losses) if rng.random() < often else 0.0)


_RATE = (0.05, 0.95)
_UTILITY = {"sensitivity": (0.2, 0.9), "loss_aversion": (0.3, 2.0), "consistency": (0.1, 1.0)}
_VPP = {"alpha": _RATE, **_UTILITY, "retention": _RATE, "stay_pos": (-1.0, 2.0), "stay_neg": (-2.0, 1.0), "w": _RATE}
_WEIGHTS = {"frequency_weight": (-1.0, 3.0), "perseverance_weight": (-2.0, 3.0)}
_ORL = {"alpha_pos": _RATE, "alpha_neg": _RATE, "decay": (0.1, 2.0), **_WEIGHTS}
_EVENTS = {"outcome": _outcome}

CASES = (
    ModelCase("pvl_delta", catalogue.pvl_delta, {"alpha": _RATE, **_UTILITY}, _EVENTS),
    ModelCase("pvl_decay", catalogue.pvl_decay, {"retention": (0.05, 0.9), **_UTILITY}, _EVENTS),
    ModelCase("vpp", catalogue.vpp, _VPP, _EVENTS),
    ModelCase("orl", catalogue.orl, _ORL, _EVENTS),
    ModelCase("orl_3", catalogue.orl, _ORL, _EVENTS, {"n_actions": 3}),
)
