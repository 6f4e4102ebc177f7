"""The compiled programs of NumPyro's NUTS: the start of a chain, and a block of iterations.

The kernel is NumPyro's own (`numpyro.infer.NUTS`). Iterations run in blocks whose limits are arguments of the program,
so where a block ends never changes the draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from numpyro.infer import NUTS

from rlbackends.backends.chain_files import COLUMNS
from rlbackends.errors import BackendError, listed

BLOCK = 100  # most iterations between two reports


@contextmanager
def float64_on_cpu() -> Iterator[None]:
    """JAX as our draws and NumPyro need it, in this thread only: each of these switches is thread-local."""
    with ExitStack() as stack:
        stack.enter_context(jax.enable_x64(True))
        stack.enter_context(jax.threefry_partitionable(True))
        stack.enter_context(jax.numpy_dtype_promotion("standard"))
        stack.enter_context(jax.numpy_rank_promotion("allow"))
        stack.enter_context(jax.default_device(jax.devices("cpu")[0]))
        yield


def chain_key(seed: int, chain: int = 0) -> Any:
    """Return the key of a chain."""
    return jax.random.fold_in(jax.random.key(seed, impl="threefry2x32"), chain)


@dataclass(frozen=True)
class Programs:
    """The two compiled programs that all chains share.

    Attributes
    ----------
    start, block : callable
        From (key, init, metric, arrays) to a chain's first state; and from (state, iterations, steps, arrays) to what
        was done and taken, the state then, the values and the statistics.
    state : pytree
        The form of a state: shapes and types.
    shapes : mapping of str to tuple of int
        Sites in the order of the flat vector.
    """

    start: Callable[..., Any]
    block: Callable[..., Any]
    state: Any
    shapes: Mapping[str, tuple[int, ...]]

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return sum(int(np.prod(shape, dtype=int)) for shape in self.shapes.values())

    def to_arrays(self, state: Any) -> dict[str, np.ndarray]:
        """Return a state as plain arrays."""
        return {f"state_{i:03d}": np.asarray(_plain(leaf)) for i, leaf in enumerate(jax.tree.leaves(state))}

    def from_arrays(self, arrays: Mapping[str, np.ndarray]) -> Any:
        """Return the state that :meth:`to_arrays` was given; None if the arrays are not of this form."""
        forms, tree = jax.tree.flatten(self.state)
        leaves = []
        for i, form in enumerate(forms):
            found, plain = arrays.get(f"state_{i:03d}"), jax.eval_shape(_plain, form)
            if found is None or (found.shape, found.dtype) != (plain.shape, plain.dtype):
                return None
            leaf = jnp.asarray(found)
            leaves.append(jax.random.wrap_key_data(leaf, impl="threefry2x32") if _is_key(form) else leaf)
        return jax.tree.unflatten(tree, leaves)


def _is_key(leaf: Any) -> bool:
    return bool(jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key))


def _plain(leaf: Any) -> Any:
    return jax.random.key_data(leaf) if _is_key(leaf) else leaf


@dataclass(frozen=True)
class Arguments:
    """A model's arguments: arrays, which are arguments of its programs, and all else, which is part of them."""

    arrays: tuple[Any, ...]
    constants: tuple[Any, ...]
    is_array: tuple[bool, ...]
    form: Any

    @classmethod
    def of(cls, model_args: tuple[Any, ...]) -> Arguments:
        """Part them; floats among the arrays become float64."""
        leaves, form = jax.tree.flatten(model_args)
        is_array = tuple(isinstance(leaf, (np.ndarray, jax.Array)) for leaf in leaves)
        arrays = tuple(_widen(leaf) for leaf, traced in zip(leaves, is_array, strict=True) if traced)
        constants = tuple(leaf for leaf, traced in zip(leaves, is_array, strict=True) if not traced)
        return cls(arrays, constants, is_array, form)

    @property
    def structure(self) -> Any:
        """All that a program depends on."""
        return self.form, self.is_array, self.constants, tuple((a.shape, str(a.dtype)) for a in self.arrays)

    def merged(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """Return the model's arguments with these arrays."""
        traced, fixed = iter(arrays), iter(self.constants)
        return jax.tree.unflatten(self.form, [next(traced if kind else fixed) for kind in self.is_array])


@dataclass(frozen=True)
class Traced:
    """The programs before they are compiled."""

    start: Callable[..., Any]
    block: Callable[..., Any]
    state: Any
    shapes: Mapping[str, tuple[int, ...]]

    def compile(self, key: Any, init: Any, metric: Any, arrays: tuple[Any, ...]) -> Programs:
        """Compile them, for values of these shapes."""
        limit = jnp.asarray(0, jnp.int64)
        return Programs(
            start=jax.jit(self.start).lower(key, init, metric, arrays).compile(),
            block=jax.jit(self.block).lower(self.state, limit, limit, arrays).compile(),
            state=self.state,
            shapes=self.shapes,
        )


def trace(make_kernel: Callable[..., NUTS], arguments: Arguments, tune: int, lanes: int | None = None) -> Traced:
    """Return the programs of one chain, or of so many lanes: chains that advance together in one program.

    Raises
    ------
    BackendError
        If the model has no free variable, or one that is not in float64.
    """

    def start_one(key: Any, init: Any, metric: Any, arrays: Sequence[Any]) -> Any:
        # The order of a flat dict is that of its sorted names, as NumPyro's own.
        diagonal = None if metric is None else ravel_pytree(metric)[0]
        return make_kernel(diagonal).init(key, tune, init, arguments.merged(arrays), {})

    def start(keys: Any, init: Any, metric: Any, arrays: Sequence[Any]) -> Any:
        return jax.vmap(start_one, in_axes=(0, 0, 0, None))(keys, init, metric, arrays)

    def row(state: Any) -> tuple[Any, Any]:
        statistics = dict(
            diverging=state.diverging, n_steps=state.num_steps, acceptance_rate=state.accept_prob, energy=state.energy,
            potential_energy=state.potential_energy, step_size=state.adapt_state.step_size,
        )  # fmt: skip
        columns = [jnp.asarray(statistics[name], jnp.float64) for name in COLUMNS]
        return ravel_pytree(state.z)[0], jnp.stack(columns)

    def block(state: Any, iterations: Any, steps: Any, arrays: Sequence[Any]) -> Any:
        # A kernel of its own: what `init` leaves in a kernel belongs to the trace that called it. Its state
        # is not used here, and the compiler drops it.
        kernel, args = make_kernel(), arguments.merged(arrays)
        first = state if lanes is None else jax.tree.map(lambda leaf: leaf[0], state)
        kernel.init(first.rng_key, tune, first.z, args, {})

        def advance_one(state: Any) -> Any:
            state = kernel.sample(state, args, {})
            return state, *row(state)

        advance = advance_one if lanes is None else jax.vmap(advance_one)

        def goes_on(carry: Any) -> Any:
            i, taken, *_ = carry
            return (i < iterations) & (taken < steps)

        def one(carry: Any) -> Any:
            i, taken, state, values, statistics = carry
            state, value, statistic = advance(state)
            # Chains that advance together take as long as the one with the longest trajectory.
            taken = taken + jnp.max(state.num_steps)
            return i + 1, taken, state, values.at[i].set(value), statistics.at[i].set(statistic)

        width = () if lanes is None else (lanes,)
        size = ravel_pytree(first.z)[0].size
        zero = jnp.asarray(0, jnp.int64)
        # The limits are arguments: one program serves blocks of any length.
        carry = (zero, zero, state, jnp.zeros((BLOCK, *width, size)), jnp.zeros((BLOCK, *width, len(COLUMNS))))
        return jax.lax.while_loop(goes_on, one, carry)

    one = jax.eval_shape(start_one, chain_key(0), None, None, arguments.arrays)
    shapes = {name: tuple(one.z[name].shape) for name in sorted(one.z)}
    narrow = [name for name in shapes if one.z[name].dtype != jnp.float64]
    if narrow or not shapes:
        found = f"{listed(narrow)} in {one.z[narrow[0]].dtype}" if narrow else "no free variable"
        raise BackendError(f"sample_nuts: the model has {found}, expected free variables in float64.")
    if lanes is None:
        return Traced(start_one, block, one, shapes)
    state = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((lanes, *leaf.shape), leaf.dtype), one)
    return Traced(start, block, state, shapes)


def _widen(leaf: Any) -> Any:
    """Return an array with its floats as float64: data of a 32-bit host come as float32."""
    return jnp.asarray(leaf, jnp.float64 if jnp.issubdtype(leaf.dtype, jnp.floating) else leaf.dtype)
