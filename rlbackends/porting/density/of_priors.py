"""Mistakes of how often a prior counts, and of its normalisation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from rlbackends.population import priors as p
from rlbackends.population.layout import Latent
from rlbackends.porting.density.mistakes import Mistake, Try, each_and_all, jacobian_of, prior_of
from rlbackends.porting.density.ours import Ours

_HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _times(factor: float) -> Callable[[Ours], Iterator[Try]]:
    def find(ours: Ours) -> Iterator[Try]:
        found = {name: factor * values.sum(axis=1) for name, values in ours.log_prior.items()}
        yield from each_and_all(found, prior_of, "every latent")

    return find


def _per_subject(ours: Ours) -> Iterator[Try]:
    """Priors of what is one for all, in a loop over subjects; with the Jacobian, and without."""
    n = ours.n_subjects - 1
    group = [name for name, latent in ours.latents.items() if not latent.per_subject]
    if not n or not group:
        return
    priors = {name: n * ours.log_prior[name].sum(axis=1) for name in group}
    yield from each_and_all(priors, prior_of, "every latent of the group")
    both = {name: n * ours.log_jacobian[name].sum(axis=1) for name in group if name in ours.log_jacobian}
    if not both or not ours.has_jacobians:
        return
    for name, jacobian in both.items():
        changes = frozenset([prior_of(name), jacobian_of(name)])
        yield Try(f"{name}, with its Jacobian", changes, priors[name] + jacobian)
    if len(group) > 1:
        changes = frozenset([*map(prior_of, group), *map(jacobian_of, both)])
        expected = np.sum([*priors.values(), *both.values()], axis=0)
        yield Try("every latent of the group, with Jacobians", changes, expected)


def _once(kept: Callable[[np.ndarray], np.ndarray]) -> Callable[[Ours], Iterator[Try]]:
    """Return what finds tries in which this is all that is kept of subjects' priors."""

    def find(ours: Ours) -> Iterator[Try]:
        if ours.n_subjects > 1:
            found = {
                name: kept(values) - values.sum(axis=1)
                for name, values in ours.log_prior.items()
                if ours.latents[name].per_subject
            }
            yield from each_and_all(found, prior_of, "everything that subjects have")

    return find


def _constants(
    value: Callable[[p.Prior], float | None], everything: str = "every latent"
) -> Callable[[Ours], Iterator[Try]]:
    """Return what finds tries that lack a constant of each entry's prior."""

    def find(ours: Ours) -> Iterator[Try]:
        found = {}
        for name, latent in ours.latents.items():
            constant = None if latent.prior is None else value(latent.prior)
            if constant:
                found[name] = np.full(ours.n_points, -constant * ours.log_prior[name].shape[1])
        yield from each_and_all(found, prior_of, everything)

    return find


def _of_pi(prior: p.Prior) -> float | None:
    return -_HALF_LOG_2PI if isinstance(prior, p.Normal | p.HalfNormal | p.LogNormal) else None


_NORMS: Mapping[type, Callable[..., float]] = {
    p.Normal: lambda q: -math.log(q.sd) - _HALF_LOG_2PI,
    p.LogNormal: lambda q: -math.log(q.sd) - _HALF_LOG_2PI,
    p.HalfNormal: lambda q: math.log(2) - math.log(q.sd) - _HALF_LOG_2PI,
    p.HalfCauchy: lambda q: math.log(2 / math.pi) - math.log(q.scale),
    p.StudentT: lambda q: (
        math.lgamma((q.df + 1) / 2) - math.lgamma(q.df / 2) - 0.5 * math.log(q.df * math.pi) - math.log(q.scale)
    ),
    p.Exponential: lambda q: math.log(q.rate),
    p.Gamma: lambda q: q.shape * math.log(q.rate) - math.lgamma(q.shape),
    p.Beta: lambda q: math.lgamma(q.a + q.b) - math.lgamma(q.a) - math.lgamma(q.b),
    p.Uniform: lambda q: -math.log(q.hi - q.lo),
}


def _norm(prior: p.Prior) -> float | None:
    function = _NORMS.get(type(prior))
    return None if function is None else function(prior)


