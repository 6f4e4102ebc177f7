"""NumPyro models that were written elsewhere, as functions of our parameters and latents."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.registry import BACKENDS, backend_of
from rlbackends.errors import BackendError, ParameterError
from rlbackends.testing import assert_close

jax = pytest.importorskip("jax")
numpyro = pytest.importorskip("numpyro")
jnp, dist = jax.numpy, numpyro.distributions

from numpyro.contrib.control_flow import scan  # noqa: E402

S, T = 3, 8
RNG = np.random.default_rng(4)
CHOICE, REWARD = RNG.integers(0, 2, (S, T)), RNG.normal(size=(S, T))
DATA = rl.Trials.from_arrays(choice=CHOICE, reward=REWARD)
PARAMS = {"alpha": RNG.uniform(0.1, 0.9, S), "beta": RNG.uniform(1.0, 4.0, S)}
NAMES = {"alpha": "lr", "beta": "inv_temp"}


def legacy(choice, reward, form="observed", mask=None):
    """Rescorla–Wagner as people write it in NumPyro."""
    mu = numpyro.sample("mu", dist.Normal(0.0, 1.0))
    with numpyro.plate("person", S):
        raw = numpyro.sample("raw", dist.Normal(0.0, 1.0))
        alpha = jax.nn.sigmoid(mu + raw)
        if form == "beside":  # it is only noted down, and what was before goes on
            numpyro.deterministic("lr", alpha)
        else:
            alpha = numpyro.deterministic("lr", alpha)
        beta = numpyro.sample("inv_temp", dist.HalfNormal(5.0))

    def learn(q, now):
        a, r = now
        rows = jnp.arange(S)
        return q.at[rows, a].add(alpha * (r - q[rows, a])), beta[:, None] * q

    def respond(q, now):
        q, logits = learn(q, now)
        numpyro.sample("action", dist.Categorical(logits=logits), obs=now[0])
        return q, None

    start, trials = jnp.zeros((S, 2)), (choice.T, reward.T)
    if form == "scan":
        scan(respond, start, trials)
        return
    _, logits = jax.lax.scan(learn, start, trials)
    if form in ("observed", "beside"):
        numpyro.sample("action", dist.Categorical(logits=logits).to_event(2), obs=choice.T)
    elif form == "factor":
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), choice.T[..., None], axis=-1)[..., 0]
        numpyro.factor("lik", chosen.T)
    else:
        with numpyro.plate("t", T, dim=-2), numpyro.plate("s", S, dim=-1), numpyro.handlers.mask(mask=mask):
            numpyro.sample("action", dist.Categorical(logits=logits), obs=choice.T)


MASK = np.arange(S * T).reshape(T, S) % 4 > 0


@pytest.mark.parametrize("form", ["observed", "beside", "factor", "scan", "masked"])
def test_the_likelihood_of_a_handwritten_model(form):
    other = rl.numpyro.likelihood(legacy, CHOICE, REWARD, form=form, mask=MASK, names=NAMES)
    for params in (PARAMS, {"alpha": PARAMS["alpha"] / 2, "beta": 2 * PARAMS["beta"]}):
        expected = rl.compile(rl.catalogue.rescorla_wagner(), DATA).log_likelihood(params)["choice"].values
        if form == "masked":
            expected = np.where(MASK, expected.T, 0.0)
        elif form in ("observed", "beside"):
            expected = expected.sum()
        elif form == "scan":
            expected = expected.T
        assert_close(other(params), expected, "log_likelihood")
    assert not jax.config.jax_enable_x64


def small(two=False):
    p = numpyro.sample("p", dist.Beta(2.0, 3.0).expand([2]))
    unused = numpyro.sample("unused", dist.Normal())
    numpyro.sample("y", dist.Bernoulli(p[jnp.array([0, 0, 1])]), obs=jnp.array([1, 0, 1]))
    if two:
        numpyro.sample("z", dist.Normal(jnp.log(p)), obs=jnp.array([0.0, 1.0]))
    numpyro.deterministic("half", unused / 2)


def test_what_can_go_wrong():
    one = {"p": [0.3, 0.6]}
    says = {
        "the other model has no variable 'rate'; it has 'p', 'unused' and 'half'.": (None, {"rate": [0.3, 0.6]}),
        "'a' and 'b' both stand for 'p'.": ({"a": "p", "b": "p"}, {"a": [0.3, 0.6], "b": [0.3, 0.6]}),
        "the likelihood still depends on 'p', which got no value.": (None, {}),
        "'unused' got a value on which the likelihood does not depend.": (None, {**one, "unused": 0.0}),
        "'half' got a value on which the likelihood does not depend.": (None, {**one, "half": 0.0}),
        "'p' has shape (2,) in the other model and (3,) here": (None, {"p": [0.3, 0.6, 0.1]}),
    }
    for message, (names, params) in says.items():
        with pytest.raises(ParameterError) as caught:
            rl.numpyro.likelihood(small, names=names)(params)
        assert message in str(caught.value)
    with pytest.raises(ParameterError, match=r"no observed variable 'yy'; there is 'y'\. Did you mean 'y'"):
        rl.numpyro.likelihood(small, observed="yy")
    with pytest.raises(BackendError, match="expected a NumPyro model, which is a function, not int"):
        rl.numpyro.likelihood(3)
    left_out = rl.numpyro.likelihood(small, names={"lapse": None})({**one, "lapse": [0.0, 0.0]})
    assert_close(left_out, np.log([0.3, 0.7, 0.6]), "log_likelihood")


def test_several_shapes_give_the_total():
    params = {"p": [0.3, 0.6]}
    total = rl.numpyro.likelihood(small, two=True)(params)
    y, z = (rl.numpyro.likelihood(small, two=True, observed=name)(params) for name in ("y", "z"))
    assert (y.shape, z.shape, total.shape) == ((3,), (2,), ())
    assert_close(total, y.sum() + z.sum(), "log_likelihood")


@pytest.mark.parametrize("jacobian", [True, False])
def test_the_joint_density(jacobian):
    z = {"rate": np.array([0.3, -1.0]), "unused": 0.4}
    p = 1 / (1 + np.exp(-z["rate"]))
    expected = np.log(p[[0, 0, 1]] * [1, -1, 1] + [0, 1, 0]).sum() - 0.08 - 0.5 * np.log(2 * np.pi)
    expected += np.log(12 * p * (1 - p) ** 2).sum() + jacobian * np.log(p * (1 - p)).sum()
    density = rl.numpyro.log_density(small, names={"rate": "p"}, jacobian=jacobian)
    assert_close(density(z), expected, "log_density")
    with pytest.raises(ParameterError, match="there is no value for its 'unused'"):
        density({"rate": z["rate"]})
    with pytest.raises(ParameterError, match="no variable 'half'"):
        density({**z, "half": 1.0})


def test_the_joint_density_of_the_model_to_take_away():
    compiled = rl.compile(rl.catalogue.rescorla_wagner(), DATA, "numpyro")
    z = compiled.layout.unconstrain(compiled.layout.draw(np.random.default_rng(5)))
    density = rl.numpyro.log_density(compiled.engine.model_function)
    assert_close(density(z), compiled.log_density(z), "log_density")


def test_the_backend_of_a_function_is_not_known_but_of_a_handler():
    assert backend_of(small) is None
    assert backend_of(numpyro.handlers.seed(small, 0)) is BACKENDS["numpyro"]
    assert backend_of(jnp.zeros(3)) is None
