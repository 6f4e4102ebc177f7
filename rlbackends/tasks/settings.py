"""What a ready task is given, read so that all faults are told at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from rlbackends.model.build import Faults


class Settings:
    """The settings of a ready task; each that is wrong is noted and read as something harmless."""

    def __init__(self, task: str) -> None:
        self.faults = Faults(task, "task")

    def report(self) -> None:
        """Raise ``ModelError`` with all faults, if there are any."""
        self.faults.report()

    def whole(self, name: str, given: Any, least: int = 1, most: int | None = None) -> int:
        """Return a whole number."""
        number = isinstance(given, int | np.integer) and not isinstance(given, bool)
        if number and given >= least and (most is None or given <= most):
            return int(given)
        span = f"from {least} on" if most is None else f"from {least} to {most}"
        self.faults.add(f"{name} is {given!r}, expected a whole number {span}.")
        return least

    def number(self, name: str, given: Any, lo: float = -math.inf, hi: float = math.inf, what: str = "") -> float:
        """Return a finite number."""
        if _is_number(given) and math.isfinite(given) and lo <= given <= hi:
            return float(given)
        self.faults.add(f"{name} is {given!r}, expected {what or _expected('a number', lo, hi)}.")
        return 0.0

    def probability(self, name: str, given: Any) -> float:
        """Return a probability."""
        return self.number(name, given, 0.0, 1.0, "a probability from 0 to 1")

    def flag(self, name: str, given: Any) -> bool:
        """Return True or False."""
        if not isinstance(given, bool):
            self.faults.add(f"{name} is {given!r}, expected True or False.")
        return given is True

    def span(self, name: str, given: Any, lo: float = -math.inf, hi: float = math.inf) -> tuple[float, float]:
        """Return two numbers, the first below the second."""
        pair = isinstance(given, Sequence | np.ndarray) and len(given) == 2 and all(map(_is_number, given))
        if pair and lo <= given[0] < given[1] <= hi and all(map(math.isfinite, given)):
            return float(given[0]), float(given[1])
        within = "" if math.isinf(lo) else f", from {lo:g} to {hi:g}"
        self.faults.add(f"{name} is {given!r}, expected two numbers, the lower one first{within}.")
        return 0.0, 1.0

    def numbers(
        self, name: str, given: Any, *axes: str, trials: bool = False, lo: float = -math.inf, hi: float = math.inf,
        what: str = "a number", least: int = 1,
    ) -> np.ndarray:  # fmt: skip
        """Return an array of numbers with these axes, and before them trials if those are allowed and given.

        ``least`` is the smallest size of each axis.
        """
        fallback = np.zeros((least,) * len(axes))
        words = " × ".join(axes)
        if trials:
            words += f" or trial × {words}"
        try:
            array = np.array(given, dtype=np.float64)
        except (TypeError, ValueError):
            self.faults.add(f"{name} is {given!r}, expected {what} for each {words}.")
            return fallback
        if array.ndim not in ((len(axes), len(axes) + 1) if trials else (len(axes),)):
            found = f"has shape {array.shape}" if array.ndim else f"is {given!r}"
            self.faults.add(f"{name} {found}, expected {what} for each {words}.")
            return fallback
        if min(array.shape[-len(axes) :]) < least or not array.size:
            number = "one entry" if least == 1 else f"{least} entries each"
            self.faults.add(f"{name} has shape {array.shape}, expected {words} with at least {number}.")
            return fallback
        wrong = ~(np.isfinite(array) & (array >= lo) & (array <= hi))
        if wrong.any():
            where = np.argwhere(wrong)[0]
            entry = f"{name}[{', '.join(map(str, where))}]"
            more = f", and {wrong.sum() - 1} more like it" if wrong.sum() > 1 else ""
            self.faults.add(f"{entry} is {array[tuple(where)]:g}{more}, expected {_expected(what, lo, hi)}.")
            return np.zeros_like(array)
        return array

    def probabilities(self, name: str, given: Any, *axes: str, trials: bool = False, least: int = 1) -> np.ndarray:
        """Return an array of probabilities; see :meth:`numbers`."""
        return self.numbers(name, given, *axes, trials=trials, lo=0.0, hi=1.0, what="a probability", least=least)

    def trials(self, n_trials: Any, default: int, name: str = "", array: np.ndarray | None = None) -> int:
        """Return the number of trials: as given, as many as a table has, or the default.

        ``array`` is the table called ``name``, if it has trials.
        """
        if n_trials is None:
            return default if array is None else len(array)
        count = self.whole("n_trials", n_trials)
        if array is not None and count > len(array):
            self.faults.add(
                f"n_trials is {count}, but {name} has {len(array)} trials. Give more of it, or leave n_trials out."
            )
        return count

    def places(self, name: str, given: Any) -> tuple[int, ...] | int:
        """Return a number of trials, or several of them in ascending order."""
        if isinstance(given, Sequence | np.ndarray) and not isinstance(given, str):
            whole = all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1 for n in given)
            if whole and len(given) and all(a < b for a, b in pairwise(given)):
                return tuple(int(n) for n in given)
        elif isinstance(given, int | np.integer) and not isinstance(given, bool) and given >= 1:
            return int(given)
        self.faults.add(f"{name} is {given!r}, expected a number of trials, or several in ascending order.")
        return 1


def _is_number(given: Any) -> bool:
    return isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)


def _expected(what: str, lo: float, hi: float) -> str:
    if math.isinf(lo) and math.isinf(hi):
        return f"{what} that is finite" if what != "a number" else "a finite number"
    if math.isinf(hi):
        return f"{what} of at least {lo:g}"
    if math.isinf(lo):
        return f"{what} of at most {hi:g}"
    return f"{what} from {lo:g} to {hi:g}"
