"""Oracles of the reversal task's models."""

ORACLES = {}
