"""Cases of the models that learn gains and losses apart."""

CASES = ()
