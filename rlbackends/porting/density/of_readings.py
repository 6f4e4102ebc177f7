"""Mistakes of a prior's parameterisation: sd and variance, rate and scale, order, logarithm, family."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rlbackends.population.priors import Normal, Prior
from rlbackends.porting.density import readings as r
from rlbackends.porting.density.mistakes import Mistake, Try, prior_of
from rlbackends.porting.density.ours import Ours

_MEANT = "Give the numbers of {prior} as the other library takes them."


def _read(
    reading: Callable[[Prior], Iterator[r.Reading]], power: float | None = None
) -> Callable[[Ours], Iterator[Try]]:
    """Return what finds a try for each latent whose prior has such a reading, and one for all of them.

    A ``power`` is that of the sds around which centred parameters are normal.
    """

    def find(ours: Ours) -> Iterator[Try]:
        firsts: dict[str, np.ndarray] = {}
        for name, latent in ours.latents.items():
            if latent.prior is None:
                if power is not None:
                    found = [(f"its sd ** {power:g}", "", _around(ours, name, power))]
                else:
                    found = []
            else:
                found = [(x.text, _fix(latent.prior, x), _under(ours, name, x)) for x in reading(latent.prior)]
            for text, fix, expected in found:
                firsts.setdefault(name, expected)
                yield Try(f"{name} ({text})", frozenset([prior_of(name)]), expected, fix=fix)
        if len(firsts) > 1:
            expected = np.sum(list(firsts.values()), axis=0)
            yield Try("every latent that has such numbers", frozenset(map(prior_of, firsts)), expected)

    return find


def _under(ours: Ours, name: str, reading: r.Reading) -> np.ndarray:
    with np.errstate(all="ignore"):
        other = [np.sum(reading.log_density(np.asarray(v[name]))) for v in ours.values]
        return np.array(other) - ours.log_prior[name].sum(axis=1)


def _around(ours: Ours, name: str, power: float) -> np.ndarray:
    parents = ours.latents[name].parents
    assert parents is not None
    found = []
    with np.errstate(all="ignore"):
        for v in ours.values:
            location, sd = (float(v[parent]) for parent in parents)
            found.append(np.sum(Normal(location, sd**power).log_density(v[name])))
    return np.array(found) - ours.log_prior[name].sum(axis=1)


def _fix(ours: Prior, reading: r.Reading) -> str:
    text = _MEANT.format(prior=ours)
    if reading.prior is not None:
        text += f" To do here as the old program does: rl.priors.{reading.prior}."
    return text


OF_READINGS = (
    Mistake(
        "sd as variance",
        "The sd of the prior of {what} is taken for a variance.",
        "Give variances there.",
        _read(r.respread(0.5), 0.5),
    ),
    Mistake(
        "sd as precision",
        "The sd of the prior of {what} is taken for a precision, 1/sd², as BUGS and JAGS do.",
        "Give precisions there.",
        _read(r.respread(-0.5), -0.5),
    ),
    Mistake(
        "variance as sd",
        "A variance stands where the sd of the prior of {what} is expected.",
        "Give its square root.",
        _read(r.respread(2.0), 2.0),
    ),
    Mistake(
        "precision as sd",
        "A precision stands where the sd of the prior of {what} is expected.",
        "Give 1/√precision.",
        _read(r.respread(-2.0), -2.0),
    ),
    Mistake(
        "rate as scale",
        "The rate of the prior of {what} is taken for a scale: its mean is the inverse of what is meant.",
        "Give 1/rate there.",
        _read(r.rate_as_scale),
    ),
    Mistake(
        "mean and sd of a gamma",
        "A gamma's shape and rate, and its mean and sd, are mixed up in the prior of {what}.",
        "Give shape and rate by their names.",
        _read(r.by_mean_and_sd),
    ),
    Mistake(
        "mean and concentration of a beta",
        "A beta's two shapes, and its mean and concentration, are mixed up in the prior of {what}.",
        "Give both shapes by their names.",
        _read(r.by_mean_and_concentration),
    ),
    Mistake(
        "order of numbers",
        "The numbers of the prior of {what} are in another order.",
        "Give them by their names.",
        _read(r.swapped),
    ),
    Mistake(
        "another logarithm",
        "The log-normal prior of {what} is of another logarithm.",
        "Use the natural logarithm, with the Jacobian 1/x.",
        _read(r.another_logarithm),
    ),
    Mistake(
        "another distribution",
        "The prior of {what} is of another distribution.",
        "Use the same distribution.",
        _read(r.another_family),
    ),
    Mistake(
        "prior on the variance",
        "The prior of {what} is put on the square: on a variance, for an sd.",
        "Put it on the sd.",
        lambda ours: (
            x for with_jacobian in (True, False) for x in _read(r.of_a_power(2, with_jacobian=with_jacobian))(ours)
        ),
    ),
    Mistake(
        "prior on the precision",
        "The prior of {what} is put on 1/x²: on a precision, for an sd.",
        "Put it on the sd.",
        lambda ours: (
            x for with_jacobian in (True, False) for x in _read(r.of_a_power(-2, with_jacobian=with_jacobian))(ours)
        ),
    ),
)
