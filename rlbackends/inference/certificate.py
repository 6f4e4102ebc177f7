"""The certificate of a fit: the reference against the backend that sampled, on the fit's own data."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import rlbackends
from rlbackends.backends.protocol import CompiledModel
from rlbackends.inference.agreement import Comparison, Point, compare, compute, prior_points

_PACKAGES = ("numpy", "jax", "numpyro", "pymc", "pytensor", "nutpie", "blackjax", "scipy", "arviz")


# What compiles for a library decides the last bits, too.
_COMPILERS = {"jax": ("jaxlib",), "pytensor": ("numba",)}


@dataclass(frozen=True)
class Certificate:
    """Proof that travels with a fit.

    Attributes
    ----------
    model, backend : str
        What was fitted, and on what.
    data_digest : str
        sha256 of the data as the backend saw them.
    n_subjects, n_trials : int
        Their size.
    seed : int
        Of the prior draws at which backends were compared.
    prior : Comparison
        At prior draws, before sampling.
    posterior : Comparison or None
        At the mean of the posterior's unconstrained draws, or at ``at``.
    versions : dict of str to str
        Of Python and of every package that took part.
    at : str, default "posterior mean"
        Where ``posterior`` compares.
    """

    model: str
    backend: str
    data_digest: str
    n_subjects: int
    n_trials: int
    seed: int
    prior: Comparison
    posterior: Comparison | None
    versions: Mapping[str, str]
    at: str = "posterior mean"

    @property
    def holds(self) -> bool:
        """Whether every comparison is within the tolerances."""
        return self.prior.holds and (self.posterior is None or self.posterior.holds)

    def at_posterior_mean(
        self, compiled: CompiledModel, reference: CompiledModel, z: Mapping[str, np.ndarray]
    ) -> Certificate:
        """Return the certificate with a comparison at these unconstrained latents added."""
        point = Point(compiled.layout.parameters(compiled.layout.constrain(z)), z)
        return replace(self, posterior=_compare(compiled, [point], [compute(reference, point)]))

    def to_data(self) -> dict[str, Any]:
        """Return the certificate as plain data."""
        plain = {
            name: getattr(self, name) for name in ("model", "backend", "data_digest", "n_subjects", "n_trials", "seed")
        }
        return plain | {
            "prior": self.prior.to_data(),
            "posterior": None if self.posterior is None else self.posterior.to_data(),
            "versions": dict(self.versions),
            "at": self.at,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Certificate:
        """Read what :meth:`to_data` wrote."""
        posterior = data["posterior"]
        return cls(
            **{
                **data,
                "prior": Comparison.from_data(data["prior"]),
                "posterior": None if posterior is None else Comparison.from_data(posterior),
            }
        )

    def __str__(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        lines = [
            f"certificate: {self.model} on {self.backend}, {self.n_subjects} subjects, {self.n_trials} trials",
            f"  data      sha256 {self.data_digest}",
            f"  versions  {versions}",
        ]
        at = [(f"{len(self.prior.log_likelihood)} prior draws (seed {self.seed})", self.prior)]
        if self.posterior is not None:
            at.append((self.at, self.posterior))
        for where, comparison in at:
            words = ", ".join(f"{a.quantity.replace('_', ' ')} {a.difference:.1e}" for a in comparison.agreements)
            verdict = "agrees with the reference" if comparison.holds else "DISAGREES with the reference"
            lines.append(f"  at {where}: {verdict}; largest differences of scale: {words}")
            if comparison.parting is not None:
                lines.append(f"    they part at {comparison.parting}")
        return "\n".join(lines)

    __repr__ = __str__


def package_versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that matter here."""
    versions = {"rlbackends": rlbackends.__version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def library_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of this package and of the libraries that decide what is drawn with some packages."""
    packages = tuple(packages)
    names = ["numpy", *packages, *(more for name in packages for more in _COMPILERS.get(name, ()))]
    found = {"rlbackends": rlbackends.__version__}
    for name in dict.fromkeys(names):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # a module of another name than its distribution
            continue
    return found


def _compare(compiled: CompiledModel, points: list[Point], expected: list[Any]) -> Comparison:
    # The joint density and its gradient, which the sampler climbs, are compared as they are compiled for sampling;
    # the likelihood's own parts come from the same graphs in a mode that is quick to compile.
    return compare(compiled.for_checking(), points, expected, density=compiled)


def certify(compiled: CompiledModel, reference: CompiledModel, *, points: int, seed: int) -> Certificate:
    """Compare a backend with the reference at prior draws, on the compiled data."""
    at = prior_points(reference, points, seed)
    comparison = _compare(compiled, at, [compute(reference, point) for point in at])
    data = compiled.data
    return Certificate(
        compiled.model.name, compiled.backend, data.digest, data.n_subjects, data.n_trials, seed, comparison, None,
        package_versions(),
    )  # fmt: skip
