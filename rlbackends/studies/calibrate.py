"""``rl.calibrate``: whether posteriors are right on average over the prior, by the ranks of true values."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

import rlbackends
from rlbackends.backends.registry import Backend, get_backend
from rlbackends.errors import SettingError
from rlbackends.inference import Fit, Fitter
from rlbackends.population.population import Population
from rlbackends.simulation.design import stream
from rlbackends.studies.bench import Bench, Draft, Setup, check_count, in_order, labels_of, study_settings
from rlbackends.studies.fits import Fits, StudyResult, run_study
from rlbackends.studies.truth import Truth, digest_of, prior_truth

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from rlbackends.model.model import Model
    from rlbackends.population.layout import Layout
    from rlbackends.tasks.task import Task

LIKELIHOOD = "log_likelihood"
"""The quantity that is ranked beside the parameters: the log-likelihood of all data."""


def thin(n_draws: int, kept: int) -> np.ndarray:
    """Return positions of draws, evenly spread."""
    return ((np.arange(kept) + 0.5) * n_draws / kept).astype(int)


def ranked_names(layout: Layout) -> list[str]:
    """Return the variables that are ranked: the group's, and the subjects' parameters that they don't all share."""
    group = [latent.name for latent in layout.latents if not latent.per_subject]
    return group + [name for name, item in layout.description.items() if item.get("pooling") in ("partial", "none")]


