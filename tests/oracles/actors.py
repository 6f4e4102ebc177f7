"""Oracles of the actor–critic models."""

ORACLES = {}
