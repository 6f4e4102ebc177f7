"""Oracles of the balloon task's models."""

ORACLES = {}
