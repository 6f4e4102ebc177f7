"""What is a table: text files of several makes, data frames, and what is none."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rlbackends.data import read_trials
from rlbackends.errors import DataError


def read_fault(source, **arguments):
    with pytest.raises(DataError) as excinfo:
        read_trials(source, **arguments)
    return str(excinfo.value)


@pytest.mark.parametrize(
    ("name", "separator"),
    [
        ("a.csv", ","),
        ("a.csv", ";"),
        ("a.tsv", "\t"),
        ("a.txt", "\t"),
        ("a.txt", ","),
        ("a.dat", ";"),
        ("a.txt", " "),
    ],
)
def test_separators(write, name, separator):
    trials = read_trials(write(name, "s c", "1 5", "1 6", separator=separator), subject="s", c="c")
    assert trials.events["c"].values.tolist() == [[5, 6]]


def test_text_that_spreadsheets_write(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes('\ufeff"my subject","c"\r\n1,"5"\r\n\r\n 1 , 6 \r\n\r\n'.encode())
    trials = read_trials(str(path), subject="my subject", c="c")
    assert trials.events["c"].values.tolist() == [[5, 6]]
    assert trials.places.numbers.tolist() == [[2, 4]]


def test_rows_are_called_by_their_line_though_an_entry_has_two_lines(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('s,note,c\n1,"two\nlines",5\nNA,x,6\n')
    assert "Row 4: subject" in read_fault(path, subject="s", c="c")


def test_a_column_of_row_names_is_passed_over(write):
    trials = read_trials(write("a.csv", " s c", "0 1 5", "1 1 6"), subject="s", c="c")
    assert trials.events["c"].values.tolist() == [[5, 6]]
    assert trials.unread == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("s,c\n", "there is a header (s and c) but no row under it"),
        ("s,c,c,s\n1,2,3,4\n", "'s' and 'c' are in the header more than once"),
        ("s,,c\n1,2,3\n", "column 2 of the header has no name"),
        ("s,c\n1,2\n1\n1,2,3\n", "the header has 2 entries, but row 3 has 1 and row 4 has 3"),
        ("s,c\n1,1,2\n2,1,2\n", "Are there row names without a header?"),
        ('s,c\n1,"2\n', "Are the quotes closed?"),
    ],
)
def test_text_that_is_no_table(tmp_path, text, expected):
    path = tmp_path / "a.csv"
    path.write_text(text)
    told = read_fault(path, subject="s", c="c")
    assert told.startswith("a.csv: ")
    assert expected in told


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"PK\x03\x04rest", "an Excel workbook?"),
        (b"s,c\n1,\x00\n", "this is a binary file"),
        ("s,c\n1,2\n".encode("utf-16"), "UTF-16 text, expected UTF-8"),
        ("s,c\n1,é\n".encode("latin-1"), "row 2 is not UTF-8 text"),
    ],
)
def test_bytes_that_are_no_table(tmp_path, raw, expected):
    path = tmp_path / "a.csv"
    path.write_bytes(raw)
    assert expected in read_fault(path, subject="s", c="c")


def test_a_file_that_is_not_there(write, tmp_path):
    write("prl.tsv", "s c", "1 1")
    assert "there is no such file. Did you mean 'prl.tsv'?" in read_fault(tmp_path / "plr.tsv", subject="s")
    assert "nor a folder" in read_fault(tmp_path / "no" / "prl.tsv", subject="s")
    assert "this is a folder, expected a CSV or TSV file" in read_fault(tmp_path, subject="s")


@pytest.mark.parametrize("source", [3, None, [1, 2], np.zeros((2, 2)), object()])
def test_values_that_are_no_table(source):
    told = read_fault(source, subject="s", c="c")
    assert "can't read a table from a value of type" in told
    assert "a data frame (pandas, polars, …)" in told


def test_a_path_needs_no_data_frame_library(write, monkeypatch):
    for name in ("narwhals", "pandas", "polars"):
        monkeypatch.setitem(sys.modules, name, None)
    assert read_trials(write("a.csv", "s c", "1 5"), subject="s", c="c").n_trials == 1


# -- frames


@pytest.fixture(params=["pandas", "pandas[pyarrow]", "polars", "polars-lazy", "pyarrow"])
def frame(request):
    """Make a frame of one library."""

    def make(columns):
        if request.param == "pyarrow":
            return pytest.importorskip("pyarrow").table(columns)
        library = pytest.importorskip(request.param[:6])
        made = library.DataFrame(columns)
        if request.param == "pandas[pyarrow]":
            return made.convert_dtypes(dtype_backend="pyarrow")
        return made.lazy() if request.param == "polars-lazy" else made

    return make


def test_frames(frame):
    table = frame(
        {
            "s": [2.0, 1.0, 1.0],
            "t": [1, 2, 1],
            "c": ["left", None, "right"],
            "r": [0.5, None, float("nan")],
            "b": [True, False, True],
        }
    )
    trials = read_trials(table, subject="s", trial="t", c="c", r="r", b="b")
    assert trials.subjects == (1, 2)
    assert trials.lengths.tolist() == [2, 1]
    assert trials.events["c"].values.tolist() == [["right", ""], ["left", ""]]
    assert trials.events["c"].missing.tolist() == [[False, True], [False, True]]
    assert trials.events["r"].missing.tolist() == [[True, True], [False, True]]
    assert trials.events["b"].values.tolist() == [[1, 0], [1, 0]]
    assert repr(trials).endswith("from data frame)")


def test_rows_of_frames_are_counted_from_0(frame):
    told = read_fault(frame({"s": ["a", None], "c": [1, 2]}), subject="s", c="c")
    assert told == (
        "data frame: 1 row can't be read (rows are counted from 0). Row 1: subject (column 's') is missing."
    )


def test_empty_frames(frame):
    assert "it has columns (s and c) but no rows" in read_fault(frame({"s": [], "c": []}), subject="s", c="c")


def test_pandas_of_other_makes():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({0: [1, 1], 1: pandas.Categorical(["a", "b"])}, index=[7, 9])
    trials = read_trials(table, subject="0", c="1")
    assert trials.events["c"].values.tolist() == [["a", "b"]]
    double = pandas.DataFrame([[1, 2, 3]], columns=["s", "c", "c"])
    assert "'c' is in the header more than once" in read_fault(double, subject="s", c="c")
    assert "can't read a table from a value of type 'pandas.Series'" in read_fault(table[0], subject="s")


def test_a_frame_without_narwhals_says_how_to_get_it(monkeypatch):
    polars = pytest.importorskip("polars")
    monkeypatch.setitem(sys.modules, "narwhals", None)
    assert "pip install narwhals" in read_fault(polars.DataFrame({"s": [1]}), subject="s")


def test_a_path_in_the_home_folder(write, monkeypatch):
    path = write("a.csv", "s c", "1 5")
    monkeypatch.setenv("HOME", str(Path(path).parent))
    assert read_trials("~/a.csv", subject="s", c="c").n_trials == 1
