"""Derived columns: the formulas, their missing entries, and their faults."""

import numpy as np
import pytest

from rlbackends.data import read_trials
from rlbackends.errors import DataError


def derive(write, formula, lines=("1 2 0 go", "1 -1 NA stop", "1 NA 4 NA")):
    """Return a formula's values (None where missing) for three rows."""
    trials = read_trials(write("a.csv", "s x y word", *lines), subject="s", derive={"new": formula})
    column = trials.events["new"]
    return [
        None if hidden else value for value, hidden in zip(column.values[0], column.missing[0], strict=True)
    ]


def derive_fault(write, formula, **arguments):
    path = write("a.csv", "s x y word", "1 2 0 go", "1 -1 3 stop")
    with pytest.raises(DataError) as excinfo:
        read_trials(
            path, subject="s", derive=formula if isinstance(formula, dict) else {"new": formula}, **arguments
        )
    return str(excinfo.value)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("x + 1", [3, 0, None]),
        ("x - y", [2, None, None]),
        ("-x * 2 ** 3 / 4", [-4, 2, None]),
        ("+abs(x)", [2, 1, None]),
        ("maximum(x, 0)", [2, 0, None]),
        ("minimum(x, 0)", [0, -1, None]),
        ("clip(x, 0, 1)", [1, 0, None]),
        ("sign(x)", [1, -1, None]),
        ("x > 0", [1, 0, None]),
        ("x <= 2 and not x == -1", [1, 0, None]),
        ("(x < 0) | (x >= 2)", [1, 1, None]),
        ("(x < 0) & ~(x != -1)", [0, 1, None]),
        ("x > 0 or y > 0", [1, None, None]),
        ("is_missing(y)", [0, 1, 0]),
        ("is_missing(word)", [0, 0, 1]),
        ("where(is_missing(y), 0, y)", [0, 0, 4]),
        ("where(x > 0, 10, y)", [10, None, None]),
        ("where(is_missing(x), 5, log(x + 2))", [np.log(4), 0, 5]),
        ("word == 'go'", [1, 0, None]),
        ("'stop' != word", [1, 0, None]),
        ("where(word == 'go', 'yes', 'no')", ["yes", "no", None]),
        ("1.5", [1.5, 1.5, 1.5]),
        ("where(y == 0, 1, x / y)", [1, None, None]),
        ("where(True, x, y)", [2, -1, None]),
        ("x\n+ 1", [3, 0, None]),
    ],
)
def test_values(write, formula, expected):
    assert derive(write, formula) == expected


@pytest.mark.parametrize("name", ["exp", "log", "log1p", "sqrt", "tanh"])
def test_functions(write, name):
    expected = getattr(np, name)([0.5, 2.0, 3.0])
    assert derive(write, f"{name}(x)", ("1 0.5 0 a", "1 2 0 a", "1 3 0 a")) == expected.tolist()


def test_functions_that_are_not_numpys(write):
    lines = ("1 0 0 a", "1 -800 0 a", "1 800 0 a")
    assert derive(write, "sigmoid(x)", lines) == [0.5, 0, 1]
    assert derive(write, "softplus(x)", lines) == [pytest.approx(np.log(2)), 0, 800]


def test_names_are_columns_events_and_earlier_derived_ones(write):
    path = write("a.csv", "s outcome", "1 2", "1 3")
    trials = read_trials(
        path, subject="s", reward="outcome", derive={"double": "reward + outcome", "more": "double + 1"}
    )
    assert trials.columns == ("reward", "double", "more")
    assert trials.events["more"].values.tolist() == [[5, 7]]


def test_a_derived_event_may_take_the_name_of_a_column(write):
    trials = read_trials(
        write("a.csv", "s r", "1 200"), subject="s", derive={"r": "r / 100", "half": "r / 2"}
    )
    assert trials.events["r"].values.tolist() == [[2]]
    assert trials.events["half"].values.tolist() == [[1]]


def test_a_list_of_formulas_gives_an_axis(write):
    trials = read_trials(write("a.csv", "s r", "1 2", "1 NA"), subject="s", derive={"both": ["r", "1 - r"]})
    assert trials.events["both"].values.tolist() == [[[2, -1], [0, 0]]]
    assert trials.events["both"].missing.tolist() == [[[False, False], [True, True]]]


