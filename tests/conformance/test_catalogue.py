"""Every backend against the reference: each catalogue model, on plain and on messy data, and at its limits."""

from __future__ import annotations

import random

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_backends_agree
from rlbackends.testing.cases import CASES
from rlbackends.testing.trials import as_trials, random_subjects
from tests.conformance.cases import BACKENDS


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_may_vary_by_trial(backend):
    case = CASES["rescorla_wagner_3"]
    model = case.model()
    data = as_trials(model, random_subjects(case, random.Random(3), (14, 9, 14, 1))).bind(model)
    rng = np.random.default_rng(0)
    params = {"alpha": rng.uniform(size=(data.n_subjects, data.n_steps)), "beta": 2.0}
    assert_backends_agree(model, data, params, backends=[backend], points=0, **BACKENDS[backend])


@pytest.mark.parametrize("name", CASES)
def test_model_survives_json(name):
    model = CASES[name].model()
    again = rl.Model.from_json(model.to_json())
    assert again == model
    assert again.to_json() == model.to_json()
