"""A behaviour inside a NumPyro model of one's own: the same likelihood, its errors, and what is drawn with it."""

from __future__ import annotations

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import BackendError, ParameterError, SettingError
from rlbackends.testing import assert_close
from tests.backends import inside_cases as cases

jax = pytest.importorskip("jax")
numpyro = pytest.importorskip("numpyro")

from numpyro import handlers  # noqa: E402
from numpyro.infer.util import log_density, potential_energy  # noqa: E402

from rlbackends.backends.numpyro.priors import distribution  # noqa: E402

quiet = pytest.mark.filterwarnings("ignore::rlbackends.data.faults.DataWarning")


@pytest.fixture(autouse=True)
def _in_64_bits():
    with jax.enable_x64(True):
        yield


def bandit(**more):
    rng = np.random.default_rng(0)
    choice = rng.integers(0, 2, (3, 6)).astype(float)
    choice[1, 2] = np.nan
    arrays = {"choice": choice, "reward": rng.normal(size=(3, 6)), "lengths": [6, 4, 5], **more}
    return rl.Trials.from_arrays(["ann", "bob", "cem"], **arrays)


def hosted(problem, data=None, **more):
    """Return a NumPyro model written by hand: each subject alone."""
    bound = problem.data.bind(problem.model) if data is None else data

    def model():
        with numpyro.plate("subject", bound.n_subjects):
            values = {name: numpyro.sample(name, distribution(prior)) for name, prior in problem.priors.items()}
        return rl.numpyro.observe("behaviour", problem.model, bound, **values, **more)

    return model


def simple(**more):
    priors = {"alpha": rl.priors.Beta(1, 1), "beta": rl.priors.Gamma(2, 1)}
    return cases.Problem(rl.catalogue.rescorla_wagner(), bandit(**more), {}, priors)


def log_probs(**parameters):
    """Return each observation's log-probability of a function that only observes."""
    with handlers.trace() as trace:
        rl.numpyro.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), **parameters)
    site = trace["behaviour_choice"]
    return site["fn"].log_prob(site["value"])


@quiet
@pytest.mark.parametrize(
    "name", ["rescorla_wagner", *(pytest.param(name, marks=pytest.mark.slow) for name in cases.NAMES[1:])]
)
def test_the_density_and_each_observation_are_ours(name):
    problem = cases.problem(name)
    model = hosted(problem)
    ours = rl.compile(problem.model, problem.data, population=problem.population)
    z = ours.layout.unconstrain({n: problem.params[n] for n in ours.layout.names})
    value, gradient = ours.log_density_and_gradient(z)
    found, slopes = jax.jit(jax.value_and_grad(lambda z: -potential_energy(model, (), {}, z)))(z)
    assert_close(found, value, "log_density")
    assert_close({n: np.asarray(slope) for n, slope in slopes.items()}, gradient, "gradient")
    with handlers.trace() as trace, handlers.substitute(data=problem.params), handlers.seed(rng_seed=0):
        behaviour = model()
    expected = cases.per_observation(ours, problem.params, behaviour.cells)
    for response, cells in behaviour.cells.items():
        site = trace[f"behaviour_{response}"]
        terms = np.asarray(site["fn"].log_prob(site["value"]))
        assert terms.shape == (len(cells),)
        assert_close(cases.by_trial(terms, cells), expected[response], "log_likelihood")


@quiet
@pytest.mark.parametrize("name", ["rescorla_wagner", "two_step"])
def test_what_is_held_out_adds_nothing(name):
    problem = cases.problem(name)
    data = cases.held_out(problem.data.bind(problem.model))
    free = {n: jax.numpy.asarray(value) for n, value in problem.params.items()}
    observe = jax.jit(lambda free: log_density(rl.numpyro.observe, ("a", problem.model, data), free, {})[0])
    value, _ = rl.compile(problem.model, data).value_and_gradient(problem.params)
    assert_close(observe(free), value, "log_likelihood")


def test_numbers_and_values_by_trial():
    rng = np.random.default_rng(1)
    ours = rl.compile(rl.catalogue.rescorla_wagner(), bandit())
    for params in (
        {"alpha": 0.3, "beta": 2},
        {"alpha": {"cem": 0.1, "ann": 0.9, "bob": 0.5}, "beta": np.array([1.0, 2.0, 3.0])},
        {"alpha": rng.uniform(size=(3, 6)), "beta": rng.uniform(1, 4, size=(3, 6))},
    ):
        expected = ours.log_likelihood(params)["choice"].values
        expected = expected[~np.isnan(expected)]
        assert_close(log_probs(**params), expected, "log_likelihood")
    arrays = {name: jax.numpy.asarray(value) for name, value in params.items()}
    assert_close(jax.jit(log_probs)(**arrays), expected, "log_likelihood")
    both = jax.vmap(log_probs)(**{name: jax.numpy.stack([value, value]) for name, value in arrays.items()})
    assert_close(both, np.stack([expected, expected]), "log_likelihood")


