"""Populations: latents by pooling, links into every support, and what can't be fitted is said before it is tried."""

import math
import re

import numpy as np
import pytest
import scipy.stats

import rlbackends as rl
from rlbackends.errors import ModelError
from rlbackends.expressions import OPERATIONS, walk
from rlbackends.population import priors as p
from rlbackends.population.layout import layout_from_description
from rlbackends.population.links import LINKS

SUBJECTS = ("ann", "bob", "eve")


@pytest.fixture(scope="module")
def model():
    def choice(q, beta, bias, temper):
        return rl.Categorical(logits=beta * temper * q + rl.stack(0.0, bias))

    def update(q, choice, reward, alpha):
        return {"q": q.at[choice].add(alpha * (reward - q[choice]))}

    return rl.Model(
        "m",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval()), "beta": rl.Parameter(rl.Positive()),
            "bias": rl.Parameter(rl.RealLine()), "temper": rl.Parameter(rl.Interval(-1, 5)),
        },
        states={"q": rl.State("action")},
        trial={"choice": choice, "reward": rl.Real()},
        update=update,
        sizes={"action": 2},
    )  # fmt: skip


def layout(model, *args, **kwargs):
    return rl.Population(*args, **kwargs).layout(model, SUBJECTS)


def values(layout, seed=0):
    return layout.draw(np.random.default_rng(seed))


# Names, priors and shapes by pooling


def test_partial_pooling_is_the_default(model):
    made = layout(model)
    assert made.names == tuple(f"{n}_{s}" for n in model.parameters for s in ("location", "sd", "offset"))
    latents = {latent.name: latent for latent in made.latents}
    assert latents["alpha_location"].prior == p.Normal(0, 1)
    assert latents["alpha_sd"].prior == latents["beta_sd"].prior == latents["temper_sd"].prior == p.HalfNormal(0.2)
    assert latents["bias_sd"].prior == p.HalfCauchy(1.0)
    assert latents["alpha_offset"].prior == p.Normal(0, 1)
    assert {latent.name: made.shape(latent) for latent in made.latents if latent.name.startswith("alpha")} == {
        "alpha_location": (), "alpha_sd": (), "alpha_offset": (3,),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("partial", ("alpha_location", "alpha_sd", "alpha_offset")),
        ("none", ("alpha_offset",)),
        ("complete", ("alpha_location",)),
        (0.3, ()),
        ([0.1, 0.2, 0.3], ()),
        (rl.Pooling("partial", centred=True), ("alpha_location", "alpha_sd", "alpha_linear")),
        (rl.Pooling("none", prior=p.Beta(2, 2)), ("alpha",)),
    ],
)
def test_names_by_pooling(given, names, model):
    made = layout(model, "complete", alpha=given)
    assert tuple(name for name in made.names if name.startswith("alpha")) == names
    drawn = values(made)
    assert set(drawn) == set(made.names)
    for latent in made.latents:
        assert np.shape(drawn[latent.name]) == made.shape(latent)
    parameters = made.parameters(drawn)
    assert set(parameters) == set(model.parameters)
    for name, value in parameters.items():
        assert value.shape == (3,)
        assert np.all(model.parameters[name].support.contains(value))


def test_parents_come_before_children(model):
    made = layout(model, alpha=rl.Pooling("partial", centred=True))
    linear = next(latent for latent in made.latents if latent.name == "alpha_linear")
    assert linear.parents == ("alpha_location", "alpha_sd") and linear.prior is None
    assert made.names.index("alpha_linear") > max(made.names.index(name) for name in linear.parents)


