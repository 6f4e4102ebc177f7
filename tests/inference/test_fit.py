"""What a fit gives, alike on both backends; and what stops it before it samples."""

from __future__ import annotations

import json
import warnings

import arviz as az
import numpy as np
import pandas as pd
import pytest

import rlbackends as rl
from rlbackends.backends.chains import STATISTICS
from rlbackends.backends.reference import Engine as ReferenceEngine
from rlbackends.inference.result import ConvergenceWarning
from rlbackends.testing import assert_close


def test_both_backends_give_the_same_tree(fits):
    shapes = {}
    for backend, fit in fits.items():
        shapes[backend] = {
            group: {
                str(name): (variable.dims, variable.dtype.kind)
                for name, variable in fit.tree[group].to_dataset().variables.items()
            }
            for group in fit.tree.children
        }
    assert shapes["numpyro"] == shapes["pymc"]
    assert set(shapes["pymc"]["sample_stats"]) == {*STATISTICS, "chain", "draw"}
    names = {f"{p}{s}" for p in ("alpha", "beta") for s in ("", "_location", "_sd", "_offset", "_group")}
    assert set(shapes["pymc"]["posterior"]) == names | {"chain", "draw", "subject"}


def test_posteriors_agree_within_monte_carlo_error(fits):
    # 8 means at 5 standard errors of the difference: false alarms in fewer than one run in 100,000.
    summaries = {backend: fit.summary() for backend, fit in fits.items()}
    for name in summaries["pymc"].index:
        one, other = (fits[b].tree["posterior"][name] for b in ("numpyro", "pymc"))
        errors = [float(draws.std()) / np.sqrt(float(az.ess(draws))) for draws in (one, other)]
        assert abs(float(one.mean() - other.mean())) < 5 * np.hypot(*errors), name


def test_the_posterior_is_on_the_scale_that_it_says(one_fit):
    posterior = one_fit.tree["posterior"]
    from scipy.special import ndtr

    linear = posterior["alpha_location"] + posterior["alpha_sd"] * posterior["alpha_offset"]
    np.testing.assert_allclose(posterior["alpha"].values, ndtr(linear.values), rtol=1e-12)
    np.testing.assert_allclose(posterior["alpha_group"].values, ndtr(posterior["alpha_location"].values), rtol=1e-12)
    linear = posterior["beta_location"] + posterior["beta_sd"] * posterior["beta_offset"]
    np.testing.assert_allclose(posterior["beta"].values, np.exp(linear.values), rtol=1e-12)


def test_lp_is_the_log_density_of_the_reference(one_fit, model, data):
    reference = rl.compile(model, data)
    posterior = one_fit.tree["posterior"].isel(chain=0, draw=7)
    z = reference.layout.unconstrain({name: posterior[name].values for name in reference.layout.names})
    lp = float(one_fit.tree["sample_stats"]["lp"].isel(chain=0, draw=7))
    assert_close(lp, reference.log_density(z), "log_density")


def test_log_likelihood_is_that_of_the_reference_at_each_draw(one_fit, model, data):
    reference = rl.compile(model, data)
    draw = one_fit.tree["posterior"].isel(chain=1, draw=3)
    expected = reference.log_likelihood({name: draw[name].values for name in model.parameters})["choice"]
    cells = one_fit.tree["log_likelihood"].isel(chain=1, draw=3)
    fixed = one_fit.tree["log_likelihood_constant"]
    assert (
        cells.sizes["observation"] + fixed.sizes["observation_constant"] == int(expected.notnull().sum()) == 5 * 60 - 11
    )
    for part in (cells, fixed):
        for subject, trial, value in zip(
            part["subject"].values, part["trial"].values, part["log_likelihood"].values, strict=True
        ):
            assert_close(value, float(expected.sel(subject=subject, trial=trial - 1)), "log_likelihood")
    # The first choice, among equal values, is one of two alike whatever the draw.
    firsts = fixed["log_likelihood"].values[fixed["trial"].values == 1]
    np.testing.assert_allclose(firsts, np.log(0.5), rtol=1e-15)
    assert len(firsts) == 5