@quiet
@pytest.mark.parametrize("name", ["rescorla_wagner", pytest.param("two_step", marks=pytest.mark.slow)])
def test_trajectories_are_ours(name):
    problem = cases.problem(name)
    with handlers.trace() as trace:
        behaviour = rl.numpyro.observe(
            "behaviour", problem.model, problem.data, trajectories=True, **problem.params
        )
    expected = rl.compile(problem.model, problem.data).trajectories(problem.params)
    assert set(behaviour.trajectories) == set(expected.data_vars)
    for state, values in behaviour.trajectories.items():
        site = trace[f"behaviour_{state}"]
        assert site["type"] == "deterministic"
        assert_close(np.asarray(values), expected[state].values, "trajectories")
        frames = sorted(site["cond_indep_stack"], key=lambda frame: frame.dim)
        assert [frame.name for frame in frames] == [f"behaviour_{dim}" for dim in expected[state].dims]


def test_some_trajectories():
    given = (rl.catalogue.rescorla_wagner(), bandit())
    assert list(rl.numpyro.observe("a", *given, trajectories="q", alpha=0.1, beta=1.0).trajectories) == ["q"]
    assert not rl.numpyro.observe("a", *given, alpha=0.1, beta=1.0).trajectories


def test_log_likelihood_and_predictions_of_draws():
    problem = simple()
    model = hosted(problem)
    rng = np.random.default_rng(3)
    draws = {"alpha": rng.uniform(size=(5, 3)), "beta": rng.uniform(1, 4, size=(5, 3))}
    found = numpyro.infer.log_likelihood(model, draws)["behaviour_choice"]
    expected = rl.compile(problem.model, problem.data, "numpyro").engine.log_likelihood_draws(draws)["choice"]
    there = problem.data.bind(problem.model).observed("choice")
    assert_close(np.asarray(found), expected[:, there], "log_likelihood")
    drawn = numpyro.infer.Predictive(model, draws)(jax.random.key(1))["behaviour_choice"]
    assert drawn.shape == (5, there.sum()) and set(np.unique(drawn)) <= {0, 1}


# Errors


def refusal(kind, **given):
    """Return the message of a call that must not pass, in a model that has a taken name."""
    name = given.pop("name", "behaviour")
    model, data = given.pop("model", rl.catalogue.rescorla_wagner()), given.pop("data", bandit())
    with handlers.trace():
        numpyro.deterministic("taken_choice", 1.0)
        with pytest.raises(kind) as caught:
            rl.numpyro.observe(name, model, data, **given)
    return str(caught.value)


def test_all_faults_are_told_at_once():
    message = refusal(ParameterError, name="taken", alfa=0.3, beta=-2.0, trajectories=["prediction_eror"])
    assert message == (
        "rl.numpyro.observe('taken', ...): 'alfa' is no parameter of model 'rescorla_wagner', which has 'alpha' and "
        "'beta'. Did you mean 'alpha'? there is no value for 'alpha'; model 'rescorla_wagner' needs 'alpha' and "
        "'beta'. 'beta' is -2 for subject ann, which is outside its support (0, inf). 'prediction_eror' is no state "
        "or record of model 'rescorla_wagner', which has 'q' and 'prediction_error'. Did you mean 'prediction_error'? "
        "the model has 'taken_choice' already; give observe another name."
    )


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((2,), "'alpha' has shape (2,), expected one number, one per subject (3,), or one per subject and trial (3"),
        ((6, 3), "It has trials first: transpose it."),
        ((3, 1), "Take its only column: alpha[:, 0]."),
        ((6,), "repeat it 3 times."),
    ],
)
def test_shapes(shape, says):
    assert says in refusal(ParameterError, alpha=np.full(shape, 0.5), beta=1.0)
    assert says in refusal(ParameterError, alpha=jax.numpy.full(shape, 0.5), beta=1.0)

    def traced(alpha):
        with pytest.raises(ParameterError) as caught:
            rl.numpyro.observe("a", rl.catalogue.rescorla_wagner(), bandit(), alpha=alpha, beta=1.0)
        assert says in str(caught.value)

    jax.eval_shape(traced, np.full(shape, 0.5))


