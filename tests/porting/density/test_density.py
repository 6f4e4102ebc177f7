"""An old joint density beside ours: correct, wrong by each usual mistake, wrong by none of them, or no density."""

import json
import math

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import BackendError, ParameterError, SettingError
from rlbackends.porting.density.search import MISTAKES
from tests.porting.density import by_hand as h

P = rl.Parameter
LOG_2 = math.log(2)
LATENTS = ("location", "sd", "offset")


def rate_it(value, noise):
    return rl.Normal(mean=value, sd=noise)


def expect(value, reward, alpha):
    return {"value": value + alpha * (reward - value)}


RATER = rl.Model(
    "rater",
    parameters={"alpha": P(rl.UnitInterval()), "noise": P(rl.Positive()), "start": P(rl.RealLine())},
    states={"value": rl.State(initial="start")},
    trial={"rating": rate_it, "reward": rl.Real()},
    update=expect,
)
RATERS = rl.Population(
    alpha=rl.Pooling("complete", "logit", location=rl.priors.Normal(-0.5, 0.7)),
    noise=rl.Pooling("none", prior=rl.priors.Gamma(3, 4)),
    start=rl.Pooling("partial", location=rl.priors.Normal(0.2, 0.5), sd=rl.priors.Exponential(2), centred=True),
)


def text_of(report):
    """Return what a report says, wherever its lines break."""
    return " ".join(str(report).split())


def padded(rows):
    return np.array([[*row, *[0] * (max(h.LENGTHS) - len(row))] for row in rows])


@pytest.fixture(scope="module")
def bandit():
    data = rl.Trials.from_arrays(lengths=h.LENGTHS, choice=padded(h.CHOICES), reward=padded(h.REWARDS))
    model = rl.catalogue.rescorla_wagner()
    data = data.bind(model)

    def compare(other, **settings):
        return rl.compare_density(model, data, other, **settings)

    return compare


@pytest.fixture(scope="module")
def rater():
    data = rl.Trials.from_arrays(lengths=h.LENGTHS, rating=padded(h.RATINGS), reward=padded(h.REWARDS)).bind(RATER)

    def compare(other, **settings):
        return rl.compare_density(RATER, data, other, population=RATERS, **settings)

    return compare


def natural(density):
    """Return a density of natural values that is written in terms of unconstrained ones."""
    positive = ("alpha_sd", "beta_sd", "noise", "start_sd")
    return lambda v: density({name: np.log(x) if name in positive else x for name, x in v.items()})


# The same


def test_a_correct_density_is_the_same(bandit, rater):
    for compare, terms in ((bandit, h.bandit), (rater, h.rater)):
        report = compare(lambda z, terms=terms: h.total(terms(z)))
        assert report.same and report.constant == 0.0 and report.explanations == ()
        assert report.difference < 1e-14
        assert "The same, within 1e-09 of scale" in text_of(report)


def test_a_correct_density_of_natural_values_is_the_same(bandit, rater):
    for compare, terms in ((bandit, h.bandit), (rater, h.rater)):
        jacobians = [name for name in ("alpha_sd", "beta_sd", "noise", "start_sd")]
        without = [f"{name} jacobian" for name in jacobians]
        report = compare(
            natural(lambda z, terms=terms, without=without: h.total(terms(z), *without)), scale="natural"
        )
        assert report.same
        assert not any(name.startswith("Jacobian") for name in report.terms)


def test_terms_are_those_of_the_formulas(bandit):
    report = bandit(lambda z: h.total(h.bandit(z)), points=5)
    assert len(report.ours) == len(report.other) == len(report.points) == 5
    np.testing.assert_allclose(sum(report.terms.values()), report.ours, rtol=1e-14)
    for i, values in enumerate(report.points):
        z = {name: np.log(v) if name.endswith("_sd") else v for name, v in values.items()}
        by_hand = h.bandit(z)
        assert report.terms["log-likelihood"][i] == pytest.approx(sum(np.sum(t) for t in by_hand["trials"]))
        assert report.terms["prior of beta_sd"][i] == pytest.approx(by_hand["beta_sd"])
        assert report.terms["Jacobian of beta_sd"][i] == pytest.approx(by_hand["beta_sd jacobian"])
        assert report.terms["prior of alpha_offset"][i] == pytest.approx(by_hand["alpha_offset"].sum())


def test_names_of_the_old_program(bandit):
    names = {"alpha_location": "mu_a", "alpha_sd": "sigma_a"}

    def old(z):
        assert set(z) == {"mu_a", "sigma_a", "alpha_offset", "beta_location", "beta_sd", "beta_offset"}
        return h.total(h.bandit({**z, "alpha_location": z["mu_a"], "alpha_sd": z["sigma_a"]}))

    assert bandit(old, names=names).same


