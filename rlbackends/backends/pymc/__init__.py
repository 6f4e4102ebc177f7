"""The PyMC backend: a table of operations, one scan over trials, a genuine PyMC model, and nutpie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlbackends.backends.pymc.engine import Engine

if TYPE_CHECKING:
    from rlbackends.backends.chains import ChainResults
    from rlbackends.backends.progress import Progress

__all__ = ["SIMULATION_SETTINGS", "Engine", "check_sampler_settings", "sample"]

# A simulation runs once, over all subjects at a time: what compiles at once is done first.
SIMULATION_SETTINGS = {"mode": "FAST_COMPILE"}


def check_sampler_settings(*, compile_backend: str = "numba") -> None:
    """Raise ``SettingError`` for a value that the sampler does not take."""
    from rlbackends.backends.pymc.nutpie_sampler import check_compile_backend

    check_compile_backend(compile_backend)


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
    compile_backend: str = "numba",
    progress: Progress | None = None,
) -> ChainResults:
    """Sample the posterior with nutpie's No-U-Turn sampler.

    Parameters
    ----------
    engine : Engine
        The model, its data and its population.
    seed, chains, tune, draws, cores, target_accept, max_tree_depth, compile_backend, progress
        As in :func:`rlbackends.backends.pymc.nutpie_sampler.sample_nutpie`.

    Returns
    -------
    ChainResults
        Draws of the layout's latents. Subjects' parameters follow from them (``layout.parameters``), and so they are
        neither computed nor stored while sampling.
    """
    from rlbackends.backends.pymc.nutpie_sampler import sample_nutpie

    model = engine.sampling_model
    return sample_nutpie(
        model,
        seed=seed,
        chains=chains,
        tune=tune,
        draws=draws,
        cores=cores,
        target_accept=target_accept,
        max_tree_depth=max_tree_depth,
        compile_backend=compile_backend,
        progress=progress,
        data=engine.columns,
        programs=engine.programs,
    )
