"""What estimates are kept in: a DataTree of a few groups, and its attributes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.inference.estimates.peaks import Peaks, covariances, log_evidence, without
from rlbackends.inference.estimates.scale import Scale
from rlbackends.inference.tree import FORMAT, VERSION, data_to_dataset

if TYPE_CHECKING:
    import xarray as xr

    from rlbackends.inference.certificate import Certificate

KIND = "estimates"


@dataclass(frozen=True)
class Group:
    """The group that method ``"em"`` found, on the link scale.

    Attributes
    ----------
    location, sd : dict of str to float
        Mean and standard deviation of the subjects' parameters.
    location_errors, sd_errors : dict of str to float
        Their standard errors; NaN where the observed information is not positive definite, or the sd at its floor.
    natural : dict of str to float
        The location on the natural scale: the median subject.
    alike : tuple of str
        Parameters whose sd is at its floor: subjects differ no more than by chance.
    covariance : array (parameter, parameter)
        Of the group; diagonal unless a full one was asked for.
    integrated_log_likelihood, integrated_error : float
        The subjects' log-likelihoods averaged over the group, summed, and the sampling error of that.
    integrated_bic : float
        −2 × that, plus the group's parameters × the logarithm of the number of responses.
    n_parameters : int
        Of the group.
    iterations : int
        Expectation steps.
    converged : bool
        Whether the group stood still.
    """

    location: Mapping[str, float]
    sd: Mapping[str, float]
    location_errors: Mapping[str, float]
    sd_errors: Mapping[str, float]
    natural: Mapping[str, float]
    alike: tuple[str, ...]
    covariance: np.ndarray
    integrated_log_likelihood: float
    integrated_error: float
    integrated_bic: float
    n_parameters: int
    iterations: int
    converged: bool

    def correlation(self) -> np.ndarray:
        """Return the correlations of parameters over subjects, in the order of ``location``."""
        sd = np.sqrt(np.diagonal(self.covariance))
        return self.covariance / np.outer(sd, sd)

    def to_data(self) -> dict[str, Any]:
        """Return the group as plain data."""
        return asdict(replace(self, covariance=self.covariance.tolist()))  # type: ignore[arg-type]

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Group:
        """Read what :meth:`to_data` wrote."""
        covariance = np.array(data["covariance"], dtype=np.float64).reshape(len(data["location"]), -1)
        covariance.flags.writeable = False
        return cls(**{**data, "alike": tuple(data["alike"]), "covariance": covariance})


def estimates_tree(
    compiled: CompiledModel,
    scale: Scale,
    peaks: Peaks,
    group: Group | None,
    counts: np.ndarray,
    certificate: Certificate,
    settings: Mapping[str, Any],
    timing: Mapping[str, float],
) -> xr.DataTree:
    """Return the DataTree of estimates.

    Groups: ``estimates``, ``standard_errors``, ``link_scale`` and ``link_standard_errors`` by parameter over subjects,
    ``search`` (what else is known of each subject) and ``constant_data`` (the events as the model saw them).
    """
    import xarray as xr

    peaks = without(peaks, counts == 0)
    covariance, identified = covariances(peaks, scale.is_bounded())
    with np.errstate(invalid="ignore"):
        errors = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        natural_errors = errors * np.abs(scale.slopes(peaks.z))
    names = list(scale.names)
    subjects = {"subject": list(compiled.data.subjects)}
    natural = scale.natural(peaks.z)

    def by_name(columns: np.ndarray) -> xr.Dataset:
        return xr.Dataset({name: ("subject", columns[:, i]) for i, name in enumerate(names)}, coords=subjects)

    pairs = ("subject", "parameter", "with_parameter")
    search: dict[str, Any] = {
        "log_likelihood": ("subject", peaks.log_likelihood),
        "n_observations": ("subject", counts.astype(np.int64)),
        "converged": ("subject", peaks.converged.astype(np.int8)),
        "reached": ("subject", peaks.reached.astype(np.int64)),
        "at_bound": (("subject", "parameter"), peaks.at_bound.astype(np.int8)),
        "identified": (("subject", "parameter"), identified.astype(np.int8)),
        "covariance": (pairs, covariance),
    }
    if settings["method"] != "ml":
        search["log_evidence"] = ("subject", log_evidence(peaks))
        search["log_posterior"] = ("subject", peaks.value)
    groups = {
        "/estimates": xr.Dataset(
            {name: ("subject", np.array(natural[name])) for name in compiled.model.parameters}, coords=subjects
        ),
        "/standard_errors": by_name(natural_errors),
        "/link_scale": by_name(peaks.z),
        "/link_standard_errors": by_name(errors),
        "/search": xr.Dataset(search, coords=subjects | {"parameter": names, "with_parameter": names}),
        "/constant_data": data_to_dataset(compiled),
    }
    tree = xr.DataTree.from_dict(groups)
    data = compiled.data
    tree.attrs = {
        "format": FORMAT,
        "format_version": VERSION,
        "kind": KIND,
        "backend": compiled.backend,
        "model": compiled.model.to_json(),
        "population": json.dumps(compiled.layout.description),
        "settings": json.dumps(dict(settings)),
        "timing": json.dumps(dict(timing)),
        "certificate": json.dumps(certificate.to_data()),
        "group": json.dumps(None if group is None else group.to_data()),
        "levels": json.dumps({name: list(labels) for name, labels in data.levels.items()}),
        "source": data.source,
        "reports": json.dumps(list(data.reports)),
    }
    return tree