def test_the_old_program_may_do_what_it_likes_with_its_arguments(bandit):
    def old(z):
        found = h.total(h.bandit(z))
        for value in z.values():
            if np.ndim(value):
                value[:] = 99.0
        z.clear()
        return np.array([found])

    assert bandit(old).same


@pytest.mark.parametrize("changes", ["fixed", "complete", "none", "slower"])
def test_other_populations(changes):
    data = rl.Trials.from_arrays(lengths=h.LENGTHS, choice=padded(h.CHOICES), reward=padded(h.REWARDS))
    population = {
        "fixed": rl.Population(beta=1.5),
        "complete": rl.Population("complete"),
        "none": rl.Population("none", alpha=rl.Pooling("none", prior=rl.priors.Beta(2, 3))),
        "slower": rl.Population(alpha=rl.Pooling("complete", location=rl.priors.Normal(0, 2)), beta=[1.0, 2.0, 0.5]),
    }[changes]

    def old(z):
        log_beta, extra = np.log(1.5) * np.ones(h.N), 0.0
        if changes == "slower":
            log_beta = np.log([1.0, 2.0, 0.5])
            alpha, extra = h.phi(np.full(h.N, z["alpha_location"])), h.normal(z["alpha_location"], 0, 2)
        elif changes == "fixed":
            sd = np.exp(z["alpha_sd"])
            alpha = h.phi(z["alpha_location"] + sd * z["alpha_offset"])
            extra = h.normal(z["alpha_location"], 0, 1) + h.half_normal(sd, 0.2) + z["alpha_sd"]
            extra += h.normal(z["alpha_offset"], 0, 1).sum()
        elif changes == "complete":
            alpha, log_beta = h.phi(np.full(h.N, z["alpha_location"])), np.full(h.N, z["beta_location"])
            extra = h.normal(z["alpha_location"], 0, 1) + h.normal(z["beta_location"], 0, 1)
        else:
            alpha, log_beta = h.logistic(z["alpha"]), z["beta_offset"]
            extra = (h.beta(alpha, 2, 3) + np.log(alpha) + np.log1p(-alpha) + h.normal(log_beta, 0, 1)).sum()
        return sum(np.sum(t) for t in h.choices(alpha, np.exp(log_beta))) + extra

    model = rl.catalogue.rescorla_wagner()
    assert rl.compare_density(model, data, old, population=population).same
    flat = rl.compare_density(model, data, lambda z: 2 * old(z), population=population)
    assert not flat.same


# Usual mistakes: the first that is named is the one that was made. (name, other density, word, in its sentence)


def power(p):
    """Put another power of the sd into the half-normal prior of alpha_sd."""
    return lambda z: h.total(h.bandit(z), alpha_sd=h.half_normal(np.exp(z["alpha_sd"]), 0.2**p))


def beta_sd_is(density):
    return lambda z: h.total(h.bandit(z), beta_sd=density(np.exp(z["beta_sd"])))


def approximate(x):
    return h.logistic(1.5976 * x + 0.07056 * x**3)


def only(z, function):
    """Change how alpha is made of its latents, and leave beta."""
    alpha = h.phi(function(z["alpha_location"], np.exp(z["alpha_sd"]), z["alpha_offset"]))
    return h.total(h.bandit(z, alpha=alpha))


