"""Ready models of the field, a family a file."""

from rlbackends.catalogue.delta_rule import rescorla_wagner

__all__ = ["rescorla_wagner"]
