"""nutpie on the JAX density, and PyMC's own NUTS, on engines of a model whose posterior is known exactly."""

from __future__ import annotations

import importlib.util
import io
import math
import os
import signal

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.chains import STATISTICS, Interrupted
from rlbackends.backends.progress import Progress
from rlbackends.backends.registry import get_backend
from rlbackends.errors import BackendError, SettingError
from tests.backends import two_means


def has(*packages):
    return all(importlib.util.find_spec(name) for name in packages)


NUTPIE = pytest.param(
    ("numpyro", "nutpie"), marks=pytest.mark.skipif(not has("numpyro", "nutpie"), reason="needs numpyro and nutpie")
)
NUTS = pytest.param(("pymc", "nuts"), marks=pytest.mark.skipif(not has("pymc"), reason="needs pymc"))
both = pytest.mark.parametrize("row", [NUTPIE, NUTS])
SETTINGS = {"seed": 3, "chains": 2, "tune": 200, "draws": 300, "cores": 2}
ENGINE = {"numpyro": {}, "pymc": {"mode": "FAST_COMPILE"}}


@pytest.fixture(scope="module")
def compiled():
    """Return compiled models by backend, each compiled once."""
    found = {}

    def get(backend):
        if backend not in found:
            found[backend] = rl.compile(
                two_means.model(), two_means.data(), backend, population=two_means.POPULATION, **ENGINE[backend]
            )
        return found[backend]

    return get


@pytest.fixture(scope="module")
def calm(compiled):
    """Return undisturbed results by row."""
    found = {}

    def get(row):
        if row not in found:
            found[row] = sample(row, compiled(row[0]))
        return found[row]

    return get


def sample(row, compiled, **settings):
    return get_backend(row[0]).sampler(row[1]).load()(compiled.engine, **SETTINGS | settings)


def assert_first(left, right):
    """The first draws of ``right``: how many are drawn after tuning changes none."""
    for what in ("unconstrained", "stats"):
        for name, array in getattr(left, what).items():
            np.testing.assert_array_equal(array, getattr(right, what)[name][:, : array.shape[1]], err_msg=name)


@both
def test_posterior_is_the_exact_one(row, calm):
    """False alarms: 12 z-scores beyond 6, less than 1e-7 where the effective size is 200 or more."""
    result = calm(row)
    mean, covariance = two_means.posterior()
    draws = {name: result.unconstrained[name].reshape(-1, 2) for name in two_means.NAMES}
    sd = math.sqrt(covariance[0, 0])
    for values in draws.values():
        assert np.all(np.abs(values.mean(axis=0) - mean) < 6 * sd / math.sqrt(200))
        assert np.all(np.abs(values.std(axis=0) / sd - 1) < 6 / math.sqrt(2 * 200))
    total = draws["first"] + draws["second"]
    exact = math.sqrt(covariance.sum())
    assert np.all(np.abs(total.mean(axis=0) - 2 * mean) < 6 * exact / math.sqrt(200))
    assert np.all(np.abs(total.std(axis=0) / exact - 1) < 6 / math.sqrt(2 * 200))


@both
def test_results_mean_what_everyones_mean(row, calm):
    result = calm(row)
    assert {name: array.shape for name, array in result.unconstrained.items()} == dict.fromkeys(
        two_means.NAMES, (2, 300, 2)
    )
    assert {name: array.dtype for name, array in result.stats.items()} == dict(STATISTICS)
    z = result.unconstrained
    np.testing.assert_allclose(result.stats["lp"], two_means.log_density(z["first"], z["second"]), rtol=1e-12)
    assert result.stats["n_steps"].min() > 0
    assert 0.6 < result.stats["acceptance_rate"].mean() < 0.98
    # Kinetic energy up to nutpie's constant: a gamma variable with shape 4 / 2.
    assert 0.8 < (result.stats["energy"] + result.stats["lp"]).std(axis=1).mean() / math.sqrt(2) < 1.2
    assert result.work["gradients"] > result.stats["n_steps"].sum()
    assert result.settings["dtype"] == "float64"
    assert all(isinstance(value, (str, int, float, bool)) for value in result.settings.values())


@both
def test_the_same_seed_gives_the_same_draws_on_any_number_of_cores(row, calm, compiled):
    assert_first(sample(row, compiled(row[0]), cores=1, draws=20), calm(row))
    other = sample(row, compiled(row[0]), seed=4, tune=20, draws=5)
    assert not np.array_equal(other.unconstrained["first"][0], calm(row).unconstrained["first"][0, :5])


@pytest.mark.parametrize("row", [NUTPIE])
def test_chains_do_not_depend_on_their_number(row, calm, compiled):
    three = sample(row, compiled(row[0]), chains=3, draws=20)
    for name, array in calm(row).unconstrained.items():
        np.testing.assert_array_equal(three.unconstrained[name][:2], array[:, :20])