OF_BANDIT = {
    "a Jacobian": (lambda z: h.total(h.bandit(z), "alpha_sd jacobian"), "Jacobian missing", "alpha_sd"),
    "all Jacobians": (
        lambda z: h.total(h.bandit(z), "alpha_sd jacobian", "beta_sd jacobian"), "Jacobian missing", "every bounded",
    ),
    "a Jacobian twice": (lambda z: h.total(h.bandit(z)) + z["beta_sd"], "Jacobian twice", "beta_sd"),
    "a Jacobian's sign": (lambda z: h.total(h.bandit(z)) - 2 * z["beta_sd"], "Jacobian subtracted", "beta_sd"),
    "no prior": (lambda z: h.total(h.bandit(z), "beta_location"), "prior missing", "beta_location"),
    "no offsets' prior": (lambda z: h.total(h.bandit(z), "alpha_offset"), "prior missing", "alpha_offset"),
    "a prior twice": (
        lambda z: h.total(h.bandit(z)) + h.bandit(z)["alpha_sd"], "prior twice", "alpha_sd",
    ),
    "a prior per subject": (
        lambda z: h.total(h.bandit(z)) + 2 * h.bandit(z)["alpha_location"], "prior once per subject", "alpha_location",
    ),
    "a prior and its Jacobian per subject": (
        lambda z: h.total(h.bandit(z)) + 2 * (h.bandit(z)["alpha_sd"] + z["alpha_sd"]),
        "prior once per subject", "alpha_sd, with its Jacobian",
    ),
    "a prior of one subject": (
        lambda z: h.total(h.bandit(z), alpha_offset=h.normal(z["alpha_offset"][0], 0, 1)),
        "prior of one subject only", "alpha_offset",
    ),
    "a prior averaged": (
        lambda z: h.total(h.bandit(z), alpha_offset=h.normal(z["alpha_offset"], 0, 1).mean()),
        "prior averaged over subjects", "alpha_offset",
    ),
    "a variance": (power(0.5), "sd as variance", "alpha_sd (HalfNormal(sd=0.447214))"),
    "a precision": (power(-0.5), "sd as precision", "alpha_sd"),
    "a squared sd": (power(2.0), "variance as sd", "alpha_sd"),
    "a precision given": (power(-2.0), "precision as sd", "alpha_sd"),
    "a half-Cauchy": (beta_sd_is(lambda x: h.half_cauchy(x, 0.2)), "another distribution", "HalfCauchy(scale=0.2)"),
    "a prior on the variance": (
        beta_sd_is(lambda x: h.half_normal(x**2, 0.2)), "prior on the variance", "without a Jacobian",
    ),
    "a prior on the variance, with its Jacobian": (
        beta_sd_is(lambda x: h.half_normal(x**2, 0.2) + np.log(2 * x)), "prior on the variance", "with the Jacobian",
    ),
    "a prior on the precision": (
        beta_sd_is(lambda x: h.half_normal(x**-2, 0.2) + np.log(2) - 3 * np.log(x)),
        "prior on the precision", "beta_sd",
    ),
    "no likelihood": (lambda z: h.total(h.bandit(z), "trials"), "likelihood missing", "no likelihood"),
    "the likelihood twice": (
        lambda z: h.total(h.bandit(z)) + sum(np.sum(t) for t in h.bandit(z)["trials"]), "likelihood twice", "",
    ),
    "a loss": (
        lambda z: h.total(h.bandit(z)) - 2 * sum(np.sum(t) for t in h.bandit(z)["trials"]), "likelihood negative", "",
    ),
    "an energy": (lambda z: -h.total(h.bandit(z)), "another sign", "minus the log-density"),
    "a mean over subjects": (
        lambda z: h.total(h.bandit(z), trials=[np.mean([np.sum(t) for t in h.bandit(z)["trials"]])]),
        "likelihood averaged over subjects", "",
    ),
    "means over trials": (
        lambda z: h.total(h.bandit(z), trials=[np.mean(t) for t in h.bandit(z)["trials"]]),
        "likelihood averaged over trials", "",
    ),
    "a mean over everything": (
        lambda z: h.total(h.bandit(z), trials=[np.mean(np.concatenate(h.bandit(z)["trials"]))]),
        "likelihood averaged over everything", "",
    ),
    "bits": (
        lambda z: h.total(h.bandit(z), trials=[t / LOG_2 for t in h.bandit(z)["trials"]]), "likelihood to base 2", "",
    ),
    "no last trials": (
        lambda z: h.total(h.bandit(z), trials=[t[:-1] for t in h.bandit(z)["trials"]]), "trials left out", "the last",
    ),
    "no last subject": (
        lambda z: h.total(h.bandit(z), trials=h.bandit(z)["trials"][:-1]), "subjects left out", "the last subject (3)",
    ),
    "logit for probit": (
        lambda z: h.total(h.bandit(z, link=h.logistic)), "another link", "alpha (the logistic function (logit), ours",
    ),
    "logistic of 1.7 x": (lambda z: h.total(h.bandit(z, link=lambda x: h.logistic(1.7 * x))), "another link", "1.7 x"),
    "an approximate probit": (lambda z: h.total(h.bandit(z, link=approximate)), "another link", "1.5976"),
    "softplus": (
        lambda z: h.total(h.bandit(z, positive=lambda x: np.log1p(np.exp(x)))), "another link", "beta (softplus",
    ),
    "a bounded inverse temperature": (
        lambda z: h.total(h.bandit(z, positive=lambda x: 10 * h.phi(x))), "another link", "10 times the cumulative",
    ),
    "offsets for values": (
        lambda z: only(z, lambda m, s, o: o), "offset taken for the value", "alpha",
    ),
    "all offsets for values": (
        lambda z: h.total(h.bandit(z, location=lambda m, s, o: o)), "offset taken for the value", "all such parameters",
    ),
    "centred": (
        lambda z: h.total(
            h.bandit(z, alpha=h.phi(z["alpha_offset"])),
            alpha_offset=h.normal(z["alpha_offset"], z["alpha_location"], np.exp(z["alpha_sd"])),
        ),
        "centred, ours is not", "alpha",
    ),
    "the group twice": (
        lambda z: h.total(
            h.bandit(z), alpha_offset=h.normal(z["alpha_offset"], z["alpha_location"], np.exp(z["alpha_sd"]))
        ),
        "group's prior for the offset", "alpha",
    ),
    "no sd": (lambda z: only(z, lambda m, s, o: m + o), "sd not used", "alpha"),
    "the root of the sd": (lambda z: only(z, lambda m, s, o: m + np.sqrt(s) * o), "√sd for sd", "alpha"),
    "the square of the sd": (lambda z: only(z, lambda m, s, o: m + s**2 * o), "sd² for sd", "alpha"),
    "a precision for the sd": (lambda z: only(z, lambda m, s, o: m + o / np.sqrt(s)), "1/√sd for sd", "alpha"),
    "divided by the sd": (lambda z: only(z, lambda m, s, o: m + o / s), "1/sd for sd", "alpha"),
    "exp of the sd": (lambda z: only(z, lambda m, s, o: m + np.exp(s) * o), "exp(sd) for sd", "alpha"),
    "no location": (lambda z: only(z, lambda m, s, o: s * o), "location not added", "alpha"),
}  # fmt: skip


