"""Reading files: encodings, notebooks, magics, and what can't be read."""

from __future__ import annotations

import json
import sys

import pytest

from rlbackends.errors import BackendMissingError, DataError
from rlbackends.porting.linting import lint
from rlbackends.porting.linting.source import read_source, without_magics


def _write(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def _notebook(tmp_path, *cells, **more):
    found = {"cells": [{"cell_type": "code", "source": cell} for cell in cells], "metadata": {}, **more}
    return _write(tmp_path, "book.ipynb", json.dumps(found))


@pytest.mark.parametrize("content", ["", "\n\n", "# only a comment", '"""only a docstring"""'])
def test_nothing_in_nothing(tmp_path, content):
    report = lint(_write(tmp_path, "empty.py", content))
    assert (report.rows, report.draft, report.clean) == ((), "", True)


@pytest.mark.parametrize(
    "content",
    [
        "# -*- coding: latin-1 -*-\nimport pymc3  # Größe\n".encode("latin-1"),
        b"\xef\xbb\xbfimport os\nimport pymc3\n",
        b"import os\r\nimport pymc3\r\n",
        b"import os\rimport pymc3\r",
        b"\x0c\nimport pymc3",
    ],
    ids=["latin-1", "byte-order mark", "Windows", "old Mac", "form feed"],
)
def test_encodings_and_line_ends(tmp_path, content):
    (row,) = lint(_write(tmp_path, "model.py", content)).rows
    assert (row.rule, row.line) == ("old-import", 2)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.py", b"x = '\xff\xfe'\n", "it can't be read as text"),
        ("model.py", b"# coding: klingon\n", "unknown encoding"),
        ("model.py", b"a = 1\0\n", "zero bytes"),
        ("model.py", b"import pymc3\nprint 'hello'\n", "model.py:2: it does not parse as Python"),
        ("model.py", b"import pymc3\nprint 'hello'\n", "It looks like Python 2"),
        ("model.py", b"with x\n    pass\n", "model.py:1"),
        ("model.py", b"if x:\n\ta = 1\n        b = 2\n", "model.py:3"),
        ("book.ipynb", b"{", "it is not JSON"),
        ("book.ipynb", b"[1, 2]", "no notebook"),
        ("book.ipynb", b'{"a": 1}', "no notebook"),
        ("book.ipynb", b"\xff\xfe{}", "Notebooks are UTF-8"),
        ("book.ipynb", b'{"cells": [], "metadata": {"kernelspec": {"language": "R"}}}', "its language is 'R'"),
    ],
)
def test_what_can_not_be_read_is_told(tmp_path, name, content, words):
    with pytest.raises(DataError) as caught:
        lint(_write(tmp_path, name, content))
    assert words in str(caught.value)


def test_a_folder_and_a_missing_file_are_told(tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        lint(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        lint(tmp_path / "model.py")


def test_what_is_no_path_is_told():
    with pytest.raises(DataError, match="lint: path is 3, expected the path of a Python file"):
        lint(3)


def test_a_number_that_ends_with_a_dot_ends_the_sentence(tmp_path):
    path = tmp_path / "model.py"
    path.write_text("import pymc3 as pm\nwith pm.Model():\n    pm.Normal('x', 0, sigma=1, testval=2.)\n", "utf-8")
    assert "drops testval=2.\n" in str(lint(path))


def test_too_much_code_is_refused(tmp_path):
    with pytest.raises(DataError, match="expected at most"):
        lint(_write(tmp_path, "model.py", "x = 1\n" * 700_000))


def test_deep_expressions_are_told_or_read(tmp_path):
    path = _write(tmp_path, "model.py", "x = " + "(" * 3000 + "1" + ")" * 3000)
    with pytest.raises(DataError):
        lint(path)
    assert lint(_write(tmp_path, "model.py", "x = " + " + ".join(["1"] * 200))).clean


def test_large_outputs_of_notebooks_do_not_matter(tmp_path):
    cell = {"cell_type": "code", "source": ["import pymc3\n"], "outputs": [{"data": "x" * 5_000_000}]}
    path = _write(tmp_path, "book.ipynb", json.dumps({"cells": [{"cell_type": "markdown", "source": "#"}, cell]}))
    (row,) = lint(path).rows
    assert (row.cell, row.line) == (2, 1)


def test_old_notebooks_have_sheets(tmp_path):
    found = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["import theano"]}]}], "nbformat": 3}
    assert [row.rule for row in lint(_write(tmp_path, "book.ipynb", json.dumps(found))).rows] == ["old-import"]


def test_a_cell_that_does_not_parse_is_named(tmp_path):
    with pytest.raises(DataError, match=r"book\.ipynb, cell 2, line 2: it does not parse as Python"):
        lint(_notebook(tmp_path, "a = 1", "b = 2\nprint 'x'"))


@pytest.mark.parametrize(
    ("cell", "plain"),
    [
        ("%matplotlib inline\na = 1", "\na = 1"),
        ("!ls\n?a\na?\na.b??\nx = !ls\ny = %who", "\n\n\n\n\n"),
        ("if a:\n    !ls", "if a:\n    pass"),
        ("%time a = f(1)", "0;    a = f(1)"),
        ("    %timeit -n 10 f(1)", "    0;            f(1)"),
        ("a = (7\n% 3)", "a = (7\n% 3)"),
        ("a = 7 \\\n% 3", "a = 7 \\\n% 3"),
        ("a = '''\n%no\n!no\n'''\n%yes", "a = '''\n%no\n!no\n'''\n"),
        ("a = '('  # (\n%yes", "a = '('  # (\n"),
        ("%%bash\nls (", "\n"),
        ("%%time\na = 1", "\na = 1"),
        ("\n%%capture out\n%yes\na = 1", "\n\n\na = 1"),
        ("a = b != c", "a = b != c"),
    ],
)
def test_magics_are_blanked_where_they_stand(cell, plain):
    lines, skipped = without_magics(cell.split("\n"))
    assert "\n".join(lines) == plain
    changed = {i for i, (a, b) in enumerate(zip(cell.split("\n"), lines, strict=True)) if a != b}
    assert {i for i, _ in skipped} == changed


def test_lines_of_cells_are_found_again(tmp_path):
    source = read_source(_notebook(tmp_path, "a\nb", "", "c"))
    assert [source.place(line) for line in range(1, 7)] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (3, 1)]


def test_without_libcst_the_command_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "libcst", None)
    with pytest.raises(BackendMissingError, match=r"pip install 'rlbackends\[port\]'"):
        lint(_write(tmp_path, "model.py", "import pymc3"))
