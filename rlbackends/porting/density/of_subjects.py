"""Mistakes of how subjects' parameters are made of latents: centred or not, the sd's place, another link."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from rlbackends.expressions import functions as f
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.standin import Expression
from rlbackends.model.supports import Support
from rlbackends.population.links import LINKS, family
from rlbackends.population.priors import Normal
from rlbackends.porting.density.mistakes import LIKELIHOOD, Mistake, Try, prior_of
from rlbackends.porting.density.ours import Ours

Change = tuple[Mapping[str, Any], np.ndarray | float, frozenset[str]]
"""Values of latents that the likelihood is at, what is added to the priors, and which priors that changes."""


def _single(name: str, names: Sequence[str], suffix: str) -> str | None:
    """Return the one latent of a parameter with this suffix, or None."""
    return f"{name}_{suffix}" if f"{name}_{suffix}" in names else None


def _tries(
    ours: Ours, change: Callable[[Ours, str, Mapping[str, np.ndarray]], Change | None], plural: str
) -> Iterator[Try]:
    """Give a try for each parameter whose latents can be changed so, and one for all."""
    base = ours.parameters()
    found: dict[str, Try] = {}
    for name in ours.layout.natural:
        changes = [change(ours, name, values) for values in ours.values]
        if any(c is None for c in changes):
            continue
        values, extra, priors = zip(*[c for c in changes if c is not None], strict=True)
        params = None
        if any(values):
            changed = ours.parameters(values)
            params = [{**b, name: c[name]} for b, c in zip(base, changed, strict=True)]
        terms = frozenset(priors[0]) | ({LIKELIHOOD} if params is not None else frozenset())
        found[name] = Try(name, terms, np.array(extra, dtype=float), params, frozenset([name]))
        yield found[name]
    yield from _together(list(found.values()), base, plural)


def _together(found: Sequence[Try], base: Sequence[Mapping[str, np.ndarray]], what: str) -> Iterator[Try]:
    if len(found) < 2:
        return
    yield together(found, base, what)


def together(found: Sequence[Try], base: Sequence[Mapping[str, np.ndarray]], what: str) -> Try:
    """Return tries of different parameters as one, at whose parameters the likelihood is computed anew."""
    params = None
    if any(x.params is not None for x in found):
        params = [dict(values) for values in base]
        for x in found:
            for point, changed in zip(params, x.params or [], strict=x.params is not None):
                point.update({name: changed[name] for name in x.parameters})
    return Try(
        what, frozenset().union(*(x.changes for x in found)), np.sum([x.expected for x in found], axis=0), params,
        frozenset().union(*(x.parameters for x in found)),
    )  # fmt: skip


# Centred or not


def _centred_prior(values: Mapping[str, np.ndarray], name: str, location: str, sd: str) -> float:
    """Return how much higher the prior of offsets is if it is normal around the group."""
    spread = float(values[sd])
    if not spread > 0:
        return -np.inf
    group = Normal(float(values[location]), spread)
    return float(np.sum(group.log_density(values[name]) - Normal(0.0, 1.0).log_density(values[name])))


def _offset_as_value(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> Change | None:
    location, sd, offset = (_single(name, ours.layout.names, x) for x in ("location", "sd", "offset"))
    if location is None or sd is None or offset is None:
        return None
    return {location: 0.0, sd: 1.0}, 0.0, frozenset()


def _centred_for_offset(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> Change | None:
    location, sd, offset = (_single(name, ours.layout.names, x) for x in ("location", "sd", "offset"))
    if location is None or sd is None or offset is None:
        return None
    more = _centred_prior(values, offset, location, sd)
    return {location: 0.0, sd: 1.0}, more, frozenset([prior_of(offset)])


def _group_prior_for_offset(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> Change | None:
    location, sd, offset = (_single(name, ours.layout.names, x) for x in ("location", "sd", "offset"))
    if location is None or sd is None or offset is None:
        return None
    return {}, _centred_prior(values, offset, location, sd), frozenset([prior_of(offset)])


def _linear(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> tuple[str, np.ndarray, float] | None:
    """Return a centred parameter's latent, what it would be as an offset, and how much higher its prior then is."""
    linear = _single(name, ours.layout.names, "linear")
    if linear is None:
        return None
    location, sd = ours.latents[linear].parents or ("", "")
    return (
        linear,
        values[location] + values[sd] * values[linear],
        -_centred_prior(values, linear, location, sd),
    )


