"""A behaviour inside a PyMC model of one's own: the same likelihood, its errors, and what is drawn with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import BackendError, ParameterError, SettingError
from rlbackends.testing import assert_close
from tests.backends import inside_cases as cases

pytensor = pytest.importorskip("pytensor")
pm = pytest.importorskip("pymc")

from rlbackends.backends.pymc.priors import prior_variable  # noqa: E402

quiet = pytest.mark.filterwarnings("ignore::rlbackends.data.faults.DataWarning")
FAST = {"mode": "FAST_COMPILE"}


@pytest.fixture(autouse=True)
def _no_c_compiler(request: Any) -> Iterator[None]:
    if "slow" in request.keywords:
        yield
    else:
        with pytensor.config.change_flags(cxx=""):
            yield


def bandit(**more: Any) -> rl.Trials:
    rng = np.random.default_rng(0)
    choice = rng.integers(0, 2, (3, 6)).astype(float)
    choice[1, 2] = np.nan
    arrays = {"choice": choice, "reward": rng.normal(size=(3, 6)), "lengths": [6, 4, 5], **more}
    return rl.Trials.from_arrays(["ann", "bob", "cem"], **arrays)


def hosted(problem: cases.Problem, data: Any = None, **more: Any) -> tuple[pm.Model, Any]:
    """Return a PyMC model written by hand, each subject alone, and what `observe` gave."""
    with pm.Model(coords={"subject": problem.data.subjects}) as model:
        # Not with Python floats: PyTensor computes with some of them in float32, which is 1e-9 off.
        values = {name: prior_variable(name, prior, ("subject",)) for name, prior in problem.priors.items()}
        given = problem.data if data is None else data
        behaviour = rl.pymc.observe("behaviour", problem.model, given, **values, **more)
    return model, behaviour


def at(model: pm.Model, z: dict[str, Any]) -> dict[str, Any]:
    return {model.rvs_to_values[model[name]].name: value for name, value in z.items()}


def elementwise(model: pm.Model, variable: Any) -> np.ndarray:
    """Return an observed variable's log-probabilities where nothing is random."""
    return pytensor.function([], model.logp(vars=[variable], sum=False)[0], **FAST)()


@quiet
@pytest.mark.parametrize("name", cases.NAMES)
def test_each_observation_s_likelihood_is_ours(name: str) -> None:
    problem = cases.problem(name)
    model, behaviour = hosted(problem)
    expected = cases.per_observation(rl.compile(problem.model, problem.data), problem.params, behaviour.cells)
    for response, cells in behaviour.cells.items():
        terms = rl.pymc.likelihood(model, observed=f"behaviour_{response}")(problem.params)
        assert_close(cases.by_trial(terms, cells), expected[response], "log_likelihood")


@quiet
@pytest.mark.slow
@pytest.mark.parametrize("name", cases.NAMES)
def test_the_density_and_its_gradient_are_ours(name: str) -> None:
    problem = cases.problem(name)
    model, _ = hosted(problem)
    ours = rl.compile(problem.model, problem.data, population=problem.population)
    z = ours.layout.unconstrain({n: problem.params[n] for n in ours.layout.names})
    value, gradient = ours.log_density_and_gradient(z)
    assert_close(rl.pymc.log_density(model)(z), value, "log_density")
    density = rewritten(model)
    names = [model.values_to_rvs[v].name for v in model.value_vars]
    with pytensor.config.change_flags(cxx=""):
        slopes = pytensor.function(
            model.value_vars, pytensor.grad(density, model.value_vars, disconnected_inputs="ignore"),
            on_unused_input="ignore", **FAST,
        )  # fmt: skip
        found = slopes(*(z[name] for name in names))
    assert_close(dict(zip(names, found, strict=True)), gradient, "gradient")


def rewritten(model: pm.Model) -> Any:
    """Return the density as PyMC compiles it, without its checks of parameters."""
    from pymc.pytensorf import rewrite_pregrad

    return rewrite_pregrad(model.logp())


@pytest.mark.parametrize("name", ["rescorla_wagner", "two_step"])
def test_what_is_held_out_adds_nothing(name: str) -> None:
    problem = cases.problem(name)
    data = cases.held_out(problem.data.bind(problem.model))
    model, _ = hosted(problem, data)
    value, _ = rl.compile(problem.model, data).value_and_gradient(problem.params)
    observed = [v.name for v in model.observed_RVs]
    total = sum(rl.pymc.likelihood(model, observed=one)(problem.params).sum() for one in observed)
    assert_close(total, value, "log_likelihood")


