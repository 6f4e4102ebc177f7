"""Published data of real people: the reference backend against the oracles, trial by trial, for all subjects.

The oracles read the files on their own, so that a mistake in reading is seen, too.
"""

import math

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_close
from tests.oracles import read
from tests.oracles.cases import ORACLES
from tests.oracles.play import play_all

ALIENS = {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06}
PARAMS = {
    "rescorla_wagner": {"alpha": 0.3, "beta": 2.0},
    "rescorla_wagner_two_rates": {"alpha_pos": 0.5, "alpha_neg": 0.2, "beta": 2.0},
    "perseveration": {"alpha": 0.3, "beta": 1.5, "alpha_kernel": 0.4, "kappa": 0.8},
}
DELTA_RULES = sorted(PARAMS)
REVERSAL = {
    "fictitious_update": {"alpha": 0.4, "indecision_point": 0.1, "beta": 1.5},
    "fictitious_update_two_rates": {"alpha_pos": 0.5, "alpha_neg": 0.3, "indecision_point": 0.1, "beta": 1.5},
    "experience_weighted_attraction": {"payoff_retention": 0.6, "experience_retention": 0.2, "beta": 1.2},
}
GAIN_LOSS = {
    "alpha_gain": 0.3, "alpha_loss": 0.2, "sensitivity_gain": 2.0, "sensitivity_loss": 1.5, "alpha": 0.25,
    "forgetting": 0.1, "lapse": 0.08,
}  # fmt: skip
TWO_STEP = {
    "two_step": {
        "beta1": 3.0, "beta2": 2.5, "alpha1": 0.4, "alpha2": 0.6, "eligibility": 0.5, "w": 0.4, "stay": 0.3,
    },
    "two_step_six": {"beta1": 3.0, "beta2": 2.5, "alpha1": 0.4, "alpha2": 0.6, "w": 0.4, "stay": 0.3},
    "two_step_four": {"beta": 3.0, "alpha": 0.5, "w": 0.4, "stay": 0.3},
}  # fmt: skip
GO_NO_GO = {
    "go_no_go": {"lapse": 0.1, "alpha": 0.2, "sensitivity": 5.0},
    "go_no_go_bias": {"lapse": 0.1, "alpha": 0.2, "sensitivity": 5.0, "go_bias": 0.8},
    "go_no_go_pavlovian": {
        "lapse": 0.1, "alpha": 0.2, "sensitivity": 5.0, "go_bias": 0.8, "pavlovian_bias": 0.4,
    },
    "go_no_go_pavlovian_two_sensitivities": {
        "lapse": 0.1, "alpha": 0.2, "sensitivity_reward": 6.0, "sensitivity_punishment": 4.0, "go_bias": 0.8,
        "pavlovian_bias": 0.4,
    },
}  # fmt: skip


def assert_agree(data, subjects, name, params, **settings):
    """Assert that the reference backend gives the oracle's log-likelihood on every trial; return it."""
    wanted, _ = play_all(ORACLES[name], subjects, params, **settings)
    model = rl.catalogue.MODELS[name](**settings)
    found = rl.compile(model, data).log_likelihood(params)
    assert_close(found, wanted, "log_likelihood")
    return found, wanted


@pytest.mark.parametrize("name", DELTA_RULES)
def test_reversal_learning(shared_data, name):
    data = rl.read_trials(
        shared_data / "prl.tsv", subject="subjID", trial="trial", choice="choice", reward="outcome"
    )
    assert_agree(data, read.reversal(shared_data), name, PARAMS[name], n_actions=2)


@pytest.mark.parametrize("name", REVERSAL)
def test_reversal_learning_of_both_actions(shared_data, name):
    path, derive = shared_data / "prl.tsv", {"reward": "sign(outcome)"}
    data = rl.read_trials(path, subject="subjID", trial="trial", choice="choice", derive=derive)
    assert_agree(data, read.reversal(shared_data), name, REVERSAL[name])


@pytest.mark.parametrize("name", DELTA_RULES)
def test_four_armed_bandit(shared_data, name):
    path, derive = shared_data / "bandit4arm.tsv", {"reward": "gain - abs(loss)"}
    data = rl.read_trials(path, subject="subjID", choice="choice", derive=derive)
    assert_agree(data, read.four_armed(shared_data), name, PARAMS[name], n_actions=4, initial=0.1)


