"""Old models that are written in a backend's library are compared as they are."""

import numpy as np
import pytest

import rlbackends as rl

CHOICE = np.array([[0, 1, 1, 0, 1, 1], [1, 0, 0, 1, 0, 0]])
REWARD = np.array([[0.0, 1, 1, 0, 1, 0], [0, 1, 1, 0, 1, 1]])


@pytest.fixture(scope="module")
def data():
    return rl.Trials.from_arrays(choice=CHOICE, reward=REWARD)


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True])
def test_a_numpyro_model(data, after):
    pytest.importorskip("numpyro")
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist

    def old(choice, reward):
        with numpyro.plate("subject", 2):
            alpha = numpyro.sample("alpha", dist.Beta(1.0, 1.0))
            beta = numpyro.sample("beta", dist.HalfNormal(5.0))

        def step(q, now):
            c, r = now
            new = q.at[jnp.arange(2), c].add(alpha * (r - q[jnp.arange(2), c]))
            return new, new if after else q

        _, values = jax.lax.scan(step, jnp.zeros((2, 2)), (choice.T, reward.T))
        numpyro.sample("choice", dist.Categorical(logits=beta[:, None] * values), obs=choice.T)

    report = rl.compare_likelihood(
        rl.catalogue.rescorla_wagner(), data, rl.numpyro.likelihood(old, jnp.array(CHOICE), jnp.array(REWARD))
    )
    assert report.same is not after
    assert after is False or report.explanations[0].mistake == "values after the update"


@pytest.mark.slow
def test_a_pymc_model(data):
    pm = pytest.importorskip("pymc")
    import pytensor.tensor as pt

    with pm.Model() as old:
        alpha, beta = pm.Beta("alpha", 1, 1, shape=2), pm.HalfNormal("beta", 5, shape=2)
        q, values = pt.zeros((2, 2)), []
        for t in range(6):
            values.append(q)
            now = (np.arange(2), CHOICE[:, t])
            q = pt.set_subtensor(q[now], q[now] + alpha * (REWARD[:, t] - q[now]))
        pm.Categorical("choice", logit_p=beta[:, None, None] * pt.stack(values, axis=1), observed=CHOICE)
    report = rl.compare_likelihood(rl.catalogue.rescorla_wagner(), data, old, backend="reference")
    assert report.same and report.level == "trial", str(report)
