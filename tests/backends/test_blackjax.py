"""BlackJAX's sampler on a posterior that is known, and against BlackJAX's own loop."""

import importlib.util
import io
import math
import os
import signal
import threading

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.chains import STATISTICS, Interrupted
from rlbackends.backends.progress import Progress
from rlbackends.errors import SettingError
from tests.backends import two_means

pytestmark = pytest.mark.skipif(
    not (importlib.util.find_spec("blackjax") and importlib.util.find_spec("numpyro")), reason="needs numpyro, blackjax"
)
SETTINGS = {"seed": 3, "chains": 2, "tune": 200, "draws": 500, "cores": 2}


@pytest.fixture(scope="module")
def engine():
    return rl.compile(two_means.model(), two_means.data(), "numpyro", population=two_means.POPULATION).engine


def sample(engine, **settings):
    from rlbackends.backends.numpyro.samplers.blackjax import sample

    return sample(engine, **SETTINGS | settings)


@pytest.fixture(scope="module")
def result(engine):
    return sample(engine)


def assert_same(left, right, chains=2):
    for name in left.unconstrained:
        np.testing.assert_array_equal(
            left.unconstrained[name][:chains], right.unconstrained[name][:chains], err_msg=name
        )
    for name in STATISTICS:
        np.testing.assert_array_equal(left.stats[name][:chains], right.stats[name][:chains], err_msg=name)


def test_names_shapes_and_types(result):
    assert {name: array.shape for name, array in result.unconstrained.items()} == {
        "second": (2, 500, 2), "first": (2, 500, 2)
    }  # fmt: skip
    assert {name: array.dtype for name, array in result.stats.items()} == dict(STATISTICS)
    assert not any(array.flags.writeable for array in [*result.unconstrained.values(), *result.stats.values()])
    assert all(isinstance(value, str | int | float | bool) for value in result.settings.values())
    assert result.settings["dtype"] == "float64"


def test_posterior_is_the_exact_one(result):
    """False alarms: 8 z-scores beyond 6, less than 1e-7 where the effective size is 200 or more."""
    mean, covariance = two_means.posterior()
    sd, effective = math.sqrt(covariance[0, 0]), 200
    for name in two_means.NAMES:
        draws = result.unconstrained[name].reshape(-1, 2)
        assert np.all(np.abs(draws.mean(axis=0) - mean) < 6 * sd / math.sqrt(effective))
        assert np.all(np.abs(draws.std(axis=0) / sd - 1) < 6 / math.sqrt(2 * effective))
    both = result.unconstrained["first"] + result.unconstrained["second"]
    sd = math.sqrt(covariance.sum())
    assert np.all(np.abs(both.mean(axis=(0, 1)) - 2 * mean) < 6 * sd / math.sqrt(effective))


def test_statistics_mean_what_they_say(result):
    stats = result.stats
    expected = two_means.log_density(result.unconstrained["first"], result.unconstrained["second"])
    np.testing.assert_allclose(stats["lp"], expected, rtol=1e-11)
    assert np.array_equal(stats["tree_depth"], np.floor(np.log2(stats["n_steps"])) + 1)
    assert 0.6 < stats["acceptance_rate"].mean() < 0.98
    assert np.all(stats["step_size"] == stats["step_size"][:, :1])
    # Kinetic energy: a gamma variable with shape (number of values) / 2.
    kinetic = stats["energy"] + stats["lp"]
    assert np.all(kinetic > 0)
    assert 0.8 < kinetic.mean() / 2 < 1.2
    # All draws, the tuning before them, and one gradient where each chain starts.
    assert result.work["gradients"] > stats["n_steps"].sum() + 2 * 200


def test_cores_do_not_change_draws_and_chains_do_not_depend_on_their_number(engine, result):
    assert_same(sample(engine, cores=1, chains=3), result)
    assert not np.array_equal(result.unconstrained["first"][0], result.unconstrained["first"][1])
    other = sample(engine, seed=4, chains=1, draws=5)
    assert not np.array_equal(other.unconstrained["first"][0], result.unconstrained["first"][0, :5])


def test_what_is_compiled_serves_other_data(engine, result):
    other = engine.with_data(rl.Trials.from_arrays(subjects=["ann", "bob"], y=two_means.Y + 3).bind(engine.model))
    programs = dict(engine.programs)
    shifted = sample(other)
    assert dict(engine.programs) == programs
    assert shifted.unconstrained["first"].mean() > result.unconstrained["first"].mean() + 1
    assert_same(sample(engine), result)


def test_deep_trees_are_cut_and_a_higher_target_takes_smaller_steps(engine, result):
    short = sample(engine, max_tree_depth=2)
    assert short.stats["n_steps"].max() <= 3
    careful = sample(engine, target_accept=0.95)
    assert careful.stats["step_size"].max() < result.stats["step_size"].min()