def _spread(ours: Ours) -> Iterator[Try]:
    """Normal priors around a group without the logarithm of its sd, which is no constant."""
    found = {}
    for name, latent in ours.latents.items():
        if latent.parents is not None:
            size = ours.log_prior[name].shape[1]
            found[name] = np.array([size * np.log(v[latent.parents[1]]) for v in ours.values])
    yield from each_and_all(found, prior_of, "every centred parameter")


def _truncated(ours: Ours) -> Iterator[Try]:
    """Normal priors that are cut off where a parameter's support ends, or at 0 or 1, and renormalised."""
    for lo, hi in ((0.0, math.inf), (0.0, 1.0), (-1.0, 1.0)):
        found = {}
        for name, latent in ours.latents.items():
            if latent.parents is None and not isinstance(latent.prior, p.Normal):
                continue
            rows = [_mass(latent, v, lo, hi) for v in ours.values]
            found[f"{name}"] = -ours.log_prior[name].shape[1] * np.log(rows)
        where = f"at {lo:g}" if math.isinf(hi) else f"at {lo:g} and {hi:g}"
        for name, expected in found.items():
            yield Try(f"{name} ({where})", frozenset([prior_of(name)]), expected)


def _mass(latent: Latent, values: Mapping[str, np.ndarray], lo: float, hi: float) -> float:
    """Return how much of a normal prior lies between two bounds; NaN if a value does not."""
    x = np.asarray(values[latent.name])
    if np.any(x < lo) or np.any(x > hi):
        return math.nan
    if latent.parents is not None:
        mean, sd = (float(values[parent]) for parent in latent.parents)
    else:
        assert isinstance(latent.prior, p.Normal)
        mean, sd = latent.prior.mean, latent.prior.sd
    below, upto = (0.5 * math.erfc(-(bound - mean) / sd / math.sqrt(2)) for bound in (lo, hi))
    return upto - below


OF_PRIORS = (
    Mistake(
        "prior missing",
        "The prior of {what} is left out: it is flat on the natural scale.",
        "Add it. If flat is meant, say so here: a wide prior in the population.",
        _times(-1.0),
    ),
    Mistake("prior twice", "The prior of {what} is counted twice.", "Count it once.", _times(1.0)),
    Mistake(
        "prior once per subject",
        "The prior of {what} is counted once per subject, though there is one value for all.",
        "Take it out of the loop over subjects.",
        _per_subject,
    ),
    Mistake(
        "prior of one subject only",
        "The prior of {what} is counted for the first subject only.",
        "Sum it over subjects.",
        _once(lambda values: values[:, 0]),
    ),
    Mistake(
        "prior averaged over subjects",
        "The prior of {what} is averaged over subjects.",
        "Sum it over subjects.",
        _once(lambda values: values.mean(axis=1)),
    ),
    Mistake(
        "not folded",
        "The prior of {what} is that of both signs (a Normal or Cauchy for a half one), so its density is half as "
        "high; PyMC 3's Bound did so, too.",
        "Add log 2 a value, or use HalfNormal or HalfCauchy; it is a constant.",
        _constants(
            lambda prior: math.log(2) if isinstance(prior, p.HalfNormal | p.HalfCauchy) else None,
            "every half-normal or half-Cauchy latent",
        ),
    ),
    Mistake(
        "½ log 2π missing",
        "The prior of {what} lacks the −½ log 2π of a normal distribution.",
        "Add it; it is a constant.",
        _constants(_of_pi, "every normal, half-normal or log-normal latent"),
    ),
    Mistake(
        "normalisation missing",
        "The prior of {what} lacks its normalisation.",
        "Add it; it is a constant. (Stan's `~` leaves it out, `target += ..._lpdf` does not.)",
        _constants(_norm),
    ),
    Mistake(
        "truncated",
        "The normal prior of {what} is truncated and renormalised.",
        "If that is meant, use a parameter with bounds and a link into them here; otherwise leave the bounds out.",
        _truncated,
    ),
    Mistake(
        "−log sd missing",
        "The prior of {what} lacks the −log sd of each subject's normal distribution, which is no constant: it keeps "
        "the sd from growing.",
        "Add it: subtract log sd once per subject.",
        _spread,
    ),
)
