"""``rl.check``: the backends side by side on anyone's model and data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import BACKENDS, Backend, get_backend, installed_backends
from rlbackends.backends.registry import compile as compile_model
from rlbackends.data.given import bind_given
from rlbackends.errors import SettingError
from rlbackends.inference.agreement import QUANTITIES, Comparison, Point, compare, compute, prior_points
from rlbackends.inference.gradients import describe_gaps
from rlbackends.population.population import Population

_WORDS = {
    "trajectories": "trajectories",
    "log_likelihood": "log-likelihood per trial",
    "gradient": "gradient",
    "log_density": "joint density",
    "log_density_gradient": "its gradient",
}


@dataclass(frozen=True)
class CheckReport:
    """What :func:`check` found. It prints as a table.

    Attributes
    ----------
    model, data : str
        What was checked.
    where : str
        At which parameter values.
    log_likelihood : dict of str to float
        Backend → log-likelihood of all responses, summed, at the first point.
    comparisons : tuple of Comparison
        Each backend against the reference.
    reports : tuple of str
        What was inferred from the data, such as the order of labels.
    gradients : str
        Where the model's gradient can't pass, and what to do about it; nothing for most models.
    """

    model: str
    data: str
    where: str
    log_likelihood: Mapping[str, float]
    comparisons: tuple[Comparison, ...]
    reports: tuple[str, ...] = ()
    gradients: str = ""

    @property
    def agrees(self) -> bool:
        """Whether all backends agree with the reference within the tolerances."""
        return all(comparison.holds for comparison in self.comparisons)

    def __str__(self) -> str:
        names = list(self.log_likelihood)
        rows = [["", *names], ["log-likelihood", *(f"{self.log_likelihood[name]:.10f}" for name in names)]]
        for quantity in QUANTITIES:
            found = {c.backend: a for c in self.comparisons for a in c.agreements if a.quantity == quantity}
            if found:
                tolerance = next(iter(found.values())).tolerance
                cells = [
                    f"{found[n].difference:.1e}" + ("" if found[n].holds else " !") if n in found else "" for n in names
                ]
                rows.append([f"{_WORDS[quantity]} (within {tolerance:.0e})", *cells])
        widths = [max(len(row[i]) for row in rows) for i in range(len(names) + 1)]
        lines = [f"{self.model} on {self.data}, at {self.where}", *self.reports]
        for row in rows:
            lines.append(
                "  "
                + row[0].ljust(widths[0])
                + "".join("  " + c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))
            )
        for comparison in self.comparisons:
            if comparison.parting is not None:
                lines.append(f"{comparison.backend} and the reference part at {comparison.parting}.")
            elif not comparison.holds:
                apart = [a for a in comparison.agreements if not a.holds]
                words = "; ".join(f"{_WORDS[a.quantity]} of {a.variable} by {a.difference:.1e}" for a in apart)
                lines.append(f"{comparison.backend} and the reference differ: {words} of scale.")
        if self.comparisons and self.agrees:
            lines.append(
                "Differences are the largest from the reference, in units of each quantity's scale. All agree."
            )
        if not self.comparisons:
            lines.append("No backend but the reference is installed, so nothing was compared.")
        if self.gradients:
            lines.append(f"Before you fit it: {self.gradients}")
        return "\n".join(lines)

    __repr__ = __str__


def check(
    model: Any,
    data: Any,
    params: Mapping[str, Any] | None = None,
    *,
    backends: Sequence[str | Backend] | None = None,
    population: Population | None = None,
    points: int = 2,
    seed: int = 0,
    **settings: Any,
) -> CheckReport:
    """Compare the backends on a model and data: trajectories, log-likelihood, gradient and joint density.

    Parameters
    ----------
    model : Model
        The specification.
    data : Trials or BoundTrials
        The trials.
    params : mapping, optional
        Parameter values on the natural scale, at which trajectories, log-likelihood and gradient are compared besides
        the points drawn from the prior.
    backends : sequence of str or Backend, optional
        Which backends; default: all that are installed.
    population : Population, optional
        How parameters vary over subjects.
    points : int, default 2
        Number of points drawn from the prior.
    seed : int, default 0
        For these draws.
    **settings
        Settings of the backends, such as ``mode`` for pymc; a backend that does not know one refuses it.

    Returns
    -------
    CheckReport
        Prints as a table; ``.agrees`` is its verdict, and it names the first subject and trial where backends part.

    Raises
    ------
    BackendError, BackendMissingError
        If a backend that is asked for does not exist or is not installed.
    SettingError
        If ``model`` is no model or ``data`` no trials.

    Examples
    --------
    >>> import rlbackends as rl
    >>> data = rl.Trials.from_arrays(subjects=["ann"], choice=[[0, 1, 0]], reward=[[1.0, 0.0, 1.0]])
    >>> rl.check(rl.catalogue.rescorla_wagner(), data).agrees
    True
    """
    if isinstance(points, bool) or not isinstance(points, int) or points < (0 if params is not None else 1):
        raise SettingError(f"check: points is {points!r}, expected a whole number of at least 1.")
    bound = bind_given("check", model, data)
    chosen = [get_backend(backend) for backend in (installed_backends() if backends is None else backends)]
    reference = compile_model(model, bound, "reference", population=population)
    at = prior_points(reference, points, seed)
    where = f"{points} draws from the prior" if points != 1 else "a draw from the prior"
    if params is not None:
        at.insert(0, Point(reference.read_params(params)))
        given = ", ".join(
            f"{k} = {v:g}" if np.ndim(v) == 0 else k for k, v in params.items() if not isinstance(v, Mapping)
        )
        where = given + (f" and {where}" if points else "")
    expected = [compute(reference, point) for point in at]
    total = float(sum(np.nansum(v) for v in expected[0]["log_likelihood"].values()))
    comparisons = []
    for row in chosen:
        if row != BACKENDS["reference"]:
            compiled = compile_model(model, bound, row, population=population, **settings)
            comparisons.append(compare(compiled.for_checking(), at, expected))
    totals = {"reference": total, **{c.backend: c.log_likelihood[0] for c in comparisons}}
    gradients = describe_gaps(model, population)
    return CheckReport(model.name, _describe(bound), where, totals, tuple(comparisons), bound.reports, gradients)


def _describe(data: Any) -> str:
    words = repr(data)
    return words[words.index("(") + 1 : -1].replace(";", ":", 1) if "(" in words else words


def reference_for(compiled: CompiledModel) -> CompiledModel:
    """Return the reference compiled for the same model, data and population."""
    module = BACKENDS["reference"].load()
    engine = module.Engine(compiled.model, compiled.data, compiled.layout)
    return CompiledModel(compiled.model, compiled.data, compiled.layout, engine)
