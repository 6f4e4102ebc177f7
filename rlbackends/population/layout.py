"""The latent variables of a population and how subjects' parameters follow from them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.population.correlation import correlations
from rlbackends.population.formulas import Design, Known
from rlbackends.population.priors import Normal, Prior
from rlbackends.population.transforms import constrain, log_jacobian, unconstrain

if TYPE_CHECKING:
    from rlbackends.model.model import Model

_UNBOUNDED = (-float("inf"), float("inf"))
CORRELATED = "correlated"
"""Where a description says which offsets are correlated; no parameter of a population has this name."""


@dataclass(frozen=True)
class Latent:
    """A random variable that is sampled.

    Attributes
    ----------
    name : str
        ``alpha_location``, ``alpha_sd``, ``alpha_offset``, ``alpha_linear`` or ``alpha``.
    per_subject : bool
        One value per subject, or one for all.
    prior : Prior or None
        Its prior; None when it is normal around ``parents``.
    parents : (location name, sd name) or None
        For a centred parameter: latents that are its prior's mean and sd.
    """

    name: str
    per_subject: bool
    prior: Prior | None
    parents: tuple[str, str] | None = None

    @property
    def bounds(self) -> tuple[float, float]:
        """Where its values lie."""
        return self.prior.bounds if self.prior is not None else _UNBOUNDED


@dataclass(frozen=True)
class Layout:
    """Latents in order, and each parameter's natural value as an elementwise graph of them.

    Attributes
    ----------
    latents : tuple of Latent
        Parents before children.
    natural : mapping of parameter to graph
        Leaves are ``parameter`` nodes named after latents and ``columns``; every operation is elementwise, so a leading
        subject axis (or draws and subjects) comes free.
    fixed : mapping of parameter to array
        Fixed values, one per subject; such a parameter has no graph.
    n_subjects : int
        Number of subjects.
    description : mapping
        The population with every default filled in, as plain data; :func:`layout_from_description` reads it.
    columns : mapping of str to array
        What coefficients multiply, (subject,) or (subject, condition).
    within : frozenset of str
        Parameters that have a value by subject and condition; graphs of the others read no column by condition.
    known : Known
        The covariates: conditions within subjects, and each trial's.
    designs : mapping of parameter to Design
        The formulas.
    correlated : tuple of str
        Parameters whose offsets are correlated.
    """

    latents: tuple[Latent, ...]
    natural: Mapping[str, Node]
    fixed: Mapping[str, np.ndarray]
    n_subjects: int
    description: Mapping[str, Any]
    columns: Mapping[str, np.ndarray]
    within: frozenset[str]
    known: Known
    designs: Mapping[str, Design]
    correlated: tuple[str, ...] = ()

    def shape(self, latent: Latent) -> tuple[int, ...]:
        """Return the latent's shape."""
        return (self.n_subjects,) if latent.per_subject else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The latents' names, in order."""
        return tuple(latent.name for latent in self.latents)

    @property
    def covariates(self) -> tuple[str, ...]:
        """Names of the covariates that it reads."""
        return (*self.known.columns, *self.known.within)

    @cached_property
    def digest(self) -> str:
        """sha256 of the columns and of each trial's condition; engines of two layouts that share it may share code."""
        digest = hashlib.sha256()
        arrays = dict(self.columns) if self.known.index is None else {**self.columns, "": self.known.index}
        for name, array in arrays.items():
            digest.update(f"{name} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def constrain(self, z: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the latents' values from unconstrained ones; any leading axes come free."""
        return {
            latent.name: np.asarray(constrain(np.asarray(z[latent.name]), latent.bounds)) for latent in self.latents
        }

    def unconstrain(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return unconstrained values of the latents."""
        return {latent.name: np.asarray(unconstrain(values[latent.name], latent.bounds)) for latent in self.latents}

    def parameters(self, values: Mapping[str, Any], leading: int = 0) -> dict[str, np.ndarray]:
        """Return the subjects' parameters on the natural scale, from the latents' values.

        Parameters
        ----------
        values : mapping
            Latent name → array with ``leading`` leading axes (chain, draw), then the subject axis if it has
            one.
        leading : int, default 0
            How many leading axes there are.

        Returns
        -------
        dict
            Parameter → (…, subject), or (…, subject, trial) for those in ``within``.
        """
        return self.by_trial(self.by_condition(values, leading))

    def by_condition(self, values: Mapping[str, Any], leading: int = 0) -> dict[str, np.ndarray]:
        """Return what :meth:`parameters` returns, those in ``within`` as (…, subject, condition)."""
        given = {latent.name: np.asarray(values[latent.name]) for latent in self.latents}
        shape = np.broadcast_shapes(*(value.shape[:leading] for value in given.values())) if given else ()
        per_subject = {latent.name: latent.per_subject for latent in self.latents}
        flat = {name: value if per_subject[name] else value[..., None] for name, value in given.items()}
        result = self._evaluated(flat, shape)
        for name, value in self.fixed.items():
            result[name] = np.broadcast_to(value, (*shape, self.n_subjects))
        return result

    def _evaluated(self, leaves: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return the graphs' values, (…, subject) or (…, subject, condition); leaves end in the subject axis."""
        by_subject = {**self.columns, **leaves}
        by_condition: dict[str, np.ndarray] = {}
        if self.within:
            by_condition = {name: value[..., None] for name, value in leaves.items()}
            by_condition |= {name: value if value.ndim == 2 else value[:, None] for name, value in self.columns.items()}
        result = {}
        for name, node in self.natural.items():
            if name in self.within:
                full = (*shape, self.n_subjects, self.known.n_conditions)
                result[name] = np.broadcast_to(evaluate(node, by_condition), full)
            else:
                result[name] = np.broadcast_to(evaluate(node, by_subject), (*shape, self.n_subjects))
        return result

    def by_trial(self, parameters: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return parameters by subject and condition as (…, subject, trial); the others as they are."""
        result = dict(parameters)
        for name in self.within & set(parameters):
            index: Any = self.known.index
            rows = np.arange(self.n_subjects)[:, None]
            result[name] = np.asarray(parameters[name])[..., rows, index]
        return result

    def group(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return each pooled parameter's value at the group's location, on the natural scale.

        It is the median of subjects, named ``alpha_group``; with a formula it is the average of these medians over the
        rows of the design. Correlations of offsets are here, too. Leading axes (chain, draw) come free.
        """
        result = {}
        plain = [name for name in self.natural if name not in self.designs and f"{name}_location" in values]
        for name in plain:
            location = values[f"{name}_location"]
            at = {latent.name: values.get(latent.name, 0.0) for latent in self.latents if not latent.per_subject}
            at |= {latent.name: 0.0 for latent in self.latents if latent.per_subject}
            at |= {f"{name}_linear": location, f"{name}_sd": 0.0} | dict.fromkeys(self.columns, 0.0)
            result[f"{name}_group"] = np.asarray(evaluate(self.natural[name], at))
        for name in self.designs:
            medians = self.medians(name, values)
            result[f"{name}_group"] = medians.mean(axis=(-2, -1) if name in self.within else -1)
        return result | correlations(self.correlated, values)

    def medians(
        self, name: str, values: Mapping[str, Any], given: Mapping[str, Any] | None = None
    ) -> np.ndarray:
        """Return the median of a parameter with a formula at each row of its design, on the natural scale.

        Parameters
        ----------
        name : str
            The parameter.
        values : mapping
            The latents' values; leading axes (chain, draw) come free.
        given : mapping, optional
            Covariates that take these values in all rows.

        Returns
        -------
        numpy.ndarray
            (…, subject), or (…, subject, condition) if the parameter is in ``within``.
        """
        design = self.designs[name]
        found = {column_name(name, term): array for term, array in design.columns(given).items()}
        others = {key: array for key, array in self.columns.items() if key not in found}
        leaves = {**others, **found}
        two = name in self.within
        at: dict[str, Any] = {}
        for latent in self.latents:
            if latent.per_subject:
                at[latent.name] = np.zeros(1)[:, None] if two else np.zeros(1)
            else:
                value = np.asarray(values[latent.name])
                at[latent.name] = value[..., None, None] if two else value[..., None]
        for key, array in leaves.items():
            at[key] = array[:, None] if two and array.ndim == 1 else array
        needed = {node.attr("name") for node in walk(self.natural[name]) if node.op == "parameter"}
        return np.asarray(evaluate(self.natural[name], {key: at[key] for key in needed}))

    def log_prior(self, z: Mapping[str, Any]) -> float:
        """Return the log-density of the unconstrained latents: priors and Jacobians."""
        values = self.constrain(z)
        total = 0.0
        for latent in self.latents:
            prior = latent.prior
            if prior is not None:
                total += float(np.sum(prior.log_density(values[latent.name])))
                total += float(np.sum(log_jacobian(np.asarray(z[latent.name]), latent.bounds)))
            elif latent.parents is not None:
                location, sd = (float(values[name]) for name in latent.parents)
                if sd == 0.0:  # the exponential of a very low value
                    return -math.inf
                total += float(np.sum(Normal(location, sd).log_density(values[latent.name])))
        return total

    def draw(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Return one draw of the latents from the prior."""
        values: dict[str, np.ndarray] = {}
        for latent in self.latents:
            if latent.prior is not None:
                values[latent.name] = np.asarray(latent.prior.draw(rng, self.shape(latent)))
            elif latent.parents is not None:
                location, sd = (values[name] for name in latent.parents)
                values[latent.name] = np.asarray(rng.normal(location, sd, self.shape(latent)))
        return values


def column_name(parameter: str, term: str) -> str:
    """Return the name of the leaf that stands for a column of a parameter's design; no latent is called so."""
    return f"{parameter} | {term}"


def layout_from_description(model: Model, description: Mapping[str, Any], data: Any) -> Layout:
    """Return the layout of a population that was written as plain data.

    ``data`` is the bound data or, where there is no formula, the subjects' labels or their number.
    """
    from rlbackends.population.population import population_from_data

    subjects = range(data) if isinstance(data, int) else data
    return population_from_data(description).layout(model, subjects)
