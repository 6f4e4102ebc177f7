"""Trials and a model: events looked up, numbers checked, labels recoded."""

import warnings

import numpy as np
import pytest

from rlbackends.data import DataWarning, Trials, read_trials
from rlbackends.errors import DataError


def bind_fault(trials, model):
    with pytest.raises(DataError) as excinfo:
        trials.bind(model)
    return str(excinfo.value)


@pytest.fixture
def choices(write, event, model):
    """Bind a column of labels to an event of some size."""

    def bind(labels, size, *, levels=None, is_response=True):
        path = write("a.csv", "s choice", *(f"1 {label}" for label in labels))
        trials = read_trials(path, subject="s", choice="choice", levels=levels)
        return trials, model(event("choice", "int", size, is_response=is_response), sizes={"action": size})

    return bind


def test_bound_arrays(write, bandit):
    path = write("a.csv", "s choice reward extra", "2 1 0.5 a", "1 2 NA b", "1 NA -1 c")
    trials = read_trials(path, subject="s", choice="choice", reward="reward", extra="extra")
    bound = trials.bind(bandit)
    assert bound.subjects == (1, 2)
    assert (bound.n_subjects, bound.n_steps, bound.n_trials, bound.is_ragged) == (2, 2, 3, True)
    assert list(bound.values) == ["choice", "reward"]
    assert bound.values["choice"].tolist() == [[1, 0], [0, 0]]
    assert bound.values["choice"].dtype == np.int64
    assert bound.values["reward"].tolist() == [[0, -1], [0.5, 0]]
    assert bound.values["reward"].dtype == np.float64
    assert bound.missing["choice"].tolist() == [[False, True], [False, True]]
    assert bound.missing["reward"].tolist() == [[True, False], [False, True]]
    assert bound.valid.tolist() == [[True, True], [True, False]]
    assert bound.levels == {"choice": (1, 2)}
    assert bound.complete == frozenset()
    assert bound.places.where(bound.missing["reward"] & bound.valid) == ["row 3"]
    assert repr(bound) == "BoundTrials(2 subjects × 1–2 trials; choice, reward; from a.csv)"
    held = bound.holding_out(np.array([True, False]))
    assert repr(held) == "BoundTrials(2 subjects × 1–2 trials; choice, reward; 2 trials held out; from a.csv)"
    for arrays in (bound.values, bound.missing):
        with pytest.raises(ValueError, match="read-only"):
            arrays["reward"][0, 0] = 1


def test_complete_events_have_every_entry_but_padding(write, bandit):
    path = write("a.csv", "s choice reward", "2 1 0.5", "1 2 NA", "1 1 -1")
    bound = read_trials(path, subject="s", choice="choice", reward="reward").bind(bandit)
    assert bound.complete == {"choice"}


# -- events that are not there


def test_absent_events_are_told_together(write, model, event):
    path = write("a.csv", "s c rewrad stim", "1 1 1 1")
    trials = read_trials(path, subject="s", choise="c", rewrad="rewrad")
    told = bind_fault(
        trials,
        model(
            event("stim", "int", 4, of="stimulus"),
            event("choice", "int", 2, is_response=True),
            event("reward", axes=[("action", 2)]),
        ),
    )
    assert told.startswith("a.csv: model 'bandit' needs more events. ")
    assert "'stim' (one of 4 labels of axis 'stimulus', given by the world) is not among the columns." in told
    assert "The table has a column 'stim': read it with stim='stim'." in told
    assert "'choice' (0 or 1, the response) is not among the columns." in told
    assert "Did you mean 'choise'?" in told
    assert "'reward' (a real number per action (2), given by the world)" in told
    assert "Did you mean 'rewrad'?" in told
    assert "The columns that were read are 'choise' and 'rewrad'." in told


def test_absent_events_and_bad_rows_are_told_together(write, bandit):
    trials = read_trials(write("a.csv", "s r", "1 x"), subject="s", reward="r")
    told = bind_fault(trials, bandit)
    assert told.startswith("a.csv: 2 faults.\n  - model 'bandit' needs more events.")
    assert "Row 2: reward (column 'r') is 'x', expected a number." in told


