"""Cases of the actor–critic models."""

CASES = ()