def test_loo_runs(one_fit):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a high Pareto k is arviz's to tell
        plain = az.loo(one_fit.tree)
        whole = one_fit.loo()
    assert whole.n_data_points == 289
    fixed = float(one_fit.tree["log_likelihood_constant"]["log_likelihood"].sum())
    assert whole.elpd == pytest.approx(plain.elpd + fixed)
    assert whole.se > 0


def test_trajectories_at_the_mean_and_at_draws(one_fit, model, data):
    reference = rl.compile(model, data)
    mean = {name: one_fit.tree["posterior"][name].mean(("chain", "draw")).values for name in model.parameters}
    assert_close(one_fit.trajectories().drop_vars("trial_number"), reference.trajectories(mean), "trajectories")
    draws = one_fit.trajectories(draws=5)
    assert draws.sizes["sample"] == 5
    last = one_fit.tree["posterior"].isel(chain=1, draw=399)
    expected = reference.trajectories({name: last[name].values for name in model.parameters})
    assert_close(draws["q"].isel(sample=4).values, expected["q"].values, "trajectories")
    assert list(draws["action"].values) == [1, 2]
    with pytest.raises(rl.errors.SettingError, match="draws is 0"):
        one_fit.trajectories(draws=0)


def test_regressors_are_a_tidy_row_a_trial(one_fit):
    table = one_fit.regressors()
    assert len(table) == 5 * 60 - 10
    assert list(table.columns) == [
        "subject", "trial", "block", "choice", "reward", "q_1", "q_2", "prediction_error", "choice_log_likelihood",
    ]  # fmt: skip
    missed = table[(table.subject == "s2") & (table.trial == 8)].iloc[0]
    assert pd.isna(missed.choice)
    assert np.isnan(missed.prediction_error) and np.isnan(missed.choice_log_likelihood)
    played = table.dropna(subset=["prediction_error"])
    assert str(table.choice.dtype) == "Int64"
    q = np.where(played.choice.to_numpy(int) == 1, played.q_1, played.q_2)
    np.testing.assert_allclose(played.prediction_error, played.reward - q, atol=1e-12)


def test_the_certificate_holds_and_says_what_it_compared(one_fit):
    certificate = one_fit.certificate
    assert certificate.holds
    assert certificate.data_digest == one_fit.data.digest
    assert certificate.posterior is not None
    assert [a.quantity for a in certificate.prior.agreements] == [
        "trajectories", "log_likelihood", "gradient", "log_density", "log_density_gradient",
    ]  # fmt: skip
    assert "agrees with the reference" in str(certificate)


def test_a_saved_fit_is_read_without_any_backend(one_fit, tmp_path, run_python):
    path = one_fit.save(tmp_path / "new" / "fit.nc")
    code = f"""
import sys
for name in ("jax", "jaxlib", "numpyro", "pymc", "pytensor", "nutpie"):
    sys.modules[name] = None
import rlbackends as rl
fit = rl.load({str(path)!r})
print(fit.summary())
print(fit.equations())
print(fit.certificate)
print(fit.trajectories()["q"].shape, len(fit.regressors()), fit.certificate.holds, rl.installed_backends())
"""
    output = run_python(code)
    assert "alpha_location" in output
    assert "q[choice]" in output
    assert "agrees with the reference" in output
    assert "(5, 60, 2) 290 True ('reference',)" in output


def test_what_is_saved_comes_back(one_fit, tmp_path):
    again = rl.load(one_fit.save(tmp_path / "fit.nc"))
    for group in one_fit.tree.children:
        assert again.tree[group].to_dataset().identical(one_fit.tree[group].to_dataset()), group
    assert again.model == one_fit.model
    assert again.certificate == one_fit.certificate
    assert again.data.digest == one_fit.data.digest
    assert json.loads(again.tree.attrs["settings"])["seed"] == 3


