"""What the other gives is understood in all usual forms, and refused in words where it is not."""

import legacy
import numpy as np
import pandas as pd
import polars as pl
import pytest
import xarray as xr

import rlbackends as rl
from rlbackends.errors import DataError, ParameterError, SettingError

PARAMS = {"alpha_pos": 0.3, "alpha_neg": 0.2, "beta": 1.5, "forgetting": 0.1}


@pytest.fixture(autouse=True)
def no_long_search(monkeypatch):
    """What differs here is no mistake: nothing is to be found among pairs of them."""
    monkeypatch.setattr("rlbackends.porting.compare.search._PAIR_BUDGET", 100)


@pytest.fixture(scope="module")
def model():
    return legacy.bandit_model()


@pytest.fixture(scope="module")
def data(model):
    return legacy.bandit_data(*legacy.bandit_arrays()).bind(model)


@pytest.fixture(scope="module")
def numbers():
    # Subject × trial, by hand.
    old = legacy.bandit(*legacy.bandit_arrays())
    return old({name: np.full(5, value) for name, value in PARAMS.items()})


def compare(model, data, other, params=PARAMS, **settings):
    return rl.compare_likelihood(model, data, other, params, **{"backend": "reference", **settings})


FORMS = {
    "subject × trial": lambda x: x,
    "trial × subject": lambda x: x.T,
    "a list of lists": lambda x: x.tolist(),
    "flat": lambda x: x.ravel(),
    "a column": lambda x: x.reshape(-1, 1),
    "one array a subject": lambda x: list(x),
    "by subject": lambda x: dict(zip(legacy.BANDIT_SUBJECTS, x, strict=True)),
    "a dict": lambda x: {"log_likelihood": x},
    "a dict by response": lambda x: {"log_likelihood": {"choice": x}},
    "by response": lambda x: {"choice": x.T},
    "a dict by subject": lambda x: {"log_likelihood": dict(zip(("8", "9", "10", "11", "12"), x, strict=True))},
    "masked": lambda x: np.ma.masked_array(x, np.zeros(x.shape, bool)),
    "a list of masked arrays": lambda x: [np.ma.masked_array(row, np.zeros(24, bool)) for row in x],
    "xarray in another order": lambda x: xr.DataArray(
        x.T[:, ::-1], dims=("trial", "subject"), coords={"subject": list(legacy.BANDIT_SUBJECTS[::-1])}
    ),
    "a frame": pd.DataFrame,
    "a frame of trials in rows": lambda x: pd.DataFrame(x.T),
    "a frame with subjects as columns": lambda x: pd.DataFrame(x.T, columns=["8", "9", "10", "11", "12"]),
    "a frame whose columns are in another order": lambda x: pd.DataFrame(
        x.T[:, [2, 3, 4, 0, 1]], columns=["10", "11", "12", "8", "9"]
    ),
    "polars": lambda x: pl.DataFrame({f"trial_{t}": x[:, t] for t in range(x.shape[1])}),
    "a long frame": lambda x: pd.DataFrame({"log_likelihood": x.ravel()}),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_one_number_a_trial(model, data, numbers, form):
    report = compare(model, data, FORMS[form](numbers))
    assert report.same and report.level == "trial", str(report)
    assert report.n_responses == report.n_compared == 120


def test_sums_are_compared_as_sums(model, data, numbers):
    report = compare(model, data, numbers.sum(axis=1))
    assert report.same and report.level == "subject"
    assert "The same as far as this can tell" in str(report)
    for total in (numbers.sum(), [numbers.sum()]):
        assert compare(model, data, total).level == "total"
    other = compare(model, data, lambda params: numbers.sum() + 1.0)
    assert not other.same and other.parting.subject is None
    assert "can't say at which trial" in " ".join(str(other).split())


def test_sums_with_labels_may_be_in_any_order(model, data, numbers):
    sums = pd.Series(numbers.sum(axis=1), index=legacy.BANDIT_SUBJECTS)[[12, 8, 10, 9, 11]]
    assert compare(model, data, sums).same
    assert compare(model, data, lambda params: sums.astype("Float64")).same


def test_a_mean_of_what_is_not_put_together_is_no_explanation(model, data, numbers):
    # The mean over subjects of their sums leaves one number a subject as it is.
    report = compare(model, data, -numbers.sum(axis=1))
    assert [item.mistake for item in report.explained] == ["sign or factor"]


def test_a_sum_that_differs_names_its_subject(model, data, numbers):
    sums = numbers.sum(axis=1)
    sums[3] += 0.25
    report = compare(model, data, sums)
    assert report.parting.subject == 11 and report.parting.trial_number is None
    assert "Sums can't say at which trial" in " ".join(str(report).split())


def test_parameters_are_read_only_and_one_value_a_subject(model, data, numbers):
    seen = {}

    def other(params):
        seen.update(params)
        return numbers

    assert compare(model, data, other).same
    assert list(seen) == list(PARAMS)
    assert all(v.shape == (5,) and v.dtype == np.float64 and not v.flags.writeable for v in seen.values())


def test_states_and_records_are_compared_and_shown(model, data):
    choice, reward, block = legacy.bandit_arrays()
    q, errors = np.full((5, 24, 3), np.nan), np.full((5, 24), np.nan)
    found = np.zeros((5, 24))
    for s in range(5):
        values = np.full(3, 0.5)
        for t in range(24):
            if t and block[s, t] != block[s, t - 1]:
                values = np.full(3, 0.5)
            q[s, t] = values
            found[s, t] = np.log(legacy.softmax(1.5 * values)[choice[s, t]])
            values = 0.9 * values
            errors[s, t] = reward[s, t] - values[choice[s, t]]
            values[choice[s, t]] += (0.3 if errors[s, t] > 0 else 0.2) * errors[s, t]
    after = np.concatenate([q[:, 1:], q[:, :1]], axis=1)
    after[:, [11, 23]] = np.nan  # before a block ends the values are not known here
    report = compare(model, data, {"log_likelihood": found, "q": q, "prediction_error": errors.T})
    assert report.same and [item.same for item in report.variables] == [True, True]
    report = compare(model, data, {"log_likelihood": found, "q": after})
    assert report.same and "after each trial's update" in report.variables[0].words
    found[2, 5] -= 0.01
    q[2, 5, 1] += 0.02
    report = compare(model, data, {"log_likelihood": found, "q": q, "temperature": np.full((5, 24), 7.0)})
    parting = report.parting
    assert (parting.subject, parting.trial_number) == (10, 6)
    rows = {name: (here, yours) for name, here, yours in parting.values}
    assert np.argmax(np.abs(rows["q before learning"][1] - rows["q before learning"][0])) == 1
    assert rows["temperature"] == (None, 7.0) and rows["beta"] == (1.5, 1.5)
    assert rows["choice"][0] == str(choice[2, 5]) and rows["reward"][0] == reward[2, 5]
    assert not report.variables[0].same and "subject 10, trial 6" in report.variables[0].words
    assert "subject 10, trial 6" in str(report)


# Unequal lengths, missing trials


@pytest.fixture(scope="module")
def messy():
    """Return a model, trials with gaps, and its log-likelihoods by hand: NaN where there is no response."""
    rng = np.random.default_rng(4)
    choice = rng.integers(0, 2, (3, 10)).astype(float)
    reward = np.round(rng.uniform(0, 1, (3, 10)), 2)
    choice[0, 3] = choice[2, 5] = choice[1, 0] = np.nan
    reward[1, 4] = np.nan
    lengths = [10, 8, 9]
    data = rl.Trials.from_arrays(lengths=lengths, choice=choice, reward=reward)
    found = np.full((3, 10), np.nan)
    for s, length in enumerate(lengths):
        q = np.zeros(2)
        for t in range(length):
            if np.isnan(choice[s, t]):
                continue  # nothing to explain, nothing to learn from
            c = int(choice[s, t])
            found[s, t] = np.log(legacy.softmax(2.0 * q)[c])
            if not np.isnan(reward[s, t]):
                q[c] += 0.4 * (reward[s, t] - q[c])
    return rl.catalogue.rescorla_wagner(), data, {"alpha": 0.4, "beta": 2.0}, found, lengths


def test_missing_trials_may_be_nan_masked_zero_or_left_out(messy):
    model, data, params, found, lengths = messy
    seen = ~np.isnan(found)
    valid = np.arange(10) < np.array(lengths)[:, None]
    forms = [
        found, np.nan_to_num(found), np.ma.masked_invalid(found), found[seen], found[valid],
        [row[:n] for row, n in zip(found, lengths, strict=True)],
        [row[~np.isnan(row)] for row in found],
    ]  # fmt: skip
    for form in forms:
        report = rl.compare_likelihood(model, data, form, params, backend="reference")
        assert report.same and report.n_responses == 24, str(report)


def test_masks_of_single_subjects_are_seen(messy):
    model, data, params, found, lengths = messy
    masked = [np.ma.masked_array(np.nan_to_num(row, nan=9.0), np.isnan(row))[:n]
              for row, n in zip(found, lengths, strict=True)]  # fmt: skip
    assert rl.compare_likelihood(model, data, masked, params, backend="reference").same


def test_a_first_trial_may_be_left_out_of_sequences_of_different_lengths():
    columns = {"subject": [1, 1, 1, 2, 2], "choice": [0, 1, 1, 0, 1], "reward": [1.0, 0, 1, 0, 1]}
    model, params = rl.catalogue.rescorla_wagner(), {"alpha": 0.3, "beta": 2.0}
    data = rl.read_trials(pd.DataFrame(columns), subject="subject", choice="choice", reward="reward")
    found = rl.compile(model, data, "reference").log_likelihood(params)["choice"].values
    for later in ([found[0, 1:3], found[1, 1:2]], {1: found[0, 1:3], 2: found[1, 1:2]}):
        report = rl.compare_likelihood(model, data, later, params, backend="reference")
        assert report.explanations[0].mistake == "a trial dropped" and report.explanations[0].explains


def test_numbers_behind_the_last_trial_are_told(messy):
    model, data, params, found, lengths = messy
    padded = found.copy()
    subject = int(np.argmin(lengths))
    padded[subject, lengths[subject]] = -0.5
    report = rl.compare_likelihood(model, data, padded, params, backend="reference")
    assert report.parting.behind and report.parting.trial_number == lengths[subject]
    assert f"behind the last trial {lengths[subject]}" in str(report) and report.n_different == 1


def test_without_responses_nothing_is_the_same():
    model = rl.catalogue.rescorla_wagner()
    data = rl.Trials.from_arrays(choice=[[np.nan] * 3], reward=[[1.0, 0.0, 1.0]], levels={"choice": [0, 1]})
    with pytest.warns(), pytest.raises(DataError, match="the data have no response"):
        rl.compare_likelihood(model, data, np.zeros((1, 3)), {"alpha": 0.3, "beta": 2.0}, backend="reference")


def test_a_subject_without_responses_has_no_sum():
    model = rl.catalogue.rescorla_wagner()
    choice, params = [[np.nan] * 3, [0, 1, 1]], {"alpha": 0.0, "beta": 2.0}
    data = rl.Trials.from_arrays(choice=choice, reward=np.ones((2, 3)), levels={"choice": [0, 1]})
    with pytest.warns():
        assert rl.compare_likelihood(model, data, [np.nan, 3 * np.log(0.5)], params, backend="reference").same


def test_missing_trials_counted_as_choices(messy):
    model, data, params, _, lengths = messy
    bound = data.bind(model)

    def old(params):  # never looks at what is missing: codes and rewards of 0 fill the gaps
        choice, reward = bound.values["choice"], bound.values["reward"]
        found = np.full((3, 10), np.nan)
        for s in range(3):
            q = np.zeros(2)
            for t in range(lengths[s]):
                c = choice[s, t]
                found[s, t] = np.log(legacy.softmax(params["beta"][s] * q)[c])
                q[c] += params["alpha"][s] * (reward[s, t] - q[c])
        return found

    report = rl.compare_likelihood(model, data, old, params, backend="reference")
    assert report.explanations[0].mistake == "missing trials counted", str(report)
    assert report.explanations[0].explains
    assert (report.parting.subject, report.parting.trial_number, report.parting.here) == (2, 1, None)


def test_a_first_trial_left_out_is_said(model, data, numbers):
    for form in (numbers[:, 1:], numbers[:, 1:].T, numbers[:, 1:].ravel()):
        report = compare(model, data, form)
        assert report.explanations[0].mistake == "a trial dropped" and report.explanations[0].explains
        assert report.parting.yours is None and "nothing" in str(report)


def test_flat_numbers_run_in_the_order_of_the_table(tmp_path):
    columns = {"subject": [2, 1, 2, 1], "trial": [1, 1, 2, 2], "choice": [0, 1, 1, 1], "reward": [1.0, 0, 1, 0]}
    pd.DataFrame(columns).to_csv(tmp_path / "data.csv", index=False)
    data = rl.read_trials(tmp_path / "data.csv", subject="subject", trial="trial", choice="choice", reward="reward")
    p = np.log(0.5)
    q = 0.5  # what is learnt from the first reward
    second = {2: np.log(1 / (1 + np.exp(2 * q))), 1: p}
    flat = [p, p, second[2], second[1]]
    params = {"alpha": 0.5, "beta": 2.0}
    report = rl.compare_likelihood(rl.catalogue.rescorla_wagner(), data, flat, params, backend="reference")
    assert report.same, str(report)


def test_states_that_are_not_there_are_not_called_the_same(model, data, numbers):
    q = rl.compile(model, data, "reference").trajectories(PARAMS)["q"].values.copy()
    q[:, 5:] = np.nan
    report = compare(model, data, {"log_likelihood": numbers, "q": q})
    assert report.variables[0].words == "the same on the 25 of 120 trials where it is given"
    report = compare(model, data, {"log_likelihood": numbers, "q": np.full(q.shape, np.nan)})
    assert not report.variables[0].same and report.variables[0].words == "there is no number to compare"


# What is refused


def test_as_many_trials_as_subjects_need_a_layout():
    rng = np.random.default_rng(0)
    model = rl.catalogue.rescorla_wagner()
    data = rl.Trials.from_arrays(choice=rng.integers(0, 2, (4, 4)), reward=rng.uniform(0, 1, (4, 4)))
    params = {"alpha": 0.3, "beta": 2.0}
    found = rl.compile(model, data).log_likelihood(params)["choice"].values
    with pytest.raises(DataError, match=r"\(4, 4\), which may be .* layout='subject_trial'"):
        rl.compare_likelihood(model, data, found, params)
    settings = {"backend": "reference"}
    assert rl.compare_likelihood(model, data, found, params, layout="subject_trial", **settings).same
    assert rl.compare_likelihood(model, data, found.T, params, layout="trial_subject", **settings).same
    by_subject = dict(enumerate(found, 1))
    labelled = xr.DataArray(found.T, dims=("trial", "subject"))
    for given in (by_subject, labelled, {"log_likelihood": by_subject}, {"choice": labelled}):
        assert rl.compare_likelihood(model, data, given, params, **settings).same
    wrong = rl.compare_likelihood(model, data, found.T, params, layout="subject_trial", **settings)
    assert wrong.explanations[0].mistake == "rows for columns"


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda x: x[:, :7], r"shape \(5, 7\)\. Understood are \(5, 24\): subject × trial.*\(120,\).*\(5,\)"),
        (lambda x: x[:, :, None].repeat(3, axis=2), r"shape \(5, 24, 3\)\. Understood"),
        (lambda x: x.astype(complex), "complex numbers"),
        (lambda x: x.astype(str), "expected numbers"),
        (lambda x: {}, "is an empty dict, expected the key"),
        (lambda x: None, "returned None; is its return missing"),
        (lambda x: {"loglikelihood": x}, "is a dict of 'loglikelihood', expected the key 'log_likelihood'"),
        (lambda x: {"log_likelihood": {"choise": x}}, "'choise' is no response. Did you mean 'choice'"),
        (lambda x: {"log_likelihood": x, "q": np.zeros((5, 24, 4))}, r"\['q'\] has shape \(5, 24, 4\), expected"),
        (lambda x: np.where(np.arange(24) == 3, np.nan, x), "5 of 120 numbers .* first is nan for subject 8, trial 4"),
        (lambda x: np.where(np.arange(24) == 3, -np.inf, x), r"first is -inf for subject 8, trial 4\. log\(0\)"),
        (lambda x: np.full(5, np.nan), r"5 of 5 numbers are not finite, the first is nan \(subject 8\)"),
        (lambda x: [row[: 3 + i] for i, row in enumerate(x)], "the array of subject 8 has 3 numbers; there are 24"),
    ],
)
def test_what_is_not_understood_is_said(model, data, numbers, returned, message):
    with pytest.raises(DataError, match=message):
        compare(model, data, lambda params: returned(numbers))


