"""Every model of the catalogue, on the reference backend, against its oracle: trials with gaps and blocks."""

import random

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_close
from tests.oracles.cases import CASES
from tests.oracles.play import as_arrays, codes, gradient, play_all

LENGTHS = (40, 1, 27)


@pytest.fixture(params=sorted(CASES))
def case(request):
    return CASES[request.param]


@pytest.fixture
def rng():
    return random.Random(20110324)


def compiled(case, subjects):
    model = rl.catalogue.MODELS[case.model](**case.settings)
    return rl.compile(model, rl.Trials.from_arrays(**as_arrays(subjects), levels=codes(model)))


def test_there_is_an_oracle_for_every_model():
    assert {case.model for case in CASES.values()} == set(rl.catalogue.MODELS)


def test_the_trials_have_what_real_data_have(case, rng):
    subjects = case.subjects(rng, LENGTHS)
    later = [trial for trials in subjects for trial in trials[1:]]
    assert any(trial["start"] for trial in later)
    for event in later[0]:
        assert event == "start" or any(trial[event] is None for trial in later), event


def test_log_likelihood_and_trajectories(case, rng):
    subjects, params = case.subjects(rng, LENGTHS), case.params(rng)
    log_likelihood, trajectories = play_all(case.oracle, subjects, params, **case.settings)
    found = compiled(case, subjects)
    assert_close(found.log_likelihood(params), log_likelihood, "log_likelihood")
    assert_close(found.trajectories(params), trajectories, "trajectories")


def test_parameters_that_change_over_trials(case, rng):
    subjects = case.subjects(rng, LENGTHS)
    params = {
        name: np.array([[rng.uniform(*span) for _ in range(max(LENGTHS))] for _ in subjects])
        for name, span in case.ranges.items()
    }
    log_likelihood, trajectories = play_all(case.oracle, subjects, params, **case.settings)
    found = compiled(case, subjects)
    assert_close(found.log_likelihood(params), log_likelihood, "log_likelihood")
    assert_close(found.trajectories(params), trajectories, "trajectories")


def test_gradient(case, rng):
    subjects, params = case.subjects(rng, LENGTHS), case.params(rng)
    value, found = compiled(case, subjects).value_and_gradient(params)
    log_likelihood, _ = play_all(case.oracle, subjects, params, **case.settings)
    assert_close(value, sum(np.nansum(array) for array in log_likelihood.values()), "log_likelihood")
    assert_close(found, gradient(case.oracle, subjects, params, **case.settings), "gradient")
