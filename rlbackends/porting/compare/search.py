"""The search for the mistake: each one is built into the model, and the numbers are compared again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.porting.compare.mistakes import MISTAKES, ORDER, Change, Mistake, both
from rlbackends.porting.compare.setup import Arrays, Setup, predicted
from rlbackends.porting.compare.solve import constants, solve
from rlbackends.porting.compare.target import Gap, Target

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

_NO_EFFECT = 1e-12
_SINGLE_PRECISION = Mistake(
    "32-bit arithmetic",
    "the numbers were computed in single precision.",
    "Compute in 64 bits: JAX needs jax.config.update('jax_enable_x64', True), PyTensor floatX = 'float64', PyTorch "
    "dtype=torch.float64.",
    lambda setup, data: (),
)
_FACTOR = Mistake(
    "a constant factor",
    "all numbers are the log-likelihood times the same constant.",
    "Look for a weight, a mean, or a unit that is applied to the log-likelihood.",
    lambda setup, data: (),
)
_ADDED = Mistake(
    "a constant added",
    "all numbers are the log-likelihood plus the same constant.",
    "Look for a term that does not depend on parameters: a binomial coefficient, log 2π, a Jacobian, a prior.",
    lambda setup, data: (),
)
# Rounding in 32 bits is not the same in two programs: so many times what it does to ours is still rounding.
_ROUNDING = 30.0
_LEAST_ROUNDED = 0.2  # of the numbers
_VARIANTS_IN_PAIRS = 2
_PAIR_BUDGET, _PAIR_SHARE = 150_000, 0.05  # steps that are played, and the share of them that one pair may take
_PART_SUBJECTS, _PART_STEPS, _PART_EDGE = 3, 40, 2


@dataclass(frozen=True)
class Explanation:
    """A mistake that was tried.

    Attributes
    ----------
    mistake : str
        What it is called; of a pair, both.
    detail : str
        What is particular about it here.
    meaning, fix : str
        What a script with it does, and what to do about it.
    difference : float
        The largest difference that is left when the mistake is built into our model.
    share : float
        The share of the numbers that are then the same.
    explains : bool
        Whether nothing is left, within the tolerance, or within what 32-bit arithmetic leaves.
    single_precision : bool
        Whether it explains the numbers only up to 32-bit arithmetic.
    """

    mistake: str
    detail: str
    meaning: str
    fix: str
    difference: float
    share: float
    explains: bool
    single_precision: bool = False
    mean_difference: float = np.inf


@dataclass(frozen=True, eq=False)
class _Variant:
    """A way to make a mistake, and what it leaves alone."""

    mistake: Mistake
    detail: str
    change: Change
    alone: Explanation


class Search:
    """Tries mistakes, one after the other, and keeps what each leaves."""

    def __init__(self, setup: Setup, data: BoundTrials, target: Target) -> None:
        self.setup, self.data, self.target = setup, data, target
        found, course = predicted(setup, apart=target.apart)
        self.base = target.of(found, setup)
        self._courses: dict[tuple, tuple[Setup, Arrays]] = {setup.course_key: (setup, course)}
        self._pinned = setup.course_key
        self.gap = target.gap(self.base)
        sizes = [float(np.max(np.abs(v), where=np.isfinite(v), initial=0.0)) for v in self.base.values()]
        self.scale = max(1.0, *sizes)
        self.single = self._rounding()

    def _rounding(self) -> float:
        """Return how much 32-bit arithmetic may change our numbers."""
        found = self.target.of(
            predicted(self.setup.changed(real=np.float32), apart=self.target.apart)[0], self.setup
        )
        changes = [np.abs(found[name] - self.base[name]) for name in found]
        largest = max(float(np.max(c, where=np.isfinite(c), initial=0.0)) for c in changes)
        return _ROUNDING * max(largest, 1e-7 * self.scale)

    def predict(self, setup: Setup) -> Arrays:
        """Return a setup's numbers in the other's form; states that are known already are not played again."""
        key = setup.course_key
        known = self._courses.get(key)
        # A course of other shape, such as that of all persons in a row, has its own key.
        found, course = predicted(setup, None if known is None else known[1], apart=self.target.apart)
        if known is None:
            for old in [k for k in self._courses if k != self._pinned][:-1]:
                del self._courses[old]
            self._courses[key] = (setup, course)  # the setup is kept, too: the key is made of its arrays' ids
        return self.target.of(found, setup)

    def has_effect(self, found: Arrays) -> bool:
        """Say whether numbers are others than without the mistake."""
        return any(
            not np.array_equal(found[name], self.base[name], equal_nan=True)
            and bool(np.any(~(np.abs(found[name] - self.base[name]) <= _NO_EFFECT * self.scale)))
            for name in found
        )

    def judged(self, mistake: Mistake, detail: str, found: Arrays) -> Explanation:
        """Return what a mistake leaves."""
        gap = self.target.gap(found)
        single = not gap.closed and self._within_rounding(self.target.gap(found, at_least=self.single))
        return Explanation(
            mistake.word, detail, mistake.meaning, mistake.fix, gap.largest, gap.share,
            gap.closed or single, single, gap.mean,
        )  # fmt: skip

    def _within_rounding(self, gap: Gap) -> bool:
        return gap.closed and self.gap.largest > 20 * self.single

    def tried(self, mistake: Mistake, detail: str, change: Change) -> Explanation | None:
        """Build a mistake in and return what it leaves; None if it changes nothing, or can't be made here."""
        changed = change(self.setup)
        if changed is None or (changed.total != "sum" and self.target.level == "trial"):
            return None  # where nothing is summed, no sum is a mean
        found = self.predict(changed)
        if changed.total != "sum":
            summed = self.predict(changed.changed(total="sum"))
            if all(np.array_equal(found[name], summed[name]) for name in found):
                return None  # the mean over one, or of what is not put together
        return self.judged(mistake, detail, found) if self.has_effect(found) else None

    def rounding(self) -> Explanation | None:
        """Return 32-bit arithmetic as the explanation, if the difference is as small as that."""
        if not self.target.gap(self.base, at_least=self.single).closed:
            return None
        theirs, allowed = self.target.values, self.target.allowed
        apart = sum(int((np.abs(self.base[name] - theirs[name]) > allowed[name]).sum()) for name in theirs)
        if apart < _LEAST_ROUNDED * sum(int((self.base[name] != 0).sum()) for name in theirs):
            return None  # rounding spares few numbers
        mistake = _SINGLE_PRECISION
        return Explanation(
            mistake.word, "", mistake.meaning, mistake.fix, self.gap.largest, self.gap.share, True, True, self.gap.mean
        )


