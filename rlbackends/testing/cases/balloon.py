"""Cases of the balloon task's models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase


def _events(n_pumps):
    """Return draws for balloons of at most so many pumps.

    The response is drawn, too, where no model gives it: it must fit the opportunities, which are the pump that bursts
    the balloon, or the one that is refused, or the last that there may be.
    """

    def opportunities(rng, now):
        return rng.randint(1, n_pumps)

    def pump(rng, now):
        made = now["opportunities"] - (rng.random() < 0.6)
        return [1 if position < made else 0 for position in range(n_pumps)]

    def pumps(rng, now):
        there = now["pump"][: int(now["opportunities"])]
        return there.index(0) if 0 in there else len(there)

    def explosion(rng, now):
        return int(now["pumps"] == now["opportunities"] < n_pumps)

    return {"opportunities": opportunities, "pump": pump, "pumps": pumps, "explosion": explosion}


_FOUR = {"phi": (0.4, 0.75), "eta": (0.3, 1.0), "gamma": (0.3, 1.5), "beta": (0.2, 0.8)}
_FIVE = {
    "phi": (0.05, 0.5),
    "eta": (0.3, 0.9),
    "rho": (-0.1, 0.05),
    "loss_aversion": (0.3, 1.5),
    "beta": (0.3, 1.5),
}
_SURE = {
    "phi=1": "no pump is believed to burst the first balloon: that it is left has the probability 0",
}

CASES = (
    ModelCase("balloon_four_parameters", catalogue.balloon_four_parameters, _FOUR, _events(12), not_finite=_SURE),
    ModelCase(
        "balloon_four_parameters_5",
        catalogue.balloon_four_parameters,
        _FOUR,
        _events(5),
        {"n_pumps": 5},
        not_finite=_SURE,
    ),
    ModelCase("balloon_mean_variance", catalogue.balloon_mean_variance, _FIVE, _events(12)),
    ModelCase(
        "balloon_mean_variance_5",
        catalogue.balloon_mean_variance,
        _FIVE,
        _events(5),
        {"n_pumps": 5, "gain": 0.5},
    ),
)