def test_subjects_parameters_by_hand(model):
    made = layout(model, alpha="partial", beta="complete", bias="none", temper=2.0)
    given = {
        "alpha_location": 0.3, "alpha_sd": 0.5, "alpha_offset": np.array([-1.0, 0.0, 2.0]), "beta_location": 0.7,
        "bias_offset": np.array([0.1, -0.2, 0.4]),
    }  # fmt: skip
    found = made.parameters(given)
    np.testing.assert_allclose(found["alpha"], scipy.stats.norm.cdf([-0.2, 0.3, 1.3]), rtol=1e-14)
    np.testing.assert_allclose(found["beta"], [math.exp(0.7)] * 3, rtol=1e-14)
    np.testing.assert_array_equal(found["bias"], [0.1, -0.2, 0.4])
    np.testing.assert_array_equal(found["temper"], [2.0, 2.0, 2.0])
    logit = layout(model, "none", alpha=rl.Pooling("none", link="logit"), beta=rl.Pooling("none", link="softplus"))
    found = logit.parameters({name: np.array([-1.0, 0.0, 2.0]) for name in logit.names})
    np.testing.assert_allclose(found["alpha"], 1 / (1 + np.exp([1.0, 0.0, -2.0])), rtol=1e-14)
    np.testing.assert_allclose(found["beta"], np.log1p(np.exp([-1.0, 0.0, 2.0])), rtol=1e-14)
    np.testing.assert_allclose(found["temper"], -1 + 6 * scipy.stats.norm.cdf([-1.0, 0.0, 2.0]), rtol=1e-14)


def test_leading_axes_of_draws_come_free(model):
    made = layout(model, "partial", beta="complete", bias="none", temper=[1.0, 2.0, 3.0])
    many = [values(made, seed) for seed in range(8)]
    stacked = {name: np.stack([v[name] for v in many]).reshape(2, 4, *np.shape(many[0][name])) for name in made.names}
    found = made.parameters(stacked, leading=2)
    for name, value in found.items():
        assert value.shape == (2, 4, 3)
        np.testing.assert_allclose(value[1, 2], made.parameters(many[6])[name])


def test_natural_values_are_elementwise_graphs_of_latents(model):
    made = layout(model, alpha=rl.Pooling("partial", centred=True), beta="none", bias=0.0)
    assert set(made.natural) == {"alpha", "beta", "temper"} and set(made.fixed) == {"bias"}
    for node in walk(*made.natural.values()):
        assert OPERATIONS[node.op].group in ("leaf", "elementwise")
        if node.op == "parameter":
            assert node.attr("name") in made.names


def test_every_link_lands_inside_its_support(model):
    fitting = {"interval": ("alpha", "temper"), "positive": ("beta",), "real": ("bias",)}
    for link, (family, _) in LINKS.items():
        for name in fitting[family]:
            made = layout(model, "complete", **{name: rl.Pooling("none", link=link)})
            offsets = np.array([-5.0, 0.0, 5.0])
            found = made.parameters({**values(made), f"{name}_offset": offsets})[name]
            assert np.all(model.parameters[name].support.contains(found)) and np.all(np.diff(found) > 0)


# The prior's density


@pytest.mark.parametrize(
    "population",
    [
        rl.Population(),
        rl.Population("none"),
        rl.Population("complete"),
        rl.Population(
            alpha=rl.Pooling("partial", centred=True), beta=rl.Pooling("none", prior=p.Gamma(2, 1)), bias=0.5
        ),
        rl.Population(alpha=rl.Pooling("none", prior=p.Uniform(0, 1)), bias=rl.Pooling("partial", sd=p.Uniform(0, 2))),
    ],
)
def test_log_prior_is_the_density_of_the_values_with_the_jacobian(population, model):
    made = population.layout(model, SUBJECTS)
    z = {name: np.asarray(value) for name, value in made.unconstrain(values(made, 3)).items()}
    expected = 0.0
    x = made.constrain(z)
    for latent in made.latents:
        if latent.prior is not None:
            expected += np.sum(latent.prior.log_density(x[latent.name]))
        else:
            location, sd = (x[name] for name in latent.parents)
            expected += np.sum(scipy.stats.norm.logpdf(x[latent.name], location, sd))
        # log |dx/dz| of each entry by differences
        step = 1e-6
        up, down = ({**z, latent.name: z[latent.name] + s} for s in (step, -step))
        slope = (made.constrain(up)[latent.name] - made.constrain(down)[latent.name]) / (2 * step)
        expected += np.sum(np.log(slope))
    assert made.log_prior(z) == pytest.approx(expected, rel=1e-7)


