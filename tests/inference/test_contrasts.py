"""What covariates do to a parameter: differences with their draws on the natural scale, from a fit and a saved one."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import rlbackends as rl
from rlbackends.errors import ModelError, SettingError
from rlbackends.inference.result import ConvergenceWarning

MODEL = rl.catalogue.rescorla_wagner()
S, T = 6, 16


def trials(seed=0):
    rng = np.random.default_rng(seed)
    return rl.Trials.from_arrays(
        choice=rng.integers(0, 2, (S, T)), reward=rng.integers(0, 2, (S, T)).astype(float),
        group=np.array([["patient"] * T, ["control"] * T] * 3, dtype=object),
        age=np.repeat(rng.normal(40, 9, (S, 1)), T, 1),
        session=np.repeat([[1.0] * 8 + [2.0] * 8], S, axis=0),
    )  # fmt: skip


@pytest.fixture(scope="module")
def fit(tmp_path_factory):
    pytest.importorskip("numpyro")
    population = rl.Population(alpha="~ group * C(session)", beta="~ scale(age)", correlated=["alpha", "beta"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        made = rl.fit(
            MODEL, trials(), backend="numpyro", population=population, draws=20, tune=20, chains=2, progress="off"
        )
    path = tmp_path_factory.mktemp("fits") / "fit.nc"
    made.save(path)
    return rl.load(path)


def test_the_posterior_has_values_by_condition(fit):
    posterior = fit.tree["posterior"]
    assert posterior["alpha"].dims == ("chain", "draw", "subject", "condition")
    assert posterior["condition"].values.tolist() == [1, 2]
    line = posterior["alpha_location"] + posterior["alpha_coefficient[group=patient]"]
    line = line + posterior["alpha_coefficient[C(session)=2.0]"]
    line = line + posterior["alpha_coefficient[group=patient:C(session)=2.0]"]
    line = line + posterior["alpha_sd"] * posterior["alpha_offset"].sel(subject=1)
    np.testing.assert_allclose(posterior["alpha"].sel(subject=1, condition=2), norm.cdf(line), rtol=1e-12)
    assert fit.posterior_mean()["alpha"].shape == (S, T) and fit.posterior_mean()["beta"].shape == (S,)
    assert "correlation[alpha,beta]" in fit.summary().index
    assert fit.certificate.holds


def test_everything_else_that_a_fit_does(fit):
    assert fit.trajectories(3)["q"].sizes["trial"] == T
    assert len(fit.regressors()) == S * T
    assert fit.predict(4)["predicted_probability"]["choice"].sizes["subject"] == S
    forward = fit.simulate(rl.tasks.bandit(n_trials=T), 4)["posterior_predictive_forward"]
    assert forward["choice"].sizes["trial"] == T
    # The log-likelihood that is stored is that of the parameters by trial.
    mean = {name: value for name, value in fit.posterior_mean().items()}
    compiled = rl.compile(MODEL, fit.data)
    assert np.isfinite(compiled.log_likelihood(mean)["choice"].values).all()
    one = fit.layout.by_trial({n: fit.tree["posterior"][n].values[1, 7] for n in MODEL.parameters})
    stored = fit.tree["log_likelihood"]["log_likelihood"].isel(chain=1, draw=7)
    constant = fit.tree["log_likelihood_constant"]["log_likelihood"]
    total = float(compiled.log_likelihood(one)["choice"].sum())
    assert float(stored.sum() + constant.sum()) == pytest.approx(total, rel=1e-12)


def test_what_can_not_be_computed_is_told(fit):
    with pytest.raises(SettingError, match=r"at: at \{'session': 3\} the formula '~ group \* C\(session\)' can't be"):
        fit.at("alpha", session=3)
    with pytest.raises(SettingError, match="contrast: 'patient' is no covariates' values"):
        fit.contrast("alpha", "patient", "control")
    with pytest.raises(SettingError, match="contrasts: by is 3, expected the name"):
        fit.contrasts("alpha", 3)
    assert len(fit.contrasts("alpha", ["group", "group"])) == 1


def test_a_recovery_by_condition_is_not_drawn_as_one_by_subject(fit):
    pytest.importorskip("matplotlib")
    with pytest.raises(SettingError, match="'alpha' has a value by subject and condition"):
        rl.plots.plot_recovery(fit, {"alpha": np.full(S, 0.5)})


@pytest.mark.slow
def test_names_of_columns_and_labels_may_hold_anything(tmp_path):
    pytest.importorskip("numpyro")
    words = np.array([["on/off"] * T, ["x[1]: 'y' = \u00e9"] * T] * 3, dtype=object)
    table = pd.DataFrame({"id": range(1, S + 1), "a/b c": words[:, 0]})
    data = trials().join(table, subject="id")
    population = rl.Population(alpha=rl.Pooling(formula="~ `a/b c`", sd_by="a/b c"), beta="~ I(age/10)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        made = rl.fit(MODEL, data, backend="numpyro", population=population, draws=5, tune=5, chains=2, progress="off")
    loaded = rl.load(made.save(tmp_path / "fit.nc"))
    assert loaded.layout.names == made.layout.names
    assert {"alpha_coefficient[a|b c=x[1]: 'y' = \u00e9]", "alpha_sd[a|b c=on|off]"} < set(loaded.tree["posterior"])
    np.testing.assert_array_equal(loaded.at("alpha", **{"a/b c": "on/off"}), made.at("alpha", **{"a/b c": "on/off"}))


def test_a_value_is_the_average_over_the_design(fit):
    posterior = fit.tree["posterior"]
    first = posterior["alpha_location"] + posterior["alpha_coefficient[group=patient]"]
    second = first + posterior["alpha_coefficient[C(session)=2.0]"]
    second = second + posterior["alpha_coefficient[group=patient:C(session)=2.0]"]
    expected = (norm.cdf(first) + norm.cdf(second)) / 2
    np.testing.assert_allclose(fit.at("alpha", group="patient"), expected, rtol=1e-12)
    np.testing.assert_allclose(fit.at("alpha", group="patient", session=1), norm.cdf(first), rtol=1e-12)


def test_a_contrast_is_a_difference_draw_by_draw(fit):
    difference = fit.contrast("alpha", {"group": "patient"}, {"group": "control"})
    assert difference.dims == ("chain", "draw")
    np.testing.assert_array_equal(difference, fit.at("alpha", group="patient") - fit.at("alpha", group="control"))
    table = fit.contrasts("alpha", "group", probability=0.5)
    row = table.loc["patient − control"]
    assert row["mean"] == pytest.approx(float(difference.mean())) and row["lower_50"] < row["upper_50"]
    assert row["p_above_0"] == float((difference > 0).mean())
    assert len(fit.contrasts("alpha", ["group", "session"])) == 6


def test_a_number_is_compared_at_values(fit):
    ages = fit.data.covariates["age"].values[:, 0]
    posterior = fit.tree["posterior"]
    slope = posterior["beta_coefficient[scale(age)]"] / ages.std(ddof=1)
    expected = np.exp(posterior["beta_location"] + slope * (50 - ages.mean()))
    np.testing.assert_allclose(fit.at("beta", age=50), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda fit: fit.at("gamma"), "'gamma' has no formula. Formulas are those of 'alpha' and 'beta'"),
        (lambda fit: fit.at("alpha", age=3), "of 'alpha' does not read 'age'; it reads 'group' and 'session'"),
        (lambda fit: fit.at("alpha", group="patients"), "'group' has no level 'patients'.*Did you mean 'patient'"),
        (lambda fit: fit.at("beta", age="old"), "'age' is 'old', expected a number"),
        (lambda fit: fit.contrasts("beta", "age"), "'age' is a number, which has no levels to compare"),
        (lambda fit: fit.contrasts("alpha", "group", probability=2), "expected a number between 0 and 1"),
        (lambda fit: fit.contrasts("alpha", []), "expected the name of a covariate"),
    ],
)
def test_what_is_refused(fit, call, match):
    with pytest.raises(SettingError, match=match):
        call(fit)


def test_a_formula_is_checked_before_anything_is_compiled(monkeypatch):
    pytest.importorskip("numpyro")
    import rlbackends.backends.numpyro as backend

    def engine(*args, **kwargs):
        raise AssertionError("compiling started")

    engine.read_settings = backend.Engine.read_settings
    monkeypatch.setattr(backend, "Engine", engine)
    with pytest.raises(ModelError, match="'grup', which is no column"):
        rl.fit(MODEL, trials(), backend="numpyro", population=rl.Population(alpha="~ grup"), progress="off")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpyro", "pymc"])
def test_coefficients_of_simulated_groups_are_recovered(backend):
    """Two groups of 25 whose learning rates differ by 1 on the probit line, and an effect of a session on beta."""
    pytest.importorskip(backend)
    n, per = 50, 60
    rng = np.random.default_rng(7)
    patient = np.arange(n) % 2
    alpha = norm.cdf(-0.6 + 1.0 * patient + 0.2 * rng.normal(size=n))
    beta = np.exp(1.0 + 0.2 * rng.normal(size=n))
    task = rl.tasks.bandit([0.7, 0.3], n_trials=per)
    simulated = [
        rl.simulate(MODEL, task, {"alpha": alpha, "beta": b}, subjects=n, seed=seed)
        for seed, b in enumerate((beta, beta * np.exp(-0.6)))
    ]
    first, second = (one.data for one in simulated)

    def joined(name):
        return np.concatenate([first.events[name].values, second.events[name].values], axis=1).astype(float)

    data = rl.Trials.from_arrays(
        choice=joined("choice"), reward=joined("reward"), blocks=np.repeat([1, 2], per),
        group=np.array([[["control", "patient"][p]] * (2 * per) for p in patient], dtype=object),
        session=np.repeat([["one"] * per + ["two"] * per], n, axis=0).astype(object),
    )  # fmt: skip
    population = rl.Population(alpha="~ group", beta="~ session")
    fit = rl.fit(
        MODEL, data, backend=backend, population=population, draws=1000, tune=500, chains=2, progress="off",
        log_likelihood=False,
    )  # fmt: skip
    truth = {
        "alpha_location": -0.6, "alpha_coefficient[group=patient]": 1.0, "alpha_sd": 0.2,
        "beta_location": 1.0, "beta_coefficient[session=two]": -0.6, "beta_sd": 0.2,
    }  # fmt: skip
    posterior = fit.tree["posterior"]
    for name, value in truth.items():
        z = (float(posterior[name].mean()) - value) / float(posterior[name].std())
        assert abs(z) < 3, (name, z)
    assert float((posterior["alpha_coefficient[group=patient]"] > 0).mean()) > 0.999
    assert float((posterior["beta_coefficient[session=two]"] < 0).mean()) > 0.999
    expected = norm.cdf(0.4) - norm.cdf(-0.6)
    difference = fit.contrast("alpha", {"group": "patient"}, {"group": "control"})
    assert abs(float(difference.mean()) - expected) < 3 * float(difference.std())
