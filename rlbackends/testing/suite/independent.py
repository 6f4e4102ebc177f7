"""Checks of a backend by what shares no code with the graph: differences of values, and what must hold at limits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rlbackends.testing.assertions import assert_close
from rlbackends.testing.cases.case import ModelCase, limits
from rlbackends.testing.suite.differences import slope
from rlbackends.testing.suite.tryout import Tryout, tryout
from rlbackends.testing.suite.under_test import UnderTest


def _log_likelihood_by_subject(on: Tryout, params: Mapping[str, np.ndarray]) -> np.ndarray:
    # Of the engine: a difference may step a hair out of the support, which the compiled model refuses.
    found = on.reference.engine.log_likelihood(dict(params))
    return np.sum([np.nansum(values, axis=1) for values in found.values()], axis=0)


def _slopes(on: Tryout) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return by parameter the slope of each subject's log-likelihood, and where it is smooth."""
    params = {name: values[:, 0] for name, values in on.points["by subject"].items()}
    return {
        name: slope(
            lambda by, name=name: _log_likelihood_by_subject(on, {**params, name: params[name] + by}), 1e-3 * (hi - lo)
        )
        for name, (lo, hi) in on.case.params.items()
    }


def assert_gradient_is_the_slope(tested: UnderTest, case: ModelCase) -> None:
    """Assert that the gradient is what differences of the reference's log-likelihood say.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    case : ModelCase
        The model, on messy data.

    Raises
    ------
    AssertionError
        With the parameters whose gradient is another; or if a kink lies so near to the point, for all subjects, that
        differences say nothing about a parameter.
    """
    on = tryout(case, "messy")
    gradient = on.found(tested, "by subject")["gradient"]
    responds = np.array([not all(on.data.missing[name][s].all() for name in on.model.responses)
                         for s in range(on.data.n_subjects)])  # fmt: skip
    faults = []
    for name, (expected, is_smooth) in on.once("slopes", lambda: _slopes(on)).items():
        if not (is_smooth & responds).any():
            faults.append(f"'{name}': a kink lies next to the point for every subject; draw other trials")
        found = gradient[name].sum(axis=1)
        try:
            assert_close(np.where(is_smooth, found, 0.0), np.where(is_smooth, expected, 0.0), "gradient")
        except AssertionError as error:
            faults.append(f"'{name}': {error}")
    if faults:
        raise AssertionError("\n".join(faults))


def assert_finite_at_limits(tested: UnderTest, case: ModelCase) -> None:
    """Assert that log-likelihood and gradient are finite with each parameter at each of its limits.

    The data have a subject of one trial and one who never responded; rates and inverse temperatures of 0 leave ties.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    case : ModelCase
        The model. Its ``not_finite`` are the exceptions, each with a reason; they must not be finite in the reference.

    Raises
    ------
    AssertionError
        With every limit at which something is not finite; with every exception that is none; and if an exception names
        no limit.
    """
    on = tryout(case, "messy")
    there, found = limits(on.model), on.found_at_limits(tested)
    unknown = [label for label in case.not_finite if label not in there]
    faults = [f"not_finite has '{label}', which is no limit of the model" for label in unknown]
    for label in there:
        if label in case.not_finite:
            if not any(_not_finite(tryout(case, kind).expected(label)) for kind in ("messy", "long")):
                faults.append(f"at {label} all is finite after all: take the row of not_finite away")
            continue
        wrong = _not_finite(found[label])
        if wrong:
            faults.append(f"at {label} not finite: {', '.join(wrong)}")
    if faults:
        raise AssertionError(f"{case.name}: " + "; ".join(faults))


def _not_finite(found: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
    """Return what is not finite: a response's log-likelihood (NaN is one that was not observed), or a slope."""
    wrong = [f"log-likelihood of {name}" for name, x in found["log_likelihood"].items() if np.isinf(x).any()]
    if not wrong and not np.isfinite(found["gradient"]["(sum)"]):
        wrong = ["log-likelihood"]
    slopes = {name: x for name, x in found["gradient"].items() if name != "(sum)"}
    return wrong + [f"gradient by {name}" for name, x in slopes.items() if not np.isfinite(x).all()]
