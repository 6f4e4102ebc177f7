"""Normal distributions fitted to the posterior by PyMC's variational inference (ADVI)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pymc as pm
import pytensor

from rlbackends.backends.elbo import (
    FIRST_SD,
    Asked,
    Fitted,
    check_sampler_settings,
    learning_rates,
    variational_samplers,
)
from rlbackends.backends.flat import Flat, Gaussian
from rlbackends.backends.pymc.modes import sound
from rlbackends.backends.pymc.precision import exact
from rlbackends.backends.pymc.samplers.target import target_of
from rlbackends.errors import BackendError

if TYPE_CHECKING:
    from rlbackends.backends.pymc.engine import Engine

__all__ = ["check_sampler_settings", "sample_full_rank", "sample_mean_field"]

_METHODS = {"mean_field": pm.ADVI, "full_rank": pm.FullRankADVI}
_REPORT_STEPS = 500


def _fit(engine: Engine, asked: Asked) -> Fitted:
    began, first, steps = time.perf_counter(), [0.0], asked.steps
    flat, rates = Flat(engine.layout), learning_rates(steps, asked.learning_rate)
    with exact(), _quietly():
        rate = pytensor.shared(np.float64(asked.learning_rate))

        def after(_: Any, losses: np.ndarray, step: int) -> None:
            if step == 1:
                first[0] = time.perf_counter() - began
            rate.set_value(rates[min(step, steps - 1)])
            if step % _REPORT_STEPS == 0:
                asked.tell(step, losses[-1])

        # Its own data are constants of this model, unlike those of the sampling model.
        inference = _METHODS[asked.kind](model=engine.pymc_model, random_seed=_seed(asked.seed))
        positions = _positions(inference.approx, engine, flat)
        _begin(inference.approx, flat.join(asked.start), positions)
        # PyTensor's JAX mode would draw its random numbers in the process's own precision.
        mode = sound(None if engine.mode == "JAX" else engine.mode)
        try:
            inference.fit(
                steps, score=True, callbacks=[after], progressbar=False, obj_optimizer=pm.adam(learning_rate=rate),
                compile_kwargs={"mode": mode},
            )  # fmt: skip
        except FloatingPointError as error:
            raise BackendError(
                f"{asked.kind}: the density is not finite where the approximation came to. Lower learning_rate, or "
                "give narrower priors."
            ) from error
        if len(inference.hist) < steps:
            raise KeyboardInterrupt  # which PyMC took for the end of the fit
        return Fitted(_gaussian(asked.kind, inference.approx, positions), np.asarray(inference.hist), first[0])


sample_mean_field, sample_full_rank = variational_samplers(_fit, target_of)


def _seed(seed: int) -> int:
    """Return a seed of 32 bits, which PyMC needs."""
    return int(np.random.SeedSequence(seed).generate_state(1)[0])


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep PyMC's log lines of its loss to ourselves."""
    logger = logging.getLogger("pymc.variational.inference")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _positions(approx: Any, engine: Engine, flat: Flat) -> np.ndarray:
    """Return where PyMC's vector has the entries of ours."""
    model = engine.pymc_model
    found = {}
    for name, shape in flat.shapes.items():
        _, part, *_ = approx.groups[0].ordering[model.rvs_to_values[model[name]].name]
        found[name] = np.arange(part.start, part.stop).reshape(shape)
    return flat.join(found).astype(int)


def _begin(approx: Any, start: np.ndarray, positions: np.ndarray) -> None:
    """Put an approximation to the start, narrow."""
    size, params = len(start), approx.groups[0].params_dict
    mean = np.empty(size)
    mean[positions] = start
    params["mu"].set_value(mean)
    raw = np.log(np.expm1(FIRST_SD))  # PyMC's standard deviations are softplus of what it optimises
    if "rho" in params:
        params["rho"].set_value(np.full(size, raw))
    else:
        params["L_tril"].set_value((raw * np.eye(size))[np.tril_indices(size)])


def _gaussian(kind: str, approx: Any, positions: np.ndarray) -> Gaussian:
    mean = np.asarray(approx.mean.eval(), dtype=np.float64)[positions]
    if kind == "mean_field":
        return Gaussian(mean, np.asarray(approx.std.eval(), dtype=np.float64)[positions])
    covariance = np.asarray(approx.cov.eval(), dtype=np.float64)[np.ix_(positions, positions)]
    return Gaussian(mean, np.linalg.cholesky(covariance))
