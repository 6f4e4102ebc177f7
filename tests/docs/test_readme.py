"""What README.md and the pages of docs/ show is what happens: their Python runs as written and prints what they print.

A fenced ``python`` block is run in the namespace of its page; a ``text`` block right behind it is its output, and a
``csv`` block is the file that the sentence before it names. Lines of ``bash`` that start with ``rlbackends`` run, too.
An output line that ends in … may go on differently.
"""

from __future__ import annotations

import ast
import contextlib
import io
import re
import shlex
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import rlbackends as rl
from rlbackends.errors import RLBackendsError

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([\w-]+\.csv)`")
_NUMBER = re.compile(r"(?<![\w.])[-+−]?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w.]*\w)")
_SAMPLES = {"fit", "check", "recover", "recover_models", "calibrate"}  # calls that compile gradients, or sample
_LONG_COMMANDS = ("check", "demo", "doctor", "fit", "recover")


@dataclass(frozen=True)
class Step:
    """A block that is run, and the output that the page shows for it."""

    language: str
    source: str
    line: int
    shown: str | None

    def samples(self, sampled: set[str]) -> bool:
        """Say whether it takes long, or needs what such a block made; ``sampled`` collects the names."""
        if self.language == "bash":
            return any(f"rlbackends {command}" in self.source for command in _LONG_COMMANDS)
        nodes = list(ast.walk(ast.parse(self.source)))
        names = [node for node in nodes if isinstance(node, ast.Name)]
        calls = [n.func for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)]
        is_long = any(isinstance(c.value, ast.Name) and c.value.id == "rl" and c.attr in _SAMPLES for c in calls)
        is_long |= any(n.id in sampled for n in names if isinstance(n.ctx, ast.Load))
        if is_long:
            sampled |= {n.id for n in names if isinstance(n.ctx, ast.Store)}
        return is_long


def steps(page: str, folder: Path) -> Iterator[Step]:
    """Yield a page's steps in order, and write the files that it shows."""
    text = (ROOT / page).read_text(encoding="utf-8")
    fences = list(_FENCE.finditer(text))
    for fence, following in zip(fences, [*fences[1:], None], strict=False):
        language, body = fence.groups()
        line = text.count("\n", 0, fence.start()) + 1
        if language == "csv":
            (folder / _FILE.findall(text[: fence.start()])[-1]).write_text(body, encoding="utf-8")
        if language not in ("python", "bash") or (language == "bash" and not body.startswith("rlbackends ")):
            continue
        is_output = (
            following is not None and following[1] == "text" and not text[fence.end() : following.start()].strip()
        )
        yield Step(language, body, line, following[2] if is_output and following else None)


def run(step: Step, page: str, namespace: dict[str, Any]) -> str:
    """Run a step and return what it prints; an error of ours is printed as Python would."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if step.language == "bash":
            from rlbackends.cli import main

            for command in step.source.replace("\\\n", " ").splitlines():
                status = main(shlex.split(command)[1:])
                assert status == 0, f"{page}:{step.line}: {command!r} ends with status {status}"
            return out.getvalue()
        try:
            exec(compile(step.source, "my_model.py", "exec"), namespace)
        except RLBackendsError as error:
            if step.shown is None or "Error:" not in step.shown:
                raise
            print(f"{type(error).__name__}: {error}")
    return out.getvalue()


def assert_shown(printed: str, shown: str, where: str, *, sampled: bool) -> None:
    """Assert that an output is the one shown: words exactly, numbers within rounding, or as estimates."""
    actual = [" ".join(line.split()) for line in printed.splitlines() if line.strip()]
    expected = [" ".join(line.split()) for line in shown.splitlines() if line.strip()]
    assert len(actual) == len(expected), f"{where} prints\n{printed}"
    for got, want in zip(actual, expected, strict=True):
        if want.endswith("…"):
            want = want[:-1].rstrip()
            got = got[: len(want)]
        if want.startswith("versions "):  # of a certificate: whatever is installed here
            want = got = got.split()[0]
        assert _words(got) == _words(want), f"{where} prints\n{printed}"
        for a, b in zip(_numbers(got), _numbers(want), strict=True):
            assert abs(a - b) <= _tolerance(b, sampled=sampled), f"{where}: {a} is not {b}; it prints\n{printed}"


def _words(line: str) -> str:
    return re.sub(r"\s+", " ", _NUMBER.sub(" # ", line))


def _numbers(line: str) -> list[float]:
    return [float(number.replace("−", "-")) for number in _NUMBER.findall(line)]


def _tolerance(value: float, *, sampled: bool) -> float:
    if not sampled:
        return 1e-9 * max(1.0, abs(value))
    # Another machine draws other numbers: estimates are near, and what is large is an effective sample size.
    return 0.15 if abs(value) <= 20 else 0.6 * abs(value)


def _quick_compilation() -> contextlib.AbstractContextManager[Any]:
    """Return a block in which PyTensor compiles at once, into slower code: half a minute less for a few numbers."""
    pytensor = pytest.importorskip("pytensor")
    return pytensor.config.change_flags(mode="FAST_COMPILE")


def _play(page: str, folder: Path, *, sampling: bool) -> int:
    """Run a page's steps, without those that sample unless asked for; return how many there were."""
    shutil.copytree(ROOT / "docs" / "data", folder / "docs" / "data")
    for name in ("actions.csv", "rewards.csv"):  # the wide files of the README: one column a subject
        (folder / name).write_text("s1,s2\n0,1\n1,0\n", encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": "my_model"}
    sampled: set[str] = set()
    count = 0
    with contextlib.chdir(folder), contextlib.nullcontext() if sampling else _quick_compilation():
        for step in steps(page, folder):
            is_long = step.samples(sampled)
            if is_long and not sampling:
                continue
            printed = run(step, page, namespace)
            if step.shown is not None:
                assert_shown(printed, step.shown, f"{page}:{step.line}", sampled=is_long)
            count += 1
    return count


@pytest.mark.parametrize("page", PAGES)
def test_pages_print_what_they_show(page: str, tmp_path: Path) -> None:
    count = _play(page, tmp_path, sampling=False)
    assert count or page not in ("README.md", "docs/first-model.md", "docs/how-it-works.md")


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", "docs/first-model.md", "docs/how-it-works.md", "docs/simulate.md"])
def test_pages_that_sample_print_what_they_show(page: str, tmp_path: Path) -> None:
    assert _play(page, tmp_path, sampling=True)


def test_a_wrong_number_or_word_is_noticed() -> None:
    assert_shown("alpha 0.25 …\n", "alpha  0.25 …", "here", sampled=False)
    for printed, sampled in (
        ("alpha 0.26", False),
        ("beta 0.25", False),
        ("alpha 0.45", True),
        ("alpha 0.25\nmore", False),
    ):
        with pytest.raises(AssertionError):
            assert_shown(printed, "alpha 0.25", "here", sampled=sampled)


def test_the_first_screen_shows_the_same_number_from_three_backends() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = {name: re.search(rf"^{name} +(\[.*\])$", text, re.MULTILINE) for name in ("reference", "numpyro", "pymc")}
    assert len({row[1] for row in rows.values() if row}) == 1 and all(rows.values())


def test_the_reference_lists_every_public_name() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^   ([\w.]+)$", text, re.MULTILINE))
    public = {name for name in rl.__all__ if name != "__version__" and callable(getattr(rl, name, None))}
    assert public <= listed
    assert {f"priors.{name}" for name in rl.priors.PRIORS} <= listed
    for module, names in (("components", rl.components), ("testing", rl.testing), ("plots", rl.plots)):
        functions = getattr(names, "__all__", None) or [n for n in vars(names) if callable(getattr(names, n))]
        ours = [n for n in functions if getattr(getattr(names, n), "__module__", "").startswith(f"rlbackends.{module}")]
        assert {f"{module}.{name}" for name in ours} <= listed


def test_the_tutorial_has_its_model_as_latex(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "first-model.md").read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"rl": rl}
    for step in list(steps("docs/first-model.md", tmp_path))[1:3]:  # the rules, and the model
        run(step, "docs/first-model.md", namespace)
    assert f"$$\n{namespace['rescorla_wagner'].equations(latex=True)}\n$$" in text


def test_the_readme_counts_the_models_of_the_catalogue() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{len(rl.catalogue.MODELS)} models" in text


def test_the_semantics_state_the_tolerances_and_the_default_priors() -> None:
    text = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
    assert set(rl.testing.TOLERANCES.items()) == {
        ("trajectories", 1e-12), ("log_likelihood", 1e-12), ("log_density", 1e-12), ("gradient", 1e-9),
        ("legacy", 1e-9),
    }  # fmt: skip
    assert "| trajectories, log-likelihood per trial, log-density | 10⁻¹² |" in text
    assert "| their gradients | 10⁻⁹ |" in text
    assert "which computes in another order,\nit is within 10⁻⁹" in text
    model = rl.catalogue.perseveration()
    resolved = rl.Population().resolve(model, 1)
    for name, row in (
        ("alpha", "| `UnitInterval()`, `Interval(lo, hi)` | probit, logit (scaled to the interval) |"),
        ("beta", "| `Positive()` | log, softplus |"),
        ("kappa", "| `RealLine()` | identity |"),
    ):
        pooling = resolved[name].pooling
        assert pooling is not None and f"| {pooling.link}" in row
        location, sd = (_short(prior) for prior in (pooling.location, pooling.sd))
        assert f"{row} {location} | {sd} |" in text


def _short(prior: Any) -> str:
    return f"`{type(prior).__name__}({', '.join(f'{value:g}' for value in vars(prior).values())})`"
