"""What estimates hold, how they are saved, and what is refused before anything is searched."""

import importlib.util

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.backends import Backend
from rlbackends.data.faults import DataWarning
from rlbackends.errors import BackendError, BackendMissingError, DataError, ModelError, SettingError
from rlbackends.inference.result import ConvergenceWarning

FAST = {"backend": "reference", "progress": "off", "starts": 2, "certificate_points": 1}
NUMPYRO = pytest.mark.skipif(not importlib.util.find_spec("numpyro"), reason="needs numpyro")


def same(one, other):
    """Assert that two estimates hold the same."""
    assert repr(one) == repr(other) and one.subjects == other.subjects and one.settings == other.settings
    for name in ("params", "standard_errors", "link_scale", "link_standard_errors"):
        first, second = getattr(one, name), getattr(other, name)
        assert list(first) == list(second)
        assert all(np.array_equal(first[key], second[key], equal_nan=True) for key in first)
    for name in ("log_likelihood", "n_observations", "converged", "reached", "at_bound", "identified", "covariance"):
        assert np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True), name
        assert getattr(other, name).dtype == getattr(one, name).dtype


@pytest.fixture(scope="module")
def found(few):
    return rl.estimate(few.model, few.data, **FAST)


def test_what_is_held(found, few):
    assert found.model.name == "rescorla_wagner" and found.method == "map" and found.backend == "reference"
    assert found.subjects == (1, 2, 3) and found.data_digest == found.data.digest == few.data.bind(few.model).digest
    assert found.n_observations.tolist() == [40] * 3
    assert repr(found).startswith("Estimates(rescorla_wagner by maximum a posteriori on reference: 3 subjects × 2 para")
    assert found.settings["starts"] == 2 and found.settings["evaluations"] > 0
    assert found.covariance.shape == (3, 2, 2)
    errors = np.sqrt(np.diagonal(found.covariance, axis1=1, axis2=2))
    assert np.allclose(errors[:, 1], found.link_standard_errors["beta"])
    # The delta method by hand, of a log link.
    assert np.allclose(found.standard_errors["beta"], found.params["beta"] * found.link_standard_errors["beta"])
    for array in (found.params["alpha"], found.log_likelihood, found.converged):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_the_certificate_is_at_prior_draws_and_at_the_estimates(found):
    assert found.certificate.holds and found.certificate.at == "estimates"
    assert "at estimates: agrees with the reference" in str(found.certificate)
    assert "gradient by subject" in str(found.certificate)
    total = found.certificate.posterior.log_likelihood[0]
    assert np.isclose(total, found.log_likelihood.sum(), rtol=1e-12)


def test_tables(found):
    by_parameter = found.frame()
    assert list(by_parameter.columns[:4]) == ["subject", "parameter", "estimate", "standard_error"]
    assert by_parameter["subject"].tolist() == [1, 1, 2, 2, 3, 3]
    assert by_parameter["parameter"].tolist() == ["alpha", "beta"] * 3
    assert by_parameter["estimate"][2] == found.params["alpha"][1]
    by_subject = found.frame("subject")
    assert by_subject.shape[0] == 3 and by_subject["beta_standard_error"][0] == found.standard_errors["beta"][0]
    assert np.allclose(by_subject["bic"], 2 * np.log(40) - 2 * found.log_likelihood)
    summary = found.summary()
    assert list(summary.index) == ["alpha", "beta"] and np.isclose(summary["mean"]["beta"], found.params["beta"].mean())
    for call in (lambda: found.frame("trial"), lambda: found.aic("trial"), lambda: found.bic("trial")):
        with pytest.raises(SettingError, match="by is 'trial', expected"):
            call()


def test_saved_and_loaded(found, tmp_path):
    path = found.save(tmp_path / "estimates.nc")
    again = rl.load(path)
    assert isinstance(again, rl.Estimates)
    same(found, again)
    assert np.array_equal(again.log_evidence, found.log_evidence) and again.group is None
    assert again.data.digest == found.data.digest and str(again.certificate) == str(found.certificate)
    with pytest.raises(SettingError, match="exists"):
        found.save(path)
    found.save(path, overwrite=True)


