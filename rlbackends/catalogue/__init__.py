"""Ready models of the field, a family a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from rlbackends.catalogue.delta_rule import rescorla_wagner, rescorla_wagner_two_rates
from rlbackends.catalogue.perseveration import perseveration
from rlbackends.catalogue.stimulus_action import aliens
from rlbackends.catalogue.two_step import two_step
from rlbackends.model import Model

MODELS: Mapping[str, Callable[..., Model]] = MappingProxyType(
    {
        make.__name__: make
        for make in (rescorla_wagner, rescorla_wagner_two_rates, perseveration, aliens, two_step)
    }
)
"""Name → the function that makes the model; without arguments it gives the model as its paper has it."""

__all__ = ["MODELS", "aliens", "perseveration", "rescorla_wagner", "rescorla_wagner_two_rates", "two_step"]
