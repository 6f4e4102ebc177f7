"""The samplers of the NumPyro backend, a module each."""
