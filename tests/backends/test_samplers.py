"""The two sampler drivers on one model whose posterior is known exactly.

``mu ~ N(0, 5)``, ``theta_g = mu + 2 offset_g``, ``y_gi ~ N(theta_g, 1)``: jointly normal, so the posterior
is linear algebra. ``scale ~ HalfNormal(2)`` meets no data, so it keeps its prior; it has a transform.
"""

import importlib.util
import io
import math
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from rlbackends.backends.chain_files import read_run
from rlbackends.backends.chains import STATISTICS, Interrupted, check_settings, tree_depth
from rlbackends.backends.progress import Progress
from rlbackends.backends.runs import Run
from rlbackends.errors import BackendError, SettingError

GROUPS, REPEATS = 5, 8
Y = np.random.default_rng(0).normal(size=(GROUPS, REPEATS)) + np.arange(GROUPS)[:, None]
SHAPES = {"mu": (), "offset": (GROUPS,), "scale": ()}

needs_numpyro = pytest.mark.skipif(not importlib.util.find_spec("numpyro"), reason="needs numpyro")
needs_nutpie = pytest.mark.skipif(not importlib.util.find_spec("nutpie"), reason="needs pymc and nutpie")
DRIVERS = [pytest.param("numpyro", marks=needs_numpyro), pytest.param("nutpie", marks=needs_nutpie)]


def numpyro_model(y):
    import numpyro
    import numpyro.distributions as dist

    mu = numpyro.sample("mu", dist.Normal(0.0, 5.0))
    numpyro.sample("scale", dist.HalfNormal(2.0))
    with numpyro.plate("group", GROUPS):
        offset = numpyro.sample("offset", dist.Normal(0.0, 1.0))
    numpyro.sample("y", dist.Normal((mu + 2.0 * offset)[:, None], 1.0), obs=y)


def pymc_model(float_type="float64"):
    import pymc as pm
    import pytensor

    with pytensor.config.change_flags(floatX=float_type), pm.Model(coords={"group": range(GROUPS)}) as model:
        # Not in the order of the names: drivers must go by name. PyMC would keep a plain 2.0 in float32.
        zero, one, two, five = np.float64([0, 1, 2, 5])
        offset = pm.Normal("offset", zero, one, dims="group")
        scale = pm.HalfNormal("scale", two)
        mu = pm.Normal("mu", zero, five)
        theta = pm.Deterministic("theta", mu + two * offset, dims="group")
        pm.Deterministic("log_scale", pm.math.log(scale))
        pm.Normal("y", theta[:, None], one, observed=Y)
    return model


def sample(driver, **settings):
    settings = {"seed": 3, "chains": 2, "tune": 300, "draws": 500, "cores": 2} | settings
    if driver == "numpyro":
        from rlbackends.backends.numpyro.nuts import sample_nuts

        return sample_nuts(numpyro_model, model_args=(Y,), **settings)
    from rlbackends.backends.pymc.nutpie_sampler import sample_nutpie

    return sample_nutpie(settings.pop("model", None) or pymc_model(), **settings)


@pytest.fixture(scope="module")
def results():
    """Results by driver, sampled once."""
    found = {}

    def get(driver):
        if driver not in found:
            found[driver] = sample(driver)
        return found[driver]

    return get


def assert_same_draws(left, right):
    for name in left.unconstrained:
        np.testing.assert_array_equal(left.unconstrained[name], right.unconstrained[name], err_msg=name)
    for name in STATISTICS:
        np.testing.assert_array_equal(left.stats[name], right.stats[name], err_msg=name)


def log_density(mu, offset, log_scale):
    """The log density of unconstrained values, by hand, with the Jacobian of scale = exp(log_scale)."""

    def normal(x, mean, sd):
        return -0.5 * ((x - mean) / sd) ** 2 - math.log(sd * math.sqrt(2.0 * math.pi))

    theta = mu + 2.0 * offset
    prior_scale = math.log(2.0) + normal(math.exp(log_scale), 0.0, 2.0) + log_scale
    priors = normal(mu, 0.0, 5.0) + normal(offset, 0.0, 1.0).sum() + prior_scale
    return priors + normal(Y, theta[:, None], 1.0).sum()


