"""What the linter is expected to find in the programs beside this file."""

from __future__ import annotations

import json
from pathlib import Path

_HERE = Path(__file__).parent
_REPOSITORY = _HERE.parents[2]
PROGRAMS = _HERE / "programs"
RETOLD = tuple(_REPOSITORY / "docs" / "thread" / name for name in ("flat_pymc3.py", "task_sets_pymc3.py"))

# Programs without marks: line → rules. Those of the documentation first.
_PRIORS_RETOLD = {
    24: ["ignored-keyword"], 25: ["ignored-keyword"], 26: ["ignored-keyword"], 27: ["unbounded-rate"],
    29: ["ignored-keyword"], 30: ["ignored-keyword"], 31: ["ignored-keyword"], 32: ["unbounded-rate"],
    34: ["ignored-keyword"], 35: ["ignored-keyword"], 36: ["ignored-keyword"], 37: ["unbounded-rate"],
}  # fmt: skip
_LISTED = {
    "flat_pymc3": {
        **{line: ["old-import"] for line in (9, 10, 11)}, **{line: ["csv-header"] for line in (17, 18, 19, 20)},
        **_PRIORS_RETOLD, 39: ["repeated-shape"] * 2, 40: ["repeated-shape"], 51: ["scan-pair"],
        58: ["gone", "print-unused"], 60: ["exp-overflow"], 62: ["name-taken", "categorical-unnormalised"],
        64: ["sample-defaults", "argument"], 66: ["gone"], 67: ["moved", "summary-interval"],
    },
    "task_sets_pymc3": {
        **{line: ["old-import"] for line in (8, 9, 10)}, **{line: ["csv-header"] for line in (16, 17, 18, 19)},
        22: ["argument", "ignored-keyword"], 23: ["ignored-keyword"] * 2,
        24: ["gone", "bound-normalisation", "ignored-keyword"], 27: ["ignored-keyword"], 28: ["ignored-keyword"] * 2,
        29: ["gone", "bound-normalisation"], 30: ["ignored-keyword"], 41: ["gradient-stops"], 48: ["scan-pair"],
        56: ["gone"], 57: ["name-taken"], 59: ["sample-defaults", "argument"], 61: ["gone"],
    },
}  # fmt: skip

# The thread's own programs are not part of this repository: they are cut out of its text where that lies beside it.
_PRIORS = {
    33: ["ignored-keyword"], 34: ["ignored-keyword"], 35: ["ignored-keyword"] * 2, 36: ["unbounded-rate"],
    38: ["ignored-keyword"], 39: ["ignored-keyword"], 40: ["ignored-keyword"] * 2, 41: ["unbounded-rate"],
    43: ["ignored-keyword"], 44: ["ignored-keyword"], 45: ["ignored-keyword"] * 2, 46: ["unbounded-rate"],
}  # fmt: skip
_TOP = {1: ["old-import"], 2: ["old-import"], 3: ["old-import"], **{line: ["csv-header"] for line in (20, 21, 22, 23)}}
_LISTED |= {
    "thread_flat": {
        **_TOP, **_PRIORS, 49: ["repeated-shape"] * 2, 50: ["repeated-shape"], 71: ["scan-pair"],
        77: ["gone", "print-unused"], 83: ["exp-overflow"], 90: ["name-taken", "categorical-unnormalised"],
        93: ["sample-defaults", "argument"], 95: ["gone"], 97: ["moved", "summary-interval"],
    },
    "thread_task_sets": {
        **_TOP, **_PRIORS, 53: ["repeated-shape"] * 2, 54: ["repeated-shape"], 56: ["repeated-shape"],
        57: ["repeated-shape"], 72: ["gradient-stops"], 90: ["scan-pair"], 96: ["gone", "print-unused"],
        97: ["gone", "print-unused"], 103: ["exp-overflow"], 110: ["name-taken", "categorical-unnormalised"],
        113: ["sample-defaults", "argument"], 115: ["gone"], 117: ["moved", "summary-interval"],
    },
}  # fmt: skip
_FIRST, _LAST = "import pymc3 as pm", ".to_csv('model_summary.csv')"


def thread_programs() -> dict[str, str]:
    """Return the programs in the thread's text beside the repository, ``../shared/seeds``; empty if it is not there."""
    for path in sorted((_REPOSITORY.parent / "shared" / "seeds").glob("003_*.txt")):
        parts = path.read_text(encoding="utf-8").split(f"\n{_FIRST}\n")[1:]
        texts = [f"{_FIRST}\n{part.partition(_LAST)[0]}{_LAST}\n" for part in parts if _LAST in part]
        return dict(zip(("thread_flat", "thread_task_sets"), texts, strict=True))
    return {}


def expected(path: Path) -> list[tuple[str, int | None, int]]:
    """Return the rows that a program marks, sorted: rule, cell, line. A mark is a comment ``#: rule rule``."""
    found: list[tuple[str, int | None, int]] = []
    if path.stem in _LISTED:
        return sorted((rule, None, line) for line, rules in _LISTED[path.stem].items() for rule in rules)
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        texts = [
            (number, "".join(cell["source"])) for number, cell in enumerate(cells, 1) if cell["cell_type"] == "code"
        ]
    else:
        texts = [(None, path.read_text(encoding="utf-8"))]
    for cell, text in texts:
        for line, code in enumerate(text.split("\n"), start=1):
            _, mark, rules = code.partition("#: ")
            found += [(rule, cell, line) for rule in rules.split()] if mark else []
    return sorted(found, key=str)