def test_constrain_and_unconstrain_are_inverse(model):
    made = layout(model, alpha=rl.Pooling("none", prior=p.Beta(2, 2)), beta=rl.Pooling("partial", sd=p.Exponential(2)))
    drawn = values(made, 5)
    back = made.constrain(made.unconstrain(drawn))
    for name, value in drawn.items():
        np.testing.assert_allclose(back[name], value, rtol=1e-12)


def test_far_points_have_no_nan(model):
    made = layout(model, alpha=rl.Pooling("partial", centred=True), beta=rl.Pooling("none", prior=p.Gamma(1, 1)))
    for far in (-800.0, 40.0):
        z = {latent.name: np.full(made.shape(latent), far) for latent in made.latents}
        assert not math.isnan(made.log_prior(z))


def test_draws_follow_the_priors(model):
    made = layout(model, alpha=rl.Pooling("partial", centred=True, sd=p.Exponential(1)))
    rng = np.random.default_rng(2)
    drawn = [made.draw(rng) for _ in range(2_000)]
    location = np.array([d["alpha_location"] for d in drawn])
    sd = np.array([d["alpha_sd"] for d in drawn])
    linear = np.array([d["alpha_linear"][0] for d in drawn])
    # False-alarm rate of 1e-6 each, with a fixed seed.
    assert scipy.stats.kstest(location, "norm").pvalue > 1e-6
    assert scipy.stats.kstest(sd, "expon").pvalue > 1e-6
    assert scipy.stats.kstest((linear - location) / sd, "norm").pvalue > 1e-6


# As data


def test_a_population_is_data(model):
    population = rl.Population(
        alpha=rl.Pooling("partial", link="logit", centred=True), beta=rl.Pooling("none", prior=p.Gamma(2, 1)),
        bias="complete", temper=[1.0, 2.0, 3.0],
    )  # fmt: skip
    made = population.layout(model, SUBJECTS)
    again = layout_from_description(model, made.description, 3)
    assert again.latents == made.latents and dict(again.natural) == dict(made.natural)
    np.testing.assert_array_equal(again.fixed["temper"], made.fixed["temper"])
    assert again.description == made.description


def test_in_words():
    population = rl.Population("none", alpha=rl.Pooling("partial", link="logit"), beta=0.5, bias=[1, 2])
    assert repr(population) == "Population('none', alpha=Pooling(partial, logit), beta=0.5, bias=<2 values>)"


def test_fixed_values_are_read_only(model):
    made = layout(model, alpha=0.5)
    with pytest.raises(ValueError, match="read-only"):
        made.fixed["alpha"][0] = 1.0


