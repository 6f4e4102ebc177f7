"""``rl.recover``: simulate with known parameters, fit, and see how well they come back."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

import rlbackends
from rlbackends.backends.registry import Backend, get_backend
from rlbackends.errors import ParameterError, SettingError, listed
from rlbackends.population.population import Population
from rlbackends.population.priors import Prior
from rlbackends.simulation import Simulation
from rlbackends.studies.bench import Draft, Setup, check_count, in_order, labels_of, study_settings
from rlbackends.studies.fits import Fits, StudyResult, run_study
from rlbackends.studies.truth import Truth, TruthReader, digest_of, prior_truth

if TYPE_CHECKING:
    import pandas as pd

    from rlbackends.model.model import Model
    from rlbackends.tasks.task import Task

COLUMNS = ("data_set", "subject", "parameter", "true", "mean", "sd", "low", "high", "covered")


class Recovery(StudyResult):
    """True parameters beside their posteriors: made by :func:`rlbackends.recover`.

    Attributes
    ----------
    model : Model
        What was fitted.
    backend : str
        What sampled.
    interval : float
        Probability of the intervals, which are equal-tailed.
    fits : mapping of int to Fit
        By data set, from 1; each is read from its file when it is asked for.
    """

    def __init__(
        self, model: Model, backend: str, fits: Fits, truths: Mapping[int, Truth], subjects: tuple[Any, ...],
        interval: float, left_out: Sequence[str] = (),
    ) -> None:  # fmt: skip
        super().__init__(backend, fits)
        self.model = model
        self.interval = interval
        self._truths = truths
        self._subjects = subjects
        self._left_out = tuple(left_out)

    @cached_property
    def _read(self) -> tuple[pd.DataFrame, dict[int, Any]]:
        import pandas as pd

        pieces, notes = [], {}
        for number in self.fits:
            record = self.fits.record(number)
            notes[number] = record.notes
            pieces.append(self._rows(number, record.posterior))
        return pd.concat(pieces, ignore_index=True), notes

    def _rows(self, number: int, posterior: Any) -> pd.DataFrame:
        import pandas as pd

        truth, pieces = self._truths[number], []
        labels = [label.item() if hasattr(label, "item") else label for label in posterior["subject"].values]
        for name in self.model.parameters:
            if name in truth.params and name not in self._left_out:
                draws = posterior[name].transpose("chain", "draw", "subject").values
                true = in_order(truth.params[name], self._subjects, labels)
                pieces.append((name, labels, true, draws.reshape(-1, len(labels))))
        for name, value in truth.group.items():
            if name in posterior:
                pieces.append((name, [None], np.array([value]), posterior[name].values.reshape(-1, 1)))
        tails = ((1 - self.interval) / 2, (1 + self.interval) / 2)
        tables = []
        for name, who, true, draws in pieces:
            low, high = np.quantile(draws, tails, axis=0)
            columns = (
                number, np.array(who, dtype=object), name, true, draws.mean(axis=0), draws.std(axis=0, ddof=1), low,
                high, (low <= true) & (true <= high),
            )  # fmt: skip
            tables.append(pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))))
        return pd.concat(tables, ignore_index=True)

    @property
    def table(self) -> pd.DataFrame:
        """A row a data set, subject and parameter: ``true``; ``mean``, ``sd``, ``low``, ``high``; ``covered``.

        Where the truth came from the population's prior, the group's variables (``alpha_location``) have rows of their
        own, without a subject.
        """
        return self._read[0].copy()

    @property
    def _notes(self) -> Mapping[int, Any]:
        return self._read[1]

    def summary(self) -> pd.DataFrame:
        """Return how well each parameter came back.

        Returns
        -------
        pandas.DataFrame
            Indexed by parameter: ``n`` values, the ``correlation`` of posterior mean and truth, ``bias`` and ``rmse``
            of the posterior mean, ``coverage`` (the share of intervals that hold the truth) and its Monte Carlo
            standard error ``coverage_se``. Its ``attrs`` have ``interval``, and ``fits``: what the diagnostics say.

        Notes
        -----
        Subjects of one data set share a group, so their intervals hit and miss together. The standard error is the
        larger of two: that of the mean over data sets, and that of as many independent intervals (with one hit and one
        miss added). With one data set only the second is known, and it is too small.
        """
        import pandas as pd

        table = self._read[0]
        rows = {name: _summary_row(part) for name, part in table.groupby("parameter", sort=False)}
        result = pd.DataFrame.from_dict(rows, orient="index")
        result.index.name = "parameter"
        result.attrs = {"interval": self.interval, "fits": self.words()}
        return result

    def plot(self, *, figure: Any = None) -> Any:
        """Show each posterior mean and interval against its truth (:func:`rlbackends.plots.plot_recovery`)."""
        return rlbackends.plots.plot_recovery(self, figure=figure)

    def __repr__(self) -> str:
        sets, subjects = len(self.fits) + len(self.failed), len(self._subjects)
        head = (
            f"Recovery({self.model.name} on {self.backend}: {sets} data {'set' if sets == 1 else 'sets'} of {subjects} "
            f"{'subject' if subjects == 1 else 'subjects'})"
        )
        summary = self.summary()
        table = summary.to_string(float_format=lambda x: f"{x:.3f}")
        return f"{head}\n{table}\n{100 * self.interval:g} % intervals. {summary.attrs['fits']}"


def _summary_row(part: pd.DataFrame) -> dict[str, float]:
    true, mean = part["true"].to_numpy(), part["mean"].to_numpy()
    error = mean - true
    covered = part["covered"].to_numpy(dtype=float)
    by_set = part.groupby("data_set")["covered"].mean().to_numpy(dtype=float)
    varies = len(true) > 1 and np.ptp(true) > 0 and np.ptp(mean) > 0
    # One hit and one miss are added: where all intervals hit, the error is not 0.
    smooth = (covered.sum() + 1) / (len(covered) + 2)
    spread = float(np.sqrt(smooth * (1 - smooth) / len(covered)))
    if len(by_set) > 1:
        spread = max(spread, float(by_set.std(ddof=1) / np.sqrt(len(by_set))))
    return {
        "n": len(true),
        "correlation": float(np.corrcoef(true, mean)[0, 1]) if varies else float("nan"),
        "bias": float(error.mean()),
        "rmse": float(np.sqrt(np.mean(error**2))),
        "coverage": float(covered.mean()),
        "coverage_se": spread,
    }


def recover(
    model: Model,
    task: Task | None = None,
    *,
    backend: str | Backend,
    truth: Mapping[str, Any] | None = None,
    data: Any = None,
    subjects: Any = None,
    blocks: int | Sequence[int] = 1,
    trials: int | Sequence[int] | None = None,
    repeats: int = 1,
    population: Population | None = None,
    fit_model: Model | None = None,
    interval: float = 0.89,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    workers: Any = 1,
    progress: str = "auto",
    retry_failed: bool = False,
    **settings: Any,
) -> Recovery:
    """Simulate groups of subjects with known parameters, fit each, and compare.

    Parameters
    ----------
    model : Model
        Who plays, and what is fitted.
    task : Task
        What is played. Not with ``data``.
    backend : {"numpyro", "pymc"}
        What simulates and samples.
    truth : mapping, optional
        The true values by parameter: a number; one per subject, in order or labelled; a prior, drawn anew for each
        subject and data set, such as ``rl.priors.Beta(5, 5)``; or a function of ``rng`` and ``n_subjects``. Default:
        the population's prior, of the group and of its subjects.
    data : Simulation or Trials, optional
        Data that are there already. A simulation knows its truth; with trials, ``truth`` gives it, for all or some of
        the parameters.
    subjects : int or sequence, optional
        How many, or their labels; default: those that the truth has values for, or else 40.
    blocks, trials
        As for :func:`rlbackends.simulate`.
    repeats : int, default 1
        How many data sets.
    population : Population, optional
        How parameters vary over subjects, in the fit; default: partial pooling of each.
    fit_model : Model, optional
        Another model to fit than the one that plays; the parameters that both have are compared.
    interval : float, default 0.89
        Probability of the intervals. Another one needs no new fit.
    seed : int, default 0
        A data set and its fit follow from the seed and the data set's number, whatever the workers.
    folder : path, optional
        Where the fits are kept, a file each. A study that was stopped goes on there. Default: a temporary folder, which
        is removed with what this function returns.
    workers : int, str or distributed.Client, default 1
        How many processes; or a dask scheduler.
    progress : {"auto", "off"}, default "auto"
    retry_failed : bool, default False
        Whether fits that failed before are tried again.
    **settings
        Settings of :class:`rlbackends.Fitter`: ``draws``, ``tune``, ``chains``, ``target_accept``, …

    Returns
    -------
    Recovery

    Raises
    ------
    ParameterError
        If the truth names unknown parameters, lacks one, is of the wrong size, or lies outside a support.
    SettingError
        If a setting makes no sense, or the folder holds another study.
    ModelError
        If task, population and model do not fit each other.
    BackendError
        If every fit failed.

    Notes
    -----
    A model is compiled once in each process and fitted to one data set after another
    (:class:`rlbackends.Fitter`). A fit that fails is left out and told of; warnings of single fits are collected in
    :attr:`Recovery.diagnostics`.

    References
    ----------
    Wilson, R. C., & Collins, A. G. E. (2019). Ten simple rules for the computational modeling of behavioral data.
    *eLife, 8*, e49547.

    Examples
    --------
    >>> import rlbackends as rl
    >>> recovery = rl.recover(
    ...     rl.catalogue.rescorla_wagner(), rl.tasks.bandit(), backend="numpyro", subjects=20, repeats=10,
    ...     truth={"alpha": rl.priors.Beta(5, 5), "beta": lambda rng, n_subjects: rng.gamma(9, 1 / 3, n_subjects)},
    ...     folder="recovery", workers=4,
    ... )  # doctest: +SKIP
    >>> recovery.summary()  # doctest: +SKIP
    >>> recovery.plot().savefig("recovery.png")  # doctest: +SKIP
    """
    check_count("recover", "repeats", repeats)
    if isinstance(interval, bool) or not 0 < interval < 1:
        raise SettingError(f"recover: interval is {interval!r}, expected a number between 0 and 1.")
    fitted = model if fit_model is None else fit_model
    names = (model.name, fitted.name if fitted == model or fitted.name != model.name else f"{fitted.name} (fitted)")
    common: dict[str, Any] = {
        "models": dict(zip(names, (model, fitted), strict=True)), "populations": {names[1]: population},
        "backend": get_backend(backend), "settings": study_settings(settings, workers, log_likelihood=False),
    }  # fmt: skip
    seeds = {number: (seed, number) for number in range(1, repeats + 1)}
    if data is not None:
        given = {"task": task, "subjects": subjects, "trials": trials, "fit_model": fit_model}
        given |= {"blocks": None if isinstance(blocks, int) and blocks == 1 else blocks}
        faults = [name for name, value in given.items() if value is not None] + ["repeats"] * (repeats > 1)
        if faults:
            raise SettingError(f"recover: {listed(faults)} can't be given with data, which are there already.")
        trials_given, only = _given_truth(model, data, truth)
        setup = Setup(**common, tasks={}, subjects=trials_given.subjects, data=trials_given)
        truths = {1: only}
    else:
        if task is None:
            raise SettingError("recover: there is no task, expected what is played (rl.tasks.bandit(), …), or data=.")
        labels = labels_of(_who(truth) if subjects is None else subjects)
        setup = Setup(**common, tasks={names[0]: task}, subjects=labels, blocks=blocks, trials=trials)
        truths = _truths(model, fitted, truth, population, labels, seeds)
    setup.check()
    layout = (population or Population()).layout(fitted, setup.subjects)
    compared = [name for name in fitted.parameters if name in truths[1].params and name not in layout.fixed]
    if not compared:
        raise ParameterError(
            f"recover: nothing is compared: the truth has {listed(truths[1].params)}, and '{fitted.name}' estimates "
            f"{listed(name for name in fitted.parameters if name not in layout.fixed)}."
        )
    manifest = {
        "kind": "recover", **setup.describe(), "truth": digest_of(list(truths.values())), "repeats": repeats,
        "seed": seed,
    }  # fmt: skip
    drafts = {n: Draft(names[1], names[0], n, truths[n].params, seeds[n]) for n in truths}
    fits = run_study(
        manifest, setup, drafts, {n: f"{n:04d}" for n in drafts}, label=f"recover {fitted.name}", folder=folder,
        workers=workers, progress=progress, retry_failed=retry_failed,
    )  # fmt: skip
    return Recovery(fitted, setup.backend.name, fits, truths, setup.subjects, interval, list(layout.fixed))


def _truths(
    model: Model, fitted: Model, truth: Any, population: Population | None, labels: tuple[Any, ...],
    seeds: Mapping[int, tuple[int, ...]],
) -> dict[int, Truth]:  # fmt: skip
    """Return the true values of every data set."""
    if truth is None:
        if fitted != model:
            raise ParameterError(
                f"recover: there is no truth. The population is that of '{fitted.name}', so say what '{model.name}' "
                "plays with: truth={...}."
            )
        layout = (population or Population()).layout(model, labels)
        return {number: prior_truth(layout, key) for number, key in seeds.items()}
    reader = TruthReader("recover", model, truth, labels)
    return {number: reader.draw(key) for number, key in seeds.items()}


def _who(truth: Any) -> Any:
    """Return the subjects that a truth has values for, or how many there are if it doesn't say."""
    for given in truth.values() if isinstance(truth, Mapping) else ():
        if hasattr(given, "items"):
            return [label for label, _ in given.items()]
        if isinstance(given, list | tuple | np.ndarray) and np.ndim(given) == 1:
            return len(given)
    return 40


