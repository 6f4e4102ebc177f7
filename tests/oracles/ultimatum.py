"""Oracles of the ultimatum game's models."""

ORACLES = {}
