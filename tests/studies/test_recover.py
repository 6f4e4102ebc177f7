"""Recovery: what is compared is what was drawn and fitted; what can't work is said before anything is simulated."""

import gc
import io

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.errors import BackendError, ModelError, ParameterError, SettingError
from rlbackends.studies import bench
from rlbackends.studies.truth import TruthReader, prior_truth
from tests.studies.exact_sampler import BACKEND, POPULATION, TASK, normal_model, posterior

MODEL = normal_model()
TRUTH = {"mu": [-1.0, 0.2, 1.3]}
EXACT = dict(
    backend=BACKEND, population=POPULATION, draws=60, tune=1, chains=2, progress="off", certificate_points=1
)  # fmt: skip


def recover(**changes):
    """Run a small recovery with the exact sampler."""
    return rl.recover(MODEL, **{"task": TASK, "truth": TRUTH, "repeats": 3, **EXACT, **changes})


@pytest.fixture(scope="module")
def recovery(tmp_path_factory):
    """Return a recovery of three data sets, and its folder."""
    return recover(folder=tmp_path_factory.mktemp("studies") / "three")


# What is compared


def test_the_table_holds_what_the_fits_drew(recovery):
    table = recovery.table
    assert list(table.columns) == ["data_set", "subject", "parameter", "true", "mean", "sd", "low", "high", "covered"]
    assert len(table) == 9 and list(recovery.fits) == [1, 2, 3] and not recovery.failed
    for number, fit in recovery.fits.items():
        draws = fit.tree["posterior"]["mu"].values.reshape(120, 3)
        for subject, column, true in zip([1, 2, 3], draws.T, TRUTH["mu"], strict=True):
            (row,) = table[(table.data_set == number) & (table.subject == subject)].to_dict("records")
            low, high = np.quantile(column, [0.055, 0.945])
            assert (row["true"], row["parameter"]) == (true, "mu")
            np.testing.assert_allclose(
                [row["mean"], row["sd"], row["low"], row["high"]], [column.mean(), column.std(ddof=1), low, high]
            )
            assert row["covered"] == (low < true < high)


def test_the_summary_is_the_plain_arithmetic_of_the_table(recovery):
    table, row = recovery.table, recovery.summary().loc["mu"]
    error = table["mean"] - table["true"]
    assert row["n"] == 9
    assert row["correlation"] == pytest.approx(np.corrcoef(table["mean"], table["true"])[0, 1])
    assert row["bias"] == pytest.approx(sum(error) / 9)
    assert row["rmse"] == pytest.approx((sum(error**2) / 9) ** 0.5)
    hits = [int(table[table.data_set == number]["covered"].sum()) for number in (1, 2, 3)]
    assert row["coverage"] == pytest.approx(sum(hits) / 9)
    over_sets = np.std([h / 3 for h in hits], ddof=1) / 3**0.5
    smooth = (sum(hits) + 1) / 11
    assert row["coverage_se"] == pytest.approx(max(over_sets, (smooth * (1 - smooth) / 9) ** 0.5))
    assert recovery.summary().attrs["interval"] == 0.89


def test_the_fits_are_of_data_that_the_truth_made(recovery):
    for number, fit in recovery.fits.items():
        played = rl.simulate(MODEL, TASK, TRUTH, seed=(0, number), backend="reference")
        np.testing.assert_allclose(fit.data.values["y"], played.events["y"])
        mean, _ = posterior(played.events["y"])
        np.testing.assert_allclose(fit.posterior_mean()["mu"], mean, atol=0.2)
        assert fit.certificate.holds and fit.certificate.posterior is not None


def test_what_is_told_of_the_fits(recovery):
    text = repr(recovery)
    assert text.startswith("Recovery(narrow on exact: 3 data sets of 3 subjects)")
    assert "89 % intervals. 3 fits, " in text and "none failed" in text
    diagnostics = recovery.diagnostics
    assert list(diagnostics.index) == [1, 2, 3]
    for number, fit in recovery.fits.items():
        assert diagnostics.loc[number, "ess_bulk_min"] == fit.diagnostics["ess_bulk_min"]
        assert diagnostics.loc[number, "divergences"] == fit.diagnostics["divergences"]
    assert set(recovery.time) == {"wall", "fits", "per_fit", "compile", "processes"}
    assert "log_likelihood" not in fit.tree.children


