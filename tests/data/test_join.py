"""What is known of subjects, beside their trials."""

import numpy as np
import pandas as pd
import pytest

import rlbackends as rl
from rlbackends.errors import DataError

TRIALS = rl.Trials.from_arrays(
    subjects=["s10", "s2"], lengths=[3, 2], choice=[[0, 1, 1], [1, 0, 0]], reward=[[1.0, 0, 1], [0, 0, 1]]
)
TABLE = pd.DataFrame({"id": ["s2", "s9", "s10"], "age": [20, 99, 30], "group": ["x", "y", None]})


def test_rows_go_to_their_subjects():
    joined = TRIALS.join(TABLE, subject="id")
    assert joined.columns == ("choice", "reward", "age", "group") and joined.subjects == ("s2", "s10")
    assert joined.events["age"].values[:, 0].tolist() == [20.0, 30.0]
    assert joined.events["group"].missing.tolist() == [[False, False, True], [True, True, True]]
    assert TRIALS.columns == ("choice", "reward")


def test_columns_by_name_from_a_file(tmp_path):
    path = tmp_path / "participants.tsv"
    TABLE.to_csv(path, sep="\t", index=False)
    joined = TRIALS.join(path, subject="id", years="age")
    assert joined.columns == ("choice", "reward", "years")


def test_covariates_come_with_bound_data():
    bound = TRIALS.join(TABLE, subject="id").bind(rl.catalogue.rescorla_wagner())
    assert set(bound.covariates) == {"choice", "reward", "age", "group"}
    assert bound.digest == TRIALS.bind(rl.catalogue.rescorla_wagner()).digest
    part = bound.rows(slice(1, 2))
    assert part.covariates["age"].values.tolist() == [[30.0, 30.0, 0.0]] or part.covariates["age"].values[0, 0] == 30.0


def test_rows_of_nobody_are_left_out_and_na_is_missing(tmp_path):
    path = tmp_path / "participants.tsv"
    path.write_text("participant_id\tage\ns2\tn/a\ns10\t30\ns9\t1\ns9\t2\n\t3\n\t4\n")
    age = TRIALS.join(path, subject="participant_id").events["age"]
    assert age.is_numeric and age.missing[:, 0].tolist() == [True, False] and age.values[1, 0] == 30.0


def test_any_name_can_be_given():
    assert TRIALS.join(TABLE, subject="id", source="age", self="group").columns[2:] == ("source", "self")


def test_whole_number_labels_meet_text():
    trials = rl.Trials.from_arrays(subjects=[1, 2], choice=[[0], [1]])
    joined = trials.join(pd.DataFrame({"id": ["2", "1"], "age": [20, 30]}), subject="id")
    np.testing.assert_array_equal(joined.events["age"].values[:, 0], [30.0, 20.0])


@pytest.mark.parametrize(
    ("table", "given", "match"),
    [
        (TABLE, {"subject": "ids"}, r"'ids' \(for subject\) is no column\. Did you mean 'id'\?"),
        (TABLE, {"subject": "id", "years": "agee"}, r"'agee' \(for years\) is no column\. Did you mean 'age'"),
        (TABLE, {"subject": "id", "choice": "age"}, "'choice' is a column of the trials already"),
        (TABLE[["id"]], {"subject": "id"}, "no column besides 'id'"),
        (TABLE.iloc[:2], {"subject": "id"}, "there is no row for subject 's10', of whom there are trials"),
        (pd.concat([TABLE, TABLE.iloc[:1]]), {"subject": "id"}, "subject 's2' is there a second time"),
    ],
)
def test_what_is_refused(table, given, match):
    with pytest.raises(DataError, match=match):
        TRIALS.join(table, **given)
