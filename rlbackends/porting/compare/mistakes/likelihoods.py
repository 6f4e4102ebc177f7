"""Mistakes about the likelihood itself: softmax over the wrong axis, Bernoullis on one-hot choices, no index at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.numpy_table import softplus
from rlbackends.expressions.operations import build, constant
from rlbackends.expressions.passes import substitute
from rlbackends.porting.compare.mistakes.mistake import Change, Mistake, Variants
from rlbackends.porting.compare.setup import Seen, Setup

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials

# (point, subject, trial, action), counted from the right: these stay the same for a sub-choice's axes.
_POINT, _SUBJECT, _TRIAL, _ACTION = range(4)


def _logits(seen: Seen) -> np.ndarray:
    found = seen.arguments.get("logits")
    return seen.arguments["log_probs"] if found is None else found


def _log_softmax(x: Any, axes: tuple[int, ...] = (_ACTION,)) -> Any:
    top = np.max(x, axis=axes, keepdims=True)
    top = np.where(np.isfinite(top), top, 0.0)
    return x - top - np.log(np.sum(np.exp(x - top), axis=axes, keepdims=True))


def _chosen(x: Any, seen: Seen) -> Any:
    codes = np.broadcast_to(seen.value, x.shape[:-1])[..., None]
    return np.take_along_axis(x, codes, axis=-1)[..., 0]


def _own(seen: Seen) -> Any:
    """Return the response's own log-probabilities, for responses that a mistake does not touch."""
    if seen.family == "categorical":
        return _chosen(_log_softmax(_logits(seen)), seen)
    if seen.family == "bernoulli":
        x = seen.arguments["logits"]
        log_p = np.where(seen.value == 1, -softplus(-x), -softplus(x))
        return np.where(seen.arguments["where"], log_p, 0.0) if "where" in seen.arguments else log_p
    z = (seen.value - seen.arguments["mean"]) / seen.arguments["sd"]
    return -0.5 * z * z - np.log(seen.arguments["sd"]) - 0.5 * np.log(2 * np.pi)


def _only(family: str, function: Callable[[Seen], Any]) -> Change:
    """Return a change of the likelihood of responses of one family."""

    def change(setup: Setup) -> Setup | None:
        if setup.likelihood is not None:
            return None
        return setup.changed(likelihood=lambda seen: function(seen) if seen.family == family else _own(seen))

    return change


def _has(setup: Setup, family: str) -> bool:
    return any(response.family == family for response in setup.parts.responses.values())


def _categorical(function: Callable[[Seen], Any]) -> Change:
    return _only("categorical", function)


# One-hot choices


def _one_hot(setup: Setup, data: BoundTrials) -> Variants:
    if not _has(setup, "categorical"):
        return
    yield "of the softmax's probabilities", _categorical(_bernoullis)
    yield "of the logistic function of each value", _categorical(_logistic_bernoullis)


def _bernoullis(seen: Seen) -> Any:
    log_p = _log_softmax(_logits(seen))
    not_chosen = np.log1p(-np.minimum(np.exp(log_p), 1.0))
    return np.sum(not_chosen, axis=-1) - _chosen(not_chosen, seen) + _chosen(log_p, seen)


def _logistic_bernoullis(seen: Seen) -> Any:
    x = _logits(seen)
    return _chosen(x, seen) - np.sum(softplus(x), axis=-1)


# The index of the choice


def _no_index(setup: Setup, data: BoundTrials) -> Variants:
    if not _has(setup, "categorical"):
        return
    yield "the probabilities are summed over actions, so each log-likelihood is log 1 = 0", _categorical(
        lambda seen: np.zeros(_logits(seen).shape[:-1])
    )
    yield "the probabilities are averaged over actions", _categorical(
        lambda seen: np.full(_logits(seen).shape[:-1], -np.log(_logits(seen).shape[-1]))
    )
    yield "the log-probabilities of all actions are summed", _categorical(
        lambda seen: np.sum(_log_softmax(_logits(seen)), axis=-1)
    )
    yield "the log-probabilities of all actions are averaged", _categorical(
        lambda seen: np.mean(_log_softmax(_logits(seen)), axis=-1)
    )
    yield "the most probable action is taken for the choice", _categorical(
        lambda seen: np.max(_log_softmax(_logits(seen)), axis=-1)
    )


# Softmax


def _softmax(setup: Setup, data: BoundTrials) -> Variants:
    if not _has(setup, "categorical"):
        return
    axes = {
        "over subjects": (_SUBJECT,),
        "over trials": (_TRIAL,),
        "over subjects and actions (axis=None on a trial's array)": (_SUBJECT, _ACTION),
        "over trials and actions (axis=None on a person's array)": (_TRIAL, _ACTION),
        "over subjects, trials and actions (axis=None on the whole array)": (_SUBJECT, _TRIAL, _ACTION),
    }
    sizes = {_SUBJECT: data.n_subjects, _TRIAL: data.n_steps, _ACTION: 2}
    for word, along in axes.items():
        if any(sizes[axis] > 1 for axis in along if axis != _ACTION):
            yield word, _categorical(_along(along))
    for name, response in setup.parts.responses.items():
        if response.family == "categorical":
            yield from _other_axes(name, response.arguments)
    yield "twice: the probabilities are given as logits", _categorical(
        lambda seen: _chosen(_log_softmax(np.exp(_log_softmax(_logits(seen)))), seen)
    )
    yield "not at all: the logits are not normalised", _categorical(lambda seen: _chosen(_logits(seen), seen))
    yield "not at all: the logits are taken as probabilities that are to be normalised", _categorical(
        lambda seen: _chosen(np.log(_logits(seen) / np.sum(_logits(seen), axis=-1, keepdims=True)), seen)
    )


