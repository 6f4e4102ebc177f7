"""Cases of the reversal task's models."""

CASES = ()
