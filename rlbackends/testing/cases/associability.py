"""Cases of the models whose learning rate is itself learnt."""

CASES = ()
