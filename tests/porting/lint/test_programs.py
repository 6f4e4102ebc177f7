"""Whole programs: nothing that breaks or changes silently is missed, and nothing is said that is not so."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

import rlbackends as rl
from rlbackends.porting.linting import RULES, LintReport, lint
from tests.porting.lint.expectations import PROGRAMS, RETOLD, expected, thread_programs

FILES = [*sorted(path for path in PROGRAMS.iterdir() if path.suffix in (".py", ".ipynb")), *RETOLD]


@pytest.fixture(scope="module")
def reports() -> dict[str, LintReport]:
    return {path.name: lint(path) for path in FILES}


@pytest.fixture(scope="module", params=["thread_flat", "thread_task_sets"])
def thread_report(request, tmp_path_factory) -> LintReport:
    """Return the report of one of the thread's own programs, which lie beside the repository."""
    texts = thread_programs()
    if not texts:
        pytest.skip("the thread's text is not in ../shared/seeds")
    path = tmp_path_factory.mktemp("thread") / f"{request.param}.py"
    path.write_text(texts[request.param], encoding="utf-8")
    return lint(path)


def assert_rows(report: LintReport) -> None:
    found = Counter((row.rule, row.cell, row.line) for row in report.rows)
    wanted = Counter(expected(report.path))
    assert not wanted - found, "missed"
    assert not found - wanted, "said, though nothing is there"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_row_and_no_other(path, reports):
    assert_rows(reports[path.name])


def test_every_row_of_the_threads_own_programs(thread_report):
    assert_rows(thread_report)


def test_the_programs_cover_the_rules(reports):
    seen = {row.rule for report in reports.values() for row in report.rows}
    assert seen == set(RULES)


def test_clean_programs_are_clean(reports):
    for name in ("clean_pymc6.py", "clean_regression.py"):
        assert reports[name].clean
        assert "Nothing to change was found." in str(reports[name])


def test_rows_are_sorted_silent_breaks_note_and_by_line(reports):
    ranks = {"silent": 0, "breaks": 1, "note": 2}
    for report in reports.values():
        keys = [(ranks[row.severity], row.order, row.column) for row in report.rows]
        assert keys == sorted(keys)


def test_files_are_never_touched(tmp_path):
    for path in FILES:
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        copy.chmod(0o444)
        before = copy.stat().st_mtime_ns, copy.read_bytes()
        lint(copy)
        assert (copy.stat().st_mtime_ns, copy.read_bytes()) == before


def test_drafts_are_python_that_says_what_it_did_not_read(reports):
    for name, report in reports.items():
        compile(report.draft, name, "exec")
        assert "TODO" not in report.draft
    assert "# not recognised: line 22: p = T.nnet.softmax(beta * q)" in reports["settings.py"].draft


# ------------------------------------------------------------------------------------------------- drafts that compute


def _model(report: LintReport) -> rl.Model:
    scope: dict[str, object] = {}
    exec(report.draft, scope)
    model = scope["model"]
    assert isinstance(model, rl.Model)
    return model


def assert_is_the_catalogues_flat_model(report: LintReport) -> None:
    rng = np.random.default_rng(1)
    shape = (4, 30)
    events = {"season": rng.integers(0, 3, shape), "alien": rng.integers(0, 4, shape)}
    choice, reward = rng.integers(0, 3, shape), rng.gamma(2.0, 1.0, shape)
    model = _model(report)
    drafted = rl.compile(model, rl.Trials.from_arrays(**events, action=choice, reward=reward))
    ours = rl.compile(rl.catalogue.aliens(), rl.Trials.from_arrays(**events, choice=choice, reward=reward))
    alpha, beta, forgetting = rng.uniform(0, 1, 4), rng.gamma(2.0, 1.0, 4), rng.uniform(0, 1, 4)
    left = drafted.log_likelihood({"alpha": alpha, "beta": beta, "forget": forgetting})["action"].values
    right = ours.log_likelihood({"alpha": alpha, "beta": beta, "forgetting": forgetting})["choice"].values
    rl.testing.assert_close(left, right, "log_likelihood")


def test_the_retold_programs_draftassert_is_the_catalogues_flat_model(reports):
    assert_is_the_catalogues_flat_model(reports["flat_pymc3.py"])


def test_the_threads_drafts(thread_report):
    if thread_report.path.stem == "thread_flat":
        assert_is_the_catalogues_flat_model(thread_report)
    else:
        assert _model(thread_report).name == "thread_task_sets"


def test_a_draft_computes_what_the_program_says(reports):
    """A delta rule with forgetting toward 0.12, against the same written out in NumPy."""
    model = _model(reports["hierarchical_bound.py"])
    rng = np.random.default_rng(2)
    choice, reward = rng.integers(0, 3, (1, 25)), rng.uniform(0, 2, (1, 25))
    data = rl.Trials.from_arrays(action=choice, reward=reward)
    params = {"alpha": 0.3, "beta": 1.7, "forget": 0.05}
    found = rl.compile(model, data).log_likelihood(params)["action"].values[0]
    q = np.full(3, 0.12)
    for c, r, value in zip(choice[0], reward[0], found, strict=True):
        p = np.exp(1.7 * q) / np.exp(1.7 * q).sum()
        assert value == pytest.approx(np.log(p[c]), abs=1e-12)
        q = 0.95 * q + 0.05 * 0.12
        q[c] += 0.3 * (r - q[c])


@pytest.mark.parametrize(
    "name", ["rescorla_wagner.py", "two_rates.py", "two_step.py", "pymc5.py", "task_sets_pymc3.py"]
)
def test_drafts_build_models(name, reports):
    assert _model(reports[name]).name == name.removesuffix(".py")


