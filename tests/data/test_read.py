"""Reading a tidy table: order, blocks, missing entries, labels, and every fault told at once."""

import numpy as np
import pytest

from rlbackends.data import read_trials
from rlbackends.errors import DataError


def message(excinfo):
    return str(excinfo.value)


def read_fault(source, **arguments):
    with pytest.raises(DataError) as excinfo:
        read_trials(source, **arguments)
    return message(excinfo)


GOOD = ("id trial choice reward", "2 1 1 0.5", "1 2 2 -1", "1 1 1 1", "2 2 2 0")


def test_rows_are_sorted_by_trial_within_subject(write):
    trials = read_trials(write("a.tsv", *GOOD), subject="id", trial="trial", choice="choice", reward="reward")
    assert trials.subjects == (1, 2)
    assert trials.lengths.tolist() == [2, 2]
    assert trials.trial_numbers.tolist() == [[1, 2], [1, 2]]
    assert trials.events["reward"].values.tolist() == [[1, -1], [0.5, 0]]
    assert trials.places.numbers.tolist() == [[4, 3], [2, 5]]
    assert trials.starts.tolist() == [[True, False], [True, False]]
    assert trials.columns == ("choice", "reward")
    assert repr(trials) == "Trials(2 subjects × 2 trials; choice, reward; from a.tsv)"
    assert trials.reports == ()


def test_without_trial_the_order_of_rows_counts(write):
    trials = read_trials(write("a.tsv", *GOOD), subject="id", reward="reward")
    assert trials.events["reward"].values.tolist() == [[-1, 1], [0.5, 0]]
    assert trials.trial_numbers.tolist() == [[1, 2], [1, 2]]


def test_unequal_lengths_are_padded_at_the_end(write):
    trials = read_trials(write("a.csv", "s c", "1 5", "2 6", "2 7"), subject="s", c="c")
    assert trials.lengths.tolist() == [1, 2]
    assert trials.n_trials == 3
    assert trials.trial_numbers.tolist() == [[1, -1], [1, 2]]
    assert trials.events["c"].missing.tolist() == [[False, True], [False, False]]
    assert trials.starts.tolist() == [[True, False], [True, False]]
    assert "2 subjects × 1–2 trials" in repr(trials)


def test_arrays_are_read_only(write):
    trials = read_trials(write("a.tsv", *GOOD), subject="id", choice="choice")
    for array in (trials.lengths, trials.starts, trials.trial_numbers, trials.events["choice"].values):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize("entry", ["", "NA", "NaN", "nan", "None", "null", "."])
def test_missing_entries(write, entry):
    trials = read_trials(write("a.csv", "s c", f"1 {entry}", "1 2"), subject="s", c="c")
    column = trials.events["c"]
    assert column.is_numeric
    assert column.missing.tolist() == [[True, False]]
    assert column.values.tolist() == [[0, 2]]


def test_a_column_with_text_keeps_its_strings(write):
    trials = read_trials(write("a.csv", "s c", "1 left", "1 1.0", "1 1_000"), subject="s", c="c")
    assert not trials.events["c"].is_numeric
    assert trials.events["c"].values.tolist() == [["left", "1.0", "1_000"]]


def test_several_columns_make_an_event_with_an_axis(write):
    trials = read_trials(write("a.csv", "s a b", "1 1 2", "1 3 NA"), subject="s", reward=["a", "b"])
    assert trials.events["reward"].values.tolist() == [[[1, 2], [3, 0]]]
    assert trials.events["reward"].missing.tolist() == [[[False, False], [False, True]]]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["10", "9", "2"], (2, 9, 10)),
        (["1.0", "3", "2.0"], (1, 2, 3)),
        (["s10", "s2", "S1"], ("S1", "s2", "s10")),
        (["007", "10", "1"], ("1", "007", "10")),
        (["b", "12", "a"], ("12", "a", "b")),
        (["12345678901234567891", "12345678901234567890"], (12345678901234567890, 12345678901234567891)),
    ],
)
def test_subjects_come_in_natural_order(write, labels, expected):
    trials = read_trials(write("a.csv", "s c", *(f"{label} 1" for label in labels)), subject="s", c="c")
    assert trials.subjects == expected


