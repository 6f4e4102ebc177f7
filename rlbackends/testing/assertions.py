"""The one assertion that two computations agree."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlbackends.errors import did_you_mean, listed
from rlbackends.testing.tolerances import TOLERANCES, largest_difference


def assert_close(actual: Any, expected: Any, what: str) -> None:
    """Assert that two results agree within the tolerance of their kind.

    Parameters
    ----------
    actual, expected : array_like or mapping of str to array_like
        What was computed and what it should be. Of mappings (a Dataset is one) the names must be the same,
        and each array is measured on its own scale.
    what : str
        Kind of result: a key of `rlbackends.testing.tolerances.TOLERANCES`.

    Raises
    ------
    AssertionError
        If names or shapes differ, if NaNs or infinities are not at the same places, or if the largest
        difference, as a fraction of ``max(1, largest finite expected value)``, is above the tolerance. The
        message says where.
    ValueError
        If ``what`` has no tolerance.

    Examples
    --------
    >>> assert_close([-0.6931471805599453], [-0.6931471805599454], "log_likelihood")
    """
    if what not in TOLERANCES:
        raise ValueError(
            f"assert_close: there is no tolerance for '{what}', only for {listed(TOLERANCES)}."
            f"{did_you_mean(what, TOLERANCES)}"
        )
    if isinstance(actual, Mapping) != isinstance(expected, Mapping):
        raise AssertionError(
            f"{what}: actual is {type(actual).__name__} and expected {type(expected).__name__}: "
            "give two arrays, or two mappings from names to arrays"
        )
    if not isinstance(actual, Mapping):
        faults = _faults(actual, expected, what, TOLERANCES[what])
    else:
        names, wanted = list(actual), list(expected)
        if set(names) != set(wanted):
            raise AssertionError(f"{what}: actual has {listed(names)}, expected {listed(wanted)}")
        faults = [
            fault
            for name in wanted
            for fault in _faults(actual[name], expected[name], f"{what} of '{name}'", TOLERANCES[what])
        ]
    if faults:
        raise AssertionError("\n".join(faults))


def _faults(actual: Any, expected: Any, where: str, tolerance: float) -> list[str]:
    """Return what is wrong with one array, as no or one sentence."""
    try:
        difference = largest_difference(actual, expected)
    except (TypeError, ValueError) as error:
        return [f"{where}: {error}"]
    # Written so that a NaN, should the measure ever give one, fails.
    if difference.value <= tolerance:
        return []
    return [
        f"{where}: largest difference {difference.value:.3g} of scale {difference.scale:.6g} at index "
        f"{difference.index}, where actual is {difference.actual!r} and expected {difference.expected!r}; "
        f"the tolerance is {tolerance:g}"
    ]
