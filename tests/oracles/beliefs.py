"""Oracles of the hierarchical Gaussian filters."""

ORACLES = {}
