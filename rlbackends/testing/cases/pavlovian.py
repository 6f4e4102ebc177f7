"""Cases of the go/no-go task's models."""

CASES = ()
