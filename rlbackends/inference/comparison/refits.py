"""Fits without some cells: exact leave-one-out where importance sampling fails, and k-fold cross-validation."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.registry import BACKENDS, get_backend
from rlbackends.backends.samplers import OURS
from rlbackends.errors import BackendMissingError, SettingError, listed
from rlbackends.inference.comparison.by_subject import DRAWS, POINTS, compiled_of, integral_of, latent_draws
from rlbackends.inference.comparison.psis import log_mean_exp
from rlbackends.inference.comparison.same_data import Cells
from rlbackends.inference.comparison.scores import CrossValidation

if TYPE_CHECKING:
    from rlbackends.inference.fitter import Fitter
    from rlbackends.inference.result import Fit

BY = ("trial", "subject")
_NUMBERS = ("chains", "tune", "draws", "cores", "target_accept", "max_tree_depth")


class Refits:
    """Fits of a fit's model to its data without some cells, all with one compiled sampler.

    Parameters
    ----------
    where : str
        Who asks, for messages.
    name : str
        The model's name in the comparison.
    fit : Fit
        What is fitted again, with its own settings.
    settings : mapping
        Settings of :class:`rlbackends.Fitter` that replace those of the fit.
    seed : int
        Each refit's seed follows from it and from its number.
    progress : {"auto", "off"}
        Whether each refit is told on standard error.
    """

    def __init__(
        self, where: str, name: str, fit: Fit, settings: Mapping[str, Any], seed: int, progress: str = "auto"
    ) -> None:
        self.name, self.fit = name, fit
        self._seed, self._progress = seed, progress
        self._fitter = _fitter(where, name, fit, settings)

    def without(self, mask: np.ndarray, number: int, of: int, what: str) -> Fit:
        """Return the fit that does not count the masked responses, (subject, trial)."""
        if self._progress == "auto":
            print(f"{self.name}: fit {number + 1} of {of}, without {what}", file=sys.stderr, flush=True)
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        return self._fitter.fit(self.fit.data.holding_out(mask), seed)

    def score(self, by: str, folds: Sequence[Sequence[Any]]) -> dict[Any, float]:
        """Return the log predictive density of each cell in a fit without its fold."""
        data = self.fit.data
        row = {label: i for i, label in enumerate(data.subjects)}
        column = {(s, int(t)): i for s, label in enumerate(data.subjects) for i, t in enumerate(data.trial_numbers[s])}
        integral = integral_of(self.fit) if by == "subject" else None
        compiled = compiled_of(self.fit)
        found: dict[Any, float] = {}
        for number, fold in enumerate(folds):
            mask = np.zeros((data.n_subjects, data.n_steps), dtype=bool)
            if by == "subject":
                mask[[row[label] for label in fold]] = True
            else:
                for subject, trial, _ in fold:
                    mask[row[subject], column[row[subject], trial]] = True
            refit = self.without(mask, number, len(folds), _said(by, fold))
            if integral is not None:
                marginal = integral.at(latent_draws(refit, DRAWS), points=POINTS, seed=self._seed)
                scores = log_mean_exp(marginal.log_p)
                found |= {label: float(scores[row[label]]) for label in fold}
                continue
            scores = _predicted(compiled, refit, mask)
            for subject, trial, response in fold:
                s = row[subject]
                found[subject, trial, response] = float(scores[response][s, column[s, trial]])
        return found


def _predicted(compiled: Any, refit: Fit, mask: np.ndarray) -> dict[str, np.ndarray]:
    """Return each response's log predictive density in a fit, (subject, trial); zero outside of the mask."""
    draws = latent_draws(refit)
    total = len(next(iter(draws.values())))
    data = compiled.data
    kept = {name: np.empty((total, int(mask.sum()))) for name in compiled.model.responses}
    step = max(1, min(total, 8_000_000 // (data.n_subjects * data.n_steps)))
    for first in range(0, total, step):
        part = slice(min(first, total - step), min(first, total - step) + step)
        params = compiled.layout.parameters({name: value[part] for name, value in draws.items()}, leading=1)
        found = compiled.engine.log_likelihood_draws({name: np.array(value) for name, value in params.items()})
        for name, values in kept.items():
            values[part] = found[name][:, mask]
    result = {}
    for name, values in kept.items():
        result[name] = np.zeros(mask.shape)
        result[name][mask] = log_mean_exp(values)
    return result


def _said(by: str, fold: Sequence[Any]) -> str:
    if len(fold) > 1:
        return f"{len(fold)} {'subjects' if by == 'subject' else 'responses'}"
    return f"subject {fold[0]}" if by == "subject" else f"'{fold[0][2]}' of subject {fold[0][0]} on trial {fold[0][1]}"


def _fitter(where: str, name: str, fit: Fit, settings: Mapping[str, Any]) -> Fitter:
    """Return a fitter with the settings of a fit."""
    from rlbackends.inference.fitter import Fitter
    from rlbackends.population.population import population_from_data

    ours = [key for key in ("model", "population", "log_likelihood") if key in settings]
    if ours:
        raise SettingError(
            f"{where}: refit_settings has {listed(ours)}; a refit has the model and population of its fit."
        )
    if fit.backend not in BACKENDS and "backend" not in settings:
        raise SettingError(
            f"{where}: '{name}' was sampled by backend '{fit.backend}', which is not in the registry, so it can't be "
            "fitted again. Give refit_settings={'backend': ...}, or refit=False."
        )
    row = get_backend(settings.get("backend", fit.backend))
    given = {key: fit.settings[key] for key in _NUMBERS if key in fit.settings}
    word = str(fit.settings.get("sampler", "")).split(".")[-1].lower()
    sampler = row.sampler(word if word in {item.name for item in row.samplers} else None)
    given |= {"backend": row, "sampler": sampler.name, "certificate_points": 1, "progress": "off",
              "keep_interrupted": False}  # fmt: skip
    if sampler.kind == "chains" and not sampler.absent() and row.is_installed:
        own = [
            key for key, p in inspect.signature(sampler.load()).parameters.items()
            if p.kind is p.KEYWORD_ONLY and key not in OURS
        ]  # fmt: skip
        kept = {key: fit.settings[key] for key in own if isinstance(fit.settings.get(key), bool | int | float | str)}
        given["sampler_settings"] = {key: value for key, value in kept.items() if value != "given"}
    population = population_from_data(fit.layout.description)
    return Fitter(fit.model, population=population, log_likelihood=False, **{**given, **settings})


def can_refit(fit: Fit, settings: Mapping[str, Any]) -> bool:
    """Say whether a fit's backend is here to fit it again."""
    backend = settings.get("backend", fit.backend)
    return not isinstance(backend, str) or (backend in BACKENDS and BACKENDS[backend].is_installed)


def answer_high_k(scores: CrossValidation, refits: Refits, most: int) -> CrossValidation:
    """Return scores in which cells with a high Pareto k come from fits without them.

    Up to ``most`` cells are left out one at a time, which is exact. More are dealt to ``most`` folds, those of one
    subject to different ones: a cell is then predicted without the others of its fold, too.
    """
    bad = [cell for cell, is_bad in zip(scores.cells, scores.is_bad, strict=True) if is_bad]
    if not bad:
        return scores
    folds = [[cell] for cell in bad] if len(bad) <= most else _dealt(scores.by, bad, most)
    found = refits.score(scores.by, folds)
    elpd, p, refitted = scores.elpd_i.copy(), scores.p_i.copy(), scores.refitted.copy()
    for i, cell in enumerate(scores.cells):
        if cell in found:
            p[i] += elpd[i] - found[cell]
            elpd[i] = found[cell]
            refitted[i] = True
    return replace(scores, elpd_i=elpd, p_i=p, refitted=refitted, n_fits=len(folds))


def _dealt(by: str, cells: Sequence[Any], n_folds: int, rng: np.random.Generator | None = None) -> list[list[Any]]:
    """Deal cells to folds, those of a subject as evenly as can be."""
    groups: dict[Any, list[Any]] = {}
    for cell in cells:
        groups.setdefault(None if by == "subject" else cell[0], []).append(cell)
    folds: list[list[Any]] = [[] for _ in range(n_folds)]
    place = 0
    for group in groups.values():
        order = range(len(group)) if rng is None else rng.permutation(len(group))
        for i in order:
            folds[place % n_folds].append(group[i])
            place += 1
    return [fold for fold in folds if fold]


def kfold(
    fit: Fit,
    *,
    folds: int = 10,
    by: str = "subject",
    seed: int = 0,
    refit_settings: Mapping[str, Any] | None = None,
    progress: str = "auto",
    name: str | None = None,
) -> CrossValidation:
    """Cross-validate by fitting again: each fold is predicted by a fit that does not count it.

    It takes as many fits as there are folds, and leans on no importance weights. The sampler is compiled once.

    Parameters
    ----------
    fit : Fit
        Its model, data, population and settings are used again.
    folds : int, default 10
        How many. With as many as there are subjects, each is left out alone.
    by : {"subject", "trial"}, default "subject"
        Whether whole subjects are left out, which asks about new people, or trials, of each subject some in every fold.
    seed : int, default 0
        Which cells are left out together, and the fits' seeds, follow from it.
    refit_settings : mapping, optional
        Settings of :class:`rlbackends.Fitter` that replace those of the fit, such as fewer draws.
    progress : {"auto", "off"}, default "auto"
        Whether each fit is told on standard error.
    name : str, optional
        What it is called; default: the model's name.

    Returns
    -------
    CrossValidation
        :func:`rlbackends.compare` takes several.

    Raises
    ------
    SettingError
        If ``by`` is something else, or there are fewer than two folds or more folds than cells.
    BackendMissingError
        If the fit's backend is not installed.

    Notes
    -----
    Responses that are left out still drive learning: the subject saw them, only the fit is not told how likely they
    were. A trial's responses are left out together.

    Examples
    --------
    >>> import rlbackends as rl
    >>> rl.kfold(rl.load("fit.nc"), folds=5)  # doctest: +SKIP
    """
    where = "kfold"
    if by not in BY:
        raise SettingError(f"{where}: by is {by!r}, expected {listed(BY)}.")
    check_can_compare(where, name or fit.model.name, fit)
    cells = tuple(fit.data.subjects) if by == "subject" else tuple(Cells.of(fit.data, fit.model.responses).values)
    units = list(cells) if by == "subject" else list(dict.fromkeys((s, t) for s, t, _ in cells))
    if isinstance(folds, bool) or not isinstance(folds, int) or not 2 <= folds <= len(units):
        raise SettingError(
            f"{where}: folds is {folds!r}, expected a whole number from 2 to {len(units)}, the number of "
            f"{'subjects' if by == 'subject' else 'trials'}."
        )
    if not can_refit(fit, refit_settings or {}):
        raise BackendMissingError(f"{where}: backend '{fit.backend}' is not installed here, so nothing can be fitted.")
    rng = np.random.default_rng(seed)
    dealt = _dealt(by, units, folds, rng)
    if by == "trial":
        responses = {(s, t): [] for s, t in units}
        for s, t, response in cells:
            responses[s, t].append((s, t, response))
        dealt = [[cell for unit in fold for cell in responses[unit]] for fold in dealt]
    refits = Refits(where, name or fit.model.name, fit, refit_settings or {}, seed, progress)
    found = refits.score(by, dealt)
    elpd = np.array([found[cell] for cell in cells])
    nothing = np.full(len(cells), np.nan)
    return CrossValidation(
        name or fit.model.name, by, "kfold", cells, elpd_i=elpd, p_i=nothing, pareto_k=nothing,
        span=np.zeros(len(cells)), limit=np.inf, refitted=np.ones(len(cells), dtype=bool), n_fits=len(dealt),
    )  # fmt: skip


def check_can_compare(where: str, name: str, fit: Fit) -> None:
    """Raise ``SettingError`` for a fit that is one point, or that does not count all responses."""
    if fit.kind == "point":
        raise SettingError(
            f"{where}: '{name}' is a point, without a posterior around it. Sample the posterior, or compare what "
            "rl.estimate returns."
        )
    if fit.data.held_out is not None:
        raise SettingError(f"{where}: '{name}' is a fit that does not count all responses; compare fits that do.")
