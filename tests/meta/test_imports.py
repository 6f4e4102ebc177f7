"""Imports run downward only; `import rlbackends` is light; using one backend imports no other.

The static rules are the contracts in pyproject.toml. They are checked here, and so is that they catch what
they are there to catch. What really is imported is looked up in fresh processes.
"""

import json
import math
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rlbackends.testing.assertions import assert_close

LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(folder: Path) -> subprocess.CompletedProcess:
    """Run import-linter on the package that lies in a folder, with the contracts that lie there."""
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache", "--no-logo", "--config", "pyproject.toml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_imports_run_downward_only(repository):
    done = lint(repository)
    assert done.returncode == 0, done.stdout + done.stderr


def package(folder: Path, repository: Path, files: dict[str, str]) -> Path:
    """Write a small package of this name, and our contracts beside it."""
    shutil.copy(repository / "pyproject.toml", folder)
    skeleton = ("", "errors", "testing", "testing/tolerances", "testing/assertions")
    for name in (*skeleton, *files):
        path = folder / "rlbackends" / name
        path.mkdir(parents=True, exist_ok=True)
        for parent in (path, *path.parents):
            if parent == folder:
                break
            (parent / "__init__.py").touch()
    for name, text in files.items():
        (folder / "rlbackends" / name / "__init__.py").write_text(text + "\n", encoding="utf-8")
    return folder


ALLOWED = {
    "expressions": "from rlbackends.errors import ModelError\nimport numpy",
    "model": "import rlbackends.expressions",
    "data": "import rlbackends.model\nimport scipy",
    "backends": "import rlbackends.data",
    "backends/numpyro": "import jax\nimport numpyro.infer\nimport rlbackends.backends",
    "backends/pymc": "import pymc\nimport pytensor.tensor\nimport nutpie",
    "inference": "import rlbackends.backends\nimport rlbackends.testing.tolerances",
    "cli": "import rlbackends.inference",
}


def test_the_contracts_allow_what_is_meant(tmp_path, repository):
    done = lint(package(tmp_path, repository, ALLOWED))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("errors", "import rlbackends.expressions", "Imports run downward only"),
        ("expressions", "import rlbackends.model", "Imports run downward only"),
        ("model", "from rlbackends import data", "Imports run downward only"),
        ("data", "def f():\n    import rlbackends.backends.numpyro", "Imports run downward only"),
        ("backends", "import rlbackends.inference", "Imports run downward only"),
        ("inference", "import rlbackends.testing.assertions", "Imports run downward only"),
        ("sideways", "", "Imports run downward only"),
        ("testing/tolerances", "import rlbackends.model", "The tolerances stand below everything"),
        ("backends/numpyro", "import rlbackends.backends.pymc", "No backend imports another"),
        ("backends/pymc", "import rlbackends.backends.numpyro", "No backend imports another"),
        ("model", "import jax.numpy as jnp", "Only a backend imports its libraries"),
        ("inference", "def f():\n    import nutpie", "Only a backend imports its libraries"),
        ("cli", "from pymc import Model", "Only a backend imports its libraries"),
        ("backends", "import pytensor", "Only a backend imports its libraries"),
        ("backends/reference", "import numba", "Only a backend imports its libraries"),
        ("backends/numpyro", "import pymc", "Only a backend imports its libraries"),
        ("backends/pymc", "import numpyro", "Only a backend imports its libraries"),
        ("backends/numpyro/deep", "import pytensor", "Only a backend imports its libraries"),
    ],
)
def test_the_contracts_catch_what_they_should(tmp_path, repository, module, line, contract):
    files = ALLOWED | {module: f"{ALLOWED.get(module, '')}\n{line}"}
    done = lint(package(tmp_path, repository, files))
    assert done.returncode != 0
    assert re.search(f"^{contract}.* BROKEN", done.stdout, re.MULTILINE), done.stdout


def test_importing_the_package_imports_only_numpy_and_the_standard_library(run_python):
    strangers = run_python(
        "import sys, numpy, numpy.random\n"
        "before = set(sys.modules)\n"
        "import rlbackends\n"
        "roots = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(roots - set(sys.stdlib_module_names) - {'rlbackends', 'numpy'}))\n"
    )
    assert strangers.split() == []


COMPILE = """
import json, sys
import rlbackends as rl

data = rl.Trials.from_arrays(subjects=["a"], choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]])


def log_likelihood(backend):
    compiled = rl.compile(rl.catalogue.rescorla_wagner(), data, backend=backend)
    return compiled.log_likelihood({"alpha": 0.5, "beta": 2.0})["choice"].values.ravel().tolist()
"""

# By hand, with q = (0, 0) at first, alpha = 1/2 and beta = 2. Trial 1: both actions are alike, so 1/2; the
# reward of 1 makes q = (1/2, 0). Trial 2: the other action, 1 / (1 + e^(2/2)); its value stays at 0.
# Trial 3: the first action again, 1 / (1 + e^(−2/2)).
BY_HAND = [-math.log(2.0), -math.log1p(math.exp(1.0)), -math.log1p(math.exp(-1.0))]

OTHERS = {
    "reference": {"jax", "jaxlib", "numpyro", "blackjax", "pymc", "pytensor", "nutpie", "numba"},
    "numpyro": {"pymc", "pytensor", "nutpie"},
    "pymc": {"jax", "jaxlib", "numpyro", "blackjax"},
}


@pytest.mark.parametrize("backend", sorted(OTHERS))
def test_using_one_backend_imports_no_other(run_python, backend):
    output = run_python(
        COMPILE + f"numbers = log_likelihood({backend!r})\n"
        "loaded = sorted({name.partition('.')[0] for name in sys.modules})\n"
        "print(json.dumps([numbers, loaded]))\n"
    )
    numbers, loaded = json.loads(output.splitlines()[-1])
    assert_close(np.array(numbers), BY_HAND, "log_likelihood")
    assert OTHERS[backend].isdisjoint(loaded)


def test_the_order_of_the_libraries_does_not_change_the_numbers(run_python):
    found = {}
    for order in (("pymc", "numpyro"), ("numpyro", "pymc")):
        output = run_python(
            f"import {order[0]}\nimport {order[1]}\n{COMPILE}"
            f"print(json.dumps({{backend: log_likelihood(backend) for backend in {order!r}}}))\n"
        )
        found[order] = json.loads(output.splitlines()[-1])
        for backend in order:
            assert_close(np.array(found[order][backend]), BY_HAND, "log_likelihood")
    first, second = found.values()
    assert first == second
