"""Cases of the aversive learning task's models."""

CASES = ()
