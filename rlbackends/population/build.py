"""From a resolved population to its layout: which latents there are, and the graphs from them to parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.errors import ModelError, listed
from rlbackends.expressions.node import Node, walk
from rlbackends.expressions.operations import build
from rlbackends.expressions.standin import Expression
from rlbackends.population.correlation import mixed
from rlbackends.population.formulas import Design, Known, known_covariates, variable_name, variables
from rlbackends.population.layout import CORRELATED, Latent, Layout, column_name
from rlbackends.population.links import LINKS
from rlbackends.population.priors import Normal, Prior

if TYPE_CHECKING:
    from rlbackends.model.model import Model


def make_layout(
    model: Model, resolved: Mapping[str, Any], data: Any, correlated: tuple[tuple[str, ...], float] = ((), 2.0)
) -> Layout:
    """Return the layout of a resolved population for bound data (or for labels of subjects, without formulas)."""
    names = _covariates(resolved)
    circular = [name for name in dict.fromkeys(names) if name in model.responses]
    if circular:
        raise ModelError(
            f"population: formulas read {listed(circular)}, a response of model '{model.name}': a parameter can't "
            "depend on what it is to explain."
        )
    known = known_covariates(names, data, "population")
    n_subjects = len(known.subjects)
    latents: list[Latent] = []
    natural: dict[str, Node] = {}
    fixed: dict[str, np.ndarray] = {}
    columns: dict[str, np.ndarray] = {}
    designs: dict[str, Design] = {}
    offsets: dict[str, Expression] = {}

    def leaf(name: str, per_subject: bool, prior: Prior | None, parents: tuple[str, str] | None = None) -> Expression:
        latents.append(Latent(name, per_subject, prior, parents))
        return Expression(build("parameter", name=name))

    def column(parameter: str, term: str, values: np.ndarray) -> Expression:
        key = column_name(parameter, term)
        columns[key] = values
        columns[key].flags.writeable = False
        return Expression(build("parameter", name=key))

    def location(name: str, pooling: Any) -> Any:
        """The location, and what covariates add to it."""
        where = f"population: '{name}'"
        if pooling.formula is None:
            return leaf(f"{name}_location", False, pooling.location)
        design = designs[name] = Design.of(pooling.formula, known, where)
        total: Any = leaf(f"{name}_location", False, pooling.location) if design.has_intercept else 0.0
        for term, values in design.columns().items():
            total = total + leaf(f"{name}_coefficient[{term}]", False, pooling.coefficient) * column(name, term, values)
        return total

    def spread(name: str, pooling: Any) -> Any:
        """The sd, one for all or one a group."""
        if pooling.sd_by is None:
            return leaf(f"{name}_sd", False, pooling.sd)
        total: Any = 0.0
        for label, values in _groups(pooling.sd_by, known, f"population: '{name}'").items():
            key = variable_name(f"{pooling.sd_by}={label}")
            total = total + leaf(f"{name}_sd[{key}]", False, pooling.sd) * column(name, f"sd {key}", values)
        return total

    def deviations(name: str, pooling: Any) -> Any:
        """What subjects' own slopes add."""
        if pooling.slopes is None:
            return None
        where = f"population: slopes of '{name}'"
        design = Design.of(pooling.slopes, known, where)
        if not design.is_within:
            raise ModelError(
                f"{where}: the formula {pooling.slopes!r} reads nothing that changes within subjects, so a subject has "
                "no slope. Give a covariate such as session or condition."
            )
        total: Any = 0.0
        for term, values in design.columns().items():
            if values.ndim == 1 or not np.any(np.ptp(values, axis=1)):
                raise ModelError(
                    f"{where}: column '{term}' does not change within subjects, so a subject has no slope."
                )
            sd = leaf(f"{name}_slope_sd[{term}]", False, pooling.sd)
            offset = leaf(f"{name}_slope_offset[{term}]", True, Normal(0.0, 1.0))
            total = total + sd * offset * column(name, f"slope {term}", values)
        return total

    for name in correlated[0]:
        offsets[name] = leaf(f"{name}_offset", True, Normal(0.0, 1.0))
    offsets = mixed(correlated[0], correlated[1], offsets, leaf)
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
            linear = location(name, pooling)
        elif pooling.centred:
            leaf(f"{name}_location", False, pooling.location)
            leaf(f"{name}_sd", False, pooling.sd)
            linear = leaf(f"{name}_linear", True, None, (f"{name}_location", f"{name}_sd"))
        else:
            middle, sd = location(name, pooling), spread(name, pooling)
            offset = offsets[name] if name in offsets else leaf(f"{name}_offset", True, Normal(0.0, 1.0))
            linear = middle + sd * offset
            own = deviations(name, pooling)
            linear = linear if own is None else linear + own
        natural[name] = inverse(linear, support).node
    _check_clashes(model, latents)
    description: dict[str, Any] = {name: item.to_data() for name, item in resolved.items()}
    if correlated[0]:
        description[CORRELATED] = {"correlated": list(correlated[0]), "lkj": correlated[1]}
    within = frozenset(name for name, node in natural.items() if _reads_condition(node, columns))
    return Layout(
        tuple(latents), natural, fixed, n_subjects, description, columns, within, known, designs, correlated[0]
    )


def _covariates(resolved: Mapping[str, Any]) -> list[str]:
    """Return the names of all covariates that a population's formulas read."""
    names: list[str] = []
    for name, item in resolved.items():
        if item.pooling is not None:
            names += pooling_covariates(item.pooling, f"population: '{name}'")
    return names


def pooling_covariates(pooling: Any, where: str) -> list[str]:
    """Return the names of the covariates that a pooling's formulas read."""
    formulas = [formula for formula in (pooling.formula, pooling.slopes) if formula is not None]
    names = [name for formula in formulas for name in variables(formula, where)]
    return names if pooling.sd_by is None else [*names, pooling.sd_by]


def _groups(name: str, known: Known, where: str) -> dict[str, np.ndarray]:
    """Return a column of 0 and 1 for each group of a covariate."""
    if name in known.within:
        raise ModelError(f"{where}: sd_by is '{name}', which changes within subjects; an sd is between subjects.")
    if name not in known.orders:
        raise ModelError(
            f"{where}: sd_by is '{name}', which is a number; expected a covariate in text, such as a group."
        )
    found = {}
    for label in known.orders[name]:
        members = known.columns[name] == label
        if members.sum() < 2:
            raise ModelError(
                f"{where}: sd_by is '{name}', and '{label}' has {int(members.sum())} "
                f"{'subject' if members.sum() == 1 else 'subjects'}, too few for an sd."
            )
        found[str(label)] = members.astype(np.float64)
    return found


def _reads_condition(node: Node, columns: Mapping[str, np.ndarray]) -> bool:
    names = (leaf.attr("name") for leaf in walk(node) if leaf.op == "parameter")
    return any(name in columns and columns[name].ndim == 2 for name in names)


def _check_clashes(model: Model, latents: list[Latent]) -> None:
    taken = {*model.parameters, *model.states, *model.events, *model.records}
    clash = [latent.name for latent in latents if latent.name in taken and latent.name not in model.parameters]
    suffixes = ("location", "sd", "offset", "linear", "group")
    clash += [f"{n}_{s}" for n in model.parameters for s in suffixes if f"{n}_{s}" in taken]
    if clash:
        raise ModelError(
            f"model '{model.name}': the name '{clash[0]}' also stands for a group variable; give it another name."
        )
