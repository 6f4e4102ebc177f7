"""A word before sampling about parameters whose gradients don't arrive."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from rlbackends.population.population import Population

if TYPE_CHECKING:
    from rlbackends.model.model import Model

_PACKAGE = str(Path(__file__).parents[1])


class GradientWarning(UserWarning):
    """A model's density is flat or jumps in some parameters: samplers that follow gradients can't fit them."""


def describe_gaps(model: Model, population: Population | None = None) -> str:
    """Return a paragraph about where a model stops the gradients of what is sampled, or nothing if it does not."""
    gaps = model.gradient_gaps(() if population is None else population.fixed)
    words = " ".join(str(gap) for gap in gaps if gap.kind != "switch")
    return f"model '{model.name}', {words}" if words else ""


def warn_of_gaps(model: Model, population: Population | None = None) -> None:
    """Warn, at the line that called this package, if the model has gaps."""
    words = describe_gaps(model, population)
    if words:
        warnings.warn(words, GradientWarning, skip_file_prefixes=(_PACKAGE,))
