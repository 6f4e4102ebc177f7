"""Looking at the environment: what is installed, and how each library is set up.

Libraries are imported in processes of their own, so one that is broken, slow to start or greedy for a GPU's
memory does not take this process with it.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rlbackends.backends.registry import Backend
    from rlbackends.backends.samplers import Sampler

_SECONDS = 300

# Package → what it is needed for.
PACKAGES = {
    "numpy": "everything",
    "xarray": "results",
    "arviz": "diagnostics and summaries",
    "matplotlib": "pictures",
    "h5netcdf": "saving fits",
    "pandas": "summaries and regressors",
    "polars": "reading polars frames",
    "jax": "backend numpyro",
    "jaxlib": "backend numpyro",
    "numpyro": "backend numpyro",
    "pymc": "backend pymc",
    "pytensor": "backend pymc",
    "numba": "backend pymc",
    "nutpie": "sampler nutpie",
    "zarr": "sampler nutpie, to keep the draws of a fit that is killed",
    "blackjax": "sampler blackjax",
}

_TRY = """
import rlbackends as rl
choice, reward = [[0, 1, 1, 0], [1, 1, 0, 0]], [[1.0, 0.3, 1.0, 0.1], [0.1, 1.0, 0.7, 0.0]]
data = rl.Trials.from_arrays(choice=choice, reward=reward)
model, params = rl.catalogue.rescorla_wagner(), {"alpha": 0.3, "beta": 2.1}
def log_likelihood(backend, **settings):
    return rl.compile(model, data, backend, **settings).log_likelihood(params)["choice"].values
def difference(backend, **settings):
    return float(abs(log_likelihood(backend, **settings) - log_likelihood("reference")).max())
"""

# Run in a fresh process; prints one line of JSON: how far from the reference, and the library's own settings.
_PROBES = {
    "numpyro": _TRY
    + """
import json, jax
default = "float64" if jax.config.jax_enable_x64 else "float32"
print(json.dumps({
    "difference": difference("numpyro"), "default": default,
    "devices": [f"{d.platform}:{d.id} ({d.device_kind})" for d in jax.devices()],
    "cache": jax.config.jax_compilation_cache_dir,
}))
""",
    "pymc": _TRY
    + """
import json, numba, pytensor
config = pytensor.config
print(json.dumps({
    "difference": difference("pymc", mode="FAST_COMPILE"), "default": config.floatX, "linker": config.linker,
    "compiler": config.cxx, "compiledir": str(config.compiledir), "base": str(config.base_compiledir),
    "numba_cache": numba.config.CACHE_DIR, "threads": numba.config.NUMBA_NUM_THREADS,
}))
""",
}


def examine() -> dict[str, Any]:
    """Return what there is to know about the environment as plain data."""
    from rlbackends.backends.registry import BACKENDS

    backends = {}
    for name, row in BACKENDS.items():
        absent = row.absent()
        report: dict[str, Any] = {
            "installed": not absent,
            "works": not absent,
            "error": None,
            "samplers": [_sampler(sampler, row) for sampler in row.samplers],
            "install": f'backend {name} lacks {", ".join(absent)}: {_install(name)}' if absent else None,
            "probe": None,
        }
        if not absent and name in _PROBES:
            found, error = probe(_PROBES[name])
            report |= {"works": found is not None, "error": error}
            report["probe"] = None if found is None else _WORDS[name](found)
        backends[name] = report
    return {
        "rlbackends": version("rlbackends") or _source_version(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "packages": [[name, version(name), use] for name, use in PACKAGES.items()],
        "backends": backends,
    }


def _install(backend: str) -> str:
    return f'pip install "rlbackends[{backend}]"'


def _sampler(sampler: Sampler, backend: Backend) -> dict[str, Any]:
    """Return what a sampler is, and the command that installs what it lacks."""
    absent = sampler.absent()
    commands = [_install(backend.name)] if not backend.is_installed else []
    commands += [f"pip install {' '.join(absent)}"] if absent and not commands else []
    return {
        "name": sampler.name,
        "summary": sampler.summary,
        "kind": sampler.kind,
        "keeps": sampler.keeps,
        "installed": not commands,
        "install": commands[0] if commands else None,
    }


def version(package: str) -> str | None:
    """Return an installed package's version, or None."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _source_version() -> str:
    import rlbackends

    return rlbackends.__version__


def probe(code: str) -> tuple[dict[str, Any] | None, str | None]:
    """Run code in a fresh Python; return the JSON of its last line, or None and what went wrong."""
    root = str(Path(__file__).resolve().parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=_SECONDS,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, f"{type(error).__name__} after {_SECONDS} s" if isinstance(
            error, subprocess.TimeoutExpired
        ) else str(error)
    lines = done.stdout.strip().splitlines()
    if done.returncode == 0 and lines:
        try:
            return dict(json.loads(lines[-1])), None
        except ValueError:
            return None, f"it printed {lines[-1]!r}"
    said = done.stderr.strip().splitlines()
    return None, said[-1] if said else f"its process ended with status {done.returncode}"


def _numpyro(found: dict[str, Any]) -> dict[str, Any]:
    cache = found["cache"]
    return {
        "difference": found["difference"],
        "precision": [_precision("JAX", found["default"])],
        "devices": [f"JAX: {', '.join(found['devices'])}"],
        "caches": [
            f"JAX compilation cache: {_folder(cache)}"
            if cache
            else "JAX compilation cache: off (JAX_COMPILATION_CACHE_DIR=FOLDER turns it on)"
        ],
    }


def _pymc(found: dict[str, Any]) -> dict[str, Any]:
    compiler, own = found["compiler"] or "none", found["numba_cache"]
    return {
        "difference": found["difference"],
        "precision": [_precision("PyTensor", found["default"])],
        "devices": [
            f"PyTensor: cpu, linker {found['linker']}, C++ compiler {compiler}, "
            f"{found['threads']} Numba threads"
        ],
        "caches": [
            f"PyTensor compiledir: {_folder(found['compiledir'])}",
            f"Numba functions of PyTensor: {_folder(str(Path(found['base']) / 'numba'))}",
            f"Numba cache: {_folder(own) if own else 'beside the sources (NUMBA_CACHE_DIR=FOLDER moves it)'}",
        ],
    }  # fmt: skip


_WORDS = {"numpyro": _numpyro, "pymc": _pymc}


def _precision(library: str, default: str) -> str:
    if default == "float64":
        return f"{library} computes in float64 by default here, as rlbackends does."
    return f"{library} computes in {default} by default here; rlbackends computes in float64 all the same."


def _folder(path: str) -> str:
    """Return a folder with what it holds in MB."""
    folder = Path(path).expanduser()
    if not folder.is_dir():
        return f"{path} (empty)"
    size = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                size += (Path(base) / name).stat().st_size
            except OSError:
                continue  # another process tidies up
    return f"{path} ({size / 1e6:.0f} MB)"
