"""The assertion that every agreement rests on: it must fail when it should."""

import inspect

import numpy as np
import pytest

from rlbackends.testing.assertions import assert_close
from rlbackends.testing.tolerances import TOLERANCES, largest_difference

KINDS = sorted(TOLERANCES)


def test_the_table_is_what_was_agreed_and_frozen():
    agreed = {"trajectories": 1e-12, "log_likelihood": 1e-12, "gradient": 1e-9, "log_density": 1e-12, "legacy": 1e-9}
    assert dict(TOLERANCES) == agreed
    with pytest.raises(TypeError):
        TOLERANCES["gradient"] = 1.0


@pytest.mark.parametrize("what", KINDS)
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e6])
def test_the_tolerance_is_a_fraction_of_the_scale(what, size):
    expected = np.array([0.0, -size, size / 2])
    step = TOLERANCES[what] * max(1.0, size)
    assert_close(expected + [0.9 * step, 0.0, 0.0], expected, what)
    with pytest.raises(AssertionError, match=r"index \(0,\)"):
        assert_close(expected + [1.1 * step, 0.0, 0.0], expected, what)


@pytest.mark.parametrize("sign", [1, -1])
def test_either_sign_of_a_difference_fails(sign):
    with pytest.raises(AssertionError):
        assert_close([sign * 1e-6], [0.0], "gradient")


def test_an_infinity_in_the_expected_values_does_not_widen_the_tolerance():
    with pytest.raises(AssertionError, match=r"index \(1,\)"):
        assert_close([-np.inf, 1e-6], [-np.inf, 0.0], "log_likelihood")


def test_equal_nans_and_infinities_pass():
    values = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert_close(values, values.copy(), "trajectories")
    assert_close(np.full(3, np.nan), np.full(3, np.nan), "trajectories")


@pytest.mark.parametrize(
    ("actual", "expected"),
    [(np.nan, 0.0), (0.0, np.nan), (np.inf, 0.0), (0.0, -np.inf), (np.inf, -np.inf), (np.nan, np.inf)],
)
def test_unequal_nans_and_infinities_fail(actual, expected):
    with pytest.raises(AssertionError, match=r"difference inf .* at index \(1,\)"):
        assert_close([0.0, actual], [0.0, expected], "gradient")


def test_the_message_says_where_and_what():
    expected = np.zeros((2, 3))
    actual = expected.copy()
    actual[1, 2], actual[0, 1] = 0.5, 0.25
    with pytest.raises(AssertionError) as caught:
        assert_close(actual, expected, "log_likelihood")
    message = str(caught.value)
    for part in ("log_likelihood", "0.5", "(1, 2)", "expected 0.0", "1e-12"):
        assert part in message


@pytest.mark.parametrize(
    ("actual", "expected"),
    [(np.zeros(3), 0.0), (np.zeros((2, 1)), np.zeros((1, 2))), ([], [1.0])],
)
def test_nothing_is_broadcast(actual, expected):
    with pytest.raises(AssertionError, match="shapes differ"):
        assert_close(actual, expected, "gradient")


@pytest.mark.parametrize("actual", [["a"], [None], [1j]])
def test_what_is_not_real_numbers_fails(actual):
    with pytest.raises(AssertionError, match="expected real numbers"):
        assert_close(actual, [0.0], "gradient")


def test_mappings_are_measured_array_by_array():
    expected = {"q": np.array([1e6]), "prediction_error": np.array([0.0])}
    assert_close({"prediction_error": [0.0], "q": [1e6]}, expected, "trajectories")
    with pytest.raises(AssertionError, match="of 'prediction_error'"):
        assert_close({"q": [1e6], "prediction_error": [1e-9]}, expected, "trajectories")


@pytest.mark.parametrize("actual", [{}, {"q": [0.0], "p": [0.0]}, {"p": [0.0]}, [0.0]])
def test_mappings_must_have_the_same_names(actual):
    with pytest.raises(AssertionError):
        assert_close(actual, {"q": [0.0]}, "trajectories")


def test_an_unknown_kind_is_an_error_with_the_nearest_name():
    with pytest.raises(ValueError, match="Did you mean 'gradient'"):
        assert_close(0.0, 0.0, "gradients")


def test_the_assertion_returns_nothing_that_a_caller_could_drop():
    assert inspect.signature(assert_close).return_annotation in (None, "None")
    assert assert_close(1.0, 1.0, "gradient") is None


def test_empty_arrays_do_not_differ():
    difference = largest_difference([], [])
    assert (difference.value, difference.index, difference.scale) == (0.0, None, 1.0)


def test_huge_values_of_opposite_sign_differ_by_a_finite_number():
    # |1.5e308 − (−1.5e308)| overflows; of scale 1.5e308 it is exactly 2.
    assert largest_difference([1.5e308], [-1.5e308]).value == 2.0


def test_the_arguments_are_not_changed():
    actual, expected = np.array([1.0, np.nan]), np.array([2.0, np.nan])
    largest_difference(actual, expected)
    np.testing.assert_array_equal(actual, [1.0, np.nan])
    np.testing.assert_array_equal(expected, [2.0, np.nan])
