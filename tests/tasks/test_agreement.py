"""Models of the catalogue in the ready tasks: every backend plays the same trials from the same numbers."""

import random
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing.cases import CASES
from rlbackends.testing.tolerances import TOLERANCES, largest_difference


@dataclass(frozen=True)
class Pair:
    """A task, and a model that plays it with the parameters that its case has."""

    task: str
    model: str
    settings: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, Any] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    continuous: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [f"{name}={value}" for name, value in self.settings.items() if name in ("criterion", "window")]
        return "-".join([self.task, *words, self.model])

    def make_task(self) -> rl.tasks.Task:
        return rl.tasks.TASKS[self.task](**self.settings).rename(**self.renamed)

    def make_model(self) -> rl.Model:
        return rl.catalogue.MODELS[self.model](**self.sizes)


def pairs(task: str, *models: str, **more: Any) -> list[Pair]:
    return [Pair(task, model, **more) for model in models]


PAIRS = [
    *pairs("bandit", "rescorla_wagner", "perseveration", "win_stay_lose_shift", "opal"),
    *pairs("gaussian_bandit", "rescorla_wagner_two_rates", "pearce_hall", "rescorla_wagner_forgetting",
           continuous=("reward",)),
    *pairs("tabulated_bandit", "rescorla_wagner", "rescorla_wagner_forgetting_unchosen", "actor_critic",
           settings={"payoffs": np.random.default_rng(3).normal(size=(20, 3))}, sizes={"n_actions": 3}),
    *pairs("restless_bandit", "kalman_filter", continuous=("reward",)),
    *pairs("restless_bandit", "rescorla_wagner", "choice_kernel", sizes={"n_actions": 4}, continuous=("reward",)),
    *pairs("restless_bernoulli_bandit", "rescorla_wagner_outcome_rates", "experience_weighted_attraction",
           settings={"loss": -1.0}),
    *pairs("restless_bernoulli_bandit", "pearce_hall", settings={"n_actions": 3}, sizes={"n_actions": 3}),
    *pairs("gain_loss_bandit", "gain_loss_bandit", "gain_loss_lapse_decay", "gain_loss_single_rate"),
    *pairs("reversal", "fictitious_update", "experience_weighted_attraction", settings={"every": 5}),
    *pairs("reversal", "fictitious_update_two_rates", "rescorla_wagner", settings={"criterion": 2, "hazard": 0.5}),
    *pairs("reversal", "fictitious_update", settings={"criterion": 2, "window": 3}),
    *pairs("reversal", "rescorla_wagner", settings={"probabilities": (0.9, 0.5, 0.1), "criterion": 2},
           sizes={"n_actions": 3}),
    *pairs("aliens", "aliens", "aliens_task_sets", "aliens_bayesian", settings={"season_length": 4},
           continuous=("reward",)),
    *pairs("stimulus_action", "rl_working_memory", settings={"set_sizes": (2, 3, 6)}),
    *pairs("stimulus_action", "stimulus_action_learning", settings={"validity": 0.8}),
    *pairs("stimulus_action", "opal", settings={"n_stimuli": 2}, sizes={"n_stimuli": 2, "n_actions": 3}),
    *pairs("probabilistic_selection", "probabilistic_selection", "probabilistic_selection_one_rate", "rescorla_wagner"),
    *pairs("two_step", "two_step", "two_step_six", "two_step_four"),
    *pairs("gambling", "pvl_delta", "orl", "vpp", "gain_loss_bandit"),
    *pairs("gambling", "rescorla_wagner", settings={"shuffled": False}, sizes={"n_actions": 4},
           renamed={"outcome": "reward"}),
    *pairs("go_no_go", "go_no_go", "go_no_go_pavlovian", "go_no_go_pavlovian_two_sensitivities"),
    *pairs("conditioning", "conditioned_response", "conditioned_response_pearce_hall", settings={"reversal": 5},
           continuous=("response",)),
    *pairs("conditioning", "conditioned_response", settings={"probabilities": (0.9, 0.5, 0.0)},
           sizes={"n_stimuli": 3}, continuous=("response",)),
    *pairs("binary_prediction", "hgf_two_levels", "hgf_three_levels", settings={"every": 5}),
    *pairs("binary_prediction", "rescorla_wagner", renamed={"input": "reward"}),
    *pairs("aversive_learning", "aversive_delta", "aversive_gamma"),
    *pairs("aversive_learning", "rescorla_wagner", renamed={"shock": "reward"}),
    *pairs("ultimatum", "ultimatum_delta", "ultimatum_bayesian"),
    *pairs("card_sorting", "card_sorting", settings={"criterion": 2}),
]  # fmt: skip


@cache
def play(number: int, backend: str) -> rl.Simulation:
    pair = PAIRS[number]
    model = pair.make_model()
    rng = random.Random(number)
    params = CASES[pair.model].draw_params(rng, 3)
    return rl.simulate(
        model, pair.make_task(), params, blocks=[2, 3, 2], trials=[8, 9, 15], seed=number, backend=backend
    )


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=map(str, PAIRS))
@pytest.mark.parametrize("backend", ["numpyro", "pymc"])
def test_backends_play_alike(number, backend):
    pytest.importorskip(backend)
    ours, theirs = play(number, "reference"), play(number, backend)
    assert theirs.near_edge == 0
    for name, values in ours.events.items():
        assert theirs.events[name].dtype == values.dtype
        if name in PAIRS[number].continuous:
            assert largest_difference(theirs.events[name], values).value <= TOLERANCES["trajectories"]
        else:
            np.testing.assert_array_equal(theirs.events[name], values)
    for name, values in ours.trajectories.items():
        found = largest_difference(theirs.trajectories[name].values, values.values)
        assert found.value <= TOLERANCES["trajectories"], (name, found)


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=map(str, PAIRS))
def test_simulated_data_lead_the_model_through_the_same_states(number):
    played = play(number, "reference")
    compiled = rl.compile(played.model, played.data, "reference")
    again = compiled.trajectories(played.params)
    for name, values in played.trajectories.items():
        assert largest_difference(again[name].values, values.values).value <= TOLERANCES["trajectories"], name
    probability = compiled.log_likelihood(played.params)
    for response in played.model.responses:
        there = played.blocks > 0
        assert np.isfinite(probability[response].values[there]).all()
        assert len(np.unique(played.events[response][there])) > 1
