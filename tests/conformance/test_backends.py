"""The conformance suite on the backends of the package."""

import pytest

from rlbackends.testing import BackendSuite
from rlbackends.testing.cases import CASES
from rlbackends.testing.suite.against_reference import assert_gradient, assert_log_likelihood, assert_trajectories
from rlbackends.testing.suite.suite import Independent
from rlbackends.testing.suite.under_test import UnderTest


class TestReference(Independent):
    """The reference against what shares no code with it; it is what the others are compared with."""

    backend = "reference"


class TestNumPyro(BackendSuite):
    backend = "numpyro"


class TestPyMC(BackendSuite):
    backend = "pymc"


# A rule of one response, of two, of several sub-choices, and of states that read what another's update writes.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["rescorla_wagner_two_rates", "two_step", "balloon_mean_variance_5", "pearce_hall"])
def test_pymc_as_it_is_compiled_for_sampling(name):
    tested = UnderTest("pymc", {"mode": "NUMBA"})
    for check in (assert_log_likelihood, assert_gradient, assert_trajectories):
        check(tested, CASES[name], "messy")
