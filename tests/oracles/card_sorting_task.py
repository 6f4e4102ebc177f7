"""Oracles of the Wisconsin card sorting task's models."""

ORACLES = {}