def search(setup: Setup, data: BoundTrials, target: Target) -> tuple[list[Explanation], int]:
    """Return the mistakes that were tried, those that explain the other's numbers first, and how many pairs were.

    Of each mistake the variant is kept that explains the numbers, or comes nearest.
    """
    work = Search(setup, data, target)
    found: list[Explanation] = []
    effective: list[_Variant] = []
    for mistake in MISTAKES:
        tried = []
        for detail, change in mistake.variants(setup, data):
            result = work.tried(mistake, detail, change)
            if result is not None:
                tried.append(result)
                effective.append(_Variant(mistake, detail, change, result))
        found += _best(tried)
    rounding = work.rounding()
    if rounding is not None:
        found.append(rounding)
    if not any(result.explains for result in found):
        found += _solved(work)
    pairs = 0
    if not any(result.explains for result in found):
        more, pairs = _pairs(work, effective)
        found += more
    return _ranked(found), pairs


def _best(tried: list[Explanation]) -> list[Explanation]:
    exact = [result for result in tried if result.explains and not result.single_precision]
    near = [result for result in tried if result.explains]
    return (exact or near or sorted(tried, key=_distance))[:1]


def _ranked(found: list[Explanation]) -> list[Explanation]:
    exact = [result for result in found if result.explains and not result.single_precision]
    near = [result for result in found if result.explains and result.single_precision]
    near.sort(key=lambda result: result.mistake != _SINGLE_PRECISION.word)
    rest = sorted((r for r in found if not r.explains), key=_distance)
    return [*exact, *near, *rest]


def _distance(result: Explanation) -> tuple[bool, float]:
    """Return what explanations are sorted by: an infinite difference is farthest, whatever the others are."""
    return not np.isfinite(result.difference), result.mean_difference


