"""Which usual mistakes explain a difference: each alone, then two at a time."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlbackends.porting.density.mistakes import EVERYTHING, LIKELIHOOD, Mistake, Try
from rlbackends.porting.density.of_jacobians import OF_JACOBIANS
from rlbackends.porting.density.of_likelihood import OF_LIKELIHOOD
from rlbackends.porting.density.of_priors import OF_PRIORS
from rlbackends.porting.density.of_readings import OF_READINGS
from rlbackends.porting.density.of_subjects import OF_SUBJECTS, together
from rlbackends.porting.density.ours import Ours

MISTAKES: tuple[Mistake, ...] = (*OF_JACOBIANS, *OF_PRIORS, *OF_READINGS, *OF_LIKELIHOOD, *OF_SUBJECTS)
"""The usual mistakes, those that need no other likelihood first."""

_MOST_CELLS = 5_000_000  # trials that are computed for pairs of mistakes in the likelihood


@dataclass(frozen=True)
class Explanation:
    """One mistake, or two together, that explain the difference at every point.

    Attributes
    ----------
    words : tuple of str
        The mistakes' names, one or two.
    sentences, fixes : tuple of str
        What they are, and how they are put right.
    constant : float
        What is left of the difference, the same at every point; 0 if nothing is.
    remaining : float
        The largest difference left besides, of scale.
    """

    words: tuple[str, ...]
    sentences: tuple[str, ...]
    fixes: tuple[str, ...]
    constant: float
    remaining: float

    def to_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "words": list(self.words),
            "sentences": list(self.sentences),
            "fixes": list(self.fixes),
            "constant": self.constant,
            "remaining": self.remaining,
        }


@dataclass(frozen=True, eq=False)
class _Tried:
    """A form of a mistake, and the difference that it makes in all, (point,)."""

    mistake: Mistake
    form: Try
    expected: np.ndarray

    @property
    def sentence(self) -> str:
        return self.mistake.sentence.format(what=self.form.what)

    @property
    def fix(self) -> str:
        return self.form.fix or self.mistake.fix


@dataclass(frozen=True)
class Verdict:
    """What is left of differences, (row, point), when something is taken away from each row."""

    is_same: np.ndarray
    is_constant: np.ndarray
    constant: np.ndarray
    remaining: np.ndarray


def judge(left: np.ndarray, scale: np.ndarray, tolerance: float) -> Verdict:
    """Say of each row of differences, (row, point), whether it is nothing, or the same at every point."""
    with np.errstate(all="ignore"):
        constant = np.median(left, axis=1)
        none = np.max(np.abs(left) / scale, axis=1)
        spread = np.max(np.abs(left - constant[:, None]) / scale, axis=1)
    is_same = none <= tolerance
    is_constant = (spread <= tolerance) & ~is_same
    return Verdict(is_same, is_constant, np.where(is_same, 0.0, constant), np.where(is_same, none, spread))


def explain(ours: Ours, difference: np.ndarray, tolerance: float) -> tuple[Explanation, ...]:
    """Return the explanations of a difference (other − ours, by point): whole ones first, singles before pairs."""
    search = _Search(ours, difference, tolerance)
    tried = _expected(ours, [m for m in MISTAKES if m not in OF_SUBJECTS])
    found = search.singles(tried)
    if any(not e.constant for e in found):
        return tuple(found)
    slow: list[_Tried] = []
    if not search.is_constant:
        slow = _expected(ours, OF_SUBJECTS)
        tried += slow
        found = search.singles(tried)
        if any(not e.constant for e in found):
            return tuple(found)
    pairs = search.pairs(tried)
    if not pairs and not found:
        pairs = search.pairs_of_likelihood(slow)
    whole = [e for e in pairs if not e.constant]
    return tuple([*whole, *found, *([] if found else [e for e in pairs if e.constant])])


def _expected(ours: Ours, mistakes: Iterable[Mistake]) -> list[_Tried]:
    """Return all forms of mistakes; the likelihoods at other parameters are computed at once."""
    forms = [(mistake, form) for mistake in mistakes for form in mistake.find(ours)]
    expected = _with_likelihoods(ours, [form for _, form in forms])
    return [_Tried(mistake, form, row) for (mistake, form), row in zip(forms, expected, strict=True)]


def _with_likelihoods(ours: Ours, forms: Sequence[Try]) -> np.ndarray:
    """Return the whole differences that forms make, (form, point)."""
    whole = np.array([form.expected for form in forms]).reshape(len(forms), ours.n_points)
    asked = [i for i, form in enumerate(forms) if form.params is not None]
    if asked:
        whole[asked] += ours.changed_by([values for i in asked for values in forms[i].params or ()])
    return whole


class _Search:
    def __init__(self, ours: Ours, difference: np.ndarray, tolerance: float) -> None:
        self.ours, self.difference, self.tolerance = ours, difference, tolerance
        self.is_constant = bool(self._judge(difference[None]).is_constant[0])

    def _judge(self, left: np.ndarray) -> Verdict:
        return judge(left, self.ours.scale, self.tolerance)

    def _explanations(self, sets: Sequence[tuple[_Tried, ...]], left: np.ndarray) -> list[Explanation]:
        if not sets:
            return []
        verdict, found = self._judge(left), []
        for i in map(int, np.flatnonzero(verdict.is_same | verdict.is_constant)):
            tried = sets[i]
            if verdict.is_constant[i] and any(self._judge(t.expected[None]).is_constant[0] for t in tried):
                continue  # what differs by a constant explains nothing up to a constant
            found.append(
                Explanation(
                    tuple(t.mistake.word for t in tried), tuple(t.sentence for t in tried),
                    tuple(dict.fromkeys(t.fix for t in tried)), float(verdict.constant[i]),
                    float(verdict.remaining[i]),
                )
            )  # fmt: skip
        return sorted(found, key=lambda e: bool(e.constant))

    def singles(self, tried: Sequence[_Tried]) -> list[Explanation]:
        """Return what explains it alone."""
        tried = self._useful(tried)
        left = self.difference - np.array([t.expected for t in tried]).reshape(len(tried), self.ours.n_points)
        return self._explanations([(t,) for t in tried], left)

    def pairs(self, tried: Sequence[_Tried]) -> list[Explanation]:
        """Return the pairs of mistakes in different terms that explain it together."""
        tried, found = self._useful(tried), []
        matrix = np.array([t.expected for t in tried]).reshape(len(tried), self.ours.n_points)
        for i, first in enumerate(tried[:-1]):
            left, seconds = self.difference - matrix[i] - matrix[i + 1 :], tried[i + 1 :]
            verdict = self._judge(left)
            hits = [
                j
                for j in np.flatnonzero(verdict.is_same | verdict.is_constant)
                if _are_apart(first.form, seconds[j].form)
            ]
            found += self._explanations([(first, seconds[j]) for j in hits], left[hits])
        return sorted(found, key=lambda e: bool(e.constant))

    def pairs_of_likelihood(self, slow: Sequence[_Tried]) -> list[Explanation]:
        """Return the pairs of mistakes in how two parameters are made of latents: their likelihood is computed anew."""
        ours = self.ours
        asked = [t for t in self._useful(slow) if t.form.params is not None and len(t.form.parameters) == 1]
        pairs = [
            (a, b)
            for a, b in itertools.combinations(asked, 2)
            if not a.form.parameters & b.form.parameters and not (a.form.changes & b.form.changes) - {LIKELIHOOD}
        ]
        if not pairs or len(pairs) * ours.n_points * ours.compiled.data.n_trials > _MOST_CELLS:
            return []
        base = ours.parameters()
        both = _with_likelihoods(ours, [together([a.form, b.form], base, "") for a, b in pairs])
        return self._explanations(pairs, self.difference - both)

    def _useful(self, tried: Sequence[_Tried]) -> list[_Tried]:
        """Leave out what makes no difference here, or one that is not finite."""
        found = []
        for t in tried:
            row = t.expected
            if np.isfinite(row).all() and np.any(np.abs(row) > self.tolerance * self.ours.scale):
                found.append(t)
        return found


def _are_apart(first: Try, second: Try) -> bool:
    return EVERYTHING not in first.changes | second.changes and not first.changes & second.changes
