"""Each mistake, planted in an old likelihood, is named first; the correct one is called the same."""

import legacy
import pytest

import rlbackends as rl

PARAMS = {"alpha_pos": [0.2, 0.5, 0.35, 0.6, 0.15], "alpha_neg": [0.4, 0.1, 0.3, 0.25, 0.5],
          "beta": [2.0, 1.2, 0.7, 1.6, 2.4], "forgetting": [0.1, 0.05, 0.2, 0.3, 0.15]}  # fmt: skip
QUICK = ("after", "first row eaten", "bernoulli", "from one, clamped, in learning", "only the others", "starts at 0.2",
         "alphabetical", "subject means")  # fmt: skip


def compare_bandit(mistake, params=PARAMS, **settings):
    arrays = legacy.bandit_arrays()
    old = legacy.bandit(*arrays, mistake)
    model, data = legacy.bandit_model(), legacy.bandit_data(*arrays)
    return rl.compare_likelihood(model, data, old, params, **{"backend": "reference", **settings})


def test_a_correct_port_is_the_same_at_the_default_points():
    report = compare_bandit("", None)
    assert report.same and report.parting is None and report.explanations == ()
    assert len(report.sums) == 3
    assert str(report).startswith("The same: 120 responses, largest difference ")


@pytest.mark.parametrize(
    "mistake", [pytest.param(m, marks=[] if m in QUICK else pytest.mark.slow) for m in legacy.BANDIT_MISTAKES]
)
def test_a_planted_mistake_is_named_first(mistake):
    report = compare_bandit(mistake)
    assert not report.same
    found = report.explanations[0]
    assert found.mistake == legacy.BANDIT_MISTAKES[mistake], str(report)
    assert found.explains and found.share == 1.0 and not found.single_precision
    assert f"What explains it: {found.mistake}" in str(report) and "In your script: " in str(report)


@pytest.mark.parametrize("mistake", legacy.TWO_STAGE_MISTAKES)
def test_a_planted_mistake_is_named_first_with_two_choices_a_trial(mistake):
    arrays = legacy.two_stage_arrays()
    old = legacy.two_stages(**arrays, mistake=mistake, apart=mistake in ("previous stimulus", "in turn"))
    data = rl.Trials.from_arrays(**arrays)
    params = {"alpha": [0.3, 0.5, 0.2, 0.6], "beta": [2.0, 3.0, 1.5, 4.0], "lamda": [0.5, 0.2, 0.9, 0.7]}
    report = rl.compare_likelihood(legacy.two_stage_model(), data, old, params, backend="reference")
    assert report.explanations[0].mistake == legacy.TWO_STAGE_MISTAKES[mistake], str(report)
    assert report.explanations[0].explains


@pytest.mark.parametrize("apart", [False, True])
def test_two_choices_a_trial_may_be_summed_or_apart(apart):
    arrays = legacy.two_stage_arrays()
    old = legacy.two_stages(**arrays, apart=apart)
    model, data = legacy.two_stage_model(), rl.Trials.from_arrays(**arrays)
    assert rl.compare_likelihood(model, data, old, backend="reference").same


SEASON_PARAMS = {"alpha": [0.3, 0.5, 0.2, 0.6], "beta": [1.3, 0.7, 1.6, 0.9], "forgetting": [0.1, 0.05, 0.2, 0.15]}


def compare_seasons(mistake, params=SEASON_PARAMS):
    arrays = legacy.season_arrays()
    old, data = legacy.seasons(**arrays, mistake=mistake), legacy.season_data(**arrays)
    return rl.compare_likelihood(rl.catalogue.aliens(), data, old, params, backend="reference")


def test_a_correct_port_with_stimuli_is_the_same():
    assert compare_seasons("", None).same


@pytest.mark.parametrize(
    "mistake",
    [pytest.param(m, marks=[] if m == "previous stimulus" else pytest.mark.slow) for m in legacy.SEASON_MISTAKES],
)
def test_a_planted_mistake_is_named_first_with_stimuli(mistake):
    report = compare_seasons(mistake)
    found = report.explanations[0]
    assert found.mistake == legacy.SEASON_MISTAKES[mistake], str(report)
    assert found.explains and found.share == 1.0
