"""Engines for other data: their own values, nothing compiled twice, nothing shared that should not be."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import DataError, ModelError
from rlbackends.testing import assert_close

S, T = 3, 6
SETTINGS = {"reference": {}, "numpyro": {}, "pymc": {"mode": "FAST_COMPILE"}}


@pytest.fixture(
    params=[
        "reference",
        pytest.param("numpyro", marks=pytest.mark.skipif(not importlib.util.find_spec("numpyro"), reason="no numpyro")),
        pytest.param("pymc", marks=pytest.mark.skipif(not importlib.util.find_spec("pymc"), reason="no pymc")),
    ]
)
def backend(request):
    if request.param == "pymc":
        import pytensor

        with pytensor.config.change_flags(cxx=""):
            yield request.param
    else:
        yield request.param


@pytest.fixture
def compile(backend):
    return lambda model, data, **more: rl.compile(model, data, backend, **SETTINGS[backend], **more)


# A model in which every kind of column is read


def everything():
    """Sub-choices with a mask from the data, a choice, a rating; indices, missing values, blocks, unequal lengths."""

    def picks(w, cue, beta):
        return rl.Bernoulli(logits=beta * w * cue, where=cue != 0)

    def choice(q, place, beta, offered):
        return rl.Categorical(logits=beta * q[place], available=offered == 1)

    def rating(w, cue, noise):
        return rl.Normal(mean=rl.dot(w, cue), sd=noise)

    def learn(q, w, cue, picks, place, choice, reward, alpha):
        seen = rl.where(rl.is_missing(reward), 0.25, reward)
        return {
            "q": q.at[place, choice].add(alpha * (seen - q[place, choice])),
            "w": w + alpha * cue * (reward - rl.dot(w, cue)) + 0.1 * picks,
        }

    return rl.Model(
        "everything",
        parameters={
            "alpha": rl.Parameter(rl.UnitInterval()),
            "beta": rl.Parameter(rl.RealLine()),
            "noise": rl.Parameter(rl.Positive()),
        },
        states={"q": rl.State("place", "action"), "w": rl.State("feature", initial="alpha", reset="never")},
        trial={
            "cue": rl.Real("feature"), "picks": picks, "place": rl.Index("place"), "offered": rl.Binary("action"),
            "choice": choice, "rating": rating, "reward": rl.Real(),
        },
        update=learn,
        sizes={"place": 2, "action": 3, "feature": 2},
    )  # fmt: skip


def everything_data(seed):
    """Return data whose structure does not depend on the seed, though everything in them does."""
    rng = np.random.default_rng(seed)
    # The same pairs of cues in another order: as many sub-choices are asked for, on as many trials.
    pairs = np.array([[-1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0], [-1.0, 1.0]])
    cue = np.ones((S, T, 2))
    cue[:, : T - 1] = pairs[rng.permuted(np.tile(np.arange(5), (S, 1)), axis=1)]
    offered = np.ones((S, T, 3))
    offered[rng.integers(S), rng.integers(T), 2] = 0
    choice, reward = rng.integers(0, 2, (S, T)).astype(float), rng.normal(size=(S, T))
    order = rng.permutation(S)
    choice[order[0], 1] = choice[order[1], 2] = np.nan
    reward[order[0], 3] = np.nan
    lengths = np.array([T, T - 1, T - 1])[order]
    return rl.Trials.from_arrays(
        cue=cue, picks=rng.integers(0, 2, (S, T, 2)), place=rng.integers(0, 2, (S, T)), offered=offered,
        choice=choice, rating=rng.normal(size=(S, T)), reward=reward, lengths=lengths,
        blocks=np.arange(T) >= rng.integers(1, T - 1),
        levels={"place": [0, 1], "choice": [0, 1, 2], "picks": [0, 1], "offered": [0, 1]},
    )  # fmt: skip


EVERYTHING = {"alpha": [0.2, 0.5, 0.7], "beta": [0.5, -0.3, 1.2], "noise": 0.8}


def values(compiled, params, *, draws=False):
    """Return what a compiled model gives, as one mapping by quantity."""
    z = compiled.layout.unconstrain(compiled.layout.draw(np.random.default_rng(1)))
    total, gradient = compiled.value_and_gradient(params)
    density, slope = compiled.log_density_and_gradient(z)
    log_likelihood = {str(name): array.values for name, array in compiled.log_likelihood(params).items()}
    trajectories = {str(name): array.values for name, array in compiled.trajectories(params).items()}
    if draws:
        given = compiled.layout.parameters(compiled.layout.constrain(z))
        two = {name: np.stack([value, 0.5 * value]) for name, value in given.items()}
        found = compiled.engine.log_likelihood_draws(two), compiled.engine.trajectories_draws(two)
        log_likelihood |= {f"{name} of draws": array for name, array in found[0].items()}
        behind = ~compiled.data.valid
        for name, array in found[1].items():
            padding = behind.reshape(behind.shape + (1,) * (array.ndim - 3))
            trajectories[f"{name} of draws"] = np.where(padding, 0.0, array)
    return {
        "log_likelihood": {**log_likelihood, "total": np.asarray(total)},
        "trajectories": trajectories,
        "gradient": {**gradient, **slope},
        "log_density": {"": np.asarray(density)},
    }


def assert_same(found, expected):
    for what, arrays in expected.items():
        assert_close(found[what], arrays, what)


def structure(compiled):
    """Return what engines share."""
    engine = compiled.engine
    return getattr(engine, {"numpyro": "_compiled", "pymc": "_graphs"}.get(engine.name, ""), None)


def test_other_data_give_their_own_values(backend, compile):
    model, first, second = everything(), everything_data(0), everything_data(1)
    compiled = compile(model, first)
    before = values(compiled, EVERYTHING, draws=True)
    other = compiled.with_data(second)
    assert structure(other) is structure(compiled)
    after = values(other, EVERYTHING, draws=True)
    assert_same(after, values(rl.compile(model, second), EVERYTHING, draws=True))
    assert not np.allclose(after["log_density"][""], before["log_density"][""])
    again = values(compiled, EVERYTHING, draws=True)  # of the first data, though the second came between
    for what, arrays in before.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(again[what][name], array, err_msg=f"{what} {name}")


def test_whichever_engine_asks_first_compiles_for_all(compile):
    model = rl.catalogue.rescorla_wagner()
    compiled = compile(model, bandit())
    others = [compiled.with_data(bandit(seed)).for_checking() for seed in (1, 2)]
    for seed, other in ((1, others[0]), (2, others[1])):
        assert_same(values(other, RW), values(rl.compile(model, bandit(seed)), RW))
    assert_same(values(compiled, RW), values(rl.compile(model, bandit()), RW))


def bandit(seed=0, subjects=("ann", "bob"), n_trials=5, **given):
    """Return data for Rescorla and Wagner's model."""
    rng = np.random.default_rng(seed)
    shape = (len(subjects), n_trials)
    events = {"choice": rng.integers(0, 2, shape).astype(float), "reward": rng.normal(size=shape)}
    return rl.Trials.from_arrays(subjects=subjects, levels={"choice": [0, 1]}, **{**events, **given})


