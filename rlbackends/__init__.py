"""Reinforcement-learning models of behaviour, written once and fitted on NumPyro or on PyMC.

Everything a script needs is here: ``import rlbackends as rl``. Importing the package imports no backend; one is
imported when it is first asked for.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name → module that defines it; modules are imported when a name is first used.
_HOMES: dict[str, str] = {
    **dict.fromkeys(
        ["Bernoulli", "Binary", "Categorical", "Index", "Interval", "Model", "Normal", "Parameter", "Positive", "Real",
         "RealLine", "State", "UnitInterval"],
        "rlbackends.model",
    ),
    **dict.fromkeys(
        ["abs", "argmax", "clip", "dot", "exp", "is_missing", "log", "log1p", "log_ndtr", "log_softmax", "logit",
         "logsumexp", "max", "maximum", "mean", "minimum", "ndtr", "ndtri", "one_hot", "sigmoid", "sign", "softmax",
         "softplus", "sqrt", "stack", "sum", "tanh", "to_float", "where"],
        "rlbackends.expressions.functions",
    ),
    **dict.fromkeys(["Pooling", "Population"], "rlbackends.population"),
    **dict.fromkeys(["Trials", "read_trials"], "rlbackends.data"),
    **dict.fromkeys(["compile", "installed_backends"], "rlbackends.backends"),
    **dict.fromkeys(["Simulation", "Simulator", "prior_predictive", "simulate"], "rlbackends.simulation"),
    **dict.fromkeys(["Estimates", "Fitter", "check", "estimate", "fit", "load"], "rlbackends.inference"),
    **dict.fromkeys(["compare", "kfold", "select_models"], "rlbackends.inference.comparison"),
    **dict.fromkeys(["calibrate", "recover", "recover_models"], "rlbackends.studies"),
    "compare_samplers": "rlbackends.studies.samplers",
    "export": "rlbackends.porting.export",
    "compare_density": "rlbackends.porting",
    "compare_likelihood": "rlbackends.porting",
}  # fmt: skip
_MODULES = {
    "catalogue": "rlbackends.catalogue",
    "components": "rlbackends.components",
    "errors": "rlbackends.errors",
    "plots": "rlbackends.plots",
    "porting": "rlbackends.porting",
    "priors": "rlbackends.population.priors",
    "tasks": "rlbackends.tasks",
    "testing": "rlbackends.testing",
}
# The backends' own packages. Not in __all__: `from rlbackends import *` imports no backend.
_BACKENDS = ("numpyro", "pymc")

__all__ = [*_HOMES, *_MODULES, "__version__"]

if TYPE_CHECKING:
    from rlbackends import catalogue as catalogue
    from rlbackends.model import Model as Model


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        value: Any = importlib.import_module(_MODULES[name])
    elif name in _HOMES:
        value = getattr(importlib.import_module(_HOMES[name]), name)
    elif name in _BACKENDS:
        value = importlib.import_module("rlbackends.backends.registry").get_backend(name).load()
    else:
        from rlbackends.errors import did_you_mean

        raise AttributeError(f"rlbackends has no '{name}'.{did_you_mean(name, [*__all__, *_BACKENDS])}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *_BACKENDS])