def test_numbers_and_values_by_trial() -> None:
    rng = np.random.default_rng(1)
    rescorla_wagner, data = rl.catalogue.rescorla_wagner(), bandit(blocks=[0, 0, 1, 1, 1, 1])
    ours = rl.compile(rescorla_wagner, data)
    for params in (
        {"alpha": 0.3, "beta": 2},
        {"alpha": {"cem": 0.1, "ann": 0.9, "bob": 0.5}, "beta": np.array([1.0, 2.0, 3.0])},
        {"alpha": rng.uniform(size=(3, 6)), "beta": rng.uniform(1, 4, size=(3, 6))},
    ):
        expected = ours.log_likelihood(params)["choice"].values
        with pm.Model() as plain:
            behaviour = rl.pymc.observe("behaviour", rescorla_wagner, data, **params)
        subject, trial = behaviour.cells["choice"].T
        assert_close(elementwise(plain, behaviour.responses["choice"]), expected[subject, trial], "log_likelihood")
        if not isinstance(params["alpha"], dict):
            tensors = {name: pytensor.shared(np.asarray(value)) for name, value in params.items()}
            with pm.Model() as shared:
                behaviour = rl.pymc.observe("behaviour", rescorla_wagner, data, **tensors)
            found = elementwise(shared, behaviour.responses["choice"])
            assert_close(found, expected[subject, trial], "log_likelihood")


@pytest.mark.filterwarnings("ignore")  # pymc.dims says that it is new
def test_variables_with_dimensions() -> None:
    dims = pytest.importorskip("pymc.dims")
    with pm.Model(coords={"subject": ["ann", "bob", "cem"]}) as model:
        alpha = dims.Beta("alpha", alpha=1.0, beta=1.0, dims="subject")
        rl.pymc.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), alpha=alpha, beta=2.0)
    assert [variable.name for variable in model.observed_RVs] == ["behaviour_choice"]
    assert np.isfinite(model.compile_logp(**FAST)(model.initial_point()))


def test_where_the_observations_stand() -> None:
    data = bandit()
    problem = cases.Problem(rl.catalogue.rescorla_wagner(), data, {}, {"alpha": rl.priors.Beta(1, 1),
                                                                       "beta": rl.priors.Gamma(2, 1)})  # fmt: skip
    model, behaviour = hosted(problem)
    assert set(model.named_vars) == {
        "alpha", "beta", "behaviour_choice", "behaviour_choice_subject", "behaviour_choice_trial",
    }  # fmt: skip
    assert model.named_vars_to_dims["behaviour_choice"] == ("behaviour_choice_observation",)
    there = np.argwhere(data.bind(problem.model).observed("choice"))
    np.testing.assert_array_equal(behaviour.cells["choice"], there)
    for column, part in enumerate(("subject", "trial")):
        np.testing.assert_array_equal(model[f"behaviour_choice_{part}"].get_value(), there[:, column])
    assert not behaviour.trajectories
    with pytest.raises(ValueError):
        behaviour.cells["choice"][0] = 1
    with pytest.raises(TypeError):
        behaviour.responses["choice"] = None


@quiet
@pytest.mark.parametrize("name", ["rescorla_wagner", "two_step"])
def test_trajectories_are_ours(name: str) -> None:
    problem = cases.problem(name)
    with pm.Model(coords={"subject": [1, 2], "trial": [0], "action": ["x"]}) as model:
        behaviour = rl.pymc.observe("behaviour", problem.model, problem.data, trajectories=True, **problem.params)
    expected = rl.compile(problem.model, problem.data).trajectories(problem.params)
    assert set(behaviour.trajectories) == set(expected.data_vars)
    found = pytensor.function([], list(behaviour.trajectories.values()), **FAST)()
    for (state, variable), values in zip(behaviour.trajectories.items(), found, strict=True):
        assert_close(values, expected[state].values, "trajectories")
        dims = model.named_vars_to_dims[variable.name]
        assert dims == tuple(f"behaviour_{dim}" for dim in expected[state].dims)
        for dim, own in zip(dims, expected[state].dims, strict=True):
            labels = expected.coords[own].values if own in expected.coords else np.arange(expected.sizes[own])
            assert list(model.coords[dim]) == list(labels)


