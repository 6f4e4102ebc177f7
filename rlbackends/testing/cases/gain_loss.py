"""Cases of the models that learn gains and losses apart."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase

_RATES = dict.fromkeys(["alpha_gain", "alpha_loss"], (0.05, 0.95))
_SENSITIVITIES = dict.fromkeys(["sensitivity_gain", "sensitivity_loss"], (0.5, 4.0))
_LAPSE = {"lapse": (0.02, 0.4)}


def _sized(sign, *probabilities):
    """Return a draw of 0 or a size of that sign, whose probability goes by the choice."""

    def draw(rng, now):
        there = rng.random() < probabilities[now["choice"]]
        return sign * round(rng.uniform(0.4, 1.2), 2) if there else 0.0

    return draw


_EVENTS = {"gain": _sized(1, 0.8, 0.6, 0.3, 0.4), "loss": _sized(-1, 0.2, 0.6, 0.3, 0.7)}
CASES = (
    ModelCase("gain_loss_bandit", catalogue.gain_loss_bandit, {**_RATES, **_SENSITIVITIES}, _EVENTS),
    ModelCase(
        "gain_loss_bandit_2",
        catalogue.gain_loss_bandit,
        {**_RATES, **_SENSITIVITIES},
        _EVENTS,
        {"n_actions": 2},
    ),
    ModelCase("gain_loss_lapse", catalogue.gain_loss_lapse, {**_RATES, **_SENSITIVITIES, **_LAPSE}, _EVENTS),
    ModelCase(
        "gain_loss_lapse_decay",
        catalogue.gain_loss_lapse_decay,
        {**_RATES, **_SENSITIVITIES, "forgetting": (0.05, 0.9), **_LAPSE},
        _EVENTS,
    ),
    ModelCase(
        "gain_loss_single_rate",
        catalogue.gain_loss_single_rate,
        {"alpha": (0.05, 0.95), **_SENSITIVITIES, **_LAPSE},
        _EVENTS,
    ),
    ModelCase("gain_loss_unit_sensitivity", catalogue.gain_loss_unit_sensitivity, {**_RATES, **_LAPSE}, _EVENTS),
)
