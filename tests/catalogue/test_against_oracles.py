"""Every model of the catalogue, on the reference backend, against its oracle: trials with gaps and blocks."""

import random

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_close
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, random_subjects
from tests.oracles.cases import ORACLES
from tests.oracles.play import gradient, play_all

LENGTHS = (40, 1, 27)
# The subject of one trial may well have given no response there.
pytestmark = pytest.mark.filterwarnings("ignore:.*no response at all")


@pytest.fixture(params=CASES)
def name(request):
    return request.param


@pytest.fixture
def case(name):
    return CASES[name]


@pytest.fixture
def rng():
    return random.Random(20110324)


def assert_follows_the_oracle(name, subjects, params):
    """Assert that the reference gives the oracle's log-likelihood and trajectories, trial by trial."""
    model = CASES[name].model()
    found = rl.compile(model, as_trials(model, subjects))
    log_likelihood, trajectories = play_all(ORACLES[name], subjects, params, **CASES[name].settings)
    assert_close(found.log_likelihood(params), log_likelihood, "log_likelihood")
    assert_close(found.trajectories(params), trajectories, "trajectories")


def test_there_is_a_case_for_every_model_and_an_oracle_for_every_case():
    assert {case.make.__name__ for case in CASES.values()} == set(rl.catalogue.MODELS)
    assert set(ORACLES) == set(CASES)


def test_the_trials_have_what_real_data_have(case, rng):
    subjects = random_subjects(case, rng, LENGTHS)
    later = [trial for trials in subjects for trial in trials[1:]]
    assert any(trial["start"] for trial in later)
    for event in later[0]:
        assert event == "start" or any(trial[event] is None for trial in later), event


def test_log_likelihood_and_trajectories(name, case, rng):
    subjects = random_subjects(case, rng, LENGTHS)
    assert_follows_the_oracle(name, subjects, case.draw_params(rng, len(LENGTHS)))


def test_parameters_that_change_over_trials(name, case, rng):
    subjects = random_subjects(case, rng, LENGTHS)
    params = {
        key: np.array([[rng.uniform(*span) for _ in range(max(LENGTHS))] for _ in subjects])
        for key, span in case.params.items()
    }
    assert_follows_the_oracle(name, subjects, params)


def test_gradient(name, case, rng):
    subjects, params = random_subjects(case, rng, LENGTHS), case.draw_params(rng, len(LENGTHS))
    model = case.model()
    value, found = rl.compile(model, as_trials(model, subjects)).value_and_gradient(params)
    log_likelihood, _ = play_all(ORACLES[name], subjects, params, **case.settings)
    assert_close(value, sum(np.nansum(array) for array in log_likelihood.values()), "log_likelihood")
    assert_close(found, gradient(ORACLES[name], subjects, params, **case.settings), "gradient")
