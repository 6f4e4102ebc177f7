"""Where a program's decisions come from: a numbered stream, Hypothesis, or decisions written down before."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Choices:
    """A stream of small decisions; 0 is always the simplest, so that shrinking goes towards it.

    Parameters
    ----------
    pick : callable
        ``pick(n)`` returns a whole number from 0 to ``n - 1``.

    Attributes
    ----------
    made : list of int
        The decisions so far.
    """

    def __init__(self, pick: Callable[[int], int]) -> None:
        self._pick = pick
        self.made: list[int] = []

    @classmethod
    def numbered(cls, number: int, seed: int = 0) -> Choices:
        """Return the stream of one program's number: the same on every machine."""
        return cls(random.Random(f"{seed}/{number}").randrange)

    @classmethod
    def replayed(cls, made: Sequence[int]) -> Choices:
        """Return decisions that were written down; where they don't fit or end, the simplest is taken."""
        rest = iter(made)

        def pick(n: int) -> int:
            value = next(rest, 0)
            return value if value < n else 0

        return cls(pick)

    def below(self, n: int) -> int:
        """Return a whole number from 0 to ``n - 1``."""
        value = int(self._pick(n)) if n > 1 else 0
        if n > 1:
            self.made.append(value)
        return value

    def chance(self, percent: int) -> bool:
        """Return True in so many of a hundred cases; False is the simpler."""
        return self.below(100) >= 100 - percent

    def one_of(self, options: Sequence[T]) -> T:
        """Return one of the options, of which the first is the simplest."""
        return options[self.below(len(options))]

    def some_of(self, options: Sequence[T], percent: int) -> list[T]:
        """Return each option with this chance, in order."""
        return [option for option in options if self.chance(percent)]

    def eighths(self, lo: float, hi: float) -> float:
        """Return a multiple of 1/8: sums and products of such numbers are exact, and so are their ties."""
        first, last = round(lo * 8), round(hi * 8)
        values = sorted(range(first, last + 1), key=lambda value: (value % 8 != 0, abs(value), value))
        return self.one_of(values) / 8

    def odd(self, lo: float, hi: float) -> float:
        """Return a number that no computed quantity meets by accident, for comparisons."""
        return round(lo + (hi - lo) * (self.below(97) + 0.5) / 97 + 0.00137, 5)


def shrink(made: Sequence[int], still_fails: Callable[[list[int]], bool], attempts: int) -> list[int]:
    """Return fewer and simpler decisions that still fail.

    Parameters
    ----------
    made : sequence of int
        Decisions that fail.
    still_fails : callable
        Tries decisions.
    attempts : int
        How often it may be called.
    """
    best = list(made)
    left = attempts

    def better(candidate: list[int]) -> bool:
        nonlocal best, left
        if left <= 0 or candidate == best:
            return False
        left -= 1
        if not still_fails(candidate):
            return False
        best = candidate
        return True

    chunk = max(1, len(best) // 2)
    while chunk and left > 0:
        start = 0
        while start < len(best) and left > 0:
            # What is cut out shifts all later decisions; what is set to 0 leaves them in place.
            if not better(best[:start] + best[start + chunk :]) and not (
                any(best[start : start + chunk])
                and better(best[:start] + [0] * len(best[start : start + chunk]) + best[start + chunk :])
            ):
                start += chunk
        chunk //= 2
    return best

