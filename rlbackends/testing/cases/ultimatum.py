"""Cases of the ultimatum game's models."""

CASES = ()