def assert_named(report, word, said):
    assert not report.same and report.constant is None
    first = report.explanations[0]
    assert first.words == (word,), (word, [e.words for e in report.explanations], str(report))
    assert said in first.sentences[0]
    assert first.constant == 0.0 and first.remaining <= report.tolerance
    assert f"A usual mistake explains the difference at every point: {word}: " in text_of(report)


@pytest.mark.parametrize("planted", OF_BANDIT)
def test_a_planted_mistake_is_named(bandit, planted):
    other, word, said = OF_BANDIT[planted]
    assert_named(bandit(other), word, said)


OF_RATER = {
    "a variance around the group": (
        lambda z: h.total(h.rater(z, spread=np.sqrt)), "sd as variance", "start_linear (its sd ** 0.5)",
    ),
    "a precision around the group": (
        lambda z: h.total(h.rater(z, spread=lambda s: s**-0.5)), "sd as precision", "start_linear",
    ),
    "no −log sd": (
        lambda z: h.total(h.rater(z)) + h.N * z["start_sd"], "−log sd missing", "start_linear",
    ),
    "an offset, ours is centred": (
        lambda z: h.total(
            h.rater(z, centred=lambda m, s, x: m + s * x), start_linear=h.normal(z["start_linear"], 0, 1)
        ),
        "not centred, ours is", "start",
    ),
    "moved twice": (lambda z: h.total(h.rater(z, centred=lambda m, s, x: m + s * x)), "moved twice", "start"),
    "a standard prior": (
        lambda z: h.total(h.rater(z), start_linear=h.normal(z["start_linear"], 0, 1)),
        "standard prior of a centred value", "start",
    ),
    "a scale for a rate": (
        lambda z: h.total(h.rater(z), start_sd=-LOG_2 - 0.5 * np.exp(z["start_sd"])), "rate as scale", "rate=0.5",
    ),
    "a gamma's scale": (
        lambda z: h.total(h.rater(z), noise=h.gamma(np.exp(z["noise"]), 3, 1 / 4)), "rate as scale", "noise",
    ),
    "a gamma by mean and sd": (
        lambda z: h.total(h.rater(z), noise=h.gamma(np.exp(z["noise"]), (3 / 4) ** 2, 3 / 16)),
        "mean and sd of a gamma", "noise",
    ),
    "mean and sd for a gamma's numbers": (
        lambda z: h.total(h.rater(z), noise=h.gamma(np.exp(z["noise"]), 0.75, math.sqrt(3) / 4)),
        "mean and sd of a gamma", "noise",
    ),
    "a gamma's order": (
        lambda z: h.total(h.rater(z), noise=h.gamma(np.exp(z["noise"]), 4, 3)), "order of numbers", "noise",
    ),
    "an inverse gamma": (
        lambda z: h.total(h.rater(z), noise=h.gamma(np.exp(-z["noise"]), 3, 4) - 2 * z["noise"]),
        "another distribution", "InverseGamma(shape=3, rate=4)",
    ),
    "a probit": (
        lambda z: h.total(h.rater(z), trials=h.ratings(
            np.full(h.N, h.phi(z["alpha_location"])), np.exp(z["noise"]), z["start_linear"])),
        "another link", "alpha (the cumulative normal (probit), ours is logit)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("planted", OF_RATER)
def test_a_mistake_planted_in_another_model_is_named(rater, planted):
    other, word, said = OF_RATER[planted]
    assert_named(rater(other), word, said)


@pytest.mark.parametrize(
    ("prior", "density", "word"),
    [
        (rl.priors.StudentT(4, 0, 2), lambda x: student(x, 2, 0, 4), "order of numbers"),
        (rl.priors.StudentT(4, 0, 2), lambda x: student(x, 4, 0, math.sqrt(2)), "sd as variance"),
        (rl.priors.StudentT(4, 0, 2), lambda x: h.normal(x, 0, 2), "another distribution"),
        (rl.priors.Normal(0.5, 2), lambda x: h.normal(x, 2, 0.5), "order of numbers"),
        (rl.priors.Normal(0.5, 2), lambda x: h.normal(x, 0.5, 4), "variance as sd"),
    ],
)
def test_readings_of_a_real_latent(prior, density, word):
    report = one_latent(rl.RealLine(), prior, density, lambda z: z, lambda z: 0 * z)
    assert_named(report, word, type(prior).__name__ if word != "another distribution" else "Normal")


@pytest.mark.parametrize(
    ("prior", "density", "word"),
    [
        (rl.priors.Beta(2, 5), lambda x: h.beta(x, 5, 2), "order of numbers"),
        (rl.priors.Beta(2, 5), lambda x: h.beta(x, 2 / 7, 7), "mean and concentration of a beta"),
        (rl.priors.Beta(0.4, 5), lambda x: h.beta(x, 2, 3), "mean and concentration of a beta"),
    ],
)
def test_readings_of_a_latent_between_bounds(prior, density, word):
    report = one_latent(
        rl.UnitInterval(), prior, density, h.logistic, lambda z: np.log(h.logistic(z)) + np.log(h.logistic(-z))
    )
    assert_named(report, word, "Beta")


@pytest.mark.parametrize(
    ("density", "said"),
    [
        (lambda x: h.normal(np.log10(x), 0.3, 0.5) - np.log(x * np.log(10)), "log10 x"),
        (lambda x: h.normal(np.log2(x), 0.3, 0.5) - np.log(x * np.log(2)), "log2 x"),
        (lambda x: h.normal(np.log(x), np.log(0.3), 0.5) - np.log(x), f"LogNormal(mean={np.log(0.3):g}"),
    ],
)
def test_readings_of_a_log_normal(density, said):
    report = one_latent(rl.Positive(), rl.priors.LogNormal(0.3, 0.5), density, np.exp, lambda z: z)
    assert_named(report, "another logarithm", said)


def test_a_log_normal_without_its_slope_can_not_be_told_from_two_jacobians():
    report = one_latent(
        rl.Positive(), rl.priors.LogNormal(0.3, 0.5), lambda x: h.normal(np.log(x), 0.3, 0.5), np.exp, lambda z: z
    )
    assert [e.words for e in report.explanations] == [("Jacobian twice",), ("another logarithm",)]
    assert "These explain it as well; here they can't be told apart:" in text_of(report)


def student(x, df, mean, scale):
    constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi) - math.log(scale)
    return constant - (df + 1) / 2 * np.log1p(((x - mean) / scale) ** 2 / df)


def one_latent(support, prior, density, constrain, jacobian):
    """Compare a model whose only latent is a number of each subject."""

    def say(height):
        return rl.Normal(mean=height, sd=1.0)

    model = rl.Model(
        "one", parameters={"height": P(support)}, states={}, trial={"rating": say}, update=lambda: {}, sizes={}
    )
    data = rl.Trials.from_arrays(lengths=h.LENGTHS, rating=padded(h.RATINGS))

    def old(z):
        x = constrain(z["height"])
        likelihood = sum(np.sum(h.normal(h.RATINGS[s], x[s], 1.0)) for s in range(h.N))
        return likelihood + np.sum(density(x)) + np.sum(jacobian(z["height"]))

    population = rl.Population("none", height=rl.Pooling("none", prior=prior))
    return rl.compare_density(model, data, old, population=population)


def test_a_truncated_normal_around_a_group_is_no_constant():
    """PyMC 3's Bound did not renormalise; what does has another mass within the bounds for each group."""
    data = rl.Trials.from_arrays(lengths=h.LENGTHS, rating=padded(h.RATINGS), reward=padded(h.REWARDS))
    start = rl.Pooling("partial", location=rl.priors.Normal(3, 0.3), sd=rl.priors.HalfNormal(0.7), centred=True)
    people = rl.Population(alpha=0.3, noise=1.0, start=start)

    def old(z):
        sd = np.exp(z["start_sd"])
        likelihood = sum(np.sum(t) for t in h.ratings([0.3] * h.N, [1.0] * h.N, z["start_linear"]))
        own = h.normal(z["start_linear"], z["start_location"], sd) - np.log(h.phi(z["start_location"] / sd))
        return likelihood + h.normal(z["start_location"], 3, 0.3) + h.half_normal(sd, 0.7) + z["start_sd"] + own.sum()

    assert_named(rl.compare_density(RATER, data, old, population=people), "truncated", "start_linear (at 0)")


# Constants, pairs, other scales


def test_a_constant_is_said_as_such_with_its_reasons(bandit):
    report = bandit(lambda z: h.total(h.bandit(z)) - 2 * LOG_2)
    assert not report.same
    assert report.constant == pytest.approx(-2 * LOG_2)
    assert report.explanations[0].words == ("not folded",)
    assert "every half-normal or half-Cauchy latent" in report.explanations[0].sentences[0]
    text = text_of(report)
    assert "The same up to a constant: other − ours is -1.38629436 at every point" in text
    assert "marginal likelihoods and Bayes factors do." in text
    assert "explains the constant:" in text


def test_a_constant_without_a_reason(bandit):
    report = bandit(lambda z: h.total(h.bandit(z)) + 0.77)
    assert report.constant == pytest.approx(0.77) and report.explanations == ()
    assert "No usual mistake makes this constant" in text_of(report)


def test_a_constant_without_bounds_is_no_other_scale():
    # Without a latent between bounds the two scales are one, and neither explains anything.
    model = rl.catalogue.rescorla_wagner()
    data = rl.Trials.from_arrays(choice=[[0, 1, 1], [1, 0, 1]], reward=[[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]])
    people = rl.Population(alpha=rl.Pooling("none"), beta=rl.Pooling("complete"))
    ours = rl.compile(model, data, population=people).log_density
    report = rl.compare_density(model, data, lambda z: ours(z) - 1.5, population=people)
    assert report.constant == pytest.approx(-1.5) and report.explanations == ()


def test_data_that_are_no_trials_are_told():
    with pytest.raises(SettingError, match=r"data is a list, expected Trials: .* rl\.read_trials"):
        rl.compare_density(rl.catalogue.rescorla_wagner(), [1, 2], lambda z: 0.0)


def test_constants_of_normals(bandit):
    report = bandit(lambda z: h.total(h.bandit(z)) + h.HALF_LOG_2PI * 3)
    said = [e.sentences[0] for e in report.explanations if e.words == ("½ log 2π missing",)]
    assert any("alpha_offset" in s for s in said) and any("beta_offset" in s for s in said)


def test_two_mistakes_together(bandit):
    report = bandit(lambda z: h.total(h.bandit(z), "alpha_sd jacobian") + h.bandit(z)["beta_location"])
    assert set(report.explanations[0].words) == {"Jacobian missing", "prior twice"}
    assert "Two usual mistakes together explain the difference at every point:" in text_of(report)


def test_a_mistake_of_the_likelihood_and_one_of_a_prior(bandit):
    report = bandit(lambda z: h.total(h.bandit(z, link=h.logistic), "beta_sd jacobian"))
    assert set(report.explanations[0].words) == {"another link", "Jacobian missing"}


def test_two_mistakes_in_the_likelihood(bandit):
    def old(z):
        beta = np.exp(z["beta_location"] + z["beta_offset"])
        return h.total(h.bandit(z, link=h.logistic, beta=beta))

    assert set(bandit(old).explanations[0].words) == {"another link", "sd not used"}


def test_a_mistake_and_a_constant(bandit):
    report = bandit(lambda z: h.total(h.bandit(z), "alpha_sd jacobian") + 0.77)
    assert report.constant is None
    first = report.explanations[0]
    assert first.words == ("Jacobian missing",) and first.constant == pytest.approx(0.77)
    assert "explains the difference at every point, up to a constant of 0.77:" in text_of(report)


def test_the_other_scale_is_noticed(bandit):
    sds = ("alpha_sd", "beta_sd")

    def old(v):
        z = v | {name: np.log(np.abs(v[name])) for name in sds}
        return h.total(h.bandit(z), *(f"{name} jacobian" for name in sds))

    report = bandit(old)
    assert report.explanations[0].words == ("another scale",)
    assert report.explanations[0].fixes == ("Pass scale='natural'.",)
    report = bandit(lambda z: h.total(h.bandit(z)), scale="natural")
    assert report.explanations[0].fixes == ("Pass scale='unconstrained'.",)
    with pytest.raises(BackendError, match=r"is nan .* natural scale: given these, it is ours.* Pass scale='nat"):
        bandit(lambda v: old(v) if v["alpha_sd"] > 0 else np.nan)


def test_a_jacobian_in_a_natural_density(bandit):
    report = bandit(natural(lambda z: h.total(h.bandit(z), "beta_sd jacobian")), scale="natural")
    assert_named(report, "Jacobian of a natural density", "alpha_sd")


@pytest.mark.slow
def test_models_of_the_libraries(bandit):
    pm, numpyro = pytest.importorskip("pymc"), pytest.importorskip("numpyro")
    import jax.numpy as jnp
    import numpyro.distributions as dist
    import pytensor.tensor as pt

    choice, reward = padded(h.CHOICES), padded(h.REWARDS)
    there = np.arange(choice.shape[1]) < np.array(h.LENGTHS)[:, None]

    def trials(alpha, beta, lib):
        q, total = [lib.zeros(h.N), lib.zeros(h.N)], 0.0
        for t in range(choice.shape[1]):
            logits = [beta * value for value in q]
            chosen = lib.where(choice[:, t] == 0, logits[0], logits[1])
            total = total + (there[:, t] * (chosen - lib.log(lib.exp(logits[0]) + lib.exp(logits[1])))).sum()
            q = [lib.where(choice[:, t] == i, q[i] + alpha * (reward[:, t] - q[i]), q[i]) for i in range(2)]
        return total

    with pm.Model() as model:
        made = {}
        # Not pm.math.invprobit: it has √2 in 32 bits, which is a difference of 2e-9 here.
        for name, link in (("alpha", lambda x: 0.5 * pt.erfc(-x / np.sqrt(2))), ("beta", pt.exp)):
            location, sd = pm.Normal(f"mu_{name}", 0, 1), pm.HalfNormal(f"sigma_{name}", 0.2)
            made[name] = link(location + sd * pm.Normal(f"{name}_offset", 0, 1, shape=h.N))
        pm.Potential("choices", trials(made["alpha"], made["beta"], pt))
    names = {f"{name}_{ours}": f"{theirs}_{name}" for name in ("alpha", "beta")
             for ours, theirs in (("location", "mu"), ("sd", "sigma"))}  # fmt: skip
    assert bandit(model, names=names).same
    assert bandit(model, names=names, scale="natural").same

    def old():
        made = {}
        for name in ("alpha", "beta"):
            location = numpyro.sample(f"{name}_location", dist.Normal(0, 1))
            sd = numpyro.sample(f"{name}_sd", dist.HalfNormal(0.04))  # a variance, for an sd
            made[name] = location + sd * numpyro.sample(f"{name}_offset", dist.Normal(0, 1).expand([h.N]))
        alpha, beta = dist.Normal(0, 1).cdf(made["alpha"]), jnp.exp(made["beta"])
        numpyro.factor("choices", trials(alpha, beta, jnp))

    report = bandit(rl.numpyro.log_density(old))
    assert report.explanations[0].words == ("variance as sd",)


# No usual mistake


def test_what_no_mistake_explains_is_taken_apart(bandit):
    report = bandit(lambda z: h.total(h.bandit(z)) + np.sin(z["beta_sd"]))
    assert report.explanations == () and report.parting == ("beta_sd",)
    text = text_of(report)
    assert "They part only through 'beta_sd': moving any other latent alone changes both alike." in text
    assert "rl.compare_likelihood" in text
    assert "prior of alpha_location" in text and "Our terms at point 1:" in text


def test_another_likelihood_parts_through_every_latent(bandit):
    report = bandit(lambda z: h.total(h.bandit(z, alpha=np.full(3, 0.3))))
    assert report.explanations == ()
    assert set(report.parting) == {f"{name}_{what}" for name in ("alpha", "beta") for what in LATENTS}


def test_rounding_to_32_bits_is_said(bandit):
    report = bandit(lambda z: np.float32(h.total(h.bandit(z))))
    assert not report.same and report.rounding == 1e-5 and report.explanations == ()
    assert "rounding of 32 bits" in text_of(report)
    report = bandit(lambda z: np.float32(h.total(h.bandit(z), "beta_sd jacobian")))
    assert report.explanations[0].words == ("Jacobian missing",)
    assert "returns numbers of 32 bits, so this is within 1e-05 of scale" in text_of(report)
    report = bandit(lambda z: h.total(h.bandit(z)) + 2e-6 * np.sin(z["beta_sd"]))  # rounded on the way, perhaps
    assert report.rounding == 0.0 and report.parting == ("beta_sd",)
    assert "rounding of 32 bits" in text_of(report) and "part only through 'beta_sd'" in text_of(report)
    assert bandit(lambda z: np.float32(h.total(h.bandit(z))), tolerance=1e-5).same


# Reports as data


def test_a_report_as_a_table_and_as_data(bandit):
    report = bandit(lambda z: h.total(h.bandit(z), "alpha_sd jacobian"), points=4)
    table = report.frame()
    assert list(table["point"]) == [1, 2, 3, 4]
    np.testing.assert_allclose(table["other"] - table["ours"], table["difference"])
    np.testing.assert_allclose(table["difference"], -table["Jacobian of alpha_sd"], rtol=1e-9)
    data = json.loads(json.dumps(report.to_data()))
    assert data["explanations"][0]["words"] == ["Jacobian missing"]
    assert data["same"] is False and data["points"][0]["alpha_sd"] == pytest.approx(report.points[0]["alpha_sd"])


def test_points_are_those_of_the_seed(bandit):
    def old(z):
        return h.total(h.bandit(z))

    np.testing.assert_array_equal(bandit(old, seed=3).ours, bandit(old, seed=3).ours)
    assert not np.array_equal(bandit(old, seed=3).ours, bandit(old, seed=4).ours)


def test_a_backend_computes_the_same(bandit):
    def old(z):
        return h.total(h.bandit(z))

    ours = bandit(old, points=4, backend="reference").ours
    np.testing.assert_allclose(ours, bandit(old, points=4).ours, rtol=1e-13)


def test_held_out_responses_do_not_count():
    model = rl.catalogue.rescorla_wagner()
    data = rl.Trials.from_arrays(lengths=h.LENGTHS, choice=padded(h.CHOICES), reward=padded(h.REWARDS)).bind(model)
    mask = np.zeros((h.N, max(h.LENGTHS)), bool)
    mask[:, 4:] = True

    def old(z):
        terms = h.bandit(z)
        return h.total(terms, trials=[t[:4] for t in terms["trials"]])

    assert rl.compare_density(model, data.holding_out(mask), old).same


# What is no density


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda z: np.nan, r"is nan \(at point 1 of 8\), where ours is finite: alpha_location = .* \(natural scale\)"),
        (lambda z: -np.inf, r"is -inf .* holds these values for impossible"),
        (lambda z: np.zeros(3), r"array of shape \(3,\) .*expected one number.* Return its sum.*compare_likelihood"),
        (lambda z: None, r"returned None .*; is its return missing\?"),
        (lambda z: "-12.5", r"returned str '-12\.5'"),
        (lambda z: 1j, r"returned complex"),
        (lambda z: z["sd_alpha"], r"KeyError: 'sd_alpha' .*Did you mean 'alpha_sd'\?.*names="),
        (lambda: 1.0, r"TypeError: .*given one mapping with 'alpha_location'.*unconstrained scale"),
    ],
)
def test_what_is_no_density_is_told(bandit, other, said):
    with pytest.raises(BackendError, match=said):
        bandit(other)


