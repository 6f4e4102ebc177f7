"""Wide files: one file an event, one column a subject, one row a trial."""

import pytest

from rlbackends.data import read_trials
from rlbackends.errors import DataError


def read_fault(source, **arguments):
    with pytest.raises(DataError) as excinfo:
        read_trials(source, **arguments)
    return str(excinfo.value)


def test_wide_files(write):
    choice = write("actions.csv", "10 2 s", "1 2 3", "4 5 6")
    reward = write("rewards.csv", "2 10 s", "0.2 0.1 0.3", "NA 0.4 0.6")
    trials = read_trials({"choice": choice, "reward": reward}, derive={"sum": "choice + reward"})
    assert trials.subjects == ("2", "10", "s")
    assert trials.events["choice"].values.tolist() == [[2, 5], [1, 4], [3, 6]]
    assert trials.events["reward"].missing.tolist() == [[False, True], [False, False], [False, False]]
    assert trials.events["sum"].values[1].tolist() == [1.1, 4.4]
    assert trials.trial_numbers.tolist() == [[1, 2]] * 3
    assert (
        repr(trials) == "Trials(3 subjects × 2 trials; choice, reward, sum; from actions.csv and rewards.csv)"
    )


def test_a_subject_ends_where_all_files_are_empty(write):
    choice = write("a.csv", "1 2 3", "1 1 NA", "1 NA NA", "NA NA NA", "1 NA NA")
    reward = write("b.csv", "1 2 3", "1 1 NA", "1 1 NA", "NA NA NA", "1 NA NA")
    trials = read_trials({"choice": choice, "reward": reward})
    assert trials.lengths.tolist() == [4, 2, 4]
    assert "1 of 3 subjects have fewer than 4 trials" in trials.reports[0]
    assert "subject 2: 2 trials" in trials.reports[0]


def test_one_subject_may_have_empty_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("7\n1\n\n2\n\n")
    trials = read_trials({"choice": path})
    assert trials.events["choice"].missing.tolist() == [[False, True, False]]


def test_an_empty_line_is_a_fault(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("7,8\n1,2\n\n2,3\n")
    assert "row 3 has 0" in read_fault({"choice": path})


def test_files_that_do_not_fit_each_other(write):
    choice = write("a.csv", "1 2 4", "1 1 1", "1 1 1")
    reward = write("b.csv", "1 2 3", "1 1 1")
    told = read_fault({"choice": choice, "reward": reward})
    assert told.startswith("a.csv and b.csv: 2 faults.")
    assert "'reward' (b.csv) lacks 4 and has 3, unlike 'choice' (a.csv)" in told
    assert "'reward' (b.csv) has 1 trial, but 'choice' (a.csv) has 2" in told


def test_subjects_that_have_one_label(write):
    assert "has subject 1 more than once" in read_fault({"choice": write("a.csv", "1 1.0", "1 1")})


def test_faults_of_all_files_are_told_together(write, tmp_path):
    told = read_fault({"a": write("a.csv", "1 2"), "b": tmp_path / "b.csv", "c": [1, 2], "d e": "x"})
    assert "'a': a.csv: there is a header (1 and 2) but no row" in told
    assert "'b': " in told
    assert "there is no such file" in told
    assert "'c' is a list, expected the path of a wide file" in told
    assert "'d e' can't be the name of an event" in told


def test_arguments_of_tidy_tables_are_refused(write):
    told = read_fault({"choice": write("a.csv", "1 2", "1 1")}, subject="s", choice="c")
    assert "wide files take no 'subject' and 'choice'" in told
    assert "the mapping is empty" in read_fault({})


def test_faults_of_formulas_name_row_and_subject(write):
    told = read_fault({"r": write("a.csv", "x y", "1 1", "1 0")}, derive={"l": "log(r)"})
    assert told == (
        "a.csv: 1 trial can't be read. Row 3 of subject y: derived 'l' = 'log(r)' is no finite number "
        "(r is 0)."
    )
