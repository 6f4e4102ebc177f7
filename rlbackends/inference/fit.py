"""``rl.fit``: from a model and data to a posterior, with a certificate that the backend was right."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from rlbackends.backends.chains import check_settings
from rlbackends.backends.progress import Progress
from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import compile as compile_model
from rlbackends.backends.registry import get_backend
from rlbackends.errors import BackendError, DataError, SettingError, did_you_mean, listed
from rlbackends.inference.certificate import Certificate, certify
from rlbackends.inference.check import reference_for
from rlbackends.inference.result import Fit
from rlbackends.inference.storage import check_output
from rlbackends.inference.tree import posterior_tree
from rlbackends.population.population import Population


def fit(
    model: Any,
    data: Any,
    *,
    backend: str,
    population: Population | None = None,
    sampler: str | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    seed: int = 0,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    log_likelihood: bool = True,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    progress: str = "auto",
    certificate_points: int = 2,
    sampler_settings: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Fit:
    """Sample a model's posterior.

    Before it samples it compares the backend with the reference on these data; if they disagree, it does not start.

    Parameters
    ----------
    model : Model
        The specification.
    data : Trials or BoundTrials
        The trials.
    backend : {"numpyro", "pymc"}
        Which library computes and samples.
    population : Population, optional
        How parameters vary over subjects; default: partial pooling of each.
    sampler : str, optional
        One of the backend's samplers; default: its first (NumPyro's NUTS; nutpie for PyMC).
    draws, tune : int, default 1000
        Kept draws and tuning iterations of each chain.
    chains : int, default 4
        Number of chains.
    cores : int, optional
        How many chains run at once; default: as many as there are processors. It does not change the draws.
    seed : int, default 0
        The same seed, settings and versions give the same draws.
    target_accept : float, default 0.8
        Acceptance rate that the step size is tuned for.
    max_tree_depth : int, default 10
        Limit of a trajectory, ``2 ** max_tree_depth`` leapfrog steps.
    log_likelihood : bool, default True
        Whether to compute the log-likelihood of every observed response in every draw, for ``az.loo``.
    output : path, optional
        Where to save the fit (netCDF, ``.nc``). Whether it can be written is found out before sampling.
    overwrite : bool, default False
        Whether ``output`` may replace a file.
    progress : {"auto", "off"}, default "auto"
        Bars in a terminal, a plain line every 30 seconds in a log file, or nothing.
    certificate_points : int, default 2
        At how many prior draws the certificate compares backends before sampling.
    sampler_settings : mapping, optional
        The sampler's own settings, such as ``dense_mass`` for NumPyro's NUTS.
    **settings
        The backend's own settings, such as ``gather``.

    Returns
    -------
    Fit

    Raises
    ------
    SettingError
        An unknown sampler, a setting out of range, or an output that can't be written.
    BackendError
        The backend disagrees with the reference, or samples nothing.
    DataError
        The data do not fit the model.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(subjects=["ann"], choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]])
    >>> fit = rl.fit(rl.catalogue.rescorla_wagner(), data, backend="numpyro", population=rl.Population("none"),
    ...              draws=50, tune=50, chains=1, progress="off")  # doctest: +SKIP
    """
    row = get_backend(backend)
    if not row.samplers:
        raise SettingError(
            f"fit: backend '{backend}' checks and explains; it does not sample. "
            "Use backend='numpyro' or backend='pymc'."
        )
    sampler = row.samplers[0] if sampler is None else sampler
    if sampler not in row.samplers:
        raise SettingError(
            f"fit: backend '{backend}' has no sampler {sampler!r}. There is {listed(row.samplers)}."
            f"{did_you_mean(str(sampler), row.samplers)}"
        )
    cores = min(chains, os.cpu_count() or 1) if cores is None and isinstance(chains, int) else cores
    numbers = {
        "seed": seed, "chains": chains, "tune": tune, "draws": draws, "cores": cores, "target_accept": target_accept,
        "max_tree_depth": max_tree_depth,
    }  # fmt: skip
    check_settings("fit", **numbers, least_tune=1)  # type: ignore[arg-type]
    target = None if output is None else check_output(output, overwrite=overwrite)
    module = row.load()
    compiled = compile_model(model, data, backend, population=population, **settings)
    if progress == "auto":
        for report in compiled.data.reports:
            print(report, file=sys.stderr)
    reference = reference_for(compiled)
    certificate = certify(compiled, reference, points=certificate_points, seed=seed)
    _check_start(compiled, certificate)
    reporter = Progress(f"{model.name} on {backend}", tune + draws, chains, mode=progress)
    results = module.sample(compiled.engine, **numbers, progress=reporter, **(sampler_settings or {}))
    z = {name: np.asarray(results.unconstrained[name], dtype=np.float64) for name in compiled.layout.names}
    mean = {name: value.mean(axis=(0, 1)) for name, value in z.items()}
    certificate = certificate.at_posterior_mean(compiled, reference, mean)
    tree = posterior_tree(compiled, z, results, certificate, with_log_likelihood=log_likelihood)
    result = Fit(tree)
    result.warn_of_diagnostics()
    if target is not None:
        result.save(target, overwrite=overwrite)
    return result


def _check_start(compiled: CompiledModel, certificate: Certificate) -> None:
    """Refuse to sample with a backend that disagrees, or data that the model says can't happen."""
    if not certificate.holds:
        raise BackendError(
            f"fit: backend '{compiled.backend}' disagrees with the reference on these data, so sampling does not "
            "start.\n"
            f"{certificate}"
        )
    place = impossible_response(compiled)
    if place:
        raise DataError(f"fit: {place}")


def impossible_response(compiled: CompiledModel) -> str:
    """Return a sentence about the first observed response whose probability is 0 at the prior's centre, or nothing."""
    layout = compiled.layout
    centre = {latent.name: np.zeros(layout.shape(latent)) for latent in layout.latents}
    params = layout.parameters(layout.constrain(centre))
    for name, values in compiled.for_checking().engine.log_likelihood(params).items():
        observed = ~compiled.data.missing[name]
        if observed.ndim > 2:
            observed = observed.any(axis=tuple(range(2, observed.ndim)))
        impossible = observed & ~np.isfinite(values)
        if impossible.any():
            subject, trial = (int(i) for i in np.argwhere(impossible)[0])
            number = int(compiled.data.trial_numbers[subject, trial])
            return (
                f"'{name}' of subject {compiled.data.subjects[subject]} on trial {number} has probability 0 under "
                f"model '{compiled.model.name}' ({int(impossible.sum())} such trials). Was an action chosen that was "
                "not available?"
            )
    return ""