def test_an_error_of_the_function_is_told_with_what_it_was_called_with(model, data):
    def other(params):
        return params["alhpa_pos"] / 0

    with pytest.raises(SettingError, match=r"raised KeyError: 'alhpa_pos'.*'beta': float64 .* shape \(5,\)") as raised:
        compare(model, data, other)
    assert "Did you mean 'alpha_pos'" in str(raised.value) and isinstance(raised.value.__cause__, KeyError)

    def bare(params):
        raise KeyError

    with pytest.raises(SettingError, match=r"other raised KeyError\. It was called"):
        compare(model, data, bare)
    with pytest.raises(SettingError, match="does not support argument 0") as raised:
        compare(model, data, lambda params: np.exp(np.array(["a"], dtype=object)))
    assert "one argument" not in str(raised.value)

    def writes(params):
        params["beta"] *= 2

    with pytest.raises(SettingError, match="copy an array before you change it"):
        compare(model, data, writes)
    with pytest.raises(SettingError, match=r"one argument, a dict.* give rl\.numpyro\.likelihood\(function, \*args\)"):
        compare(model, data, lambda alpha, beta: 0.0)


def test_params_are_needed_with_numbers_and_checked(model, data, numbers):
    with pytest.raises(ParameterError, match=r"say at which parameter values .* 'beta': \.\.\."):
        compare(model, data, numbers, None)
    with pytest.raises(ParameterError, match=r"'betta' is no parameter.*Did you mean 'beta'"):
        compare(model, data, numbers, {**PARAMS, "betta": 1.0})
    with pytest.raises(ParameterError, match="2 points, but numbers belong to one"):
        compare(model, data, numbers, [PARAMS, PARAMS])
    with pytest.raises(ParameterError, match="expected a mapping"):
        compare(model, data, numbers, 0.3)