def test_a_draft_says_where_it_differs(reports):
    assert "there with the values after the trial's update" in reports["two_rates.py"].draft
    assert "the program does not count the first response" in reports["rescorla_wagner.py"].draft


# ------------------------------------------------------------------------------------------------------------- reports


def test_a_report_reads_as_text_table_and_data(reports):
    report = reports["flat_pymc3.py"]
    text = str(report)
    for words in ("flat_pymc3.py:26  [ignored-keyword]  pm.Normal drops sd=1.", "fix: sigma=1", "Changes silently",
                  "Breaks", "Notes", "pymc 6.4.0", "learning rule"):  # fmt: skip
        assert words in text
    assert text.index("Changes silently") < text.index("Breaks:") < text.index("Notes:")
    table = report.frame()
    assert list(table.columns[:5]) == ["rule", "severity", "path", "line", "column"]
    assert len(table) == len(report.rows)
    assert report.to_data()["counts"]["silent"] == report.count("silent") == (table["severity"] == "silent").sum()
    assert "LintReport(flat_pymc3.py" in repr(report)


def test_a_notebooks_rows_name_the_cell(reports):
    report = reports["notebook.ipynb"]
    row = next(row for row in report.rows if row.rule == "ignored-keyword")
    assert (row.cell, row.line) == (4, 9)
    assert row.code.startswith("%time a = pm.Normal")
    assert "cell 4, line 9" in str(report)
    assert any("%%bash" in words for words in report.skipped)


def test_the_parts_of_the_model_are_shown(reports):
    parts = reports["flat_pymc3.py"].parts
    assert {"prior", "learning rule", "decay", "recursion", "likelihood"} <= {part.kind for part in parts}
    rule = next(part for part in parts if part.kind == "learning rule")
    assert rule.where == "flat_pymc3.py:46"


def test_the_page_lists_every_rule():
    page = (PROGRAMS.parents[3] / "docs" / "lint.md").read_text(encoding="utf-8")
    for rule in RULES.values():
        assert f"| `{rule.id}` | {rule.title} | {rule.why} |" in page


def test_rl_porting_lint_is_the_function(tmp_path):
    from rlbackends import porting

    file = tmp_path / "empty.py"
    file.write_text("")
    assert porting.lint(file).clean
    assert porting.LintReport is LintReport


# ------------------------------------------------------------------------------------------------------- single matters


@pytest.mark.parametrize(
    ("first", "rows"),
    [("0,1,2,3", 0), ("s1,s2,s3,s4", 0), ("2,0,1,1", 1), ("0.3,5.1,0.0,0.0", 1), (None, 1)],
    ids=["counted names", "names", "choices", "rewards", "no such file"],
)
def test_a_table_beside_the_program_is_looked_at(tmp_path, first, rows):
    if first is not None:
        (tmp_path / "actions.csv").write_text(f"{first}\n1,1,0,2\n")
    program = tmp_path / "model.py"
    program.write_text('import pymc, pandas as pd\nactions = pd.read_csv("actions.csv").values\n')
    found = lint(program).rows
    assert [row.rule for row in found] == ["csv-header"] * rows
    assert ("so the first trial is lost" in str(lint(program))) == (first is not None and rows == 1)


def test_neither_pymc_nor_its_kin_is_imported(tmp_path):
    code = (
        "import sys; from rlbackends.porting.linting import lint; "
        f"str(lint({str(RETOLD[0])!r})); "
        "print([name for name in ('pymc', 'pytensor', 'arviz', 'jax', 'pandas', 'scipy') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_draft_is_given_for_what_was_read_only(tmp_path):
    """Whoever indexes by something unknown, or reduces along another axis, gets a comment and no guess."""
    program = tmp_path / "model.py"
    for line in (
        "return tt.set_subtensor(q[state, c], r)",
        "return q + a * q.sum(axis=1)",
        "return mystery(q, a)",
        "return q * state",
    ):
        program.write_text(
            "import theano, theano.tensor as tt, pymc3 as pm\nstate = 3\nstate += 1\n"
            f"def step(c, r, q, a):\n    {line}\n"
            "with pm.Model():\n    a = pm.Beta('a', 1, 1)\n"
            "    q, _ = theano.scan(step, sequences=[c, r], outputs_info=[tt.zeros(2)], non_sequences=[a])\n"
        )
        draft = lint(program).draft
        assert "# not recognised: line 5:" in draft
        assert "return {}" in draft


def test_keywords_that_signatures_do_not_show_are_known(tmp_path):
    program = tmp_path / "model.py"
    program.write_text(
        "import numpy as np, pymc as pm\nwith pm.Model():\n    pm.Normal('x', 0, 1, dtype='float32')\n"
        "    pm.Categorical('c', p=[0.5, 0.5], dtype='int8')\n"
        "    pm.MvStudentT('t', nu=3, mu=np.zeros(2), cov=np.eye(2))\n    pm.HalfCauchy('h', 1, dtype='float32')\n"
    )
    (row,) = lint(program).rows
    assert (row.line, row.what) == (6, "pm.HalfCauchy has no argument dtype.")


def test_same_words_of_other_libraries_are_left_alone(tmp_path):
    program = tmp_path / "model.py"
    program.write_text(
        "import torch.distributions as pm\nfrom scipy.stats import norm as Normal\n"
        "x = pm.Normal('x', sd=1)\ny = Normal(sd=2)\ntrace = sample(5)\ntrace['x']\nmodel.test_point\n"
    )
    assert lint(program).rows == ()
