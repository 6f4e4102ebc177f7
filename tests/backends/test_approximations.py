"""Modes and normal approximations: against closed forms, a grid, and each other."""

import importlib.util
import io
import math
import os
import signal
import warnings

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.chains import Interrupted
from rlbackends.backends.elbo import learning_rates, stats_of
from rlbackends.backends.flat import Flat, Gaussian
from rlbackends.backends.mode import Mode, normal_at
from rlbackends.backends.progress import Progress
from rlbackends.backends.registry import get_backend
from rlbackends.errors import BackendError, SettingError
from rlbackends.inference.result import ConvergenceWarning
from tests.backends import two_means

BACKENDS = [
    pytest.param(name, marks=pytest.mark.skipif(not importlib.util.find_spec(name), reason=f"needs {name}"))
    for name in ("numpyro", "pymc")
]
needs_numpyro = pytest.mark.skipif(not importlib.util.find_spec("numpyro"), reason="needs numpyro")
QUICK = {"numpyro": {}, "pymc": {"mode": "JAX"}}


def fit(backend, sampler, *, model=None, data=None, population=two_means.POPULATION, **settings):
    settings = {"draws": 1000, "chains": 2, "seed": 3, "progress": "off"} | QUICK[backend] | settings
    if backend == "pymc" and sampler in ("mean_field", "full_rank"):  # compiled at once into slow code
        settings |= {"mode": "FAST_COMPILE", "sampler_settings": {"steps": 5000}}
    is_known = model is None and data is None
    model, data = model or two_means.model(), data or two_means.data()
    if sampler == "mean_field" and is_known:
        with warnings.catch_warnings():  # of a posterior with correlations it is off, and says so
            warnings.filterwarnings("ignore", "two_means on .*: Pareto k", ConvergenceWarning)
            return rl.fit(model, data, backend=backend, sampler=sampler, population=population, **settings)
    return rl.fit(model, data, backend=backend, sampler=sampler, population=population, **settings)


@pytest.fixture(scope="module")
def fits():
    """Fits of the model with a known posterior, by backend and sampler."""
    found = {}

    def get(backend, sampler):
        if (backend, sampler) not in found:
            found[backend, sampler] = fit(backend, sampler)
        return found[backend, sampler]

    return get


def draws_of(result):
    """Return draws of both numbers, (draw, subject, 2)."""
    posterior = result.tree["posterior"]
    return np.stack([posterior[name].values.reshape(-1, 2) for name in ("first", "second")], axis=-1)


