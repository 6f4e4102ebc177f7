"""The environments that models are learnt in: ready tasks, and what a task of one's own is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType, ModuleType

from rlbackends.tasks import (
    bandits,
    cues,
    decks,
    drifting,
    offers,
    probabilities,
    reversals,
    sorting,
    stimuli,
    two_stages,
)
from rlbackends.tasks.bandits import bandit, gaussian_bandit, tabulated_bandit
from rlbackends.tasks.cues import conditioning, go_no_go
from rlbackends.tasks.decks import gambling
from rlbackends.tasks.drifting import gain_loss_bandit, restless_bandit, restless_bernoulli_bandit
from rlbackends.tasks.offers import ultimatum
from rlbackends.tasks.probabilities import aversive_learning, binary_prediction
from rlbackends.tasks.reversals import reversal
from rlbackends.tasks.scheduled import Scheduled
from rlbackends.tasks.sorting import card_sorting
from rlbackends.tasks.stimuli import aliens, probabilistic_selection, stimulus_action
from rlbackends.tasks.task import Task
from rlbackends.tasks.two_stages import two_step

FAMILIES: Mapping[str, ModuleType] = MappingProxyType(
    {
        "Bandits": bandits,
        "Drifting bandits": drifting,
        "Reversal learning": reversals,
        "Stimulus and action": stimuli,
        "Two-step task": two_stages,
        "Iowa gambling task": decks,
        "Cues": cues,
        "Predictions and shocks": probabilities,
        "Ultimatum game": offers,
        "Card sorting": sorting,
    }
)
"""Family, as a title → its module, whose ``__all__`` are its tasks."""

TASKS: Mapping[str, Callable[..., Task]] = MappingProxyType(
    {name: getattr(family, name) for family in FAMILIES.values() for name in family.__all__}
)
"""Name → the function that makes the task."""

__all__ = [
    "FAMILIES",
    "TASKS",
    "Scheduled",
    "Task",
    "bandit",
    "gaussian_bandit",
    "tabulated_bandit",
    "restless_bandit",
    "restless_bernoulli_bandit",
    "gain_loss_bandit",
    "reversal",
    "aliens",
    "stimulus_action",
    "probabilistic_selection",
    "two_step",
    "gambling",
    "go_no_go",
    "conditioning",
    "binary_prediction",
    "aversive_learning",
    "ultimatum",
    "card_sorting",
]
