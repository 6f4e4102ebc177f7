"""Responses: log-probabilities from their formulas, draws by the inverse of the cdf."""

import math

import numpy as np
import pytest
import scipy.stats

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.expressions import constant, integer
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.model.responses import FAMILIES, Response


def model_of(rule, sizes=None):
    return rl.Model(
        "m",
        parameters={"beta": rl.Parameter(rl.Positive())},
        states={"q": rl.State("action"), "table": rl.State("row", "action")},
        trial={"r": lambda beta, q, table: rule(beta, q, table)},
        update=lambda: {},
        sizes={"action": 3, "row": 2},
    ).response_rules["r"]


def log_probability(response, value, **leaves):
    with np.errstate(all="ignore"):
        return evaluate(response.log_probability(), {**leaves, response.name: value})


def draws(response, uniforms, **leaves):
    with np.errstate(all="ignore"):
        return np.array([evaluate(response.draw(), {**leaves, "uniform": u}) for u in uniforms])


def test_categorical():
    response = model_of(lambda beta, q, table: rl.Categorical(logits=beta * q))
    assert (response.kind, response.axes, response.of) == (integer(0, 2), (), "action")
    logits = np.array([0.3, -1.0, 2.0])
    total = sum(map(math.exp, logits))
    for k in range(3):
        assert log_probability(response, k, logits=logits) == pytest.approx(
            math.log(math.exp(logits[k]) / total), rel=1e-14
        )
    cdf = np.cumsum(np.exp(logits)) / total
    uniforms = np.array([0.0, 0.5 * cdf[0], cdf[0] - 1e-9, cdf[0] + 1e-9, cdf[1] - 1e-9, cdf[1] + 1e-9, 1 - 1e-12])
    np.testing.assert_array_equal(draws(response, uniforms, logits=logits), [0, 0, 0, 1, 1, 2, 2])


def test_categorical_of_normalised_probabilities():
    response = model_of(lambda beta, q, table: rl.Categorical(log_probs=rl.log(beta * q)))
    p = np.array([0.2, 0.5, 0.3])
    for k in range(3):
        assert log_probability(response, k, log_probs=np.log(p)) == pytest.approx(math.log(p[k]), rel=1e-14)


def test_an_unavailable_action_has_no_probability():
    response = model_of(lambda beta, q, table: rl.Categorical(logits=beta * q, available=q > 0))
    node = response.arguments["logits"]
    logits = evaluate(node, {"beta": 2.0, "q": np.array([0.5, -0.5, 1.0])})
    np.testing.assert_array_equal(logits, [1.0, -math.inf, 2.0])
    assert log_probability(response, 1, logits=logits) == -math.inf
    assert log_probability(response, 0, logits=logits) == pytest.approx(-math.log1p(math.exp(1.0)))
    found = draws(response, np.linspace(0, 1 - 1e-15, 999), logits=logits)
    assert set(found) == {0, 2}
    assert np.mean(found == 0) == pytest.approx(1 / (1 + math.e), abs=2e-3)


def test_the_last_available_action_takes_the_last_uniform():
    response = model_of(lambda beta, q, table: rl.Categorical(logits=beta * q, available=q > 0))
    assert draws(response, [1 - 2**-53], logits=np.array([0.1, 0.7, -math.inf])) == [1]


@pytest.mark.parametrize("logit", [-800.0, -2.0, 0.0, 1e-9, 3.0, 800.0])
def test_bernoulli(logit):
    response = model_of(lambda beta, q, table: rl.Bernoulli(logits=beta))
    assert (response.kind, response.axes, response.of) == (integer(0, 1), (), None)
    one = log_probability(response, 1, logits=np.float64(logit))
    zero = log_probability(response, 0, logits=np.float64(logit))
    assert one == pytest.approx(logit if logit < -700 else -math.log1p(math.exp(-logit)), rel=1e-14, abs=0)
    assert zero == pytest.approx(-logit if logit > 700 else -math.log1p(math.exp(logit)), rel=1e-14, abs=0)
    if abs(logit) < 5:
        p = 1 / (1 + math.exp(-logit))
        np.testing.assert_array_equal(draws(response, [0.0, p - 1e-9, p + 1e-9], logits=np.float64(logit)), [1, 1, 0])


def test_bernoulli_with_absent_sub_choices():
    response = model_of(lambda beta, q, table: rl.Bernoulli(logits=beta * q, where=q > 0))
    assert [axis.name for axis in response.axes] == ["action"]
    leaves = {"logits": np.array([0.5, -1.0, 2.0]), "where": np.array([True, False, True])}
    found = log_probability(response, np.array([1, 1, 0]), **leaves)
    np.testing.assert_allclose(found, [-math.log1p(math.exp(-0.5)), 0.0, -math.log1p(math.exp(2.0))], rtol=1e-14)


def test_normal():
    response = model_of(lambda beta, q, table: rl.Normal(mean=beta, sd=beta))
    assert response.kind.name == "real"
    for value, mean, sd in [(0.3, -1.0, 2.0), (5.0, 0.0, 0.1), (1e-9, 0.0, 1e-6)]:
        expected = scipy.stats.norm.logpdf(value, mean, sd)
        assert log_probability(response, value, mean=mean, sd=sd) == pytest.approx(expected, rel=1e-13)
    u = np.array([0.01, 0.5, 0.9])
    np.testing.assert_allclose(
        draws(response, u, mean=1.0, sd=2.0), scipy.stats.norm.ppf(u, 1.0, 2.0), rtol=1e-14, atol=1e-15
    )


def test_graphs_are_made_once():
    response = model_of(lambda beta, q, table: rl.Normal(mean=beta, sd=beta))
    assert response.log_probability() is response.log_probability()
    assert response.draw() is response.draw()


@pytest.mark.parametrize(
    ("family", "arguments"),
    [
        ("poisson", {"logits": constant([0.0, 1.0])}),
        ("categorical", {}),
        ("categorical", {"logits": constant([0.0, 1.0]), "log_probs": constant([0.0, 1.0])}),
        ("categorical", {"logits": constant(0.0)}),
        ("categorical", {"logits": constant([0, 1])}),
        ("bernoulli", {"logits": constant(0.0), "where": constant(1.0)}),
        ("normal", {"mean": constant(0.0)}),
    ],
)
def test_a_response_is_checked(family, arguments):
    with pytest.raises(ModelError, match="response 'r'"):
        Response("r", family, arguments)


def test_every_family_is_tested_here():
    assert set(FAMILIES) == {"categorical", "bernoulli", "normal"}
