"""Checks of backends and models, for ours and for anyone's."""

from rlbackends.testing.agreement import assert_backends_agree
from rlbackends.testing.assertions import assert_close
from rlbackends.testing.tolerances import TOLERANCES, Difference, largest_difference

__all__ = ["TOLERANCES", "Difference", "assert_backends_agree", "assert_close", "largest_difference"]
