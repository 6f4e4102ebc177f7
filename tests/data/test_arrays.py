"""Arrays in memory as trials."""

import numpy as np
import pytest

from rlbackends.data import Trials
from rlbackends.errors import DataError


def array_fault(*arguments, **events):
    with pytest.raises(DataError) as excinfo:
        Trials.from_arrays(*arguments, **events)
    return str(excinfo.value)


def test_arrays():
    trials = Trials.from_arrays(
        subjects=["b", "a"],
        lengths=[2, 3],
        choice=np.array([[0, 1, 9], [1, 1, 0]]),
        reward=np.array([[0.5, np.nan, 9], [1, 2, 3]]),
        both=np.zeros((2, 3, 2)),
        word=[["x", "y", "z"], ["x", None, "z"]],
        hidden=np.ma.masked_equal([[1, 7, 1], [1, 1, 7]], 7),
    )
    assert trials.subjects == ("a", "b")
    assert trials.lengths.tolist() == [3, 2]
    assert trials.trial_numbers.tolist() == [[1, 2, 3], [1, 2, -1]]
    assert trials.events["choice"].values.tolist() == [[1, 1, 0], [0, 1, 0]]
    assert trials.events["reward"].missing.tolist() == [[False, False, False], [False, True, True]]
    assert trials.events["both"].missing.tolist() == [[[False] * 2] * 3, [[False] * 2] * 2 + [[True] * 2]]
    assert trials.events["word"].values.tolist() == [["x", "", "z"], ["x", "y", ""]]
    assert trials.events["hidden"].missing.tolist() == [[False, False, True], [False, True, True]]
    assert trials.reports == ("subjects were put into natural order",)
    assert repr(trials).endswith("2 subjects × 2–3 trials; choice, reward, both, word, hidden; from arrays)")


def test_what_was_given_is_not_changed():
    reward = np.array([[1.0, np.nan]])
    Trials.from_arrays(reward=reward)
    assert np.isnan(reward[0, 1])
    assert reward.flags.writeable


def test_blocks_and_trial_numbers():
    trials = Trials.from_arrays(x=np.zeros((2, 4)), blocks=[0, 0, 1, 1], trial_numbers=[1, 3, 1, 2])
    assert trials.starts.tolist() == [[True, False, True, False]] * 2
    assert trials.trial_numbers.tolist() == [[1, 3, 1, 2]] * 2
    assert "trial numbers have 2 gaps in 2 of 2 subjects" in trials.reports[0]
    each = Trials.from_arrays(x=np.zeros((2, 2)), lengths=[1, 2], blocks=[["a", np.nan], ["a", "b"]])
    assert each.starts.tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "there are no events"),
        ({"x": [1, 2]}, "'x' is 2, expected (subject × trial) or (subject × trial × entry). For one subject"),
        ({"x": [[1, 2], [1]]}, "'x' is ragged"),
        (
            {"x": np.zeros((2, 3)), "y": np.zeros((3, 2))},
            "events differ in subjects × trials: 'x' 2 × 3, 'y' 3 × 2",
        ),
        ({"x": np.zeros((2, 0))}, "there are no trials: the arrays are 2 subjects × 0 trials"),
        ({"x": np.zeros((2, 3)), "subjects": [1]}, "subjects has 1 label, but the arrays have 2 subjects"),
        ({"x": np.zeros((2, 3)), "subjects": [1, "1"]}, "subjects: 1 is there more than once"),
        (
            {"x": np.zeros((2, 3)), "lengths": [0, 3]},
            "lengths is [0, 3], expected one whole number per subject (2)",
        ),
        ({"x": np.zeros((2, 3)), "lengths": [3]}, "each from 1 to 3"),
        (
            {"x": np.zeros((2, 3)), "blocks": [1, 2]},
            "blocks is 2, expected 3 (trial) or 2 × 3 (subject × trial)",
        ),
        ({"x": np.zeros((1, 3)), "blocks": [1, 2, 1]}, "Trial 3 of subject 1: block 1 comes back"),
        ({"x": np.zeros((1, 2)), "blocks": [1, np.nan]}, "Trial 2 of subject 1: the block is missing"),
        (
            {"x": np.zeros((1, 2)), "trial_numbers": [1.5, 2]},
            "Step 1 of subject 1: the trial number is 1.5, expected",
        ),
        ({"x": np.zeros((1, 2)), "trial_numbers": ["a", "b"]}, "trial_numbers must be whole numbers"),
        ({"x": np.zeros((1, 3)), "trial_numbers": [1, 2, 2]}, "trial numbers must rise within a block"),
        ({"x": np.zeros((1, 3)), "levels": {"y": [1]}}, "levels names 'y', which is no event"),
    ],
)
def test_faults(arguments, expected):
    told = array_fault(**arguments)
    assert told.startswith("arrays: ")
    assert expected in told