RW = {"alpha": 0.3, "beta": 2.0}


def lacking(seed, subject, trial):
    choice = np.random.default_rng(seed).integers(0, 2, (2, 5)).astype(float)
    choice[subject, trial] = np.nan
    return choice


CHANGES = {
    "trials": {"n_trials": 6},
    "subjects": {"subjects": ("ann", "bob", "cem")},
    "lengths": {"lengths": [5, 3]},
    "a missing response": {"choice": lacking(1, 0, 2)},
    "a missing event": {"reward": np.where(np.eye(2, 5), np.nan, 0.5)},
    "blocks": {"blocks": [1, 1, 2, 2, 2]},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_structure_is_noticed(backend, compile, change):
    model, second = rl.catalogue.rescorla_wagner(), bandit(1, **change)
    compiled = compile(model, bandit()).for_checking()
    before = values(compiled, RW)
    other = compiled.with_data(second)
    if backend != "reference":
        assert structure(other) is not structure(compiled)
    assert other.layout.n_subjects == other.data.n_subjects
    assert_same(values(other, RW), values(rl.compile(model, second), RW))
    assert_same(values(compiled, RW), before)


def test_where_values_are_missing_is_no_structure(compile):
    model = rl.catalogue.rescorla_wagner()
    first, second = bandit(choice=lacking(1, 0, 2)), bandit(2, choice=lacking(3, 1, 4))
    compiled = compile(model, first).for_checking()
    other = compiled.with_data(second)
    assert structure(other) is structure(compiled)
    assert_same(values(other, RW), values(rl.compile(model, second), RW))
    assert np.isnan(other.log_likelihood(RW)["choice"].values[1, 4])


def test_other_subjects_are_told_by_their_own_labels(compile):
    compiled = compile(rl.catalogue.rescorla_wagner(), bandit())
    other = compiled.with_data(bandit(1, subjects=("cem", "dan")))
    assert structure(other) is structure(compiled)
    assert list(other.log_likelihood(RW)["subject"].values) == ["cem", "dan"]
    assert list(compiled.log_likelihood(RW)["subject"].values) == ["ann", "bob"]
    if compiled.backend == "pymc":
        assert list(other.engine.pymc_model.coords["subject"]) == ["cem", "dan"]


def test_a_population_is_kept(compile):
    population = rl.Population("complete", beta=[1.0, 3.0])
    model = rl.catalogue.rescorla_wagner()
    compiled = compile(model, bandit(), population=population)
    z = {"alpha_location": 0.3}
    expected = rl.compile(model, bandit(1), population=population).log_density(z)
    assert_close(compiled.with_data(bandit(1)).log_density(z), expected, "log_density")
    with pytest.raises(ModelError, match="beta"):
        compiled.with_data(bandit(1, subjects=("ann", "bob", "cem")))


def test_data_that_do_not_fit_are_refused(compile):
    compiled = compile(rl.catalogue.rescorla_wagner(), bandit())
    with pytest.raises(DataError, match=r"'reward'.*is not among the columns"):
        compiled.with_data(rl.Trials.from_arrays(choice=[[0, 1]]))


def test_an_engine_for_checking_is_kept(compile):
    model = rl.catalogue.rescorla_wagner()
    compiled = compile(model, bandit())
    checking = compiled.for_checking()
    before = values(checking, RW)
    other = compiled.with_data(bandit(1)).for_checking()
    assert structure(other) is structure(checking)
    assert other.for_checking() is other
    assert_same(values(other, RW), values(rl.compile(model, bandit(1)), RW))
    assert_same(values(checking, RW), before)


def test_numpyro_compiles_each_function_once():
    pytest.importorskip("numpyro")
    from rlbackends.backends.numpyro.samplers.nuts import sample

    model = rl.catalogue.rescorla_wagner()
    compiled = rl.compile(model, bandit(), "numpyro").for_checking()
    others = [compiled.with_data(bandit(seed)) for seed in (1, 2)]
    settings = {"seed": 1, "chains": 2, "tune": 10, "draws": 5, "cores": 1}
    for each in (compiled, *others):
        values(each, RW)
        found = sample(each.engine, **settings)
    counts = {name: function._cache_size() for name, function in compiled.engine._compiled.items()}
    assert set(counts.values()) <= {0, 1}, counts
    assert counts["log_density_and_gradient"] == 1
    assert len(compiled.engine.programs) == 1
    sample(others[0].engine, **settings | {"seed": 2, "chains": 1, "draws": 7})
    assert len(compiled.engine.programs) == 1
    z = {name: draws[1, 4] for name, draws in found.unconstrained.items()}
    assert_close(found.stats["lp"][1, 4], rl.compile(model, bandit(2)).log_density(z), "log_density")


def test_pymc_compiles_each_function_once(monkeypatch):
    pytensor = pytest.importorskip("pytensor")
    model = rl.catalogue.rescorla_wagner()
    with pytensor.config.change_flags(cxx=""):
        compiled = rl.compile(model, bandit(), "pymc", mode="FAST_COMPILE")
        values(compiled, RW)
        values(compiled.for_checking(), RW)

        def function(*args, **kwargs):
            raise AssertionError("a function was compiled")

        monkeypatch.setattr(pytensor, "function", function)
        for seed in (1, 2):
            other = compiled.with_data(bandit(seed))
            values(other, RW)
            values(other.for_checking(), RW)


@pytest.mark.parametrize("gather", ["gather", "one_hot"])
def test_shapes_stay_static_in_jax_mode(gather):
    pytest.importorskip("jax")
    pytest.importorskip("pymc")
    model = everything()
    compiled = rl.compile(model, everything_data(0), "pymc", mode="JAX", gather=gather)
    compiled.value_and_gradient(EVERYTHING)
    other = compiled.with_data(everything_data(1))
    assert structure(other) is structure(compiled)
    expected, slopes = rl.compile(model, everything_data(1)).value_and_gradient(EVERYTHING)
    found, gradient = other.value_and_gradient(EVERYTHING)
    assert_close(found, expected, "log_likelihood")
    assert_close(gradient, slopes, "gradient")


def test_the_joint_density_compiles_in_jax_mode():
    pytest.importorskip("jax")
    pytest.importorskip("pymc")
    model, data = everything(), everything_data(0)
    compiled = rl.compile(model, data, "pymc", mode="JAX")
    z = {latent.name: np.full(compiled.layout.shape(latent), 0.1) for latent in compiled.layout.latents}
    expected, slopes = rl.compile(model, data).log_density_and_gradient(z)
    found, gradient = compiled.log_density_and_gradient(z)
    assert_close(found, expected, "log_density")
    assert_close(gradient, slopes, "gradient")


def test_nutpie_compiles_once():
    nutpie = pytest.importorskip("nutpie")
    pytest.importorskip("jax")
    from rlbackends.backends.pymc.samplers.nutpie import sample

    model = rl.catalogue.rescorla_wagner()
    settings = {"seed": 1, "chains": 2, "tune": 10, "draws": 5, "cores": 1, "compile_backend": "jax"}
    first, second = bandit(choice=lacking(1, 0, 2)), bandit(2, choice=lacking(3, 1, 4))
    compiled = rl.compile(model, first, "pymc", mode="FAST_COMPILE")
    before = sample(compiled.engine, **settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nutpie, "compile_pymc_model", None)
        other = compiled.with_data(second)
        found = sample(other.engine, **settings)
        again = sample(compiled.engine, **settings)
    fresh = sample(rl.compile(model, second, "pymc", mode="FAST_COMPILE").engine, **settings)
    for name, draws in fresh.unconstrained.items():
        np.testing.assert_array_equal(found.unconstrained[name], draws, err_msg=name)
        np.testing.assert_array_equal(before.unconstrained[name], again.unconstrained[name], err_msg=name)
    z = {name: draws[1, 4] for name, draws in found.unconstrained.items()}
    assert_close(found.stats["lp"][1, 4], rl.compile(model, second).log_density(z), "log_density")