# A known posterior


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_mode_is_the_closed_form(backend, fits):
    result = fits(backend, "map")
    mean, _ = two_means.posterior()
    found = draws_of(result)
    assert found.shape == (1, 2, 2)
    np.testing.assert_allclose(found[0], np.stack([mean, mean], axis=-1), rtol=0, atol=1e-9)
    lp = two_means.log_density(mean, mean)
    assert result.tree["sample_stats"]["lp"].item() == pytest.approx(lp, rel=1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_laplace_is_exact_for_a_normal_posterior(backend, fits):
    """Its normal distribution is the posterior: the ratio to it is the same in every draw, the evidence."""
    stats = fits(backend, "laplace").tree["sample_stats"]
    ratios = (stats["lp"] - stats["log_q"]).values
    np.testing.assert_allclose(ratios, two_means.log_evidence(), rtol=1e-9)
    assert fits(backend, "laplace").diagnostics["pareto_k"] == 0.0


@pytest.mark.parametrize("sampler", ["laplace", pytest.param("full_rank", marks=pytest.mark.slow)])
@pytest.mark.parametrize("backend", BACKENDS)
def test_draws_have_the_posterior_s_mean_and_covariance(backend, sampler, fits):
    """False alarms: 12 z-scores beyond 5, less than 1e-5; the variational fit may be off by a hundredth besides."""
    draws = draws_of(fits(backend, sampler))
    mean, covariance = two_means.posterior()
    slack = 0.0 if sampler == "laplace" else 0.01
    sd, n = np.sqrt(np.diag(covariance)), len(draws)
    for subject in range(2):
        own = draws[:, subject]
        assert np.all(np.abs(own.mean(axis=0) - mean[subject]) < 5 * sd / math.sqrt(n) + slack)
        error = np.sqrt((np.outer(sd, sd) ** 2 + covariance**2) / n)
        assert np.all(np.abs(np.cov(own.T) - covariance) < 5 * error + slack)
    between = np.corrcoef(draws[:, 0, 0], draws[:, 1, 0])[0, 1]
    assert abs(between) < 5 / math.sqrt(n)


@pytest.mark.parametrize("backend", BACKENDS)
def test_mean_field_has_the_mean_and_the_conditional_spread(backend, fits):
    """Of a normal posterior the best independent normals have its mean, and variances 1 over the precision's diagonal.

    False alarms: 8 z-scores beyond 5, less than 1e-5.
    """
    draws = draws_of(fits(backend, "mean_field"))
    mean, covariance = two_means.posterior()
    sd = 1 / math.sqrt(np.linalg.inv(covariance)[0, 0])
    n = len(draws)
    assert np.all(np.abs(draws.mean(axis=0) - mean[:, None]) < 5 * sd / math.sqrt(n) + 0.02)
    assert np.all(np.abs(draws.std(axis=0) / sd - 1) < 5 / math.sqrt(2 * n) + 0.03)


@pytest.mark.parametrize("sampler", ["laplace", "mean_field", "full_rank"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_statistics_are_log_densities(backend, sampler, fits):
    result = fits(backend, sampler)
    posterior, stats = result.tree["posterior"], result.tree["sample_stats"]
    expected = two_means.log_density(posterior["first"].values, posterior["second"].values)
    np.testing.assert_allclose(stats["lp"].values, expected, rtol=1e-11)
    # The mean of the ratios is the evidence: unbiased if both densities are normalised.
    ratios = np.exp((stats["lp"] - stats["log_q"]).values.ravel() - two_means.log_evidence())
    assert abs(ratios.mean() - 1) < 6 * ratios.std() / math.sqrt(ratios.size) + 1e-6
    assert not stats["diverging"].any()


@needs_numpyro
@pytest.mark.parametrize("sampler", ["laplace", "mean_field", pytest.param("full_rank", marks=pytest.mark.slow)])
def test_the_same_seed_gives_the_same_draws_and_chains_do_not_depend_on_their_number(sampler, fits):
    first, again = fits("numpyro", sampler), fit("numpyro", sampler, chains=3, cores=1)
    np.testing.assert_array_equal(draws_of(again)[:2000], draws_of(first))
    other = fit("numpyro", sampler, seed=4)
    assert not np.array_equal(draws_of(other), draws_of(first))


@needs_numpyro
def test_a_second_fit_of_the_same_fitter_is_that_of_a_fresh_one(fits):
    fitter = rl.Fitter(
        two_means.model(), backend="numpyro", sampler="full_rank", population=two_means.POPULATION, draws=1000,
        chains=2, progress="off",
    )  # fmt: skip
    fitter.fit(rl.Trials.from_arrays(subjects=["ann", "bob"], y=two_means.Y + 3.0), seed=9)
    again = fitter.fit(two_means.data(), seed=3)
    np.testing.assert_array_equal(draws_of(again), draws_of(fits("numpyro", "full_rank")))


# What a fit gives


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fit_of_an_approximation_works_as_any_other(backend, fits, tmp_path):
    result = fits(backend, "laplace")
    assert result.kind == result.settings["kind"] == "approximation"
    assert result.settings["sampler"] == "laplace"
    assert f"two_means on {backend}: laplace, 2 chains × 1000 draws; Pareto k 0.00" in repr(result)
    table = result.summary()
    assert list(table.index) == ["second[ann]", "second[bob]", "first[ann]", "first[bob]"]
    assert "r_hat" not in table and "ess_bulk" not in table
    assert not table.isna().any().any()
    assert result.certificate.holds
    loo = result.loo()
    assert loo.n_data_points == two_means.Y.size
    assert result.predict(20, seed=1)["posterior_predictive"]["y"].sizes["trial"] == 4
    assert result.posterior_mean()["first"].shape == (2,)
    again = rl.load(result.save(tmp_path / "fit.nc"))
    assert again.kind == "approximation"
    assert again.diagnostics == pytest.approx(result.diagnostics, nan_ok=True)
    np.testing.assert_array_equal(draws_of(again), draws_of(result))


@needs_numpyro
def test_leave_one_out_is_that_of_the_posterior():
    """Subject by subject the predictive density of one response given the others is normal, with known mean and sd."""
    result = fit("numpyro", "laplace", draws=4000)
    n = two_means.Y.shape[1]
    spread = 2.0 / (1 + 2 * (n - 1))  # of the sum, given n - 1 responses
    others = two_means.Y.sum(axis=1, keepdims=True) - two_means.Y
    variance = 1.0 + spread
    expected = -0.5 * ((two_means.Y - spread * others) ** 2 / variance + np.log(2 * math.pi * variance))
    assert result.loo().elpd == pytest.approx(expected.sum(), abs=0.1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_fit_of_a_point_works_or_says_what_it_lacks(backend, fits, tmp_path):
    result = fits(backend, "map")
    assert result.kind == "point"
    assert "map; largest slope left" in repr(result)
    table = result.summary()
    mean, _ = two_means.posterior()
    assert list(table.columns) == ["mode"]
    np.testing.assert_allclose(result.summary(round_to="none")["mode"].astype(float), [*mean, *mean], atol=1e-9)
    with pytest.raises(SettingError, match=r"loo: this fit is a point.*sampler='laplace'"):
        result.loo()
    assert result.predict(1)["posterior_predictive"]["y"].sizes["draw"] == 1
    with pytest.raises(SettingError, match="draws is 100, expected a whole number from 1 to 1"):
        result.predict()
    assert result.certificate.holds
    again = rl.load(result.save(tmp_path / "fit.nc"))
    np.testing.assert_array_equal(draws_of(again), draws_of(result))
    expected = result.tree["log_likelihood"]["log_likelihood"].values
    np.testing.assert_array_equal(again.tree["log_likelihood"]["log_likelihood"].values, expected)
    assert expected.shape == (1, 1, two_means.Y.size)


# Rescorla–Wagner, one subject


def choices(seed=2, n=60, alpha=0.4, beta=3.0):
    """Return choices and rewards of a learner, by a loop of their own."""
    rng = np.random.default_rng(seed)
    q, chosen, rewards = np.zeros(2), [], []
    for _ in range(n):
        p = 1 / (1 + np.exp(-beta * (q[1] - q[0])))
        chosen.append(int(rng.random() < p))
        rewards.append(float(rng.random() < (0.8, 0.3)[chosen[-1]]))
        q[chosen[-1]] += alpha * (rewards[-1] - q[chosen[-1]])
    return np.array(chosen), np.array(rewards)


def log_posterior(a, b, chosen, rewards):
    """Return the log posterior where alpha is Φ(a) and beta exp(b), both standard normal: Rescorla & Wagner's rule."""
    from scipy.stats import norm

    alpha, beta = norm.cdf(a), np.exp(b)
    q = np.zeros((2, *np.shape(a)))
    total = -0.5 * (a**2 + b**2)
    for action, reward in zip(chosen, rewards, strict=True):
        total = total - np.log1p(np.exp(-beta * (q[action] - q[1 - action])))
        q[action] = q[action] + alpha * (reward - q[action])
    return total


def highest(chosen, rewards):
    """Return the highest point of ever finer grids."""
    centre, width = np.zeros(2), 4.0
    for _ in range(12):
        steps = np.linspace(-width, width, 81)
        a, b = np.meshgrid(centre[0] + steps, centre[1] + steps, indexing="ij")
        values = log_posterior(a, b, chosen, rewards)
        best = np.unravel_index(values.argmax(), values.shape)
        centre, width = np.array([a[best], b[best]]), width / 5
    return centre


@pytest.mark.parametrize("backend", BACKENDS)
def test_mode_and_curvature_of_rescorla_wagner_are_those_of_a_grid(backend):
    chosen, rewards = choices()
    a, b = highest(chosen, rewards)
    data = rl.Trials.from_arrays(choice=chosen[None], reward=rewards[None])
    model, population = rl.catalogue.rescorla_wagner(), rl.Population("none")
    compiled = rl.compile(model, data, backend, population=population, **QUICK[backend])
    settings = dict(seed=1, chains=1, tune=1, draws=3, cores=1)
    row = get_backend(backend)
    mode = row.sampler("map").load()(compiled.engine, **settings)
    found = np.array([mode.unconstrained[f"{name}_offset"].item() for name in ("alpha", "beta")])
    np.testing.assert_allclose(found, [a, b], atol=1e-5)
    assert mode.work["gradients"] > 0
    # A column of second derivatives: forward over reverse takes about twice a gradient; differences take four.
    laplace = row.sampler("laplace").load()(compiled.engine, **settings)
    assert laplace.work["gradients"] - mode.work["gradients"] == {"numpyro": 2, "pymc": 4}[backend] * 2
    # The curvature, by second differences of the paper's equation.
    h = 1e-4
    steps = np.array([[h, 0], [0, h]])

    def at(shift):
        return log_posterior(a + shift[0], b + shift[1], chosen, rewards)

    precision = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            u, v = steps[i], steps[j]
            precision[i, j] = -(at(u + v) - at(u - v) - at(v - u) + at(-u - v)) / (4 * h * h)
    result = row.sampler("laplace").load()(compiled.engine, **settings)
    centre, factor = np.array([a, b]), np.linalg.cholesky(precision)
    vectors = np.stack([result.unconstrained[f"{name}_offset"][0, :, 0] for name in ("alpha", "beta")], axis=-1)
    squares = (((vectors - centre) @ factor) ** 2).sum(axis=-1)
    expected = -0.5 * squares + np.log(np.diag(factor)).sum() - math.log(2 * math.pi)
    np.testing.assert_allclose(result.stats["log_q"][0], expected, atol=1e-4)


# What goes wrong


@needs_numpyro
def test_a_mode_of_a_group_and_its_subjects_is_warned_of():
    chosen, rewards = zip(*(choices(seed, n=30) for seed in range(3)), strict=True)
    data = rl.Trials.from_arrays(choice=np.stack(chosen), reward=np.stack(rewards))
    with pytest.warns(ConvergenceWarning, match=r"says little of 'alpha_sd' and 'beta_sd'"):
        fit("numpyro", "map", model=rl.catalogue.rescorla_wagner(), data=data, population=rl.Population())


@needs_numpyro
def test_an_approximation_that_is_off_is_warned_of(fits):
    """Three subjects' group: the posterior of an sd is no normal distribution, not on its logarithm's scale either."""
    chosen, rewards = zip(*(choices(seed, n=30) for seed in range(3)), strict=True)
    data = rl.Trials.from_arrays(choice=np.stack(chosen), reward=np.stack(rewards))
    with pytest.warns(ConvergenceWarning, match=r"Pareto k is .*the approximation is off"):
        fit("numpyro", "laplace", model=rl.catalogue.rescorla_wagner(), data=data, population=rl.Population())


@needs_numpyro
def test_a_variational_fit_that_has_not_arrived_is_warned_of():
    settings = {"steps": 400, "learning_rate": 0.001}
    data = rl.Trials.from_arrays(subjects=["ann", "bob"], y=two_means.Y + 20.0)  # far from the start
    with pytest.warns(ConvergenceWarning, match=r"evidence bound \(ELBO\) still moved by"):
        result = fit("numpyro", "mean_field", data=data, sampler_settings=settings)
    assert result.diagnostics["elbo_change"] > 1
    assert result.settings["steps"] == 400


@needs_numpyro
def test_without_a_mode_it_says_where_it_still_rises():
    """Two steps are no climb; Newton's steps then lack a peak to go to."""
    chosen, rewards = choices(n=20)
    data = rl.Trials.from_arrays(choice=np.stack([chosen] * 4), reward=np.stack([rewards] * 4))
    population = rl.Population("partial", alpha=rl.Pooling("partial", centred=True))
    with pytest.raises(BackendError, match=r"no mode was found.*still rises along '"):
        fit(
            "numpyro", "map", model=rl.catalogue.rescorla_wagner(), data=data, population=population,
            sampler_settings={"starts": 2},
        )  # fmt: skip


def test_a_density_without_curvature_names_its_latents():
    layout = two_means.POPULATION.layout(two_means.model(), two_means.data().bind(two_means.model()))
    flat = Flat(layout)
    precision = np.diag([1.0, 2.0, 0.0, 3.0])  # second of ann and bob, first of ann and bob
    with pytest.raises(BackendError, match=r"does not fall along 'first' \(curvature 0\)"):
        normal_at(Mode(np.zeros(4), 0.0, 0.0, 1), precision, flat)


@needs_numpyro
def test_settings_are_checked_before_anything_is_compiled():
    with pytest.raises(SettingError, match=r"starts is 0, expected a whole number of at least 1\. steps is 1\.5"):
        fit("numpyro", "map", sampler_settings={"starts": 0, "steps": 1.5})
    with pytest.raises(SettingError, match=r"learning_rate is 2, expected a number above 0 and at most 1"):
        fit("numpyro", "full_rank", sampler_settings={"learning_rate": 2})
    with pytest.raises(SettingError, match=r"steps is 5, expected at least 100"):
        fit("numpyro", "mean_field", sampler_settings={"steps": 5})
    with pytest.raises(SettingError, match=r"sampler 'map' has no setting 'step'.* Did you mean 'steps'"):
        fit("numpyro", "map", sampler_settings={"step": 5})


class Interrupting(Progress):
    """Presses Ctrl-C when it is said what is being done."""

    def stage(self, text):
        super().stage(text)
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.skipif(os.name == "nt", reason="os.kill ends the process on Windows")
@pytest.mark.parametrize("sampler", ["laplace", "mean_field"])
@needs_numpyro
def test_ctrl_c_leaves_nothing(sampler):
    stream = io.StringIO()
    compiled = rl.compile(two_means.model(), two_means.data(), "numpyro", population=two_means.POPULATION)
    function = get_backend("numpyro").sampler(sampler).load()
    with pytest.raises(Interrupted) as caught:
        function(
            compiled.engine, seed=1, chains=1, tune=1, draws=2, cores=1, progress=Interrupting("x", 3, 1, stream=stream)
        )
    assert caught.value.results is None
    assert stream.getvalue().splitlines() == [f"x · {sampler}"]


# Its parts


def test_vectors_and_names_are_each_other_s_inverse():
    layout = two_means.POPULATION.layout(two_means.model(), two_means.data().bind(two_means.model()))
    flat = Flat(layout)
    vectors = np.random.default_rng(0).normal(size=(3, 5, flat.size))
    named = flat.split(vectors)
    assert {name: value.shape for name, value in named.items()} == {"second": (3, 5, 2), "first": (3, 5, 2)}
    np.testing.assert_array_equal(flat.join(named), vectors)
    assert flat.largest(np.array([0.1, 0.0, 3.0, 1.0])) == ["first"]


def test_a_normal_distribution_s_density_is_scipy_s():
    from scipy.stats import multivariate_normal

    factor = np.linalg.cholesky([[2.0, 0.5, 0.1], [0.5, 1.0, -0.3], [0.1, -0.3, 0.7]])
    for given in (factor, np.linalg.inv(factor).T, np.array([0.5, 2.0, 1.5])):
        matrix = np.diag(given) if given.ndim == 1 else given
        values, log_q = Gaussian(np.array([1.0, -2.0, 0.5]), given).draw(2, 4, seed=5)
        expected = multivariate_normal([1.0, -2.0, 0.5], matrix @ matrix.T).logpdf(values)
        np.testing.assert_allclose(log_q, expected, rtol=1e-12)


def test_the_learning_rate_is_constant_and_then_falls_to_a_hundredth():
    rates = learning_rates(1000, 0.02)
    assert rates.shape == (1000,)
    assert np.all(rates[:600] == 0.02)
    assert np.all(np.diff(rates[600:]) < 0)
    assert rates[-1] == pytest.approx(0.0002)


def test_what_the_bound_s_history_says():
    rng = np.random.default_rng(0)
    steady = rng.normal(-100.0, 3.0, size=5000)
    assert stats_of(steady)["elbo_change"] == 0.0
    assert stats_of(steady)["elbo"] == pytest.approx(-100.0, abs=1.0)
    # A slope of 1 in 100 steps: windows of 750 steps are 7.5 apart, and 4 standard errors are about 0.9.
    rising = stats_of(steady + np.arange(5000) / 100)["elbo_change"]
    assert 5.5 < rising < 7.5
    assert stats_of(np.full(5000, np.nan))["elbo_change"] == np.inf
