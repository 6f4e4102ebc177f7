"""`rl.check`: the table, its verdict, and where backends part."""

from __future__ import annotations

import pytest

import rlbackends as rl
from rlbackends.backends.reference import Engine as ReferenceEngine


def test_all_backends_agree(model, data):
    report = rl.check(model, data, {"alpha": 0.3, "beta": 2.0}, points=1, backends=["numpyro"])
    assert report.agrees
    assert list(report.log_likelihood) == ["reference", "numpyro"]
    assert report.log_likelihood["numpyro"] == pytest.approx(report.log_likelihood["reference"], rel=1e-13)
    for word in ("trajectories", "log-likelihood per trial", "gradient", "joint density", "All agree"):
        assert word in str(report)


def test_the_first_trial_where_they_part_is_said(model, data, monkeypatch):
    import rlbackends.backends.numpyro as numpyro_backend

    class Late(ReferenceEngine):
        name = "numpyro"

        def trajectories(self, params):
            found = super().trajectories(params)
            found["q"][2, 10:] += 1e-6
            return found

    monkeypatch.setattr(numpyro_backend, "Engine", Late)
    report = rl.check(model, data, backends=["numpyro"])
    assert not report.agrees
    assert (report.comparisons[0].parting.subject, report.comparisons[0].parting.trial_number) == ("s3", 11)
    assert "numpyro and the reference part at subject s3, trial 11: 'q' is" in str(report)
    with pytest.raises(AssertionError, match="part at subject s3, trial 11"):
        rl.testing.assert_backends_agree(model, data, backends=["numpyro"])


def test_nothing_to_compare_is_no_agreement(model, data):
    assert "nothing was compared" in str(rl.check(model, data, backends=[]))
    with pytest.raises(AssertionError, match="nothing was compared"):
        rl.testing.assert_backends_agree(model, data, backends=["reference"])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha": 0.3}, "no value for 'beta'"),
        ({"alfa": 0.3, "beta": 1.0}, "'alfa' is no parameter.*Did you mean 'alpha'"),
        ({"alpha": 1.3, "beta": 1.0}, r"'alpha' is 1.3 for subject s1, which is outside its support \(0, 1\)"),
        ({"alpha": [0.1, 0.2], "beta": 1.0}, r"'alpha' has shape \(2,\), expected one number, one per subject \(5,\)"),
        ({"alpha": {"s1": 0.1}, "beta": 1.0}, "'alpha' has no value for subject 's2'"),
        ({"alpha": "much", "beta": 1.0}, "'alpha' is 'much', expected numbers"),
        ({"alpha": float("nan"), "beta": 1.0}, "'alpha' is nan"),
    ],
)
def test_bad_parameters(model, data, params, message):
    with pytest.raises(rl.errors.ParameterError, match=message):
        rl.check(model, data, params, backends=[])


def test_settings_of_check(model, data):
    with pytest.raises(rl.errors.SettingError, match="points is 0"):
        rl.check(model, data, points=0)
    with pytest.raises(rl.errors.BackendError, match="no backend 'stan'"):
        rl.check(model, data, backends=["stan"])
