"""Operations whose derivative JAX would define otherwise: the normative ones of the reference.

A partial operation passes back exactly nothing where exactly nothing arrives. JAX's own rules multiply: an
infinite slope on a value that nobody reads (a last trial's update) would turn that nothing into NaN.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.scipy import special

_SQRT_2PI = math.sqrt(2.0 * math.pi)


def _times(gradient: Any, slope: Any) -> Any:
    return jnp.where(gradient == 0, 0.0, gradient * slope)


def _partial(
    function: Callable[[Any], Any], slope: Callable[[Any], Any], *, of_result: bool = False
) -> Callable[..., Any]:
    """Return ``function`` with ``slope``, which is of its argument, or of its result."""

    @jax.custom_vjp
    def call(x: Any) -> Any:
        return function(x)

    def forward(x: Any) -> tuple[Any, Any]:
        result = function(x)
        return result, result if of_result else x

    def backward(kept: Any, gradient: Any) -> tuple[Any]:
        return (_times(gradient, slope(kept)),)

    call.defvjp(forward, backward)
    return call


exp = _partial(jnp.exp, lambda result: result, of_result=True)
log = _partial(jnp.log, lambda x: 1.0 / x)
log1p = _partial(jnp.log1p, lambda x: 1.0 / (1.0 + x))
sqrt = _partial(jnp.sqrt, lambda result: 0.5 / result, of_result=True)
ndtri = _partial(special.ndtri, lambda result: _SQRT_2PI * jnp.exp(0.5 * jnp.square(result)), of_result=True)


@jax.custom_vjp
def _div(a: Any, b: Any) -> Any:
    return a / b


def _div_backward(kept: tuple[Any, Any], gradient: Any) -> tuple[Any, Any]:
    a, b = kept
    return _times(gradient, 1.0 / b), _times(gradient, -(a / b) / b)


_div.defvjp(lambda a, b: (a / b, (a, b)), _div_backward)


@jax.custom_vjp
def _pow(a: Any, b: Any) -> Any:
    return jnp.power(a, b)


def _pow_forward(a: Any, b: Any) -> tuple[Any, tuple[Any, Any, Any]]:
    result = jnp.power(a, b)
    return result, (a, b, result)


def _pow_backward(kept: tuple[Any, Any, Any], gradient: Any) -> tuple[Any, Any]:
    a, b, result = kept
    base = _times(gradient, b * jnp.power(a, jnp.where(b == 0, 1.0, b - 1.0)))
    return base, _times(gradient, jnp.where(a > 0, result * jnp.log(jnp.where(a > 0, a, 1.0)), 0.0))


_pow.defvjp(_pow_forward, _pow_backward)


def div(a: Any, b: Any) -> Any:
    """``a / b``."""
    return _div(*jnp.broadcast_arrays(a, b))


def power(a: Any, b: Any) -> Any:
    """``a ** b``; of a base that is not positive, nothing flows to the exponent."""
    return _pow(*jnp.broadcast_arrays(a, b))


def absolute(x: Any) -> Any:
    """Absolute value, of slope 0 at 0 (JAX's own slope there is 1)."""
    return x * jax.lax.stop_gradient(jnp.sign(x))


def maximum(a: Any, b: Any) -> Any:
    """Larger of two; at ties the gradient goes to ``a``. A NaN stays one, as NumPy has it."""
    return jnp.where((a >= b) | jnp.isnan(a), a, b)


def minimum(a: Any, b: Any) -> Any:
    """Smaller of two; at ties the gradient goes to ``a``. A NaN stays one, as NumPy has it."""
    return jnp.where((a <= b) | jnp.isnan(a), a, b)


def largest(x: Any, axis: int) -> Any:
    """Largest entry along an axis; at ties the gradient goes to the first."""
    first = jnp.expand_dims(jnp.argmax(x, axis=axis), axis)
    places = jax.lax.broadcasted_iota(first.dtype, x.shape, x.ndim + axis)
    return jnp.sum(jnp.where(places == first, x, 0.0), axis=axis)


def logsumexp(x: Any, axis: int) -> Any:
    """``log(sum(exp(x)))``; entries of minus infinity count as nothing and get no gradient."""
    top = jax.lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True))
    top = jnp.where(jnp.isfinite(top), top, 0.0)
    return jnp.squeeze(top, axis) + jnp.log(jnp.sum(jnp.exp(x - top), axis=axis))


def log_softmax(x: Any, axis: int) -> Any:
    """Logarithm of softmax; minus infinity where the entry is."""
    return x - jnp.expand_dims(logsumexp(x, axis), axis)


def log_ndtr(x: Any) -> Any:
    """Logarithm of the normal distribution; JAX's default of 3 terms is wrong by 4e-9 of ndtr at -20."""
    return special.log_ndtr(x, 10)
