"""Cases of the balloon task's models."""

CASES = ()