def test_a_density_that_draws_is_told(bandit):
    rng = np.random.default_rng(0)
    with pytest.raises(BackendError, match="the same point"):
        bandit(lambda z: h.total(h.bandit(z)) + rng.normal())


def test_sums_in_an_order_that_changes_are_no_draws(bandit):
    # As on a GPU: the last digits are others at every call.
    rng = np.random.default_rng(0)
    assert bandit(lambda z: h.total(h.bandit(z)) * (1 + 1e-13 * rng.normal())).same


@pytest.mark.parametrize(
    ("settings", "error", "said"),
    [
        ({"points": 3}, SettingError, "points is 3, expected a whole number of at least 4"),
        ({"scale": "log", "tolerance": 0}, SettingError, r"scale is 'log'.*tolerance is 0"),
        ({"seed": -1}, SettingError, "seed is -1, expected a whole number of at least 0"),
        ({"seed": "a"}, SettingError, "seed is .a., expected a whole number"),
        ({"names": {"alpha_sdd": "x"}}, ParameterError, r"'alpha_sdd', which is none .*Did you mean 'alpha_sd'\?"),
        ({"names": {"alpha_sd": "beta_sd"}}, ParameterError, "calls two latents 'beta_sd'"),
        ({"names": ["alpha_sd"]}, ParameterError, "expected a mapping"),
    ],
)
def test_settings_that_can_not_be_used(bandit, settings, error, said):
    with pytest.raises(error, match=said):
        bandit(lambda z: 0.0, **settings)


