"""Oracles of the go/no-go task's models."""

ORACLES = {}
