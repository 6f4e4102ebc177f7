"""What every sampler driver returns: the same names, signs and shapes, whatever ran underneath."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from rlbackends.errors import SettingError

STATISTICS: Mapping[str, np.dtype] = MappingProxyType(
    {
        "diverging": np.dtype(bool),
        "n_steps": np.dtype(np.int64),
        "tree_depth": np.dtype(np.int64),
        "acceptance_rate": np.dtype(np.float64),
        "energy": np.dtype(np.float64),
        "lp": np.dtype(np.float64),
        "step_size": np.dtype(np.float64),
    }
)
"""The statistics of a draw, and their types. ``lp`` is the log density of the unconstrained values,
priors and Jacobians included; ``tree_depth`` is ``floor(log2(n_steps)) + 1``."""


@dataclass(frozen=True)
class ChainResults:
    """Draws of several chains, after tuning.

    Attributes
    ----------
    unconstrained
        Free variables on the sampler's own scale, under the names of the variables:
        ``(chains, draws, *shape)``, float64.
    stats
        The statistics named in `STATISTICS`, each ``(chains, draws)``.
    timing
        Seconds: ``compile_seconds`` and ``sample_seconds`` as a clock on the wall shows them;
        ``tune_seconds`` and ``draw_seconds`` summed over chains, where the sampler tells them apart.
    settings
        Every setting that decided the draws, and ``cores``, which doesn't. Numbers and strings only.
    constrained
        Free variables and deterministic ones on the natural scale, ``(chains, draws, *shape)``, where the
        sampler computed them on its way. ``None`` where it did not: map `unconstrained` then.
    work
        ``gradients``: how often the gradient was computed, by all chains, tuning included.
    """

    unconstrained: Mapping[str, np.ndarray]
    stats: Mapping[str, np.ndarray]
    timing: Mapping[str, float]
    settings: Mapping[str, Any]
    constrained: Mapping[str, np.ndarray] | None = None
    work: Mapping[str, int] = MappingProxyType({})

    def __post_init__(self) -> None:
        for field in ("unconstrained", "stats", "timing", "settings", "constrained", "work"):
            value = getattr(self, field)
            if value is None:
                continue
            for array in value.values():
                if isinstance(array, np.ndarray):
                    array.flags.writeable = False
            object.__setattr__(self, field, MappingProxyType(dict(value)))


class Interrupted(KeyboardInterrupt):
    """Ctrl-C stopped a sampler.

    Attributes
    ----------
    results : ChainResults or None
        The draws so far, of every chain as many as the shortest has; None if there are none.
    """

    def __init__(self, results: ChainResults | None) -> None:
        super().__init__("the sampler was interrupted")
        self.results = results


def tree_depth(n_steps: np.ndarray) -> np.ndarray:
    """Return the depth of trees from their numbers of leapfrog steps, ``floor(log2(n_steps)) + 1``."""
    # frexp is exact where a logarithm could round down at a power of two.
    return np.frexp(np.maximum(n_steps, 1).astype(np.float64))[1].astype(np.int64)


def check_settings(
    where: str,
    *,
    seed: int,
    chains: int,
    tune: int,
    draws: int,
    cores: int,
    target_accept: float,
    max_tree_depth: int,
    least_tune: int = 0,
) -> None:
    """Raise one `SettingError` that names every sampler setting out of range."""
    faults = []
    whole = {"chains": (chains, 1), "tune": (tune, least_tune), "draws": (draws, 1), "cores": (cores, 1)}
    whole |= {"seed": (seed, 0), "max_tree_depth": (max_tree_depth, 1)}
    highest = {"seed": 2**63 - 1, "max_tree_depth": 30}
    for name, (value, least) in whole.items():
        most = highest.get(name)
        is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
        if not is_whole or value < least or (most is not None and value > most):
            upper = "" if most is None else f" and at most {most}"
            faults.append(f"{name} is {value!r}, expected a whole number of at least {least}{upper}.")
    is_number = isinstance(target_accept, numbers.Real) and not isinstance(target_accept, bool)
    if not (is_number and 0 < target_accept < 1):
        faults.append(f"target_accept is {target_accept!r}, expected a number between 0 and 1.")
    if faults:
        raise SettingError(f"{where}: {' '.join(faults)}")
