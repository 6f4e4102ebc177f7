"""Checks of a backend against the reference interpreter, on every case."""

from __future__ import annotations

import numpy as np

from rlbackends.testing.assertions import assert_close
from rlbackends.testing.cases.case import ModelCase
from rlbackends.testing.suite.tryout import Found, tryout
from rlbackends.testing.suite.under_test import UnderTest


def _assert_agrees(tested: UnderTest, case: ModelCase, kind: str, point: str, *quantities: str) -> None:
    on = tryout(case, kind)
    found, expected = on.found(tested, point), on.expected(point)
    for quantity in quantities:
        assert_close(found[quantity], expected[quantity], quantity)


def assert_trajectories(tested: UnderTest, case: ModelCase, kind: str) -> None:
    """Assert that states before each trial, and records, are the reference's.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    case : ModelCase
        The model.
    kind : {"plain", "messy"}
        On which data.
    """
    _assert_agrees(tested, case, kind, "by subject", "trajectories")


def assert_log_likelihood(tested: UnderTest, case: ModelCase, kind: str) -> None:
    """Assert that the log-likelihood of each response on each trial is the reference's; see `assert_trajectories`."""
    _assert_agrees(tested, case, kind, "by subject", "log_likelihood")


def assert_gradient(tested: UnderTest, case: ModelCase, kind: str) -> None:
    """Assert that the summed log-likelihood's value and gradient are the reference's; see `assert_trajectories`."""
    _assert_agrees(tested, case, kind, "by subject", "gradient")


def assert_varying_parameters(tested: UnderTest, case: ModelCase) -> None:
    """Assert all three on messy data with another value of each parameter on each trial.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    case : ModelCase
        The model.
    """
    _assert_agrees(tested, case, "messy", "by trial", "trajectories", "log_likelihood", "gradient")


def assert_agrees_at_limits(tested: UnderTest, case: ModelCase) -> None:
    """Assert log-likelihood and gradient with each parameter at each of its limits, the others in their middle.

    Where the case says that a limit is not finite, what the reference leaves undefined is not compared. The parameters
    are those of :func:`assert_varying_parameters`.
    """
    on = tryout(case, "messy")
    faults = []
    for label, found in on.found_at_limits(tested).items():
        expected = on.expected(label)
        if label in case.not_finite:
            found, expected = _where_there_is_a_number(found, expected)
        for quantity in ("log_likelihood", "gradient"):
            try:
                assert_close(found[quantity], expected[quantity], quantity)
            except AssertionError as error:
                faults.append(f"at {label}: {error}")
    if faults:
        raise AssertionError("\n".join(faults))


def _where_there_is_a_number(found: Found, expected: Found) -> tuple[Found, Found]:
    """Return both with what is undefined in the expected one taken out: NaN, and infinite slopes."""
    kept: tuple[dict, dict] = ({}, {})
    for quantity in ("log_likelihood", "gradient"):
        for group, given in zip(kept, (found, expected), strict=True):
            group[quantity] = {}
            for name, wanted in expected[quantity].items():
                lost = np.isnan(wanted) if quantity == "log_likelihood" else ~np.isfinite(wanted)
                observed = np.isnan(found[quantity][name]) if quantity == "log_likelihood" else False
                group[quantity][name] = np.where(lost & ~np.asarray(observed), 0.0, given[quantity][name])
    return kept