def test_what_is_neither_a_function_nor_a_model(bandit):
    with pytest.raises(SettingError, match=r"other is ndarray .* expected a function of the latents"):
        bandit(np.zeros(3))


def test_nothing_to_compare():
    data = rl.Trials.from_arrays(choice=[[0, 1]], reward=[[1.0, 0.0]])
    with pytest.raises(SettingError, match="fixes every parameter"):
        rl.compare_density(
            rl.catalogue.rescorla_wagner(), data, lambda z: 0.0, population=rl.Population(alpha=0.5, beta=1.0)
        )


# The table


def test_every_row_of_the_table_says_enough():
    words = [mistake.word for mistake in MISTAKES]
    assert len(words) == len(set(words))
    for mistake in MISTAKES:
        assert mistake.sentence.endswith(".") and mistake.fix.rstrip(")").endswith((".",)), mistake.word
        assert mistake.sentence.format(what="alpha_sd") and len(mistake.sentence) < 240


def test_every_row_is_planted_in_a_test():
    planted = {word for _, word, _ in (*OF_BANDIT.values(), *OF_RATER.values())}
    elsewhere = {
        "truncated", "not folded", "½ log 2π missing", "normalisation missing", "width missing in the Jacobian",
        "Jacobian of a natural density", "another logarithm", "mean and concentration of a beta",
        "likelihood to base 10", "response missing",
    }  # fmt: skip
    assert {mistake.word for mistake in MISTAKES} == planted | elsewhere
