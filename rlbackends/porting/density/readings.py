"""Other readings of a prior's numbers: the distributions that an old program may have meant, or not meant."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace

import numpy as np

from rlbackends.population import priors as p

Density = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Reading:
    """Another distribution: in words, its log-density, and our prior that is the same, if there is one."""

    text: str
    log_density: Density
    prior: p.Prior | None = None


def _same_as(prior: p.Prior | None) -> Iterator[Reading]:
    if prior is not None:
        yield Reading(str(prior), prior.log_density, prior)


def spread_of(prior: p.Prior | None) -> str | None:
    """Return the name of a prior's number that is a standard deviation or scale."""
    if isinstance(prior, p.Normal | p.HalfNormal | p.LogNormal):
        return "sd"
    return "scale" if isinstance(prior, p.StudentT | p.HalfCauchy) else None


def respread(power: float) -> Callable[[p.Prior], Iterator[Reading]]:
    """Return what reads the sd as a power of itself."""

    def read(prior: p.Prior) -> Iterator[Reading]:
        name = spread_of(prior)
        if name is not None:
            yield from _same_as(replace(prior, **{name: getattr(prior, name) ** power}))

    return read


def rate_as_scale(prior: p.Prior) -> Iterator[Reading]:
    """An exponential or gamma distribution whose rate is taken for a scale."""
    if isinstance(prior, p.Exponential | p.Gamma):
        yield from _same_as(replace(prior, rate=1 / prior.rate))


def by_mean_and_sd(prior: p.Prior) -> Iterator[Reading]:
    """A gamma distribution whose two numbers are taken for its mean and sd; or whose mean and sd are given for them."""
    if isinstance(prior, p.Gamma):
        mean, sd = prior.shape, prior.rate
        yield from _same_as(p.Gamma((mean / sd) ** 2, mean / sd**2))
        mean, sd = prior.shape / prior.rate, math.sqrt(prior.shape) / prior.rate
        yield from _same_as(p.Gamma(mean, sd))


def by_mean_and_concentration(prior: p.Prior) -> Iterator[Reading]:
    """The same of a beta distribution, with its mean and the sum of its shapes."""
    if isinstance(prior, p.Beta):
        if prior.a < 1:
            yield from _same_as(p.Beta(prior.a * prior.b, (1 - prior.a) * prior.b))
        yield from _same_as(p.Beta(prior.a / (prior.a + prior.b), prior.a + prior.b))


def swapped(prior: p.Prior) -> Iterator[Reading]:
    """The prior's numbers in every other order that is one."""
    names = [item.name for item in fields(prior)]
    if len(names) < 2 or isinstance(prior, p.Uniform):
        return
    numbers = [getattr(prior, name) for name in names]
    for order in itertools.permutations(numbers):
        given = dict(zip(names, order, strict=True))
        if order != tuple(numbers) and all(given[name] > 0 for name in prior.positive):
            yield from _same_as(type(prior)(**given))


def another_logarithm(prior: p.Prior) -> Iterator[Reading]:
    """A log-normal distribution to another base, without its 1/x, or by the number's own median."""
    if not isinstance(prior, p.LogNormal):
        return
    normal = p.Normal(prior.mean, prior.sd)
    for base in (2, 10):
        yield Reading(f"log{base} x ~ {normal}", _to_base(base, normal))
    yield Reading(f"the density {normal} of log x, without the 1/x", lambda x: normal.log_density(np.log(x)))
    if prior.mean > 0:
        yield from _same_as(p.LogNormal(math.log(prior.mean), prior.sd))


def _to_base(base: int, normal: p.Normal) -> Density:
    log = math.log(base)
    return lambda x: normal.log_density(np.log(x) / log) - np.log(x * log)


def another_family(prior: p.Prior) -> Iterator[Reading]:
    """The neighbours: half-Cauchy for half-normal, Cauchy for normal, inverse gamma for gamma."""
    if isinstance(prior, p.HalfNormal):
        yield from _same_as(p.HalfCauchy(prior.sd))
    elif isinstance(prior, p.HalfCauchy):
        yield from _same_as(p.HalfNormal(prior.scale))
    elif isinstance(prior, p.Normal):
        yield from _same_as(p.StudentT(1.0, prior.mean, prior.sd))
    elif isinstance(prior, p.StudentT):
        yield from _same_as(p.Normal(prior.mean, prior.scale))
        yield from _same_as(p.StudentT(1.0, prior.mean, prior.scale))
    elif isinstance(prior, p.Gamma):
        yield Reading(
            f"InverseGamma(shape={prior.shape:g}, rate={prior.rate:g})",
            lambda x: prior.log_density(1 / x) - 2 * np.log(x),
        )


def of_a_power(power: float, *, with_jacobian: bool) -> Callable[[p.Prior], Iterator[Reading]]:
    """Return what reads a positive number's prior as that of a power of it, such as an sd's as that of a variance."""

    def read(prior: p.Prior) -> Iterator[Reading]:
        if prior.bounds == (0.0, math.inf):
            log_slope = math.log(abs(power))
            yield Reading(
                f"{prior} of x{'²' if power == 2 else '⁻²'}"
                + (", with the Jacobian" if with_jacobian else ", without a Jacobian"),
                lambda x: prior.log_density(x**power) + with_jacobian * (log_slope + (power - 1) * np.log(x)),
            )

    return read
