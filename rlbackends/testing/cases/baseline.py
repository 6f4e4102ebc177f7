"""Cases of the models that learn nothing, or only from the last trial."""

CASES = ()