def _along(axes: tuple[int, ...]) -> Callable[[Seen], Any]:
    def likelihood(seen: Seen) -> Any:
        x = _logits(seen)
        # Filled-up trials are no part of anyone's array.
        valid = seen.setup.valid if seen.setup.valid.shape == x.shape[1:3] else np.ones(x.shape[1:3], bool)
        inside = np.where(valid[..., None], x, -np.inf)
        return _chosen(_log_softmax(inside, axes), seen)

    return likelihood


def _other_axes(name: str, arguments: Any) -> Variants:
    """Yield softmaxes along another axis of the table of values that the logits are taken from."""
    logits = arguments.get("logits")
    if logits is None:
        return
    for node in walk(logits):
        if node.op != "gather" or not any(leaf.op == "state" for leaf in walk(node.args[0])):
            continue
        positions = [i for i, letter in enumerate(node.attr("pattern")) if letter == "i"]
        if any(index.axes for index in node.args[1:]):
            continue
        for number, position in enumerate(positions):
            axis = node.args[0].axes[position]
            what = f"over '{axis.name}'" if axis.name else f"over axis {position}"
            yield f"{what} instead of over the actions", _over_table(name, node, number, axis.size, whole=False)
            yield f"{what} and the actions together", _over_table(name, node, number, axis.size, whole=True)


def _over_table(response: str, node: Node, number: int, size: int, *, whole: bool) -> Change:
    def likelihood(seen: Seen) -> Any:
        if seen.response != response:
            return _own(seen)
        logits = seen.setup.parts.responses[response].arguments["logits"]
        graphs = {}
        for entry in range(size):
            indices = [constant(entry) if i == number else index for i, index in enumerate(node.args[1:])]
            other = build("gather", node.args[0], *indices, pattern=node.attr("pattern"))
            swap: dict[Node, Node] = {node: other}
            graphs[str(entry)] = substitute({"": logits}, swap.get)[""]
        table = np.stack(list(seen.evaluate(graphs).values()), axis=-1)
        if whole:
            table = table.reshape(*table.shape[:-2], -1)
        top = np.max(table, axis=-1, keepdims=True)
        normaliser = (top + np.log(np.sum(np.exp(table - top), axis=-1, keepdims=True)))[..., 0]
        if whole:
            normaliser = normaliser[..., None]
        return _chosen(_logits(seen) - normaliser, seen)

    return _categorical(likelihood)


# Normal and Bernoulli responses


def _normal(setup: Setup, data: BoundTrials) -> Variants:
    if not _has(setup, "normal"):
        return
    ways: dict[str, Callable[[Any], Any]] = {
        "the standard deviation is taken for a variance": np.sqrt,
        "the variance is taken for a standard deviation": np.square,
        "the standard deviation is taken for a precision": lambda sd: 1 / np.sqrt(sd),
        "the standard deviation is inverted": lambda sd: 1 / sd,
    }
    for word, function in ways.items():
        yield word, _only("normal", _with_sd(function))
    yield "the constant log(2π) / 2 is left out", _only("normal", lambda s: _own(s) + 0.5 * np.log(2 * np.pi))
    yield "log sd and the constant are left out", _only("normal", _square_only)


def _with_sd(function: Callable[[Any], Any]) -> Callable[[Seen], Any]:
    def likelihood(seen: Seen) -> Any:
        sd = function(seen.arguments["sd"])
        z = (seen.value - seen.arguments["mean"]) / sd
        return -0.5 * z * z - np.log(sd) - 0.5 * np.log(2 * np.pi)

    return likelihood


def _square_only(seen: Seen) -> Any:
    return -0.5 * ((seen.value - seen.arguments["mean"]) / seen.arguments["sd"]) ** 2


def _other_side(setup: Setup, data: BoundTrials) -> Variants:
    if _has(setup, "bernoulli"):
        yield "", _only("bernoulli", lambda seen: _counted(-seen.arguments["logits"], seen))


def _counted(x: Any, seen: Seen) -> Any:
    log_p = np.where(seen.value == 1, -softplus(-x), -softplus(x))
    return np.where(seen.arguments["where"], log_p, 0.0) if "where" in seen.arguments else log_p


MISTAKES = (
    Mistake(
        "Bernoullis on one-hot choices",
        "each action is counted as a yes or no of its own, as if several, or none, could be chosen on one trial.",
        "Use one categorical likelihood: the log-probability of the chosen action, nothing for the others.",
        _one_hot,
    ),
    Mistake(
        "no index by the choice",
        "the likelihood never looks up the probability of the action that was chosen.",
        "Take the log-probability at the chosen action: log_p[trial, choice], or (log_p * one_hot).sum(axis=-1).",
        _no_index,
    ),
    Mistake(
        "softmax over something else",
        "the probabilities of one trial's actions do not sum to 1.",
        "Give softmax its axis, that of the actions: axis=-1. Without it, several libraries take the whole array.",
        _softmax,
    ),
    Mistake(
        "the other side of yes and no",
        "the probability of a yes is used where there was a no.",
        "Check which of the two options the logit belongs to.",
        _other_side,
    ),
    Mistake(
        "another spread",
        "the normal distribution's spread, or its constant, is another.",
        "Say which it is: PyMC's sigma is a standard deviation, tau a precision; Stan's and R's is a standard "
        "deviation.",
        _normal,
    ),
)
