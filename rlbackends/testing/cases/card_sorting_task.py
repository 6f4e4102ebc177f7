"""Cases of the Wisconsin card sorting task's models."""

from rlbackends import catalogue
from rlbackends.testing.cases.case import ModelCase


def _match(rng, now):
    """Return the deck that a card matches on each dimension."""
    return [rng.randrange(4) for _ in range(3)]


def _matching(rng, now):
    """Return a deck that the card matches, as every choice of the model without a floor does."""
    return rng.choice(now["match"])


def _outcome(rng, now):
    """Return whether the card was sorted by the rule, which changes every ten trials."""
    return int(now["match"][now["trial"] // 10 % 3] == now["choice"])


_RATE = (0.05, 0.9)
_PARAMS = {"alpha_pos": _RATE, "alpha_neg": _RATE, "consistency": (0.3, 3.0)}
_EVENTS = {"match": _match, "outcome": _outcome}
_NO_ATTENTION = {
    f"{rate}=1": "a dimension that has lost all attention is sorted by with probability 0"
    for rate in ("alpha_pos", "alpha_neg")
}

CASES = (
    ModelCase(
        "card_sorting",
        catalogue.card_sorting,
        _PARAMS,
        {**_EVENTS, "choice": _matching},
        not_finite=_NO_ATTENTION,
    ),
    ModelCase(
        "card_sorting_focus",
        catalogue.card_sorting,
        {**_PARAMS, "focus": (0.2, 2.0)},
        {**_EVENTS, "choice": _matching},
        {"focus": None},
        not_finite=_NO_ATTENTION,
    ),
    ModelCase("card_sorting_floor", catalogue.card_sorting, _PARAMS, _EVENTS, {"floor": 0.0001}),
)
