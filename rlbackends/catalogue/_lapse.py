"""The setting ``lapse`` that models share."""

from __future__ import annotations

import rlbackends as rl
from rlbackends.errors import ModelError


def lapse_parameter(model: str, lapse: bool) -> dict[str, rl.Parameter]:
    """Return the parameters that the setting ``lapse`` adds to a model: one, or none."""
    if not isinstance(lapse, bool):
        raise ModelError(f"{model}: lapse is {lapse!r}, expected True or False.")
    return {"lapse": rl.Parameter(rl.UnitInterval(), "share of choices that are guessed")} if lapse else {}