def test_known_values_outside_the_support():
    for alpha in (1.5, [0.1, 1.5, 0.2], jax.numpy.asarray(1.5), jax.numpy.asarray([0.1, 1.5, 0.2])):
        assert "'alpha' is 1.5 for subject" in refusal(ParameterError, alpha=alpha, beta=1.0)
    assert "dtype complex128" in refusal(ParameterError, alpha=jax.numpy.asarray(1j), beta=1.0)
    assert "expected numbers" in refusal(ParameterError, alpha="a half", beta=1.0)


def test_other_mistakes():
    assert "expected a Model: call it" in refusal(SettingError, model=rl.catalogue.rescorla_wagner, alpha=0.1, beta=1.0)
    assert "the name is 3" in refusal(SettingError, name=3, alpha=0.1, beta=1.0)
    assert "data is" in refusal(SettingError, data={}, alpha=0.1, beta=1.0)
    with numpyro.plate("subject", 3), pytest.raises(BackendError, match="within the plate 'subject'"):
        rl.numpyro.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), alpha=0.1, beta=1.0)


def test_32_bits_are_refused_and_nothing_is_changed():
    before = {name: getattr(jax.config, name) for name in ("jax_enable_x64", "jax_numpy_dtype_promotion")}
    with jax.enable_x64(False), pytest.raises(BackendError, match=r'jax.config.update\("jax_enable_x64", True\)'):
        rl.numpyro.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), alpha=0.1, beta=1.0)
    rl.numpyro.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), alpha=0.1, beta=1.0)
    assert {name: getattr(jax.config, name) for name in before} == before


def test_two_behaviours_of_one_model():
    def model():
        beta = numpyro.sample("beta", numpyro.distributions.Gamma(2.0, 1.0))
        for name in ("first", "second"):
            rl.numpyro.observe(name, rl.catalogue.rescorla_wagner(), bandit(), alpha=0.5, beta=beta)

    total = rl.numpyro.likelihood(model)({"beta": 2.0})
    one = rl.numpyro.likelihood(model, observed="second_choice")({"beta": 2.0})
    assert_close(total, 2.0 * one, "log_likelihood")


# Slow


@pytest.mark.slow
def test_sampled_draws_go_to_arviz():
    az = pytest.importorskip("arviz")
    problem = simple()
    kernel = numpyro.infer.NUTS(hosted(problem, trajectories=True))
    mcmc = numpyro.infer.MCMC(kernel, num_warmup=100, num_samples=50, num_chains=2, chain_method="sequential",
                              progress_bar=False)  # fmt: skip
    mcmc.run(jax.random.key(0))
    tree = az.from_numpyro(mcmc, log_likelihood=True)
    posterior = tree["posterior"]
    assert posterior["behaviour_q"].dims == (
        "chain", "draw", "behaviour_subject", "behaviour_trial", "behaviour_action",
    )  # fmt: skip
    ours = rl.compile(problem.model, problem.data, "numpyro")
    last = {name: posterior[name].values[1, -1] for name in ("alpha", "beta")}
    assert_close(posterior["behaviour_q"].values[1, -1], ours.trajectories(last)["q"].values, "trajectories")
    # Nobody has learnt anything at the first trial, so it says nothing of any draw.
    moving = tree["log_likelihood"]["behaviour_choice"]
    log_likelihood = moving.isel({moving.dims[-1]: moving.std(("chain", "draw")).values > 1e-9})
    tree["log_likelihood"] = type(tree)(log_likelihood.to_dataset(name="behaviour_choice"))
    assert np.isfinite(az.loo(tree).elpd)


@pytest.mark.slow
def test_32_bits_in_a_process_of_its_own(run_python):
    code = """
import jax, numpy as np
import rlbackends as rl
data = rl.Trials.from_arrays(choice=[[0, 1, 0]], reward=[[1.0, 0.3, 1.0]])
def build():
    return rl.numpyro.observe("behaviour", rl.catalogue.rescorla_wagner(), data, alpha=0.3, beta=2.0)
try:
    build()
except rl.errors.BackendError as error:
    line = str(error).rsplit(": ", 1)[1]
exec(line)
build()
print(jax.numpy.zeros(()).dtype, line)
"""
    assert run_python(code) == 'float64 jax.config.update("jax_enable_x64", True)\n'