# -- real events


def test_entries_that_are_no_numbers(write, bandit):
    rows = ["1 1 1", "1 2 x", "1 1 inf", "1 2 -Infinity", "1 1 1,5", "1 2 x"]
    trials = read_trials(
        write("a.tsv", "s choice reward", *rows), subject="s", choice="choice", reward="reward"
    )
    assert bind_fault(trials, bandit) == (
        "a.tsv: 5 rows can't be read. Row 3 and row 7: reward is 'x', expected a number. "
        "Row 4: reward is inf, expected a finite number. "
        "Row 5: reward is -Infinity, expected a finite number. "
        "Row 6: reward is '1,5', expected a number (with a decimal point: 1.5)."
    )


def test_infinity_in_a_numeric_column(write, bandit):
    trials = read_trials(write("a.csv", "s c r", "1 1 1", "1 2 -inf"), subject="s", choice="c", reward="r")
    assert "Row 3: reward (column 'r') is -inf, expected a finite number" in bind_fault(trials, bandit)


def test_numbers_that_came_as_text(bandit, write):
    trials = read_trials(
        write("a.csv", "s c", "1 1", "1 2"),
        subject="s",
        choice="c",
        derive={"reward": "where(c > 1, '1', '0.5')"},
    )
    assert trials.bind(bandit).values["reward"].tolist() == [[0.5, 1]]


def test_levels_of_a_real_event_are_a_fault(write, bandit):
    path = write("a.csv", "s c r", "1 1 won", "1 2 lost")
    trials = read_trials(path, subject="s", choice="c", reward="r", levels={"reward": ["lost", "won"]})
    assert "levels are given for 'reward', but it is a real number" in bind_fault(trials, bandit)


def test_levels_that_are_numbers_are_the_numbers_of_a_real_event(write, bandit):
    path = write("a.csv", "s c r", "1 1 5", "1 2 0")
    trials = read_trials(path, subject="s", choice="c", reward="r", levels={"reward": [0, 5]})
    assert trials.bind(bandit).values["reward"].tolist() == [[5, 0]]


# -- events with axes


def test_events_with_axes(write, model, event):
    path = write("a.csv", "s c a b i j", "1 1 0.5 NA 3 1", "1 2 1 2 1 2")
    trials = read_trials(path, subject="s", reward=["a", "b"], option=["i", "j"], choice=["c"])
    bound = trials.bind(
        model(
            event("reward", axes=[("action", 2)]),
            event("option", "int", 3, axes=[("action", 2)], of="arm"),
            event("choice", "int", 2, is_response=True),
        )
    )
    assert bound.values["reward"].tolist() == [[[0.5, 0], [1, 2]]]
    assert bound.missing["reward"].tolist() == [[[False, True], [False, False]]]
    assert bound.values["option"].tolist() == [[[2, 0], [0, 1]]]
    assert bound.levels["option"] == (1, 2, 3)
    assert bound.values["choice"].tolist() == [[0, 1]]


def test_another_number_of_columns_is_a_fault(write, model, event):
    path = write("a.csv", "s c a b", "1 1 0.5 NA", "1 2 1 2")
    trials = read_trials(path, subject="s", reward=["a", "b"], choice=["b", "c"], bonus="a")
    told = bind_fault(
        trials,
        model(
            event("reward", axes=[("action", 3)]),
            event("bonus", axes=[("action", 3)]),
            event("choice", "int", 2, is_response=True),
        ),
    )
    assert "'reward' was read from 2 columns ('a' and 'b'), expected 3, one for each action." in told
    assert "'bonus' was read from 1 column ('a'), expected 3, one for each action. Write bonus=[" in told
    assert "'choice' was read from 2 columns ('b' and 'c'), expected 1." in told


