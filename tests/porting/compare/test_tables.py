"""Tables as R, MATLAB and notebooks write them."""

import legacy
import numpy as np
import pandas as pd
import pytest

import rlbackends as rl
from rlbackends.errors import DataError
from rlbackends.porting.compare.cells import precision

PARAMS = {"alpha_pos": 0.3, "alpha_neg": 0.2, "beta": 1.5, "forgetting": 0.1}


@pytest.fixture(scope="module")
def model():
    return legacy.bandit_model()


@pytest.fixture(scope="module")
def data(model):
    return legacy.bandit_data(*legacy.bandit_arrays()).bind(model)


@pytest.fixture(scope="module")
def numbers():
    return legacy.bandit(*legacy.bandit_arrays())({name: np.full(5, value) for name, value in PARAMS.items()})


def compare(model, data, table, **settings):
    return rl.compare_likelihood(model, data, table, PARAMS, backend="reference", **settings)


def long_frame(numbers, **more):
    subjects = np.repeat(legacy.BANDIT_SUBJECTS, 24)
    columns = {"subject": subjects, "trial": np.tile(np.arange(1, 25), 5), "log_likelihood": numbers.ravel(), **more}
    return pd.DataFrame(columns)


def write(path, numbers, form):
    """Write a table in one of its forms, and return its path."""
    frame = pd.DataFrame(numbers)
    if form == "R, wide":  # write.csv: row names, and a header V1, V2, …
        pd.DataFrame(numbers, index=range(1, 6), columns=[f"V{i}" for i in range(1, 25)]).to_csv(path)
    elif form == "R, write.table":  # row names have no header; blanks between
        lines = [" ".join(f'"V{i}"' for i in range(1, 6))]
        lines += [" ".join([f'"{t + 1}"', *map(repr, map(float, row))]) for t, row in enumerate(numbers.T)]
        path.write_text("\n".join(lines))
    elif form == "MATLAB, writematrix":
        frame.to_csv(path, header=False, index=False)
    elif form == "MATLAB, trials in rows":
        frame.T.to_csv(path, header=False, index=False)
    elif form == "pandas, with its index":
        frame.T.to_csv(path)
    elif form == "tabs":
        frame.to_csv(path, sep="\t", index=False)
    elif form == "semicolons":
        frame.to_csv(path, sep=";", index=False)
    elif form == "long":
        long_frame(numbers).to_csv(path, index=False)
    elif form == "long, shuffled, other names":
        shuffled = long_frame(numbers, condition="a").sample(frac=1, random_state=1)
        shuffled.rename(columns={"subject": "subjID", "log_likelihood": "loglik"}).to_csv(path, index=False)
    elif form == "long, the only column":
        path.write_text("x\n" + "\n".join(map(repr, map(float, numbers.ravel()))))
    elif form == "a list":
        path.write_text("\n".join(map(repr, map(float, numbers.ravel()))))
    elif form == "by subject, in order":
        long_frame(numbers)[["subject", "log_likelihood"]].to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "form",
    ["R, wide", "R, write.table", "MATLAB, writematrix", "MATLAB, trials in rows", "pandas, with its index", "tabs",
     "semicolons", "long", "long, shuffled, other names", "long, the only column", "a list", "by subject, in order"],
)  # fmt: skip
def test_forms_of_files(tmp_path, model, data, numbers, form):
    report = compare(model, data, write(tmp_path / "ll.csv", numbers, form))
    assert report.same and report.level == "trial", str(report)
    assert report.notes == ()


def test_labels_of_a_wide_table_say_the_order(tmp_path, model, data, numbers):
    order, later = [3, 0, 4, 2, 1], [0, 9, *range(1, 9), *range(10, 24)]
    labels = [legacy.BANDIT_SUBJECTS[i] for i in order]
    by_trial = pd.DataFrame(numbers.T[:, order], columns=labels)
    by_trial.to_csv(tmp_path / "ll.csv", index=False)  # the header is numbers, too
    tables = [
        tmp_path / "ll.csv",
        pd.DataFrame(numbers[order], index=labels),
        pd.DataFrame(numbers[:, later], columns=[f"trial_{t + 1}" for t in later]),
    ]
    for table in tables:
        report = compare(model, data, table)
        assert report.same and report.n_compared == 120, str(report)
    by_trial[1:].to_csv(tmp_path / "ll.csv", index=False)
    report = compare(model, data, tmp_path / "ll.csv")
    assert report.explanations[0].mistake == "a trial dropped" and report.parting.yours is None


def square(subjects):
    rng = np.random.default_rng(0)
    model = rl.catalogue.rescorla_wagner()
    events = {"choice": rng.integers(0, 2, (4, 4)), "reward": rng.uniform(0, 1, (4, 4))}
    data = rl.Trials.from_arrays(subjects=subjects, **events)
    params = {"alpha": 0.3, "beta": 2.0}
    return model, data, params, rl.compile(model, data, "reference").log_likelihood(params)["choice"].values