def test_gaps_are_reported_and_insert_nothing(write):
    path = write("a.csv", "s t c", "1 1 5", "1 4 6", "2 1 5", "2 2 6")
    trials = read_trials(path, subject="s", trial="t", c="c")
    assert trials.lengths.tolist() == [2, 2]
    assert trials.trial_numbers.tolist() == [[1, 4], [1, 2]]
    assert trials.reports == (
        "trial numbers have 1 gap in 1 of 2 subjects (subject 1: 1 → 4); nothing is inserted",
    )


# -- blocks


def test_each_change_of_block_starts_a_block(write):
    path = write("a.csv", "s b c", "1 x 1", "1 x 2", "1 y 3", "2 y 4", "2 x 5")
    trials = read_trials(path, subject="s", block="b", c="c")
    assert trials.starts.tolist() == [[True, False, True], [True, True, False]]


def test_trial_numbers_may_restart_in_each_block(write):
    path = write("a.csv", "s b t c", "1 y 2 1", "1 y 1 2", "1 x 2 3", "1 x 1 4")
    trials = read_trials(path, subject="s", trial="t", block="b", c="c")
    assert trials.events["c"].values.tolist() == [[2, 1, 4, 3]]
    assert trials.starts.tolist() == [[True, False, True, False]]
    assert trials.reports == ()


def test_a_block_that_comes_back_is_a_fault(write):
    path = write("a.csv", "s b c", "1 x 1", "1 y 2", "1 x 3")
    told = read_fault(path, subject="s", block="b", c="c")
    assert told == (
        "a.csv: 1 row can't be read. Row 4: the subject comes back to a block after it was left "
        "(sort the table, or give each block a label of its own)."
    )


# -- faults of rows


def test_the_same_trial_twice(write):
    path = write("prl.tsv", "s t c", "7 11 1", "7 12 2", "7 12 1", "8 12 1")
    told = read_fault(path, subject="s", trial="t", c="c")
    assert told == "prl.tsv: 2 rows can't be read. Row 3 and row 4: subject 7 has two trials numbered 12."


def test_the_same_trial_twice_in_a_block(write):
    path = write("a.csv", "s b t c", "1 x 1 1", "1 y 1 1", "1 y 1 1", "1 y 1 1")
    told = read_fault(path, subject="s", trial="t", block="b", c="c")
    assert "Row 3, row 4 and row 5: subject 1 has three trials numbered 1 in block 'y'." in told


def test_faults_of_keys_are_told_together(write):
    path = write(
        "a.csv", "id n b c", "NA 1 x 1", "1 NA x 1", "1 2.5 x 1", "1 first x 1", "1 -1 x 1", "1 5  1"
    )
    told = read_fault(path, subject="id", trial="n", block="b", c="c")
    assert told.startswith(
        "a.csv: 6 rows can't be read. Row 2: subject (column 'id') is missing. Row 3: trial"
    )
    assert "Row 4: trial (column 'n') is 2.5, expected a whole number from 0 on." in told
    assert "Row 5: trial (column 'n') is 'first', expected a whole number" in told
    assert "Row 6: trial (column 'n') is -1, expected" in told
    assert "Row 7: block (column 'b') is missing." in told


def test_only_ten_faults_are_shown(write):
    rows = [f"1 {number}.5 0" for number in range(30)]
    told = read_fault(write("a.csv", "s t c", *rows), subject="s", trial="t", c="c")
    assert "30 rows can't be read" in told
    assert told.count("expected a whole number") == 10
    assert told.endswith("… and 20 more.")


