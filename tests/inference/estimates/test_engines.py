"""Values and gradients of each subject at many draws: three engines, one answer."""

import importlib.util

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.testing import assert_close

BACKENDS = ("numpyro", "pymc")
SETTINGS = {"numpyro": {}, "pymc": {"mode": "FAST_COMPILE"}}


def ragged():
    """Three subjects with 12, 9 and 5 trials, some responses missing, and one subject with two blocks."""
    rng = np.random.default_rng(2)
    choice = rng.integers(0, 2, (3, 12)).astype(float)
    choice[0, 3] = choice[2, 0] = np.nan
    reward = rng.normal(size=(3, 12))
    blocks = [[1] * 6 + [2] * 6, [1] * 12, [1] * 12]
    levels = {"choice": [0, 1]}
    return rl.Trials.from_arrays(lengths=[12, 9, 5], choice=choice, reward=reward, blocks=blocks, levels=levels)


def complete():
    rng = np.random.default_rng(3)
    return rl.Trials.from_arrays(choice=rng.integers(0, 2, (2, 8)), reward=rng.normal(size=(2, 8)))


def both_stages():
    """A model with two responses a trial, the second of which is missing now and then."""
    def first(a):
        return rl.Normal(mean=a, sd=1.0)

    def second(a, b, y):
        return rl.Bernoulli(logits=b * y - a)

    model = rl.Model(
        "stages",
        parameters={"a": rl.Parameter(rl.RealLine()), "b": rl.Parameter(rl.Positive())},
        states={}, trial={"y": first, "hit": second}, update=lambda: {},
    )  # fmt: skip
    rng = np.random.default_rng(4)
    hit = rng.integers(0, 2, (3, 6)).astype(float)
    hit[1, 2] = hit[0] = np.nan
    return model, rl.Trials.from_arrays(y=rng.normal(size=(3, 6)), hit=hit)


def cases():
    model = rl.catalogue.rescorla_wagner()
    bound = ragged().bind(model)
    held = np.zeros((3, 12), dtype=bool)
    held[:, 2:4] = held[1] = True
    return {
        "complete": (model, complete().bind(model)),
        "ragged": (model, bound),
        "held out": (model, bound.holding_out(held)),
        "two responses": both_stages(),
    }


CASES = ("complete", "ragged", "held out", "two responses")


def draws(model, n_draws, n_subjects):
    rng = np.random.default_rng(5)
    inside = {name: p.support.contains(np.array(2.0)) for name, p in model.parameters.items()}
    return {
        name: rng.uniform(0.1, 2.5 if wide else 0.9, (n_draws, n_subjects)) for name, wide in inside.items()
    }


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request):
    if not importlib.util.find_spec(request.param):
        pytest.skip(f"needs {request.param}")
    return request.param


@pytest.mark.parametrize("case", CASES)
def test_engines_give_the_reference(backend, case):
    model, data = cases()[case]
    compiled = rl.compile(model, data, backend, **SETTINGS[backend])
    reference = rl.compile(model, data)
    params = draws(model, 5, compiled.data.n_subjects)
    value, gradient = compiled.engine.value_and_gradient_draws(params)
    expected, slopes = reference.engine.value_and_gradient_draws(params)
    assert value.shape == (5, compiled.data.n_subjects)
    assert_close(value, expected, "gradient")
    assert set(gradient) == set(model.parameters)
    for name in gradient:
        assert_close(gradient[name], slopes[name], "gradient")


@pytest.mark.parametrize("case", CASES)
def test_the_reference_sums_what_it_gives_by_trial(case):
    model, data = cases()[case]
    reference = rl.compile(model, data)
    params = draws(model, 3, reference.data.n_subjects)
    value, gradient = reference.engine.value_and_gradient_draws(params)
    bound = reference.data
    for i in range(3):
        at = {name: array[i] for name, array in params.items()}
        by_trial = reference.engine.log_likelihood(at)
        counted = {name: bound.observed(name) & bound.counts for name in by_trial}
        total = sum(np.where(counted[name], by_trial[name], 0).sum(axis=1) for name in by_trial)
        assert np.allclose(value[i], total, rtol=1e-13)
        whole, slopes = reference.engine.value_and_gradient(at)
        assert np.isclose(whole, value[i].sum())
        for name in slopes:
            assert np.allclose(gradient[name][i], slopes[name], rtol=1e-13)


def test_the_number_of_draws_does_not_matter(backend):
    model = rl.catalogue.rescorla_wagner()
    engine = rl.compile(model, ragged(), backend, **SETTINGS[backend]).engine
    params = draws(model, 7, 3)
    whole, slopes = engine.value_and_gradient_draws(params)
    for part in (slice(0, 1), slice(2, 5)):
        value, gradient = engine.value_and_gradient_draws({name: array[part] for name, array in params.items()})
        assert_close(value, whole[part], "gradient")
        for name in gradient:
            assert_close(gradient[name], slopes[name][part], "gradient")


def test_one_subject_without_a_value_leaves_the_others(backend):
    # With a real response of infinite distance the density is minus infinity, and its gradient is not a number.
    model, data = both_stages()
    engine = rl.compile(model, data, backend, **SETTINGS[backend]).engine
    params = draws(model, 2, 3)
    clean = engine.value_and_gradient_draws(params)
    broken = {name: array.copy() for name, array in params.items()}
    broken["a"][0, 1] = 1e200
    value, gradient = engine.value_and_gradient_draws(broken)
    assert not np.isfinite(value[0, 1])
    rest = np.ones((2, 3), dtype=bool)
    rest[0, 1] = False
    assert np.array_equal(value[rest], clean[0][rest])
    for name in gradient:
        assert np.array_equal(gradient[name][rest], clean[1][name][rest])