def rank_among(draws: np.ndarray, truth: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the rank of each truth among its draws, and the rank normalised to (0, 1).

    Parameters
    ----------
    draws : numpy.ndarray
        (draw × entries).
    truth : numpy.ndarray
        (entries,)
    rng : numpy.random.Generator
        Breaks ties, and spreads each rank over its part of the unit interval.

    Returns
    -------
    ranks, normalised : numpy.ndarray
        How many of the L draws are below the truth, 0 to L; and ``(rank + u) / (L + 1)``, which is uniform if the ranks
        are.
    """
    below, equal = (draws < truth).sum(axis=0), (draws == truth).sum(axis=0)
    ranks = below + rng.integers(0, equal + 1)
    return ranks, (ranks + rng.random(np.shape(ranks))) / (len(draws) + 1)


def note_likelihood(bench: Bench, draft: Draft, data: Any, fit: Fit) -> tuple[Fit, dict[str, Any]]:
    """Return the log-likelihood of all data at the thinned draws and at the truth."""
    posterior = fit.tree["posterior"]
    kept = thin(posterior.sizes["chain"] * posterior.sizes["draw"], bench.setup.extra)
    subjects = posterior["subject"].values
    params = {}
    for name in fit.model.parameters:
        draws = posterior[name].transpose("chain", "draw", "subject").values.reshape(-1, len(subjects))[kept]
        true = in_order(draft.params[name], bench.setup.subjects, subjects)
        params[name] = np.concatenate([draws, true[None]])
    total = bench.total_log_likelihood(draft.fitted, data, params)
    return fit, {"log_likelihood_draws": total[:-1].tolist(), "log_likelihood_true": float(total[-1])}


class Calibration(StudyResult):
    """Ranks of true values among posterior draws: made by :func:`rlbackends.calibrate`.

    Attributes
    ----------
    model : Model
        What was simulated and fitted.
    backend : str
        What sampled.
    thinned : int
        Among how many draws of each posterior the truth was ranked.
    fits : mapping of int to Fit
        By data set, from 1; each is read from its file when it is asked for.
    """

    def __init__(
        self, model: Model, backend: str, fits: Fits, truths: Mapping[int, Truth], subjects: tuple[Any, ...],
        ranked: Sequence[str], thinned: int, seed: int,
    ) -> None:  # fmt: skip
        super().__init__(backend, fits)
        self.model = model
        self.thinned = thinned
        self._truths = truths
        self._subjects = subjects
        self._ranked = tuple(ranked)
        self._seed = seed

    @cached_property
    def _read(self) -> tuple[xr.DataTree, dict[int, Any]]:
        import xarray as xr

        ranks: dict[str, list[np.ndarray]] = {name: [] for name in self._ranked}
        normalised: dict[str, list[np.ndarray]] = {name: [] for name in self._ranked}
        notes, labels = {}, np.array(self._subjects)
        for number in self.fits:
            record = self.fits.record(number)
            notes[number] = record.notes
            labels = record.posterior["subject"].values
            for name in self._ranked:
                draws, truth = self._values(number, name, record)
                found = rank_among(draws, truth, stream((self._seed, number), "rank", name))
                ranks[name].append(found[0])
                normalised[name].append(found[1])
        coords = {"chain": [0], "draw": list(self.fits), "subject": labels}

        def group(values: Mapping[str, list[np.ndarray]]) -> xr.Dataset:
            variables = {}
            for name, arrays in values.items():
                array = np.stack(arrays)[None]
                variables[name] = (("chain", "draw", "subject")[: array.ndim], array)
            used = {dim for dims, _ in variables.values() for dim in dims}
            return xr.Dataset(variables, coords={dim: value for dim, value in coords.items() if dim in used})

        tree = xr.DataTree.from_dict({"prior_sbc": group(normalised), "sbc_ranks": group(ranks)})
        tree.attrs = {"model": self.model.name, "backend": self.backend, "n_draws": self.thinned, "seed": self._seed}
        return tree, notes

    def _values(self, number: int, name: str, record: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return the thinned draws (draw × entries) of a quantity and its true value."""
        if name == LIKELIHOOD:
            return np.array(record.notes["log_likelihood_draws"]), np.array(record.notes["log_likelihood_true"])
        posterior, truth = record.posterior, self._truths[number]
        values = posterior[name].transpose("chain", "draw", ...).values
        draws = values.reshape(-1, *values.shape[2:])[thin(values.shape[0] * values.shape[1], self.thinned)]
        if name in truth.group:
            return draws, np.array(truth.group[name])
        return draws, in_order(truth.params[name], self._subjects, posterior["subject"].values)

    @property
    def ranks(self) -> xr.DataTree:
        """The ranks: groups ``prior_sbc`` (normalised to (0, 1); the layout of ``az.plot_ecdf_pit``) and ``sbc_ranks``.

        Dimensions are chain (1), draw (a data set each) and, for the subjects' parameters, subject.
        """
        return self._read[0]

    @property
    def _notes(self) -> Mapping[int, Any]:
        return self._read[1]

    def summary(self, *, probability: float = 0.95) -> pd.DataFrame:
        """Return whether the ranks of each quantity are uniform.

        Parameters
        ----------
        probability : float, default 0.95
            With which *all* quantities pass if all posteriors are right.

        Returns
        -------
        pandas.DataFrame
            A row a variable and subject: ``n`` data sets, ``p_value`` of a test of uniformity, whether the ECDF lies
            ``inside`` its simultaneous band, and the band's own ``level``.
        """
        from rlbackends.simulation.summaries import rank_check

        result = rank_check(self.ranks, probability=probability)
        if "subject" in result:
            result["subject"] = result["subject"].convert_dtypes()  # whole numbers stay so beside a missing one
        result.attrs = {"fits": self.words()}
        return result

    def plot(self, *, figure: Any = None, **kwargs: Any) -> Any:
        """Show the ECDF of the ranks of each quantity within its band (:func:`rlbackends.plots.plot_ranks`)."""
        return rlbackends.plots.plot_ranks(self.ranks, figure=figure, **kwargs)

    def words(self) -> str:
        """Return a sentence about the diagnostics of all fits."""
        text = super().words()
        short = int((self.diagnostics["ess_bulk_min"] < self.thinned).sum())
        if short:
            text += (
                f" In {short} fits a variable has fewer than {self.thinned} effective draws, so ranks crowd at both "
                "ends: draw longer."
            )
        return text

    def __repr__(self) -> str:
        sets = len(self.fits) + len(self.failed)
        head = f"Calibration({self.model.name} on {self.backend}: {sets} data sets"
        table = self.summary()
        inside, count = int(table["inside"].sum()), len(table)
        lines = [f"{head}, {self.thinned} draws of each posterior)"]
        lines.append(f"{inside} of {count} quantities lie within the band that holds all of them with 95 %.")
        if inside < count:
            lines.append(table[~table["inside"]].to_string(index=False, float_format=lambda x: f"{x:.4f}"))
        return "\n".join([*lines, self.words()])


def calibrate(
    model: Model,
    task: Task,
    *,
    backend: str | Backend,
    population: Population | None = None,
    subjects: Any = 10,
    blocks: int | Sequence[int] = 1,
    trials: int | Sequence[int] | None = None,
    datasets: int = 200,
    thinned: int = 99,
    seed: int = 0,
    folder: str | os.PathLike[str] | None = None,
    workers: Any = 1,
    progress: str = "auto",
    retry_failed: bool = False,
    **settings: Any,
) -> Calibration:
    """Check a model, its prior and a sampler together, by simulation-based calibration.

    Parameters are drawn from the population's prior, subjects with these parameters play the task, the data are fitted
    with the same prior, and each true value is ranked among draws of its posterior. Over many data sets the ranks are
    uniform if everything is right: simulation, likelihood, prior, and sampler.

    Parameters
    ----------
    model : Model
        What plays and is fitted.
    task : Task
        What is played.
    backend : {"numpyro", "pymc"}
        What simulates and samples.
    population : Population, optional
        The prior; default: partial pooling of each parameter. Wide priors make data sets that no sampler handles well.
    subjects : int or sequence, default 10
        How many, or their labels.
    blocks, trials
        As for :func:`rlbackends.simulate`.
    datasets : int, default 200
        How many data sets, at least 20.
    thinned : int, default 99
        Among how many draws the truth is ranked, spread evenly over the chains. Each posterior should have at least so
        many effective draws, see Notes.
    seed, folder, workers, progress, retry_failed
        As for :func:`rlbackends.recover`.
    **settings
        Settings of :class:`rlbackends.Fitter`: ``draws``, ``tune``, ``chains``, ``target_accept``, …

    Returns
    -------
    Calibration

    Raises
    ------
    SettingError
        If a setting makes no sense, or the folder holds another study.
    ModelError
        If task, population and model do not fit each other.
    BackendError
        If every fit failed.

    Notes
    -----
    Ranked are the group's variables (``alpha_location``, ``alpha_sd``), the subjects' parameters on the natural scale,
    each subject's on their own (subjects of one data set are not independent), and ``log_likelihood``, the
    log-likelihood of all data. The last one depends on the data: a fit that ignored them and drew from the prior would
    have uniform ranks of all parameters (Modrák et al., 2023).

    Draws of a Markov chain resemble their neighbours, and ranks among such draws crowd at both ends although the
    posterior is right. So only ``thinned`` of them are used; they are nearly independent where the posterior has at
    least so many effective draws (Talts et al., 2018), and the result says in how many fits it has not. A data set
    whose fit failed is left out, which biases the ranks if fits fail where parameters are extreme: look at ``.failed``.

    References
    ----------
    Talts, S., Betancourt, M., Simpson, D., Vehtari, A., & Gelman, A. (2018). Validating Bayesian inference algorithms
    with simulation-based calibration. arXiv:1804.06788.

    Modrák, M., Moon, A. H., Kim, S., Bürkner, P., Huurre, N., Faltejsková, K., Gelman, A., & Vehtari, A. (2023).
    Simulation-based calibration checking for Bayesian computation: The choice of test quantities shapes sensitivity.
    *Bayesian Analysis, 20*, 461–488.

    Examples
    --------
    >>> import rlbackends as rl
    >>> calibration = rl.calibrate(
    ...     rl.catalogue.rescorla_wagner(), rl.tasks.bandit(), backend="numpyro", subjects=6, trials=40, draws=500,
    ...     tune=500, chains=2, folder="calibration",
    ... )  # doctest: +SKIP
    >>> calibration.summary()  # doctest: +SKIP
    >>> calibration.plot().savefig("ranks.png")  # doctest: +SKIP
    """
    check_count("calibrate", "datasets", datasets, 20)
    check_count("calibrate", "thinned", thinned, 2)
    labels = labels_of(subjects)
    setup = Setup(
        models={model.name: model}, tasks={model.name: task}, populations={model.name: population},
        backend=get_backend(backend), settings=study_settings(settings, workers, log_likelihood=False), subjects=labels,
        blocks=blocks, trials=trials, measure=note_likelihood, extra=thinned,
    )  # fmt: skip
    setup.check()
    _check_draws(setup, thinned)
    layout = (population or Population()).layout(model, labels)
    truths = {number: prior_truth(layout, (seed, number)) for number in range(1, datasets + 1)}
    manifest = {
        "kind": "calibrate", **setup.describe(), "truth": digest_of(list(truths.values())), "datasets": datasets,
        "thinned": thinned, "seed": seed,
    }  # fmt: skip
    drafts = {n: Draft(model.name, model.name, n, truth.params, (seed, n)) for n, truth in truths.items()}
    fits = run_study(
        manifest, setup, drafts, {n: f"{n:04d}" for n in drafts}, label=f"calibrate {model.name}", folder=folder,
        workers=workers, progress=progress, retry_failed=retry_failed,
    )  # fmt: skip
    ranked = [*ranked_names(layout), LIKELIHOOD]
    return Calibration(model, setup.backend.name, fits, truths, labels, ranked, thinned, seed)


def _check_draws(setup: Setup, kept: int) -> None:
    known = inspect.signature(Fitter).parameters
    chains, draws = (setup.settings.get(name, known[name].default) for name in ("chains", "draws"))
    if chains * draws < kept:
        raise SettingError(
            f"calibrate: thinned is {kept}, but {chains} chains × {draws} draws are only {chains * draws}. Draw more."
        )