@pytest.mark.parametrize("driver", DRIVERS)
def test_names_shapes_and_types(driver, results):
    result = results(driver)
    assert {name: array.shape for name, array in result.unconstrained.items()} == {
        name: (2, 500, *shape) for name, shape in SHAPES.items()
    }
    assert all(array.dtype == np.float64 for array in result.unconstrained.values())
    assert {name: array.dtype for name, array in result.stats.items()} == dict(STATISTICS)
    assert all(array.shape == (2, 500) for array in result.stats.values())
    arrays = [*result.unconstrained.values(), *result.stats.values()]
    assert not any(array.flags.writeable for array in arrays)
    assert result.timing["compile_seconds"] > 0
    assert result.timing["sample_seconds"] > 0
    assert result.settings["seed"] == 3
    assert result.settings["dtype"] == "float64"
    assert all(isinstance(value, (str, int, float, bool)) for value in result.settings.values())


@pytest.mark.parametrize("driver", DRIVERS)
def test_posterior_is_the_exact_one(driver, results):
    """False alarms: 14 z-scores beyond 6, less than 1e-7 where the effective size is 200 or more."""
    draws = results(driver).unconstrained
    flat = np.concatenate([draws["mu"][..., None], draws["offset"]], axis=-1).reshape(1000, 1 + GROUPS)
    design = np.hstack([np.ones((GROUPS, 1)), 2.0 * np.eye(GROUPS)])
    precision = np.diag([1 / 25] + [1.0] * GROUPS) + REPEATS * design.T @ design
    covariance = np.linalg.inv(precision)
    mean = covariance @ design.T @ Y.sum(axis=1)
    sd = np.sqrt(np.diag(covariance))
    effective = 200
    assert np.all(np.abs(flat.mean(axis=0) - mean) < 6 * sd / math.sqrt(effective))
    assert np.all(np.abs(flat.std(axis=0) / sd - 1) < 6 / math.sqrt(2 * effective))
    scale = np.exp(draws["scale"])
    assert abs(scale.mean() - 2 * math.sqrt(2 / math.pi)) < 6 * 1.21 / math.sqrt(effective)
    assert abs((scale**2).mean() - 4) < 6 * 4 * math.sqrt(2) / math.sqrt(effective)


@pytest.mark.parametrize("driver", DRIVERS)
def test_statistics_mean_the_same(driver, results):
    result = results(driver)
    for chain, draw in [(0, 0), (0, 499), (1, 250)]:
        at = {name: array[chain, draw] for name, array in result.unconstrained.items()}
        expected = log_density(at["mu"], at["offset"], at["scale"])
        assert result.stats["lp"][chain, draw] == pytest.approx(expected, rel=1e-12)
    stats = result.stats
    assert np.array_equal(stats["tree_depth"], np.floor(np.log2(stats["n_steps"])) + 1)
    assert 0.6 < stats["acceptance_rate"].mean() < 0.98
    assert np.all(stats["step_size"] > 0)
    # Kinetic energy up to nutpie's constant: a gamma variable with shape (number of values) / 2.
    kinetic = stats["energy"] + stats["lp"]
    assert 0.8 < kinetic.std(axis=1).mean() / math.sqrt(7 / 2) < 1.2


@pytest.mark.parametrize("driver", DRIVERS)
def test_cores_do_not_change_draws_and_chains_do_not_depend_on_their_number(driver, results):
    one_core = sample(driver, cores=1, chains=3)
    for name, array in results(driver).unconstrained.items():
        np.testing.assert_array_equal(one_core.unconstrained[name][:2], array, err_msg=name)
        assert not np.array_equal(array[0], array[1])
    other = sample(driver, seed=4, chains=1, tune=20, draws=5)
    assert not np.array_equal(other.unconstrained["mu"][0], results(driver).unconstrained["mu"][0, :5])


@pytest.mark.parametrize("driver", DRIVERS)
def test_progress_is_reported(driver):
    stream = io.StringIO()
    progress = Progress(driver, 60, 2, stream=stream, interval=0.0)
    result = sample(driver, tune=40, draws=20, progress=progress)
    lines = stream.getvalue().splitlines()
    assert "\r" not in stream.getvalue()
    assert lines[0] == f"{driver} · compiling"
    total = int(result.stats["diverging"].sum())
    counted = f"{total} divergence{'' if total == 1 else 's'}"
    assert lines[-1].startswith(f"{driver} · chain 1: 60/60, chain 2: 60/60 · {counted} · ")


class Interrupting(Progress):
    """Presses Ctrl-C when the first iterations are done."""

    pressed_at = None

    def update(self, chain, done, *, phase, divergences=0):
        super().update(chain, done, phase=phase, divergences=divergences)
        if done > 0 and self.pressed_at is None:
            self.pressed_at = time.monotonic()
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
@pytest.mark.parametrize("driver", DRIVERS)
def test_ctrl_c_stops_every_chain(driver):
    stream = io.StringIO()
    progress = Interrupting(driver, 2_000_010, 3, stream=stream)
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        sample(driver, chains=3, tune=2_000_000, draws=10, progress=progress)  # hours, if it went on
    assert "stopped after" in stream.getvalue().splitlines()[-1]
    for thread in set(threading.enumerate()) - before:  # at most a trajectory each
        thread.join(timeout=60)
        assert not thread.is_alive()


