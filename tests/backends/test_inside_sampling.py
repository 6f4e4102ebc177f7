"""Sampling under priors that no population has: two groups that nobody labelled, and a smooth course over age.

A correlation is that of posterior means of the learning rates' log odds with the truth, over 20 people of 100 trials.
What is asserted is far below what was seen: over simulated data sets of 8 seeds, with NumPyro, the smallest was
0.88 for the two groups and 0.93 for the course over age.
"""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl

S, T = 20, 100
MODEL = rl.catalogue.rescorla_wagner()
AGE = np.linspace(-1.5, 1.5, S)
pytestmark = pytest.mark.slow


def played(log_odds, seed):
    task = rl.tasks.bandit(probabilities=(0.25, 0.75), n_trials=T // 2)
    params = {"alpha": 1 / (1 + np.exp(-log_odds)), "beta": 3.0}
    return rl.simulate(MODEL, task, params, blocks=2, seed=seed).data


def two_groups(seed):
    """Return the log odds of two groups, a slow one and a quick one, and their data."""
    rng = np.random.default_rng(seed)
    truth = np.where(np.arange(S) % 2, 1.2, -2.2) + 0.3 * rng.normal(size=S)
    return truth, played(truth, seed)


def course(seed):
    """Return log odds that rise and fall with age, and their data."""
    truth = -2.5 + 3.0 * np.exp(-(AGE**2))
    return truth, played(truth, seed)


def numpyro_groups(data):
    import numpyro
    import numpyro.distributions as dist

    def model():
        share = numpyro.sample("share", dist.Beta(2.0, 2.0))
        low = numpyro.sample("low", dist.Normal(-1.5, 1.0))
        gap = numpyro.sample("gap", dist.Gamma(4.0, 2.0))
        beta = numpyro.sample("beta", dist.HalfNormal(5.0))
        weights = dist.Categorical(probs=np.stack([1.0, 0.0]) + share * np.array([-1.0, 1.0]))
        with numpyro.plate("subject", S):
            groups = dist.Normal(low + gap * np.array([0.0, 1.0]), 0.4)
            z = numpyro.sample("z", dist.MixtureSameFamily(weights, groups))
        rl.numpyro.observe("behaviour", MODEL, data, alpha=1 / (1 + np.e**-z), beta=beta)

    return model


def numpyro_course(data):
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    def model():
        mean = numpyro.sample("mean", dist.Normal(-1.0, 1.0))
        height = numpyro.sample("height", dist.HalfNormal(2.0))
        length = numpyro.sample("length", dist.LogNormal(0.0, 0.3))
        beta = numpyro.sample("beta", dist.HalfNormal(5.0))
        covariance = height**2 * jnp.exp(-0.5 * (AGE[:, None] - AGE) ** 2 / length**2) + 1e-4 * np.eye(S)
        with numpyro.plate("subject", S):
            white = numpyro.sample("white", dist.Normal())
        z = numpyro.deterministic("z", mean + jnp.linalg.cholesky(covariance) @ white)
        rl.numpyro.observe("behaviour", MODEL, data, alpha=1 / (1 + jnp.exp(-z)), beta=beta)

    return model


def numpyro_draws(model, seed):
    import jax
    from numpyro.infer import MCMC, NUTS

    with jax.enable_x64(True):
        mcmc = MCMC(NUTS(model), num_warmup=250, num_samples=250, num_chains=2, chain_method="sequential",
                    progress_bar=False)  # fmt: skip
        mcmc.run(jax.random.PRNGKey(seed))
        return {name: np.asarray(value) for name, value in mcmc.get_samples(group_by_chain=True).items()}


def pymc_groups(data):
    import pymc as pm

    with pm.Model(coords={"subject": data.subjects}) as model:
        share = pm.Beta("share", 2, 2)
        low = pm.Normal("low", -1.5, 1)
        gap = pm.Gamma("gap", 4, 2)
        beta = pm.HalfNormal("beta", 5)
        groups = pm.math.stack([low, low + gap])
        z = pm.NormalMixture("z", w=pm.math.stack([1 - share, share]), mu=groups, sigma=0.4, dims="subject")
        rl.pymc.observe("behaviour", MODEL, data, alpha=pm.math.sigmoid(z), beta=beta)
    return model


def pymc_course(data):
    import pymc as pm

    with pm.Model(coords={"subject": data.subjects}) as model:
        mean = pm.Normal("mean", -1, 1)
        height = pm.HalfNormal("height", 2)
        length = pm.LogNormal("length", 0, 0.3)
        beta = pm.HalfNormal("beta", 5)
        process = pm.gp.Latent(cov_func=height**2 * pm.gp.cov.ExpQuad(1, ls=length))
        z = pm.Deterministic("z", mean + process.prior("f", X=AGE[:, None], jitter=1e-4), dims="subject")
        rl.pymc.observe("behaviour", MODEL, data, alpha=pm.math.sigmoid(z), beta=beta)
    return model


def pymc_draws(model, seed):
    import pymc as pm

    tree = pm.sample(draws=250, tune=250, chains=2, cores=1, random_seed=seed, nuts_sampler="nutpie",
                     progressbar=False, model=model)  # fmt: skip
    return {name: values.values for name, values in tree["posterior"].data_vars.items()}


def correlation(draws, truth):
    """Return how posterior means of the learning rates' log odds go with the truth."""
    assert all(np.isfinite(values).all() for values in draws.values())
    assert 2.0 < draws["beta"].mean() < 4.5  # 3 in truth
    return np.corrcoef(draws["z"].mean(axis=(0, 1)), truth)[0, 1]


@pytest.mark.parametrize(("simulate", "build"), [(two_groups, numpyro_groups), (course, numpyro_course)])
def test_numpyro(simulate, build):
    pytest.importorskip("numpyro")
    truth, data = simulate(1)
    assert correlation(numpyro_draws(build(data.bind(MODEL)), seed=1), truth) > 0.7


@pytest.mark.timeout(1200)  # two compilations of a scan's gradient
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("simulate", "build"), [(two_groups, pymc_groups), (course, pymc_course)])
def test_pymc(simulate, build):
    pytest.importorskip("pymc")
    truth, data = simulate(1)
    assert correlation(pymc_draws(build(data), seed=1), truth) > 0.7
