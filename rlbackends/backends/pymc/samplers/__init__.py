"""The samplers of the PyMC backend, a module each."""
