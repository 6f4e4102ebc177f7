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
from rlbackends.inference.storage import check_output, read_tree, save_tree
from rlbackends.inference.tables import regressor_table
from rlbackends.inference.tree import data_from_dataset
from rlbackends.model.model import Model
from rlbackends.population.layout import layout_from_description

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

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
        found = self.diagnostics
        return (
            f"Fit({self.model.name} on {self.backend}: {sizes['chain']} chains × {sizes['draw']} draws; "
            f"largest R-hat {found['r_hat_max']:.3f}, smallest ESS {found['ess_bulk_min']:.0f}, "
            f"{found['divergences']} divergences)"
        )

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

    @cached_property
    def timing(self) -> dict[str, float]:
        """Seconds that compiling and sampling took."""
        return dict(json.loads(self.tree.attrs["timing"]))

    def equations(self, *, latex: bool = False) -> str:
        """Return the model's equations as text, or as LaTeX."""
        return self.model.equations(latex=latex)

    # What came out

    def _default_names(self) -> list[str]:
        posterior = self.tree["posterior"].to_dataset()
        group = [str(name) for name in posterior if "subject" not in posterior[name].dims]
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
        """
        import arviz as az

        names = None if var_names == "all" else var_names or self._default_names()
        return az.summary(self.tree, var_names=names, **kwargs)

    @cached_property
    def diagnostics(self) -> dict[str, Any]:
        """Largest R-hat, smallest bulk and tail effective sample sizes over all variables, and divergences.

        R-hat is NaN with a single chain.
        """
        import arviz as az

        posterior = self.tree["posterior"].to_dataset()
        varying = [name for name in posterior if float(posterior[name].std()) > 0]
        kept = posterior[varying]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            r_hat, bulk, tail = az.rhat(kept), az.ess(kept), az.ess(kept, method="tail")

        def over(dataset: Any, function: Any) -> float:
            return float(function([float(function(dataset[name])) for name in varying]))

        return {
            "r_hat_max": over(r_hat, np.max),
            "ess_bulk_min": over(bulk, np.min),
            "ess_tail_min": over(tail, np.min),
            "divergences": int(self.tree["sample_stats"]["diverging"].sum()),
        }

    def warn_of_diagnostics(self) -> None:
        """Warn if R-hat, the effective sample size or divergences say that the draws can't be trusted yet."""
        found = self.diagnostics
        faults = []
        if found["divergences"]:
            faults.append(
                f"{found['divergences']} divergences; raise target_accept, or look at the model where it strains"
            )
        if found["r_hat_max"] > 1.01:
            faults.append(f"R-hat up to {found['r_hat_max']:.3f} (should be below 1.01); draw or tune longer")
        if found["ess_bulk_min"] < 100 * self.tree["posterior"].sizes["chain"]:
            faults.append(
                f"effective sample size down to {found['ess_bulk_min']:.0f} (should be 100 a chain); draw longer"
            )
        if faults:
            where = f"{self.model.name} on {self.backend}"
            warnings.warn(f"{where}: {'. '.join(faults)}.", ConvergenceWarning, stacklevel=3)

    def loo(self) -> Any:
        """Return PSIS leave-one-response-out cross-validation (``arviz.loo``).

        It leaves out one response of one trial, given the trial history around it. Cells whose log-likelihood does not
        depend on the draw, such as a first choice among equal values, count with that value.

        Returns
        -------
        arviz ELPDData
        """
        import arviz as az

        if "log_likelihood" not in self.tree.children:
            raise SettingError("loo: this fit was made with log_likelihood=False.")
        result = az.loo(self.tree, pointwise=True)
        fixed = self.tree["log_likelihood_constant"]["log_likelihood"].values
        cells = np.concatenate([np.ravel(result.elpd_i.values), fixed])
        result.elpd = float(cells.sum())
        result.se = float(np.sqrt(cells.size * np.var(cells)))
        result.n_data_points = int(cells.size)
        return result

    # What the model went through

    @cached_property
    def _compiled(self) -> CompiledModel:
        row = BACKENDS[self.backend]
        module = (row if row.is_installed else BACKENDS["reference"]).load()
        layout = layout_from_description(self.model, json.loads(self.tree.attrs["population"]), self.data.n_subjects)
        return CompiledModel(self.model, self.data, layout, module.Engine(self.model, self.data, layout))

    def posterior_mean(self) -> dict[str, np.ndarray]:
        """Return each parameter's posterior mean on the natural scale, one value per subject."""
        posterior = self.tree["posterior"]
        return {name: posterior[name].mean(("chain", "draw")).values for name in self.model.parameters}

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
        flat = {name: posterior[name].values.reshape(chains * length, -1) for name in self.model.parameters}
        result = self._compiled.trajectories_draws({name: value[chosen] for name, value in flat.items()})
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
        """Return the subjects' parameters at some draws, chain × draw × subject, and the draws' coordinates."""
        from rlbackends.simulation.predict import spread_draws

        posterior = self.tree["posterior"]
        chosen = spread_draws(posterior.sizes["chain"], posterior.sizes["draw"], draws, where)
        params = {
            name: posterior[name].transpose("chain", "draw", "subject").values[:, chosen]
            for name in self.model.parameters
        }
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


def load(path: str | os.PathLike[str]) -> Fit:
    """Read a fit that was saved; no backend is needed.

    Parameters
    ----------
    path : path
        A file that :meth:`Fit.save` wrote.

    Returns
    -------
    Fit

    Raises
    ------
    DataError
        If there is no such file, or it holds no fit.
    """
    return Fit(read_tree(Path(path)))
