"""How far a backend is from the reference, at given points, and where the two first part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.testing.tolerances import TOLERANCES, largest_difference

QUANTITIES = ("trajectories", "log_likelihood", "gradient", "log_density", "log_density_gradient")


@dataclass(frozen=True)
class Parting:
    """The first subject and trial at which two backends differ by more than the tolerance."""

    variable: str
    subject: Any
    trial_number: int
    reference: Any
    backend: Any

    def __str__(self) -> str:
        return (
            f"subject {self.subject}, trial {self.trial_number}: '{self.variable}' is {_short(self.reference)} in the "
            f"reference and {_short(self.backend)} here"
        )


@dataclass(frozen=True)
class Agreement:
    """The largest difference of one quantity over all points, in units of its scale."""

    quantity: str
    difference: float
    tolerance: float
    variable: str = ""
    point: int = 0

    @property
    def holds(self) -> bool:
        """Whether the difference is within the tolerance."""
        return bool(self.difference <= self.tolerance)


@dataclass(frozen=True)
class Comparison:
    """A backend against the reference: one :class:`Agreement` a quantity."""

    backend: str
    agreements: tuple[Agreement, ...]
    parting: Parting | None
    log_likelihood: tuple[float, ...]

    @property
    def holds(self) -> bool:
        """Whether every quantity agrees."""
        return all(agreement.holds for agreement in self.agreements)

    def to_data(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        return {
            "backend": self.backend,
            "agreements": [asdict(agreement) for agreement in self.agreements],
            "parting": None if self.parting is None else {k: _plain(v) for k, v in asdict(self.parting).items()},
            "log_likelihood": list(self.log_likelihood),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Comparison:
        """Read what :meth:`to_data` wrote."""
        return cls(
            data["backend"],
            tuple(Agreement(**row) for row in data["agreements"]),
            None if data["parting"] is None else Parting(**data["parting"]),
            tuple(data["log_likelihood"]),
        )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _short(value: Any) -> str:
    return np.array2string(np.asarray(value), precision=17, threshold=6, separator=", ")


@dataclass(frozen=True)
class Point:
    """Where backends are compared: natural parameters, and the unconstrained latents that give them, if known."""

    params: Mapping[str, np.ndarray]
    z: Mapping[str, np.ndarray] | None = None


def prior_points(compiled: CompiledModel, count: int, seed: int) -> list[Point]:
    """Return points drawn from the population's prior."""
    rng = np.random.default_rng(seed)
    points = []
    for _ in range(count):
        values = compiled.layout.draw(rng)
        z = compiled.layout.unconstrain(values)
        points.append(Point(compiled.layout.parameters(compiled.layout.constrain(z)), z))
    return points


def compute(
    compiled: CompiledModel, point: Point, density: CompiledModel | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """Return every quantity of a compiled model at a point, as named arrays; the joint density from ``density``."""
    value, gradient = compiled.value_and_gradient(point.params)
    log_likelihood = {str(k): v.values for k, v in compiled.log_likelihood(point.params).items()}
    result = {
        "trajectories": {str(k): v.values for k, v in compiled.trajectories(point.params).items()},
        "log_likelihood": log_likelihood,
        "gradient": {**gradient, "(sum)": np.asarray(value)},
    }
    if point.z is not None:
        joint, slope = (density or compiled).log_density_and_gradient(point.z)
        result["log_density"] = {"(joint density)": np.asarray(joint)}
        result["log_density_gradient"] = slope
    return result


def compare(
    backend: CompiledModel,
    points: Sequence[Point],
    expected: Sequence[dict[str, dict[str, np.ndarray]]],
    density: CompiledModel | None = None,
) -> Comparison:
    """Compare a backend with what the reference gave at the same points; its joint density from ``density``."""
    worst: dict[str, Agreement] = {}
    parting = None
    totals = []
    for number, (point, reference) in enumerate(zip(points, expected, strict=True)):
        found = compute(backend, point, density)
        totals.append(float(sum(np.nansum(v) for v in found["log_likelihood"].values())))
        for quantity, arrays in reference.items():
            tolerance = TOLERANCES["gradient" if quantity == "log_density_gradient" else quantity]
            for name, array in arrays.items():
                if _is_slope_of_nothing(quantity, name, reference):
                    continue
                difference = largest_difference(found[quantity][name], array).value
                if quantity not in worst or difference > worst[quantity].difference:
                    worst[quantity] = Agreement(quantity, difference, tolerance, name, number)
        if parting is None:
            parting = _first_parting(backend, found, reference)
    order = [quantity for quantity in QUANTITIES if quantity in worst]
    return Comparison(backend.backend, tuple(worst[q] for q in order), parting, tuple(totals))


def _is_slope_of_nothing(quantity: str, name: str, reference: Mapping[str, Mapping[str, Any]]) -> bool:
    """Say whether this is a gradient where the value itself is not finite: there it means nothing."""
    values = {"gradient": ("gradient", "(sum)"), "log_density_gradient": ("log_density", "(joint density)")}
    if quantity not in values or name == "(sum)":
        return False
    of, value = values[quantity]
    return not np.isfinite(reference[of][value])


def _first_parting(
    backend: CompiledModel, found: Mapping[str, Mapping[str, Any]], reference: Mapping[str, Mapping[str, Any]]
) -> Parting | None:
    """Return the earliest trial, then the first subject, at which a trajectory or a log-likelihood differs."""
    first: tuple[int, int, str, str] | None = None
    for quantity in ("trajectories", "log_likelihood"):
        for name, array in reference[quantity].items():
            other = found[quantity][name]
            scale = max(1.0, float(np.max(np.abs(array), where=np.isfinite(array), initial=0.0)))
            with np.errstate(invalid="ignore"):
                same = (array == other) | (np.isnan(array) & np.isnan(other))
                same |= np.abs(array - other) <= TOLERANCES[quantity] * scale
            apart = ~same.reshape(*same.shape[:2], -1).all(axis=2)
            if apart.any():
                subject, trial = min(((int(s), int(t)) for s, t in np.argwhere(apart)), key=lambda p: (p[1], p[0]))
                if first is None or (trial, subject) < first[:2]:
                    first = (trial, subject, quantity, name)
    if first is None:
        return None
    trial, subject, quantity, name = first
    return Parting(
        name if quantity == "trajectories" else f"log-likelihood of {name}",
        backend.subjects[subject],
        int(backend.data.trial_numbers[subject, trial]),
        reference[quantity][name][subject, trial],
        found[quantity][name][subject, trial],
    )
