"""What is measured of a sampler, in the process where it runs."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.studies.samplers.agreement import effective, largest, threshold
from rlbackends.studies.samplers.entries import Entry
from rlbackends.studies.samplers.process import Setup

if TYPE_CHECKING:
    from rlbackends.backends.protocol import CompiledModel
    from rlbackends.inference import Fit

_GRADIENTS = 400  # draws at which the density's slope is computed
_MEGABYTE = 1e6


def measured_fit(setup: Setup, entry: Entry, started: float) -> Fit:
    """Fit, and note in the fit's file what it took.

    Parameters
    ----------
    setup : Setup
    entry : Entry
    started : float
        When the process was started, in seconds since 1970.
    """
    # What every fit needs in the end is imported before its memory is counted.
    import arviz  # noqa: F401
    import scipy.stats  # noqa: F401
    import xarray  # noqa: F401

    from rlbackends.inference import Fitter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the comparison tells of all samplers
        fitter = Fitter(
            setup.model, backend=entry.backend, population=setup.population, sampler=entry.sampler.name,  # type: ignore[arg-type]
            sampler_settings=entry.sampler_settings, log_likelihood=False, progress="off", keep_interrupted=False,
            **setup.numbers, **entry.settings,
        )  # fmt: skip
        before = memory()[0]
        fit = fitter.fit(setup.data, setup.seed)
        notes: dict[str, Any] = {
            "entry": entry.describe(), "kind": entry.sampler.kind, "process_seconds": time.time() - started,
            "memory_before": before, "memory_peak": memory()[1], "cache": setup.cache, "machine": machine(),
            **{f"{name}_seconds": fit.timing.get(f"{name}_seconds") for name in ("compile", "sample")},
            **quality(fit, entry.sampler.kind),
        }  # fmt: skip
        if entry.sampler.kind == "chains":
            compiled = fitter._compiled  # what is compiled is used once more
            if compiled is not None:
                notes["density"] = against_density(compiled, fit)
    fit.tree.attrs["study"] = json.dumps(notes)
    return fit


def machine() -> dict[str, Any]:
    """Return what times depend on."""
    return {"host": platform.node(), "processor": platform.processor() or platform.machine(), "cores": os.cpu_count()}


def memory() -> tuple[float | None, float | None]:
    """Return how much memory this process takes, and took at most, in MB; None where the system doesn't tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return _memory_elsewhere()
    # Not ru_maxrss: on Linux it begins with the size of the process that started this one.
    sizes = {line.partition(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    found = [float(sizes[name]) * 1024 / _MEGABYTE if name in sizes else None for name in ("VmRSS", "VmHWM")]
    return found[0], found[1]


def _memory_elsewhere() -> tuple[float | None, float | None]:
    try:
        import resource
    except ImportError:  # Windows
        return None, None
    unit = 1 if sys.platform == "darwin" else 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / _MEGABYTE
    return most, most


# ------------------------------------------------------------------------------------------------------- of the draws


def quality(fit: Fit, kind: str) -> dict[str, Any]:
    """Return the diagnostics of a fit: of its chains, if it has any, and how often it computed the gradient."""
    import arviz as az

    gradients = fit.work.get("gradients")
    found: dict[str, Any] = {"gradients": gradients}
    if kind != "chains":
        return found
    stats = fit.tree["sample_stats"].to_dataset()
    found |= fit.diagnostics
    posterior = fit.tree["posterior"].to_dataset()
    group = [name for name in posterior if posterior[name].ndim == 2 and float(posterior[name].std()) > 0]
    if group:
        for method in ("bulk", "tail"):
            sizes = az.ess(posterior[group], method=method)
            found[f"ess_{method}_group"] = float(min(float(sizes[name]) for name in group))
    found["e_bfmi"] = e_bfmi(stats["energy"].values) if "energy" in stats else None
    most = int(fit.settings.get("max_tree_depth", 0))
    if "n_steps" in stats and most:
        found["saturated"] = float((stats["n_steps"].values >= 2**most - 1).mean())
        if gradients:
            found["gradients_of_draws"] = min(1.0, float(stats["n_steps"].values.sum()) / gradients)
    return found


def e_bfmi(energy: np.ndarray) -> float | None:
    """Return the smallest estimated Bayesian fraction of missing information of the chains, (chain, draw)."""
    spread = energy.var(axis=1, ddof=1)
    if energy.shape[1] < 3 or not np.isfinite(energy).all() or (spread <= 0).any():
        return None
    return float((np.square(np.diff(energy, axis=1)).mean(axis=1) / spread).min())


# ------------------------------------------------------------------------------------------------ against the density


def against_density(compiled: CompiledModel, fit: Fit) -> dict[str, Any] | None:
    """Ask the density itself whether a fit's draws come from it.

    Parameters
    ----------
    compiled : CompiledModel
        Its backend has the density's gradient.
    fit : Fit
        Of chains.

    Returns
    -------
    dict or None
        ``slope`` (z, count and where): the largest mean of the density's slope along a latent, in Monte Carlo standard
        errors; ``width`` and ``width_se``. None if the gradient is not finite somewhere.

    Notes
    -----
    Under the right distribution the slope g of a smooth log density has mean 0 along every unconstrained latent z, and
    the mean of −(z − c) g is 1 whatever c is (Stein's identities). For draws from a normal posterior that are too
    narrow by a factor s, the latter, averaged over latents, is s². Two samplers that disagree can so be told apart
    without a third.
    """
    layout = compiled.layout
    posterior = fit.tree["posterior"].to_dataset()
    values = {
        latent.name: posterior[latent.name].transpose("chain", "draw", ...).values for latent in layout.latents
    }
    z = {name: value.reshape(*value.shape[:2], -1) for name, value in layout.unconstrain(values).items()}
    names = [f"{name}[{i}]" if array.shape[2] > 1 else name for name, array in z.items() for i in range(array.shape[2])]
    chains, draws = next(iter(z.values())).shape[:2]
    chosen = np.unique(np.linspace(0, draws - 1, min(draws, -(-_GRADIENTS // chains))).round().astype(int))
    slopes = np.empty((chains, len(chosen), len(names)))
    for chain in range(chains):
        for i, draw in enumerate(chosen):
            at = {name: value[chain, draw] for name, value in values.items()}
            gradient = compiled.engine.log_density_and_gradient(layout.unconstrain(at))[1]
            slopes[chain, i] = np.concatenate([np.ravel(gradient[name]) for name in z])
    if not np.isfinite(slopes).all():
        return None
    every = np.concatenate(list(z.values()), axis=2)
    return density_statistics(every[:, chosen], slopes, every.mean(axis=1), names)


def density_statistics(
    z: np.ndarray, slopes: np.ndarray, means: np.ndarray, names: list[str]
) -> dict[str, Any]:
    """Return the mean slopes and the width; ``z`` and ``slopes`` (chain, draw, latent), ``means`` (chain, latent)."""
    error = slopes.reshape(-1, len(names)).std(axis=0, ddof=1) / np.sqrt(effective(slopes))
    worst = largest(slopes.mean(axis=(0, 1)) / error, names, 0.5)
    # The middle of the other chains: one that the draws themselves move makes them look narrower.
    chains = len(means)
    centre = (means.sum(axis=0) - means) / (chains - 1) if chains > 1 else means
    width = -((z - centre[:, None]) * slopes).mean(axis=2)
    error = width.std(ddof=1) / np.sqrt(float(effective(width[..., None])[0]))
    return {
        "slope_z": worst.z, "slope_where": worst.where, "slope_count": worst.count,
        "width": float(width.mean()), "width_se": float(error),
    }  # fmt: skip


def is_of_density(found: Mapping[str, Any] | None, rate: float) -> bool | None:
    """Say whether chance explains what the density says of draws; None if it says nothing."""
    if not found or not np.isfinite([found["slope_z"], found["width"], found["width_se"]]).all():
        return None
    slope = found["slope_z"] <= threshold(int(found["slope_count"]), rate / 2)
    return bool(slope and abs(found["width"] - 1) <= threshold(1, rate / 2) * found["width_se"])
