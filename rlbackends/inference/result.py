"""What a fit gives: the posterior, its summary, trajectories, regressors and certificate."""

from __future__ import annotations

import json
import os
import warnings
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import BACKENDS
from rlbackends.data import BoundTrials
from rlbackends.errors import SettingError
from rlbackends.inference.certificate import Certificate
from rlbackends.inference.quality import described, diagnostics_of, faults_of, loo_of, summary_of
from rlbackends.inference.storage import check_output, read_tree, save_tree
from rlbackends.inference.tables import regressor_table
from rlbackends.inference.tree import data_from_dataset
from rlbackends.model.model import Model
from rlbackends.population.layout import Layout, layout_from_description

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from rlbackends.inference.estimates.result import Estimates
    from rlbackends.tasks.task import Task


class ConvergenceWarning(UserWarning):
    """A diagnostic says that the draws may not represent the posterior."""


class Fit:
    """A posterior with all that is needed to read it: made by :func:`rlbackends.fit` or :func:`rlbackends.load`.

    Attributes
    ----------
    tree : xarray.DataTree
        Groups ``posterior``, ``sample_stats``, ``log_likelihood``, ``log_likelihood_constant``, ``observed_data`` and
        ``constant_data``; everything else is JSON in its attributes.
    """

    def __init__(self, tree: xr.DataTree) -> None:
        self.tree = tree

    def __repr__(self) -> str:
        sizes = self.tree["posterior"].sizes
        what = f"{sizes['chain']} chains × {sizes['draw']} draws"
        if self.kind != "chains":
            what = f"{self.settings['sampler']}, {what}" if self.kind == "approximation" else self.settings["sampler"]
        return f"Fit({self.model.name} on {self.backend}: {what}; {described(self.diagnostics, self.kind)})"

    # What was fitted

    @cached_property
    def model(self) -> Model:
        """The specification."""
        return Model.from_json(self.tree.attrs["model"])

    @property
    def backend(self) -> str:
        """The backend that sampled."""
        return str(self.tree.attrs["backend"])

    @cached_property
    def data(self) -> BoundTrials:
        """The data, as the model saw them."""
        return data_from_dataset(
            self.tree["constant_data"].to_dataset(),
            self.model.events,
            json.loads(self.tree.attrs["levels"]),
            str(self.tree.attrs["source"]),
        )

    @cached_property
    def certificate(self) -> Certificate:
        """The reference against the backend that sampled, on these data."""
        return Certificate.from_data(json.loads(self.tree.attrs["certificate"]))

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Every setting that decided the draws."""
        return dict(json.loads(self.tree.attrs["settings"]))

    @property
    def kind(self) -> str:
        """What the draws are: of ``"chains"``, of an ``"approximation"`` of the posterior, or one ``"point"``."""
        return str(self.settings.get("kind", "chains"))

    @cached_property
    def timing(self) -> dict[str, float]:
        """Seconds that compiling and sampling took."""
        return dict(json.loads(self.tree.attrs["timing"]))

    @cached_property
    def work(self) -> dict[str, int]:
        """How often the ``gradients`` were computed, by all chains, tuning included; empty if nobody counted."""
        return dict(json.loads(self.tree.attrs.get("work", "{}")))

    @property
    def is_complete(self) -> bool:
        """Whether all draws are there; not after Ctrl-C, nor in a fit read from the folder of an unfinished run."""
        return "asked_draws" not in self.tree.attrs

    def equations(self, *, latex: bool = False) -> str:
        """Return the model's equations as text, or as LaTeX."""
        return self.model.equations(latex=latex)

    # What came out

    def _default_names(self) -> list[str]:
        posterior = self.tree["posterior"].to_dataset()
        group = [str(name) for name in posterior if "subject" not in posterior[name].dims]
        # Partial correlations are what is sampled; the correlations, which are there too, are what is read.
        group = [name for name in group if not name.startswith("correlation_unit[")]
        return group or [name for name in self.model.parameters if name in posterior]

    def summary(self, var_names: list[str] | str | None = None, **kwargs: Any) -> pd.DataFrame:
        """Return the posterior's summary, a row a quantity.

        Parameters
        ----------
        var_names : list of str, optional
            Which variables; default: the group's (``alpha_location`` and ``alpha_sd`` on the link's scale,
            ``alpha_group`` their median subject on the natural scale), or the subjects' if there is no group.
            ``"all"``: every variable.
        **kwargs
            Passed to ``arviz.summary``.

        Returns
        -------
        pandas.DataFrame
            Draws of an approximation have neither R-hat nor effective sizes; of a point there is one column, ``mode``.
        """
        names = None if var_names == "all" else var_names or self._default_names()
        return summary_of(self.tree, self.kind, names, **kwargs)

    @cached_property
    def diagnostics(self) -> dict[str, Any]:
        """What says how far the draws can be trusted.

        ``r_hat_max``, ``ess_bulk_min`` and ``ess_tail_min``, the worst of all variables, and ``divergences``. R-hat is
        NaN with a single chain. Draws of an approximation are independent, so each counts; they have ``pareto_k``
        instead, of the ratios of the posterior to the approximation: beyond 0.7 the approximation is off. A variational
        one also has ``elbo`` and ``elbo_change``, by how much that moved before its learning rate fell. A point has
        ``slope``, the largest left.
        """
        return diagnostics_of(self.tree, self.kind)

    def warn_of_diagnostics(self) -> None:
        """Warn if the diagnostics say that the draws can't be trusted."""
        faults = faults_of(self.diagnostics, self.kind, self.tree["posterior"].sizes["chain"])
        if faults:
            where = f"{self.model.name} on {self.backend}"
            warnings.warn(f"{where}: {'. '.join(faults)}.", ConvergenceWarning, stacklevel=3)

    def loo(self, by: str = "trial") -> Any:
        """Return PSIS leave-one-out cross-validation (``arviz.loo``), of responses or of subjects.

        By trial it leaves out one response of one trial, given the trial history around it. Cells whose log-likelihood
        does not depend on the draw, such as a first choice among equal values, count with that value. Draws of an
        approximation are weighted by how far it is from the posterior (``arviz.loo_approximate_posterior``). By subject
        it leaves out all responses of one subject, whose parameters are integrated out: it asks about a new person.

        Parameters
        ----------
        by : {"trial", "subject"}, default "trial"
            What is left out.

        Returns
        -------
        arviz ELPDData

        Raises
        ------
        SettingError
            If the fit is a point, or has no log-likelihoods; by subject, if it is an approximation.
        """
        if by not in ("trial", "subject"):
            raise SettingError(f"loo: by is {by!r}, expected 'trial' or 'subject'.")
        if by == "subject":
            from rlbackends.inference.comparison.by_subject import subject_loo

            return subject_loo(self)
        if "log_likelihood" not in self.tree.children:
            raise SettingError("loo: this fit was made with log_likelihood=False.")
        result = loo_of(self.tree, self.kind)
        fixed = self.tree["log_likelihood_constant"]["log_likelihood"].values
        cells = np.concatenate([np.ravel(result.elpd_i.values), fixed])
        result.elpd = float(cells.sum())
        result.se = float(np.sqrt(cells.size * np.var(cells)))
        result.n_data_points = int(cells.size)
        return result

    # What covariates do

    def at(self, parameter: str, /, **covariates: Any) -> xr.DataArray:
        """Return draws of a parameter's group median, on the natural scale, where covariates have given values.

        The formula's other covariates keep their values in the data; medians are averaged over the rows of the design.

        Parameters
        ----------
        parameter : str
            A parameter with a formula.
        **covariates
            Values, such as ``group="patient"``.

        Returns
        -------
        xarray.DataArray
            Dimensions chain and draw.

        Raises
        ------
        SettingError
            If there is no such formula, covariate or level.
        """
        from rlbackends.inference.contrasts import group_values

        return group_values(self.layout, self.tree["posterior"].to_dataset(), parameter, covariates, "at")

    def contrast(self, parameter: str, first: dict[str, Any], second: dict[str, Any]) -> xr.DataArray:
        """Return draws of the difference of two group medians, ``at(first) − at(second)``, on the natural scale.

        Parameters
        ----------
        parameter : str
            A parameter with a formula.
        first, second : dict
            Covariates' values, such as ``{"group": "patient"}``.

        Returns
        -------
        xarray.DataArray
            Dimensions chain and draw.

        Raises
        ------
        SettingError
            If there is no such formula, covariate or level.
        """
        from rlbackends.inference.contrasts import group_values

        posterior = self.tree["posterior"].to_dataset()
        return group_values(self.layout, posterior, parameter, first, "contrast") - group_values(
            self.layout, posterior, parameter, second, "contrast"
        )

    def contrasts(self, parameter: str, by: str | list[str], probability: float = 0.89) -> pd.DataFrame:
        """Return the differences between all levels of covariates, on the natural scale, a row a pair.

        Parameters
        ----------
        parameter : str
            A parameter with a formula.
        by : str or list of str
            One covariate in text (or one that changes within subjects), or several whose combinations are compared.
        probability : float, default 0.89
            How much of the posterior the equal-tailed interval holds.

        Returns
        -------
        pandas.DataFrame
            Mean, sd, interval, and the posterior probability that the difference is above 0.

        Raises
        ------
        SettingError
            If there is no such formula or covariate, or it has no levels.
        """
        from rlbackends.inference.contrasts import contrast_table

        return contrast_table(self.layout, self.tree["posterior"].to_dataset(), parameter, by, probability)

    # What the model went through

    @cached_property
    def _compiled(self) -> CompiledModel:
        row = BACKENDS[self.backend]
        module = (row if row.is_installed else BACKENDS["reference"]).load()
        return CompiledModel(self.model, self.data, self.layout, module.Engine(self.model, self.data, self.layout))

    @cached_property
    def layout(self) -> Layout:
        """The population's latent variables and how parameters follow from them."""
        return layout_from_description(self.model, json.loads(self.tree.attrs["population"]), self.data)

    def posterior_mean(self) -> dict[str, np.ndarray]:
        """Return each parameter's posterior mean on the natural scale.

        Returns
        -------
        dict of str to numpy.ndarray
            (subject,), or (subject, trial) for a parameter that changes within subjects.
        """
        posterior = self.tree["posterior"]
        means = {name: posterior[name].mean(("chain", "draw")) for name in self.model.parameters}
        return self.layout.by_trial({name: mean.transpose("subject", ...).values for name, mean in means.items()})

    def trajectories(self, draws: int | None = None) -> xr.Dataset:
        """Return states before each trial's update, and records.

        Parameters
        ----------
        draws : int, optional
            At this many draws, evenly spread over the posterior, along a dimension ``sample``; default: at the
            posterior mean of the parameters.

        Returns
        -------
        xarray.Dataset
            Subject × trial × axes.
        """
        if draws is None:
            return self._compiled.for_checking().trajectories(self.posterior_mean())
        return self._at_draws(draws)

    def _at_draws(self, draws: int) -> xr.Dataset:
        from rlbackends.simulation.predict import check_draws

        posterior = self.tree["posterior"]
        chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
        check_draws("trajectories", draws, chains * length)
        chosen = np.unique(np.linspace(0, chains * length - 1, draws).round().astype(int))
        params = {}
        for name in self.model.parameters:
            values = posterior[name].transpose("chain", "draw", "subject", ...).values
            params[name] = values.reshape(chains * length, *values.shape[2:])[chosen]
        result = self._compiled.trajectories_draws(self.layout.by_trial(params))
        return result.assign_coords(chain=("sample", chosen // length), draw=("sample", chosen % length))

    def regressors(self, draws: int | None = None) -> pd.DataFrame:
        """Return a tidy row a trial: events, states, records and log-likelihoods, for brain or body data.

        Parameters
        ----------
        draws : int, optional
            Average over this many posterior draws; default: at the posterior mean of the parameters.

        Returns
        -------
        pandas.DataFrame
            Columns ``subject``, ``trial``, the events with their labels, each state's entries (``q_1``), records, and
            ``<response>_log_likelihood``.
        """
        trajectories = self.trajectories(draws)
        if draws is not None:
            trajectories = trajectories.mean("sample")
        return regressor_table(self._compiled.for_checking(), trajectories, self.posterior_mean())

    # What it predicts

    def simulate(self, task: Task, draws: int = 100, *, seed: int = 0, schedule: str = "data") -> xr.DataTree:
        """Let the fitted subjects play a task from its start, at draws of the posterior.

        Nothing of what they did is used but how many trials in which blocks they played: a model that is right makes
        data that look like the observed ones.

        Parameters
        ----------
        task : Task
            What they play, such as the task that the data come from.
        draws : int, default 100
            At how many draws, evenly spread over the chains.
        seed : int, default 0
            The same seed gives the same draws on every backend.
        schedule : {"data", "task"}, default "data"
            Whether scheduled events that the subjects saw, such as stimuli, are those of the data, or the task's.

        Returns
        -------
        xarray.DataTree
            Groups ``posterior_predictive_forward`` (every event of the task) and ``observed_data``, with dimensions
            chain, draw, subject and trial.

        Raises
        ------
        ModelError
            If the task lacks what the model needs, or their sizes disagree.
        SettingError
            If there are not so many draws.
        """
        from rlbackends.simulation.predict import predict_forward

        params, steps = self._spread("simulate", draws)
        return predict_forward(
            self.model, self.data, task, params, steps, seed=seed, schedule=schedule, backend=self._computes()
        )

    def predict(self, draws: int = 100, *, seed: int = 0) -> xr.DataTree:
        """Predict each response one step ahead, from the history that was observed before it.

        Parameters
        ----------
        draws : int, default 100
            At how many draws of the posterior, evenly spread over the chains.
        seed : int, default 0
            Where the drawn responses come from.

        Returns
        -------
        xarray.DataTree
            Groups ``posterior_predictive`` (responses drawn), ``predicted_probability`` (of each action; of a 1; for a
            continuous response its mean) and ``observed_data``, with dimensions chain, draw, subject and trial.

        Raises
        ------
        SettingError
            If there are not so many draws.
        """
        from rlbackends.simulation.predict import predict_one_step

        params, steps = self._spread("predict", draws)
        return predict_one_step(self.model, self.data, params, steps, seed=seed, backend=self._computes())

    def _spread(self, where: str, draws: int) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Return the subjects' parameters at some draws, chain × draw × subject (× trial), and these draws."""
        from rlbackends.simulation.predict import spread_draws

        posterior = self.tree["posterior"]
        chosen = spread_draws(posterior.sizes["chain"], posterior.sizes["draw"], draws, where)
        params = self.layout.by_trial(
            {
                name: posterior[name].transpose("chain", "draw", "subject", ...).values[:, chosen]
                for name in self.model.parameters
            }
        )
        return params, {"chain": posterior["chain"].values, "draw": posterior["draw"].values[chosen]}

    def _computes(self) -> str:
        row = BACKENDS.get(self.backend)
        return self.backend if row is not None and row.is_installed else "reference"

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write the fit to a netCDF file, from which :func:`rlbackends.load` reads it.

        Parameters
        ----------
        path : path
            A file that ends in ``.nc``.
        overwrite : bool, default False
            Whether it may replace a file.

        Returns
        -------
        pathlib.Path

        Raises
        ------
        SettingError
            If it can't be written, or is there.
        """
        target = check_output(path, overwrite=overwrite)
        save_tree(self.tree, target)
        return target


def load(path: str | os.PathLike[str]) -> Fit | Estimates:
    """Read a fit or estimates that were saved, or the draws so far from the folder of one that runs or was stopped.

    Parameters
    ----------
    path : path
        A file that :meth:`Fit.save` or :meth:`Estimates.save` wrote; no backend is needed. Or the folder that was
        given as ``checkpoint``: of each chain as many draws as the shortest has, with an `InterruptedFitWarning`
        unless all are there.

    Returns
    -------
    Fit or Estimates

    Raises
    ------
    DataError
        If there is no such file, or it holds neither.
    """
    if Path(path).is_dir():
        from rlbackends.inference.checkpoint import load_run

        return load_run(Path(path))
    tree = read_tree(Path(path))
    if tree.attrs.get("kind") == "estimates":
        from rlbackends.inference.estimates.result import Estimates

        return Estimates(tree)
    return Fit(tree)