def _offset_for_centred(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> Change | None:
    found = _linear(ours, name, values)
    return None if found is None else ({found[0]: found[1]}, found[2], frozenset([prior_of(found[0])]))


def _moved_twice(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> Change | None:
    found = _linear(ours, name, values)
    return None if found is None else ({found[0]: found[1]}, 0.0, frozenset())


def _standard_prior(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> Change | None:
    found = _linear(ours, name, values)
    return None if found is None else ({}, found[2], frozenset([prior_of(found[0])]))


# The sd's and the location's place


def _with_sd(function: Callable[[np.ndarray], Any]) -> Callable[[Ours], Iterator[Try]]:
    """Return what finds tries in which each offset is multiplied by this function of the sd."""

    def change(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> Change | None:
        sds = [x for x in ours.layout.names if x == f"{name}_sd" or x.startswith(f"{name}_sd[")]
        if not sds or _single(name, ours.layout.names, "linear"):
            return None
        with np.errstate(all="ignore"):
            return {sd: np.asarray(function(values[sd])) for sd in sds}, 0.0, frozenset()

    return lambda ours: _tries(ours, change, "all parameters")


def _no_location(ours: Ours, name: str, values: Mapping[str, np.ndarray]) -> Change | None:
    location = _single(name, ours.layout.names, "location")
    if location is None or not any(x.startswith(f"{name}_offset") for x in ours.layout.names):
        return None
    return {location: 0.0}, 0.0, frozenset()


# Links


def _times(height: float, curve: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: height * curve(x)


_CURVES: dict[str, Callable[[Any], Any]] = {
    "the cumulative normal (probit)": f.ndtr,
    "the logistic function (logit)": f.sigmoid,
    "the logistic function of 1.7 x": lambda x: f.sigmoid(1.7 * x),
    "the logistic function of 1.702 x": lambda x: f.sigmoid(1.702 * x),
    "the approximation logistic(1.5976 x + 0.07056 x³)": lambda x: f.sigmoid(1.5976 * x + 0.07056 * x * x * x),
}
_OF_POSITIVE: dict[str, Callable[[Any], Any]] = {
    "the exponential": f.exp,
    "softplus": f.softplus,
    "the value itself, without a link": lambda x: x,
    "its absolute value": f.abs,
    "its square": lambda x: x * x,
    **{
        f"{height} times the {word}": _times(height, curve)
        for height in (1, 5, 10, 20, 30)
        for word, curve in (
            ("cumulative normal", f.ndtr),
            ("logistic function", f.sigmoid),
            ("approximate cumulative normal, logistic(1.5976 x + 0.07056 x³)",
             _CURVES["the approximation logistic(1.5976 x + 0.07056 x³)"]),
        )
    },
}  # fmt: skip
_OF_REALS: dict[str, Callable[[Any], Any]] = {"the exponential": f.exp, "the hyperbolic tangent": f.tanh}
_LINK_OPS = {"ndtr", "sigmoid", "exp", "softplus"}


def curves_of(support: Support) -> dict[str, Callable[[Any], Any]]:
    """Return the links that another program may have into a support, by their words."""
    kind = family(support)
    if kind == "real":
        return _OF_REALS
    if kind == "positive":
        return _OF_POSITIVE

    def scaled(curve: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if (support.lo, support.hi) == (0.0, 1.0):
            return curve
        return lambda x: support.lo + (support.hi - support.lo) * curve(x)

    return {word: scaled(curve) for word, curve in _CURVES.items()}


def linear_part(graph: Node, link: str) -> Node | None:
    """Return what the link of a parameter's graph is applied to."""
    if link == "identity":
        return graph
    found = [node for node in walk(graph) if node.op in _LINK_OPS]
    return found[-1].args[0] if found else None


def _links(ours: Ours) -> Iterator[Try]:
    base = ours.parameters()
    by_word: dict[str, list[Try]] = {}
    for name, graph in ours.layout.natural.items():
        link = ours.layout.description[name].get("link", "")
        linear = linear_part(graph, link) if link in LINKS else None
        if linear is None or name in ours.layout.names:  # a prior of its own, without a link
            continue
        support = ours.compiled.model.parameters[name].support
        for word, curve in curves_of(support).items():
            node = curve(Expression(linear)).node
            if node is graph:
                continue
            params = [{**b, name: c[name]} for b, c in zip(base, ours.parameters(graphs={name: node}), strict=True)]
            one = Try(
                f"{name} ({word}, ours is {link})", frozenset([LIKELIHOOD]), np.zeros(ours.n_points), params,
                frozenset([name]),
            )  # fmt: skip
            by_word.setdefault(f"{word}, ours is {link}", []).append(one)
            yield one
    for word, found in by_word.items():
        several = " and ".join(sorted(name for x in found for name in x.parameters))
        yield from _together(found, base, f"{several} ({word})")


def _rows(change: Callable[[Ours, str, Mapping[str, np.ndarray]], Change | None]) -> Callable[[Ours], Iterator[Try]]:
    return lambda ours: _tries(ours, change, "all such parameters")


_CENTRED = "If that is meant, say it here, too: rl.Pooling(centred=True)."
_NOT_CENTRED = "If that is meant, leave out centred=True here."
OF_SUBJECTS = (
    Mistake(
        "another link",
        "Subjects' {what} comes from another link.",
        "Use the same link; here it is rl.Pooling(link=...).",
        _links,
    ),
    Mistake(
        "centred, ours is not",
        "The offsets of {what} are taken for subjects' values on the link scale, with the group's normal distribution "
        "as their prior.",
        f"Give both programs the same variables. {_CENTRED}",
        _rows(_centred_for_offset),
    ),
    Mistake(
        "offset taken for the value",
        "The offsets of {what} are taken for subjects' values on the link scale, so the group has no effect on them.",
        "Use location + sd · offset.",
        _rows(_offset_as_value),
    ),
    Mistake(
        "group's prior for the offset",
        "Subjects' {what} is location + sd · offset, and its offsets have the group's normal distribution besides: the "
        "group counts twice.",
        "Give the offsets a standard normal prior.",
        _rows(_group_prior_for_offset),
    ),
    Mistake(
        "not centred, ours is",
        "Subjects' values of {what} are taken for standard normal offsets, and moved and stretched by the group.",
        f"Give both programs the same variables. {_NOT_CENTRED}",
        _rows(_offset_for_centred),
    ),
    Mistake(
        "moved twice",
        "Subjects' values of {what} have the group's normal distribution as their prior, and are moved and stretched "
        "by the group besides.",
        "Use the value as it is.",
        _rows(_moved_twice),
    ),
    Mistake(
        "standard prior of a centred value",
        "Subjects' values of {what} have a standard normal prior, so the group has no effect on them.",
        "Give them the group's location and sd.",
        _rows(_standard_prior),
    ),
    Mistake(
        "sd not used",
        "The offsets of {what} are not multiplied by the sd.",
        "Multiply them.",
        _with_sd(np.ones_like),
    ),
    Mistake(
        "√sd for sd",
        "The offsets of {what} are multiplied by √sd: the sd is taken for a variance.",
        "Multiply them by the sd.",
        _with_sd(np.sqrt),
    ),
    Mistake(
        "sd² for sd",
        "The offsets of {what} are multiplied by the sd's square, a variance.",
        "Multiply them by the sd.",
        _with_sd(np.square),
    ),
    Mistake(
        "1/√sd for sd",
        "The offsets of {what} are multiplied by 1/√sd: the sd is taken for a precision.",
        "Multiply them by the sd.",
        _with_sd(lambda x: x**-0.5),
    ),
    Mistake(
        "1/sd for sd",
        "The offsets of {what} are divided by the sd.",
        "Multiply them by the sd.",
        _with_sd(lambda x: 1 / x),
    ),
    Mistake(
        "exp(sd) for sd",
        "The offsets of {what} are multiplied by exp(sd): the sd is taken for its logarithm.",
        "Multiply them by the sd.",
        _with_sd(np.exp),
    ),
    Mistake(
        "location not added",
        "The location of {what} is not added to its offsets.",
        "Add it.",
        _rows(_no_location),
    ),
)