def test_faults_of_a_vector_name_its_column(write, model, event):
    path = write("a.csv", "s a b", "1 0.5 x")
    trials = read_trials(path, subject="s", reward=["a", "b"])
    assert "Row 2: reward (column 'b') is 'x'" in bind_fault(
        trials, model(event("reward", axes=[("action", 2)]))
    )
    arrays = Trials.from_arrays(reward=np.array([[[0, np.inf]]]))
    told = bind_fault(arrays, model(event("reward", axes=[("action", 2)])))
    assert "Trial 1 of subject 1: reward[1] is inf" in told


# -- labels


@pytest.mark.parametrize(
    ("labels", "size", "expected"),
    [
        (["1", "2", "1"], 2, (1, 2)),
        (["0", "1"], 2, (0, 1)),
        (["-1", "1.0"], 2, (-1, 1)),
        (["0", "2"], 3, (0, 1, 2)),
        (["0"], 2, (0, 1)),
        (["2"], 2, (1, 2)),
        (["2", "4"], 4, (1, 2, 3, 4)),
        (["NA"], 2, (0, 1)),
        (["go", "No"], 2, ("go", "No")),
        (["a10", "a9", "a1"], 3, ("a1", "a9", "a10")),
        (["b", "2", "1"], 3, (1, 2, "b")),
    ],
)
@pytest.mark.filterwarnings("ignore::rlbackends.data.DataWarning")
def test_labels_are_inferred(choices, labels, size, expected):
    trials, model = choices(labels, size)
    bound = trials.bind(model)
    assert bound.levels["choice"] == expected
    arrow = ", ".join(f"{label} → {code}" for code, label in enumerate(expected))
    assert f"choice: {arrow} (labels inferred)" in bound.reports
    there = ~bound.missing["choice"][0]
    texts = [str(bound.levels["choice"][code]) for code in bound.values["choice"][0][there]]
    assert texts == [label.removesuffix(".0") for label in labels if label != "NA"]


def test_options_that_nobody_chose_are_reported(choices):
    trials, model = choices(["2", "4"], 4)
    assert "choice: 1 and 3 are options that are never in the data (kept)" in trials.bind(model).reports
    trials, model = choices(["a", "b"], 3, levels={"choice": ["a", "b", "c"]})
    assert trials.bind(model).reports == ("choice: 'c' is an option that is never in the data (kept)",)


def test_labels_that_are_not_consecutive_are_reported(choices):
    trials, model = choices(["1", "3"], 2)
    bound = trials.bind(model)
    assert bound.levels["choice"] == (1, 3)
    assert any("the labels are not consecutive (1 and 3)" in report for report in bound.reports)


@pytest.mark.parametrize(
    ("labels", "size", "expected"),
    [
        (["1"], 2, "levels={'choice': [1, 2]}"),
        (["1", "2"], 4, "levels={'choice': [1, 2, 3, 4]}"),
        (["0", "3"], 3, "levels={'choice': [0, 1, 2]}"),
        (["7"], 2, "levels={'choice': [7, …]}"),
        (["go"], 2, "levels={'choice': ['go', …]}"),
    ],
)
def test_labels_that_leave_doubt(choices, labels, size, expected):
    told = bind_fault(*choices(labels, size))
    assert f"'choice' has only {len(labels)} of {size} labels in the data" in told
    assert "can't be told" in told
    assert expected in told


def test_too_many_labels(choices):
    told = bind_fault(*choices(["1", "2", "3"] * 5 + ["9"], 2))
    assert told == (
        "a.csv: too many actions: 'choice' has 4 different labels (1 × 5, 2 × 5, 3 × 5 and 9 × 1 in row 17), "
        "but in model 'bandit' it is one of 2. For 4 options build the model with n_actions=4 or "
        "sizes={'action': 4}. An entry that is no option should be missing (NA); with levels={'choice': […]} "
        "each one outside is shown with its row."
    )
    assert "too many labels" in bind_fault(*choices(["1", "2", "3"], 2, is_response=False))


