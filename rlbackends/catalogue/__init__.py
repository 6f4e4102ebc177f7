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
from rlbackends.catalogue.actors import actor_critic, opal
from rlbackends.catalogue.associability import pearce_hall
from rlbackends.catalogue.aversive import aversive_delta, aversive_gamma
from rlbackends.catalogue.balloon import balloon_four_parameters, balloon_mean_variance
from rlbackends.catalogue.baseline import biased_responding, win_stay_lose_shift
from rlbackends.catalogue.beliefs import hgf_three_levels, hgf_two_levels
from rlbackends.catalogue.card_sorting_task import card_sorting
from rlbackends.catalogue.choice_kernels import choice_kernel, perseveration
from rlbackends.catalogue.conditioning import conditioned_response, conditioned_response_pearce_hall
from rlbackends.catalogue.delta_rule import (
    rescorla_wagner,
    rescorla_wagner_forgetting,
    rescorla_wagner_forgetting_unchosen,
    rescorla_wagner_outcome_rates,
    rescorla_wagner_two_rates,
)
from rlbackends.catalogue.gain_loss import (
    gain_loss_bandit,
    gain_loss_lapse,
    gain_loss_lapse_decay,
    gain_loss_single_rate,
    gain_loss_unit_sensitivity,
)
from rlbackends.catalogue.gambling import orl, pvl_decay, pvl_delta, vpp
from rlbackends.catalogue.pavlovian import (
    go_no_go,
    go_no_go_bias,
    go_no_go_pavlovian,
    go_no_go_pavlovian_two_sensitivities,
)
from rlbackends.catalogue.reversal import experience_weighted_attraction, fictitious_update, fictitious_update_two_rates
from rlbackends.catalogue.stimulus_action import (
    aliens,
    probabilistic_selection,
    probabilistic_selection_one_rate,
    rl_working_memory,
    stimulus_action_learning,
)
from rlbackends.catalogue.task_sets import aliens_bayesian, aliens_task_sets, aliens_task_sets_argmax
from rlbackends.catalogue.two_step_task import two_step, two_step_four, two_step_six
from rlbackends.catalogue.ultimatum import ultimatum_bayesian, ultimatum_delta
from rlbackends.catalogue.uncertainty import kalman_filter
from rlbackends.model import Model

FAMILIES: Mapping[str, ModuleType] = MappingProxyType(
    {
        "No learning": baseline,
        "Delta rule": delta_rule,
        "Choice kernels": choice_kernels,
        "Associability": associability,
        "Uncertainty": uncertainty,
        "Reversal learning": reversal,
        "Gains and losses": gain_loss,
        "Stimulus and action": stimulus_action,
        "Task sets": task_sets,
        "Go/no-go": pavlovian,
        "Actor–critic": actors,
        "Two-step task": two_step_task,
        "Iowa gambling task": gambling,
        "Aversive learning": aversive,
        "Ultimatum game": ultimatum,
        "Card sorting": card_sorting_task,
        "Balloon task": balloon,
        "Hierarchical Gaussian filter": beliefs,
        "Conditioned responses": conditioning,
    }
)
"""Family, as a title → its module, whose ``__all__`` are its models."""

MODELS: Mapping[str, Callable[..., Model]] = MappingProxyType(
    {name: getattr(family, name) for family in FAMILIES.values() for name in family.__all__}
)
"""Name → the function that makes the model; without arguments it gives the model as its paper has it."""

__all__ = [
    "FAMILIES",
    "MODELS",
    "biased_responding",
    "win_stay_lose_shift",
    "rescorla_wagner",
    "rescorla_wagner_two_rates",
    "rescorla_wagner_outcome_rates",
    "rescorla_wagner_forgetting",
    "rescorla_wagner_forgetting_unchosen",
    "choice_kernel",
    "perseveration",
    "pearce_hall",
    "kalman_filter",
    "fictitious_update",
    "fictitious_update_two_rates",
    "experience_weighted_attraction",
    "gain_loss_bandit",
    "gain_loss_lapse",
    "gain_loss_lapse_decay",
    "gain_loss_single_rate",
    "gain_loss_unit_sensitivity",
    "stimulus_action_learning",
    "aliens",
    "rl_working_memory",
    "probabilistic_selection",
    "probabilistic_selection_one_rate",
    "aliens_task_sets",
    "aliens_task_sets_argmax",
    "aliens_bayesian",
    "go_no_go",
    "go_no_go_bias",
    "go_no_go_pavlovian",
    "go_no_go_pavlovian_two_sensitivities",
    "actor_critic",
    "opal",
    "two_step",
    "two_step_six",
    "two_step_four",
    "pvl_delta",
    "pvl_decay",
    "vpp",
    "orl",
    "aversive_delta",
    "aversive_gamma",
    "ultimatum_delta",
    "ultimatum_bayesian",
    "card_sorting",
    "balloon_four_parameters",
    "balloon_mean_variance",
    "hgf_two_levels",
    "hgf_three_levels",
    "conditioned_response",
    "conditioned_response_pearce_hall",
]
