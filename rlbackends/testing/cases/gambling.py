"""Cases of the gambling task's models."""

CASES = ()