def _part(work: Search) -> tuple[Setup, BoundTrials, Target, Callable[[Arrays], Arrays]]:
    """Return a few persons' first trials, at one point: enough to see that a mistake does not explain them.

    The last is how numbers of the whole are cut to the part.
    """
    setup, data, target = work.setup, work.data, work.target
    subjects, steps = np.arange(data.n_subjects), data.n_steps
    if target.level != "total":
        apart = np.zeros(data.starts.shape[: 2 if target.level == "trial" else 1], bool)
        for name, theirs in target.values.items():
            apart |= (np.abs(work.base[name] - theirs) > target.allowed[name])[0]
        where = np.argwhere(apart)
        if len(where) == 0:  # they part at another point only
            return setup, data, target, lambda found: found
        first = where[np.argmin(where[:, -1])]
        subjects = np.unique([int(first[0]), *range(min(_PART_SUBJECTS - 1, data.n_subjects))])
        if target.level == "trial":
            steps = min(steps, max(_PART_STEPS, int(first[1]) + 10))

    def cut(array: np.ndarray) -> np.ndarray:
        return array[subjects, :steps]

    small = replace(
        data, subjects=tuple(data.subjects[i] for i in subjects), lengths=np.minimum(data.lengths[subjects], steps),
        trial_numbers=cut(data.trial_numbers), values={k: cut(v) for k, v in data.values.items()},
        missing={k: cut(v) for k, v in data.missing.items()}, starts=cut(data.starts),
        places=replace(data.places, subjects=(), numbers=cut(data.places.numbers)), covariates={}, held_out=None,
    )  # fmt: skip
    params = {k: v[:1, subjects] if v.ndim == 2 else v[:1, subjects, :steps] for k, v in setup.params.items()}
    parts = setup.changed(
        values={k: cut(v) for k, v in setup.values.items()}, missing={k: cut(v) for k, v in setup.missing.items()},
        starts=cut(setup.starts), valid=cut(setup.valid), params=params,
    )  # fmt: skip
    return (
        parts, small, target.part(subjects, steps),
        lambda found: Target(target.level, found, {}).part(subjects, steps).values,
    )  # fmt: skip


def _solved(work: Search) -> Iterator[Explanation]:
    """Yield what is left with the constant that explains most."""
    if work.target.count < 3:  # one constant explains one number, whatever it is
        return
    setup, data, target, _ = _part(work)
    results = []
    for mistake, what, put, grid in constants(setup, data):
        value = solve(setup, target, put, grid)
        if value is None:
            continue
        for candidate in dict.fromkeys([float(f"{value:.6g}"), value]):
            result = work.tried(mistake, f"{what} {candidate:.10g}", put(candidate))  # as "'q' starts at 0.5"
            if result is not None and (result.explains or candidate == value):
                results.append(result)
                break
    results += [*_affine(work), *_reordered(work)]
    for word in dict.fromkeys(result.mistake for result in results):
        yield from _best([result for result in results if result.mistake == word])


def _affine(work: Search) -> Iterator[Explanation]:
    """Yield our numbers times a constant, and plus one."""
    here = np.concatenate([v.ravel() for v in work.base.values()])
    yours = np.concatenate([v.ravel() for v in work.target.values.values()])
    if len(np.unique(here[np.isfinite(here) & (here != 0)])) < 2:
        return  # what is one number on all trials is any other number by a constant
    largest = int(np.argmax(np.abs(np.where(np.isfinite(here), here, 0.0))))
    if here[largest] != 0 and np.isfinite(yours[largest]):
        factor = float(yours[largest] / here[largest])
        found = {name: factor * values for name, values in work.base.items()}
        yield work.judged(_FACTOR, f"times {factor:.10g}", found)
    added = float(yours[largest] - here[largest])
    if np.isfinite(added):
        found = {name: np.where(values != 0, values + added, 0.0) for name, values in work.base.items()}
        yield work.judged(_ADDED, f"plus {added:.10g}", found)


def _reordered(work: Search) -> Iterator[Explanation]:
    """Yield our rows in the order in which they are found again among the other's."""
    order = None
    for name, theirs in work.target.values.items():
        ours = work.base[name]
        if work.target.level == "total" or order is not None:
            continue
        subjects = ours.shape[1]
        allowed = np.broadcast_to(work.target.allowed[name], theirs.shape)
        left, order = set(range(subjects)), np.zeros(subjects, np.int64)
        for row in range(subjects):
            near = np.abs(ours - theirs[:, [row]]) <= allowed[:, [row]]
            same = np.flatnonzero(near.reshape(len(ours), subjects, -1).all(axis=(0, 2)))
            found = [int(i) for i in same if i in left]
            if not found:
                return
            order[row] = row if row in found else found[0]
            left.discard(int(order[row]))
    if order is None or (order == np.arange(len(order))).all():
        return
    labels = [str(work.data.subjects[i]) for i in order]
    shown = ", ".join(labels if len(labels) <= 12 else [*labels[:10], "…"])
    moved = {name: values[:, order] for name, values in work.base.items()}
    yield work.judged(ORDER, f"your rows are those of subjects {shown}", moved)


