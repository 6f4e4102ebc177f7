"""Do two samplers draw from the same distribution? Tests that know how much chance moves autocorrelated draws.

Two kinds of differences are looked at, of every quantity: of means, and of the shares of draws below seven points of
the pooled distribution (`SHARES`). Each is divided by its Monte Carlo standard error, in which as many draws count as
are worth an independent one (the effective sample size of that very mean or share), so chains that hold on to where
they are raise no alarm. The thresholds are those of the largest of so many differences (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

SHARES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_LEAST_OF_CHAIN = 4
_LEAST_CELLS = 20.0  # effective draws on either side of a point, below which a share's error is not normal


@dataclass(frozen=True)
class Draws:
    """A sampler's draws of all quantities.

    Attributes
    ----------
    names : tuple of str
        ``alpha_location``, ``alpha[ann]``, …
    values : numpy.ndarray
        (chain, draw, quantity).
    """

    names: tuple[str, ...]
    values: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """The draws of all chains, (draw, quantity)."""
        return self.values.reshape(-1, self.values.shape[-1])


@dataclass(frozen=True)
class Difference:
    """The largest difference of one kind, in Monte Carlo standard errors.

    Attributes
    ----------
    z : float
        Its size.
    threshold : float
        What the largest of all ``count`` exceeds by chance, at the rate that was asked for.
    expected : float
        What the largest is by chance in the middle of all cases (its median).
    count : int
        How many differences there are.
    where : str
        The quantity; for a share with its point.
    """

    z: float
    threshold: float
    expected: float
    count: int
    where: str

    @property
    def holds(self) -> bool:
        """Whether chance explains it."""
        return bool(self.z <= self.threshold)


@dataclass(frozen=True)
class Comparison:
    """A sampler's draws beside the reference's.

    Attributes
    ----------
    means, shares : Difference
        Of the means, and of the shares of draws below seven points of the distribution.
    mean_sds : float
        The largest difference of means in the reference's standard deviations, and where it is.
    mean_where : str
    sd_low, sd_high : float
        The smallest and the largest ratio of standard deviations, and where the one further from 1 is.
    sd_where : str
    """

    means: Difference
    shares: Difference
    mean_sds: float
    mean_where: str
    sd_low: float
    sd_high: float
    sd_where: str

    @property
    def agrees(self) -> bool:
        """Whether chance explains both differences."""
        return self.means.holds and self.shares.holds


def compare_draws(one: Draws, reference: Draws, rate: float) -> Comparison:
    """Compare a sampler's draws with the reference's.

    Parameters
    ----------
    one, reference : Draws
        Of the same quantities.
    rate : float
        How often two right samplers are told apart by chance: half of it for the means, half for the shares.
    """
    means, mean_errors = _means(one)
    others, other_errors = _means(reference)
    sds, other_sds = one.flat.std(axis=0), reference.flat.std(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (means - others) / np.hypot(mean_errors, other_errors)
        apart = (means - others) / other_sds
        ratios = np.where(other_sds > 0, sds / other_sds, np.nan)
    worst, extreme = _largest(apart), _largest(np.log(np.maximum(ratios, 1e-300)))
    return Comparison(
        largest(z, one.names, rate / 2), _shares(one, reference, rate / 2),
        abs(float(apart[worst])), one.names[worst],
        float(np.nanmin(ratios)), float(np.nanmax(ratios)), one.names[extreme],
    )  # fmt: skip


def _means(draws: Draws) -> tuple[np.ndarray, np.ndarray]:
    """Return each quantity's mean and its Monte Carlo standard error."""
    flat = draws.flat
    if len(flat) < 2:  # a point
        return flat.mean(axis=0), np.full(flat.shape[1], np.nan)
    return flat.mean(axis=0), flat.std(axis=0, ddof=1) / np.sqrt(effective(draws.values))


def _shares(one: Draws, reference: Draws, rate: float) -> Difference:
    """Return the largest difference of shares below points of the pooled distribution."""
    points = pooled_quantiles(one, reference)
    found, names = [], []
    for share, at in zip(SHARES, points, strict=True):
        below, other = one.values <= at, reference.values <= at
        p, q = below.mean(axis=(0, 1)), other.mean(axis=(0, 1))
        n, m = effective(below), effective(other)
        # Where one sampler has no draw, or all of them, below the point, the draws say nothing of how they hold on to
        # where they are; they are then taken for as good as they are on the whole.
        n = np.where(np.isfinite(n), n, effective(one.values))
        m = np.where(np.isfinite(m), m, effective(reference.values))
        middle = (n * p + m * q) / (n + m)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (p - q) / np.sqrt(middle * (1 - middle) * (1 / n + 1 / m))
        z[np.minimum(n, m) * np.minimum(middle, 1 - middle) < _LEAST_CELLS] = 0.0
        found.append(z)
        names += [f"{name} at its {100 * share:g} % point" for name in one.names]
    return largest(np.concatenate(found), names, rate)