def _given_truth(model: Model, data: Any, truth: Any) -> tuple[Any, Truth]:
    """Return trials that are there already, and their subjects' true parameters."""
    given = truth
    if isinstance(data, Simulation):
        if truth is None:
            known = {name: values for name, values in data.params.items() if name in model.parameters}
            over_trials = [name for name, values in known.items() if np.ndim(values) > 1]
            if over_trials:
                raise ParameterError(
                    f"recover: truth: {listed(over_trials)} varies over trials, expected one number per subject."
                )
            # By label: data put the subjects into natural order.
            labels = labels_of(data.subjects)
            given = {name: dict(zip(labels, values, strict=True)) for name, values in known.items()}
        data = data.data
    elif not hasattr(data, "bind"):
        raise SettingError(f"recover: data is {data!r}, expected a rl.Simulation or rl.Trials.")
    if given is None:
        raise ParameterError("recover: there is no truth; trials don't know it. Give truth={'alpha': [...], ...}.")
    pairs = given.items() if isinstance(given, Mapping) else ()
    random = [name for name, value in pairs if isinstance(value, Prior) or callable(value)]
    if random:
        raise ParameterError(
            f"recover: truth: {listed(random)} is a distribution, expected the values that the data come from."
        )
    return data, TruthReader("recover", model, given, data.subjects, some=True).draw((0, 1))
