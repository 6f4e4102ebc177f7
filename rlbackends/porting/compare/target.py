"""The other's numbers as they are compared: by trial, by subject or in all, and how near ours must come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rlbackends.porting.compare.mistakes.outputs import sums
from rlbackends.porting.compare.setup import Setup


@dataclass(frozen=True, eq=False)
class Gap:
    """How far two sets of numbers are apart.

    Attributes
    ----------
    largest
        Largest absolute difference.
    mean
        Mean absolute difference, of what is finite.
    share
        Share of the numbers that are the same within the tolerance.
    """

    largest: float
    mean: float
    share: float

    @property
    def closed(self) -> bool:
        """Whether all numbers are the same within the tolerance."""
        return self.share == 1.0


@dataclass(frozen=True, eq=False)
class Target:
    """The numbers of the other.

    Attributes
    ----------
    level
        ``"trial"``, ``"subject"`` or ``"total"``.
    values
        Of all responses together (under ``""``) or of each: (point × subject × trial), (point × subject) or (point,);
        0 where nothing was observed.
    allowed
        The difference that is no difference, of the same shape or one number.
    """

    level: str
    values: Mapping[str, np.ndarray]
    allowed: Mapping[str, np.ndarray]

    @property
    def apart(self) -> bool:
        """Whether each response is compared by itself."""
        return "" not in self.values

    @property
    def count(self) -> int:
        """How many numbers are compared."""
        return sum(array.size for array in self.values.values())

    def of(self, found: Mapping[str, np.ndarray], setup: Setup) -> dict[str, np.ndarray]:
        """Return our log-likelihoods (point × subject × trial) in the other's form."""
        return {name: sums(values, setup, self.level) for name, values in found.items()}

    def gap(self, ours: Mapping[str, np.ndarray], *, at_least: float = 0.0) -> Gap:
        """Return how far our numbers, in the other's form, are from the other's."""
        differences, inside = [], []
        for name, values in self.values.items():
            difference = distance(ours[name], values)
            differences.append(difference.ravel())
            inside.append((difference <= np.maximum(self.allowed[name], at_least)).ravel())
        difference, same = np.concatenate(differences), np.concatenate(inside)
        finite = difference[np.isfinite(difference)]
        share = float(same.mean())
        # One number of very many that is not the same must not be rounded away.
        share = min(share, 1 - 1e-12) if not same.all() else 1.0
        mean = float(finite.mean()) if finite.size else np.inf
        return Gap(float(difference.max(initial=0.0)), mean, share)

    def part(self, subjects: np.ndarray, steps: int) -> Target:
        """Return the numbers of some subjects and of the first trials, at the first point."""

        def cut(array: np.ndarray) -> np.ndarray:
            if array.ndim == 0 or self.level == "total":
                return array[:1] if array.ndim else array
            return array[:1, subjects, :steps] if self.level == "trial" else array[:1, subjects]

        return Target(
            self.level,
            {name: cut(array) for name, array in self.values.items()},
            {name: cut(array) for name, array in self.allowed.items()},
        )


def distance(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return absolute differences; equal infinities are the same, and a NaN of ours is far from everything."""
    with np.errstate(invalid="ignore"):
        difference = np.abs(ours - theirs)
    return np.where(ours == theirs, 0.0, np.where(np.isnan(difference), np.inf, difference))
