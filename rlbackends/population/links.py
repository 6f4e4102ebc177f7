"""Links: from the line on which a group is normal to a parameter's support, written in the language."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rlbackends.errors import ModelError, did_you_mean, listed
from rlbackends.expressions import functions as f
from rlbackends.expressions.standin import Expression
from rlbackends.model.supports import Support


def _scaled(curve: Callable[[Any], Expression]) -> Callable[[Expression, Support], Expression]:
    def inverse(x: Expression, support: Support) -> Expression:
        unit = curve(x)
        if (support.lo, support.hi) == (0.0, 1.0):
            return unit
        return support.lo + (support.hi - support.lo) * unit

    return inverse


# Each is the inverse link; the name is that of the link, as the field says it.
LINKS: dict[str, tuple[str, Callable[[Expression, Support], Expression]]] = {
    "probit": ("interval", _scaled(f.ndtr)),
    "logit": ("interval", _scaled(f.sigmoid)),
    "log": ("positive", lambda x, support: f.exp(x)),
    "softplus": ("positive", lambda x, support: f.softplus(x)),
    "identity": ("real", lambda x, support: x),
}


def family(support: Support) -> str:
    """Return which links fit a support: ``interval``, ``positive`` or ``real``."""
    if math.isinf(support.lo):
        return "real"
    return "positive" if math.isinf(support.hi) else "interval"


def default_link(support: Support) -> str:
    """Return the link used unless another is asked for."""
    return {"interval": "probit", "positive": "log", "real": "identity"}[family(support)]


def check_link(name: str, support: Support, parameter: str) -> str:
    """Return the link's name, or raise ``ModelError`` if it does not fit the support."""
    fitting = [link for link, (kind, _) in LINKS.items() if kind == family(support)]
    if name not in fitting:
        raise ModelError(
            f"population: the link of '{parameter}' is {name!r}; links into {support} are {listed(fitting)}."
            f"{did_you_mean(str(name), fitting)}"
        )
    return name
