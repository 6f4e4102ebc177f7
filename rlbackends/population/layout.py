"""The latent variables of a population and how subjects' parameters follow from them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import ModelError
from rlbackends.expressions.node import Node
from rlbackends.expressions.numpy_table import evaluate
from rlbackends.expressions.operations import build
from rlbackends.expressions.standin import Expression
from rlbackends.population.links import LINKS
from rlbackends.population.priors import Normal, Prior
from rlbackends.population.transforms import constrain, log_jacobian, unconstrain

if TYPE_CHECKING:
    from rlbackends.model.model import Model

_UNBOUNDED = (-float("inf"), float("inf"))


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
        Leaves are ``parameter`` nodes named after latents; every operation is elementwise, so a leading
        subject axis (or draws and subjects) comes free.
    fixed : mapping of parameter to array
        Fixed values, one per subject; such a parameter has no graph.
    n_subjects : int
        Number of subjects.
    description : mapping
        The population with every default filled in, as plain data; :func:`layout_from_description` reads it.
    """

    latents: tuple[Latent, ...]
    natural: Mapping[str, Node]
    fixed: Mapping[str, np.ndarray]
    n_subjects: int
    description: Mapping[str, Any]

    def shape(self, latent: Latent) -> tuple[int, ...]:
        """Return the latent's shape."""
        return (self.n_subjects,) if latent.per_subject else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The latents' names, in order."""
        return tuple(latent.name for latent in self.latents)

    def constrain(self, z: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the latents' values from unconstrained ones; any leading axes come free."""
        return {
            latent.name: np.asarray(constrain(np.asarray(z[latent.name]), latent.bounds)) for latent in self.latents
        }

    def unconstrain(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return unconstrained values of the latents."""
        return {latent.name: np.asarray(unconstrain(values[latent.name], latent.bounds)) for latent in self.latents}

    def parameters(self, values: Mapping[str, Any], leading: int = 0) -> dict[str, np.ndarray]:
        """Return the subjects' parameters on the natural scale, shape (…, subject), from the latents' values.

        Parameters
        ----------
        values : mapping
            Latent name → array with ``leading`` leading axes (chain, draw), then the subject axis if it has
            one.
        leading : int, default 0
            How many leading axes there are.
        """
        leaves = {}
        for latent in self.latents:
            value = np.asarray(values[latent.name])
            leaves[latent.name] = value if latent.per_subject else value[..., None]
        shape = np.broadcast_shapes(*(v.shape[:leading] for v in leaves.values())) if leaves else ()
        result = {}
        for name, node in self.natural.items():
            result[name] = np.broadcast_to(evaluate(node, leaves), (*shape, self.n_subjects))
        for name, value in self.fixed.items():
            result[name] = np.broadcast_to(value, (*shape, self.n_subjects))
        return result

    def group(self, values: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return each pooled parameter's value at the group's location, on the natural scale.

        It is the median of subjects, named ``alpha_group``; leading axes (chain, draw) come free.
        """
        result = {}
        for name, node in self.natural.items():
            location = values.get(f"{name}_location")
            if location is not None:
                at = {f"{name}_location": location, f"{name}_linear": location}
                at |= {f"{name}_sd": 0.0, f"{name}_offset": 0.0}
                result[f"{name}_group"] = np.asarray(evaluate(node, at))
        return result

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


def make_layout(model: Model, resolved: Mapping[str, Any], n_subjects: int) -> Layout:
    """Return the layout of a resolved population."""
    latents: list[Latent] = []
    natural: dict[str, Node] = {}
    fixed: dict[str, np.ndarray] = {}

    def leaf(name: str, per_subject: bool, prior: Prior | None, parents: tuple[str, str] | None = None) -> Expression:
        latents.append(Latent(name, per_subject, prior, parents))
        return Expression(build("parameter", name=name))

    for name, item in resolved.items():
        pooling = item.pooling
        if pooling is None:
            value = np.broadcast_to(np.asarray(item.fixed, dtype=float), (n_subjects,)).copy()
            value.flags.writeable = False
            fixed[name] = value
            continue
        inverse = LINKS[pooling.link][1]
        support = model.parameters[name].support
        if pooling.kind == "none" and pooling.prior is not None:
            natural[name] = leaf(name, True, pooling.prior).node
            continue
        if pooling.kind == "none":
            linear = leaf(f"{name}_offset", True, Normal(0.0, 1.0))
        elif pooling.kind == "complete":
            linear = leaf(f"{name}_location", False, pooling.location)
        else:
            location = leaf(f"{name}_location", False, pooling.location)
            sd = leaf(f"{name}_sd", False, pooling.sd)
            if pooling.centred:
                linear = leaf(f"{name}_linear", True, None, (f"{name}_location", f"{name}_sd"))
            else:
                linear = location + sd * leaf(f"{name}_offset", True, Normal(0.0, 1.0))
        natural[name] = inverse(linear, support).node
    _check_clashes(model, latents)
    description = {name: item.to_data() for name, item in resolved.items()}
    return Layout(tuple(latents), natural, fixed, n_subjects, description)


def _check_clashes(model: Model, latents: list[Latent]) -> None:
    taken = {*model.parameters, *model.states, *model.events, *model.records}
    clash = [latent.name for latent in latents if latent.name in taken and latent.name not in model.parameters]
    suffixes = ("location", "sd", "offset", "linear", "group")
    clash += [f"{n}_{s}" for n in model.parameters for s in suffixes if f"{n}_{s}" in taken]
    if clash:
        raise ModelError(
            f"model '{model.name}': the name '{clash[0]}' also stands for a group variable; give it another name."
        )


def layout_from_description(model: Model, description: Mapping[str, Any], n_subjects: int) -> Layout:
    """Return the layout of a population that was written as plain data."""
    from rlbackends.population.population import Population, pooling_from_data

    population = Population(**{name: pooling_from_data(name, data) for name, data in description.items()})
    return make_layout(model, population.resolve(model, n_subjects), n_subjects)
