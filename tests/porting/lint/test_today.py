"""The table of today's names and arguments is true, and so is what the rules claim."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from rlbackends.porting.linting import today
from rlbackends.porting.linting.advice import ARGUMENTS, DISTRIBUTION_KEYWORDS, GONE, MODEL, VARIABLE

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def looked():
    """What the installed packages have, if they are those that the table was made from."""
    pytest.importorskip("pymc", reason="the table is checked against PyMC itself")
    from tests.porting.lint.look_at_today import look, versions

    if versions() != today.versions():
        pytest.skip(f"the table was made from {today.versions()}, here are {versions()}")
    return look


def test_the_distributions_take_what_the_table_says(looked):
    from tests.porting.lint.look_at_today import distribution

    for name, row in today.table()["distributions"].items():
        known = {key: value for key, value in row.items() if key not in ("other", "sd")}  # they take building it: slow
        assert distribution(name, tries=False) == known, name


@pytest.mark.slow
def test_the_table_is_what_the_installed_packages_have(looked):
    found = json.loads(json.dumps(looked(tries=False)))
    table = json.loads(json.dumps(today.table()))
    for row in table["distributions"].values():
        del row["other"], row["sd"]  # they take building each distribution: below, slow
    # What other code has imported in this process shows as a module's name, too.
    modules, known = found.pop("modules"), table.pop("modules")
    for name, words in known.items():
        assert set(words.split()) <= set(modules[name].split()), name
    assert found == table


@pytest.mark.slow
def test_what_distributions_do_with_a_keyword_that_they_do_not_know(looked):
    found = looked()["distributions"]
    for name, row in today.table()["distributions"].items():
        assert (found[name]["other"], found[name]["sd"]) == (row["other"], row["sd"]), name


def test_what_is_listed_as_gone_is_gone():
    for name in GONE:
        if name not in ("pymc.DensityDist", "pymc.plots", "arviz.InferenceData"):
            assert today.missing(name), name
    for name, keywords in ARGUMENTS.items():
        known = today.signature(name)
        if known is not None:
            overlap = set(keywords) & {*known.positional, *known.named}
            assert not overlap - {"trace"}, name
    assert not set(MODEL) & today.attributes("model")
    assert not {name for name in VARIABLE if "." not in name} & today.attributes("variable")
    assert "sd" not in today.distribution("Normal").own
    assert DISTRIBUTION_KEYWORDS["sd"] == "sigma"


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("pymc.Normal", None),
        ("pymc.Normal.dist", None),
        ("pymc.math.softmax", None),
        ("pymc.summary", None),
        ("pymc.traceplot", "pymc.traceplot"),
        ("pytensor.tensor.nnet.softmax", "pytensor.tensor.nnet"),
        ("pytensor.tensor.special.softmax", None),
        ("numpy.nothing", None),
    ],
)
def test_missing_names(name, lost):
    assert today.missing(name) == lost


# ---------------------------------------------------------------------------- claims, seen by running the smallest case
# Slow: PyMC is imported, and some of these sample.


@pytest.fixture
def pm():
    return pytest.importorskip("pymc", reason="claims about PyMC are seen by running it")


@pytest.fixture
def built(pm):
    """Return what a function gives inside a model."""

    def run(function):
        with pm.Model():
            return function()

    return run


@pytest.mark.slow
def test_sd_is_dropped_and_sigma_is_1(pm, built):
    density = built(lambda: pm.logp(pm.Normal("x", 0, sd=5), 0.0)).eval()
    assert density == pytest.approx(-0.5 * np.log(2 * np.pi))


@pytest.mark.slow
def test_testval_is_dropped(pm):
    with pm.Model() as model:
        pm.Normal("x", testval=3.0)
    assert model.initial_point()["x"] == 0.0


@pytest.mark.slow
@pytest.mark.parametrize("make", [
    lambda pm: pm.Gamma("x", mu=1, sd=2), lambda pm: pm.HalfCauchy("x", 1, testval=1),
    lambda pm: pm.GaussianRandomWalk("x", sd=1, shape=3), lambda pm: pm.NormalMixture("x", [0.5, 0.5], [0, 1], sd=1),
    lambda pm: pm.ZeroInflatedPoisson("x", psi=0.5, theta=2), lambda pm: pm.DensityDist("x", lambda v: v),
    lambda pm: pm.DensityDist("x", logp=lambda v: v, observed={"v": np.zeros(2)}), lambda pm: pm.Bound(pm.Normal),
    lambda pm: pm.Minibatch(np.zeros(9), 3), lambda pm: pm.Data("x", np.zeros(2), mutable=True),
    lambda pm: pm.Model(theano_config={}), lambda pm: pm.gp.cov.ExpQuad(1, lengthscales=1.0),
    lambda pm: pm.Mixture("x", [0.5, 0.5], [pm.Normal("a"), pm.Normal("b")]), lambda pm: pm.Normal("x").random(),
    lambda pm: pm.Normal("x").tag.test_value, lambda pm: pm.modelcontext(None).test_point,
    lambda pm: (pm.Normal("x"), pm.modelcontext(None).logp({"x": 0.0})),
    lambda pm: pm.expand_packed_triangular(2, pm.LKJCholeskyCov("x", n=2, eta=2, sd_dist=pm.HalfNormal.dist())),
    lambda pm: pm.fit(5, method="nfvi"), lambda pm: pm.sample(5, 5),
])  # fmt: skip
def test_what_breaks_breaks(pm, built, make):
    with pytest.raises((TypeError, ValueError, AttributeError, KeyError)):
        built(lambda: make(pm))


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["nuts_kwargs", "step_kwargs", "njobs", "start", "live_plot", "max_treedepth"])
def test_old_settings_of_sample_break(pm, setting):
    pytest.importorskip("nutpie", reason="the default sampler is asked")
    with pm.Model():
        pm.Normal("x")
        with pytest.raises((TypeError, AssertionError)):
            pm.sample(5, tune=5, chains=1, progressbar=False, **{setting: {}})


@pytest.mark.slow
def test_an_unnormalised_categorical_is_impossible_today(pm):
    import pytensor.tensor as pt

    with pm.Model() as model:
        q = pm.Normal("q", shape=2)
        pm.Categorical("x", p=pt.exp(q), observed=np.array([0, 1]))
    assert model.compile_logp()({"q": np.array([1.0, 2.0])}) == -np.inf


@pytest.mark.slow
def test_softmax_without_an_axis_is_of_the_whole_array(pm):
    import pytensor.tensor as pt

    for softmax in (pt.special.softmax, pm.math.softmax):
        assert softmax(np.zeros((2, 2))).eval() == pytest.approx(np.full((2, 2), 0.25))
        assert softmax(np.zeros((2, 2)), axis=-1).eval() == pytest.approx(np.full((2, 2), 0.5))


@pytest.mark.slow
def test_exp_overflows_to_nan(pm):
    import pytensor.tensor as pt

    x = pt.exp(pt.as_tensor(np.array([800.0, 1.0])))
    assert np.isnan((x / x.sum()).eval()[0])


@pytest.mark.slow
def test_constants_and_states_keep_a_narrow_type(pm):
    import pytensor
    import pytensor.tensor as pt

    assert pt.full((2,), 0.5).dtype == "float32"
    assert pt.full((2,), 0.12).dtype == (0.5 * pt.ones(2)).dtype == "float64"
    assert pt.set_subtensor(pt.full((2,), 0.5)[0], pt.dscalar()).dtype == "float32"
    learnt = pytensor.scan(
        lambda r, q: pt.set_subtensor(q[0], q[0] + 0.5 * (r - q[0])), sequences=[pt.as_tensor(np.ones(3))],
        outputs_info=[pt.zeros((2,), dtype="int64")], return_updates=False, mode="FAST_COMPILE",
    )  # fmt: skip
    assert not learnt.eval().any()


@pytest.mark.slow
def test_scan_still_gives_a_pair_with_a_warning(pm):
    import pytensor
    import pytensor.tensor as pt

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = pytensor.scan(lambda x: x, sequences=[pt.ones(3)])
    assert len(result) == 2
    assert any(item.category is DeprecationWarning for item in caught)


@pytest.mark.slow
def test_the_gradient_through_argmax_is_zero(pm):
    import pytensor
    import pytensor.tensor as pt

    v = pt.dvector()
    gradient = pytensor.grad(pt.constant(np.array([1.0, 2.0]))[pt.argmax(2 * v)], v, disconnected_inputs="ignore")
    assert not gradient.eval({v: np.array([1.0, 2.0])}).any()


@pytest.mark.slow
def test_settings_that_do_not_exist_are_taken(pm):
    import pytensor

    assert not hasattr(pytensor.config, "compute_test_value")
    pytensor.config.compute_test_value = "ignore"
    del pytensor.config.compute_test_value


@pytest.mark.slow
def test_an_ordered_variable_starts_at_an_impossible_place(pm):
    with pm.Model() as model:
        pm.Normal("x", shape=3, transform=pm.distributions.transforms.ordered)
    assert np.isneginf(model.initial_point()["x_ordered__"]).any()


@pytest.mark.slow
def test_a_truncated_is_divided_by_the_mass_between_its_bounds(pm):
    inside = pm.logp(pm.Truncated.dist(pm.Normal.dist(0, 1), lower=0.0), 1.0).eval()
    plain = pm.logp(pm.Normal.dist(0, 1), 1.0).eval()
    assert inside - plain == pytest.approx(np.log(2))


@pytest.mark.slow
def test_defaults_of_sample_and_what_a_trace_is(pm):
    pytest.importorskip("nutpie", reason="the default sampler is asked")
    with pm.Model():
        pm.Normal("x")
        trace = pm.sample(20, chains=1, progressbar=False, compute_convergence_checks=False)
        again = []
        for _ in range(2):
            np.random.seed(1)  # noqa: NPY002 - the claim is about it
            again.append(pm.sample(5, tune=5, chains=1, progressbar=False, compute_convergence_checks=False))
        old = pm.sample(5, tune=5, chains=1, progressbar=False, init="adapt_diag", compute_convergence_checks=False)
    assert trace.posterior.attrs["inference_library"] == "nutpie"
    assert trace.posterior.attrs["tuning_steps"] == 400
    assert "inference_library" not in old.posterior.attrs or old.posterior.attrs["inference_library"] == "pymc"
    assert not np.array_equal(again[0].posterior["x"], again[1].posterior["x"])
    with pytest.raises(KeyError):
        trace["x"]
    with pytest.raises(ValueError, match="slice"):
        trace[5:]
    for name in ("varnames", "get_values", "extend", "add_groups", "stack", "map"):
        assert not hasattr(trace, name)


@pytest.mark.slow
def test_a_summary_gives_89_percent_equal_tails(pm):
    az = pytest.importorskip("arviz", reason="the claim is about ArviZ")
    tree = az.from_dict({"posterior": {"x": np.random.default_rng(1).normal(size=(2, 100))}})
    assert {"eti89_lb", "eti89_ub"} <= set(az.summary(tree).columns)