# Errors


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda: rl.Population("partail"),
            "'partail' is none of 'partial', 'none' and 'complete'. Did you mean 'partial'",
        ),
        (lambda: rl.Population(alpha="complte"), "'alpha': .*Did you mean 'complete'"),
        (lambda: rl.Population(alpha=None), "'alpha' is None, expected rl.Pooling"),
        (lambda: rl.Population(alpha=True), "'alpha' is True, expected"),
        (lambda: rl.Population(alpha=math.nan), "'alpha' is nan, expected"),
        (lambda: rl.Population(alpha=[[0.1]]), "'alpha' is .*expected"),
        (lambda: rl.Population(alpha=rl.Pooling), "'alpha' is <class.*expected"),
        (lambda: rl.Population(alpha={"pooling": "none"}), "'alpha' is .*expected"),
        (lambda: rl.Pooling("none", location=p.Normal()), "location has no meaning with 'none' pooling"),
        (lambda: rl.Pooling("complete", sd=p.HalfNormal()), "sd has no meaning with 'complete' pooling"),
        (lambda: rl.Pooling("partial", prior=p.Beta()), "prior has no meaning with 'partial' pooling"),
        (lambda: rl.Pooling("none", centred=True), "centred has no meaning with 'none' pooling"),
        (lambda: rl.Pooling(location=0.5), "location is 0.5, expected a prior"),
        (lambda: rl.Pooling(sd=p.Normal()), "the prior of sd is Normal.*expected one above 0"),
    ],
)
def test_what_is_no_pooling(make, expected):
    with pytest.raises(ModelError) as caught:
        make()
    assert re.search(expected, str(caught.value)), caught.value


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"alhpa": "none"}, "there is no parameter 'alhpa' in model 'm', which has 'alpha'.*Did you mean 'alpha'"),
        (
            {"alpha": rl.Pooling(link="log")},
            r"the link of 'alpha' is 'log'; links into \(0, 1\) are 'probit' and 'logit'",
        ),
        ({"alpha": rl.Pooling(link="probti")}, "Did you mean 'probit'"),
        ({"beta": rl.Pooling(link="probit")}, r"links into \(0, inf\) are 'log' and 'softplus'"),
        ({"bias": rl.Pooling(link="log")}, "are 'identity'"),
        ({"alpha": rl.Pooling("none", prior=p.Normal())}, r"the prior of 'alpha' is Normal.*lie in \(0, 1\)"),
        ({"alpha": rl.Pooling("none", prior=p.Uniform(0, 0.5))}, "the prior of 'alpha' is Uniform"),
        ({"beta": rl.Pooling("none", prior=p.Beta())}, "the prior of 'beta' is Beta"),
        ({"alpha": 1.5}, r"'alpha' is fixed to a value outside its support \(0, 1\)"),
        ({"alpha": [0.1, -0.1, 0.2]}, "outside its support"),
        ({"alpha": [0.1, 0.2]}, "fixed to 2 values, expected 1 or 3, one per subject"),
        ({"alpha": []}, "fixed to 0 values"),
    ],
)
def test_what_does_not_fit_the_model(given, expected, model):
    with pytest.raises(ModelError) as caught:
        layout(model, **given)
    assert str(caught.value).startswith("population: ")
    assert re.search(expected, str(caught.value)), caught.value


def test_all_faults_at_once(model):
    with pytest.raises(ModelError) as caught:
        layout(model, alpha=2.0, beta=rl.Pooling(link="probit"), gamma="none")
    for part in ("'alpha' is fixed", "the link of 'beta'", "no parameter 'gamma'"):
        assert part in str(caught.value)


def test_bounds_are_fine_as_fixed_values(model):
    assert layout(model, alpha=1.0, beta=0.0).parameters(values(layout(model)))["alpha"].tolist() == [1.0] * 3


@pytest.mark.parametrize("name", ["alpha_sd", "alpha_location", "alpha_offset", "alpha_linear"])
@pytest.mark.parametrize("what", ["parameters", "states", "records"])
def test_a_name_of_a_group_variable_is_taken(name, what):
    extra = {"parameters": {}, "states": {}, "records": []}
    extra[what] = {"parameters": {name: rl.Parameter(rl.RealLine())}, "states": {name: rl.State()}, "records": [name]}[
        what
    ]
    has = what == "parameters"

    def update(alpha):
        return {name: 1.0} if what != "parameters" else {}

    initial = {"start": rl.State(initial=name)} if has else {}
    model = rl.Model(
        "m",
        parameters={"alpha": rl.Parameter(rl.RealLine()), **extra["parameters"]},
        states={**extra["states"], **initial},
        trial={"go": lambda alpha: rl.Bernoulli(logits=alpha)},
        update=update,
        records=extra["records"],
    )
    with pytest.raises(ModelError, match=f"the name '{name}' also stands for a group variable"):
        layout(model)
