"""What an estimation gives: subjects' parameters with their errors, and how well they explain the data."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from rlbackends.errors import SettingError
from rlbackends.inference.estimates.tree import Group
from rlbackends.inference.saved import Saved

if TYPE_CHECKING:
    import pandas as pd

_WORDS = {"ml": "maximum likelihood", "map": "maximum a posteriori", "em": "expectation–maximisation"}


class Estimates(Saved):
    """Point estimates of each subject: made by :func:`rlbackends.estimate` or :func:`rlbackends.load`.

    Arrays are by subject, in the order of ``subjects``. A subject without a response has NaN and is not converged.

    Attributes
    ----------
    tree : xarray.DataTree
        Groups ``estimates``, ``standard_errors``, ``link_scale``, ``link_standard_errors``, ``search`` and
        ``constant_data``; everything else is JSON in its attributes. ``settings`` also say how many gradients of a
        subject were evaluated.
    """

    def __repr__(self) -> str:
        there = self.n_observations > 0
        n_free, n_lost = len(self.link_scale), int((there & ~self.converged).sum())
        words = [f"log-likelihood {np.nansum(self.log_likelihood):.2f}"]
        if self.log_evidence is not None:
            words.append(f"log evidence {np.nansum(self.log_evidence):.2f}")
        words.append("all converged" if not n_lost else f"{n_lost} not converged")
        words += [f"{n} {what}" for n, what in (
            (int(self.at_bound.any(axis=1).sum()), "at a bound"),
            (int((there & ~self.identified).sum()), "not identified"),
            (int((~there).sum()), "without a response"),
        ) if n]  # fmt: skip
        size = f"{len(self.subjects)} subjects × {n_free} parameters"
        return f"Estimates({self.model.name} by {_WORDS[self.method]} on {self.backend}: {size}; {', '.join(words)})"

    # What was estimated

    @property
    def method(self) -> str:
        """``"ml"``, ``"map"`` or ``"em"``."""
        return str(self.settings["method"])

    @property
    def data_digest(self) -> str:
        """sha256 of the data."""
        return self.certificate.data_digest

    @cached_property
    def subjects(self) -> tuple[Any, ...]:
        """The subjects' labels, in order."""
        labels = self.tree["search"]["subject"].values
        return tuple(label.item() if hasattr(label, "item") else label for label in labels)

    # What came out

    def _by_name(self, group: str) -> dict[str, np.ndarray]:
        return {str(name): _read_only(values.values) for name, values in self.tree[group].data_vars.items()}

    def _search(self, name: str) -> np.ndarray:
        return _read_only(self.tree["search"][name].values)

    @cached_property
    def params(self) -> dict[str, np.ndarray]:
        """Every parameter on the natural scale, the fixed ones too."""
        return self._by_name("estimates")

    @cached_property
    def standard_errors(self) -> dict[str, np.ndarray]:
        """Of the estimated parameters on the natural scale, by the delta method; NaN at a bound or if unidentified."""
        return self._by_name("standard_errors")

    @cached_property
    def link_scale(self) -> dict[str, np.ndarray]:
        """The estimated parameters on the link scale."""
        return self._by_name("link_scale")

    @cached_property
    def link_standard_errors(self) -> dict[str, np.ndarray]:
        """Their standard errors there."""
        return self._by_name("link_standard_errors")

    @cached_property
    def covariance(self) -> np.ndarray:
        """Each subject's covariance on the link scale, (subject, parameter, parameter)."""
        return self._search("covariance")

    @cached_property
    def log_likelihood(self) -> np.ndarray:
        """Of each subject at its estimate, summed over its responses."""
        return self._search("log_likelihood")

    @cached_property
    def log_evidence(self) -> np.ndarray | None:
        """Each subject's log evidence by Laplace's approximation on the link scale; None for ``"ml"``."""
        return self._search("log_evidence") if "log_evidence" in self.tree["search"] else None

    @cached_property
    def n_observations(self) -> np.ndarray:
        """How many responses of each subject were counted."""
        return self._search("n_observations")

    @cached_property
    def converged(self) -> np.ndarray:
        """Whether each subject's best search ended where the gradient vanishes."""
        return _read_only(self._search("converged").astype(bool))

    @cached_property
    def reached(self) -> np.ndarray:
        """How many of each subject's searches ended at the best maximum."""
        return self._search("reached")

    @cached_property
    def at_bound(self) -> np.ndarray:
        """Which estimates can't be told from the end of their support, (subject, parameter)."""
        return _read_only(self._search("at_bound").astype(bool))

    @cached_property
    def identified(self) -> np.ndarray:
        """Whether the data tell all of each subject's parameters that are not at a bound."""
        return _read_only(self._search("identified").astype(bool).all(axis=1) & (self.n_observations > 0))

    @cached_property
    def unidentified(self) -> dict[Any, tuple[str, ...]]:
        """Subject → the parameters along which its Hessian is flat, for the subjects that have some."""
        names, flags = list(self.link_scale), self._search("identified").astype(bool)
        rows = {s: tuple(n for n, told in zip(names, row, strict=True) if not told)
                for s, row in zip(self.subjects, flags, strict=True)}  # fmt: skip
        return {subject: lacking for subject, lacking in rows.items() if lacking}

    @cached_property
    def group(self) -> Group | None:
        """The group that ``"em"`` found; None for the others."""
        data = json.loads(self.tree.attrs["group"])
        return None if data is None else Group.from_data(data)

    # How well it explains

    @overload
    def aic(self) -> float: ...
    @overload
    def aic(self, by: None) -> float: ...
    @overload
    def aic(self, by: str) -> np.ndarray: ...
    def aic(self, by: str | None = None) -> float | np.ndarray:
        """Return Akaike's information criterion, 2 k − 2 log-likelihood with k parameters a subject.

        Parameters
        ----------
        by : {"subject"}, optional
            Of each subject; default: their sum.

        Returns
        -------
        float or array (subject,)
        """
        return self._criterion("aic", np.full(len(self.subjects), 2.0), by)

    @overload
    def bic(self) -> float: ...
    @overload
    def bic(self, by: None) -> float: ...
    @overload
    def bic(self, by: str) -> np.ndarray: ...
    def bic(self, by: str | None = None) -> float | np.ndarray:
        """Return the Bayesian information criterion, k log n − 2 log-likelihood, n being the subject's responses.

        Parameters
        ----------
        by : {"subject"}, optional
            Of each subject; default: their sum.

        Returns
        -------
        float or array (subject,)
        """
        return self._criterion("bic", np.log(np.maximum(self.n_observations, 1)), by)

    def _criterion(self, name: str, penalty: np.ndarray, by: str | None) -> float | np.ndarray:
        """Return a criterion with this penalty for each parameter of a subject."""
        if by not in (None, "subject"):
            raise SettingError(f"{name}: by is {by!r}, expected 'subject' or nothing.")
        values = len(self.link_scale) * penalty - 2 * self.log_likelihood
        return values if by else float(np.nansum(values))

    # Tables

    def frame(self, by: str = "parameter") -> pd.DataFrame:
        """Return a tidy table.

        Parameters
        ----------
        by : {"parameter", "subject"}, default "parameter"
            A row for each subject and estimated parameter, or one for each subject.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas as pd

        if by not in ("parameter", "subject"):
            raise SettingError(f"frame: by is {by!r}, expected 'parameter' or 'subject'.")
        if by == "subject":
            return self._subject_frame()
        flags = self._search("identified").astype(bool)
        parts = [
            pd.DataFrame({
                "subject": list(self.subjects), "parameter": name, "estimate": self.params[name],
                "standard_error": self.standard_errors[name], "link_scale": self.link_scale[name],
                "link_standard_error": self.link_standard_errors[name], "at_bound": self.at_bound[:, i],
                "identified": flags[:, i],
            })
            for i, name in enumerate(self.link_scale)
        ]  # fmt: skip
        if not parts:
            return pd.DataFrame(columns=["subject", "parameter", "estimate"])
        table = pd.concat(parts, keys=range(len(parts)), names=["parameter_number", "row"])
        return table.sort_index(level="row", sort_remaining=True).reset_index(drop=True)

    def _subject_frame(self) -> pd.DataFrame:
        import pandas as pd

        columns: dict[str, Any] = {"subject": list(self.subjects)}
        for name, values in self.params.items():
            columns[name] = values
            if name in self.standard_errors:
                columns[f"{name}_standard_error"] = self.standard_errors[name]
        columns |= {"n_observations": self.n_observations, "log_likelihood": self.log_likelihood}
        if self.log_evidence is not None:
            columns["log_evidence"] = self.log_evidence
        columns |= {
            "aic": self.aic("subject"), "bic": self.bic("subject"), "converged": self.converged,
            "reached": self.reached, "at_bound": self.at_bound.any(axis=1), "identified": self.identified,
        }  # fmt: skip
        return pd.DataFrame(columns)

    def summary(self) -> pd.DataFrame:
        """Return a row for each estimated parameter: its distribution over subjects, and the group if there is one.

        Returns
        -------
        pandas.DataFrame
            ``mean``, ``sd`` and ``median`` of the subjects' estimates, the median of their standard errors, how many
            are at a bound or not identified; for ``"em"`` the group's location and sd on the link scale with standard
            errors, and its median subject on the natural scale.
        """
        import warnings

        import pandas as pd

        flags, there = self._search("identified").astype(bool), self.n_observations > 0
        rows = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of columns that are NaN altogether
            for i, name in enumerate(self.link_scale):
                values = self.params[name][there]
                rows[name] = {
                    "mean": values.mean(), "sd": values.std(ddof=1) if len(values) > 1 else np.nan,
                    "median": np.median(values), "standard_error": np.nanmedian(self.standard_errors[name]),
                    "at_bound": int(self.at_bound[:, i].sum()), "unidentified": int((there & ~flags[:, i]).sum()),
                }  # fmt: skip
        table = pd.DataFrame.from_dict(rows, orient="index")
        if self.group is not None:
            for column, values in (
                ("group", self.group.natural), ("location", self.group.location),
                ("location_error", self.group.location_errors), ("group_sd", self.group.sd),
                ("group_sd_error", self.group.sd_errors),
            ):  # fmt: skip
                table[column] = [values[name] for name in table.index]
        return table


def _read_only(values: Any) -> np.ndarray:
    array = np.array(values)
    array.flags.writeable = False
    return array
