"""``rl.fit``: from a model and data to a posterior, with a certificate that the backend was right."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from rlbackends.data.given import check_given
from rlbackends.inference.fitter import Fitter
from rlbackends.inference.result import Fit
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
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_seconds: float = 30.0,
    **settings: Any,
) -> Fit:
    """Sample a model's posterior.

    Before it samples it compares the backend with the reference on these data; if they disagree, it does not start.
    For many data sets of one structure, a :class:`rlbackends.Fitter` compiles once.

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
    checkpoint : path, optional
        A folder where the sampler leaves its work while it runs. If the process dies, the same call goes on from there
        (NumPyro's NUTS: to exactly the draws that it would have drawn), or gives the finished fit at once.
        ``rl.load(folder)`` reads the draws so far.
    checkpoint_seconds : float, default 30.0
        How often it does.
    **settings
        The backend's own settings, such as ``gather``.

    Returns
    -------
    Fit
        After Ctrl-C of the draws so far, with an `InterruptedFitWarning`; :attr:`Fit.is_complete` tells.

    Raises
    ------
    SettingError
        An unknown sampler, a setting out of range, an output or a folder that can't be written, or a folder that holds
        another fit.
    BackendError
        The backend disagrees with the reference, or samples nothing.
    DataError
        The data do not fit the model.
    KeyboardInterrupt
        After Ctrl-C, if not every chain has a draw.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(subjects=["ann"], choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]])
    >>> fit = rl.fit(rl.catalogue.rescorla_wagner(), data, backend="numpyro", population=rl.Population("none"),
    ...              draws=50, tune=50, chains=1, progress="off")  # doctest: +SKIP
    """
    check_given("fit", model, data)
    fitter = Fitter(
        model, backend=backend, population=population, sampler=sampler, draws=draws, tune=tune, chains=chains,
        cores=cores, target_accept=target_accept, max_tree_depth=max_tree_depth, log_likelihood=log_likelihood,
        progress=progress, certificate_points=certificate_points, sampler_settings=sampler_settings, **settings,
    )  # fmt: skip
    return fitter.fit(
        data, seed, output=output, overwrite=overwrite, checkpoint=checkpoint, checkpoint_seconds=checkpoint_seconds
    )