def test_a_data_set_does_not_depend_on_how_many_there_are(recovery):
    one = recover(repeats=1)
    expected = recovery.table[recovery.table.data_set == 1].reset_index(drop=True)
    assert one.table.equals(expected)
    assert not recover(repeats=1, seed=1).table.equals(expected)


def test_subjects_are_compared_by_label():
    truth = {"mu": {"s10": 3.0, "s2": -3.0, "s1": 0.0}}  # data put s10 last
    table = recover(truth=truth, repeats=1).table
    assert list(table.subject) == ["s1", "s2", "s10"]
    assert list(table.true) == [0.0, -3.0, 3.0]
    assert abs(table["mean"] - table["true"]).max() < 2.0


def test_another_interval_needs_no_new_fit(recovery):
    before = [recovery.fits.path(number).stat().st_mtime_ns for number in recovery.fits]
    half = recover(folder=recovery.fits.folder, interval=0.5)
    assert [half.fits.path(number).stat().st_mtime_ns for number in half.fits] == before
    draws = half.fits[1].tree["posterior"]["mu"].values.reshape(120, 3)
    np.testing.assert_allclose(half.table["low"][:3], np.quantile(draws, 0.25, axis=0))


def test_the_picture_has_the_tables_numbers(recovery):
    figure = recovery.plot()
    (panel,) = figure.axes
    points = next(line for line in panel.lines if line.get_label() == "exact")
    np.testing.assert_array_equal(points.get_xdata(), recovery.table["true"])
    np.testing.assert_array_equal(points.get_ydata(), recovery.table["mean"])
    (bars,) = panel.collections
    np.testing.assert_array_equal([bar[:, 1] for bar in bars.get_segments()], recovery.table[["low", "high"]])
    assert panel.get_ylabel() == "posterior mean, 89 % interval"
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=50)
    assert file.getvalue().startswith(b"\x89PNG")
    two = rl.plots.plot_recovery({"a": recovery, "b": recovery})
    assert [text.get_text() for text in two.legends[0].get_texts()] == ["a", "b", "estimate = truth"]
    with pytest.raises(SettingError, match="a Recovery without"):
        rl.plots.plot_recovery(recovery, TRUTH)


# Truths


def test_a_truth_is_a_number_or_a_value_each_or_a_prior_or_a_function():
    model = rl.catalogue.rescorla_wagner()
    given = {"alpha": rl.priors.Beta(5, 5), "beta": lambda rng, n_subjects: rng.gamma(9, 1 / 3, n_subjects)}
    reader = TruthReader("recover", model, given, [1, 2, 3, 4])
    one, two = reader.draw((0, 1)).params, reader.draw((0, 2)).params
    for name in ("alpha", "beta"):
        assert one[name].shape == (4,) and len(set(one[name])) == 4
        assert not np.array_equal(one[name], two[name])
        np.testing.assert_array_equal(one[name], reader.draw((0, 1)).params[name])
    # What the other parameter is, is no matter.
    other = TruthReader("recover", model, given | {"beta": 2}, [1, 2, 3, 4]).draw((0, 1)).params
    np.testing.assert_array_equal(other["alpha"], one["alpha"])
    np.testing.assert_array_equal(other["beta"], np.full(4, 2.0))


def test_the_prior_draws_groups_and_their_subjects():
    model = rl.catalogue.rescorla_wagner()
    layout = rl.Population("partial", beta="complete").layout(model, [1, 2, 3])
    truth = prior_truth(layout, (0, 1))
    assert set(truth.group) == {"alpha_location", "alpha_sd", "beta_location"}
    assert len(set(truth.params["alpha"])) == 3
    np.testing.assert_allclose(truth.params["beta"], np.exp(truth.group["beta_location"]))


