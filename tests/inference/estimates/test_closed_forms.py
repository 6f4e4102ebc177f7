"""Estimates that are known on paper."""

import importlib.util

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.inference.result import ConvergenceWarning

FAST = {"backend": "reference", "progress": "off", "starts": 2, "certificate_points": 1}
GROUP = FAST | {"backend": "numpyro", "method": "em"}

needs_numpyro = pytest.mark.skipif(not importlib.util.find_spec("numpyro"), reason="needs numpyro")


def test_maximum_likelihood_of_a_mean(gaussian):
    found = rl.estimate(gaussian.model, gaussian.data, method="ml", **FAST)
    mean, n = gaussian.y.mean(axis=1), gaussian.y.shape[1]
    assert np.allclose(found.params["mu"], mean, rtol=0, atol=1e-10)
    assert np.allclose(found.standard_errors["mu"], gaussian.sd / np.sqrt(n), atol=1e-8)
    squares = ((gaussian.y - mean[:, None]) ** 2).sum(axis=1)
    expected = -0.5 * squares / gaussian.sd**2 - n * np.log(gaussian.sd * np.sqrt(2 * np.pi))
    assert np.allclose(found.log_likelihood, expected, rtol=1e-12)
    assert np.allclose(found.aic("subject"), 2 - 2 * expected) and np.isclose(found.aic(), 16 - 2 * expected.sum())
    assert np.allclose(found.bic("subject"), np.log(n) - 2 * expected)
    assert found.log_evidence is None and found.group is None
    assert found.converged.all() and (found.reached == 2).all()


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (1.5, 0.4)])
def test_maximum_a_posteriori_weighs_prior_and_data_by_precision(gaussian, mean, sd):
    from scipy.stats import multivariate_normal

    population = None
    if (mean, sd) != (0.0, 1.0):  # the default prior
        population = rl.Population(mu=rl.Pooling("none", prior=rl.priors.Normal(mean, sd)))
    found = rl.estimate(gaussian.model, gaussian.data, population=population, **FAST)
    n, data_precision = gaussian.y.shape[1], gaussian.y.shape[1] / gaussian.sd**2
    precision = data_precision + 1 / sd**2
    expected = (data_precision * gaussian.y.mean(axis=1) + mean / sd**2) / precision
    assert np.allclose(found.params["mu"], expected, rtol=0, atol=1e-10)
    assert np.allclose(found.standard_errors["mu"], precision**-0.5, atol=1e-8)
    marginal = multivariate_normal(np.full(n, mean), gaussian.sd**2 * np.eye(n) + sd**2)
    assert np.allclose(found.log_evidence, marginal.logpdf(gaussian.y), rtol=1e-11)  # Laplace is exact here


@needs_numpyro
@pytest.mark.parametrize("covariance", ["diagonal", "full"])
def test_the_group_is_that_of_the_marginal_likelihood(gaussian, covariance):
    from scipy.stats import multivariate_normal

    found = rl.estimate(gaussian.model, gaussian.data, covariance=covariance, **GROUP)
    means, (n_subjects, n) = gaussian.y.mean(axis=1), gaussian.y.shape
    # Subjects' means are normal with variance t = v + s²/n; with equal n the maximum has a closed form.
    t = means.var()
    sd = np.sqrt(t - gaussian.sd**2 / n)
    group = found.group
    assert group.converged and group.alike == ()
    assert abs(group.location["mu"] - means.mean()) < 1e-7 and abs(group.sd["mu"] - sd) < 1e-5
    assert group.natural == group.location
    # Observed information of the mean: N / t; of v: N / 2t²; of the sd by the delta method.
    assert abs(group.location_errors["mu"] - np.sqrt(t / n_subjects)) < 1e-5
    assert abs(group.sd_errors["mu"] - np.sqrt(2 * t**2 / n_subjects) / (2 * sd)) < 1e-5
    marginal = multivariate_normal(np.full(n, means.mean()), gaussian.sd**2 * np.eye(n) + sd**2)
    exact = marginal.logpdf(gaussian.y)
    assert np.allclose(found.log_evidence, exact, atol=1e-6)
    # Averaging over 2,000 samples: four standard errors.
    assert abs(group.integrated_log_likelihood - exact.sum()) < 4 * group.integrated_error < 0.5
    assert np.isclose(group.integrated_bic, -2 * group.integrated_log_likelihood + 2 * np.log(gaussian.y.size))
    weight = sd**2 / t
    assert np.allclose(found.params["mu"], means.mean() + weight * (means - means.mean()), atol=1e-6)


