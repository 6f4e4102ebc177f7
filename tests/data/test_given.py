"""What is given to a function as its model and its data, but is neither."""

from __future__ import annotations

from pathlib import Path

import pytest

import rlbackends as rl
from rlbackends.data.given import bind_given
from rlbackends.errors import SettingError

MODEL = rl.catalogue.rescorla_wagner()
TRIALS = rl.Trials.from_arrays(choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]])

CALLS = {
    "compile": rl.compile,
    "check": rl.check,
    "estimate": rl.estimate,
    "fit": lambda model, data: rl.fit(model, data, backend="reference"),
    "export": lambda model, data: rl.export(model, "numpy", data=data),
    "compare_likelihood": lambda model, data: rl.compare_likelihood(model, data, [0.0]),
    "compare_density": lambda model, data: rl.compare_density(model, data, lambda z: 0.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_function_says_both_at_once(name):
    words = (
        rf"^{name}: model is 'two_step', expected a Model, such as rl\.catalogue\.two_step\(\)\. "
        r"data is a str, expected Trials: read them with rl\.read_trials\('file\.csv', subject=…\)\."
    )
    with pytest.raises(SettingError, match=words):
        CALLS[name]("two_step", "file.csv")


def test_a_fitter_has_no_data_yet():
    with pytest.raises(SettingError, match=r"^Fitter: model is 3, expected a Model"):
        rl.Fitter(3, backend="reference")


@pytest.mark.parametrize(
    ("model", "data", "words"),
    [
        ("rescorla_wagnr", TRIALS, "Did you mean 'rescorla_wagner'"),
        (rl.catalogue.rescorla_wagner, TRIALS, r"the function 'rescorla_wagner', .* call it, rescorla_wagner\(…\)"),
        (MODEL, Path("a.csv"), r"rl\.read_trials\('a\.csv'"),
        (MODEL, 3, r"data is an int, expected Trials: .* rl\.Trials\.from_arrays"),
        (rl.catalogue.two_step(), TRIALS.bind(MODEL), "bound to another model; they have no 'choice1'"),
    ],
)
def test_the_nearest_fix_is_told(model, data, words):
    with pytest.raises(SettingError, match=words):
        bind_given("here", model, data)


def test_a_simulation_has_its_trials_in_it():
    played = rl.simulate(MODEL, rl.tasks.bandit(), {"alpha": 0.3, "beta": 2.0}, subjects=2, backend="reference")
    with pytest.raises(SettingError, match=r"data is a Simulation, expected Trials: give its \.data"):
        rl.compile(MODEL, played)


def test_bound_trials_and_whatever_binds_are_data():
    bound = TRIALS.bind(MODEL)

    class Table:
        def bind(self, model):
            return bound

    assert rl.compile(MODEL, bound).data is bound
    assert rl.compile(MODEL, Table()).data is bound
