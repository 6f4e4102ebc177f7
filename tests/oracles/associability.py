"""Oracles of the models whose learning rate is itself learnt."""

ORACLES = {}