def test_without_a_truth_it_comes_from_the_populations_prior():
    found = recover(truth=None, subjects=2, repeats=2)
    layout = POPULATION.layout(MODEL, [1, 2])
    expected = np.concatenate([prior_truth(layout, (0, number)).params["mu"] for number in (1, 2)])
    np.testing.assert_array_equal(found.table["true"], expected)


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        ({"mu": 0.1, "nu": 1.0}, "'nu' is no parameter of model 'narrow', which has 'mu'. Did you mean 'mu'"),
        ({}, "there is no value for 'mu'"),
        ({"mu": [0.1, 0.2]}, r"'mu' has shape \(2,\), expected one number, or one per subject \(3,\)"),
        ({"mu": {1: 0.1, 2: 0.2}}, "'mu' has no value for subject '3'"),
        ({"mu": "high"}, "'mu' is 'high', expected a number"),
        ({"mu": np.inf}, "'mu' is inf for subject 1, which is outside its support"),
        ({"mu": lambda rng, n: rng.random(n)}, "the function of 'mu' asks for 'n'; there are 'rng' and 'n_subjects'"),
        ({"mu": lambda rng: rng.random(5)}, r"'mu' has shape \(5,\)"),
        ([0.1], r"is \[0.1\], expected a mapping from parameter to values"),
    ],
)
def test_a_truth_that_does_not_fit_is_refused_before_anything_is_simulated(truth, words, tmp_path):
    with pytest.raises(ParameterError, match=f"recover: truth.*{words}"):
        recover(truth=truth, subjects=3, folder=tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_all_faults_of_a_truth_are_told_at_once():
    model = rl.catalogue.rescorla_wagner()
    with pytest.raises(ParameterError, match=r"'gamma' is no parameter.*no value for 'beta'.*'alpha' is 1.5"):
        rl.recover(model, rl.tasks.bandit(), backend=BACKEND, truth={"alpha": 1.5, "gamma": 1.0})
    with pytest.raises(ParameterError, match=r"'alpha' is .* outside its support"):  # of a prior, as it is drawn
        rl.recover(model, rl.tasks.bandit(), backend=BACKEND, truth={"alpha": rl.priors.Normal(5, 1), "beta": 1.0})


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"repeats": 0}, SettingError, "repeats is 0, expected a whole number of at least 1"),
        ({"interval": 1.0}, SettingError, "interval is 1.0"),
        ({"task": None}, SettingError, "there is no task"),
        ({"task": rl.tasks.bandit()}, ModelError, "needs the response 'y'"),
        ({"trials": 0}, SettingError, "trials is 0"),
        ({"draws": 0}, SettingError, "draws is 0"),
        ({"seed": -1}, SettingError, "seed is"),
        ({"output": "a.nc"}, SettingError, "'output' is not a setting of a study's single fits"),
        ({"backend": "reference"}, SettingError, "does not sample"),
        ({"population": rl.Population(nu=1.0)}, ModelError, "no parameter 'nu'"),
        ({"population": rl.Population(mu=0.5)}, ParameterError, "nothing is compared"),
        ({"fit_model": normal_model("wide", 4.0), "truth": None}, ParameterError, "there is no truth"),
    ],
)
def test_what_can_be_known_to_fail_fails_before_anything_is_simulated(changes, error, words, tmp_path):
    with pytest.raises(error, match=words):
        recover(**changes, folder=tmp_path / "study")
    assert not (tmp_path / "study").exists()


# Data that are there


def test_a_simulation_is_recovered_in_one_call():
    played = rl.simulate(MODEL, TASK, TRUTH, subjects=["s10", "s2", "s1"], backend="reference")
    found = rl.recover(MODEL, data=played, **EXACT)
    assert dict(zip(found.table.subject, found.table.true, strict=True)) == {"s1": 1.3, "s2": 0.2, "s10": -1.0}
    mean = dict(zip(played.subjects, posterior(played.events["y"])[0], strict=True))
    np.testing.assert_allclose(found.table["mean"], [mean[label] for label in found.table.subject], atol=0.2)


def test_a_truth_that_varies_over_trials_is_refused():
    played = rl.simulate(MODEL, TASK, {"mu": np.linspace(0, 1, 8).reshape(2, 4)}, backend="reference")
    with pytest.raises(ParameterError, match="'mu' varies over trials, expected one number per subject"):
        rl.recover(MODEL, data=played, **EXACT)


def test_trials_are_recovered_with_the_truth_beside_them():
    trials = rl.simulate(MODEL, TASK, TRUTH, backend="reference").data
    found = rl.recover(MODEL, data=trials, truth=TRUTH, **EXACT)
    assert list(found.table["true"]) == TRUTH["mu"]
    with pytest.raises(ParameterError, match="there is no truth; trials don't know it"):
        rl.recover(MODEL, data=trials, **EXACT)
    with pytest.raises(ParameterError, match=r"'mu' has shape \(2,\)"):
        rl.recover(MODEL, data=trials, truth={"mu": [1.0, 2.0]}, **EXACT)
    with pytest.raises(ParameterError, match="'mu' is a distribution, expected the values that the data come from"):
        rl.recover(MODEL, data=trials, truth={"mu": rl.priors.Normal(0, 1)}, **EXACT)
    with pytest.raises(SettingError, match="'task' and 'repeats' can't be given with data"):
        rl.recover(MODEL, TASK, data=trials, truth=TRUTH, repeats=2, **EXACT)
    with pytest.raises(SettingError, match=r"data is 'prl.csv', expected a rl.Simulation or rl.Trials"):
        rl.recover(MODEL, data="prl.csv", truth=TRUTH, **EXACT)


