"""A model and the settings of its fits, to be fitted to one data set after another: what is compiled is kept."""

from __future__ import annotations

import inspect
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
from rlbackends.backends.samplers import OURS, Sampler
from rlbackends.errors import BackendError, DataError, SettingError, did_you_mean, listed
from rlbackends.inference.certificate import Certificate, certify
from rlbackends.inference.check import reference_for
from rlbackends.inference.result import Fit
from rlbackends.inference.storage import check_output
from rlbackends.inference.tree import posterior_tree
from rlbackends.population.population import Population


class Fitter:
    """Fits one model, with the same settings, to one data set after another.

    The first fit compiles. A later one reuses all that was compiled, the sampler too, if its data have the structure
    of the data before: as many subjects, trials and observations, and missing values, unequal lengths and blocks in
    the same events or not at all. Otherwise it compiles anew. Either way it gives what :func:`rlbackends.fit` gives,
    to the last bit, with a certificate on its own data.

    Parameters
    ----------
    model : Model
        The specification.
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
    target_accept : float, default 0.8
        Acceptance rate that the step size is tuned for.
    max_tree_depth : int, default 10
        Limit of a trajectory, ``2 ** max_tree_depth`` leapfrog steps.
    log_likelihood : bool, default True
        Whether to compute the log-likelihood of every observed response in every draw, for ``az.loo``.
    progress : {"auto", "off"}, default "auto"
        Bars in a terminal, a plain line every 30 seconds in a log file, or nothing.
    certificate_points : int, default 2
        At how many prior draws the certificate compares backends before sampling.
    sampler_settings : mapping, optional
        The sampler's own settings, such as ``dense_mass`` for NumPyro's NUTS.
    **settings
        The backend's own settings, such as ``gather``.

    Raises
    ------
    SettingError
        An unknown sampler or setting, or one out of range.
    BackendError, BackendMissingError
        If there is no such backend, or it is not installed.

    Examples
    --------
    >>> import rlbackends as rl
    >>> fitter = rl.Fitter(rl.catalogue.rescorla_wagner(), backend="numpyro", population=rl.Population("none"),
    ...                    draws=50, tune=50, chains=1, progress="off")
    >>> fitter
    Fitter(rescorla_wagner on numpyro: 1 chain × 50 draws)
    >>> choices = {"ann": [[0, 1, 0]], "bob": [[1, 1, 0]]}
    >>> fits = [fitter.fit(rl.Trials.from_arrays(subjects=[name], choice=choice, reward=[[1.0, 0.0, 1.0]]))
    ...         for name, choice in choices.items()]  # doctest: +SKIP
    """

    def __init__(
        self,
        model: Any,
        *,
        backend: str,
        population: Population | None = None,
        sampler: str | None = None,
        draws: int = 1000,
        tune: int = 1000,
        chains: int = 4,
        cores: int | None = None,
        target_accept: float = 0.8,
        max_tree_depth: int = 10,
        log_likelihood: bool = True,
        progress: str = "auto",
        certificate_points: int = 2,
        sampler_settings: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        row = get_backend(backend)
        chosen = row.sampler(sampler)
        cores = min(chains, os.cpu_count() or 1) if cores is None and isinstance(chains, int) else cores
        numbers: dict[str, Any] = {
            "chains": chains, "tune": tune, "draws": draws, "cores": cores, "target_accept": target_accept,
            "max_tree_depth": max_tree_depth,
        }  # fmt: skip
        check_settings("fit", seed=0, **numbers, least_tune=1)
        _check_points(certificate_points)
        Progress(model.name, tune + draws, chains, mode=progress)
        self.model = model
        self.backend = row
        self.sampler = chosen
        self.population = population
        self.settings = settings
        self.sampler_settings = dict(sampler_settings or {})
        self._numbers = numbers
        self._log_likelihood = log_likelihood
        self._progress = progress
        self._points = certificate_points
        self._module = row.load()
        self._module.Engine.read_settings(settings)
        _check_names(self.sampler_settings, chosen)
        if hasattr(chosen.module, "check_sampler_settings"):
            chosen.module.check_sampler_settings(**self.sampler_settings)
        self._compiled: CompiledModel | None = None

    def __repr__(self) -> str:
        chains, draws = self._numbers["chains"], self._numbers["draws"]
        words = f"{chains} {'chain' if chains == 1 else 'chains'} × {draws} draws"
        return f"Fitter({self.model.name} on {self.backend.name}: {words})"

    def fit(
        self, data: Any, seed: int = 0, *, output: str | os.PathLike[str] | None = None, overwrite: bool = False
    ) -> Fit:
        """Sample the model's posterior given these data.

        Parameters
        ----------
        data : Trials or BoundTrials
            The trials.
        seed : int, default 0
            The same seed, settings and versions give the same draws.
        output : path, optional
            Where to save the fit (netCDF, ``.nc``). Whether it can be written is found out before sampling.
        overwrite : bool, default False
            Whether ``output`` may replace a file.

        Returns
        -------
        Fit

        Raises
        ------
        SettingError
            A seed out of range, or an output that can't be written.
        BackendError
            The backend disagrees with the reference, or samples nothing.
        DataError
            The data do not fit the model.
        """
        check_settings("fit", seed=seed, **self._numbers, least_tune=1)
        target = None if output is None else check_output(output, overwrite=overwrite)
        compiled = self._compile(data)
        if self._progress == "auto":
            for report in compiled.data.reports:
                print(report, file=sys.stderr)
        reference = reference_for(compiled)
        certificate = certify(compiled, reference, points=self._points, seed=seed)
        _check_start(compiled, certificate)
        tune, draws, chains = (self._numbers[name] for name in ("tune", "draws", "chains"))
        reporter = Progress(f"{self.model.name} on {self.backend.name}", tune + draws, chains, mode=self._progress)
        results = self.sampler.load()(
            compiled.engine, seed=seed, **self._numbers, progress=reporter, run=None, **self.sampler_settings
        )
        z = {name: np.asarray(results.unconstrained[name], dtype=np.float64) for name in compiled.layout.names}
        mean = {name: value.mean(axis=(0, 1)) for name, value in z.items()}
        certificate = certificate.at_posterior_mean(compiled, reference, mean)
        tree = posterior_tree(compiled, z, results, certificate, with_log_likelihood=self._log_likelihood)
        result = Fit(tree)
        result.warn_of_diagnostics()
        if target is not None:
            result.save(target, overwrite=overwrite)
        return result

    def _compile(self, data: Any) -> CompiledModel:
        """Return the model compiled for these data, with what was compiled before if it serves them."""
        if self._compiled is None:
            compiled = compile_model(self.model, data, self.backend, population=self.population, **self.settings)
        else:
            compiled = self._compiled.with_data(data)
        self._compiled = compiled
        return compiled

    def __getstate__(self) -> dict[str, Any]:
        # What is compiled stays in its process, and modules can't be pickled.
        return {**self.__dict__, "_compiled": None, "_module": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._module = self.backend.load()


def _check_points(points: Any) -> None:
    if isinstance(points, bool) or not isinstance(points, int) or points < 1:
        raise SettingError(f"fit: certificate_points is {points!r}, expected a whole number of at least 1.")


def _check_names(given: Mapping[str, Any], sampler: Sampler) -> None:
    """Raise for a setting that the backend's sampler does not have."""
    parameters = inspect.signature(sampler.load()).parameters
    known = [name for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY and name not in OURS]
    for name in given:
        if name in OURS:
            raise SettingError(f"fit: '{name}' is a setting of fit itself; give it outside of sampler_settings.")
        if name not in known:
            has = f"It has {listed(known)}." if known else "It has none of its own."
            raise SettingError(
                f"fit: sampler '{sampler.name}' has no setting '{name}'. {has}{did_you_mean(name, known)}"
            )


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
        impossible = compiled.data.observed(name) & ~np.isfinite(values)
        if impossible.any():
            subject, trial = (int(i) for i in np.argwhere(impossible)[0])
            number = int(compiled.data.trial_numbers[subject, trial])
            return (
                f"'{name}' of subject {compiled.data.subjects[subject]} on trial {number} has probability 0 under "
                f"model '{compiled.model.name}' ({int(impossible.sum())} such trials). Was an action chosen that was "
                "not available?"
            )
    return ""
