"""Populations with formulas, and trials that are held out: the backends agree, and with a plain loop."""

import math

import numpy as np
import pytest
from scipy.stats import norm

import rlbackends as rl
from rlbackends.errors import DataError
from rlbackends.testing import assert_close

S, T = 5, 12
LENGTHS = [12, 9, 12, 12, 7]
BACKENDS = [
    ("reference", {}),
    ("numpyro", {}),
    ("pymc", {"mode": "FAST_COMPILE"}),
    ("pymc", {"mode": "FAST_COMPILE", "gather": "one_hot"}),
]
IDS = ["reference", "numpyro", "pymc", "pymc one-hot"]
MODEL = rl.catalogue.rescorla_wagner()
POPULATION = rl.Population(
    alpha=rl.Pooling(formula="~ group * drug", slopes="~ drug", sd_by="group"),
    beta="~ scale(age)", correlated=["alpha", "beta"],
)  # fmt: skip


def trials(model=MODEL, seed=0):
    rng = np.random.default_rng(seed)
    choice = rng.integers(0, 2, (S, T)).astype(float)
    choice[0, 3] = choice[2, 7] = np.nan
    made = rl.Trials.from_arrays(
        lengths=LENGTHS, choice=choice, reward=rng.integers(0, 2, (S, T)).astype(float),
        blocks=np.repeat([1, 2], T // 2), levels={"choice": [0, 1]},
        group=np.array([[word] * T for word in ("patient", "control", "patient", "control", "control")], dtype=object),
        age=np.repeat(rng.normal(40, 9, S)[:, None], T, axis=1),
        drug=np.array([["verum" if t % 3 else "placebo" for t in range(T)]] * S, dtype=object),
    )  # fmt: skip
    return made.bind(model)


DATA = trials()
LAYOUT = POPULATION.layout(MODEL, DATA)


def point(seed=0, layout=LAYOUT):
    rng = np.random.default_rng(seed)
    return {latent.name: rng.normal(0, 0.7, layout.shape(latent)) for latent in layout.latents}


@pytest.fixture(scope="module", params=BACKENDS, ids=IDS)
def compile(request):
    backend, settings = request.param
    pytest.importorskip(backend) if backend != "reference" else None
    return lambda data, population=POPULATION: rl.compile(MODEL, data, backend, population=population, **settings)


def by_hand(z, held=None):
    """The joint log-density from the equations: Rescorla–Wagner with softmax, and the population of this module."""
    v = {name: np.asarray(value, dtype=float) for name, value in z.items()}
    total = 0.0
    for name in v:  # priors on the unconstrained scale
        if "offset" in name or "location" in name or "coefficient" in name:
            total += norm.logpdf(v[name]).sum()
        elif "unit" in name:  # Beta(2, 2) at a logistic: K = 2, eta = 2
            u = 1 / (1 + np.exp(-v[name]))
            total += math.log(6 * u * (1 - u)) + math.log(u * (1 - u))
        else:  # half-normal with sd 0.2 at an exponential
            total += math.log(2) + norm.logpdf(np.exp(v[name]), scale=0.2) + v[name]
    r = 2 / (1 + math.exp(-v["correlation_unit[alpha,beta]"])) - 1
    ages = DATA.covariates["age"].values[:, 0]
    scaled = (ages - ages.mean()) / ages.std(ddof=1)
    for s in range(S):
        patient = s in (0, 2)
        q = [0.0, 0.0]
        for t in range(LENGTHS[s]):
            if t in (0, 6):
                q = [0.0, 0.0]
            verum = t % 3 != 0
            line = v["alpha_location"] + v["alpha_coefficient[group=patient]"] * patient
            line += v["alpha_coefficient[drug=verum]"] * verum
            line += v["alpha_coefficient[group=patient:drug=verum]"] * patient * verum
            line += np.exp(v[f"alpha_sd[group={'patient' if patient else 'control'}]"]) * v["alpha_offset"][s]
            line += np.exp(v["alpha_slope_sd[drug=verum]"]) * v["alpha_slope_offset[drug=verum]"][s] * verum
            alpha = norm.cdf(line)
            offset = r * v["alpha_offset"][s] + math.sqrt(1 - r**2) * v["beta_offset"][s]
            beta = v["beta_location"] + v["beta_coefficient[scale(age)]"] * scaled[s]
            beta = math.exp(beta + np.exp(v["beta_sd"]) * offset)
            if DATA.missing["choice"][s, t]:
                continue
            choice, reward = DATA.values["choice"][s, t], DATA.values["reward"][s, t]
            if held is None or not held[s, t]:
                total += beta * q[choice] - math.log(sum(math.exp(beta * value) for value in q))
            q[choice] += alpha * (reward - q[choice])
    return total


MASK = np.zeros((S, T), dtype=bool)
MASK[1] = True
MASK[3, 4:6] = True


@pytest.mark.parametrize("held", [None, MASK], ids=["all", "held out"])
def test_the_density_is_that_of_the_equations(compile, held):
    compiled = compile(DATA if held is None else DATA.holding_out(held))
    for seed in range(2):
        assert_close(compiled.log_density(point(seed)), by_hand(point(seed), held), "log_density")


@pytest.mark.parametrize("held", [None, MASK], ids=["all", "held out"])
def test_the_gradient_is_that_of_the_reference(compile, held):
    data = DATA if held is None else DATA.holding_out(held)
    z = point(3)
    expected = rl.compile(MODEL, data, population=POPULATION).log_density_and_gradient(z)
    value, gradient = compile(data).log_density_and_gradient(z)
    assert_close(value, expected[0], "log_density")
    for name, slope in gradient.items():
        assert_close(slope, expected[1][name], "gradient")


@pytest.mark.parametrize("held", [None, MASK], ids=["all", "held out"])
def test_the_reference_gradient_is_a_finite_difference(held):
    data = DATA if held is None else DATA.holding_out(held)
    compiled = rl.compile(MODEL, data, population=POPULATION)
    z, h = point(5), 1e-6
    gradient = compiled.log_density_and_gradient(z)[1]
    for name, slope in gradient.items():
        for index in np.ndindex(np.shape(slope)):
            ends = []
            for sign in (1, -1):
                moved = {key: np.array(value) for key, value in z.items()}
                moved[name][index] += sign * h
                ends.append(compiled.log_density(moved))
            assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(slope[index], abs=1e-6, rel=1e-6)


def test_what_is_held_out_is_still_learnt_from(compile):
    """Its log-likelihood is there, and a later trial of the subject depends on it; the sum leaves it out."""
    params = LAYOUT.parameters(LAYOUT.constrain(point(1)))
    whole, held = compile(DATA), compile(DATA.holding_out(MASK))
    full = whole.log_likelihood(params)["choice"].values
    np.testing.assert_array_equal(held.log_likelihood(params)["choice"].values, full)
    counted = np.nansum(np.where(MASK, 0.0, full))
    assert_close(held.value_and_gradient(params)[0], counted, "log_likelihood")
    gradient = held.value_and_gradient(params)[1]
    assert gradient["beta"][1] == 0 and gradient["beta"][0] != 0
    draws = {
        name: np.stack([value, value]) for name, value in {"alpha": np.full(S, 0.3), "beta": np.full(S, 2.0)}.items()
    }
    values, slopes = held.engine.value_and_gradient_draws(draws)
    assert (values[:, 1] == 0).all() and (slopes["beta"][:, 1] == 0).all() and (values[:, 0] < 0).all()


def test_two_masks_share_what_is_compiled(compile):
    first = compile(DATA.holding_out(MASK))
    first.log_density_and_gradient(point())
    other = np.zeros((S, T), dtype=bool)
    other[0, :5] = True
    second = first.with_data(DATA.holding_out(other))
    if first.backend == "numpyro":
        assert second.engine._compiled is first.engine._compiled
    elif first.backend == "pymc":
        assert second.engine._graphs is first.engine._graphs
    assert_close(second.log_density(point()), by_hand(point(), other), "log_density")
    assert_close(first.log_density(point()), by_hand(point(), MASK), "log_density")


def test_other_covariates_are_compiled_anew(compile):
    first = compile(DATA)
    first.log_density(point())
    second = first.with_data(trials(seed=1))
    z = point(2)
    expected = rl.compile(MODEL, trials(seed=1), population=POPULATION).log_density(z)
    assert_close(second.log_density(z), expected, "log_density")


@pytest.mark.parametrize("family", ["bernoulli", "normal", "vector"])
def test_held_out_responses_of_every_family(compile, family):
    rng = np.random.default_rng(1)
    if family == "normal":
        model = rl.Model(
            "mean", parameters={"mu": rl.Parameter(rl.RealLine())}, states={"m": rl.State(initial=0.0)},
            trial={"y": lambda m, mu: rl.Normal(mean=m + mu, sd=1.5)}, update=lambda m, y: {"m": m + 0.5 * (y - m)},
        )  # fmt: skip
        values = rng.normal(size=(S, T))
    else:
        axis = () if family == "bernoulli" else ("item",)
        states = {"m": rl.State(*axis, initial=0.0)}
        model = rl.Model(
            "bias", parameters={"mu": rl.Parameter(rl.RealLine())}, states=states,
            trial={"y": lambda m, mu: rl.Bernoulli(logits=m + mu)},
            update=lambda m, y: {"m": 0.5 * m + 2.0 * y - 1.0},
            sizes={"item": 2} if axis else {},
        )  # fmt: skip
        values = rng.integers(0, 2, (S, T, 2) if axis else (S, T)).astype(float)
        values[0, 2] = np.nan
    data = rl.Trials.from_arrays(y=values).bind(model).holding_out(MASK)
    name = {"reference": "reference", "numpyro": "numpyro"}.get(compile(DATA).backend, "pymc")
    settings = {"mode": "FAST_COMPILE"} if name == "pymc" else {}
    population = rl.Population("none")
    z = {"mu_offset": rng.normal(size=S)}
    expected = rl.compile(model, data, population=population).log_density_and_gradient(z)
    value, gradient = rl.compile(model, data, name, population=population, **settings).log_density_and_gradient(z)
    assert_close(value, expected[0], "log_density")
    assert_close(gradient["mu_offset"], expected[1]["mu_offset"], "gradient")
    # A subject all of whose responses are held out knows its prior only.
    assert gradient["mu_offset"][1] == pytest.approx(-z["mu_offset"][1], abs=1e-12)


@pytest.mark.parametrize(
    ("mask", "match"),
    [
        (np.zeros((2, 2), dtype=bool), r"shape \(2, 2\), expected bool of shape \(5, 12\)"),
        (np.zeros((S, T)), "the mask is float64"),
        (np.ones(S, dtype=bool), "leaves no trial to count"),
    ],
)
def test_masks_that_cannot_be(mask, match):
    with pytest.raises(DataError, match=match):
        DATA.holding_out(mask)
