"""PyTensor as our numbers need it, whatever the process says, with its settings left as they were."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import pytensor


def exact(**more: Any) -> AbstractContextManager[Any]:
    """Build, compile and call in float64, with arithmetic that does not depend on who compiled it.

    With PyTensor's own casting policy a Python number may become float32, in PyMC's densities too. With Numba's fast
    arithmetic, code just compiled and code from the cache round differently, and one seed gives two sets of draws.
    """
    return pytensor.config.change_flags(
        floatX="float64", cast_policy="numpy+floatX", numba__fastmath=False, **more
    )
