"""Priors: log-densities against SciPy's, drawn from where they say, and arguments checked."""

import math
import warnings

import numpy as np
import pytest
import scipy.stats

from rlbackends.errors import ModelError
from rlbackends.population import priors as p

CASES = {
    "Normal": (p.Normal(0.5, 2.0), scipy.stats.norm(0.5, 2.0)),
    "StudentT": (p.StudentT(4.0, -1.0, 0.5), scipy.stats.t(4.0, -1.0, 0.5)),
    "HalfNormal": (p.HalfNormal(0.2), scipy.stats.halfnorm(scale=0.2)),
    "HalfCauchy": (p.HalfCauchy(1.5), scipy.stats.halfcauchy(scale=1.5)),
    "Exponential": (p.Exponential(3.0), scipy.stats.expon(scale=1 / 3)),
    "Gamma": (p.Gamma(2.5, 0.5), scipy.stats.gamma(2.5, scale=2.0)),
    "LogNormal": (p.LogNormal(0.3, 0.8), scipy.stats.lognorm(0.8, scale=math.exp(0.3))),
    "Beta": (p.Beta(2.0, 0.7), scipy.stats.beta(2.0, 0.7)),
    "Uniform": (p.Uniform(-1.0, 3.0), scipy.stats.uniform(-1.0, 4.0)),
}
POINTS = np.array([-50.0, -1.5, -1.0, -1e-12, 1e-12, 0.1, 0.5, 0.999, 1.0000001, 2.0, 2.9, 3.1, 40.0, 1e4])


def test_every_prior_is_tested():
    assert set(CASES) == set(p.PRIORS)


@pytest.fixture(params=sorted(CASES))
def case(request):
    return CASES[request.param]


def test_log_densities(case):
    prior, exact = case
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = exact.logpdf(POINTS)
    np.testing.assert_allclose(prior.log_density(POINTS), expected, rtol=1e-12, atol=1e-12)
    assert np.ndim(prior.log_density(0.5)) == 0
    assert prior.log_density(np.full((2, 3), 0.5)).shape == (2, 3)


def test_densities_sum_to_one(case):
    prior, exact = case
    edges = exact.ppf(np.linspace(1e-6, 1 - 1e-6, 20_001))
    density = np.exp(prior.log_density(edges))
    area = np.sum(np.diff(edges) * (density[1:] + density[:-1]) / 2)
    assert area == pytest.approx(1.0, abs=2e-3)


def test_bounds_are_where_the_density_is(case):
    prior, exact = case
    assert prior.bounds == exact.support()
    lo, hi = prior.bounds
    for outside in (lo - 1.0, hi + 1.0):
        if math.isfinite(outside):
            assert prior.log_density(outside) == -math.inf
    assert math.isnan(prior.log_density(math.nan))


def test_draws(case):
    prior, exact = case
    draws = prior.draw(np.random.default_rng(1), (4_000,))
    assert draws.shape == (4_000,)
    # Kolmogorov–Smirnov at a false-alarm rate of 1e-6 each, with a fixed seed.
    assert scipy.stats.kstest(draws, exact.cdf).pvalue > 1e-6
    again = prior.draw(np.random.default_rng(1), (4_000,))
    np.testing.assert_array_equal(draws, again)
    assert np.shape(prior.draw(np.random.default_rng(1), ())) == ()


def test_a_small_imaginary_part_comes_back_as_the_derivative(case):
    prior, exact = case
    for x in exact.ppf([0.1, 0.4, 0.8]):
        step = 1e-5 * abs(x)
        expected = (exact.logpdf(x + step) - exact.logpdf(x - step)) / (2 * step)
        assert np.imag(prior.log_density(x + 1e-30j)) / 1e-30 == pytest.approx(expected, rel=1e-5, abs=1e-6)


def test_there_and_back_as_data(case):
    prior, _ = case
    assert p.prior_from_data(prior.to_data()) == prior
    assert str(prior).startswith(type(prior).__name__ + "(")


def test_density_at_a_bound_is_no_nan():
    """The constrained value of a far point is the bound itself; a uniform's density there is not 0 · ∞."""
    assert p.Beta(1.0, 1.0).log_density(np.array([0.0, 1.0])).tolist() == [0.0, 0.0]
    assert p.Beta(2.0, 2.0).log_density(np.array([0.0, 1.0])).tolist() == [-math.inf, -math.inf]
    assert p.Gamma(1.0, 2.0).log_density(0.0) == pytest.approx(math.log(2.0))
    assert p.LogNormal().log_density(0.0) == -math.inf
    assert p.HalfNormal(1.0).log_density(0.0) == pytest.approx(scipy.stats.halfnorm.logpdf(0.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: p.Normal(0, 0), "Normal: sd is 0, expected a number above 0"),
        (lambda: p.Normal(sd=-1), "Normal: sd is -1, expected"),
        (lambda: p.Normal(math.nan), "Normal: mean is nan, expected a finite number"),
        (lambda: p.Normal(0, math.inf), "Normal: sd is inf, expected a finite number"),
        (lambda: p.Normal("0"), "Normal: mean is '0', expected a finite number"),
        (lambda: p.Normal(True), "Normal: mean is True"),
        (lambda: p.Normal(None), "Normal: mean is None"),
        (lambda: p.Normal(1j), "Normal: mean is 1j"),
        (lambda: p.Normal(np.complex128(1)), "Normal: mean is"),
        (lambda: p.Normal(10**400), "Normal: mean is 1000"),
        (lambda: p.Gamma(0.0, 1.0), "Gamma: shape is 0.0, expected a number above 0"),
        (lambda: p.Beta(1.0, -2.0), "Beta: b is -2.0"),
        (lambda: p.Uniform(1.0, 1.0), "Uniform: lo is 1 and hi is 1, expected lo < hi"),
        (lambda: p.StudentT(df=0), "StudentT: df is 0"),
    ],
)
def test_arguments_are_checked(make, message):
    with pytest.raises(ModelError) as caught:
        make()
    assert message in str(caught.value)


def test_an_unknown_argument_is_refused():
    with pytest.raises(TypeError):
        p.Normal(0, scale=1)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"prior": "Nomral"},
        {"prior": ["Normal"]},
        {"prior": "Normal", "scale": 1.0},
        {"prior": "Normal", "sd": 0},
        "Normal",
    ],
)
def test_what_is_no_prior(data):
    with pytest.raises(ModelError):
        p.prior_from_data(data)
    with pytest.raises(ModelError, match="Did you mean 'Normal'"):
        p.prior_from_data({"prior": "Nomral"})


def test_frozen_and_equal():
    prior = p.Normal(0, 1)
    assert prior == p.Normal(0.0, np.float32(1.0)) and prior != p.Normal(0, 2)
    assert type(prior.mean) is float
    with pytest.raises(AttributeError):
        prior.mean = 1.0