@pytest.mark.parametrize("name", rl.catalogue.FAMILIES["Gains and losses"].__all__)
def test_four_armed_bandit_gains_and_losses_apart(shared_data, name):
    path, derive = shared_data / "bandit4arm.tsv", {"loss": "-abs(loss)"}
    data = rl.read_trials(path, subject="subjID", choice="choice", gain="gain", derive=derive)
    params = {key: GAIN_LOSS[key] for key in rl.catalogue.MODELS[name]().parameters}
    assert_agree(data, read.four_armed(shared_data), name, params)


@pytest.mark.parametrize("last_step", ["before", "after"])
@pytest.mark.parametrize("name", TWO_STEP)
def test_two_step(shared_data, name, last_step):
    data = rl.read_trials(
        shared_data / "ts.tsv",
        subject="subjID",
        trial="trial",
        choice1="level1_choice",
        reward="reward",
        derive={
            "state2": "where(level2_choice > 2, 1, 0)",
            "choice2": "where(level2_choice > 2, level2_choice - 2, level2_choice)",
        },
    )
    assert_agree(data, read.two_step(shared_data), name, TWO_STEP[name], last_step=last_step)


def test_two_step_common_transitions(shared_data):
    # The model says that first action 0 commonly leads to state 0. In these data it does in 1005 of 1404
    # trials.
    trials = [trial for subject in read.two_step(shared_data) for trial in subject]
    first = [trial["state2"] for trial in trials if trial["choice1"] == 0]
    other = [trial["state2"] for trial in trials if trial["choice1"] == 1]
    assert (first.count(0), first.count(1)) == (1005, 399)
    assert (other.count(0), other.count(1)) == (243, 543)


@pytest.mark.parametrize("name", GO_NO_GO)
def test_go_no_go(shared_data, name):
    path = shared_data / "gng.tsv"
    data = rl.read_trials(path, subject="subjID", trial="trialNum", cue="cue", go="keyPressed", outcome="outcome")
    assert_agree(data, read.go_no_go(shared_data), name, GO_NO_GO[name])


def test_go_no_go_cues(shared_data):
    # What the cues ask for in these data, as far as outcomes tell: cues 1 and 2 bring rewards and 3 and 4 punishments;
    # at 1 and 3 it is going that ends better on average, at 2 and 4 it is not going.
    trials = [trial for subject in read.go_no_go(shared_data) for trial in subject]
    outcomes = {
        (cue, go): [trial["outcome"] for trial in trials if (trial["cue"], trial["go"]) == (cue, go)]
        for cue in range(4)
        for go in (0, 1)
    }
    assert [set(outcomes[cue, 0] + outcomes[cue, 1]) for cue in range(4)] == [{0, 1}, {0, 1}, {0, -1}, {0, -1}]
    assert [np.mean(outcomes[cue, 1]) > np.mean(outcomes[cue, 0]) for cue in range(4)] == [True, False, True, False]


def total(log_likelihood):
    """Return the sum over the choices of all subjects."""
    return math.fsum(np.ravel(log_likelihood["choice"]))


@pytest.fixture(scope="module")
def aliens_data(shared_data):
    files = {"season": "seasons", "alien": "aliens", "choice": "actions", "reward": "rewards"}
    return rl.read_trials({event: shared_data / "aliens" / f"{name}.csv" for event, name in files.items()})


def test_aliens(shared_data, aliens_data):
    # The log-likelihood that people who fitted these data know: −12,471.5.
    for log_likelihood in assert_agree(aliens_data, read.aliens(shared_data), "aliens", ALIENS):
        assert total(log_likelihood) == pytest.approx(-12471.45907931, rel=0, abs=1e-8)


def test_aliens_by_chance(shared_data, aliens_data):
    # With an inverse temperature of 0 each of three actions has 1/3: 31 · 440 · ln(1/3) is about −14,985.1.
    by_chance = {**ALIENS, "beta": 0.0}
    for log_likelihood in assert_agree(aliens_data, read.aliens(shared_data), "aliens", by_chance):
        assert total(log_likelihood) == pytest.approx(-31 * 440 * math.log(3), rel=1e-13)
