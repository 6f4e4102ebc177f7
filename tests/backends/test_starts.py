"""Where chains start; and when they can't, what is wrong: which subject, trial, expression, parameter and value."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends.diagnose import explain_no_start, explaining
from rlbackends.backends.starts import engine_start, find_start, near_middle
from rlbackends.errors import BackendError, DataError
from rlbackends.inference import GradientWarning
from rlbackends.inference.result import ConvergenceWarning
from rlbackends.population.layout import Layout

P = rl.Parameter
CHOICES = [[0, 1, 1, 0], [1, 0, 0, 1], [0, 0, 1, 1]]
REWARDS = [[1.0, 0.0, 1.0, -2.0], [0.5, 1.0, 0.0, -1.0], [1.0, 1.0, 0.0, 0.0]]


def softmax(q, beta):
    return rl.Categorical(logits=beta * q)


def learn(q, choice, reward, alpha):
    return {"q": q.at[choice].add(alpha * (reward - q[choice]))}


def model(choice=softmax, update=learn, states=None, **more):
    parameters = {"alpha": P(rl.UnitInterval()), "beta": P(rl.Positive())} | more
    return rl.Model(
        "tried",
        parameters={name: given for name, given in parameters.items() if given is not None},
        states=states or {"q": rl.State("action")},
        trial={"choice": choice, "reward": rl.Real()},
        update=update,
        sizes={"action": 2},
    )


def trials(rewards=REWARDS, choices=CHOICES):
    return rl.Trials.from_arrays(subjects=["ann", "bob", "cat"][: len(choices)], choice=choices, reward=rewards)


def engine(found=None, data=None, population=None):
    return rl.compile(found or model(), data or trials(), "reference", population=population).engine


def said_of(*args, **kwargs):
    """Return what is said of the first point that a chain tries."""
    built = engine(*args, **kwargs)
    return explain_no_start(built, near_middle(built.layout, np.random.default_rng([0, 0])))


# The search


def finite(z):
    return 0.0, {name: np.zeros(np.shape(value)) for name, value in z.items()}


def only(good):
    """Return a density that is finite where ``good`` holds, and counts how often it is asked."""
    asked = []

    def density(z):
        asked.append(z)
        value, gradient = finite(z)
        return (value if good(z) else -math.inf), gradient

    return density, asked


@pytest.fixture(scope="module")
def layout() -> Layout:
    return engine().layout


def test_the_first_try_is_the_median_of_five_draws(layout):
    rng = np.random.default_rng([3, 1])
    draws = [layout.draw(rng) for _ in range(5)]
    z = find_start(layout, finite, seed=3, chain=1)
    for latent in layout.latents:
        middle = np.median([draw[latent.name] for draw in draws], axis=0)
        np.testing.assert_allclose(layout.constrain(z)[latent.name], middle, rtol=1e-14)
    assert set(near_middle(layout, np.random.default_rng(0))) == set(layout.names)


def test_chains_and_seeds_start_elsewhere(layout):
    found = [find_start(layout, finite, seed, chain)["alpha_location"] for seed, chain in ((0, 0), (0, 1), (1, 0))]
    assert len({float(value) for value in found}) == 3


def test_what_the_middle_does_not_have_is_looked_for_farther_out(layout):
    density, asked = only(lambda z: abs(z["alpha_location"]) > 1.5)
    z = find_start(layout, density, seed=0, chain=0)
    assert abs(z["alpha_location"]) > 1.5
    # The sd of a median of five normal draws is 0.54: this is nearly three of them, and 1.5 of a plain draw.
    assert len(asked) > 40


def test_the_middle_is_preferred(layout):
    density, asked = only(lambda z: z["alpha_location"] > 0)
    find_start(layout, density, seed=0, chain=0)
    assert len(asked) < 10


def test_without_an_explanation_the_first_try_is_said(layout):
    def density(z):
        value, gradient = finite(z)
        return value, gradient | {"beta_sd": np.array(np.nan)}

    with pytest.raises(BackendError, match=r"chain 3 found no start .* in 130 tries.*log density 0, and a ") as e:
        find_start(layout, density, seed=0, chain=2)
    assert "a gradient that is not finite for 'beta_sd'. Check the priors" in str(e.value)
    with pytest.raises(BackendError, match=r"the first had log density -inf\. It rains\."):
        find_start(layout, only(lambda z: False)[0], 0, 0, explain=lambda z: "it rains.")


def test_no_warning_of_numpy_comes_out_of_the_search(layout):
    def density(z):
        np.exp(np.array(1e5))
        return finite(z)

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        density(layout.draw(np.random.default_rng(0)))
        assert [w.category for w in told] == [RuntimeWarning]  # there is something to be kept quiet
        assert set(find_start(layout, density, 0, 0)) == set(layout.names)
    assert len(told) == 1


# Realistic mistakes, and what is said of them


def test_rewards_in_thousands_are_no_mistake():
    # A softmax of huge values is not infinite here: the sampler starts, and the data say that beta is small.
    z = engine_start(engine(data=trials(np.multiply(REWARDS, 5000).tolist())), 0, 0)
    assert all(np.isfinite(value).all() for value in z.values())


def test_a_power_of_a_loss():
    def update(q, choice, reward, alpha, rho):
        return {"q": q.at[choice].add(alpha * (reward**rho - q[choice]))}

    rewards = np.roll(REWARDS, 2, axis=1).tolist()
    said = said_of(model(update=update, rho=P(rl.UnitInterval())), trials(rewards))
    assert "subject ann, trial 2: 'reward ** rho' in update of 'q' (test_starts.py:" in said
    assert "is nan. There reward is -2; rho = 0.5" in said
    assert "(rho_location = " in said and "rho_offset = " in said
    assert "the log-likelihood of 'choice' on trial 3 is nan, and 1 more subject has such trials" in said
    assert said.endswith("Likely remedy: keep what is raised above 0, as in rl.maximum(x, 1e-9) ** p.")


def test_a_kalman_gain_of_nothing_over_nothing():
    def update(q, v, choice, reward, noise):
        gain = v[choice] / (v[choice] + noise)
        return {"q": q.at[choice].add(gain * (reward - q[choice])), "v": v.at[choice].set((1 - gain) * v[choice])}

    states = {"q": rl.State("action"), "v": rl.State("action", initial=0.0)}
    found = model(update=update, states=states, alpha=None, noise=P(rl.Positive()))
    population = rl.Population(noise=rl.Pooling("complete", location=rl.priors.Normal(-800, 1)))
    said = said_of(found, population=population)
    assert "subject ann, trial 1: 'v[choice] / (v[choice] + noise)' in update of " in said
    assert "'v[choice]' is 0; 'v[choice] + noise' is 0; noise = 0, the edge of its support (0, inf)" in said
    assert "the prior puts 'noise' at the edge of its support: narrow or move the priors of 'noise_location'" in said
    assert said_of(found) == "there the density and its gradient are finite."


def test_a_prior_that_puts_a_parameter_at_its_bound():
    def choice(q, beta, stay):
        return rl.Categorical(logits=rl.stack(beta * q[0] + rl.log(1 - stay), beta * q[1], axis="action"))

    population = rl.Population(stay=rl.Pooling("complete", location=rl.priors.Normal(60, 1)))
    said = said_of(model(choice, stay=P(rl.UnitInterval())), population=population)
    assert "trial 1: 'log(1 - stay)' in 'logits' of response 'choice' (test_starts.py:" in said
    assert "is -inf. There '1 - stay' is 0; stay = 1, the edge of its support (0, 1) (stay_location = " in said
    assert "narrow or move the priors of 'stay_location'" in said


def test_an_overflow():
    def update(q, choice, reward, alpha):
        return {"q": q.at[choice].add(alpha * (rl.exp(reward) - q[choice]))}

    said = said_of(model(update=update), trials([[1.0, 710.0, 0.0, 0.0], [0.0] * 4, [0.0] * 4]))
    assert "subject ann, trial 2: 'exp(reward)' in update of 'q'" in said
    assert "is inf. There reward is 710; no parameter is in it." in said
    assert "more subject" not in said and "exp overflows above 709: rescale the data" in said


def test_a_learning_rate_that_makes_values_explode():
    steps = 700
    data = trials([[1000.0] * steps], [[0, 1] * (steps // 2)])
    population = rl.Population(alpha=rl.Pooling("complete", location=rl.priors.Normal(3, 0.01)), beta=1.0)
    built = engine(model(alpha=P(rl.Positive())), data, population)
    said = explain_no_start(built, near_middle(built.layout, np.random.default_rng(0)))
    # Its distance to the reward grows 19 times every other trial: beyond 1e308 after 2 · 308 / log10(19) = 482 trials.
    assert "alpha = 20." in said and "keep learning rates below 1" in said
    assert 465 < int(said.split("trial ")[1].split(":")[0]) < 490


def test_a_response_that_the_model_excludes():
    def choice(q, beta):
        return rl.Categorical(logits=beta * q, available=q < 5.0)

    data = trials([[90.0, 0.0, 0.0, 0.0]], [[0, 1, 0, 1]])
    said = said_of(model(choice), data)
    assert said.startswith("subject ann, trial 3: 'choice' is 0, whose log-probability is -inf. There logits is [-inf")
    assert "alpha = " in said and "was an action chosen that was not available" in said


def test_a_standard_deviation_of_nothing():
    def choice(q, width):
        return rl.Normal(mean=rl.sum(q), sd=width * rl.sum(q))

    def update(q, reward, alpha):
        return {"q": q + alpha * (reward - q)}

    found = model(choice, update, beta=None, width=P(rl.Positive()))
    said = said_of(found, trials(choices=[[0.1, 0.2, 0.3, 0.4]] * 3))
    assert "trial 1: 'choice' is 0.1, whose log-probability is nan. There mean is 0, sd is 0;" in said
    assert "keep the standard deviation above 0" in said


def test_a_gradient_that_is_not_finite_where_the_density_is():
    def choice(q, beta, gamma):
        return rl.Categorical(logits=beta * rl.sqrt(abs(gamma * q)))

    said = said_of(model(choice, gamma=P(rl.UnitInterval())))
    assert said.startswith("the density is finite, but its gradient in ")
    assert "'gamma_location', 'gamma_sd' and 'gamma_offset' is not." in said
    # A value is 0, where the root's slope is infinite, until its action has paid: ann's action 1 not before trial 3.
    assert "It comes from subject ann, trial 3, through gamma = " in said


def test_a_prior_that_is_not_finite():
    built = engine(population=rl.Population(beta=rl.Pooling("none", prior=rl.priors.Gamma(0.001, 1.0))))
    z = near_middle(built.layout, np.random.default_rng(0)) | {"beta": np.array([0.0, -math.inf, 0.0])}
    said = explain_no_start(built, z)
    assert "the prior itself is not finite: 'beta' of subject bob is 0, where the log density of Gamma(" in said


def test_a_centred_parameter_of_no_spread():
    built = engine(population=rl.Population(alpha=rl.Pooling("partial", centred=True)))
    z = near_middle(built.layout, np.random.default_rng(0)) | {"alpha_sd": np.array(-800.0)}
    said = explain_no_start(built, z)
    assert "'alpha_linear' of subject ann is " in said and "alpha_sd = 0) is -inf" in said


def test_samplers_with_a_search_of_their_own():
    built = engine(data=trials())
    with pytest.raises(BackendError, match=r"^All initialization points failed\. Near the prior's middle: there the "):
        with explaining(built, seed=0):
            raise BackendError("All initialization points failed.")
    with pytest.raises(BackendError, match=r"^It rains\.$"), explaining(built, seed=0):
        raise BackendError("It rains.")


def test_the_search_says_it():
    with pytest.raises(BackendError, match=r"the first had log density nan\. Subject ann, trial 1: 'reward"):
        engine_start(engine(loss_model(), trials([[-2.0, 1.0]], [[0, 1]])), 0, 0)


# Through a fit


SHORT = dict(draws=5, tune=5, chains=1, progress="off")


def loss_model():
    def update(q, choice, reward, alpha, rho):
        return {"q": q.at[choice].add(alpha * (reward**rho - q[choice]))}

    return model(update=update, rho=P(rl.UnitInterval()))


@pytest.mark.parametrize("sampler", ["nuts", "nutpie", "map"])
def test_a_fit_says_it(sampler):
    pytest.importorskip("jax")
    if sampler == "nutpie":
        pytest.importorskip("nutpie")
    with pytest.raises(BackendError, match=r"Subject ann, trial 2: 'reward \*\* rho' in update of 'q' \(test_starts"):
        rl.fit(loss_model(), trials([[1.0, -2.0, 1.0, 1.0]] * 3), backend="numpyro", sampler=sampler, **SHORT)


@pytest.mark.slow
def test_a_fit_with_nutpie_on_pymc_says_it():
    pytest.importorskip("pymc")
    with pytest.raises(BackendError, match=r"initialization.*subject ann, trial 2: 'reward \*\* rho' in update of 'q'"):
        rl.fit(loss_model(), trials([[1.0, -2.0, 1.0, 1.0]] * 3), backend="pymc", **SHORT)


def only_with(limit):
    """Return a model in which action 1 is there if ``level`` exceeds a limit."""

    def choice(q, beta, level):
        return rl.Categorical(logits=beta * q, available=rl.stack(100.0, level, axis="action") > limit)

    return model(choice, level=P(rl.RealLine()))


def test_a_response_that_is_impossible_at_the_centre_only_is_for_the_search():
    pytest.importorskip("jax")
    population = rl.Population("complete")
    with pytest.warns(GradientWarning, match="'level'"), pytest.warns(ConvergenceWarning):
        fit = rl.fit(only_with(0.4), trials(), backend="numpyro", population=population, **SHORT)
    assert (fit.tree["posterior"]["level"] > 0.4).all()
    with pytest.warns(GradientWarning), pytest.raises(DataError, match="'choice' of subject ann on trial 2 has"):
        rl.fit(only_with(50.0), trials(), backend="numpyro", population=population, **SHORT)