def test_labels_tell_which_side_is_subjects_unless_they_may_be_trials():
    model, data, params, numbers = square(["a", "b", "c", "d"])
    table = pd.DataFrame(numbers.T[:, [2, 0, 1, 3]], columns=["c", "a", "b", "d"])
    for layout in (None, "trial_subject"):
        assert rl.compare_likelihood(model, data, table, params, backend="reference", layout=layout).same
    model, data, params, numbers = square([1, 2, 3, 4])
    with pytest.raises(DataError, match="may be subject × trial or trial × subject"):
        rl.compare_likelihood(model, data, pd.DataFrame(numbers.T, columns=[1, 2, 3, 4]), params, backend="reference")


def test_subjects_with_leading_zeros(tmp_path):
    model, _, params, numbers = square([1, 2, 3, 4])
    rng = np.random.default_rng(0)
    columns = {"choice": rng.integers(0, 2, (4, 4)), "reward": rng.uniform(0, 1, (4, 4))}
    labels = ["001", "002", "010", "011"]
    data = rl.Trials.from_arrays(subjects=labels, **columns)
    table = pd.DataFrame({"subject": np.repeat(labels, 4), "trial": [1, 2, 3, 4] * 4, "ll": numbers.ravel()})
    table.to_csv(tmp_path / "ll.csv", index=False)
    for given in (table, tmp_path / "ll.csv", pd.read_csv(tmp_path / "ll.csv")):  # pandas reads them as 1, 2, 10
        assert rl.compare_likelihood(model, data, given, params, backend="reference").same


def test_rows_without_trials_are_in_the_order_of_the_data():
    table = pd.DataFrame({
        "subject": [1, 2, 1, 2, 1], "trial": [3, 1, 1, 2, 2], "choice": [0, 1, 1, 0, 1], "reward": [1.0, 0, 1, 1, 0],
    })  # fmt: skip
    model, params = rl.catalogue.rescorla_wagner(), {"alpha": 0.3, "beta": 2.0}
    data = rl.read_trials(table, subject="subject", trial="trial", choice="choice", reward="reward")
    found = rl.compile(model, data, "reference").log_likelihood(params)["choice"].values
    table["log_likelihood"] = found[table["subject"] - 1, table["trial"] - 1]
    for given in (table, table[["subject", "log_likelihood"]], table[["log_likelihood"]]):
        assert rl.compare_likelihood(model, data, given, params, backend="reference").same


def test_trial_numbers_that_come_again_are_checked(model):
    choice, reward, block = legacy.bandit_arrays()
    table = pd.DataFrame({
        "id": np.repeat(legacy.BANDIT_SUBJECTS, 24), "block": block.ravel(), "trial": np.tile(np.arange(12), 10),
        "choice": choice.ravel(), "reward": reward.ravel(),
    })  # fmt: skip
    data = rl.read_trials(table, subject="id", trial="trial", block="block", choice="choice", reward="reward")
    found = rl.compile(model, data, "reference").log_likelihood(PARAMS)["choice"].values
    table["log_likelihood"] = found.ravel()
    assert compare(model, data, table).same
    with pytest.raises(DataError, match=r"row 1 is trial 11 of subject 12, where the data have trial 0\. "):
        compare(model, data, table[::-1])


def test_rounded_states_are_compared_by_their_digits(model, data, numbers):
    q = rl.compile(model, data, "reference").trajectories(PARAMS)["q"].values.reshape(120, 3).round(3)
    states = {f"q[{i}]": q[:, i].copy() for i in range(3)}
    report = compare(model, data, long_frame(numbers, **states))
    assert report.variables[0].words == "the same on all trials"
    assert not compare(model, data, long_frame(numbers, **states), tolerance=1e-9).variables[0].same
    states["q[1]"][6] += 0.002
    report = compare(model, data, long_frame(numbers, **states))
    assert report.variables[0].words == "differs, first at subject 8, trial 7"


def test_whole_numbers_are_no_log_likelihoods(model, data):
    for table in (long_frame(-np.ones((5, 24))), long_frame(np.full(120, "-1"))):
        with pytest.raises(DataError, match="have no digits behind the point"):
            compare(model, data, table)


def test_one_row_a_subject(tmp_path, model, data, numbers):
    table = pd.DataFrame({"id": [12, 11, 10, 9, 8], "log_likelihood": numbers.sum(axis=1)[::-1]})
    report = compare(model, data, table)
    assert report.same and report.level == "subject"


