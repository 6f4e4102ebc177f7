"""Cases of the Wisconsin card sorting task's models."""

CASES = ()
