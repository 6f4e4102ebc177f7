"""PyTensor as our numbers need it, whatever the process says, with its settings left as they were."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytensor

from rlbackends.errors import BackendError


def exact(**more: Any) -> AbstractContextManager[Any]:
    """Build, compile and call in float64, with arithmetic that does not depend on who compiled it.

    With PyTensor's own casting policy a Python number may become float32, in PyMC's densities too. With Numba's fast
    arithmetic, code just compiled and code from the cache round differently, and one seed gives two sets of draws.
    """
    return pytensor.config.change_flags(
        floatX="float64", cast_policy="numpy+floatX", numba__fastmath=False, **more
    )


def require_float64(where: str) -> None:
    """Raise ``BackendError`` where PyTensor computes in float32: there the numbers would differ, silently."""
    if pytensor.config.floatX != "float64":
        raise BackendError(
            f"{where}: PyTensor computes in {pytensor.config.floatX} in this process, the model needs float64. Add "
            'this line before the model is written: pytensor.config.floatX = "float64"'
        )