def test_labels_that_are_not_whole(choices):
    told = bind_fault(*choices(["1", "1.5", "inf"], 2))
    assert (
        "Row 3: choice is 1.5, expected a whole number (or say which labels there are with levels=)." in told
    )
    assert "Row 4: choice is inf, expected a whole number" in told


# -- levels that were given


@pytest.mark.parametrize(
    ("labels", "levels", "codes"),
    [
        (["go", "no-go", "go"], ["no-go", "go"], [1, 0, 1]),
        (["1", "2.0", "1.0"], [2, 1], [1, 0, 1]),
        (["1", "2", "1"], ["1", "2"], [0, 1, 0]),
        (["0.5", "x"], ["x", 0.5], [1, 0]),
        (["1"], [0, 1], [1]),
    ],
)
def test_levels_fix_the_codes(choices, labels, levels, codes):
    trials, model = choices(labels, 2, levels={"choice": levels})
    bound = trials.bind(model)
    assert bound.values["choice"].tolist() == [codes]
    assert not any("inferred" in report for report in bound.reports)


def test_labels_outside_the_levels(choices):
    told = bind_fault(*choices(["1", "3", "2", "x", "3"], 2, levels={"choice": [1, 2]}))
    assert told == (
        "a.csv: 3 rows can't be read. Row 3 and row 6: choice is 3, expected one of 1 and 2. "
        "Row 5: choice is 'x', expected one of 1 and 2."
    )


def test_another_number_of_levels(choices):
    told = bind_fault(*choices(["1", "3"], 2, levels={"choice": [1, 2, 3]}))
    assert "levels of 'choice' has 3 labels (1, 2 and 3), but in model 'bandit' it is one of 2." in told
    assert "sizes={'action': 3}" in told


def test_simulated_codes_with_levels(bandit):
    trials = Trials.from_arrays(choice=[[1, 1]], reward=[[0, 1]], levels={"choice": [0, 1]})
    assert trials.bind(bandit).values["choice"].tolist() == [[1, 1]]


# -- subjects without responses


def test_subjects_without_responses_are_warned_of_and_kept(write, model, event):
    path = write("a.csv", "s a b r", "1 NA NA 1", "2 1 NA 1", "2 2 1 1", "3 NA 2 1", "4 NA NA NA")
    trials = read_trials(path, subject="s", a="a", b="b", r="r")
    two = model(event("a", "int", is_response=True), event("b", "int", is_response=True), event("r"))
    with pytest.warns(
        DataWarning, match=r"a\.csv: subjects 1, 4 have no response at all \('a' and 'b'\)"
    ) as caught:
        bound = trials.bind(two)
    assert bound.subjects == (1, 2, 3, 4)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trials.select([2, 3]).bind(two)
        trials.bind(model(event("r")))


# -- digest


def make_bound(model, *, subjects=(1, 2), choice=((0, 1), (1, 0)), reward=((0, 1), (1, 0)), **arguments):
    arguments = {"levels": {"choice": [0, 1]}, **arguments}
    return Trials.from_arrays(subjects, choice=choice, reward=reward, **arguments).bind(model)


def test_the_digest_is_of_what_is_computed_on(bandit, write):
    digest = make_bound(bandit).digest
    assert len(digest) == 64
    assert make_bound(bandit).digest == digest
    assert make_bound(bandit, reward=((-0.0, 1), (1, 0))).digest == digest
    path = write("a.csv", "s choice reward", "2 1 1", "2 0 0", "1 0 0", "1 1 1")
    assert read_trials(path, subject="s", choice="choice", reward="reward").bind(bandit).digest == digest
    others = [
        make_bound(bandit, subjects=("a", "b")),
        make_bound(bandit, choice=((0, 1), (1, 1))),
        make_bound(bandit, reward=((0, 1), (1, np.nan))),
        make_bound(bandit, blocks=[0, 1]),
        make_bound(bandit, lengths=[2, 1]),
        make_bound(bandit, levels={"choice": [1, 0]}),
    ]
    assert len({digest, *(other.digest for other in others)}) == 7
