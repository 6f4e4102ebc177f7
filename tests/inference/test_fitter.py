"""A Fitter compiles once; each of its fits is the one that ``rl.fit`` gives, to the last bit."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import warnings

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import BackendError, DataError, SettingError
from rlbackends.inference.result import ConvergenceWarning

SHORT = {"draws": 20, "tune": 20, "chains": 2, "cores": 1, "progress": "off"}
SETTINGS = {
    "numpyro": {"backend": "numpyro", **SHORT},
    # Quick to compile: the certificate's functions in plain Python, nutpie's in JAX.
    "pymc": {"backend": "pymc", **SHORT, "mode": "FAST_COMPILE", "sampler_settings": {"compile_backend": "jax"}},
}


def trials(seed, n_subjects=3, n_trials=12, n_missing=1):
    """Return choices and rewards of subjects who guess; which of them is missing, and who stops early, varies."""
    rng = np.random.default_rng(seed)
    choice = rng.integers(0, 2, (n_subjects, n_trials)).astype(float)
    order = rng.permutation(n_subjects)
    choice[order[0], rng.permutation(n_trials - 2)[:n_missing]] = np.nan
    lengths = np.where(order == 0, n_trials - 2, n_trials)
    rewards = rng.integers(0, 2, (n_subjects, n_trials)).astype(float)
    return rl.Trials.from_arrays(
        subjects=[f"{seed}-{s}" for s in range(n_subjects)], lengths=lengths, levels={"choice": [0, 1]},
        choice=choice, reward=rewards,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # far too short to tell anything but equality
        yield


@pytest.fixture(scope="module", params=list(SETTINGS))
def case(request):
    """Return a backend's settings, and a fitter of theirs that has fitted once."""
    settings = SETTINGS[request.param]
    fitter = rl.Fitter(rl.catalogue.rescorla_wagner(), **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        first = fitter.fit(trials(1), seed=1)
    return settings, fitter, first


def assert_same_fit(found, expected):
    for group in expected.tree.children:
        assert found.tree[group].to_dataset().identical(expected.tree[group].to_dataset()), group
    assert found.certificate == expected.certificate
    assert found.settings == expected.settings
    for name in ("model", "population", "levels", "source", "backend", "reports"):
        assert found.tree.attrs[name] == expected.tree.attrs[name]


def test_a_later_fit_is_that_of_a_fresh_one_and_compiles_nothing(case, monkeypatch):
    settings, fitter, first = case
    before = {group: first.tree[group].to_dataset().copy(deep=True) for group in first.tree.children}
    with monkeypatch.context() as patch:
        no_compilation(settings["backend"], fitter, patch)
        found = fitter.fit(trials(2), seed=2)
    assert_same_fit(found, rl.fit(rl.catalogue.rescorla_wagner(), trials(2), seed=2, **settings))
    assert found.certificate.holds
    assert found.certificate.data_digest == found.data.digest != first.data.digest
    assert found.certificate.posterior is not None
    assert list(found.tree["posterior"]["subject"].values) == ["2-0", "2-1", "2-2"]
    for group, dataset in before.items():
        assert first.tree[group].to_dataset().identical(dataset), group


def no_compilation(backend, fitter, patch):
    """Make whatever compiles raise."""

    def refuse(*args, **kwargs):
        raise AssertionError("something was compiled")

    if backend == "pymc":
        import nutpie
        import pytensor

        patch.setattr(pytensor, "function", refuse)
        patch.setattr(nutpie, "compile_pymc_model", refuse)
    else:
        import jax._src.compiler

        from rlbackends.backends.numpyro import nuts

        patch.setattr(jax._src.compiler, "backend_compile_and_load", refuse)
        patch.setattr(nuts, "trace", refuse)


def test_the_first_data_again_give_the_first_fit_again(case):
    _, fitter, first = case
    fitter.fit(trials(3), seed=3)
    assert_same_fit(fitter.fit(trials(1), seed=1), first)


@pytest.mark.parametrize("case", ["pymc"], indirect=True)  # all changes on each backend: backends/test_with_data.py
def test_data_of_another_structure_are_compiled_anew(case):
    settings, fitter, _ = case
    other = copy.copy(fitter)
    other._compiled = fitter._compiled
    data = trials(2, n_subjects=2, n_trials=10, n_missing=2)
    assert_same_fit(other.fit(data, seed=2), rl.fit(rl.catalogue.rescorla_wagner(), data, seed=2, **settings))


@pytest.mark.slow
def test_nutpie_in_numba_gives_the_same_draws_too():
    settings = {"backend": "pymc", **SHORT, "mode": "FAST_COMPILE"}
    fitter = rl.Fitter(rl.catalogue.rescorla_wagner(), **settings)
    fitter.fit(trials(1), seed=1)
    found = fitter.fit(trials(2), seed=2)
    assert found.timing["compile_seconds"] < 1.0
    assert_same_fit(found, rl.fit(rl.catalogue.rescorla_wagner(), trials(2), seed=2, **settings))


def test_population_and_output(tmp_path):
    population = rl.Population("complete", beta=[1.0, 2.0, 3.0])
    fitter = rl.Fitter(rl.catalogue.rescorla_wagner(), population=population, **SETTINGS["numpyro"])
    found = fitter.fit(trials(1), output=tmp_path / "fit.nc")
    np.testing.assert_array_equal(rl.load(tmp_path / "fit.nc").posterior_mean()["beta"], [1.0, 2.0, 3.0])
    assert found.settings["seed"] == 0
    with pytest.raises(SettingError, match="exists"):
        fitter.fit(trials(1), output=tmp_path / "fit.nc")
    with pytest.raises(rl.errors.ModelError, match="beta"):
        fitter.fit(trials(1, n_subjects=2))
    with pytest.raises(DataError, match="is not among the columns"):
        fitter.fit(rl.Trials.from_arrays(choice=[[0, 1]]))
    assert json.loads(fitter.fit(trials(2)).tree.attrs["population"])["beta"] == {"fixed": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"backend": "numpyr"}, BackendError, "no backend 'numpyr'.*Did you mean 'numpyro'"),
        ({"backend": "reference"}, SettingError, "does not sample"),
        ({"sampler": "nuts2"}, SettingError, "no sampler 'nuts2'"),
        ({"draws": 0, "chains": -1}, SettingError, "chains is -1.*draws is 0"),
        ({"target_accept": 1.5}, SettingError, "target_accept is 1.5"),
        ({"certificate_points": 0}, SettingError, "certificate_points is 0, expected a whole number of at least 1"),
        ({"progress": "loud"}, SettingError, "progress is 'loud'"),
        ({"gathr": "one_hot"}, SettingError, "no setting 'gathr'.*Did you mean 'gather'"),
        ({"gather": "onehot"}, SettingError, "gather is 'onehot'.*Did you mean 'one_hot'"),
        ({"backend": "pymc", "mode": "NUMBER"}, SettingError, "Did you mean 'NUMBA'"),
        ({"sampler_settings": {"dense_mas": True}}, SettingError, "no setting 'dense_mas'.*Did you mean 'dense_mass'"),
        ({"sampler_settings": {"draws": 10}}, SettingError, "'draws' is a setting of fit itself"),
        ({"backend": "pymc", "sampler_settings": {"compile_backend": "numbr"}}, SettingError, "'numbr'.*'numba'"),
    ],
)
def test_settings_are_checked_when_it_is_made(settings, error, match):
    with pytest.raises(error, match=match):
        rl.Fitter(rl.catalogue.rescorla_wagner(), **{"backend": "numpyro"} | settings)


def test_a_seed_out_of_range():
    fitter = rl.Fitter(rl.catalogue.rescorla_wagner(), backend="numpyro")
    with pytest.raises(SettingError, match="seed is -1"):
        fitter.fit(trials(1), seed=-1)


def test_it_goes_to_another_process_without_what_it_compiled(case):
    _, fitter, _ = case
    again = pickle.loads(pickle.dumps(fitter))
    assert repr(again) == repr(fitter)
    assert again.model == fitter.model and again.backend == fitter.backend
    assert fitter._compiled is not None and again._compiled is None


def test_it_takes_what_fit_takes():
    def taken(function):
        parameters = inspect.signature(function).parameters
        return {name: p.default for name, p in parameters.items() if name not in ("self", "settings")}

    both = taken(rl.Fitter.__init__) | taken(rl.Fitter.fit)
    # What a study asks for and a single fit does not: that Ctrl-C stops it, rather than leave a shorter fit.
    assert both.pop("keep_interrupted") is True
    assert both == taken(rl.fit)