def test_settings_are_checked_all_at_once():
    good = {"seed": 1, "chains": 2, "tune": 0, "draws": 1, "cores": 1}
    good |= {"target_accept": 0.8, "max_tree_depth": 10}
    check_settings("here", **good)
    with pytest.raises(SettingError, match=r"here: chains is 0.*tune is 1\.5.*target_accept is 1") as caught:
        check_settings("here", **good | {"chains": 0, "tune": 1.5, "target_accept": 1})
    assert "draws" not in str(caught.value)


def test_tree_depth_counts_doublings():
    assert tree_depth(np.array([1, 2, 3, 4, 7, 8, 1023])).tolist() == [1, 2, 2, 3, 3, 4, 10]


# NumPyro


@needs_numpyro
def test_numpyro_is_float64_whatever_the_host(results):
    import jax

    first = results("numpyro")
    before = jax.config.jax_enable_x64
    try:
        jax.config.update("jax_enable_x64", not before)
        again = sample("numpyro")
        assert jax.config.jax_enable_x64 != before
    finally:
        jax.config.update("jax_enable_x64", before)
    assert_same_draws(first, again)


@needs_numpyro
def test_numpyro_draws_are_those_of_its_own_mcmc():
    import jax
    from numpyro.infer import MCMC, NUTS, init_to_uniform

    ours = sample("numpyro", chains=2, tune=150, draws=100, target_accept=0.9, max_tree_depth=6)
    with jax.enable_x64(True):
        kernel = NUTS(
            numpyro_model, target_accept_prob=0.9, max_tree_depth=6, init_strategy=init_to_uniform(radius=1.0)
        )
        mcmc = MCMC(kernel, num_warmup=150, num_samples=100, progress_bar=False)
        mcmc.run(jax.random.fold_in(jax.random.PRNGKey(3), 1), Y, extra_fields=("num_steps",))
    # The same numbers through another compiled program: equal up to rounding, which chaos then magnifies.
    theirs = np.asarray(mcmc.get_samples()["offset"])
    np.testing.assert_allclose(ours.unconstrained["offset"][1, :10], theirs[:10], rtol=1e-6)
    n_steps = np.asarray(mcmc.get_extra_fields()["num_steps"])
    assert np.array_equal(ours.stats["n_steps"][1, :10], n_steps[:10])


@needs_numpyro
def test_numpyro_starts_where_it_is_told():
    starts = [{"mu": mu, "offset": np.zeros(GROUPS), "scale": 0.0} for mu in (50.0, -50.0)]
    # Trajectories of one step of size 1 go uphill, but not from one start to the other.
    result = sample("numpyro", init=starts, tune=0, draws=1, max_tree_depth=1, target_accept=0.5)
    assert result.unconstrained["mu"][0, 0] > 25
    assert result.unconstrained["mu"][1, 0] < -25
    assert result.settings["init"] == "given"


@needs_numpyro
def test_numpyro_init_faults_are_told_together():
    with pytest.raises(SettingError) as caught:
        sample("numpyro", init={"mu": np.zeros(2), "ofset": np.zeros(GROUPS), "scale": 0.0})
    message = str(caught.value)
    assert "nothing for 'offset'" in message
    assert "no 'ofset'. Did you mean 'offset'?" in message
    assert "'mu' has shape (2,), expected ()" in message
    with pytest.raises(SettingError, match="2 mappings, expected one for 3 chains"):
        sample("numpyro", init=[{}, {}], chains=3)
    with pytest.raises(SettingError, match="init of chain 1 has log density"):
        sample("numpyro", init={"mu": math.nan, "offset": np.zeros(GROUPS), "scale": 0.0})


@needs_numpyro
def test_numpyro_without_a_finite_start_says_so():
    import numpyro
    import numpyro.distributions as dist

    from rlbackends.backends.numpyro.nuts import sample_nuts

    def impossible():
        numpyro.factor("impossible", numpyro.sample("x", dist.Normal(0.0, 1.0)) * 0.0 - math.inf)

    with pytest.raises(BackendError, match="chain 1 found no start with a finite density"):
        sample_nuts(impossible, seed=1, chains=2, tune=5, draws=5, cores=2)