def _pairs(work: Search, effective: list[_Variant]) -> tuple[list[Explanation], int]:
    """Return the pairs of mistakes that explain the numbers, and how many pairs were tried.

    Two mistakes that are in a part of the trials what they are in all are tried on that part first; others, such as
    another order of subjects, on all trials at one point.
    """
    few: list[_Variant] = []
    for mistake in MISTAKES:
        own = [variant for variant in effective if variant.mistake is mistake]
        few += sorted(own, key=lambda variant: _distance(variant.alone))[:_VARIANTS_IN_PAIRS]
    small, parts = _in_part(work, few)
    one_point = work.setup.changed(params={name: values[:1] for name, values in work.setup.params.items()})
    whole = Search(one_point, work.data, work.target.part(np.arange(work.data.n_subjects), work.data.n_steps))
    found: list[Explanation] = []
    tried, left = 0, float(_PAIR_BUDGET)
    for at, changes in ((small, parts), (whole, [variant.change for variant in few])):
        for i, one in enumerate(few):
            change = changes[i]
            first = None if change is None else change(at.setup)
            if first is None:
                continue
            for j, other in enumerate(few[i + 1 :], i + 1):
                other_change, is_whole = changes[j], parts[i] is None or parts[j] is None
                if other.mistake is one.mistake or is_whole != (at is whole) or other_change is None:
                    continue
                second = other_change(first)
                if second is None:
                    continue
                is_new = second.course_key not in at._courses
                steps = second.shape[2] * (second.shape[1] if second.chained else 1)
                cost = (steps if is_new else 0) + np.prod(second.shape) / 200 + 5
                if cost > min(left, _PAIR_BUDGET * _PAIR_SHARE):
                    continue
                left, tried = left - cost, tried + 1
                if not at.judged(one.mistake, one.detail, at.predict(second)).explains:
                    continue
                pair = _pair_of(one.mistake, other.mistake)
                result = work.tried(pair, _joined(one.detail, other.detail), both(one.change, other.change))
                if result is not None and result.explains:
                    found.append(result)
    exact = [result for result in found if not result.single_precision]
    return (exact or found)[:3], tried


def _in_part(work: Search, few: list[_Variant]) -> tuple[Search, list[Change | None]]:
    """Return the search in a part, and the changes there; None for one that makes other numbers there than in all."""
    setup, data, target, cut = _part(work)
    if target.level == "trial" and data.n_steps < work.data.n_steps:
        # What the part's last trials should see of later ones has been cut off.
        allowed = {k: np.broadcast_to(v, target.values[k].shape).copy() for k, v in target.allowed.items()}
        for values in allowed.values():
            values[..., -_PART_EDGE:] = np.inf
        target = replace(target, allowed=allowed)
    small = Search(setup, data, target)
    there = {(m.word, detail): change for m in MISTAKES for detail, change in m.variants(setup, data)}

    def alike(variant: _Variant, change: Change | None) -> bool:
        part, whole = None if change is None else change(setup), variant.change(work.setup)
        if part is None or whole is None:
            return False
        found, cut_out = small.predict(part), cut(work.predict(whole))
        atol = _NO_EFFECT * work.scale
        return all(np.allclose(found[k], cut_out[k], rtol=_NO_EFFECT, atol=atol, equal_nan=True) for k in found)

    changes = [there.get((variant.mistake.word, variant.detail)) for variant in few]
    return small, [c if alike(variant, c) else None for variant, c in zip(few, changes, strict=True)]


def _joined(one: str, other: str) -> str:
    return "; ".join(word for word in (one, other) if word)


def _pair_of(one: Mistake, other: Mistake) -> Mistake:
    return Mistake(
        f"{one.word}, and {other.word}",
        f"{one.meaning[:-1]}; and {other.meaning}",
        f"{one.fix} And: {other.fix}",
        lambda setup, data: (),
    )
