"""Cases of the hierarchical Gaussian filters."""

CASES = ()
