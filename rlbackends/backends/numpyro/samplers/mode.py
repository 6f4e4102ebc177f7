"""The mode of an engine's JAX density, and the normal distribution that fits it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlbackends.backends.approximate import check_whole, run_laplace, run_map
from rlbackends.backends.numpyro.samplers.target import target_of

if TYPE_CHECKING:
    from rlbackends.backends.chains import ChainResults
    from rlbackends.backends.numpyro.engine import Engine
    from rlbackends.backends.progress import Progress


def check_sampler_settings(*, starts: int = 4, steps: int = 2000) -> None:
    """Raise ``SettingError`` for a value that the search does not take."""
    check_whole("fit", starts=starts, steps=steps)


def sample_map(
    engine: Engine,
    *,
    seed: int,
    chains: int,
    tune: int,
    draws: int,
    cores: int,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    starts: int = 4,
    steps: int = 2000,
    progress: Progress | None = None,
    run: object = None,
) -> ChainResults:
    """Find the mode of the unconstrained latents: one draw of one chain, whatever was asked for.

    Parameters
    ----------
    starts
        From how many points near the prior's middle to climb; the highest point reached counts.
    steps
        Most steps of one climb.
    """
    return run_map(target_of(engine), seed=seed, starts=starts, steps=steps, progress=progress)


def sample_laplace(
    engine: Engine,
    *,
    seed: int,
    chains: int,
    tune: int,
    draws: int,
    cores: int,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    starts: int = 4,
    steps: int = 2000,
    progress: Progress | None = None,
    run: object = None,
) -> ChainResults:
    """Draw from the normal distribution that has the mode's place and curvature; settings as for the mode.

    Second derivatives are JAX's own, forward over reverse.
    """
    return run_laplace(
        target_of(engine), seed=seed, chains=chains, draws=draws, starts=starts, steps=steps, progress=progress
    )
