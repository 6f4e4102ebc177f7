"""Checks of the joint density against the oracle: on every case, and for every pooling, link and prior."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

import rlbackends as rl
from rlbackends.backends.protocol import CompiledModel
from rlbackends.backends.registry import compile
from rlbackends.testing.assertions import assert_close
from rlbackends.testing.cases.case import ModelCase, payoff
from rlbackends.testing.suite.joint_density import latents, log_density
from rlbackends.testing.suite.tryout import Tryout, tryout
from rlbackends.testing.suite.under_test import UnderTest

SPREADS = (0.3, 1.0)
"""How far from 0 the unconstrained values lie at which densities are compared."""


def _choice(q: Any, beta1: Any, beta2: Any, beta3: Any, beta4: Any, beta5: Any, bias1: Any, bias2: Any) -> Any:
    return rl.Categorical(logits=rl.stack(beta1 * q[0] + bias1, beta2 * q[1] + bias2 - beta3, beta4 * q[2] - beta5))


def _learn(q: Any, choice: Any, reward: Any, alpha1: Any, alpha2: Any, weight: Any) -> Any:
    error = weight * reward - q[choice]
    return {"q": q.at[choice].add(rl.where(error > 0, alpha1, alpha2) * error)}


def _model() -> Any:
    """Return a model with parameters enough for every prior."""
    supports = {"alpha": (rl.UnitInterval(), 2), "beta": (rl.Positive(), 5), "bias": (rl.RealLine(), 2)}
    parameters = {
        f"{name}{i + 1}": rl.Parameter(support) for name, (support, count) in supports.items() for i in range(count)
    }
    return rl.Model(
        "population",
        parameters={**parameters, "weight": rl.Parameter(rl.Interval(-2.0, 3.0))},
        states={"q": rl.State("action", initial=0.25)},
        trial={"choice": _choice, "reward": rl.Real()},
        update=_learn,
        sizes={"action": 3},
    )


CASE = ModelCase("population", _model, {}, {"reward": payoff(0.0, 0.5, 1.0)})
_POOLING, _PRIORS = rl.Pooling, rl.priors


def _own(prior: Any) -> Any:
    """Return a parameter of which each subject has this prior."""
    return _POOLING("none", prior=prior)


POPULATIONS: Mapping[str, rl.Population] = MappingProxyType(
    {
        "partial": rl.Population(),
        "centred": rl.Population(
            alpha1=_POOLING(centred=True), beta1=_POOLING(centred=True), bias1=_POOLING(centred=True),
            weight=_POOLING(centred=True),
        ),
        "other links": rl.Population(
            alpha1=_POOLING(link="logit"), alpha2=_POOLING("none", link="logit"), beta1=_POOLING(link="softplus"),
            beta2=_POOLING("complete", link="softplus"), weight=_POOLING(link="logit", centred=True),
        ),
        "none": rl.Population("none"),
        "complete": rl.Population("complete"),
        "fixed": rl.Population(alpha1=0.3, beta1=[1.0, 2.0, 0.5, 3.0], bias1=-0.25, weight=1.5),
        "own priors": rl.Population(
            alpha1=_own(_PRIORS.Beta(2.0, 3.5)), alpha2=_own(_PRIORS.Uniform(0.0, 1.0)),
            beta1=_own(_PRIORS.HalfNormal(1.5)), beta2=_own(_PRIORS.HalfCauchy(0.75)),
            beta3=_own(_PRIORS.Exponential(1.25)), beta4=_own(_PRIORS.Gamma(2.5, 1.5)),
            beta5=_own(_PRIORS.LogNormal(0.25, 0.5)), bias1=_own(_PRIORS.Normal(0.5, 2.0)),
            bias2=_own(_PRIORS.StudentT(4.0, -0.5, 1.5)),
            weight=_own(_PRIORS.Uniform(-2.0, 3.0)),
        ),
        "group priors": rl.Population(
            alpha1=_POOLING(location=_PRIORS.StudentT(5.0, 0.25, 0.5), sd=_PRIORS.Exponential(3.0)),
            beta1=_POOLING(location=_PRIORS.Uniform(-1.5, 2.5), sd=_PRIORS.Gamma(2.0, 4.0)),
            bias1=_POOLING(location=_PRIORS.LogNormal(-0.5, 0.75), sd=_PRIORS.LogNormal(-1.0, 0.5), centred=True),
            beta2=_POOLING("complete", location=_PRIORS.Normal(0.5, 0.25)),
        ),
    }
)  # fmt: skip
"""Populations by name; together they have every pooling, link and prior."""


@cache
def _reference(name: str) -> CompiledModel:
    on = tryout(CASE, "messy")
    return compile(on.model, on.data, "reference", population=POPULATIONS[name])


def assert_population(tested: UnderTest, name: str) -> None:
    """Assert that the joint density of a population, and its gradient, are those of the oracle.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    name : str
        Of the population, a key of `POPULATIONS`.
    """
    on = tryout(CASE, "messy")
    compiled = tested.compile(on.model, on.data, POPULATIONS[name])
    z = _assert_density(compiled, _reference(name), f"population, {name}")
    if name == "partial":  # the value alone is one more function to compile
        assert_close(compiled.log_density(z), _reference(name).log_density(z), "log_density")


def assert_joint_density(tested: UnderTest, case: ModelCase) -> None:
    """Assert that the joint density on messy data, and its gradient, are those of the oracle.

    Parameters
    ----------
    tested : UnderTest
        The backend.
    case : ModelCase
        The model, with the default population.
    """
    on: Tryout = tryout(case, "messy")
    _assert_density(on.compiled(tested), on.reference, case.name)


def _assert_density(compiled: CompiledModel, reference: CompiledModel, seed: str) -> dict[str, np.ndarray]:
    """Compare two densities at two points; return the second."""
    description = reference.layout.description
    n_subjects = reference.data.n_subjects
    bounds = {name: (item.support.lo, item.support.hi) for name, item in reference.model.parameters.items()}
    names = {latent: own for name, item in description.items() for latent, own in latents(name, item).items()}
    if set(compiled.layout.names) != set(names):
        raise AssertionError(f"the latent variables are {compiled.layout.names}, expected {tuple(names)}")
    rng = random.Random(f"{seed}, latents")
    z: dict[str, np.ndarray] = {}
    for spread in SPREADS:
        for name, per_subject in names.items():
            values = [max(-1.5, min(1.5, rng.gauss(0.0, 1.0))) * spread for _ in range(n_subjects)]
            z[name] = np.array(values if per_subject else values[0])
        value, gradient = log_density(description, bounds, z, n_subjects, reference.engine.value_and_gradient)
        found, slopes = compiled.log_density_and_gradient(z)
        assert_close(found, value, "log_density")
        assert_close(slopes, gradient, "gradient")
    return z