@pytest.mark.parametrize("names", ["q[{}]", "q_{}", "q.{}"])
@pytest.mark.parametrize("first", [0, 1])
def test_states_by_column(model, data, names, first):
    params = {name: np.full(5, value) for name, value in PARAMS.items()}
    compiled = rl.compile(model, data)
    q = compiled.trajectories(params)["q"].values.reshape(120, 3)
    numbers = compiled.log_likelihood(params)["choice"].values
    more = {names.format(i + first): q[:, i] for i in range(3)}
    report = compare(model, data, long_frame(numbers, **more))
    assert report.same and report.variables[0].same and report.variables[0].name == "q"


@pytest.mark.parametrize("digits", [3, 4])
def test_rounded_tables_are_compared_by_their_digits(tmp_path, model, data, numbers, digits):
    path = tmp_path / "ll.csv"
    for written in ("%.{}f", "%.{}g"):
        pd.DataFrame(numbers).to_csv(path, float_format=written.format(digits), index=False)
        report = compare(model, data, path)
        assert report.same, str(report)
        assert "are rounded, so differences of up to" in " ".join(str(report).split())
    assert compare(model, data, pd.DataFrame(numbers.round(digits))).same


@pytest.mark.slow
def test_a_difference_beyond_the_digits_is_seen(model, data, numbers):
    wrong = numbers.copy()
    wrong[1, 7] += 3e-3
    report = compare(model, data, pd.DataFrame(wrong.round(3)))
    assert (report.parting.subject, report.parting.trial_number, report.n_different) == (9, 8, 1)

    assert not compare(model, data, pd.DataFrame(numbers.round(3)), tolerance=1e-9).same


def test_a_rounded_table_is_explained_within_its_digits(model, data, numbers):
    old = legacy.bandit(*legacy.bandit_arrays(), "after")({name: np.full(5, value) for name, value in PARAMS.items()})
    report = compare(model, data, pd.DataFrame(old.round(3)))
    assert report.explanations[0].mistake == "values after the update" and report.explanations[0].explains


def test_precision_of_fixed_and_of_significant_digits():
    # Fixed: all to two decimals. Three significant digits: each its own.
    assert precision(["-1.50", "-10.25"], np.array([-1.5, -10.25])).tolist() == [0.005, 0.005]
    assert np.allclose(precision(["-1.23", "-12.3", "-0.0123"], np.array([-1.23, -12.3, -0.0123])), [0.005, 0.05, 5e-5])
    assert precision(["-1.0986122886681098"], np.array([-1.0986122886681098])).tolist() == [0.0]
    assert precision([-0.1, -0.25], np.array([-0.1, -0.25])).tolist() == [0.005, 0.005]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(subject=f.subject.replace(9, 99)), r"column 'subject' has '99', who is not among .*: 8, 9"),
        (lambda f: f.assign(trial=f.trial + 0.5), "row 1 is trial 1.5 of subject 8"),
        (lambda f: f.assign(trial=f.trial.replace(24, 25)), "trial 25 of subject 8, whose trials are 1 to 24"),
        (lambda f: pd.concat([f, f[:1]]), "trial 1 of subject 8 is there more than once"),
        (lambda f: f[5:9], "111 of 120 numbers of trials with a response are not finite"),
        (lambda f: f.drop(columns="trial")[:100], "there are 4 rows of subject 12, who has 24 trials"),
        (lambda f: f.rename(columns={"log_likelihood": "a"}).assign(b=1.0), "no column 'log_likelihood' among"),
        (lambda f: f.assign(log_likelihood="x"), "holds 120 entries that are no numbers, the first is 'x' in row 1"),
        (lambda f: f.assign(log_likelihood="-1,5"), "Decimals have a comma"),
        (lambda f: f[["log_likelihood"]][:100], r"100 rows? has shape \(100,\)\. Understood are \(5, 24\)"),
        (lambda f: f.pivot(index="subject", columns="trial").rename(index={9: 99}), "have '99', who is not among"),
        (lambda f: pd.DataFrame(np.zeros((6, 24))), "6 rows × 24 columns is no table of subjects and trials"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(model, data, numbers, change, message):
    with pytest.raises(DataError, match=message):
        compare(model, data, change(long_frame(numbers)))


def test_columns_and_files_that_are_not_there(tmp_path, model, data, numbers):
    (tmp_path / "ll.csv").write_text("")
    with pytest.raises(DataError, match="the file is empty"):
        compare(model, data, tmp_path / "ll.csv")
    with pytest.raises(DataError, match=r"no such file. Did you mean 'll.csv'"):
        compare(model, data, str(tmp_path / "l.csv"))
    (tmp_path / "ll.csv").write_text("a,b\n1,2\n3\n")
    with pytest.raises(DataError, match="this is no table"):
        compare(model, data, tmp_path / "ll.csv")
    with pytest.raises(DataError, match=r"no column 'subjct' \(subject=\). Did you mean 'subject'"):
        compare(model, data, long_frame(numbers), subject="subjct")