def test_a_dense_mass_matrix_takes_up_correlations(engine, result):
    dense = sample(engine, dense_mass=True, tune=400)
    assert dense.settings["dense_mass"] is True
    assert dense.stats["n_steps"].mean() < result.stats["n_steps"].mean()
    mean, _ = two_means.posterior()
    np.testing.assert_allclose(dense.unconstrained["first"].mean(axis=(0, 1)), mean, atol=0.25)


def test_tuning_is_blackjax_s_own(engine):
    """Its window adaptation, run by itself from the same start with the same keys, ends with the same step size."""
    import blackjax
    import jax
    import jax.numpy as jnp

    from rlbackends.backends.flat import Flat
    from rlbackends.backends.numpyro.precision import float64
    from rlbackends.backends.numpyro.samplers.target import flat_density
    from rlbackends.backends.starts import find_start

    flat, tune = Flat(engine.layout), 40
    start = find_start(engine.layout, engine.log_density_and_gradient, 3, 0)
    metric = flat.join(engine.inverse_metric(start))
    with float64(), jax.threefry_partitionable(True), pytest.MonkeyPatch.context() as patch:
        key = jax.random.fold_in(jax.random.key(3, impl="threefry2x32"), 0)
        keys = jax.vmap(lambda i: jax.random.fold_in(key, i))(jnp.arange(tune))
        patch.setattr(jax.random, "split", _first_call(jax.random.split, keys))
        density = flat_density(engine)
        adaptation = blackjax.window_adaptation(
            blackjax.nuts, lambda at: density(at, engine.arrays), initial_inverse_mass_matrix=jnp.asarray(metric),
            target_acceptance_rate=0.8,
        )  # fmt: skip
        (_, parameters), _ = adaptation.run(key, jnp.asarray(flat.join(start)), tune)
        expected = float(parameters["step_size"])
    found = sample(engine, tune=tune, draws=1, chains=1).stats["step_size"].item()
    # The same numbers through another compiled program: equal up to rounding, which chaos then magnifies.
    assert found == pytest.approx(expected, rel=1e-6)


def _first_call(split, keys):
    """Return a split of keys that gives these keys where as many are asked for."""

    def wrapped(key, num=2):
        return keys if num == len(keys) else split(key, num)

    return wrapped


def test_it_is_float64_whatever_the_host(engine, result):
    import jax

    before = jax.config.jax_enable_x64
    try:
        jax.config.update("jax_enable_x64", not before)
        again = sample(engine)
        assert jax.config.jax_enable_x64 != before
    finally:
        jax.config.update("jax_enable_x64", before)
    assert_same(again, result)


def test_progress_is_reported(engine):
    stream = io.StringIO()
    sample(engine, tune=40, draws=20, progress=Progress("x", 60, 2, stream=stream, interval=0.0))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "x · compiling"
    assert lines[-1].startswith("x · chain 1: 60/60, chain 2: 60/60 · 0 divergences · ")


class Interrupting(Progress):
    """Presses Ctrl-C when each chain has some draws."""

    def __init__(self, *args, after, **kwargs):
        super().__init__(*args, **kwargs)
        self.after, self.reached, self.is_pressed = after, {}, False

    def update(self, chain, done, *, phase, divergences=0):
        super().update(chain, done, phase=phase, divergences=divergences)
        self.reached[chain] = done
        if not self.is_pressed and len(self.reached) == 2 and min(self.reached.values()) > self.after:
            self.is_pressed = True
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
@pytest.mark.parametrize("tune", [200, 100_000])
def test_ctrl_c_keeps_the_draws_that_there_are(engine, result, tune):
    progress = Interrupting("x", 3_000_000, 2, stream=io.StringIO(), after=250 if tune == 200 else 0)
    before = set(threading.enumerate())
    with pytest.raises(Interrupted) as caught:
        sample(engine, tune=tune, draws=500_000, progress=progress)
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("blackjax")]
    kept = caught.value.results
    if tune > 200:
        assert kept is None
        return
    count = kept.stats["lp"].shape[1]
    assert 50 < count < 500_000
    assert kept.settings["draws"] == count
    # More draws do not change the first.
    for name, array in kept.unconstrained.items():
        n = min(count, 500)
        np.testing.assert_array_equal(array[:, :n], result.unconstrained[name][:, :n])


def test_settings_are_checked(engine):
    with pytest.raises(SettingError, match=r"blackjax: tune is 0, expected a whole number of at least 1"):
        sample(engine, tune=0)
    with pytest.raises(SettingError, match=r"dense_mass is 1, expected True or False"):
        sample(engine, dense_mass=1)


def test_a_fit_with_it_holds_its_certificate():
    fit = rl.fit(
        two_means.model(), two_means.data(), backend="numpyro", sampler="blackjax", population=two_means.POPULATION,
        draws=500, tune=300, chains=2, seed=3, progress="off",
    )  # fmt: skip
    assert fit.kind == "chains"
    assert fit.certificate.holds
    assert fit.settings["sampler"] == "blackjax"
    assert fit.diagnostics["r_hat_max"] < 1.02
