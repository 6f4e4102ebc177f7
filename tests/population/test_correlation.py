"""Correlated offsets: the LKJ distribution by independent partial correlations."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.population.correlation import correlations, unit_name

MODEL = rl.catalogue.rescorla_wagner_two_rates()
NAMES = tuple(MODEL.parameters)


def layout(*, subjects=5, **kwargs):
    return rl.Population(**kwargs).layout(MODEL, range(subjects))


def matrix(names, units):
    found = correlations(names, units)
    result = np.eye(len(names))
    for i, j in itertools.combinations(range(len(names)), 2):
        result[i, j] = result[j, i] = found[f"correlation[{names[i]},{names[j]}]"]
    return result


def log_norm(size, eta):
    """Logarithm of the integral of ``det(R) ** (eta - 1)`` over correlation matrices (Joe 2006, eq. 21 and Lewandowski
    et al. 2009, eq. 16)."""
    total = 0.0
    for k in range(1, size):
        b = eta + (size - 1 - k) / 2
        total += (2 * eta - 2 + size - k) * (size - k) * math.log(2) + (size - k) * (
            2 * math.lgamma(b) - math.lgamma(2 * b)
        )
    return total


@pytest.mark.parametrize("eta", [0.7, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_density_of_the_correlations_is_lkj(size, eta):
    """The latents' density, carried over to the entries of the matrix by a numerical Jacobian."""
    names = tuple("abcd"[:size])
    pairs = list(itertools.combinations(range(size), 2))
    rng = np.random.default_rng(size)
    model = rl.Model(
        "m", parameters={name: rl.Parameter(rl.RealLine()) for name in names}, states={},
        trial={"y": _rule(names)}, update=lambda: {},
    )  # fmt: skip
    made = rl.Population(correlated=True, lkj=eta).layout(model, range(2))
    priors = {latent.name: latent.prior for latent in made.latents}
    for _ in range(3):
        units = {unit_name(names[i], names[j]): rng.uniform(0.2, 0.8) for i, j in pairs}

        def entries(x, units=units):
            found = matrix(names, dict(zip(units, x, strict=True)))
            return np.array([found[i, j] for i, j in pairs])

        x, h = np.array(list(units.values())), 1e-6
        jacobian = np.array([(entries(x + h * e) - entries(x - h * e)) / (2 * h) for e in np.eye(len(x))]).T
        from_latents = sum(float(priors[name].log_density(value)) for name, value in units.items())
        found = from_latents - math.log(abs(np.linalg.det(jacobian)))
        r = matrix(names, units)
        expected = (eta - 1) * math.log(np.linalg.det(r)) - log_norm(size, eta)
        assert found == pytest.approx(expected, abs=1e-6)


def _rule(names):
    if len(names) == 2:
        return lambda a, b: rl.Normal(mean=a + b, sd=1.0)
    if len(names) == 3:
        return lambda a, b, c: rl.Normal(mean=a + b + c, sd=1.0)
    return lambda a, b, c, d: rl.Normal(mean=a + b + c + d, sd=1.0)


def test_every_pair_has_the_same_marginal():
    """Under LKJ(eta) each correlation is beta on (−1, 1), with shapes eta − 1 + K / 2."""
    made = layout(correlated=NAMES, lkj=2.0)
    rng = np.random.default_rng(0)
    draws = [made.group(made.draw(rng)) for _ in range(4000)]
    pairs = [name for name in draws[0] if name.startswith("correlation")]
    assert len(pairs) == 3
    for name in pairs:
        values = (1 + np.array([draw[name] for draw in draws])) / 2
        assert stats.kstest(values, stats.beta(2.5, 2.5).cdf).pvalue > 1e-3


def test_offsets_have_the_correlations():
    made = layout(subjects=20_000, correlated=["beta", "alpha_pos"])
    v = made.draw(np.random.default_rng(1))
    v["correlation_unit[beta,alpha_pos]"] = np.array(0.8)
    v |= {"alpha_pos_sd": np.array(0.3), "beta_sd": np.array(0.4)}
    found = made.parameters(v)
    line = np.log(found["beta"]), stats.norm.ppf(found["alpha_pos"])
    assert np.corrcoef(*line)[0, 1] == pytest.approx(0.6, abs=0.02)
    assert made.group(v)["correlation[beta,alpha_pos]"] == pytest.approx(0.6, abs=1e-15)
    assert line[0].std() == pytest.approx(0.4, rel=0.02) and line[1].std() == pytest.approx(0.3, rel=0.02)


def test_true_means_all_that_are_partially_pooled():
    made = layout(correlated=True, beta="none")
    assert made.correlated == ("alpha_pos", "alpha_neg")


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"correlated": ["alpha_pos", "alpha_ngg"]}, r"'alpha_ngg' can't be correlated.*Did you mean 'alpha_neg'"),
        ({"correlated": ["alpha_pos", "beta"], "beta": "complete"}, "'beta' can't be correlated: only parameters"),
        ({"correlated": ["beta"]}, "correlated is 'beta', expected at least two"),
        ({"correlated": ["beta", "beta"]}, "each once"),
        ({"correlated": "beta"}, "expected names of parameters"),
        ({"correlated": True, "lkj": 0}, "lkj is 0, expected a number above 0"),
        ({"correlated": True, "alpha_pos": "none", "alpha_neg": "none"}, "expected at least two"),
    ],
)
def test_what_is_refused(given, match):
    with pytest.raises(ModelError, match=match):
        layout(**given)