@needs_numpyro
def test_subjects_who_differ_by_chance_only_have_no_spread(gaussian):
    # The closed form's variance, max(0, between − s²/n), is 0 where subjects' means are equal.
    y = gaussian.y - gaussian.y.mean(axis=1, keepdims=True) + 1.0
    found = rl.estimate(gaussian.model, rl.Trials.from_arrays(y=y), **GROUP)
    assert found.group.alike == ("mu",) and found.group.sd["mu"] < 0.011
    assert abs(found.group.location["mu"] - 1.0) < 1e-6 and np.isnan(found.group.sd_errors["mu"])
    assert abs(found.group.location_errors["mu"] - gaussian.sd / np.sqrt(y.size)) < 1e-4
    assert np.allclose(found.params["mu"], 1.0, atol=1e-5)


@needs_numpyro
def test_two_parameters_and_their_correlation():
    # Two responses a trial, each around its own mean: the group's moments have a closed form with a full covariance.
    model = rl.Model(
        "pair",
        parameters={"a": rl.Parameter(rl.RealLine()), "b": rl.Parameter(rl.RealLine())},
        states={},
        trial={"y": lambda a: rl.Normal(mean=a, sd=1.0), "w": lambda b: rl.Normal(mean=b, sd=1.0)},
        update=lambda: {},
    )
    rng = np.random.default_rng(3)
    true = rng.multivariate_normal([1.0, -1.0], [[1.0, 0.7], [0.7, 1.0]], size=12)
    y, w = (true[:, i, None] + rng.standard_normal((12, 10)) for i in (0, 1))
    data = rl.Trials.from_arrays(y=y, w=w)
    means = np.stack([y.mean(axis=1), w.mean(axis=1)], axis=-1)
    expected = np.cov(means.T, bias=True) - np.eye(2) / 10
    full = rl.estimate(model, data, covariance="full", **GROUP)
    assert np.allclose(full.group.covariance, expected, atol=1e-5)
    assert np.isclose(full.group.correlation()[0, 1], expected[0, 1] / np.sqrt(expected[0, 0] * expected[1, 1]))
    diagonal = rl.estimate(model, data, **GROUP)
    assert np.allclose(diagonal.group.covariance, np.diag(np.diagonal(expected)), atol=1e-5)
    assert full.group.n_parameters == 5 and diagonal.group.n_parameters == 4
    assert full.log_evidence.sum() > diagonal.log_evidence.sum()
    # The errors of each parameter's own group don't depend on the other one's.
    t = means.var(axis=0)
    for found in (full, diagonal):
        errors = [found.group.location_errors[name] for name in "ab"]
        assert np.allclose(errors, np.sqrt(t / 12), atol=1e-5)
        sd_errors = [found.group.sd_errors[name] for name in "ab"]
        assert np.allclose(sd_errors, np.sqrt(2 * t**2 / 12) / (2 * np.sqrt(np.diagonal(expected))), atol=1e-4)


@pytest.mark.parametrize("link", ["probit", "logit"])
def test_maximum_likelihood_of_a_coin(coin, link):
    y = np.zeros((2, 20))
    y[0, :13] = y[1, :4] = 1
    population = rl.Population("none", p=rl.Pooling("none", link))
    found = rl.estimate(coin, rl.Trials.from_arrays(y=y), method="ml", population=population, **FAST)
    share = y.mean(axis=1)
    assert np.allclose(found.params["p"], share, atol=1e-8)
    assert np.allclose(found.standard_errors["p"], np.sqrt(share * (1 - share) / 20), atol=1e-7)
    if link == "logit":
        assert np.allclose(found.link_scale["p"], np.log(share / (1 - share)), atol=1e-7)
        assert np.allclose(found.link_standard_errors["p"], 1 / np.sqrt(20 * share * (1 - share)), atol=1e-6)