@both
def test_other_data(row, calm, compiled):
    """What is compiled serves them; each engine samples its own, in whatever order."""
    first = compiled(row[0])
    other = first.with_data(rl.Trials.from_arrays(subjects=["cy", "di"], y=two_means.Y + 3.0))
    assert other.engine.programs is first.engine.programs
    short = {"tune": 30, "draws": 10}
    fresh = rl.compile(two_means.model(), other.data, row[0], population=two_means.POPULATION, **ENGINE[row[0]])
    assert_first(sample(row, other, **short), sample(row, fresh, **short))
    assert_first(sample(row, first, draws=20), calm(row))


@both
def test_float64_whatever_the_process_says(row, calm, compiled):
    if row[0] == "pymc":
        import pytensor

        with pytensor.config.change_flags(floatX="float32"):
            found = sample(row, compiled(row[0]), draws=20)
    else:
        import jax

        before = jax.config.jax_enable_x64
        try:
            jax.config.update("jax_enable_x64", not before)
            found = sample(row, compiled(row[0]), draws=20)
        finally:
            jax.config.update("jax_enable_x64", before)
    assert_first(found, calm(row))


class Pressing(Progress):
    """Presses Ctrl-C when a chain gets to so many iterations."""

    def __init__(self, chain, at):
        super().__init__("two_means", 2_000_000, 2, stream=io.StringIO())
        self.chain, self.at, self.heard = chain, at, []

    def update(self, chain, done, *, phase, divergences=0):
        super().update(chain, done, phase=phase, divergences=divergences)
        self.heard.append((chain, done, phase))
        if self.at is not None and chain == self.chain and done >= self.at:
            self.at = None
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
@both
def test_ctrl_c(row, calm, compiled, monkeypatch):
    if row[0] == "pymc":
        from rlbackends.backends.pymc.samplers import nuts

        monkeypatch.setattr(nuts, "_REPORT_SECONDS", 0.0)
    before = signal.getsignal(signal.SIGINT)
    progress = Pressing(1, 210)
    # PyMC's chains take turns: the second begins when the first is done.
    draws = 300 if row[0] == "pymc" else 1_000_000
    with pytest.raises(Interrupted) as caught:
        sample(row, compiled(row[0]), draws=draws, progress=progress)
    part = caught.value.results
    drawn = part.stats["lp"].shape[1]
    assert 0 < drawn < draws
    kept = min(drawn, 300)
    for name, array in calm(row).unconstrained.items():
        np.testing.assert_array_equal(part.unconstrained[name][:, :kept], array[:, :kept])
    assert {phase for _, _, phase in progress.heard} == {"tune", "draw"}
    with pytest.raises(Interrupted) as caught:
        sample(row, compiled(row[0]), tune=1_000_000, progress=Pressing(0, 20))
    assert caught.value.results is None
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
@pytest.mark.parametrize("row", [NUTS])
@pytest.mark.parametrize("chain", [0, 1])
def test_ctrl_c_of_a_host_with_a_handler_of_its_own(row, chain, compiled, monkeypatch):
    """PyMC takes a KeyboardInterrupt for the end of a chain, and goes on with the next."""
    from rlbackends.backends.pymc.samplers import nuts

    monkeypatch.setattr(nuts, "_REPORT_SECONDS", 0.0)
    monkeypatch.setattr(signal, "getsignal", lambda number: "the host's")
    progress = Pressing(chain, 25)
    with pytest.raises(Interrupted) as caught:
        sample(row, compiled(row[0]), tune=20, draws=20, progress=progress)
    part = caught.value.results
    if chain == 0:
        assert part is None
        assert max((done for number, done, _ in progress.heard if number == 1), default=0) <= 1
    else:
        assert part.stats["lp"].shape == (2, 5)


@both
def test_settings_and_models_that_cannot_be_sampled(row, compiled):
    with pytest.raises(SettingError, match=r"chains is 0.*target_accept is 2"):
        sample(row, compiled(row[0]), chains=0, target_accept=2)
    fixed = rl.Population(first=1.0, second=0.0)
    nothing = rl.compile(two_means.model(), two_means.data(), row[0], population=fixed, **ENGINE[row[0]])
    with pytest.raises(BackendError, match="at least one"):
        sample(row, nothing)


@pytest.mark.parametrize("row", [NUTPIE])
def test_no_start(row, compiled, monkeypatch):
    model = compiled(row[0])
    monkeypatch.setitem(model.engine.programs, "nutpie", lambda vector, arrays: np.full(len(vector) + 1, -np.inf))
    with pytest.raises(BackendError, match=r"^a chain found no start with a finite density"):
        sample(row, model)
