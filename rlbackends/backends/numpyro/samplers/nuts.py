"""NumPyro's No-U-Turn sampler on an engine's density."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlbackends.backends.numpyro.nuts import sample_nuts
from rlbackends.backends.starts import find_start
from rlbackends.errors import SettingError

if TYPE_CHECKING:
    from rlbackends.backends.chains import ChainResults
    from rlbackends.backends.numpyro.engine import Engine
    from rlbackends.backends.progress import Progress


def check_sampler_settings(*, dense_mass: bool = False) -> None:
    """Raise ``SettingError`` for a value that the sampler does not take."""
    if not isinstance(dense_mass, bool):
        raise SettingError(f"sample_nuts: dense_mass is {dense_mass!r}, expected True or False.")


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
    progress: Progress | None = None,
    run: object = None,
) -> ChainResults:
    """Sample the posterior with NumPyro's NUTS.

    Each chain starts near the prior's middle, with a mass matrix from the density's curvature there; the
    settings are those of ``nuts.sample_nuts``.
    """
    starts = [
        find_start(engine.layout, engine.log_density_and_gradient, seed, chain) for chain in range(chains)
    ]
    metrics = [engine.inverse_metric(start) for start in starts]
    return sample_nuts(
        engine.numpyro_model, model_args=(engine.arrays,), seed=seed, chains=chains, tune=tune, draws=draws,
        cores=cores, target_accept=target_accept, max_tree_depth=max_tree_depth, dense_mass=dense_mass,
        init=starts, inverse_metric=metrics, progress=progress, programs=engine.programs,
    )  # fmt: skip