def test_the_same_seed_gives_the_same_and_starts_agree(found, few):
    same(found, rl.estimate(few.model, few.data, **FAST))
    other = rl.estimate(few.model, few.data, **FAST | {"seed": 5, "starts": 3})
    assert np.allclose(other.params["alpha"], found.params["alpha"], atol=1e-7)


@NUMPYRO
def test_backends_find_the_same(few, tmp_path):
    settings = FAST | {"backend": "numpyro"}
    for method in ("ml", "map"):
        fast = rl.estimate(few.model, few.data, method=method, **settings)
        plain = rl.estimate(few.model, few.data, method=method, **FAST)
        for name in ("alpha", "beta"):
            assert np.allclose(fast.params[name], plain.params[name], atol=1e-7)
            assert np.allclose(fast.standard_errors[name], plain.standard_errors[name], rtol=1e-5, equal_nan=True)
    em = rl.estimate(few.model, few.data, method="em", samples=50, **settings)
    again = rl.load(em.save(tmp_path / "em.nc"))
    same(em, again)
    assert again.group.to_data() == em.group.to_data()
    assert {"group", "location", "group_sd"} <= set(em.summary().columns)
    assert em.settings["samples"] == 50 and "log evidence" in repr(em)


def test_each_subject_is_alone(few):
    # Estimates of one subject don't depend on who else is there.
    alone = rl.estimate(few.model, few.data.select([2]), **FAST)
    together = rl.estimate(few.model, few.data, **FAST)
    assert abs(alone.params["beta"][0] - together.params["beta"][1]) < 1e-7
    assert abs(alone.log_evidence[0] - together.log_evidence[1]) < 1e-6


def test_a_subject_without_a_response_is_blank(gaussian):
    y = gaussian.y[:3].copy()
    y[1] = np.nan
    with pytest.warns(DataWarning, match="no response at all"):
        data = rl.Trials.from_arrays(y=y).bind(gaussian.model)
    for method in ("ml", "map", "em"):
        found = rl.estimate(gaussian.model, data, method=method, samples=20, **FAST)
        assert np.isnan(found.params["mu"]).tolist() == [False, True, False]
        assert found.converged.tolist() == found.identified.tolist() == [True, False, True]
        assert found.n_observations.tolist() == [25, 0, 25] and "1 without a response" in repr(found)
        assert np.isnan(found.log_likelihood[1]) and np.isfinite(found.bic()) and np.isfinite(found.aic())
        assert found.unidentified == {}
        assert found.frame("subject")["reached"][1] == 0 and np.isfinite(found.summary()["mean"]["mu"])
    assert np.isclose(found.group.location["mu"], gaussian.y[[0, 2]].mean(), atol=1e-6)


def test_a_group_needs_two(gaussian):
    with pytest.raises(DataError, match="1 of 1 subjects responded, expected at least 2"):
        rl.estimate(gaussian.model, gaussian.data.select([1]), method="em", **FAST)


def test_held_out_responses_do_not_count(gaussian):
    held = np.zeros((8, 25), dtype=bool)
    held[:, 10:] = True
    bound = gaussian.data.bind(gaussian.model).holding_out(held)
    found = rl.estimate(gaussian.model, bound, method="ml", **FAST)
    assert np.allclose(found.params["mu"], gaussian.y[:, :10].mean(axis=1)) and (found.n_observations == 10).all()
    assert np.allclose(found.standard_errors["mu"], 2 / np.sqrt(10), atol=1e-7)


def test_nothing_to_estimate(gaussian):
    found = rl.estimate(gaussian.model, gaussian.data, population=rl.Population("none", mu=1.0), method="map", **FAST)
    assert found.link_scale == {} and found.params["mu"].tolist() == [1.0] * 8 and found.converged.all()
    assert np.allclose(found.log_evidence, found.log_likelihood) and found.aic() == -2 * found.log_likelihood.sum()
    assert len(found.frame()) == 0 and len(found.frame("subject")) == 8


# What is refused