class Method:
    """NumPyro's NUTS with one chain method: compiled once, short, and sampled once without disturbance."""

    def __init__(self, name):
        self.name = name
        self.programs = {}
        self.calm = self.sample()

    def sample(self, **settings):
        from rlbackends.backends.numpyro.nuts import sample_nuts

        settings = {"seed": 3, "chains": 2, "tune": 300, "draws": 500, "cores": 2} | settings
        return sample_nuts(
            numpyro_model, model_args=(Y,), chain_method=self.name, programs=self.programs, **settings
        )


@pytest.fixture(scope="module", params=["parallel", "vectorized"])
def method(request):
    return Method(request.param)


@needs_numpyro
def test_numpyro_chain_methods_sample_the_same_posterior(method, results):
    """False alarms: 7 z-scores beyond 8 of two independent chains each, less than 1e-9."""
    calm, parallel = method.calm, results("numpyro")
    assert calm.settings["chain_method"] == method.name
    assert {name: array.dtype for name, array in calm.stats.items()} == dict(STATISTICS)
    assert calm.work["gradients"] > calm.stats["n_steps"].sum()
    if method.name == "parallel":
        assert_same_draws(calm, parallel)
        return
    for name, shape in SHAPES.items():
        draws = calm.unconstrained[name]
        assert draws.shape == (2, 500, *shape)
        gap = draws.mean(axis=(0, 1)) - parallel.unconstrained[name].mean(axis=(0, 1))
        assert np.all(np.abs(gap) < 8 * draws.std(axis=(0, 1)) * math.sqrt(2 / 200))
    # The same keys: chains are the same until rounding, which differs, has grown.
    np.testing.assert_allclose(
        calm.unconstrained["offset"][:, 0], parallel.unconstrained["offset"][:, 0], rtol=0, atol=3
    )
    at = {name: array[1, 7] for name, array in calm.unconstrained.items()}
    assert calm.stats["lp"][1, 7] == pytest.approx(log_density(at["mu"], at["offset"], at["scale"]), rel=1e-12)


@needs_numpyro
def test_numpyro_one_chain_after_the_other_gives_the_same_draws(results):
    found = sample("numpyro", chain_method="sequential")
    assert found.settings["chain_method"] == "sequential"
    assert_same_draws(found, results("numpyro"))
    with pytest.raises(SettingError, match=r"chain_method is 'vectorised', expected .* Did you mean 'vectorized'"):
        sample("numpyro", chain_method="vectorised")


class PressingAt(Progress):
    """Presses Ctrl-C once a chain has done so many iterations."""

    def __init__(self, at):
        super().__init__("", 800, 2, mode="off")
        self.at = at

    def update(self, chain, done, *, phase, divergences=0):
        super().update(chain, done, phase=phase, divergences=divergences)
        if self.at is not None and done >= self.at:
            self.at = None
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)  # until the main thread has seen it


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
@needs_numpyro
def test_numpyro_goes_on_to_the_same_draws(method, tmp_path, monkeypatch):
    """Stopped by Ctrl-C while it compiles, tunes and draws; blocks of other lengths than those of the calm run."""
    from rlbackends.backends.numpyro import nuts_chain

    run, drawn = Run(tmp_path, every=1e-9), []
    for block, at in [(1, 0), (17, 40), (33, 130), (5, 170), (50, 350), (9, 500), (64, 700)]:
        monkeypatch.setattr(nuts_chain, "BLOCK", block)
        with pytest.raises(Interrupted) as caught:
            method.sample(run=run, progress=PressingAt(at))
        part = caught.value.results
        drawn.append(0 if part is None else part.stats["lp"].shape[1])
        left = read_run(run)
        assert (left is None) == (part is None)
        if part is not None:
            assert_same_draws(left, part)
            for name, array in part.unconstrained.items():
                np.testing.assert_array_equal(array, method.calm.unconstrained[name][:, : drawn[-1]])
    assert drawn[0] == drawn[1] == 0
    assert drawn == sorted(drawn)
    assert drawn[-1] < 500
    found = method.sample(run=run)
    assert_same_draws(found, method.calm)
    assert found.work == method.calm.work
    assert_same_draws(method.sample(run=run), method.calm)  # nothing is left to draw


