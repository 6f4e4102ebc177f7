"""From an old script to a checked port, and out again."""

from __future__ import annotations

import importlib
from typing import Any

# Public name → module that defines it; modules are imported when a name is first used.
_HOMES = {
    "DensityReport": "rlbackends.porting.density",
    "LikelihoodReport": "rlbackends.porting.compare",
    "compare_density": "rlbackends.porting.density",
    "compare_likelihood": "rlbackends.porting.compare",
    "LintReport": "rlbackends.porting.linting",
    "lint": "rlbackends.porting.linting",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"rlbackends.porting has no '{name}'.")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
