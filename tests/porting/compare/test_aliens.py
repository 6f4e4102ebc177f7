"""The published notebook on the aliens' data: each choice paired with the previous trial's stimulus."""

import numpy as np
import pytest

import rlbackends as rl

PARAMS = {"alpha": 0.15, "beta": 1.25, "forgetting": 0.06}


@pytest.fixture(scope="module")
def trials(shared_data):
    files = {"season": "seasons", "alien": "aliens", "choice": "actions", "reward": "rewards"}
    return rl.read_trials({event: shared_data / "aliens" / f"{name}.csv" for event, name in files.items()})


def notebook(shared_data, lag):
    """Return the notebook's likelihood, from the files, with the values of the stimulus ``lag`` trials before."""
    names = ("seasons", "aliens", "actions", "rewards")
    season, alien, action, reward = (
        np.loadtxt(shared_data / "aliens" / f"{name}.csv", delimiter=",", skiprows=1) for name in names
    )
    season, alien, action = (x.astype(int) for x in (season, alien, action))
    n_trials, n_subj = action.shape
    who = np.arange(n_subj)

    def likelihood(params):
        alpha, beta, forget = (params[name] for name in ("alpha", "beta", "forgetting"))
        q, found = np.full((n_subj, 3, 4, 3), 0.12), np.zeros((n_trials, n_subj))
        for t in range(n_trials):
            shown = max(t - lag, 0)
            x = beta[:, None] * q[who, season[shown], alien[shown]]
            found[t] = x[who, action[t]] - np.log(np.exp(x).sum(axis=1))
            q = (1 - forget)[:, None, None, None] * q + forget[:, None, None, None] * 0.12
            used = (who, season[t], alien[t], action[t])
            q[used] += alpha * (reward[t] - q[used])
        return found

    return likelihood


@pytest.mark.slow
def test_the_notebook_s_mistake_is_named(shared_data, trials):
    report = rl.compare_likelihood(rl.catalogue.aliens(), trials, notebook(shared_data, 1), PARAMS, backend="numpyro")
    assert [round(value, 1) for value in report.sums[0]] == [-12471.5, -21522.7]
    first = report.explanations[0]
    assert first.mistake == "another trial's stimulus" and first.explains
    assert "of the trial before, with this trial's values" in first.detail
    assert (report.parting.subject, report.parting.trial_number) == (0, 2)


@pytest.mark.slow
def test_without_it_the_two_are_the_same(shared_data, trials):
    report = rl.compare_likelihood(rl.catalogue.aliens(), trials, notebook(shared_data, 0), PARAMS, backend="numpyro")
    assert report.same and report.n_responses == 13640


@pytest.mark.slow
def test_a_header_read_from_the_first_row_is_named(shared_data, trials):
    # As pd.read_csv does with a file that has no header: the first trial of everyone is gone.
    names = {"season": "seasons", "alien": "aliens", "choice": "actions", "reward": "rewards"}
    arrays = {
        event: np.loadtxt(shared_data / "aliens" / f"{name}.csv", delimiter=",", skiprows=2).T
        for event, name in names.items()
    }
    eaten = rl.Trials.from_arrays(subjects=range(31), **arrays)
    compiled = rl.compile(rl.catalogue.aliens(), eaten, "numpyro")
    found = compiled.log_likelihood(PARAMS)["choice"].values
    report = rl.compare_likelihood(rl.catalogue.aliens(), trials, found.T, PARAMS, backend="numpyro")
    first = report.explanations[0]
    assert first.mistake == "a trial dropped" and first.explains and "header" in first.detail, str(report)


@pytest.mark.slow
def test_the_initial_value_is_found_from_totals_alone(shared_data, trials):
    old = notebook(shared_data, 0)
    model = rl.catalogue.aliens(initial=0.5)  # of which the notebook has 0.12, where values start and are forgotten to
    report = rl.compare_likelihood(model, trials, lambda params: old(params).sum(), backend="numpyro")
    assert report.explanations[0].mistake == "another initial value" and report.explanations[0].explains
    assert report.explanations[0].detail == "'q' starts at, and is forgotten toward, 0.12"