def test_some_trajectories() -> None:
    with pm.Model() as model:
        some = rl.pymc.observe("a", rl.catalogue.rescorla_wagner(), bandit(), trajectories="q", alpha=0.1, beta=1.0)
        none = rl.pymc.observe("b", rl.catalogue.rescorla_wagner(), bandit(), trajectories=[], alpha=0.1, beta=1.0)
    assert list(some.trajectories) == ["q"] and not none.trajectories
    assert [v.name for v in model.deterministics] == ["a_q"]


def test_log_likelihood_and_predictions_of_draws() -> None:
    az = pytest.importorskip("arviz")
    problem = cases.Problem(rl.catalogue.rescorla_wagner(), bandit(), {}, {"alpha": rl.priors.Beta(1, 1),
                                                                          "beta": rl.priors.Gamma(2, 1)})  # fmt: skip
    model, behaviour = hosted(problem)
    rng = np.random.default_rng(3)
    posterior = {"alpha": rng.uniform(size=(1, 5, 3)), "beta": rng.uniform(1, 4, size=(1, 5, 3))}
    dims = {name: ["subject"] for name in posterior}
    tree = az.from_dict({"posterior": posterior}, dims=dims, coords={"subject": list(problem.data.subjects)})
    options = {"progressbar": False, "compile_kwargs": FAST}
    with model:
        pm.compute_log_likelihood(tree, **options)
        drawn = pm.sample_posterior_predictive(tree, random_seed=1, **options)
    ours = rl.compile(problem.model, problem.data, "pymc", mode="FAST_COMPILE")
    expected = ours.engine.log_likelihood_draws({name: value[0] for name, value in posterior.items()})["choice"]
    subject, trial = behaviour.cells["choice"].T
    found = tree["log_likelihood"]["behaviour_choice"].values[0]
    assert_close(found, expected[:, subject, trial], "log_likelihood")
    assert set(np.unique(drawn["posterior_predictive"]["behaviour_choice"].values)) <= {0, 1}


# Errors


def refusal(kind: type[Exception], **given: Any) -> str:
    """Return the message of a call that must not pass, within a model that has a taken name."""
    name = given.pop("name", "behaviour")
    model, data = given.pop("model", rl.catalogue.rescorla_wagner()), given.pop("data", bandit())
    with pm.Model(coords={"taken_choice_observation": [1]}):
        pm.Normal("taken_choice", 0.0, 1.0)
        with pytest.raises(kind) as caught:
            rl.pymc.observe(name, model, data, **given)
    return str(caught.value)


def test_all_faults_are_told_at_once() -> None:
    message = refusal(ParameterError, name="taken", alfa=0.3, beta=-2.0, trajectories=["Q", "prediction_eror"])
    assert message == (
        "rl.pymc.observe('taken', ...): 'alfa' is no parameter of model 'rescorla_wagner', which has 'alpha' and "
        "'beta'. Did you mean 'alpha'? there is no value for 'alpha'; model 'rescorla_wagner' needs 'alpha' and "
        "'beta'. 'beta' is -2 for subject ann, which is outside its support (0, inf). 'Q' is no state or record of "
        "model 'rescorla_wagner', which has 'q' and 'prediction_error'. 'prediction_eror' is no state or record of "
        "model 'rescorla_wagner', which has 'q' and 'prediction_error'. Did you mean 'prediction_error'? the model has "
        "'taken_choice' and 'taken_choice_observation' already; give observe another name."
    )


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        ((2,), "'alpha' has shape (2,), expected one number, one per subject (3,), or one per subject and trial (3"),
        ((6, 3), "It has trials first: transpose it."),
        ((3, 1), "Take its only column: alpha[:, 0]."),
        ((6,), "repeat it 3 times."),
        ((1, 3, 6), "'alpha' has shape (1, 3, 6)"),
    ],
)
def test_shapes(shape: tuple[int, ...], says: str) -> None:
    assert says in refusal(ParameterError, alpha=np.full(shape, 0.5), beta=1.0)
    assert says in refusal(ParameterError, alpha=pytensor.shared(np.full(shape, 0.5), shape=shape), beta=1.0)
    # PyMC leaves sizes open that come from dimensions.
    with pm.Model(coords={f"d{i}": range(n) for i, n in enumerate(shape)}):
        alpha = pm.Uniform("alpha", dims=[f"d{i}" for i in range(len(shape))])
        with pytest.raises(ParameterError) as caught:
            rl.pymc.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), alpha=alpha, beta=1.0)
    assert says in str(caught.value)


