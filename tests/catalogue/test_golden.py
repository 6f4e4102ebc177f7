"""The committed small data sets, read as a user reads them, against the golden values of the oracles."""

import json
from pathlib import Path

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_close
from rlbackends.testing.cases import CASES
from tests.oracles.cases import ORACLES
from tests.oracles.make_golden import FOLDER, columns
from tests.oracles.play import play_all
from tests.oracles.read import small


def read_golden(name):
    """Return a golden file, its lists as arrays with NaN for null."""
    values = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    for group in ("log_likelihood", "trajectories"):
        values[group] = {key: np.array(array, dtype=float) for key, array in values[group].items()}
    return values


def test_every_case_has_a_data_set_and_every_data_set_a_case():
    assert {path.stem for path in Path(FOLDER).iterdir()} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_reference(name):
    wanted = read_golden(name)
    model = rl.catalogue.MODELS[wanted["model"]](**wanted["settings"])
    events = columns(model)
    data = rl.read_trials(
        FOLDER / f"{name}.csv",
        subject="subject",
        trial="trial",
        block="block",
        levels={key: range(int(e.kind.hi) + 1) for key, e in model.events.items() if e.kind.name == "int"},
        **{event: names if len(names) > 1 else names[0] for event, (_, names) in events.items()},
    )
    found = rl.compile(model, data)
    assert_close(found.log_likelihood(wanted["parameters"]), wanted["log_likelihood"], "log_likelihood")
    assert_close(found.trajectories(wanted["parameters"]), wanted["trajectories"], "trajectories")


@pytest.mark.parametrize("name", CASES)
def test_the_oracle_still_gives_them(name):
    wanted = read_golden(name)
    assert (wanted["model"], wanted["settings"]) == (CASES[name].make.__name__, dict(CASES[name].settings))
    subjects = small(FOLDER / f"{name}.csv", columns(CASES[name].model()))
    log_likelihood, trajectories = play_all(ORACLES[name], subjects, wanted["parameters"], **wanted["settings"])
    assert_close(log_likelihood, wanted["log_likelihood"], "log_likelihood")
    assert_close(trajectories, wanted["trajectories"], "trajectories")
