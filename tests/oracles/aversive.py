"""Oracles of the aversive learning task's models."""

ORACLES = {}