def test_all_settings_are_told_at_once(gaussian):
    with pytest.raises(SettingError) as error:
        rl.estimate(gaussian.model, gaussian.data, method="mle", starts=0, seed=-1, samples=1.5, covariance="banded")
    for words in (
        "method is 'mle', expected 'ml', 'map' and 'em'. Did you mean 'ml'?", "starts is 0", "seed is -1",
        "samples is 1.5", "covariance is 'banded'",
    ):  # fmt: skip
        assert words in str(error.value)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"covariance": "full"}, SettingError, "only method='em' has one"),
        ({"progress": "loud"}, SettingError, "progress is 'loud'"),
        ({"backend": "stan"}, BackendError, "there is no backend 'stan'"),
        ({"gathr": "auto"}, SettingError, "no setting 'gathr'"),
        ({"population": rl.Population(a=1.0)}, ModelError, "no parameter 'a'"),
        ({"population": rl.Population(mu=rl.Pooling(link="log"))}, ModelError, "link of 'mu' is 'log'"),
        ({"population": rl.Population("complete")}, ModelError, "'mu' is pooled 'complete'"),
        ({"population": rl.Population(mu="~ group")}, ModelError, "'mu' has 'formula', which point estimates"),
        (
            {"population": rl.Population(mu=rl.Pooling(sd=rl.priors.HalfNormal(1)))},
            ModelError,
            "'mu' has priors of 'sd', which are a group's, and method 'map' estimates each subject alone",
        ),
        (
            {"population": rl.Population(mu=rl.Pooling(location=rl.priors.Normal(0, 1))), "method": "em"},
            ModelError,
            "method 'em' finds the group by maximum likelihood, without priors",
        ),
        (
            {"population": rl.Population(mu=rl.Pooling("none", prior=rl.priors.Normal(0, 1))), "method": "em"},
            ModelError,
            "'mu' has a prior of its own",
        ),
    ],
)
def test_what_has_no_meaning(gaussian, settings, error, words):
    with pytest.raises(error) as raised:
        rl.estimate(gaussian.model, gaussian.data, **FAST | settings)
    assert words in str(raised.value)


def test_links_of_a_pooled_population_are_taken(coin):
    data = rl.Trials.from_arrays(y=[[1.0, 0.0, 1.0]])
    found = rl.estimate(coin, data, population=rl.Population(p=rl.Pooling(link="logit")), method="ml", **FAST)
    assert np.isclose(found.link_scale["p"][0], np.log(2))


def test_without_a_fast_backend(gaussian, monkeypatch):
    monkeypatch.setattr(Backend, "is_installed", property(lambda row: row.name == "reference"))
    with pytest.raises(BackendMissingError, match="pass backend='reference'"):
        rl.estimate(gaussian.model, gaussian.data)


ENGINE = '''
from rlbackends.backends.reference import Engine as Sound

class Engine(Sound):
    name = "mine"

    def value_and_gradient_draws(self, params):
        value, gradient = super().value_and_gradient_draws(params)
        return value, {name: 1.001 * slope for name, slope in gradient.items()}
'''


def test_a_backend_that_disagrees_does_not_start(gaussian, tmp_path, monkeypatch):
    (tmp_path / "my_skewed_engine.py").write_text(ENGINE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    row = Backend("mine", "my_skewed_engine")
    with pytest.raises(BackendError, match="'mine' disagrees with the reference on these data, so no search starts"):
        rl.estimate(gaussian.model, gaussian.data, **FAST | {"backend": row})


def test_too_few_iterations_are_told(gaussian):
    settings = FAST | {"method": "em", "samples": 2, "max_iterations": 1}
    with pytest.warns(ConvergenceWarning, match="the group still moved after .* steps; raise max_iterations"):
        found = rl.estimate(gaussian.model, gaussian.data, **settings)
    assert not found.group.converged


def test_long_runs_say_how_far_they_are(gaussian, monkeypatch, capsys):
    from rlbackends.inference.estimates import telling

    monkeypatch.setattr(telling, "_FIRST_SECONDS", 0.0)
    rl.estimate(gaussian.model, gaussian.data, **FAST | {"progress": "auto"})
    assert "gaussian on reference · map · 0 steps, 16 of 16 searches run" in capsys.readouterr().err
    rl.estimate(gaussian.model, gaussian.data, **FAST)
    assert capsys.readouterr().err == ""


def test_the_docstring_is_true():
    import doctest

    from rlbackends.inference.estimates import estimate

    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(estimate, "estimate", module=False, globs={})
    assert doctest.DocTestRunner().run(example).failed == 0
