"""Why a point is no start. The reference explains it, whatever backend was to sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from rlbackends.backends.registry import BACKENDS
from rlbackends.backends.starts import near_middle
from rlbackends.errors import BackendError


def explain_no_start(engine: Any, z: Mapping[str, np.ndarray]) -> str:
    """Say why the density of an engine, or its gradient, is not finite at a point.

    Parameters
    ----------
    engine : Engine
        Of any backend.
    z : mapping of str to array
        Unconstrained latents.

    Returns
    -------
    str
        Sentences: the latent and its value, if it is the prior; otherwise the subject, the first trial, the expression
        and its value, the parameters behind it and their latents; and what to do.
    """
    said: str = BACKENDS["reference"].load().explain_no_start(engine, z)
    return said


@contextmanager
def explaining(engine: Any, seed: int) -> Iterator[None]:
    """Say what is wrong where when a sampler that looks for starts of its own finds none.

    It is looked up near the prior's middle, where our own search begins.
    """
    try:
        yield
    except BackendError as error:
        if "initial" not in str(error).lower():
            raise
        why = explain_no_start(engine, near_middle(engine.layout, np.random.default_rng([seed, 0])))
        raise BackendError(f"{error} Near the prior's middle: {why}") from error