def test_another_model_than_the_one_that_plays_can_be_fitted():
    found = recover(fit_model=normal_model("wide", 4.0), repeats=1)
    assert found.model.name == "wide" and found.fits[1].model.name == "wide"
    played = rl.simulate(MODEL, TASK, TRUTH, seed=(0, 1), backend="reference")
    np.testing.assert_allclose(found.table["mean"], posterior(played.events["y"], sd=4.0)[0], atol=0.35)


# A study


def test_a_fit_that_fails_is_left_out_and_told():
    found = recover(repeats=6, sampler_settings={"fails_below": 1.0})
    assert 0 < len(found.failed) < 6 and set(found.failed) | set(found.fits) == {1, 2, 3, 4, 5, 6}
    assert set(found.table.data_set) == set(found.fits)
    assert f"{len(found.failed)} more failed" in repr(found)
    lost = next(iter(found.failed))
    assert found.failed[lost].message == "the sum is too low"
    with pytest.raises(KeyError, match="the sum is too low"):
        found.fits[lost]
    with pytest.raises(KeyError, match="no fit of the study"):
        found.fits[7]


def test_if_all_fits_fail_there_is_an_error():
    with pytest.raises(BackendError, match="all 3 fits failed; the first with RuntimeError: the sum is too low"):
        recover(sampler_settings={"fails_below": np.inf})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 1}, "seed: the folder has 0, asked for was 1"),
        ({"truth": {"mu": [0.0, 0.2, 1.3]}}, "truth: "),
        ({"draws": 61}, "settings.draws: the folder has 60, asked for was 61"),
        ({"trials": 5}, "trials: "),
        ({"repeats": 4}, "repeats: "),
        ({"task": rl.tasks.Task("sit", trial={"y": rl.Real(), "z": lambda y: y + 1}, n_trials=4)}, "tasks.narrow: "),
        ({"population": rl.Population("none")}, "populations.narrow"),
    ],
)
def test_a_folder_holds_one_study(recovery, changes, words):
    with pytest.raises(SettingError, match=words):
        recover(folder=recovery.fits.folder, **changes)


def test_a_study_is_not_continued_with_other_versions(recovery, monkeypatch):
    now = bench.library_versions(BACKEND.packages)
    assert {"rlbackends", "numpy"} <= set(now)
    monkeypatch.setattr(bench, "library_versions", lambda packages: now | {"numpy": "1.0"})
    words = r'versions.numpy: .*asked for was "1.0"(.|\n)*Other versions may draw other'
    with pytest.raises(SettingError, match=words):
        recover(folder=recovery.fits.folder)


def test_versions_are_those_of_the_backends_libraries():
    from rlbackends.backends import BACKENDS

    libraries = {"numpyro": {"jax", "jaxlib", "numpyro"}, "pymc": {"pymc", "pytensor", "nutpie", "numba"}}
    for name, packages in libraries.items():
        if BACKENDS[name].is_installed:
            assert packages <= set(bench.library_versions(BACKENDS[name].packages))


def test_settings_that_change_nothing_do_not_make_another_study(recovery):
    again = recover(folder=recovery.fits.folder, cores=1, max_tree_depth=10)
    assert again.table.equals(recovery.table)


def test_a_temporary_folder_goes_with_the_result():
    found = recover(repeats=1)
    folder = found.fits.folder
    assert folder.is_dir() and found.fits[1].model.name == "narrow"
    del found
    gc.collect()
    assert not folder.exists()


SMALL = dict(subjects=3, trials=15, draws=50, tune=50, chains=2, progress="off", certificate_points=1)
DRAWN = {"alpha": rl.priors.Beta(5, 5), "beta": lambda rng, n_subjects: rng.gamma(9, 1 / 3, n_subjects)}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpyro", "pymc"])
def test_the_tables_are_the_same_whatever_the_workers(backend):
    model, task = rl.catalogue.rescorla_wagner(), rl.tasks.bandit()
    one, two = (
        rl.recover(model, task, truth=DRAWN, backend=backend, repeats=4, workers=workers, **SMALL) for workers in (1, 2)
    )
    assert one.table.equals(two.table)
    assert one.time["processes"] == 1 and two.time["processes"] == 2