def test_settings_are_checked_all_at_once(model, data, numbers):
    with pytest.raises(SettingError, match=r"tolerance is -1.* layout is 'rows'.* seed is 1\.5"):
        compare(model, data, numbers, tolerance=-1, layout="rows", seed=1.5)
    with pytest.raises(SettingError, match="expected a function of parameters"):
        compare(model, data, object())
    with pytest.raises(SettingError, match=r"data is a list, expected Trials: .* rl\.read_trials"):
        compare(model, [1, 2], numbers)


def test_several_points_may_be_given(model, data):
    old = legacy.bandit(*legacy.bandit_arrays())
    report = compare(model, data, old, [PARAMS, {**PARAMS, "beta": 3.0}])
    assert report.same and len(report.sums) == 2 and "at 2 points" in " ".join(str(report).split())


def test_a_report_is_neither_true_nor_false(model, data, numbers):
    with pytest.raises(TypeError, match=r"ask report\.same"):
        bool(compare(model, data, numbers))


def test_the_frame_and_plain_data(model, data, numbers):
    import json

    report = compare(model, data, -numbers)
    frame = report.frame()
    assert list(frame) == ["point", "subject", "trial", "here", "yours", "difference"] and len(frame) == 120
    assert np.allclose(frame["difference"], -2 * frame["here"])
    plain = json.loads(json.dumps(report.to_data()))
    assert plain["same"] is False and plain["explanations"][0]["mistake"] == "sign or factor"
    assert plain["parting"]["trial_number"] == 1
