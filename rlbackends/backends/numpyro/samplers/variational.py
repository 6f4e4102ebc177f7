"""Normal distributions fitted to the posterior by NumPyro's stochastic variational inference.

The guides are ``AutoNormal`` and ``AutoMultivariateNormal``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from numpyro import handlers
from numpyro.infer import SVI, Trace_ELBO, init_to_value
from numpyro.infer.autoguide import AutoMultivariateNormal, AutoNormal
from numpyro.optim import Adam

from rlbackends.backends.elbo import (
    FIRST_SD,
    Asked,
    Fitted,
    check_sampler_settings,
    learning_rates,
    variational_samplers,
)
from rlbackends.backends.flat import Flat, Gaussian
from rlbackends.backends.numpyro.model import sample_parameters
from rlbackends.backends.numpyro.precision import float64
from rlbackends.backends.numpyro.samplers.target import target_of
from rlbackends.errors import BackendError

if TYPE_CHECKING:
    from rlbackends.backends.numpyro.engine import Engine

__all__ = ["check_sampler_settings", "sample_full_rank", "sample_mean_field"]

_BLOCK = 500  # steps between two reports


@dataclass(frozen=True)
class _Program:
    """What is compiled for a guide: its first state, and a block of steps from a state."""

    svi: SVI
    start: Any
    block: Callable[..., Any]


def _fit(engine: Engine, asked: Asked) -> Fitted:
    began, kind, steps = time.perf_counter(), asked.kind, asked.steps
    flat, key = Flat(engine.layout), (kind, steps, asked.learning_rate)
    with float64(), jax.threefry_partitionable(True):
        program = engine.programs.get(key)
        if program is None:
            program = engine.programs[key] = _compiled(kind, engine, steps, asked.learning_rate)
        compiled = time.perf_counter() - began
        state = _state_at(program, asked.start, flat, asked.seed)
        losses: list[np.ndarray] = []
        for done in range(0, steps, _BLOCK):
            count = min(_BLOCK, steps - done)
            state, found = program.block(state, np.int64(count), engine.arrays)
            losses.append(np.asarray(found)[:count])
            asked.tell(done + count, losses[-1][-1])
        params = {name: np.asarray(value) for name, value in program.svi.get_params(state).items()}
        return Fitted(_gaussian(kind, program.svi.guide, params, flat), np.concatenate(losses), compiled)


sample_mean_field, sample_full_rank = variational_samplers(_fit, target_of)


def _compiled(kind: str, engine: Engine, steps: int, learning_rate: float) -> _Program:
    rates = jnp.asarray(learning_rates(steps, learning_rate))
    # Where it starts is put into the state for each fit; any point will do to compile.
    middle = engine.layout.constrain({name: np.zeros(shape) for name, shape in Flat(engine.layout).shapes.items()})
    make = AutoNormal if kind == "mean_field" else AutoMultivariateNormal

    def latents(arrays: Any) -> None:
        # A guide looks only at what is sampled: without the loop over trials it is there at once.
        sample_parameters(engine.layout, engine._lowering, deterministic=False)

    guide = make(latents, init_loc_fn=init_to_value(values=middle), init_scale=FIRST_SD)
    handlers.seed(guide, _key(0))(engine.arrays)
    svi = SVI(engine.numpyro_model, guide, Adam(lambda step: rates[jnp.minimum(step, steps - 1)]), Trace_ELBO())
    state = jax.jit(svi.init)(_key(0), engine.arrays)

    def block(state: Any, count: Any, arrays: Any) -> Any:
        def one(i: Any, carry: Any) -> Any:
            state, losses = carry
            # A draw where the density is not finite is passed over.
            state, loss = svi.stable_update(state, arrays)
            return state, losses.at[i].set(loss)

        return jax.lax.fori_loop(0, count, one, (state, jnp.full(_BLOCK, jnp.nan)))

    return _Program(svi, state, jax.jit(block).lower(state, np.int64(1), engine.arrays).compile())


def _state_at(program: _Program, start: Mapping[str, np.ndarray], flat: Flat, seed: int) -> Any:
    """Return the first state of a fit: the guide's location at the start."""
    svi, state = program.svi, program.start
    params = dict(svi.optim.get_params(state.optim_state))
    if isinstance(svi.guide, AutoNormal):
        params |= {f"{name}_auto_loc": jnp.asarray(value, jnp.float64) for name, value in start.items()}
    else:
        params["auto_loc"] = jnp.zeros(flat.size).at[_positions(svi.guide, flat)].set(flat.join(start))
    return state._replace(optim_state=svi.optim.init(params), rng_key=_key(seed))


def _positions(guide: AutoMultivariateNormal, flat: Flat) -> np.ndarray:
    """Return where the guide's vector has the entries of ours."""
    return flat.join(guide._unpack_latent(jnp.arange(guide.latent_dim))).astype(int)


def _gaussian(kind: str, guide: Any, params: Mapping[str, np.ndarray], flat: Flat) -> Gaussian:
    if not all(np.isfinite(value).all() for value in params.values()):
        raise BackendError(f"{kind}: the optimiser left finite numbers; lower learning_rate.")
    if kind == "mean_field":
        return Gaussian(*(flat.join({name: params[f"{name}_auto_{what}"] for name in flat.shapes})
                          for what in ("loc", "scale")))  # fmt: skip
    positions = _positions(guide, flat)
    mean, lower = params["auto_loc"], params["auto_scale_tril"]
    covariance = (lower @ lower.T)[np.ix_(positions, positions)]
    return Gaussian(mean[positions], np.linalg.cholesky(covariance))


def _key(seed: int) -> Any:
    return jax.random.key(seed, impl="threefry2x32")
