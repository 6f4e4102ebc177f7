"""``rl.recover_models``: simulate with each model, fit all, and see which one is taken for which."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

import rlbackends
from rlbackends.backends.registry import Backend, get_backend
from rlbackends.errors import ModelError, SettingError, did_you_mean, listed
from rlbackends.inference import Fit
from rlbackends.population.population import Population
from rlbackends.studies.bench import Bench, Draft, Setup, check_count, labels_of, study_settings
from rlbackends.studies.fits import Fits, StudyResult, run_study
from rlbackends.studies.truth import Truth, TruthReader, digest_of, prior_truth

if TYPE_CHECKING:
    import pandas as pd

    from rlbackends.model.model import Model
    from rlbackends.tasks.task import Task

CRITERIA = ("loo",)
_BAD_K = 0.7


def note_loo(bench: Bench, draft: Draft, data: Any, fit: Fit) -> tuple[Fit, dict[str, Any]]:
    """Return PSIS-LOO of a fit, with the pointwise values in place of the log-likelihoods of all draws."""
    import xarray as xr

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of high Pareto k, which are counted
        result = fit.loo()
    pareto_k = np.ravel(result.pareto_k.values)
    cells = [fit.tree[name]["log_likelihood"] for name in ("log_likelihood", "log_likelihood_constant")]
    where = {name: np.concatenate([part[name].values for part in cells]) for name in ("subject", "trial", "response")}
    place = {label: i for i, label in enumerate(fit.tree["posterior"]["subject"].values.tolist())}
    # The same order for all models: which cells don't vary over draws differs from one to the next.
    order = np.lexsort((where["response"], where["trial"], [place[label] for label in where["subject"].tolist()]))
    pointwise = np.concatenate([np.ravel(result.elpd_i.values), cells[1].values])[order]
    tree = fit.tree.drop_nodes(["log_likelihood", "log_likelihood_constant"])
    tree["loo"] = xr.DataTree(
        xr.Dataset(
            {"elpd_i": ("observation", pointwise)},
            coords={name: ("observation", labels[order]) for name, labels in where.items()},
        )
    )
    notes = {"elpd": float(pointwise.sum()), "p": float(result.p), "bad_k": int((pareto_k > _BAD_K).sum())}
    return Fit(tree), notes


class ModelRecovery(StudyResult):
    """Which model is taken for which: made by :func:`rlbackends.recover_models`.

    Attributes
    ----------
    models : mapping of str to Model
        By name.
    backend : str
        What sampled.
    criterion : str
        By what the best model of a data set is chosen.
    fits : mapping of (str, int, str) to Fit
        By simulated model, data set and fitted model; each is read from its file when it is asked for. They have the
        pointwise criterion in the group ``loo``, and no log-likelihoods of single draws, which are large.
    """

    names = ("simulated", "data_set", "fitted")

    def __init__(self, models: Mapping[str, Model], backend: str, criterion: str, fits: Fits) -> None:
        super().__init__(backend, fits)
        self.models = models
        self.criterion = criterion

    @cached_property
    def _read(self) -> tuple[pd.DataFrame, dict[Any, Any]]:
        import pandas as pd

        sets: dict[tuple[str, int], dict[str, Any]] = {}
        for simulated, number, fitted in self.fits:
            record = self.fits.record((simulated, number, fitted), "loo")
            sets.setdefault((simulated, number), {})[fitted] = record
        rows, notes = [], {}
        for (simulated, number), records in sets.items():
            best = best_of({name: record.notes["elpd"] for name, record in records.items()})
            is_whole = len(records) == len(self.models)
            for fitted, record in records.items():
                notes[simulated, number, fitted] = record.notes
                difference = record.posterior["elpd_i"].values - records[best].posterior["elpd_i"].values
                rows.append(
                    {
                        "simulated": simulated, "data_set": number, "fitted": fitted, "elpd": record.notes["elpd"],
                        "difference": float(difference.sum()),
                        "difference_se": float(np.sqrt(difference.size * np.var(difference))),
                        "p": record.notes["p"], "bad_k": record.notes["bad_k"], "is_best": fitted == best and is_whole,
                    }
                )  # fmt: skip
        return pd.DataFrame(rows), notes

    @property
    def table(self) -> pd.DataFrame:
        """A row a fit: ``simulated``, ``data_set``, ``fitted``, the criterion, and ``is_best``.

        ``elpd`` is the expected log predictive density, ``difference`` that from the best model of the data set, with
        its standard error ``difference_se`` over responses; ``p`` the effective number of parameters, ``bad_k`` how
        many responses have a Pareto k above 0.7, so that the criterion is rough there. No model is best in a data set
        to which one could not be fitted.
        """
        return self._read[0].copy()

    @property
    def _notes(self) -> Mapping[tuple[str, int, str], Any]:
        return self._read[1]

    @property
    def counts(self) -> pd.DataFrame:
        """How often each model was best: a row a simulated model, a column a best-fitting one."""
        import pandas as pd

        best = self._read[0].query("is_best")
        names = list(self.models)
        counts = pd.crosstab(best["simulated"], best["fitted"]).reindex(index=names, columns=names, fill_value=0)
        counts.index.name, counts.columns.name = "simulated", "best"
        return counts

    @property
    def confusion(self) -> pd.DataFrame:
        """P(best | simulated): a row a simulated model, a column a best-fitting one; rows sum to 1."""
        counts = self.counts
        return counts.div(counts.sum(axis=1).replace(0, np.nan), axis=0)

    @property
    def inversion(self) -> pd.DataFrame:
        """P(simulated | best), if each model is as likely beforehand: columns sum to 1, or are NaN if never best."""
        confusion = self.confusion
        return confusion.div(confusion.sum(axis=0).replace(0, np.nan), axis=1)

    def plot(self, *, figure: Any = None, **kwargs: Any) -> Any:
        """Show both matrices (:func:`rlbackends.plots.plot_confusion`)."""
        return rlbackends.plots.plot_confusion(self.confusion, self.inversion, figure=figure, **kwargs)

    def __repr__(self) -> str:
        counts = self.counts
        head = f"ModelRecovery({len(self.models)} models on {self.backend}, by {self.criterion})"
        lines = [head, self.confusion.to_string(float_format=lambda x: f"{x:.2f}")]
        sets = counts.sum(axis=1)
        told = f"{sets.iloc[0]}" if sets.nunique() == 1 else f"{sets.min()} to {sets.max()}"
        bad = int(self._read[0]["bad_k"].sum())
        lines.append(f"Rows: simulated with, {told} data sets each. Columns: best by {self.criterion}.")
        if bad:
            lines.append(f"{bad} responses have a Pareto k above {_BAD_K}.")
        return "\n".join([*lines, self.words()])


def best_of(scores: Mapping[str, float]) -> str:
    """Return the name of the highest score; the first of equal ones."""
    return max(scores, key=lambda name: scores[name])


def recover_models(
    models: Mapping[str, Model] | Sequence[Model],
    task: Task | Mapping[str, Task],
    *,
    backend: str | Backend,
    truth: Mapping[str, Mapping[str, Any] | None] | None = None,
    subjects: Any = 20,
    blocks: int | Sequence[int] = 1,
    trials: int | Sequence[int] | None = None,
    repeats: int = 20,
    population: Population | Mapping[str, Population] | None = None,
    criterion: str = "loo",
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    workers: Any = 1,
    progress: str = "auto",
    retry_failed: bool = False,
    **settings: Any,
) -> ModelRecovery:
    """Simulate with each of several models, fit all of them to each data set, and count which one fits best.

    Parameters
    ----------
    models : mapping of str to Model, or sequence of Model
        Two or more. In a sequence each goes by its own name.
    task : Task, or mapping of str to Task
        What is played; by the name of the model that plays, if they differ.
    backend : {"numpyro", "pymc"}
        What simulates and samples.
    truth : mapping of str to mapping, optional
        By model: the true values, as for :func:`rlbackends.recover`. Default, also for a model that is left out: the
        prior of its population. Models that are recovered at values that nobody has tell little, so choose values like
        those of people.
    subjects : int or sequence, default 20
        How many, or their labels.
    blocks, trials
        As for :func:`rlbackends.simulate`.
    repeats : int, default 20
        Data sets of each model.
    population : Population, or mapping of str to Population, optional
        How parameters vary over subjects; by model, if they differ. Default: partial pooling of each.
    criterion : {"loo"}, default "loo"
        By what the best model is chosen: the highest expected log predictive density of single responses, estimated
        by Pareto-smoothed importance sampling (:meth:`rlbackends.inference.Fit.loo`).
    seed, folder, workers, progress, retry_failed
        As for :func:`rlbackends.recover`.
    **settings
        Settings of :class:`rlbackends.Fitter`: ``draws``, ``tune``, ``chains``, ``target_accept``, …

    Returns
    -------
    ModelRecovery

    Raises
    ------
    ParameterError
        If a truth does not fit its model.
    SettingError
        If a setting makes no sense, or the folder holds another study.
    ModelError
        If tasks, populations and models do not fit each other.
    BackendError
        If every fit failed.

    Notes
    -----
    ``confusion`` says how often a model that is right is also found; ``inversion`` says how far to trust that the
    best-fitting model is right, if each is as likely beforehand.

    References
    ----------
    Wilson, R. C., & Collins, A. G. E. (2019). Ten simple rules for the computational modeling of behavioral data.
    *eLife, 8*, e49547.

    Examples
    --------
    >>> import rlbackends as rl
    >>> found = rl.recover_models(
    ...     [rl.catalogue.rescorla_wagner(), rl.catalogue.perseveration()], rl.tasks.bandit(), backend="numpyro",
    ...     subjects=20, repeats=10, folder="models", workers=4,
    ... )  # doctest: +SKIP
    >>> found.confusion  # doctest: +SKIP
    >>> found.plot().savefig("confusion.png")  # doctest: +SKIP
    """
    check_count("recover_models", "repeats", repeats)
    if criterion not in CRITERIA:
        raise SettingError(
            f"recover_models: criterion is {criterion!r}, expected {listed(CRITERIA)}."
            f"{did_you_mean(criterion, CRITERIA)}"
        )
    named = _named(models)
    tasks = _by_model("task", task, named, needed=True)
    populations = _by_model("population", population, named)
    truth_of = _by_model("truth", truth if truth is not None else {}, named)
    labels = labels_of(subjects)
    setup = Setup(
        models=named, tasks=tasks, populations=populations, backend=get_backend(backend),
        settings=study_settings(settings, workers, log_likelihood=True), subjects=labels, blocks=blocks, trials=trials,
        measure=note_loo,
    )  # fmt: skip
    setup.check()
    _check_responses(named)
    truths: dict[tuple[str, int], Truth] = {}
    seeds: dict[tuple[str, int], tuple[int, ...]] = {}
    for name, model in named.items():
        layout = (populations[name] or Population()).layout(model, labels)
        reader = None
        if truth_of[name] is not None:
            reader = TruthReader(f"recover_models: '{name}'", model, truth_of[name], labels)
        for number in range(1, repeats + 1):
            key = seeds[name, number] = (seed, number, _number_of(name))
            truths[name, number] = prior_truth(layout, key) if reader is None else reader.draw(key)
    drafts = {
        (name, number, fitted): Draft(fitted, name, number, truths[name, number].params, seeds[name, number])
        for fitted in named  # one model after the other: what is compiled serves all its data sets
        for name, number in truths
    }
    place = {name: i for i, name in enumerate(named)}
    keys = {key: f"m{place[key[0]]}-{key[1]:04d}-m{place[key[2]]}" for key in drafts}
    manifest = {
        "kind": "recover_models", **setup.describe(), "names": list(named), "truth": digest_of(list(truths.values())),
        "repeats": repeats, "criterion": criterion, "seed": seed,
    }  # fmt: skip
    fits = run_study(
        manifest, setup, drafts, keys, label=f"recover {len(named)} models", folder=folder, workers=workers,
        progress=progress, retry_failed=retry_failed,
    )  # fmt: skip
    return ModelRecovery(named, setup.backend.name, criterion, fits)


def _number_of(name: str) -> int:
    """Return a number that stands for a name, whatever the other names are."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def _named(models: Any) -> dict[str, Model]:
    from rlbackends.model.model import Model as ModelClass

    pairs = list(models.items()) if isinstance(models, Mapping) else [(getattr(m, "name", "?"), m) for m in models]
    wrong = [value for _, value in pairs if not isinstance(value, ModelClass)]
    if wrong:
        raise SettingError(f"recover_models: {wrong[0]!r} is no model, expected a rl.Model (rl.catalogue.aliens(), …).")
    names = [str(name) for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SettingError(
            f"recover_models: {listed(twice)} is the name of several models. Name them yourself: {{'a': model, …}}."
        )
    if len(pairs) < 2:
        raise SettingError(f"recover_models: there is {listed(names)}, expected at least two models to tell apart.")
    return {str(name): model for name, model in pairs}


def _by_model(what: str, given: Any, models: Mapping[str, Model], *, needed: bool = False) -> dict[str, Any]:
    """Return one thing for all models, or that of each."""
    if not isinstance(given, Mapping):
        return dict.fromkeys(models, given)
    unknown = [name for name in given if name not in models]
    absent = [name for name in models if name not in given] if needed else []
    if unknown or absent:
        told = f"has {listed(unknown)}" if unknown else f"lacks {listed(absent)}"
        raise SettingError(
            f"recover_models: {what} {told}, expected the models {listed(models)}."
            f"{did_you_mean(str(unknown[0]), models) if unknown else ''}"
        )
    return {name: given.get(name) for name in models}


def _check_responses(models: Mapping[str, Model]) -> None:
    """Raise ``ModelError`` unless all models say how likely the same responses are."""
    first, *others = models.items()
    for name, model in others:
        if set(model.responses) != set(first[1].responses):
            raise ModelError(
                f"recover_models: '{first[0]}' has responses {listed(first[1].responses)}, '{name}' has "
                f"{listed(model.responses)}. Models of different responses can't be compared."
            )
