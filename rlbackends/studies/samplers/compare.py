"""``rl.compare_samplers``: one model, the same data, one sampler after another."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from rlbackends.data.given import bind_given
from rlbackends.errors import BackendError, SettingError
from rlbackends.inference import Fitter
from rlbackends.inference.certificate import library_versions
from rlbackends.population.population import Population
from rlbackends.studies.bench import digest
from rlbackends.studies.fits import Fits
from rlbackends.studies.runner import Job, Study
from rlbackends.studies.samplers.comparison import About, SamplerComparison, check_rate
from rlbackends.studies.samplers.entries import read_entries
from rlbackends.studies.samplers.process import Setup, sample_apart

LEAST_DRAWS, MOST_CHAINS = 50, 64


def compare_samplers(
    model: Any,
    data: Any,
    samplers: Sequence[Any] | None = None,
    *,
    population: Population | None = None,
    draws: int = 1000,
    tune: int = 1000,
    chains: int = 4,
    cores: int | None = None,
    seed: int = 0,
    target_accept: float = 0.8,
    max_tree_depth: int = 10,
    folder: str | os.PathLike[str] | None = None,
    cache: str = "warm",
    limit: float | None = None,
    rate: float = 0.01,
    progress: str = "auto",
    retry_failed: bool = False,
) -> SamplerComparison:
    """Fit a model with several samplers: how fast they are, whether they agree, and which to take.

    Each sampler runs in a fresh process of its own, one after another, so that compiling, memory and crashes are its
    own.

    Parameters
    ----------
    model : Model
        The specification.
    data : Trials or BoundTrials
        The trials.
    samplers : sequence, optional
        Words ``"backend:sampler"``, with variants: ``"numpyro:nuts:vectorized"`` (or ``parallel``, ``sequential``),
        ``"pymc:nutpie:jax"`` (or ``numba``), ``"numpyro:nuts:dense_mass=true"``; or mappings with ``backend``,
        ``sampler`` and, if need be, ``sampler_settings``, ``settings`` (the backend's) and ``name``. Default: all
        installed ones that draw Markov chains.
    population : Population, optional
        How parameters vary over subjects; default: partial pooling of each.
    draws, tune : int, default 1000
        Kept draws (50 at least: effective sample sizes can't be estimated from fewer) and tuning iterations of each
        chain.
    chains : int, default 4
        Two at least (one alone can't show that it has converged), 64 at most, and no more than draws: every chain tunes
        for itself, so many short ones measure tuning.
    cores : int, optional
        How many chains run at once; default: as many as there are processors.
    seed : int, default 0
        Of every sampler.
    target_accept : float, default 0.8
        Acceptance rate that step sizes are tuned for.
    max_tree_depth : int, default 10
        Limit of a trajectory, ``2 ** max_tree_depth`` leapfrog steps.
    folder : path, optional
        Where the fits are kept, a file each. A comparison that was stopped or killed goes on there; samplers that are
        asked for later are added. Default: a temporary folder, which is removed with what this function returns.
    cache : {"warm", "cold"}, default "warm"
        Whether processes find the compile caches of PyTensor, Numba and JAX as this machine has them, or empty ones.
    limit : float, optional
        Seconds after which a sampler is stopped; it is then told of as failed.
    rate : float, default 0.01
        How often a comparison of right samplers tells one apart by chance.
    progress : {"auto", "off"}, default "auto"
    retry_failed : bool, default False
        Whether samplers that failed before are tried again.

    Returns
    -------
    SamplerComparison
        Prints as a table, with a recommendation; ``.table``, ``.agreement``, ``.recommendation``, ``.to_markdown()``,
        ``.fits``. The same call reads it again from its folder.

    Raises
    ------
    SettingError
        Samplers that there are not, settings out of range, a folder that holds something else or can't be written;
        before anything is sampled.
    DataError
        If the data do not fit the model.
    BackendError
        If every sampler failed.

    Notes
    -----
    Means are compared in Monte Carlo standard errors, and so are shares of draws below seven quantiles, over the
    group's parameters and the subjects'; the thresholds are Bonferroni's over all of them and all samplers. Tests that
    know of autocorrelation this way tell right samplers apart about as often as they say if each has some hundred
    effective draws. The reference is the sampler with the most effective draws among those that the density's own slope
    does not speak against: its mean is 0 under the right distribution (Stein's identity), so that of two samplers the
    wrong one is known.

    Each sampler is run once. The speed of a run varies by some 20 % with its seed and with what else the machine does.

    Examples
    --------
    >>> import rlbackends as rl
    >>> model = rl.catalogue.rescorla_wagner()
    >>> data = rl.simulate(model, rl.tasks.bandit(), {"alpha": 0.3, "beta": 3.0}, subjects=10).data
    >>> comparison = rl.compare_samplers(
    ...     model, data, ["numpyro:nuts", "pymc:nutpie", "pymc:nutpie:jax"], folder="samplers"
    ... )  # doctest: +SKIP
    >>> print(comparison.recommendation)  # doctest: +SKIP
    >>> comparison.plot().savefig("samplers.png")  # doctest: +SKIP
    """
    began = time.perf_counter()
    numbers = {
        "draws": draws, "tune": tune, "chains": chains, "cores": cores, "target_accept": target_accept,
        "max_tree_depth": max_tree_depth,
    }  # fmt: skip
    _check(numbers, cache, limit, seed)
    check_rate(rate)
    entries = read_entries(samplers)
    bound = bind_given("compare_samplers", model, data)
    chosen = Population() if population is None else population
    layout = chosen.layout(model, bound)
    for entry in entries:  # no compiling, but all that can be known to be wrong
        Fitter(
            model, backend=entry.backend, population=population, sampler=entry.sampler.name,  # type: ignore[arg-type]
            sampler_settings=entry.sampler_settings, progress="off", **numbers, **entry.settings,
        )  # fmt: skip
    manifest = {
        "kind": "samplers", "model": digest(model.to_json()), "data": bound.digest,
        "population": dict(layout.description), "settings": numbers, "seed": seed, "cache": cache,
        "versions": library_versions(("jax", "numpyro", "blackjax", "pymc", "pytensor", "nutpie")),
    }  # fmt: skip
    if layout.covariates:  # they are no part of the data's digest
        manifest["covariates"] = layout.digest
    setup = Setup(model, bound, population, numbers, seed, cache, limit)
    study = Study(folder, manifest)
    try:
        outcome = study.run(
            [Job(entry.key, entry) for entry in entries], sample_apart, common=setup, progress=progress,
            retry_failed=retry_failed, label=f"samplers of {model.name}",
        )  # fmt: skip
        if not outcome.done:
            why = "\n  ".join(f"{entry.name}: {outcome.failed[entry.key].message}" for entry in entries)
            raise BackendError(f"compare_samplers: every sampler failed:\n  {why}")
    except BaseException:
        study.close()
        raise
    keys = {entry.name: entry.key for entry in entries}
    fits = Fits(study, outcome, keys, time.perf_counter() - began)
    kinds = {entry.name: entry.sampler.kind for entry in entries}
    shown = f"{bound.n_subjects} subjects, {bound.n_trials} trials"
    return SamplerComparison(About(model.name, shown, kinds, draws, tune, chains, cache, float(rate)), fits)


def _check(numbers: dict[str, Any], cache: Any, limit: Any, seed: Any) -> None:
    """Raise one ``SettingError`` with all that is out of range and that a single fit would take."""
    faults = []
    whole = {"draws": (LEAST_DRAWS, None), "tune": (1, None), "chains": (2, MOST_CHAINS)}
    why = {
        "draws": "effective sample sizes, by which samplers are compared, can't be estimated from fewer",
        "tune": "each sampler finds its step size in them",
        "chains": "one chain can't show that it has converged, and with many each tunes for itself, which is then all "
        "that is measured",
    }  # fmt: skip
    for name, (least, most) in whole.items():
        value = numbers[name]
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or value < least or (most is not None and value > most):
            upto = "" if most is None else f", at most {most}"
            faults.append(f"{name} is {value!r}, expected a whole number of at least {least}{upto}: {why[name]}.")
    if not faults and numbers["chains"] > numbers["draws"]:
        faults.append(
            f"there are more chains ({numbers['chains']}) than draws of each ({numbers['draws']}); give fewer, longer "
            "chains."
        )
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        faults.append(f"seed is {seed!r}, expected a whole number from 0 on.")
    if cache not in ("warm", "cold"):
        faults.append(f"cache is {cache!r}, expected 'warm' or 'cold'.")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int | float) or not limit > 0):
        faults.append(f"limit is {limit!r}, expected seconds above 0, or None.")
    if faults:
        raise SettingError(f"compare_samplers: {' '.join(faults)}")
