"""PyTensor's modes without a rewrite that makes wrong numbers.

With Numba, PyTensor 3.3 writes an update of an array's entries into the loop that computes the new values. Where
another update of the same trial reads these entries, it may read the new ones: `pearce_hall` was off by a tenth.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from pytensor.compile.mode import get_mode, predefined_modes

_WRONG = "fuse_indexed_into_elemwise"
OUTSIDE = "one_hot"
"""The table of operations for a model that others compile, with that rewrite: by masks there is nothing to rewrite."""
_LOCK = threading.Lock()


def sound(mode: str | None, *including: str) -> Any:
    """Return a mode by name (None: PyTensor's default) without that rewrite, and with others."""
    return get_mode(mode).including(*including).excluding(_WRONG)


@contextlib.contextmanager
def sound_numba() -> Iterator[None]:
    """Give Numba's mode without that rewrite to code that asks for it by name, as nutpie does."""
    with _LOCK:
        usual = predefined_modes["NUMBA"]
        predefined_modes["NUMBA"] = usual.excluding(_WRONG)
        try:
            yield
        finally:
            predefined_modes["NUMBA"] = usual
