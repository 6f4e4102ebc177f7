"""Every catalogue model as it is tried out: settings, usual parameter values, events, limits."""

from collections.abc import Mapping
from types import MappingProxyType

from rlbackends.testing.cases import (
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
from rlbackends.testing.cases.case import ModelCase, limits

_FAMILIES = (
    baseline,
    delta_rule,
    choice_kernels,
    associability,
    uncertainty,
    reversal,
    gain_loss,
    stimulus_action,
    task_sets,
    pavlovian,
    actors,
    two_step_task,
    gambling,
    aversive,
    ultimatum,
    card_sorting_task,
    balloon,
    beliefs,
    conditioning,
)
CASES: Mapping[str, ModelCase] = MappingProxyType({case.name: case for family in _FAMILIES for case in family.CASES})
"""Name → case, family by family."""

__all__ = ["CASES", "ModelCase", "limits"]
