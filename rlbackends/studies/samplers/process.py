"""A sampler in a process of its own: what it compiles, takes and breaks is its own.

The process is a fresh Python, not a fork: libraries that have threads or a GPU don't survive one, and nothing that was
imported or compiled here is there. It is told what to do by a file, and leaves a fit, or another file that says what
went wrong.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlbackends.data import BoundTrials
from rlbackends.population.population import Population
from rlbackends.studies.job import pickler
from rlbackends.studies.samplers.entries import Entry

MODULE = "rlbackends.studies.samplers"
_LAST_LINES = 5
_GRACE = 10.0  # seconds that a process has to end when it is told to


@dataclass(frozen=True)
class Setup:
    """What all samplers are given; it can be pickled.

    Attributes
    ----------
    model : Model
    data : BoundTrials
    population : Population or None
    numbers : mapping
        Settings of :class:`rlbackends.Fitter` that all have in common: ``draws``, ``tune``, ``chains``, …
    seed : int
    cache : {"warm", "cold"}
        Whether what was compiled before, by anybody, is at hand.
    limit : float or None
        Seconds after which a process is ended.
    """

    model: Any
    data: BoundTrials
    population: Population | None
    numbers: Mapping[str, Any]
    seed: int
    cache: str = "warm"
    limit: float | None = None


class SamplerFailedError(RuntimeError):
    """A sampler's process ended without a fit; it says why."""


def sample_apart(setup: Setup, entry: Entry, path: Path) -> None:
    """Fit with one sampler in a process of its own, which saves the fit at the path: the work of a job."""
    # Beside the result, under its job's key: a study removes what a killed job leaves there.
    asked, log, told = (path.with_name(f"{path.stem}.{end}") for end in ("asked", "log", "told"))
    asked.write_bytes(pickler().dumps((setup, entry)))
    with tempfile.TemporaryDirectory(prefix="rlbackends-cold-") as empty, open(log, "wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE, str(asked), str(path), str(told), repr(time.time())],
            stdin=subprocess.PIPE, stdout=printed, stderr=printed, env=_environment(setup.cache, empty),
        )  # fmt: skip
        try:
            status = process.wait(setup.limit)
        except subprocess.TimeoutExpired:
            raise SamplerFailedError(
                f"it was not done after {setup.limit:g} seconds, the limit that was given"
            ) from None
        finally:
            _end(process)
    if told.exists():
        said = json.loads(told.read_text(encoding="utf-8"))
        error = SamplerFailedError(f"{said['error']}: {said['message']}")
        error.add_note(said["traceback"])
        raise error
    if status != 0:
        raise SamplerFailedError(f"its process {_death(status)}{_last_lines(log)}")


def _environment(cache: str, empty: str) -> dict[str, str]:
    """Return the process's environment: modules are found where they are found here."""
    here = [str(Path(place).absolute()) for place in sys.path if place] + ([os.getcwd()] if "" in sys.path else [])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(here))}
    if cache == "cold":
        flags = [flag for flag in environment.get("PYTENSOR_FLAGS", "").split(",") if flag]
        environment |= {
            "PYTENSOR_FLAGS": ",".join([*flags, f"base_compiledir={empty}/pytensor"]),
            "NUMBA_CACHE_DIR": f"{empty}/numba",
            "JAX_COMPILATION_CACHE_DIR": f"{empty}/jax",
        }
    return environment


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that is still there, whatever stopped us."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _death(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    more = " (out of memory?)" if name == "SIGKILL" else ""
    return f"was ended by {name}{more}"


def _last_lines(log: Path) -> str:
    lines = [line.rstrip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return ". Its last words: " + " / ".join(lines[-_LAST_LINES:]) if lines else ""
