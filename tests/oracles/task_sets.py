"""Oracles of the models that learn which set of rules a context calls for."""

ORACLES = {}
