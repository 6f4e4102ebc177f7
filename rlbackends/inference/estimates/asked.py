"""What was asked of an estimation: settings and populations, checked before anything is compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rlbackends.backends.registry import BACKENDS, Backend, get_backend
from rlbackends.errors import BackendMissingError, ModelError, SettingError, did_you_mean, listed
from rlbackends.population.population import Pooling, Population

if TYPE_CHECKING:
    from rlbackends.model.model import Model

METHODS = ("ml", "map", "em")
COVARIANCES = ("diagonal", "full")
_FIRST = ("numpyro", "pymc")


@dataclass(frozen=True)
class Asked:
    """The settings that decide the estimates."""

    method: str
    starts: int
    seed: int
    covariance: str
    samples: int
    max_iterations: int
    certificate_points: int

    def __post_init__(self) -> None:
        faults = []
        for name, options in (("method", METHODS), ("covariance", COVARIANCES)):
            given = getattr(self, name)
            if given not in options:
                faults.append(f"{name} is {given!r}, expected {listed(options)}.{did_you_mean(str(given), options)}")
        for name, least in (
            ("starts", 1), ("seed", 0), ("samples", 2), ("max_iterations", 1), ("certificate_points", 1),
        ):  # fmt: skip
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, int) or given < least:
                faults.append(f"{name} is {given!r}, expected a whole number of at least {least}.")
        if self.method in ("ml", "map") and self.covariance == "full":
            faults.append("covariance='full' is a group's, and only method='em' has one.")
        if faults:
            raise SettingError("estimate: " + " ".join(faults))


def chosen_backend(backend: str | Backend | None) -> Backend:
    """Return the backend asked for, or the first that is installed."""
    if backend is not None:
        return get_backend(backend)
    for name in _FIRST:
        if BACKENDS[name].is_installed:
            return BACKENDS[name]
    raise BackendMissingError(
        'estimate: no backend that is fast enough is installed. Install one with: pip install "rlbackends[numpyro]". '
        "Or, for a tiny problem, pass backend='reference'."
    )


def without_pooling(population: Population | None, model: Model, method: str) -> Population:
    """Return the population with each subject alone: links, own priors and fixed values; raise for what has no meaning.

    ``"ml"`` and ``"map"`` estimate each subject by itself, ``"em"`` finds its group by maximum likelihood.
    """
    if population is None:
        return Population("none")
    given = {name: population._given.get(name, population._default) for name in (*model.parameters, *population._given)}
    faults, rows = [], {}
    for name, pooling in given.items():
        if not isinstance(pooling, Pooling):
            rows[name] = pooling
            continue
        faults += _faults(name, pooling, method)
        rows[name] = Pooling("none", pooling.link, prior=pooling.prior)
    if population._correlated != ():  # None: all of them
        faults.append(
            "correlated parameters are a group's; "
            + ("method='em' has covariance='full' for them." if method == "em" else "use method='em' or rl.fit.")
        )
    if faults:
        raise ModelError(f"estimate: {' '.join(faults)}")
    return Population("none", **rows)


def _faults(name: str, pooling: Pooling, method: str) -> list[str]:
    faults = []
    formulas = [word for word in ("formula", "sd_by", "slopes") if getattr(pooling, word, None) is not None]
    if formulas:
        faults.append(f"'{name}' has {listed(formulas)}, which point estimates don't know; use rl.fit.")
    if pooling.kind == "complete":
        faults.append(
            f"'{name}' is pooled 'complete', and method '{method}' estimates a value for each subject. Fix it, or use "
            "rl.fit."
        )
    group = [word for word in ("location", "sd") if getattr(pooling, word) is not None]
    if group and method == "em":
        faults.append(
            f"'{name}' has priors of {listed(group)}, and method 'em' finds the group by maximum likelihood, without "
            "priors. Give links only, or use rl.fit."
        )
    elif group:
        faults.append(
            f"'{name}' has priors of {listed(group)}, which are a group's, and method '{method}' estimates each "
            "subject alone. Give rl.Pooling('none', prior=...), or use method='em' or rl.fit."
        )
    if method == "em" and pooling.prior is not None:
        faults.append(f"'{name}' has a prior of its own, and method 'em' takes subjects from a group it estimates.")
    return faults


def describe(asked: Asked, settings: dict[str, Any]) -> dict[str, Any]:
    """Return what decided the estimates, as plain data."""
    own: dict[str, Any] = {name: getattr(asked, name) for name in ("method", "starts", "seed")}
    if asked.method == "em":
        own |= {name: getattr(asked, name) for name in ("covariance", "samples", "max_iterations")}
    return own | settings
