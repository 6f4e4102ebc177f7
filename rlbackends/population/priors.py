"""Priors as data: one parameterisation each, spelled out, with checked arguments.

Each prior knows its support, its log-density (the reference that backends are compared with) and how to draw.
A backend translates them through one table of its own.
"""

from __future__ import annotations

import math
import numbers
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar

import numpy as np

from rlbackends.errors import ModelError, did_you_mean, listed

_LOG_2PI = math.log(2 * math.pi)


def _finite(value: Any) -> float | None:
    """Return a real number as a float, or None if it is none or not finite."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _times_log(factor: float, log_x: np.ndarray) -> np.ndarray:
    """Return ``factor * log_x``, which is 0 for a factor of 0 even where ``log_x`` is infinite."""
    return factor * log_x if factor else np.zeros(np.shape(log_x))


@dataclass(frozen=True)
class Prior:
    """A distribution of one number. Use one of its forms."""

    positive: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            number = _finite(value)
            if number is None:
                raise ModelError(f"{type(self).__name__}: {item.name} is {value!r}, expected a finite number.")
            if item.name in self.positive and not number > 0:
                raise ModelError(f"{type(self).__name__}: {item.name} is {value!r}, expected a number above 0.")
            object.__setattr__(self, item.name, number)

    @property
    def bounds(self) -> tuple[float, float]:
        """Where its values lie."""
        return -math.inf, math.inf

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        """Return the log-density at a point within the bounds, entry by entry."""
        raise NotImplementedError

    def log_density(self, x: Any) -> Any:
        """Return the log-density at ``x``, entry by entry; minus infinity outside of the bounds.

        It is analytic: a small imaginary part of ``x`` comes back as the derivative (a complex step).
        """
        x = np.asarray(x)
        lo, hi = self.bounds
        with np.errstate(all="ignore"):
            inside = np.where((x.real >= lo) & (x.real <= hi), self._log_density(x), -np.inf)
        return np.where(np.isnan(x), np.nan, inside)[()]

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        """Return random values."""
        raise NotImplementedError

    def to_data(self) -> dict[str, Any]:
        """Return the prior as plain data."""
        return {"prior": type(self).__name__, **asdict(self)}

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{f.name}={getattr(self, f.name):g}' for f in fields(self))})"


@dataclass(frozen=True)
class Normal(Prior):
    """Normal with mean and standard deviation."""

    mean: float = 0.0
    sd: float = 1.0
    positive = ("sd",)

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        return -0.5 * ((x - self.mean) / self.sd) ** 2 - math.log(self.sd) - 0.5 * _LOG_2PI

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return rng.normal(self.mean, self.sd, size)


@dataclass(frozen=True)
class StudentT(Prior):
    """Student's t with degrees of freedom, mean and scale."""

    df: float = 3.0
    mean: float = 0.0
    scale: float = 1.0
    positive = ("df", "scale")

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        norm = math.lgamma((self.df + 1) / 2) - math.lgamma(self.df / 2) - 0.5 * math.log(self.df * math.pi)
        z = (x - self.mean) / self.scale
        return norm - math.log(self.scale) - (self.df + 1) / 2 * np.log1p(z**2 / self.df)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return self.mean + self.scale * rng.standard_t(self.df, size)


class _Positive:
    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, math.inf


@dataclass(frozen=True)
class HalfNormal(_Positive, Prior):
    """Normal of mean 0 folded at 0; ``sd`` is that of the normal before folding."""

    sd: float = 1.0
    positive = ("sd",)

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        return math.log(2) - 0.5 * (x / self.sd) ** 2 - math.log(self.sd) - 0.5 * _LOG_2PI

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return np.abs(rng.normal(0.0, self.sd, size))


@dataclass(frozen=True)
class HalfCauchy(_Positive, Prior):
    """Cauchy at 0 folded at 0."""

    scale: float = 1.0
    positive = ("scale",)

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        return math.log(2 / math.pi) - math.log(self.scale) - np.log1p((x / self.scale) ** 2)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return np.abs(self.scale * rng.standard_cauchy(size))


@dataclass(frozen=True)
class Exponential(_Positive, Prior):
    """Exponential with a rate; its mean is ``1 / rate``."""

    rate: float = 1.0
    positive = ("rate",)

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        return math.log(self.rate) - self.rate * x

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return rng.exponential(1 / self.rate, size)


@dataclass(frozen=True)
class Gamma(_Positive, Prior):
    """Gamma with shape and rate; its mean is ``shape / rate``."""

    shape: float = 1.0
    rate: float = 1.0
    positive = ("shape", "rate")

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        norm = self.shape * math.log(self.rate) - math.lgamma(self.shape)
        return norm + _times_log(self.shape - 1, np.log(x)) - self.rate * x

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return rng.gamma(self.shape, 1 / self.rate, size)


@dataclass(frozen=True)
class LogNormal(_Positive, Prior):
    """A number whose logarithm is normal with this mean and standard deviation."""

    mean: float = 0.0
    sd: float = 1.0
    positive = ("sd",)

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        log_x = np.log(np.where(x.real > 0, x, 1.0))
        return np.where(x.real > 0, Normal(self.mean, self.sd).log_density(log_x) - log_x, -np.inf)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return rng.lognormal(self.mean, self.sd, size)


@dataclass(frozen=True)
class Beta(Prior):
    """Beta with its two shapes."""

    a: float = 1.0
    b: float = 1.0
    positive = ("a", "b")

    @property
    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        norm = math.lgamma(self.a + self.b) - math.lgamma(self.a) - math.lgamma(self.b)
        return norm + _times_log(self.a - 1, np.log(x)) + _times_log(self.b - 1, np.log1p(-x))

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return rng.beta(self.a, self.b, size)


@dataclass(frozen=True)
class Uniform(Prior):
    """Uniform between two bounds."""

    lo: float = 0.0
    hi: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.lo < self.hi:
            raise ModelError(f"Uniform: lo is {self.lo:g} and hi is {self.hi:g}, expected lo < hi.")

    @property
    def bounds(self) -> tuple[float, float]:
        return self.lo, self.hi

    def _log_density(self, x: np.ndarray) -> np.ndarray:
        return np.full(np.shape(x), -math.log(self.hi - self.lo))

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        return rng.uniform(self.lo, self.hi, size)


PRIORS: dict[str, type[Prior]] = {
    p.__name__: p for p in (Normal, StudentT, HalfNormal, HalfCauchy, Exponential, Gamma, LogNormal, Beta, Uniform)
}


def prior_from_data(data: Any) -> Prior:
    """Read what :meth:`Prior.to_data` wrote."""
    if not isinstance(data, dict) or not isinstance(data.get("prior"), str) or data["prior"] not in PRIORS:
        name = data.get("prior") if isinstance(data, dict) else data
        raise ModelError(f"{name!r} is no prior. There are {listed(PRIORS)}.{did_you_mean(str(name), PRIORS)}")
    arguments = {key: value for key, value in data.items() if key != "prior"}
    try:
        return PRIORS[data["prior"]](**arguments)
    except TypeError as error:
        raise ModelError(f"prior {data['prior']}: {error}.") from None
