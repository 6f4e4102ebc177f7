"""Oracles of the models of conditioned responses."""

ORACLES = {}
