"""Every backend against the reference: each catalogue model, on plain and on messy data, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_backends_agree
from tests.conformance.cases import BACKENDS, CASES, MESSES, random_trials

EXTREMES = [(case, params) for case in CASES for params in case.extremes]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("mess", MESSES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_backend_agrees_with_the_reference(case, mess, backend):
    model = case.make()
    data = random_trials(model, seed=1, **MESSES[mess])
    assert_backends_agree(model, data, backends=[backend], points=2, **BACKENDS[backend])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("case", "params"), EXTREMES, ids=lambda value: getattr(value, "name", None))
def test_backend_agrees_at_the_edges(case, params, backend):
    model = case.make()
    data = random_trials(model, seed=2, **MESSES["messy"])
    assert_backends_agree(model, data, params, backends=[backend], points=0, **BACKENDS[backend])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_model_survives_json(case):
    model = case.make()
    again = rl.Model.from_json(model.to_json())
    assert again == model
    assert again.to_json() == model.to_json()


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_may_vary_by_trial(backend):
    model = rl.catalogue.rescorla_wagner(n_actions=3)
    data = random_trials(model, seed=3, **MESSES["messy"]).bind(model)
    rng = np.random.default_rng(0)
    params = {"alpha": rng.uniform(size=(data.n_subjects, data.n_steps)), "beta": 2.0}
    assert_backends_agree(model, data, params, backends=[backend], points=0, **BACKENDS[backend])
