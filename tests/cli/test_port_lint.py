"""``rlbackends port lint``."""

import json

import pytest

pytest.importorskip("libcst", reason="the linter reads programs with libcst: pip install 'rlbackends[port]'")

OLD = """import pymc3 as pm
import theano

def learn(c, r, q, alpha):
    return theano.tensor.set_subtensor(q[c], q[c] + alpha * (r - q[c]))

with pm.Model():
    alpha = pm.Beta("alpha", 1, 1)
    q, _ = theano.scan(learn, sequences=[c, r], outputs_info=[theano.tensor.zeros(2)], non_sequences=[alpha])
"""


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "old.py"
    path.write_text(OLD, encoding="utf-8")
    return path


def test_an_old_program_is_told_about_and_the_status_is_1(program, old):
    ran = program("port", "lint", old)
    assert ran.status == 1
    assert "old.py:1  [old-import]" in ran.out
    assert "import pymc as pm" in ran.out
    assert old.read_text(encoding="utf-8") == OLD


def test_a_clean_program_has_status_0(program, tmp_path):
    path = tmp_path / "new.py"
    path.write_text('import pymc as pm\nwith pm.Model():\n    pm.Normal("x", sigma=1)\n', encoding="utf-8")
    ran = program("port", "lint", path)
    assert (ran.status, ran.err) == (0, "")
    assert "Nothing to change was found." in ran.out


def test_json_is_the_report_as_data(program, old):
    found = json.loads(program("port", "lint", old, "--json").out)
    assert found["clean"] is False
    assert found["rows"][0]["rule"] == "old-import"
    assert "rl.Model" in found["draft"]


def test_the_draft_is_written_to_a_new_file_only(program, old, tmp_path):
    path = tmp_path / "draft.py"
    ran = program("port", "lint", old, "--draft", path)
    assert ran.status == 1
    compile(path.read_text(encoding="utf-8"), "draft.py", "exec")
    assert "q.at[c].set(q[c] + alpha * (r - q[c]))" in path.read_text(encoding="utf-8")
    again = program("port", "lint", old, "--draft", path)
    assert again.status == 2
    assert "it exists" in again.err
    assert program("port", "lint", old, "--draft", old).status == 2
    assert old.read_text(encoding="utf-8") == OLD


@pytest.mark.parametrize(
    ("text", "words"),
    [("print 'x'\n", "old.py:1: it does not parse as Python"), (None, "No such file")],
)
def test_what_can_not_be_read_has_status_2(program, old, text, words):
    if text is None:
        old.unlink()
    else:
        old.write_text(text, encoding="utf-8")
    ran = program("port", "lint", old)
    assert ran.status == 2
    assert words in ran.err


def test_nothing_to_draft_is_told(program, tmp_path):
    path = tmp_path / "new.py"
    path.write_text("import pymc as pm\n", encoding="utf-8")
    ran = program("port", "lint", path, "--draft", tmp_path / "draft.py")
    assert ran.status == 2
    assert "nothing to draft" in ran.err