def pooled_quantiles(one: Draws, reference: Draws) -> np.ndarray:
    """Return the points of the mixture in which both samplers have the same weight, (share, quantity)."""
    a, b = one.flat, reference.flat
    values = np.concatenate([a, b])
    weights = np.concatenate([np.full(len(a), 0.5 / len(a)), np.full(len(b), 0.5 / len(b))])
    order = np.argsort(values, axis=0)
    below = np.cumsum(weights[order], axis=0)
    ordered = np.take_along_axis(values, order, axis=0)
    rows = [(below < share).sum(axis=0).clip(max=len(values) - 1) for share in SHARES]
    return np.stack([np.take_along_axis(ordered, row[None], axis=0)[0] for row in rows])


def largest(z: np.ndarray, names: Any, rate: float) -> Difference:
    """Return the largest of several differences that are given in standard errors."""
    finite = np.where(np.isnan(z), 0.0, np.abs(z))
    place = int(np.argmax(finite))
    return Difference(
        float(finite[place]), threshold(len(z), rate), threshold(len(z), 0.5), len(z), str(list(names)[place])
    )


def threshold(count: int, rate: float) -> float:
    """Return what the largest of ``count`` standard normal sizes exceeds with this probability, if independent."""
    from scipy.special import ndtri

    # 1 − (1 − rate)^(1/count) without cancellation; dependent ones exceed it more rarely.
    single = -math.expm1(math.log1p(-rate) / count)
    return float(-ndtri(single / 2))


def effective(values: np.ndarray) -> np.ndarray:
    """Return the effective sample size of each quantity's mean, (chain, draw, quantity) → (quantity,).

    NaN where all draws are the same, or there are fewer than four of a chain.
    """
    if values.shape[1] < _LEAST_OF_CHAIN:
        return np.full(values.shape[2], np.nan)
    import arviz as az
    import xarray as xr

    dataset = xr.Dataset({"x": (("chain", "draw", "quantity"), np.asarray(values, dtype=np.float64))})
    with np.errstate(all="ignore"):
        found = np.array(az.ess(dataset, method="mean")["x"].values, dtype=np.float64)
    found[np.ptp(dataset["x"].values, axis=(0, 1)) == 0] = np.nan
    return found


def _largest(values: np.ndarray) -> int:
    return int(np.argmax(np.where(np.isfinite(values), np.abs(values), -1.0)))


def quantities(posterior: Any, latents: Mapping[str, bool], parameters: Any) -> Draws:
    """Return the draws that are compared: the group's latents, and the subjects' parameters on the natural scale.

    Parameters
    ----------
    posterior : xarray.Dataset
        Of a fit.
    latents : mapping of str to bool
        Name → whether it has one value per subject. Those that have are compared as the parameters that they make up.
    parameters : iterable of str
        The model's.
    """
    chosen = [name for name, per_subject in latents.items() if not per_subject]
    chosen += [name for name in parameters if name in posterior and name not in chosen]
    names: list[str] = []
    columns: list[np.ndarray] = []
    seen: set[bytes] = set()
    for name in chosen:
        variable = posterior[name]
        rest = [dim for dim in variable.dims if dim not in ("chain", "draw")]
        values = variable.transpose("chain", "draw", *rest).values
        labels = [variable[dim].values if dim in variable.coords else np.arange(variable.sizes[dim]) for dim in rest]
        for place in np.ndindex(*values.shape[2:]):
            column = np.ascontiguousarray(values[(slice(None), slice(None), *place)], dtype=np.float64)
            # A parameter that all subjects share is one quantity; a fixed one is none.
            if (np.ptp(column) == 0 and column.size > 1) or column.tobytes() in seen:
                continue
            seen.add(column.tobytes())
            columns.append(column)
            entry = ", ".join(str(label[i]) for label, i in zip(labels, place, strict=True))
            names.append(f"{name}[{entry}]" if entry else name)
    return Draws(tuple(names), np.stack(columns, axis=-1) if columns else np.empty((1, 1, 0)))
