"""What all tests share: the process's environment, fresh processes, and the published data."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

# Before any test imports NumPy or JAX: the tests are many small computations, which threads only slow down.
for _name, _value in {
    "JAX_PLATFORMS": "cpu",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MPLBACKEND": "agg",
}.items():
    os.environ.setdefault(_name, _value)

REPOSITORY = Path(__file__).resolve().parents[1]

# The default is the same examples every time; `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of published data sets that lies beside the repository, or skip."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the published data sets are not in ../shared/data")
    return folder


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def run_python() -> Callable[..., str]:
    """Return ``run(code, env=None, timeout=300)``: run code in a fresh Python, return what it printed.

    The code runs in the repository's root, with this process's environment and what ``env`` adds to it (None
    takes a variable away). A failing run fails the test, with what it wrote on its standard error.
    """

    def run(code: str, env: Mapping[str, str | None] | None = None, timeout: float = 300.0) -> str:
        merged: dict[str, str | None] = {**os.environ, **(env or {})}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=REPOSITORY,
            env={name: value for name, value in merged.items() if value is not None},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if done.returncode != 0:
            pytest.fail(f"a fresh process ended with {done.returncode}:\n{code}\n---\n{done.stderr}")
        return done.stdout

    return run