def test_known_values_outside_the_support() -> None:
    for alpha in (1.5, [0.1, 1.5, 0.2], pytensor.shared(np.float64(1.5)), pytensor.tensor.constant([0.1, 1.5, 0.2])):
        assert "'alpha' is 1.5 for subject" in refusal(ParameterError, alpha=alpha, beta=1.0)
    assert "dtype complex128" in refusal(ParameterError, alpha=pytensor.shared(np.complex128(1)), beta=1.0)
    assert "expected numbers" in refusal(ParameterError, alpha="a half", beta=1.0)


def test_other_mistakes() -> None:
    assert "expected a Model: call it" in refusal(SettingError, model=rl.catalogue.rescorla_wagner, alpha=0.1, beta=1.0)
    assert "the name is ''" in refusal(SettingError, name="", alpha=0.1, beta=1.0)
    assert "data is" in refusal(SettingError, data={}, alpha=0.1, beta=1.0)
    other = cases.problem("two_step")
    wrong = other.data.bind(other.model)
    assert "no 'choice'" in refusal(SettingError, data=wrong, alpha=0.1, beta=1.0)
    assert "trajectories is 3" in refusal(ParameterError, alpha=0.1, beta=1.0, trajectories=3)
    with pytest.raises(BackendError, match=r"Call it within `with pm\.Model"):
        rl.pymc.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), alpha=0.1, beta=1.0)


def test_32_bits_are_refused_and_nothing_is_changed() -> None:
    names = ("floatX", "cast_policy", "numba__fastmath", "mode")
    before = {name: getattr(pytensor.config, name) for name in names}
    with pytensor.config.change_flags(floatX="float32"), pm.Model():
        with pytest.raises(BackendError, match=r'pytensor\.config\.floatX = "float64"'):
            rl.pymc.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), alpha=0.1, beta=1.0)
        assert pytensor.config.floatX == "float32"
    with pm.Model():
        rl.pymc.observe("behaviour", rl.catalogue.rescorla_wagner(), bandit(), alpha=0.1, beta=1.0)
    assert {name: getattr(pytensor.config, name) for name in names} == before


def test_two_behaviours_of_one_model() -> None:
    with pm.Model() as model:
        beta = pm.Gamma("beta", 2.0, 1.0)
        for name in ("first", "second"):
            rl.pymc.observe(name, rl.catalogue.rescorla_wagner(), bandit(), alpha=0.5, beta=beta)
    total = rl.pymc.likelihood(model)({"beta": 2.0})
    one = rl.pymc.likelihood(model, observed="second_choice")({"beta": 2.0})
    assert_close(total, 2.0 * one, "log_likelihood")


# Slow: as users compile and sample


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pearce_hall", "rescorla_wagner"])
def test_compiled_as_pymc_compiles(name: str) -> None:
    # PyTensor's default mode has a rewrite that gave pearce_hall a gradient of 1e21 where subscripts were used.
    problem = cases.problem(name)
    model, _ = hosted(problem)
    ours = rl.compile(problem.model, problem.data, population=problem.population)
    z = ours.layout.unconstrain({n: problem.params[n] for n in ours.layout.names})
    value, gradient = ours.log_density_and_gradient(z)
    assert_close(model.compile_logp()(at(model, z)), value, "log_density")
    flat = np.concatenate([np.ravel(gradient[model.values_to_rvs[v].name]) for v in model.value_vars])
    assert_close(model.compile_dlogp()(at(model, z)), flat, "gradient")
    taken = rl.compile(problem.model, problem.data, "pymc", population=problem.population).engine.pymc_model
    assert_close(taken.compile_dlogp()(at(taken, z)), flat, "gradient")


@pytest.mark.slow
def test_32_bits_in_a_process_of_its_own(run_python: Any) -> None:
    code = """
import pymc as pm, pytensor
import rlbackends as rl
data = rl.Trials.from_arrays(choice=[[0, 1, 0]], reward=[[1.0, 0.3, 1.0]])
def build():
    with pm.Model() as model:
        beta = pm.HalfNormal("beta")
        rl.pymc.observe("behaviour", rl.catalogue.rescorla_wagner(), data, alpha=0.3, beta=beta)
    return model
try:
    build()
except rl.errors.BackendError as error:
    line = str(error).rsplit(": ", 1)[1]
exec(line)
print(build().point_logps()["behaviour_choice"], pytensor.config.floatX, line)
"""
    found = run_python(code, env={"PYTENSOR_FLAGS": "floatX=float32,cxx=,mode=FAST_COMPILE"})
    assert found.split(maxsplit=2)[1:] == ["float64", 'pytensor.config.floatX = "float64"\n']
