"""The scale on which parameters are estimated: links as curves, with their slopes, edges and priors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.numpy_table import evaluate, sigmoid, softplus
from rlbackends.expressions.operations import build
from rlbackends.expressions.standin import Expression
from rlbackends.population.links import LINKS, family

if TYPE_CHECKING:
    from rlbackends.model.model import Model
    from rlbackends.model.supports import Support
    from rlbackends.population.population import Resolved
    from rlbackends.population.priors import Prior

_EDGE = 1e-9  # nearer to the end of its support than this, or beyond the inverse of this, no parameter is sought
_STEP = 1e-30
_LOG_2PI = math.log(2 * math.pi)


def _normal_quantile(u: np.ndarray) -> np.ndarray:
    import scipy.special

    return scipy.special.ndtri(u)


@dataclass(frozen=True)
class Curve:
    """What is known of an inverse link besides its values, before it is scaled to an interval.

    Attributes
    ----------
    link : function
        From the natural scale back to the link scale.
    log_slope : function
        Logarithm of the inverse link's derivative.
    bend : function
        Derivative of ``log_slope``.
    """

    link: Callable[[np.ndarray], np.ndarray]
    log_slope: Callable[[np.ndarray], np.ndarray]
    bend: Callable[[np.ndarray], np.ndarray]


CURVES: Mapping[str, Curve] = {
    "probit": Curve(_normal_quantile, lambda z: -0.5 * z**2 - 0.5 * _LOG_2PI, lambda z: -z),
    "logit": Curve(
        lambda u: np.log(u) - np.log1p(-u), lambda z: -softplus(z) - softplus(-z), lambda z: -np.tanh(z / 2)
    ),
    "log": Curve(np.log, lambda z: z, np.ones_like),
    "softplus": Curve(lambda x: x + np.log(-np.expm1(-x)), lambda z: -softplus(-z), lambda z: sigmoid(-z)),
    "identity": Curve(lambda x: x, np.zeros_like, np.zeros_like),
}


@dataclass(frozen=True)
class Axis:
    """One free parameter: its link, its support, and its prior if it has one on the natural scale."""

    name: str
    link: str
    support: Support
    prior: Prior | None

    @property
    def _width(self) -> float:
        return self.support.hi - self.support.lo if family(self.support) == "interval" else 1.0

    def natural(self, z: np.ndarray) -> np.ndarray:
        """Return the parameter at points of the link scale."""
        node = LINKS[self.link][1](Expression(build("parameter", name=self.name)), self.support).node
        return np.asarray(evaluate(node, {self.name: z}), dtype=np.float64)

    def linked(self, x: Any) -> np.ndarray:
        """Return points of the link scale from values of the parameter."""
        x = np.asarray(x, dtype=np.float64)
        lo = self.support.lo if family(self.support) == "interval" else 0.0
        with np.errstate(all="ignore"):
            return np.asarray(CURVES[self.link].link((x - lo) / self._width))

    def slope(self, z: np.ndarray) -> np.ndarray:
        """Return the derivative of :meth:`natural`."""
        return np.exp(CURVES[self.link].log_slope(z)) * self._width

    @property
    def edges(self) -> tuple[float, float]:
        """How far the parameter is sought on the link scale."""
        kind, lo, hi = family(self.support), self.support.lo, self.support.hi
        if kind == "interval":
            ends = lo + _EDGE * (hi - lo), hi - _EDGE * (hi - lo)
        else:
            ends = (_EDGE if kind == "positive" else -1 / _EDGE), 1 / _EDGE
        low, high = (float(self.linked(end)) for end in ends)
        return low, high

    def log_prior(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the prior's log-density on the link scale, with the Jacobian, and its derivative."""
        if self.prior is None:
            return -0.5 * z**2 - 0.5 * _LOG_2PI, -z
        curve, x, slope = CURVES[self.link], self.natural(z), self.slope(z)
        with np.errstate(all="ignore"):
            density = np.asarray(self.prior.log_density(x))
            by_x = np.imag(self.prior.log_density(x + 1j * _STEP)) / _STEP
            value = density + curve.log_slope(z) + math.log(self._width)
            return np.where(np.isfinite(value), value, -np.inf), by_x * slope + curve.bend(z)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        """Return draws from the prior, on the link scale and within the edges."""
        drawn = rng.standard_normal(size) if self.prior is None else self.linked(self.prior.draw(rng, size))
        return np.clip(drawn, *self.edges)


@dataclass(frozen=True)
class Scale:
    """The free parameters as coordinates of points (…, subject, parameter), and the fixed ones beside them."""

    axes: tuple[Axis, ...]
    fixed: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, model: Model, resolved: Mapping[str, Resolved], n_subjects: int) -> Scale:
        """Take links, priors and fixed values from a population without pooling."""
        axes, fixed = [], {}
        for name, item in resolved.items():
            if item.pooling is None:
                fixed[name] = np.broadcast_to(np.asarray(item.fixed, dtype=np.float64), (n_subjects,))
            else:
                axes.append(Axis(name, str(item.pooling.link), model.parameters[name].support, item.pooling.prior))
        return cls(tuple(axes), fixed)

    @property
    def names(self) -> tuple[str, ...]:
        """The free parameters, in the model's order."""
        return tuple(axis.name for axis in self.axes)

    def __len__(self) -> int:
        return len(self.axes)

    def _by_axis(self, values: Sequence[np.ndarray], z: np.ndarray) -> np.ndarray:
        return np.stack(values, axis=-1) if values else np.zeros(z.shape)

    def natural(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """Return all parameters on the natural scale, (…, subject)."""
        free = {axis.name: axis.natural(z[..., i]) for i, axis in enumerate(self.axes)}
        return free | {name: np.broadcast_to(value, z.shape[:-1]) for name, value in self.fixed.items()}

    def slopes(self, z: np.ndarray) -> np.ndarray:
        """Return the derivatives of the free parameters by their coordinates, of the shape of ``z``."""
        return self._by_axis([axis.slope(z[..., i]) for i, axis in enumerate(self.axes)], z)

    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and the highest point that is sought, (parameter,) each."""
        ends = np.array([axis.edges for axis in self.axes]).reshape(-1, 2)
        return ends[:, 0], ends[:, 1]

    def is_bounded(self) -> np.ndarray:
        """Say of each free parameter whether its support has an end."""
        return np.array([family(axis.support) != "real" for axis in self.axes], dtype=bool)

    def log_prior(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the log-density of the priors on the link scale, (…, subject), and its gradient."""
        parts = [axis.log_prior(z[..., i]) for i, axis in enumerate(self.axes)]
        total = sum((value for value, _ in parts), np.zeros(z.shape[:-1]))
        return total, self._by_axis([slope for _, slope in parts], z)

    def draw(self, rng: np.random.Generator, size: tuple[int, ...]) -> np.ndarray:
        """Return points drawn from the priors, (*size, parameter)."""
        return self._by_axis([axis.draw(rng, size) for axis in self.axes], np.zeros((*size, 0)))
