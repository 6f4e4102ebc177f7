"""What a fit gives: the posterior, its summary, trajectories, regressors and certificate."""

from __future__ import annotations

import json
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import BACKENDS
from rlbackends.errors import SettingError
from rlbackends.inference.draws import mean_params, sampled_params, spread_params
from rlbackends.inference.quality import described, diagnostics_of, faults_of, loo_of, summary_of
from rlbackends.inference.saved import Saved
from rlbackends.inference.tables import regressor_table
from rlbackends.population.layout import Layout, layout_from_description

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from rlbackends.tasks.task import Task


class ConvergenceWarning(UserWarning):
    """A diagnostic says that the draws may not represent the posterior."""


class Fit(Saved):
    """A posterior with all that is needed to read it: made by :func:`rlbackends.fit` or :func:`rlbackends.load`.

    Attributes
    ----------
    tree : xarray.DataTree
        Groups ``posterior``, ``sample_stats``, ``log_likelihood``, ``log_likelihood_constant``, ``observed_data`` and
        ``constant_data``; everything else is JSON in its attributes.
    """

    def __repr__(self) -> str:
        sizes = self.tree["posterior"].sizes
        what = f"{sizes['chain']} chains × {sizes['draw']} draws"
        if self.kind != "chains":
            what = f"{self.settings['sampler']}, {what}" if self.kind == "approximation" else self.settings["sampler"]
        return f"Fit({self.model.name} on {self.backend}: {what}; {described(self.diagnostics, self.kind)})"

    # What was fitted

    @property
    def kind(self) -> str:
        """What the draws are: of ``"chains"``, of an ``"approximation"`` of the posterior, or one ``"point"``."""
        return str(self.settings.get("kind", "chains"))

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
        return loo_of(self.tree, self.kind)

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
        return mean_params(self.layout, self.tree["posterior"])

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
        params, coordinates = sampled_params(self.layout, self.tree["posterior"], draws, "trajectories")
        return self._compiled.trajectories_draws(params).assign_coords(coordinates)

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
        return spread_params(self.layout, self.tree["posterior"], draws, where)

    def _computes(self) -> str:
        row = BACKENDS.get(self.backend)
        return self.backend if row is not None and row.is_installed else "reference"
