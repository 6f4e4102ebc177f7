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


@pytest.mark.parametrize("name", DELTA_RULES)
def test_four_armed_bandit(shared_data, name):
    path, derive = shared_data / "bandit4arm.tsv", {"reward": "gain - abs(loss)"}
    data = rl.read_trials(path, subject="subjID", choice="choice", derive=derive)
    assert_agree(data, read.four_armed(shared_data), name, PARAMS[name], n_actions=4, initial=0.1)


@pytest.mark.parametrize("last_step", ["before", "after"])
def test_two_step(shared_data, last_step):
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
    params = {
        "beta1": 3.0, "beta2": 2.5, "alpha1": 0.4, "alpha2": 0.6, "eligibility": 0.5, "w": 0.4, "stay": 0.3,
    }  # fmt: skip
    assert_agree(data, read.two_step(shared_data), "two_step", params, last_step=last_step)


def test_two_step_common_transitions(shared_data):
    # The model says that first action 0 commonly leads to state 0. In these data it does in 1005 of 1404
    # trials.
    trials = [trial for subject in read.two_step(shared_data) for trial in subject]
    first = [trial["state2"] for trial in trials if trial["choice1"] == 0]
    other = [trial["state2"] for trial in trials if trial["choice1"] == 1]
    assert (first.count(0), first.count(1)) == (1005, 399)
    assert (other.count(0), other.count(1)) == (243, 543)


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
