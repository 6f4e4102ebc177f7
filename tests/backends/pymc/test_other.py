"""PyMC models that were written elsewhere, as functions of our parameters and latents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.registry import BACKENDS, backend_of
from rlbackends.errors import BackendError, ParameterError
from rlbackends.testing import assert_close

pytensor = pytest.importorskip("pytensor")
pm = pytest.importorskip("pymc")
pt = pytensor.tensor

S, T = 3, 8
RNG = np.random.default_rng(4)
CHOICE, REWARD = RNG.integers(0, 2, (S, T)), RNG.normal(size=(S, T))
DATA = rl.Trials.from_arrays(choice=CHOICE, reward=REWARD)
PARAMS = {"alpha": RNG.uniform(0.1, 0.9, S), "beta": RNG.uniform(1.0, 4.0, S)}


@pytest.fixture(autouse=True)
def _no_c_compiler() -> Iterator[None]:
    with pytensor.config.change_flags(cxx=""):
        yield


def legacy(form: str = "observed") -> pm.Model:
    """Return Rescorla–Wagner as people write it in PyMC: a scan over trials, or a loop."""

    def step(choice: Any, reward: Any, q: Any, alpha: Any) -> Any:
        rows = pt.arange(S)
        return pt.set_subtensor(q[rows, choice], q[rows, choice] + alpha * (reward - q[rows, choice]))

    with pm.Model() as model:
        mu = pm.Normal("mu", np.float64(0.0), np.float64(1.0))
        raw = pm.Normal("raw", np.float64(0.0), np.float64(1.0), shape=S)
        alpha = pm.math.sigmoid(mu + raw)
        named = pm.Deterministic("lr", alpha)
        if form != "beside":  # beside: the deterministic is only noted down, and what was before goes on
            alpha = named
        temperature = pm.HalfNormal("inv_temp", np.float64(5.0), shape=(S, 1))
        q = pt.zeros((S, 2), dtype="float64")
        values = [q]
        for t in range(T - 1):
            values.append(step(CHOICE[:, t], REWARD[:, t], values[-1], alpha))
        logits = temperature[:, :, None] * pt.stack(values, axis=1)
        if form == "potential":
            log_p = pt.special.log_softmax(logits, axis=-1)
            chosen = log_p[np.arange(S)[:, None], np.arange(T)[None], CHOICE]
            pm.Potential("lik", chosen)
        elif form == "summed":
            log_p = pt.special.log_softmax(logits, axis=-1)
            pm.Potential("lik", log_p[np.arange(S)[:, None], np.arange(T)[None], CHOICE].sum())
        else:
            pm.Categorical("action", logit_p=logits, observed=CHOICE)
    return model


NAMES = {"alpha": "lr", "beta": "inv_temp"}


@pytest.mark.parametrize("form", ["observed", "beside", "potential", "summed"])
def test_the_likelihood_of_a_handwritten_model(form: str) -> None:
    expected = rl.compile(rl.catalogue.rescorla_wagner(), DATA).log_likelihood(PARAMS)["choice"].values
    other = rl.pymc.likelihood(legacy(form), names=NAMES)
    assert_close(other(PARAMS), expected.sum() if form == "summed" else expected, "log_likelihood")
    more = {"alpha": PARAMS["alpha"] / 2, "beta": 2 * PARAMS["beta"]}
    expected = rl.compile(rl.catalogue.rescorla_wagner(), DATA).log_likelihood(more)["choice"].values
    assert_close(other(more), expected.sum() if form == "summed" else expected, "log_likelihood")


def test_a_model_with_observe_gives_itself() -> None:
    with pm.Model() as model:
        alpha, beta = pm.Beta("alpha", 1, 1, shape=S), pm.HalfNormal("beta", 3, shape=S)
        rl.pymc.observe("behaviour", rl.catalogue.rescorla_wagner(), DATA, alpha=alpha, beta=beta)
    expected = rl.compile(rl.catalogue.rescorla_wagner(), DATA).log_likelihood(PARAMS)["choice"].values
    assert_close(rl.pymc.likelihood(model)(PARAMS), expected.ravel(), "log_likelihood")


def small(**more: Any) -> pm.Model:
    with pm.Model() as model:
        p = pm.Beta("p", np.float64(2.0), np.float64(3.0), shape=2)
        unused = pm.Normal("unused")
        pm.Bernoulli("y", p[[0, 0, 1]], observed=[1, 0, 1])
        if more.get("two"):
            pm.Normal("z", pm.math.log(p), 1.0, observed=[0.0, 1.0])
        pm.Deterministic("half", unused / 2)
    return model


def test_what_can_go_wrong() -> None:
    one = {"p": [0.3, 0.6]}
    says = {
        "the other model has no variable 'rate'; it has 'p', 'unused' and 'half'.": (None, {"rate": [0.3, 0.6]}),
        "names has 'rte', but there is no such value; there are 'rate'. Did you mean 'rate'?":
            ({"rte": "p"}, {"rate": [0.3, 0.6]}),
        "'a' and 'b' both stand for 'p'.": ({"a": "p", "b": "p"}, {"a": [0.3, 0.6], "b": [0.3, 0.6]}),
        "the likelihood still depends on 'p', which got no value.": (None, {}),
        "'unused' got a value on which the likelihood does not depend.": (None, {**one, "unused": 0.0}),
        "'p' has shape (2,) in the other model and (3,) here": (None, {"p": [0.3, 0.6, 0.1]}),
    }  # fmt: skip
    for message, (names, params) in says.items():
        with pytest.raises(ParameterError) as caught:
            rl.pymc.likelihood(small(), names)(params)
        assert message in str(caught.value)
    with pytest.raises(ParameterError, match=r"no observed variable 'yy'; there is 'y'\. Did you mean 'y'"):
        rl.pymc.likelihood(small(), observed="yy")
    with pytest.raises(BackendError, match=r"expected a pymc\.Model, not function"):
        rl.pymc.likelihood(small)
    # A parameter that the other model does not have is left out when it is said.
    left_out = rl.pymc.likelihood(small(), {"lapse": None})({**one, "lapse": [0.0, 0.0]})
    assert_close(left_out, np.log([0.3, 0.7, 0.6]), "log_likelihood")


def test_several_shapes_give_the_total() -> None:
    params = {"p": [0.3, 0.6]}
    model = small(two=True)
    total = rl.pymc.likelihood(model)(params)
    y, z = (rl.pymc.likelihood(model, observed=name)(params) for name in ("y", "z"))
    assert (y.shape, z.shape, total.shape) == ((3,), (2,), ())
    assert_close(total, y.sum() + z.sum(), "log_likelihood")


def test_one_value_for_all_subjects() -> None:
    with pm.Model() as model:
        p = pm.Uniform("p")
        pm.Bernoulli("y", p, observed=[1, 0])
    other = rl.pymc.likelihood(model)
    assert_close(other({"p": [0.3, 0.3, 0.3]}), np.log([0.3, 0.7]), "log_likelihood")
    with pytest.raises(ParameterError, match="'p' has shape \\(\\)"):
        other({"p": [0.3, 0.4, 0.3]})


def test_a_partly_observed_variable() -> None:
    with pytest.warns(Warning), pm.Model() as model:
        p = pm.Uniform("p")
        pm.Bernoulli("y", p, observed=np.ma.masked_array([1, 0, 1], [False, True, False]))
    assert_close(rl.pymc.likelihood(model)({"p": [0.3]}), np.log([0.3, 0.3]), "log_likelihood")


@pytest.mark.parametrize("jacobian", [True, False])
def test_the_joint_density(jacobian: bool) -> None:
    model = small()
    z = {"rate": np.array([0.3, -1.0]), "unused": 0.4}
    p = 1 / (1 + np.exp(-z["rate"]))
    expected = np.log(p[[0, 0, 1]] * [1, -1, 1] + [0, 1, 0]).sum() - 0.08 - 0.5 * np.log(2 * np.pi)
    expected += np.log(12 * p * (1 - p) ** 2).sum() + jacobian * np.log(p * (1 - p)).sum()
    density = rl.pymc.log_density(model, {"rate": "p"}, jacobian=jacobian)
    assert abs(density(z) - expected) < 1e-6  # PyMC's own constants are float32 here
    with pytest.raises(ParameterError, match="there is no value for its 'unused'"):
        density({"rate": z["rate"]})
    with pytest.raises(ParameterError, match="no variable 'half'"):
        density({**z, "half": 1.0})


def test_the_joint_density_of_the_model_to_take_away() -> None:
    compiled = rl.compile(rl.catalogue.rescorla_wagner(), DATA, "pymc", mode="FAST_COMPILE")
    z = compiled.layout.unconstrain(compiled.layout.draw(np.random.default_rng(5)))
    assert_close(rl.pymc.log_density(compiled.engine.pymc_model)(z), compiled.log_density(z), "log_density")


def test_the_backend_of_a_model_is_found_without_importing_it() -> None:
    class Own(pm.Model):
        pass

    with Own() as own:
        x = pm.Normal("x")
    for thing in (small(), own, x):
        assert backend_of(thing) is BACKENDS["pymc"]
    for thing in (None, 1.0, np.zeros(3), {}, len, DATA):
        assert backend_of(thing) is None
    assert backend_of(small()).load() is rl.pymc
