"""Ready models of the field, a family a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType

from rlbackends.catalogue import (
    actors,
    associability,
    aversive,
    balloon,
    baseline,
    beliefs,
    card_sorting_task,
    choice_kernels,
    conditioning,
    delta_rule,
    gain_loss,
    gambling,
    pavlovian,
    reversal,
    stimulus_action,
    task_sets,
    two_step_task,
    ultimatum,
    uncertainty,
)
from rlbackends.catalogue.actors import *
from rlbackends.catalogue.associability import *
from rlbackends.catalogue.aversive import *
from rlbackends.catalogue.balloon import *
from rlbackends.catalogue.baseline import *
from rlbackends.catalogue.beliefs import *
from rlbackends.catalogue.card_sorting_task import *
from rlbackends.catalogue.choice_kernels import *
from rlbackends.catalogue.conditioning import *
from rlbackends.catalogue.delta_rule import *
from rlbackends.catalogue.gain_loss import *
from rlbackends.catalogue.gambling import *
from rlbackends.catalogue.pavlovian import *
from rlbackends.catalogue.reversal import *
from rlbackends.catalogue.stimulus_action import *
from rlbackends.catalogue.task_sets import *
from rlbackends.catalogue.two_step_task import *
from rlbackends.catalogue.ultimatum import *
from rlbackends.catalogue.uncertainty import *
from rlbackends.model import Model

FAMILIES: Mapping[str, ModuleType] = MappingProxyType(
    {
        "baseline": baseline,
        "delta_rule": delta_rule,
        "choice_kernels": choice_kernels,
        "associability": associability,
        "uncertainty": uncertainty,
        "reversal": reversal,
        "gain_loss": gain_loss,
        "stimulus_action": stimulus_action,
        "task_sets": task_sets,
        "pavlovian": pavlovian,
        "actors": actors,
        "two_step_task": two_step_task,
        "gambling": gambling,
        "aversive": aversive,
        "ultimatum": ultimatum,
        "card_sorting_task": card_sorting_task,
        "balloon": balloon,
        "beliefs": beliefs,
        "conditioning": conditioning,
    }
)
"""Family → its module, whose ``__all__`` are its models."""

MODELS: Mapping[str, Callable[..., Model]] = MappingProxyType(
    {name: getattr(family, name) for family in FAMILIES.values() for name in family.__all__}
)
"""Name → the function that makes the model; without arguments it gives the model as its paper has it."""

__all__ = ["FAMILIES", "MODELS", *MODELS]
