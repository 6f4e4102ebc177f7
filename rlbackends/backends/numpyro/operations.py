"""The meaning of every operation in JAX: a table from the operation to a function of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy import special

from rlbackends.backends.numpyro import derivatives as d
from rlbackends.errors import BackendError, SettingError, did_you_mean, listed
from rlbackends.expressions.node import Node, walk

LEAVES = ("const", "parameter", "state", "event")


def _subscript(pattern: str, indices: tuple[Any, ...]) -> tuple[Any, ...]:
    remaining = iter(indices)
    return tuple(slice(None) if letter == ":" else next(remaining) for letter in pattern)


def _gather(x: Any, *indices: Any, pattern: str) -> Any:
    # The language proves bounds, so JAX need neither clamp nor wrap.
    where = _subscript(pattern, indices)
    return jnp.asarray(x).at[where].get(mode="promise_in_bounds", wrap_negative_indices=False)


def _at_add(x: Any, *rest: Any, pattern: str) -> Any:
    target = jnp.asarray(x).at[_subscript(pattern, rest[:-1])]
    return target.add(rest[-1], mode="promise_in_bounds", wrap_negative_indices=False)


def _at_set(x: Any, *rest: Any, pattern: str) -> Any:
    target = jnp.asarray(x).at[_subscript(pattern, rest[:-1])]
    return target.set(rest[-1], mode="promise_in_bounds", wrap_negative_indices=False)


def _places(shape: tuple[int, ...], pattern: str, indices: tuple[Any, ...]) -> tuple[Any, tuple[int, ...]]:
    """Return a mask of the subscripted entries (size 1 along whole axes), and the subscripted axes."""
    axes = tuple(axis for axis, letter in enumerate(pattern) if letter == "i")
    mask: Any = True
    for axis, index in zip(axes, indices, strict=True):
        places = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        mask = mask & (places == jnp.asarray(index))
    return mask, axes


def _masked_gather(x: Any, *indices: Any, pattern: str) -> Any:
    # Chosen, never multiplied: an entry that was not asked for may be infinite.
    mask, axes = _places(jnp.shape(x), pattern, indices)
    x = jnp.asarray(x)
    if x.dtype == bool:
        return jnp.any(mask & x, axis=axes)
    return jnp.sum(jnp.where(mask, x, jnp.zeros((), x.dtype)), axis=axes)


def _spread(value: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """Return a value of the subscripted entries with size 1 along the subscripted axes."""
    left = tuple(size for axis, size in enumerate(shape) if axis not in axes)
    return jnp.broadcast_to(value, left).reshape([1 if i in axes else size for i, size in enumerate(shape)])


def _masked_at_add(x: Any, *rest: Any, pattern: str) -> Any:
    mask, axes = _places(jnp.shape(x), pattern, rest[:-1])
    return x + jnp.where(mask, _spread(rest[-1], jnp.shape(x), axes), 0.0)


def _masked_at_set(x: Any, *rest: Any, pattern: str) -> Any:
    mask, axes = _places(jnp.shape(x), pattern, rest[:-1])
    return jnp.where(mask, _spread(rest[-1], jnp.shape(x), axes), x)


def _one_hot(index: Any, *, axis: Any) -> Any:
    return (jnp.asarray(index)[..., None] == np.arange(axis.size)).astype(jnp.float64)


def _stack(*values: Any, axis: Any) -> Any:
    return jnp.stack(jnp.broadcast_arrays(*values), axis=-1)


def _expand(x: Any, *, pattern: str) -> Any:
    return jnp.asarray(x)[tuple(None if letter == "n" else slice(None) for letter in pattern)]


# `is_missing` is not computed from values: it is read off the flags, in `Lowering`.
TABLE: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "add": jnp.add, "sub": jnp.subtract, "mul": jnp.multiply, "div": d.div, "pow": d.power,
        "neg": jnp.negative, "abs": d.absolute, "exp": d.exp, "log": d.log, "log1p": d.log1p, "sqrt": d.sqrt,
        "sigmoid": jax.nn.sigmoid, "softplus": jax.nn.softplus, "tanh": jnp.tanh, "maximum": d.maximum,
        "minimum": d.minimum, "ndtr": special.ndtr, "log_ndtr": d.log_ndtr, "ndtri": d.ndtri,
        "lt": jnp.less, "le": jnp.less_equal, "eq": jnp.equal, "and": jnp.logical_and, "or": jnp.logical_or,
        "not": jnp.logical_not, "where": jnp.where, "to_real": lambda x: jnp.asarray(x, jnp.float64),
        "sum": jnp.sum, "max": d.largest, "argmax": jnp.argmax, "softmax": jax.nn.softmax,
        "log_softmax": d.log_softmax, "logsumexp": d.logsumexp, "is_missing": jnp.any,
        "gather": _gather, "at_add": _at_add, "at_set": _at_set, "one_hot": _one_hot, "stack": _stack,
        "expand": _expand,
    }
)  # fmt: skip
_MASKED = {"gather": _masked_gather, "at_add": _masked_at_add, "at_set": _masked_at_set}

Gather = Literal["auto", "gather", "one_hot"]
GATHERS = ("auto", "gather", "one_hot")
_FEW = 1000  # entries over all subjects up to which a masked sum was faster than a gather


@dataclass(frozen=True)
class Lowering:
    """Evaluates graphs in JAX, for one subject and trial.

    Attributes
    ----------
    n_subjects : int
        How many subjects are computed together.
    gather : {"auto", "gather", "one_hot"}
        How one entry is taken from an array: by its position, or as a masked sum. ``"auto"`` masks small
        arrays.
    """

    n_subjects: int
    gather: Gather = "auto"

    def __post_init__(self) -> None:
        if self.gather not in GATHERS:
            raise SettingError(
                f"backend 'numpyro': gather is {self.gather!r}, expected {listed(GATHERS)}."
                f"{did_you_mean(str(self.gather), GATHERS)}"
            )

    def masks(self, node: Node) -> bool:
        """Say whether a subscript becomes a mask."""
        indices = node.args[1:] if node.op == "gather" else node.args[1:-1]
        if any(index.axes for index in indices):
            return False
        entries = self.n_subjects * int(np.prod(node.args[0].shape))
        return self.gather == "one_hot" or (self.gather == "auto" and entries <= _FEW)

    def apply(self, node: Node, args: tuple[Any, ...]) -> Any:
        """Return the value of a node that is no leaf."""
        if node.op in _MASKED and self.masks(node):
            return _MASKED[node.op](*args, **dict(node.attrs))
        function = TABLE.get(node.op)
        if function is None:
            raise BackendError(f"backend 'numpyro' has no operation '{node.op}'.")
        return function(*args, **dict(node.attrs))

    def evaluate(
        self, roots: Iterable[Node], leaves: Mapping[str, Any], flags: Mapping[str, Any] | None = None
    ) -> dict[Node, Any]:
        """Return the values of graphs, and of all nodes under them.

        Parameters
        ----------
        roots : iterable of graphs
            What to compute.
        leaves : mapping of name to array
            Values of parameters, states and events.
        flags : mapping of event to array, optional
            Which entries are missing, of events whose flags the graphs read.
        """
        values: dict[Node, Any] = {}
        for node in walk(*roots):
            if node.op == "const":
                values[node] = np.asarray(node.attr("value"))
            elif node.op in LEAVES:
                values[node] = leaves[node.attr("name")]
            elif node.op == "is_missing":
                source, flags = node.args[0], flags or {}
                if source.op == "event":
                    entries = flags[source.attr("name")]
                else:
                    indices = tuple(values[index] for index in source.args[1:])
                    entries = self.apply(source, (flags[source.args[0].attr("name")], *indices))
                values[node] = self.apply(node, (entries,))
            else:
                values[node] = self.apply(node, tuple(values[arg] for arg in node.args))
        return values
