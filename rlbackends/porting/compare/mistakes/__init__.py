"""The table of usual mistakes: what each is called, what to do about it, and how it is built into a model."""

from rlbackends.porting.compare.mistakes import coding, learning, likelihoods, outputs, parameters, timing
from rlbackends.porting.compare.mistakes.mistake import Change, Mistake, both
from rlbackends.porting.compare.mistakes.outputs import ORDER, sums

MISTAKES: tuple[Mistake, ...] = (
    *timing.MISTAKES,
    *likelihoods.MISTAKES,
    *coding.MISTAKES,
    *parameters.MISTAKES,
    *learning.MISTAKES,
    *outputs.MISTAKES,
)
"""All of them; of several that explain the same numbers the first is named first."""

__all__ = ["MISTAKES", "ORDER", "Change", "Mistake", "both", "sums"]
