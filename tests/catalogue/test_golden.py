"""The committed small data sets, read as a user reads them, against the golden values of the oracles."""

import json
from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_close
from tests.oracles.cases import CASES
from tests.oracles.make_golden import FOLDER, golden
from tests.oracles.play import codes, play_all
from tests.oracles.read import small


def read_golden(name):
    """Return a golden file, its lists as arrays with NaN for null."""
    values = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for group in ("log_likelihood", "trajectories"):
        values[group] = {key: np.array(array, dtype=float) for key, array in values[group].items()}
    return values


def test_every_case_has_a_data_set_and_every_data_set_a_case():
    assert {path.stem for path in Path(FOLDER).iterdir()} == set(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_reference(name):
    wanted = read_golden(name)
    model = rl.catalogue.MODELS[wanted["model"]](**wanted["settings"])
    data = rl.read_trials(
        FOLDER / f"{name}.csv",
        subject="subject",
        trial="trial",
        block="block",
        levels=codes(model),
        **{event: event for event in model.events},
    )
    found = rl.compile(model, data)
    assert_close(found.log_likelihood(wanted["parameters"]), wanted["log_likelihood"], "log_likelihood")
    assert_close(found.trajectories(wanted["parameters"]), wanted["trajectories"], "trajectories")


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_oracle_still_gives_them(name):
    wanted, case = read_golden(name), CASES[name]
    subjects, again = golden(name)
    assert small(FOLDER / f"{name}.csv", [key for key in subjects[0][0] if key != "start"]) == subjects
    assert [again[key] for key in ("model", "settings", "parameters")] == [
        wanted[key] for key in ("model", "settings", "parameters")
    ]
    log_likelihood, trajectories = play_all(case.oracle, subjects, wanted["parameters"], **case.settings)
    assert_close(log_likelihood, wanted["log_likelihood"], "log_likelihood")
    assert_close(trajectories, wanted["trajectories"], "trajectories")