def test_rows_with_the_same_fault_share_a_sentence(write):
    path = write("a.csv", "s c", *["NA 1"] * 20)
    told = read_fault(path, subject="s", c="c")
    assert "Row 2, row 3, row 4, row 5 and 16 more rows: subject (column 's') is missing." in told


# -- faults of the call


def test_subject_is_required_and_guessed(write):
    told = read_fault(write("a.csv", "subjID c", "1 1"), c="c")
    assert "subject='subjID'" in told
    assert "The columns are 'subjID' and 'c'." in told


def test_unknown_columns_are_told_together(write):
    path = write("a.tsv", *GOOD)
    told = read_fault(path, subject="ids", trial="trail", choice="choise", reward=["reward", "rewrad"])
    assert "'ids' (for subject) is no column. Did you mean 'id'?" in told
    assert "'trail' (for trial) is no column. Did you mean 'trial'?" in told
    assert "'choise' (for choice) is no column. Did you mean 'choice'?" in told
    assert "'rewrad' (for reward) is no column. Did you mean 'reward'?" in told
    assert told.count("The columns are 'id', 'trial', 'choice' and 'reward'.") == 1


def test_arguments_of_a_wrong_type(write):
    path = write("a.tsv", *GOOD)
    assert "choice is 3, expected the name of a column or a list" in read_fault(path, subject="id", choice=3)
    assert "choice is [], expected" in read_fault(path, subject="id", choice=[])
    assert "trial is 2, expected the name of a column" in read_fault(
        path, subject="id", trial=2, choice="choice"
    )
    assert "derive is 'x + 1', expected a mapping" in read_fault(path, subject="id", derive="x + 1")


def test_some_event_is_needed(write):
    assert "no event is asked for" in read_fault(write("a.tsv", *GOOD), subject="id")


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ({"chioce": [1, 2]}, "levels names 'chioce', which is no event. Did you mean 'choice'?"),
        ({"choice": "left"}, "levels of 'choice' is 'left', expected a list"),
        ({"choice": []}, "levels of 'choice' is empty"),
        ({"choice": [1, "1", 2]}, "levels of 'choice' has 1 more than once"),
        (["choice"], "levels is ['choice'], expected a mapping"),
    ],
)
def test_faults_of_levels(write, levels, expected):
    assert expected in read_fault(write("a.tsv", *GOOD), subject="id", choice="choice", levels=levels)


def test_levels_have_one_form(write):
    trials = read_trials(write("a.tsv", *GOOD), subject="id", choice="choice", levels={"choice": ["2", 1.0]})
    assert trials.levels == {"choice": (2, 1)}


# -- selecting


def test_select(write):
    path = write("a.csv", "s c", "1 5", "2 6", "2 7", "3 8")
    trials = read_trials(path, subject="s", c="c")
    some = trials.select(subjects=["3", 1])
    assert some.subjects == (1, 3)
    assert some.lengths.tolist() == [1, 1]
    assert some.events["c"].values.tolist() == [[5], [8]]
    assert some.places.where(~some.events["c"].missing) == ["row 2", "row 5"]
    assert some.n_trials == 2


@pytest.mark.parametrize(
    ("subjects", "expected"),
    [
        (["s3"], "there is no subject 's3'. Did you mean 's2'?"),
        (["s1", "s1"], "subject 's1' is asked for more than once"),
        ([], "no subject is asked for"),
    ],
)
def test_faults_of_select(write, subjects, expected):
    trials = read_trials(write("a.csv", "s c", "s1 5", "s2 6"), subject="s", c="c")
    with pytest.raises(DataError) as excinfo:
        trials.select(subjects)
    assert expected in message(excinfo)
    assert "The subjects are 's1', 's2'." in message(excinfo)


def test_a_large_table_is_read_in_good_time(write):
    rows = [f"{s} {t} {t % 2 + 1}" for s in range(50) for t in range(400)]
    trials = read_trials(write("a.csv", "s t c", *rows), subject="s", trial="t", c="c")
    assert trials.n_trials == 20_000
    assert np.all(trials.lengths == 400)
