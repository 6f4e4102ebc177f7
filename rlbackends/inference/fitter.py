"""A model and the settings of its fits, to be fitted to one data set after another: what is compiled is kept."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from rlbackends.backends.chains import ChainResults, Interrupted, check_settings
from rlbackends.backends.progress import Progress
from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import compile as compile_model
from rlbackends.backends.registry import get_backend
from rlbackends.backends.samplers import OURS, Sampler
from rlbackends.data.given import model_faults
from rlbackends.errors import BackendError, DataError, SettingError, did_you_mean, listed
from rlbackends.inference.certificate import Certificate, certify
from rlbackends.inference.check import reference_for
from rlbackends.inference.checkpoint import Checkpoint, is_of_run, manifest_of, mark_short, warn_of_interruption
from rlbackends.inference.gradients import warn_of_gaps
from rlbackends.inference.possible import impossible_response
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
    keep_interrupted : bool, default True
        Whether Ctrl-C gives a fit of the draws so far, with a warning, or stops the call.
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
        keep_interrupted: bool = True,
        **settings: Any,
    ) -> None:
        faults = model_faults(model)
        if faults:
            raise SettingError(f"Fitter: {' '.join(faults)}")
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
        self._keep_interrupted = keep_interrupted
        self._module = row.load()
        self._module.Engine.read_settings(settings)
        _check_names(self.sampler_settings, chosen)
        if hasattr(chosen.module, "check_sampler_settings"):
            chosen.module.check_sampler_settings(**self.sampler_settings)
        self._compiled: CompiledModel | None = None
        warn_of_gaps(model, population)

    def __repr__(self) -> str:
        chains, draws = self._numbers["chains"], self._numbers["draws"]
        words = f"{chains} {'chain' if chains == 1 else 'chains'} × {draws} draws"
        return f"Fitter({self.model.name} on {self.backend.name}: {words})"

    def fit(
        self,
        data: Any,
        seed: int = 0,
        *,
        output: str | os.PathLike[str] | None = None,
        overwrite: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_seconds: float = 30.0,
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
        checkpoint : path, optional
            A folder where the sampler leaves its work while it runs. The same call again goes on from there, or gives
            the finished fit at once; :func:`rlbackends.load` reads the draws so far.
        checkpoint_seconds : float, default 30.0
            How often it does.

        Returns
        -------
        Fit
            After Ctrl-C of the draws so far, with an `InterruptedFitWarning`.

        Raises
        ------
        SettingError
            A seed out of range, an output that can't be written, or a folder that can't, or that holds another fit.
        BackendError
            The backend disagrees with the reference, or samples nothing.
        DataError
            The data do not fit the model.
        KeyboardInterrupt
            After Ctrl-C, if not every chain has a draw.
        """
        check_settings("fit", seed=seed, **self._numbers, least_tune=1)
        kept = None
        if checkpoint is not None:
            kept = Checkpoint(checkpoint, checkpoint_seconds, self.backend, self.sampler)
            # What a stopped call of the same run has saved there makes room for what it will come to.
            overwrite = overwrite or (output is not None and is_of_run(output, checkpoint))
        target = None if output is None else check_output(output, overwrite=overwrite)
        compiled = self._compile(data)
        if self._progress == "auto":
            for report in compiled.data.reports:
                print(report, file=sys.stderr)
        if kept is None:
            result = self._sample(compiled, seed, None)
        else:
            try:
                finished = kept.open(self._manifest(compiled, seed), compiled.layout)
                result = self._sample(compiled, seed, kept) if finished is None else finished
            finally:
                kept.close()
        if target is not None:
            result.save(target, overwrite=overwrite)
        if not result.is_complete:
            saved = "" if target is None else f" They are saved in '{target}'."
            more = " The same call again draws the rest." if kept and self.sampler.keeps == "state" else ""
            warn_of_interruption(result, f"Ctrl-C stopped it.{saved}{more}")
        result.warn_of_diagnostics()
        return result

    def _sample(self, compiled: CompiledModel, seed: int, checkpoint: Checkpoint | None) -> Fit:
        """Return the fit, or after Ctrl-C one of the draws so far."""
        tune, draws, chains = (self._numbers[name] for name in ("tune", "draws", "chains"))
        reference = reference_for(compiled)
        certificate = certify(compiled, reference, points=self._points, seed=seed)
        _check_start(compiled, certificate)
        if checkpoint is not None:
            checkpoint.start(compiled, certificate, asked=draws, with_log_likelihood=self._log_likelihood)
            if checkpoint.goes_on and self._progress == "auto":
                print(f"checkpoint '{checkpoint.folder.path}': goes on from what is there", file=sys.stderr)
        reporter = Progress(f"{self.model.name} on {self.backend.name}", tune + draws, chains, mode=self._progress)
        is_stopped = False
        try:
            results = self.sampler.load()(
                compiled.engine, seed=seed, **self._numbers, progress=reporter,
                run=None if checkpoint is None else checkpoint.run, **self.sampler_settings,
            )  # fmt: skip
        except Interrupted as stop:
            results = self._after_interruption(stop, checkpoint)
            is_stopped = True
        z = {name: np.asarray(results.unconstrained[name], dtype=np.float64) for name in compiled.layout.names}
        mean = {name: value.mean(axis=(0, 1)) for name, value in z.items()}
        certificate = certificate.at_posterior_mean(compiled, reference, mean)
        fit = Fit(posterior_tree(compiled, z, results, certificate, with_log_likelihood=self._log_likelihood))
        is_short = is_stopped and mark_short(fit, draws)  # Ctrl-C may have come when all was drawn
        if checkpoint is not None:
            fit.tree.attrs["run"] = checkpoint.id
            if not is_short:
                checkpoint.finish(fit)
        return fit

    def _after_interruption(self, stop: Interrupted, checkpoint: Checkpoint | None) -> ChainResults:
        """Return the draws so far, or stop as well."""
        if not self._keep_interrupted:
            raise stop
        if stop.results is None:
            where = "" if checkpoint is None else f" What is done is kept in '{checkpoint.folder.path}'."
            raise KeyboardInterrupt(f"stopped before every chain had a draw.{where}") from None
        return stop.results

    def _manifest(self, compiled: CompiledModel, seed: int) -> dict[str, Any]:
        """Return everything that decides a fit."""
        settings = {name: value for name, value in self._numbers.items() if name != "cores"}  # they change no draw
        settings |= {"log_likelihood": self._log_likelihood, "certificate_points": self._points}
        settings |= self._module.Engine.read_settings(self.settings)
        return manifest_of(
            compiled, self.backend, self.sampler, seed=seed, settings=settings, sampler_settings=self.sampler_settings
        )

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