def test_a_coin_that_always_falls_alike_is_at_a_bound(coin):
    data = rl.Trials.from_arrays(y=[[1.0] * 12, [0.0] * 12, [1.0, 0.0] * 6])
    found = rl.estimate(coin, data, method="ml", **FAST)
    assert found.at_bound[:, 0].tolist() == [True, True, False]
    assert np.allclose(found.params["p"], [1, 0, 0.5], atol=1e-8)
    assert np.allclose(found.log_likelihood[:2], 0, atol=1e-7)
    assert np.isnan(found.standard_errors["p"]).tolist() == [True, True, False]
    assert found.identified.all() and "2 at a bound" in repr(found)


def test_two_parameters_of_which_only_the_sum_matters_are_not_identified():
    model = rl.Model(
        "sum",
        parameters={name: rl.Parameter(rl.RealLine()) for name in "abc"},
        states={},
        trial={"y": lambda a, b: rl.Normal(mean=a + b, sd=1.0), "w": lambda c: rl.Normal(mean=c, sd=1.0)},
        update=lambda: {},
    )
    data = rl.Trials.from_arrays(y=[[1.0, 2.0, 3.0]], w=[[0.0, 1.0, 5.0]])
    found = rl.estimate(model, data, method="ml", **FAST)
    assert not found.identified[0] and found.unidentified == {1: ("a", "b")}
    assert np.isclose(found.params["a"] + found.params["b"], 2.0) and np.isclose(found.params["c"], 2.0)
    assert np.isnan(found.standard_errors["a"]).all()
    held = rl.estimate(model, data, method="ml", population=rl.Population("none", a=0.5), **FAST)
    assert held.identified.all() and np.isclose(held.params["b"], 1.5) and held.params["a"] == [0.5]
    assert set(held.standard_errors) == {"b", "c"}
    assert held.aic() == pytest.approx(4 - 2 * held.log_likelihood.sum())


def test_one_start_can_fail_where_many_succeed():
    # The mean is (m + ½)²: 4 is explained by m = 1.5 and by m = −2.5, and the prior, around −1.5, prefers the latter.
    model = rl.Model(
        "square", parameters={"m": rl.Parameter(rl.RealLine())}, states={},
        trial={"y": lambda m: rl.Normal(mean=(m + 0.5) ** 2, sd=1.0)}, update=lambda: {},
    )  # fmt: skip
    data = rl.Trials.from_arrays(y=[[4.0, 4.2, 3.8]])
    population = rl.Population(m=rl.Pooling("none", prior=rl.priors.Normal(-1.5, 1.0)))
    one = rl.estimate(model, data, population=population, **{**FAST, "starts": 1})
    many = rl.estimate(model, data, population=population, **{**FAST, "starts": 20})
    assert one.converged[0] and abs(one.params["m"][0] - 1.5) < 0.3
    assert many.converged[0] and abs(many.params["m"][0] + 2.5) < 0.3
    assert 1 < many.reached[0] < 20
    assert many.log_evidence[0] > one.log_evidence[0] + 2


def test_a_maximum_that_one_start_found_is_told():
    model = rl.Model(
        "far", parameters={"m": rl.Parameter(rl.RealLine())}, states={},
        trial={"y": lambda m: rl.Normal(mean=rl.sigmoid(4 * (m - 2)) + 0.3 * rl.sigmoid(-4 * (m + 1)), sd=0.1)},
        update=lambda: {},
    )  # fmt: skip
    data = rl.Trials.from_arrays(y=[[0.8, 0.8]])
    with pytest.warns(ConvergenceWarning, match="subject 1 was found from one start only; raise starts"):
        found = rl.estimate(model, data, method="ml", **{**FAST, "starts": 8, "seed": 3})
    assert found.reached.tolist() == [1] and abs(found.params["m"][0] - 2.3466) < 1e-3  # where the mean is 0.8