def test_same_seed_same_draws_whatever_the_cores(model, data):
    settings = dict(backend="numpyro", draws=30, tune=30, chains=2, seed=5, progress="off", log_likelihood=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        one = rl.fit(model, data, cores=1, **settings)
        two = rl.fit(model, data, cores=2, **settings)
    np.testing.assert_array_equal(one.tree["posterior"]["alpha"].values, two.tree["posterior"]["alpha"].values)
    with pytest.raises(rl.errors.SettingError, match="log_likelihood=False"):
        one.loo()


def test_short_runs_warn(model, data):
    with pytest.warns(ConvergenceWarning, match="R-hat|effective sample size"):
        rl.fit(model, data, backend="numpyro", draws=10, tune=5, chains=2, progress="off")


class TestBeforeSampling:
    """Each of these is found before anything is sampled."""

    @pytest.fixture(autouse=True)
    def no_sampling(self, monkeypatch):
        import rlbackends.backends.numpyro.samplers.nuts as numpyro_sampler

        def sample(*args, **kwargs):
            raise AssertionError("sampling started")

        monkeypatch.setattr(numpyro_sampler, "sample", sample)

    def raises(self, error, match, model, data, **settings):
        with pytest.raises(error, match=match):
            rl.fit(model, data, **{"backend": "numpyro", "progress": "off"} | settings)

    def test_unknown_backend(self, model, data):
        self.raises(rl.errors.BackendError, "no backend 'pymcc'.*Did you mean 'pymc'", model, data, backend="pymcc")

    def test_the_reference_does_not_sample(self, model, data):
        self.raises(rl.errors.SettingError, "does not sample", model, data, backend="reference")

    def test_unknown_sampler(self, model, data):
        match = "no sampler 'nuts2'. It has 'nuts',.*Did you mean 'nuts'"
        self.raises(rl.errors.SettingError, match, model, data, sampler="nuts2")

    def test_unknown_setting(self, model, data):
        self.raises(rl.errors.SettingError, "no setting 'gathr'.*Did you mean 'gather'", model, data, gathr="one_hot")

    @pytest.mark.parametrize("name", ["draws", "tune", "chains", "cores"])
    def test_numbers_out_of_range(self, model, data, name):
        self.raises(rl.errors.SettingError, f"{name} is 0, expected a whole number", model, data, **{name: 0})

    def test_output_of_another_kind(self, model, data, tmp_path):
        self.raises(rl.errors.SettingError, r"ends in \.nc", model, data, output=tmp_path / "fit.csv")

    def test_output_that_is_there(self, model, data, tmp_path):
        (tmp_path / "fit.nc").write_text("precious")
        self.raises(rl.errors.SettingError, "exists", model, data, output=tmp_path / "fit.nc")
        assert (tmp_path / "fit.nc").read_text() == "precious"

    def test_output_folder_that_can_not_be_made(self, model, data, tmp_path):
        (tmp_path / "file").write_text("")
        self.raises(rl.errors.SettingError, "can't be written", model, data, output=tmp_path / "file" / "fit.nc")

    def test_backend_not_installed(self, model, data, monkeypatch):
        import importlib.util

        found = importlib.util.find_spec
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "numpyro" else found(name))
        self.raises(
            rl.errors.BackendMissingError,
            r"needs 'numpyro', not installed.*pip install \"rlbackends\[numpyro\]\"",
            model,
            data,
        )

    def test_a_backend_that_disagrees_does_not_start(self, model, data, monkeypatch):
        import rlbackends.backends.numpyro as numpyro_backend

        class Wrong(ReferenceEngine):
            name = "numpyro"

            def log_likelihood(self, params):
                found = super().log_likelihood(params)
                return {name: values + 1e-9 for name, values in found.items()}

        monkeypatch.setattr(numpyro_backend, "Engine", Wrong)
        self.raises(
            rl.errors.BackendError, "disagrees with the reference.*(?s:.*)part at subject s1, trial 1", model, data
        )

    def test_an_action_that_was_not_available(self, data):
        def choice(q, allowed, beta):
            return rl.Categorical(logits=beta * q, available=rl.one_hot(allowed, q) < 0.5)

        model = rl.Model(
            "constrained",
            parameters={"beta": rl.Parameter(rl.Positive())},
            states={"q": rl.State("action")},
            trial={"allowed": rl.Index("action"), "choice": choice},
            update=lambda q: {},
            sizes={"action": 2},
        )
        levels = {"allowed": range(2), "choice": range(2)}
        trials = rl.Trials.from_arrays(subjects=[4], allowed=[[0, 1, 1]], choice=[[1, 0, 1]], levels=levels)
        self.raises(rl.errors.DataError, "'choice' of subject 4 on trial 3 has probability 0", model, trials)
