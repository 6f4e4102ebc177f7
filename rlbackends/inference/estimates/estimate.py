"""``rl.estimate``: from a model and data to point estimates, with a certificate that the backend was right."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import compile as compile_model
from rlbackends.data.given import check_given
from rlbackends.errors import DataError
from rlbackends.inference.check import reference_for
from rlbackends.inference.estimates.asked import Asked, chosen_backend, describe, without_pooling
from rlbackends.inference.estimates.em import GroupFit, GroupSearch
from rlbackends.inference.estimates.ibic import integrated_log_likelihood
from rlbackends.inference.estimates.objective import Likelihood, Posterior
from rlbackends.inference.estimates.peaks import Peaks, find_peaks
from rlbackends.inference.estimates.proof import certified, with_estimates
from rlbackends.inference.estimates.result import Estimates
from rlbackends.inference.estimates.scale import Scale
from rlbackends.inference.estimates.telling import Teller
from rlbackends.inference.estimates.tree import Group, estimates_tree
from rlbackends.inference.gradients import warn_of_gaps
from rlbackends.inference.result import ConvergenceWarning
from rlbackends.population.population import Population

_PACKAGE = str(Path(__file__).parents[2])


def estimate(
    model: Any,
    data: Any,
    *,
    method: str = "map",
    backend: Any = None,
    population: Population | None = None,
    starts: int = 10,
    seed: int = 0,
    covariance: str = "diagonal",
    samples: int = 2000,
    max_iterations: int = 500,
    progress: str = "auto",
    certificate_points: int = 2,
    **settings: Any,
) -> Estimates:
    """Estimate each subject's parameters: a point, its standard errors, and how well it explains the data.

    Subjects are searched side by side, each from several starts, on the link scale. Before it searches it compares the
    backend with the reference on these data; if they disagree, it does not start.

    Parameters
    ----------
    model : Model
        The specification.
    data : Trials or BoundTrials
        The trials.
    method : {"map", "ml", "em"}, default "map"
        ``"ml"``: maximum likelihood. ``"map"``: maximum a posteriori, each subject with its own prior. ``"em"``:
        hierarchical expectation–maximisation, which estimates the group that subjects come from.
    backend : {"numpyro", "pymc", "reference"}, optional
        Which library computes; default: the first of numpyro and pymc that is installed.
    population : Population, optional
        Links, fixed values and, for ``"map"``, each subject's prior (``rl.Pooling("none", prior=…)``); default: the
        supports' links, and a standard normal prior on their scale. Priors of groups are refused.
    starts : int, default 10
        Searches of each subject, the first from the middle of the scale, the others from draws of the prior.
    seed : int, default 0
        Of the starts and of the samples.
    covariance : {"diagonal", "full"}, default "diagonal"
        Of the group, for ``"em"``.
    samples : int, default 2000
        Draws from the group for the integrated BIC, for ``"em"``.
    max_iterations : int, default 500
        Most expectation steps of expectation–maximisation.
    progress : {"auto", "off"}, default "auto"
        A plain line every 30 seconds, or nothing.
    certificate_points : int, default 2
        At how many prior draws backends are compared.
    **settings
        The backend's own settings, such as ``gather``.

    Returns
    -------
    Estimates

    Raises
    ------
    SettingError
        A setting out of range, or what is no model or no trials.
    ModelError
        A population that the method can't use.
    BackendError, BackendMissingError
        The backend disagrees with the reference, or is not there.
    DataError
        The data do not fit the model, or, for ``"em"``, fewer than two subjects responded.

    Warns
    -----
    ConvergenceWarning
        If searches did not end at a maximum, or the best one was found from a single start.

    Notes
    -----
    With ``h`` a subject's parameters on the link scale, ``"ml"`` maximises ``log p(y | h)`` and ``"map"``
    ``log p(y | h) + log p(h)``, where the prior is a density on the link scale (with the link's Jacobian if it was
    given on the natural one). ``"em"`` repeats two steps: the modes ``m`` of ``log p(y | h) + log N(h; μ, Σ)`` with
    their inverse Hessians ``S``, then ``μ`` = the mean of ``m`` and ``Σ`` = the mean of ``(m − μ)(m − μ)ᵀ + S``.

    Standard errors come from the observed information: of a subject, minus the Hessian at the mode (central differences
    of the gradient), to the natural scale by the delta method; of the group, minus the derivative of the score, which
    by Fisher's identity is an expectation under the subjects' posteriors, here Laplace's (central differences, with the
    modes searched again). A subject's log evidence is Laplace's:
    ``log p(y | m) + log p(m) + ½ d log 2π + ½ log |S|``.

    References
    ----------
    Huys, Q. J. M., Cools, R., Gölzer, M., Friedel, E., Heinz, A., Dolan, R. J., & Dayan, P. (2011). Disentangling the
    roles of approach, activation and valence in instrumental and Pavlovian responding. *PLoS Computational Biology*,
    7(4), e1002028.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(choice=[[0, 1, 1, 0, 1, 1]], reward=[[0.0, 1.0, 1.0, 0.0, 0.0, 1.0]])
    >>> found = rl.estimate(rl.catalogue.rescorla_wagner(), data, backend="reference", starts=2, progress="off")
    >>> found.params["alpha"].round(2), found.log_likelihood.round(2)
    (array([0.48]), array([-3.9]))
    """
    check_given("estimate", model, data)
    asked = Asked(method, starts, seed, covariance, samples, max_iterations, certificate_points)
    row = chosen_backend(backend)
    teller = Teller(f"{model.name} on {row.name} · {method}", progress)
    alone = without_pooling(population, model, method)
    row.load().Engine.read_settings(settings)
    warn_of_gaps(model, alone)
    began = time.perf_counter()
    compiled = compile_model(model, data, row, population=alone, **settings)
    scale = Scale.of(model, alone.resolve(model, compiled.data.n_subjects), compiled.data.n_subjects)
    counts = observations(compiled)
    there = counts > 0
    if method == "em" and there.sum() < 2:
        raise DataError(
            f"estimate: method 'em' estimates a group, and {int(there.sum())} of {len(there)} subjects responded, "
            "expected at least 2."
        )
    for report in compiled.data.reports:
        teller.report(report)
    reference = reference_for(compiled)
    certificate = certified(compiled, reference, points=certificate_points, seed=seed)
    checked = time.perf_counter()
    found = _search(compiled, scale, asked, there, teller)
    params = {name: np.array(value) for name, value in scale.natural(found.peaks.z).items()}
    certificate = with_estimates(certificate, compiled, reference, params)
    timing = {"check_seconds": checked - began, "search_seconds": time.perf_counter() - checked}
    told = describe(asked, dict(settings)) | {"evaluations": found.evaluations}
    result = Estimates(
        estimates_tree(compiled, scale, found.peaks, found.group, counts, certificate, told, timing)
    )
    _warn(result, asked)
    return result


@dataclass(frozen=True)
class _Found:
    peaks: Peaks
    group: Group | None
    evaluations: int


def _search(compiled: CompiledModel, scale: Scale, asked: Asked, there: np.ndarray, teller: Teller) -> _Found:
    rng = np.random.default_rng(asked.seed)
    likelihood = Likelihood(compiled.engine, scale)
    size = (asked.starts, compiled.data.n_subjects)
    if asked.method != "em":
        starts = scale.draw(rng, size)
        starts[0] = 0.0
        objective = likelihood if asked.method == "ml" else Posterior(likelihood)
        peaks = find_peaks(likelihood, objective, starts, teller, bounds=True)
        return _Found(peaks, None, likelihood.evaluations)
    starts = rng.standard_normal((*size, len(scale)))
    starts[0] = 0.0
    search = GroupSearch(likelihood, there, asked.covariance == "full", teller)
    fit, peaks = search.run(starts, rng, asked.max_iterations)
    return _Found(peaks, _group(compiled, scale, fit, asked, there, rng, teller), likelihood.evaluations)


def _group(
    compiled: CompiledModel,
    scale: Scale,
    fit: GroupFit,
    asked: Asked,
    there: np.ndarray,
    rng: np.random.Generator,
    teller: Teller,
) -> Group:
    """Return the group by parameter, with its integrated BIC (Huys et al. 2011)."""
    averaged, error = integrated_log_likelihood(compiled, scale, fit, asked.samples, rng, teller)
    n = len(scale)
    n_parameters = 2 * n if asked.covariance == "diagonal" else n + n * (n + 1) // 2
    penalty = n_parameters * float(np.log(observations(compiled).sum()))
    natural = scale.natural(np.broadcast_to(fit.mean, (compiled.data.n_subjects, n)))
    middle = [natural[name][0] for name in scale.names]
    total = float(averaged[there].sum())

    def by_name(values: Any) -> dict[str, float]:
        return {name: float(value) for name, value in zip(scale.names, values, strict=True)}

    return Group(
        location=by_name(fit.mean), sd=by_name(fit.sd), location_errors=by_name(fit.mean_error),
        sd_errors=by_name(fit.sd_error), natural=by_name(middle),
        alike=tuple(name for name, alike in zip(scale.names, fit.is_alike, strict=True) if alike),
        covariance=fit.covariance, integrated_log_likelihood=total,
        integrated_error=float(np.sqrt((error[there] ** 2).sum())),
        integrated_bic=penalty - 2 * total, n_parameters=n_parameters,
        iterations=fit.iterations, converged=fit.converged,
    )  # fmt: skip


def observations(compiled: CompiledModel) -> np.ndarray:
    """Return how many responses of each subject count: a response of a trial is one, whatever its sub-choices."""
    data = compiled.data
    return np.sum([(data.observed(name) & data.counts).sum(axis=1) for name in compiled.model.responses], axis=0)


def _warn(found: Estimates, asked: Asked) -> None:
    faults = []
    there = found.n_observations > 0
    lost = there & ~found.converged
    if lost.any():
        faults.append(f"the search of {_subjects(found, lost)} did not end at a maximum; raise starts")
    once = there & found.converged & (found.reached == 1)
    if asked.starts >= 3 and once.any():
        faults.append(f"the best maximum of {_subjects(found, once)} was found from one start only; raise starts")
    if found.group is not None and not found.group.converged:
        faults.append(f"the group still moved after {found.group.iterations} steps; raise max_iterations")
    if faults:
        words = f"{found.model.name}, {asked.method}: {'. '.join(faults)}."
        warnings.warn(words, ConvergenceWarning, skip_file_prefixes=(_PACKAGE,))


def _subjects(found: Estimates, which: np.ndarray) -> str:
    names = [str(found.subjects[i]) for i in np.flatnonzero(which)]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"subject {', '.join(names[:3])}{more}"
