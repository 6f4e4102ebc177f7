"""Oracles of the models that track how uncertain they are."""

ORACLES = {}
