"""The comparison's own player gives what the reference gives, for every model of the catalogue."""

import random

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.porting.compare.setup import Play, Setup
from rlbackends.testing.assertions import assert_close
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, random_subjects


@pytest.mark.parametrize("name", CASES)
def test_the_player_gives_what_the_reference_gives(name):
    # Random trials have missing values, blocks and unequal lengths.
    rng = random.Random(name)
    case = CASES[name]
    model = case.model()
    data = as_trials(model, random_subjects(case, rng, (9, 7))).bind(model)
    params = [case.draw_params(rng, 2) for _ in range(2)]
    compiled = rl.compile(model, data)
    play = Play(Setup.of(model, data, [compiled.read_params(p) for p in params]))
    likelihoods, trajectories = play.log_likelihood(), play.trajectories()
    for point, given in enumerate(params):
        for response, values in compiled.log_likelihood(given).items():
            assert_close(likelihoods[response][point], np.nan_to_num(values.values), "log_likelihood")
        for variable, values in compiled.trajectories(given).items():
            found = np.where(np.isnan(values.values), np.nan, trajectories[variable][point])
            assert_close(found, values.values, "trajectories")


def test_parameters_may_differ_from_trial_to_trial():
    model = rl.catalogue.rescorla_wagner()
    data = rl.Trials.from_arrays(choice=[[0, 1, 1], [1, 0, 0]], reward=[[1, 0, 1], [0, 0, 1]]).bind(model)
    params = {"alpha": [[0.1, 0.5, 0.9], [0.2, 0.2, 0.3]], "beta": 2.0}
    compiled = rl.compile(model, data)
    found = Play(Setup.of(model, data, [compiled.read_params(params)])).log_likelihood()["choice"][0]
    assert_close(found, compiled.log_likelihood(params)["choice"].values, "log_likelihood")
