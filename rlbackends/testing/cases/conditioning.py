"""Cases of the models of conditioned responses."""

CASES = ()
