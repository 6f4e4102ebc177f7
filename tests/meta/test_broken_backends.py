"""The shipped suite must fail a backend that is wrong, whatever is wrong with it, by the check that is there for it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rlbackends.testing import BackendSuite
from rlbackends.testing.suite.cells import cells_of
from rlbackends.testing.suite.under_test import UnderTest
from tests.meta import broken as b
from tests.meta.broken import Broken

RULE = "rescorla_wagner_two_rates"
# What is wrong, the engine, the suite's check that catches it, and on what.
BROKEN = {
    "sign of the prediction error": (b.on_another_model(b.sign_of_the_error), "trajectories", RULE, "plain"),
    "rates swapped": (b.on_another_model(b.rates_swapped), "trajectories", RULE, "plain"),
    "wrong axis: every action learns": (b.on_another_model(b.every_action_learns), "trajectories", RULE, "plain"),
    "off by one trial": (b.on_other_data(b.off_by_one), "trajectories", RULE, "plain"),
    "block reset forgotten": (b.on_other_data(b.without_resets), "trajectories", RULE, "messy"),
    "missing trial that updates": (b.on_other_data(b.missing_that_updates), "trajectories", RULE, "messy"),
    "state shared between subjects": (b.SharedState, "trajectories", RULE, "plain"),
    "update before choice": (b.UpdateBeforeChoice, "log_likelihood", RULE, "plain"),
    "float32": (b.Float32, "log_likelihood", RULE, "plain"),
    "gradient stopped": (b.GradientStopped, "gradient", RULE, "plain"),
    "gradient stopped, seen by differences": (b.GradientStopped, "slope", RULE),
    "the first trial's parameters for all": (b.FirstTrialsParameters, "varying_parameters", RULE),
    "minus infinity kept finite": (b.KeptFinite, "limits", "biased_responding"),
    "softmax that overflows": (b.SOFTMAX_OVERFLOWS, "finite_at_limits", RULE),
    "Jacobian dropped": (b.JacobianDropped, "joint_density", RULE),
    "prior dropped": (b.PriorDropped, "population", "own priors"),
    "padding that leaks": (b.on_other_data(b.leaking_padding), "padding", RULE),
    "the first subject's parameters for all": (b.FirstSubjectsParameters, "order", RULE),
    "values that depend on the batch": (b.SeesTheOthers, "parts", RULE),
    "missing values that are 0": (b.on_other_data(b.missing_counted_as_0), "empty_trials", RULE),
    "missing responses that count": (b.on_other_data(b.missing_counted_as_0), "silence", RULE),
    "one action preferred": (b.on_another_model(b.learn, b.biased_choice), "labels", RULE),
    "data edited in place": (b.on_other_data(b.edits_its_data), "json", RULE),
    "max at ties": (b.MAX_SHARED, "operation", "max"),
    "maximum at ties": (b.MAXIMUM_SHARED, "operation", "maximum"),
    "abs at 0": (b.ABS_AT_0, "operation", "abs"),
    "softmax over the wrong axis": (b.SOFTMAX_OVER_ALL, "operation", "softmax"),
    "set that passes on as add does": (b.SET_ADDS, "operation", "at_set"),
    "nothing times infinity": (b.LOG_MULTIPLIES, "unread_operation", "log"),
}


def run(check, engine, *args):
    """Run one test of the shipped suite on an engine."""
    tested = UnderTest(Broken("broken", "", engine=engine))
    getattr(BackendSuite, f"test_{check}")(None, tested, lambda assertion, *given: assertion(*given), *args)


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_backend_fails(fault):
    engine, check, *args = BROKEN[fault]
    with pytest.raises(AssertionError):
        run(check, engine, *args)


@pytest.mark.parametrize("where", dict.fromkeys(tuple(row[1:]) for row in BROKEN.values()), ids="-".join)
def test_a_sound_backend_passes(where):
    check, *args = where
    run(check, b.Engine, *args)


@pytest.mark.parametrize("rule", [b.on_another_model(b.learn)])
def test_the_faults_are_the_only_difference(rule):
    run("trajectories", rule, RULE, "messy")


def test_every_check_of_the_suite_catches_something():
    assert {row[1] for row in BROKEN.values()} == set(cells_of(BackendSuite))


MY_ENGINE = '''
import numpy as np
from rlbackends.backends.reference import Engine as Sound

class Engine(Sound):
    name = "mine"

    def value_and_gradient(self, params):
        value, gradient = super().value_and_gradient(params)
        return value, {name: -slope for name, slope in gradient.items()}
'''
MY_TEST = '''
from rlbackends.backends import Backend
from rlbackends.testing import BackendSuite

class TestMine(BackendSuite):
    backend = Backend("mine", "my_engine")
'''
MY_FIXTURE = '''
import pytest
from rlbackends.testing import BackendSuite, notyet

@pytest.fixture
def backend():
    return "reference"

class TestMine(BackendSuite):
    gaps = [notyet("gradient", "*-messy", reason="to see one that passes", raises=AssertionError)]

class TestNobody(BackendSuite):
    backend = "referense"
'''


def pytest_in(folder, repository, *arguments):
    """Run pytest in a folder, as somebody else would, and return its lines."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", "--tb=line", *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": os.pathsep.join([str(repository), str(folder)])},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.stdout.splitlines()


def test_somebody_elses_broken_backend_fails_by_name(tmp_path, repository):
    (tmp_path / "my_engine.py").write_text(MY_ENGINE)
    (tmp_path / "test_mine.py").write_text(MY_TEST)
    lines = pytest_in(tmp_path, repository, "-k", f"{RULE}-plain or test_operation and max or test_padding and {RULE}")
    outcome = {line.split("::")[-1].split(" - ")[0]: line.split()[0] for line in lines if "::test_" in line}
    assert outcome == {
        f"test_trajectories[{RULE}-plain]": "PASSED",
        f"test_log_likelihood[{RULE}-plain]": "PASSED",
        f"test_gradient[{RULE}-plain]": "FAILED",
        "test_operation[max]": "FAILED",
        "test_operation[maximum]": "FAILED",
        "test_operation[argmax]": "PASSED",
        "test_operation[softmax]": "FAILED",
        "test_operation[log_softmax]": "FAILED",
        f"test_padding[{RULE}]": "PASSED",
    }


def test_a_fixture_says_which_backend_and_gaps_are_strict(tmp_path, repository):
    (tmp_path / "test_mine.py").write_text(MY_FIXTURE)
    text = "\n".join(pytest_in(tmp_path, repository, "-k", f"gradient and {RULE}-"))
    assert f"PASSED test_mine.py::TestMine::test_gradient[{RULE}-plain]" in text
    assert f"FAILED test_mine.py::TestMine::test_gradient[{RULE}-messy]" in text
    assert "notyet('gradient', '*-messy') no longer fails: take the gap away" in text
    assert "there is no backend 'referense'" in text
    assert "Did you mean 'reference'?" in text


def test_the_names_of_the_cells_are_pytests(tmp_path, repository):
    (tmp_path / "test_mine.py").write_text(MY_TEST)
    lines = pytest_in(tmp_path, repository, "--collect-only")
    collected = {line.split("::test_")[1] for line in lines if "::test_" in line}
    cells = cells_of(BackendSuite)
    assert collected == {f"{check}[{name}]" for check, names in cells.items() for name in names}
