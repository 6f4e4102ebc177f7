"""The joint density by hand: an oracle that shares no code with the package.

From the population as plain data it works out the latent variables, the subjects' parameters, priors (by SciPy) and
Jacobians; the log-likelihood of the subjects' parameters is given to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special, stats

from rlbackends.testing.suite.differences import slope

Arrays = Mapping[str, np.ndarray]
_PRIORS: Mapping[str, Callable[..., Any]] = {
    "Normal": lambda x, mean, sd: stats.norm.logpdf(x, mean, sd),
    "StudentT": lambda x, df, mean, scale: stats.t.logpdf(x, df, mean, scale),
    "HalfNormal": lambda x, sd: stats.halfnorm.logpdf(x, scale=sd),
    "HalfCauchy": lambda x, scale: stats.halfcauchy.logpdf(x, scale=scale),
    "Exponential": lambda x, rate: stats.expon.logpdf(x, scale=1 / rate),
    "Gamma": lambda x, shape, rate: stats.gamma.logpdf(x, shape, scale=1 / rate),
    "LogNormal": lambda x, mean, sd: stats.lognorm.logpdf(x, sd, scale=math.exp(mean)),
    "Beta": lambda x, a, b: stats.beta.logpdf(x, a, b),
    "Uniform": lambda x, lo, hi: stats.uniform.logpdf(x, lo, hi - lo),
}
_ABOVE_0 = ("HalfNormal", "HalfCauchy", "Exponential", "Gamma", "LogNormal")


def _constrained(z: Any, prior: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return a variable from its unconstrained value, and the logarithm of the derivative."""
    name = prior["prior"]
    if name in _ABOVE_0:
        return np.exp(z), z
    if name in ("Beta", "Uniform"):
        lo, hi = (prior["lo"], prior["hi"]) if name == "Uniform" else (0.0, 1.0)
        return lo + (hi - lo) * special.expit(z), np.log(hi - lo) + special.log_expit(z) + special.log_expit(-z)
    return z, np.zeros(np.shape(z))


def _log_prior(x: Any, prior: Mapping[str, Any]) -> Any:
    arguments = {name: value for name, value in prior.items() if name != "prior"}
    return _PRIORS[prior["prior"]](x, **arguments)


def _natural(line: Any, link: str, lo: float, hi: float) -> Any:
    """Return a parameter from its value on the link's line."""
    if link in ("probit", "logit"):
        unit = 0.5 * special.erfc(-line / math.sqrt(2)) if link == "probit" else special.expit(line)
        return lo + (hi - lo) * unit
    if link == "log":
        return np.exp(line)
    return np.logaddexp(0.0, line) if link == "softplus" else line


_STANDARD = {"prior": "Normal", "mean": 0.0, "sd": 1.0}


def latents(name: str, pooling: Mapping[str, Any]) -> dict[str, bool]:
    """Return the latent variables of a parameter: name → whether it has one value per subject."""
    if "fixed" in pooling:
        return {}
    if pooling["pooling"] == "none":
        return {name if "prior" in pooling else f"{name}_offset": True}
    if pooling["pooling"] == "complete":
        return {f"{name}_location": False}
    own = f"{name}_linear" if pooling["centred"] else f"{name}_offset"
    return {f"{name}_location": False, f"{name}_sd": False, own: True}


def of_parameter(
    name: str, pooling: Mapping[str, Any], bounds: tuple[float, float], z: Arrays, n_subjects: int
) -> tuple[np.ndarray, float]:
    """Return a parameter's value for each subject, and the log-density of its unconstrained latents.

    Parameters
    ----------
    name : str
        The parameter.
    pooling : mapping
        Its part of the population's description.
    bounds : (float, float)
        Its support.
    z : mapping of str to array
        Unconstrained values of its latents.
    n_subjects : int
        How many subjects there are.
    """
    if "fixed" in pooling:
        return np.broadcast_to(np.asarray(pooling["fixed"], dtype=float), n_subjects), 0.0
    total = 0.0

    def variable(suffix: str, prior: Mapping[str, Any]) -> Any:
        nonlocal total
        x, log_jacobian = _constrained(z[name + suffix], prior)
        total += float(np.sum(_log_prior(x, prior) + log_jacobian))
        return x

    kind = pooling["pooling"]
    if kind == "none" and "prior" in pooling:
        return variable("", pooling["prior"]), total
    if kind == "none":
        line = variable("_offset", _STANDARD)
    elif kind == "complete":
        line = np.repeat(variable("_location", pooling["location"]), n_subjects)
    else:
        location, sd = variable("_location", pooling["location"]), variable("_sd", pooling["sd"])
        if pooling["centred"]:
            line = variable("_linear", {"prior": "Normal", "mean": location, "sd": sd})
        else:
            line = location + sd * variable("_offset", _STANDARD)
    return _natural(line, pooling["link"], *bounds), total


def log_density(
    description: Mapping[str, Any],
    bounds: Mapping[str, tuple[float, float]],
    z: Arrays,
    n_subjects: int,
    value_and_gradient: Callable[[dict[str, np.ndarray]], tuple[float, Arrays]],
) -> tuple[float, dict[str, np.ndarray]]:
    """Return the joint log-density of unconstrained latents, and its gradient by differences.

    Parameters
    ----------
    description : mapping
        The population as plain data: parameter → pooling, link and priors, or fixed values.
    bounds : mapping of str to (float, float)
        Each parameter's support.
    z : mapping of str to array
        Unconstrained values of all latents.
    n_subjects : int
        How many subjects there are.
    value_and_gradient : callable
        The summed log-likelihood of the subjects' parameters, and its gradient by them.
    """
    parts = {name: of_parameter(name, item, bounds[name], z, n_subjects) for name, item in description.items()}
    value, by_parameter = value_and_gradient({name: part[0] for name, part in parts.items()})
    gradient = {}
    for name, item in description.items():
        for latent in latents(name, item):
            gradient[latent] = np.zeros(np.shape(z[latent]))
            for index in np.ndindex(gradient[latent].shape):

                def moved(by: float, name: str = name, item: Any = item, latent: str = latent, at: Any = index) -> Any:
                    changed = np.array(z[latent], dtype=float)
                    changed[at] += by
                    found, log_prior = of_parameter(name, item, bounds[name], {**z, latent: changed}, n_subjects)
                    # To first order around the point the log-likelihood is linear in the parameters.
                    return log_prior + np.sum(by_parameter[name] * (found - parts[name][0]))

                gradient[latent][index] = slope(moved, 1e-2)[0]
    return value + sum(part[1] for part in parts.values()), gradient