def test_levels_may_name_a_derived_event(write):
    path = write("a.csv", "s r", "1 2")
    assert read_trials(path, subject="s", derive={"a": "r"}, levels={"a": [1, 2]}).levels == {"a": (1, 2)}


def test_syntax_is_pointed_at(write):
    told = derive_fault(write, "x + ) 2")
    assert (
        told == "a.csv: derive 'new': the formula can't be read: unmatched ')'.\n      x + ) 2\n          ^"
    )


def test_unknown_names_are_pointed_at(write):
    told = derive_fault(write, "x - abs(wrod)", c="x")
    assert told == (
        "a.csv: derive 'new': there is no column or event 'wrod'. Did you mean 'word'? "
        "There are 's', 'x', 'y', 'word' and 'c'.\n      x - abs(wrod)\n              ^"
    )


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("", "the formula is empty"),
        (3, "the formula is 3, expected text"),
        ([], "'new' has an empty list of formulas"),
        ("x +", "invalid syntax"),
        ("absolute(x)", "there is no function 'absolute'. Did you mean 'abs'? There are 'abs', 'exp'"),
        ("np.log(x)", "there is no function 'np.log'. Write 'log'."),
        ("max(x, y)", "there is no function 'max'. Did you mean 'maximum'?"),
        ("abs", "there is no column or event 'abs' (it is a function"),
        ("where(x > 0, 1)", "where takes 3 arguments, given by position"),
        ("log(x=3)", "log takes one argument, given by position"),
        ("abs(*x)", "abs takes one argument, given by position"),
        ("x ^ 2", "A power is written '**'"),
        ("x % 2", "its operator is none of + - * / **"),
        ("word + 1", "'word' is text, expected a number"),
        ("word < 'go'", "'word' is text, expected a number. Text can only be compared"),
        ("x == 'go'", "compares text ('go') with a number"),
        ("word == 1", "compares text (word) with a number"),
        (
            "(x > 0) * 2",
            "'x > 0' is a comparison (true or false), expected a number. Write 'where(x > 0, 1, 0)'",
        ),
        ("where(x, 1, 0)", "'x' is a number, expected a comparison such as 'x > 0'"),
        ("not x", "'x' is a number, expected a comparison"),
        ("x and y", "'x' is a number, expected a comparison"),
        ("where(x > 0, 'a', 1)", "its branches differ, text and number"),
        ("0 < x < 2", "compares twice. Write 'a < b and b < c'"),
        ("x is y", "that comparison is not one of"),
        ("x if y else 2", "Write 'where(condition, a, b)'"),
        ("x.real", "a formula has no dots. Write 'real' alone"),
        ("x[0]", "a formula has no subscript"),
        ("2j * x", "'2j' is neither a number nor text"),
        ("__import__('os')", "there is no function '__import__'"),
    ],
)
def test_faults_of_formulas(write, formula, expected):
    told = derive_fault(write, formula)
    assert told.startswith("a.csv: derive")
    assert expected in told


def test_values_that_are_not_finite_are_faults_of_rows(write):
    told = derive_fault(write, {"new": "log(x) + 1 / y"})
    assert told == (
        "a.csv: 2 rows can't be read. Row 2: derived 'new' = 'log(x) + 1 / y' is no finite number "
        "(x is 2, y is 0). "
        "Row 3: derived 'new' = 'log(x) + 1 / y' is no finite number (x is -1, y is 3)."
    )


def test_names_that_cannot_be_given(write):
    assert "'x' is also given as a column" in derive_fault(write, {"x": "y"}, x="x")
    assert "'a b' can't be the name of an event" in derive_fault(write, {"a b": "y"})


def test_names_that_mean_two_things(write):
    told = derive_fault(write, {"new": "y + 1"}, y="x")
    assert "'y' is a column of the table, and also the event read from column 'x'" in told
    assert "'both' has 2 entries a trial, a formula takes one" in derive_fault(
        write, "both + 1", both=["x", "y"]
    )


def test_faults_of_all_formulas_are_told_once(write):
    told = derive_fault(write, {"a": "nope + 1", "b": "a + 1", "c": "word * 2"})
    assert told.startswith("a.csv: 2 faults.")
    assert "derive 'a'" in told
    assert "derive 'c'" in told
    assert "derive 'b'" not in told
