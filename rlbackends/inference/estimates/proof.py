"""The certificate of estimates: the reference against the backend, with the gradient that is climbed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.errors import BackendError, DataError
from rlbackends.inference.agreement import Agreement, Comparison, Point, compare, compute, prior_points
from rlbackends.inference.certificate import Certificate, package_versions
from rlbackends.inference.fitter import impossible_response
from rlbackends.testing.tolerances import TOLERANCES, largest_difference

if TYPE_CHECKING:
    from rlbackends.backends.protocol import CompiledModel


def certified(compiled: CompiledModel, reference: CompiledModel, *, points: int, seed: int) -> Certificate:
    """Compare a backend with the reference at prior draws; raise where it disagrees, or the data can't happen."""
    at = [Point(point.params) for point in prior_points(reference, points, seed)]
    data = compiled.data
    certificate = Certificate(
        compiled.model.name, compiled.backend, data.digest, data.n_subjects, data.n_trials, seed,
        _compared(compiled, reference, at), None, package_versions(),
    )  # fmt: skip
    if not certificate.holds:
        raise BackendError(
            f"estimate: backend '{compiled.backend}' disagrees with the reference on these data, so no search starts.\n"
            f"{certificate}"
        )
    place = impossible_response(compiled)
    if place:
        raise DataError(f"estimate: {place}")
    return certificate


def with_estimates(
    certificate: Certificate, compiled: CompiledModel, reference: CompiledModel, params: dict[str, np.ndarray]
) -> Certificate:
    """Return the certificate with a comparison at the estimates added."""
    return replace(certificate, posterior=_compared(compiled, reference, [Point(params)]), at="estimates")


def _compared(compiled: CompiledModel, reference: CompiledModel, points: list[Point]) -> Comparison:
    together = [{name: np.array(point.params[name])[None] for name in compiled.model.parameters} for point in points]
    expected, rows = [], []
    for point, params in zip(points, together, strict=True):
        expected.append(compute(reference, point))
        rows.append(reference.engine.value_and_gradient_draws(params))  # of the run that the reference has kept
    found = compare(compiled.for_checking(), points, expected)
    stacked = {name: np.concatenate([params[name] for params in together]) for name in compiled.model.parameters}
    value, gradient = compiled.engine.value_and_gradient_draws(stacked)
    pairs = {"(by subject)": (value, np.concatenate([row[0] for row in rows]))}
    pairs |= {name: (gradient[name], np.concatenate([row[1][name] for row in rows])) for name in stacked}
    differences = {name: largest_difference(*pair).value for name, pair in pairs.items()}
    worst = max(differences, key=differences.__getitem__)
    row = Agreement("gradient_by_subject", differences[worst], TOLERANCES["gradient"], worst)
    return replace(found, backend=compiled.backend, agreements=(*found.agreements, row))
