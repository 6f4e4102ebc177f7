"""NumPyro's No-U-Turn sampler on an engine's density."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlbackends.backends.numpyro.nuts import check_chain_method, sample_nuts
from rlbackends.backends.starts import engine_start
from rlbackends.errors import SettingError

if TYPE_CHECKING:
    from rlbackends.backends.chains import ChainResults
    from rlbackends.backends.numpyro.engine import Engine
    from rlbackends.backends.progress import Progress
    from rlbackends.backends.runs import Run


def check_sampler_settings(*, dense_mass: bool = False, chain_method: str = "parallel") -> None:
    """Raise ``SettingError`` for a value that the sampler does not take."""
    if not isinstance(dense_mass, bool):
        raise SettingError(f"sample_nuts: dense_mass is {dense_mass!r}, expected True or False.")
    check_chain_method(chain_method)


def sample(
    engine: Engine,
    *,
    seed: int,
    chains: int,
    tune: int,
    draws: int,
    cores: int,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    dense_mass: bool = False,
    chain_method: str = "parallel",
    progress: Progress | None = None,
    run: Run | None = None,
) -> ChainResults:
    """Sample the posterior with NumPyro's NUTS.

    Each chain starts near the prior's middle, with a mass matrix from the density's curvature there; the
    settings are those of ``nuts.sample_nuts``.
    """
    starts = [
        engine_start(engine, seed, chain) for chain in range(chains)
    ]
    metrics = [engine.inverse_metric(start) for start in starts]
    return sample_nuts(
        engine.numpyro_model, model_args=(engine.arrays,), seed=seed, chains=chains, tune=tune, draws=draws,
        cores=cores, target_accept=target_accept, max_tree_depth=max_tree_depth, dense_mass=dense_mass,
        chain_method=chain_method, init=starts, inverse_metric=metrics, progress=progress, programs=engine.programs,
        run=run,
    )  # fmt: skip