@needs_numpyro
@pytest.mark.parametrize("method", ["parallel"], indirect=True)
def test_numpyro_samples_anew_what_is_damaged(method, tmp_path):
    run = Run(tmp_path, every=1e-9)
    method.sample(run=run)
    (state, *_), pieces = sorted(tmp_path.glob("1/state.npz")), sorted(tmp_path.glob("2/draws-*.npz"))
    state.write_bytes(state.read_bytes()[:-9])
    pieces[len(pieces) // 2].unlink()
    assert read_run(run) is None
    found = method.sample(run=run)
    assert_same_draws(found, method.calm)
    assert found.work == method.calm.work


# nutpie


@needs_nutpie
def test_nutpie_gives_natural_scale_and_deterministics(results):
    result = results("nutpie")
    kept, free = result.constrained, result.unconstrained
    assert set(kept) == {"mu", "offset", "scale", "theta", "log_scale"}
    np.testing.assert_allclose(np.log(kept["scale"]), free["scale"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(kept["theta"], free["mu"][..., None] + 2 * free["offset"], rtol=0, atol=1e-12)
    fewer = sample("nutpie", var_names=["log_scale"])
    assert set(fewer.constrained) == {"log_scale"}
    assert_same_draws(result, fewer)
    with pytest.raises(SettingError, match=r"'thetta' is no variable.* Did you mean 'theta'"):
        sample("nutpie", var_names=["thetta"])


@needs_nutpie
def test_nutpie_saves_what_it_samples(results, tmp_path):
    pytest.importorskip("zarr")
    saved = sample("nutpie", run=Run(tmp_path))
    assert_same_draws(results("nutpie"), saved)
    for name, array in results("nutpie").constrained.items():
        np.testing.assert_array_equal(saved.constrained[name], array, err_msg=name)
    assert dict(saved.settings) == dict(results("nutpie").settings)
    assert saved.work == results("nutpie").work


@needs_nutpie
def test_nutpie_is_float64_under_a_32_bit_host(results):
    import pytensor

    model = pymc_model()
    with pytensor.config.change_flags(floatX="float32"):
        again = sample("nutpie", model=model)
        assert pytensor.config.floatX == "float32"
    assert_same_draws(results("nutpie"), again)


@needs_nutpie
def test_nutpie_refuses_what_it_cannot_sample():
    import pymc as pm

    with pytest.raises(BackendError, match=r"is float32, expected float64.*change_flags"):
        sample("nutpie", model=pymc_model("float32"))
    with pm.Model() as discrete:
        pm.Bernoulli("b", 0.5)
    with pytest.raises(BackendError, match="'b' of the model is discrete"):
        sample("nutpie", model=discrete)
    with pm.Model() as impossible:
        pm.Potential("impossible", pm.Normal("x") * 0.0 - np.inf)
    with pytest.raises(BackendError, match="check priors and data"):
        sample("nutpie", model=impossible)
    with pytest.raises(SettingError, match="tune is 0, expected a whole number of at least 1"):
        sample("nutpie", tune=0)
    with pytest.raises(SettingError, match="Did you mean 'numba'"):
        sample("nutpie", compile_backend="nunba")


@needs_nutpie
def test_nutpie_gradient_is_finite_where_a_probability_underflows():
    import pymc as pm

    with pm.Model() as model:
        x = pm.Normal("x", 900.0, 1.0)
        pm.Categorical("choice", logit_p=pm.math.stack([x, np.float64(0.0)]), observed=np.array([1]))
    from rlbackends.backends.pymc.nutpie_sampler import sample_nutpie

    # exp(-900) is 0 in float64. The posterior of x is N(899, 1); 6 sd of its mean at 200 effective draws.
    result = sample_nutpie(model, seed=1, chains=2, tune=300, draws=500, cores=1)
    assert abs(result.unconstrained["x"].mean() - 899) < 6 / math.sqrt(200)


JAX_MODE = """
import sys; sys.path.insert(0, {tests!r})
import jax, numpy as np
import test_samplers as t
model = t.pymc_model()
one = t.sample("nutpie", model=model, compile_backend="jax", tune=60, draws=20, cores=1)
two = t.sample("nutpie", model=model, compile_backend="jax", tune=60, draws=20, cores=2)
t.assert_same_draws(one, two)
at = {{name: array[1, 7] for name, array in one.unconstrained.items()}}
assert abs(t.log_density(at["mu"], at["offset"], at["scale"]) / one.stats["lp"][1, 7] - 1) < 1e-12
assert not jax.config.jax_enable_x64
"""


@needs_nutpie
@needs_numpyro
def test_nutpie_in_jax_mode_is_float64_and_leaves_jax_alone():
    """A fresh process: PyTensor sets JAX's precision when its JAX mode is first imported."""
    environment = {name: value for name, value in os.environ.items() if name != "JAX_ENABLE_X64"}
    command = [sys.executable, "-c", JAX_MODE.format(tests=os.path.dirname(__file__))]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
