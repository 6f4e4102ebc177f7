"""Mistakes after the likelihood: its sign and base, sums and means, the order of persons, rows for columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.natural_order import natural_key
from rlbackends.porting.compare.mistakes.mistake import Change, Mistake, Variants, both
from rlbackends.porting.compare.setup import Setup

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials


def _output(function: Callable[[np.ndarray, Setup], np.ndarray]) -> Change:
    return lambda setup: setup.changed(outputs=(*setup.outputs, function))


def _scaled(factor: float) -> Change:
    return _output(lambda values, setup: factor * values)


def _sign(setup: Setup, data: BoundTrials) -> Variants:
    yield "the negative log-likelihood", _scaled(-1.0)
    yield "the deviance, −2 times the log-likelihood", _scaled(-2.0)
    yield "half of it", _scaled(0.5)


def _scale(setup: Setup, data: BoundTrials) -> Variants:
    yield "probabilities instead of their logarithms", _output(_probabilities)
    yield "probabilities of what was not chosen", _output(_complements)
    yield "logarithms to base 10", _scaled(1 / np.log(10))
    yield "logarithms to base 2", _scaled(1 / np.log(2))


def _probabilities(values: np.ndarray, setup: Setup) -> np.ndarray:
    return np.where(setup.observed, np.exp(values), 0.0)


def _complements(values: np.ndarray, setup: Setup) -> np.ndarray:
    return np.where(setup.observed, 1 - np.exp(values), 0.0)


def _means(setup: Setup, data: BoundTrials) -> Variants:
    for word, total in {
        "the mean over trials instead of the sum": "mean",
        "the mean over subjects of their sums": "mean of sums",
        "the sum over subjects of their means": "sum of means",
    }.items():
        yield word, _totalled(total)
        yield f"{word}, with the other sign", both(_totalled(total), _scaled(-1.0))
    yield "each trial's log-likelihood is added to those before it", _output(
        lambda values, setup: np.where(setup.valid, np.cumsum(values, axis=-1), 0.0)
    )


def _totalled(total: str) -> Change:
    return lambda setup: setup.changed(total=total)


# Who is who


def orders(data: BoundTrials) -> dict[str, np.ndarray]:
    """Return other orders of the subjects: position in the other order → position in ours."""
    labels = [str(label) for label in data.subjects]
    places = np.where(data.valid, data.places.numbers, np.iinfo(np.int64).max)
    found = {
        "alphabetical, as in 1, 10, 11, 2": sorted(range(len(labels)), key=lambda i: labels[i]),
        "that of their first rows in the table": np.argsort(places[:, 0], kind="stable").tolist(),
        "natural, as in 1, 2, 10": sorted(range(len(labels)), key=lambda i: natural_key(data.subjects[i])),
        "the reverse one": list(range(len(labels)))[::-1],
    }
    ours = list(range(len(labels)))
    if data.places.style not in ("row", "frame"):
        found.pop("that of their first rows in the table")
    return {word: np.array(order) for word, order in found.items() if order != ours}


def _order(setup: Setup, data: BoundTrials) -> Variants:
    for word, order in orders(data).items():
        yield f"your rows are in another order, {word}", _rows(order)
        back = np.argsort(order)
        yield f"parameters are paired with subjects in another order, {word}", _paired(back)
        if (back != order).any():
            yield f"parameters are in another order than subjects, {word}", _paired(order)
        yield (
            f"parameters are paired with subjects in another order, and your rows are in that order, too: {word}",
            both(_paired(back), _rows(order)),
        )


def _rows(order: np.ndarray) -> Change:
    return _output(lambda values, setup: values[:, order])


def _paired(back: np.ndarray) -> Change:
    return lambda setup: setup.changed(params={name: values[:, back] for name, values in setup.params.items()})


def _shape(setup: Setup, data: BoundTrials) -> Variants:
    subjects, steps = data.starts.shape
    if subjects == steps and subjects > 1:
        yield "rows are trials and columns are subjects", _output(lambda values, setup: values.transpose(0, 2, 1))
    elif min(subjects, steps) > 1:
        yield "a subject × trial array was filled from one that runs trial by trial", _output(_refilled)
        yield "a trial × subject array was filled from one that runs subject by subject", _output(_refilled_back)


def _refilled(values: np.ndarray, setup: Setup) -> np.ndarray:
    points, subjects, steps = values.shape
    return values.transpose(0, 2, 1).reshape(points, subjects, steps)


def _refilled_back(values: np.ndarray, setup: Setup) -> np.ndarray:
    points, subjects, steps = values.shape
    return values.reshape(points, steps, subjects).transpose(0, 2, 1)


def sums(values: Any, setup: Setup, level: str) -> np.ndarray:
    """Return (point × subject × trial) log-likelihoods as one number a trial, a subject or a point."""
    if level == "trial":
        return values
    count = setup.observed.sum(axis=1)
    by_subject = values.sum(axis=2)
    if setup.total in ("mean", "sum of means") and (level == "subject" or setup.total == "sum of means"):
        by_subject = by_subject / np.maximum(count, 1)
    if level == "subject":
        return by_subject
    total = by_subject.sum(axis=1)
    if setup.total == "mean":
        return total / max(int(count.sum()), 1)
    return total / len(count) if setup.total == "mean of sums" else total


ORDER = Mistake(
    "order of subjects",
    "a person's numbers, or parameters, are taken for another person's.",
    "Keep labels with the numbers; sort them once, in one way.",
    _order,
)
MISTAKES = (
    Mistake(
        "sign or factor",
        "the numbers are the log-likelihood times a constant.",
        "Return the log-likelihood itself; an optimiser that minimises wants its negative, a comparison does not.",
        _sign,
    ),
    Mistake(
        "probabilities or another base",
        "the numbers are no natural logarithms.",
        "Return natural logarithms: np.log of each probability.",
        _scale,
    ),
    Mistake(
        "means for sums",
        "trials or subjects are put together in another way.",
        "Sum over the trials that have a response.",
        _means,
    ),
    ORDER,
    Mistake(
        "rows for columns",
        "subjects and trials have changed places on the way.",
        "Transpose the array instead of reshaping it; R and MATLAB run down the columns, NumPy along the rows.",
        _shape,
    ),
)
