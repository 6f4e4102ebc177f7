"""Oracles of the gambling task's models."""

ORACLES = {}
