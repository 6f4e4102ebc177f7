"""Float64 on the CPU, whatever the process's settings; and the refusal where a host is in 32 bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import jax
import jax.numpy as jnp

from rlbackends.errors import BackendError


@contextmanager
def float64() -> Iterator[None]:
    """Compute in float64 on the first CPU device, and leave the process's settings as they are.

    Each of these switches of JAX is thread-local, so every call that computes enters this anew.
    """
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.default_device(jax.devices("cpu")[0]))
        yield


def require_float64(where: str) -> None:
    """Raise ``BackendError`` where JAX computes in float32: there the numbers would differ, silently."""
    if jnp.zeros(()).dtype != jnp.float64:
        raise BackendError(
            f"{where}: JAX computes in 32 bits in this process (or thread), the model needs 64. Add "
            'this line before anything is computed: jax.config.update("jax_enable_x64", True)'
        )
