"""nutpie's No-U-Turn sampler on an engine's PyMC model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rlbackends.backends.diagnose import explaining
from rlbackends.backends.pymc.nutpie_sampler import check_compile_backend, sample_nutpie

if TYPE_CHECKING:
    from rlbackends.backends.chains import ChainResults
    from rlbackends.backends.progress import Progress
    from rlbackends.backends.pymc.engine import Engine
    from rlbackends.backends.runs import Run


def check_sampler_settings(*, compile_backend: str = "numba") -> None:
    """Raise ``SettingError`` for a value that the sampler does not take."""
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
    run: Run | None = None,
) -> ChainResults:
    """Sample the posterior with nutpie; the settings are those of ``nutpie_sampler.sample_nutpie``.

    Subjects' parameters follow from the latents (``layout.parameters``), and so they are neither computed nor stored
    while sampling.
    """
    with explaining(engine, seed):
        return sample_nutpie(
            engine.sampling_model, seed=seed, chains=chains, tune=tune, draws=draws, cores=cores,
            target_accept=target_accept, max_tree_depth=max_tree_depth, compile_backend=compile_backend,
            progress=progress, data=engine.columns, programs=engine.programs, run=run,
        )  # fmt: skip
