"""Look at the installed PyMC, PyTensor and ArviZ, and write what the linter knows of them.

    python tests/porting/lint/look_at_today.py        # writes rlbackends/porting/linting/today.json

The linter itself imports none of them: it reads that file.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import types
import warnings
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[3] / "rlbackends" / "porting" / "linting" / "today.json"
PACKAGES = ("pymc", "pytensor", "arviz")

# Modules whose names are listed. What is not below one of them is not judged.
MODULES = (
    "pymc", "pymc.math", "pymc.gp", "pymc.gp.cov", "pymc.gp.mean", "pymc.gp.util", "pymc.distributions",
    "pymc.distributions.transforms", "pymc.distributions.continuous", "pymc.distributions.discrete",
    "pymc.distributions.multivariate", "pymc.distributions.timeseries", "pymc.distributions.mixture", "pymc.ode",
    "pymc.sampling", "pymc.step_methods", "pymc.variational", "pymc.backends",

    "pytensor", "pytensor.tensor", "pytensor.tensor.special", "pytensor.tensor.linalg", "pytensor.tensor.math",
    "pytensor.tensor.random", "pytensor.tensor.random.utils", "pytensor.tensor.extra_ops", "pytensor.tensor.subtensor",
    "pytensor.tensor.basic", "pytensor.tensor.sort", "pytensor.ifelse", "pytensor.printing",
    "pytensor.compile", "pytensor.compile.ops", "pytensor.graph", "pytensor.graph.basic",
    "pytensor.scan",
    "arviz",
)  # fmt: skip

# Functions and classes whose arguments are checked, beside the distributions.
CALLS = (
    "pymc.Model", "pymc.sample", "pymc.fit", "pymc.find_MAP", "pymc.sample_posterior_predictive",
    "pymc.sample_prior_predictive",
    "pymc.sample_smc", "pymc.Data", "pymc.set_data", "pymc.Deterministic", "pymc.Potential", "pymc.Minibatch",
    "pymc.draw", "pymc.logp", "pymc.model_to_graphviz", "pymc.compute_log_likelihood", "pymc.init_nuts",
    "pymc.expand_packed_triangular", "pymc.gp.Marginal", "pymc.gp.Latent", "pymc.gp.TP", "pymc.gp.MarginalApprox",
    "pymc.gp.MarginalKron", "pymc.gp.LatentKron", "pymc.gp.HSGP", "pymc.gp.cov.ExpQuad", "pymc.gp.cov.Matern52",
    "pymc.gp.cov.Matern32", "pymc.gp.cov.Exponential", "pymc.gp.cov.RatQuad", "pymc.gp.cov.Periodic",
    "pymc.gp.cov.Cosine", "pymc.gp.cov.Linear", "pymc.gp.cov.WhiteNoise", "pymc.math.softmax",
    "pymc.math.log_softmax", "pymc.math.logsumexp", "pytensor.scan", "pytensor.tensor.special.softmax",
    "pytensor.tensor.special.log_softmax", "pytensor.tensor.concatenate", "pytensor.tensor.stack",
    "pytensor.tensor.repeat", "pytensor.tensor.tile", "pytensor.tensor.arange", "pytensor.tensor.set_subtensor",
    "pytensor.tensor.inc_subtensor", "pytensor.tensor.switch", "pytensor.ifelse.ifelse", "arviz.summary",
    "arviz.from_dict", "arviz.from_numpyro", "arviz.hdi", "arviz.loo", "arviz.compare", "arviz.ess", "arviz.rhat",
    "arviz.extract", "arviz.plot_trace", "arviz.plot_forest", "arviz.plot_autocorr", "arviz.plot_energy",
    "arviz.plot_pair", "arviz.plot_compare", "arviz.plot_rank", "arviz.plot_dist", "arviz.plot_loo_pit",
)  # fmt: skip

# Class → methods whose arguments are checked where a variable holds an object of the class.
METHODS = {
    "pymc.gp.Marginal": ("marginal_likelihood", "conditional", "predict"),
    "pymc.gp.Latent": ("prior", "conditional"),
    "pymc.gp.TP": ("prior", "conditional"),
    "pymc.gp.MarginalApprox": ("marginal_likelihood", "conditional", "predict"),
    "pymc.gp.MarginalKron": ("marginal_likelihood", "conditional", "predict"),
    "pymc.Model": ("add_coord", "add_coords", "compile_logp", "initial_point"),
}

# What a distribution needs to be built, so that one keyword more can be tried.
ARGUMENTS: dict[str, dict[str, Any]] = {
    "AR": {"rho": [0.5], "sigma": 1.0, "shape": 5}, "AsymmetricLaplace": {"kappa": 1.0, "mu": 0.0, "b": 1.0},
    "Bernoulli": {"p": 0.5}, "Beta": {"alpha": 1.0, "beta": 1.0}, "BetaBinomial": {"alpha": 1.0, "beta": 1.0, "n": 3},
    "Binomial": {"n": 3, "p": 0.5}, "CAR": {"mu": [0.0, 0.0], "W": [[0, 1], [1, 0]], "alpha": 0.5, "tau": 1.0},
    "Categorical": {"p": [0.5, 0.5]}, "Cauchy": {"alpha": 0.0, "beta": 1.0}, "ChiSquared": {"nu": 3.0},
    "Dirichlet": {"a": [1.0, 1.0]}, "DirichletMultinomial": {"n": 3, "a": [1.0, 1.0]}, "DiracDelta": {"c": 1.0},
    "DiscreteUniform": {"lower": 0, "upper": 3}, "DiscreteWeibull": {"q": 0.5, "beta": 1.0},
    "ExGaussian": {"mu": 0.0, "sigma": 1.0, "nu": 1.0}, "Exponential": {"lam": 1.0}, "Flat": {},
    "GARCH11": {"omega": 1.0, "alpha_1": 0.1, "beta_1": 0.1, "initial_vol": 1.0, "shape": 5},
    "Gamma": {"alpha": 1.0, "beta": 1.0}, "GaussianRandomWalk": {"sigma": 1.0, "shape": 5}, "Geometric": {"p": 0.5},
    "Gumbel": {"mu": 0.0, "beta": 1.0}, "HalfCauchy": {"beta": 1.0}, "HalfFlat": {}, "HalfNormal": {"sigma": 1.0},
    "HalfStudentT": {"nu": 3.0, "sigma": 1.0}, "HyperGeometric": {"N": 5, "k": 2, "n": 2},
    "Interpolated": {"x_points": [0.0, 1.0, 2.0], "pdf_points": [1.0, 2.0, 1.0]},
    "InverseGamma": {"alpha": 1.0, "beta": 1.0}, "KroneckerNormal": {"mu": [0.0] * 4, "covs": "eyes", "sigma": 1.0},
    "Kumaraswamy": {"a": 1.0, "b": 1.0}, "LKJCholeskyCov": {"n": 2, "eta": 2.0, "sd_dist": "HalfNormal"},
    "LKJCorr": {"n": 2, "eta": 2.0}, "Laplace": {"mu": 0.0, "b": 1.0}, "LogNormal": {"mu": 0.0, "sigma": 1.0},
    "Logistic": {"mu": 0.0, "s": 1.0}, "LogitNormal": {"mu": 0.0, "sigma": 1.0},
    "MatrixNormal": {"mu": [[0.0, 0.0]] * 2, "rowcov": "eye", "colcov": "eye"},
    "Mixture": {"w": [0.5, 0.5], "comp_dists": "Normals"}, "Moyal": {"mu": 0.0, "sigma": 1.0},
    "Multinomial": {"n": 3, "p": [0.5, 0.5]}, "MvGaussianRandomWalk": {"mu": [0.0, 0.0], "cov": "eye", "steps": 3},
    "MvNormal": {"mu": [0.0, 0.0], "cov": "eye"}, "MvStudentT": {"nu": 3.0, "mu": [0.0, 0.0], "scale": "eye"},
    "MvStudentTRandomWalk": {"nu": 3.0, "mu": [0.0, 0.0], "scale": "eye", "steps": 3},
    "NegativeBinomial": {"mu": 1.0, "alpha": 1.0}, "Normal": {"mu": 0.0, "sigma": 1.0},
    "NormalMixture": {"w": [0.5, 0.5], "mu": [0.0, 1.0], "sigma": 1.0},
    "OrderedLogistic": {"eta": 0.0, "cutpoints": [-1.0, 1.0]}, "OrderedProbit": {"eta": 0.0, "cutpoints": [-1.0, 1.0]},
    "Pareto": {"alpha": 1.0, "m": 1.0}, "Poisson": {"mu": 1.0}, "PolyaGamma": {"h": 1.0, "z": 0.0},
    "Rice": {"nu": 1.0, "sigma": 1.0}, "SkewNormal": {"mu": 0.0, "sigma": 1.0, "alpha": 1.0},
    "SkewStudentT": {"a": 1.0, "b": 1.0, "mu": 0.0, "sigma": 1.0}, "StudentT": {"nu": 3.0, "mu": 0.0, "sigma": 1.0},
    "Triangular": {"lower": 0.0, "upper": 1.0, "c": 0.5}, "TruncatedNormal": {"mu": 0.0, "sigma": 1.0, "lower": 0.0},
    "Uniform": {"lower": 0.0, "upper": 1.0}, "VonMises": {"mu": 0.0, "kappa": 1.0},
    "Wald": {"mu": 1.0, "lam": 1.0}, "Weibull": {"alpha": 1.0, "beta": 1.0},
    "ZeroInflatedBinomial": {"psi": 0.5, "n": 3, "p": 0.5},
    "ZeroInflatedNegativeBinomial": {"psi": 0.5, "mu": 1.0, "alpha": 1.0},
    "ZeroInflatedPoisson": {"psi": 0.5, "mu": 1.0}, "ZeroSumNormal": {"sigma": 1.0, "shape": 3},
    "StickBreakingWeights": {"alpha": 1.0, "K": 3},
}  # fmt: skip

# Other spellings of a class.
SPELLINGS = {"Lognormal": "LogNormal", "DensityDist": "CustomDist"}


def look(tries: bool = True) -> dict[str, Any]:
    """Return the table; without ``tries``, distributions are not built to see what they do with a keyword more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {module: _names(module) for module in MODULES if _there(module)}
        table: dict[str, Any] = {
            "versions": versions(),
            "modules": names,
            "importable": " ".join(name for package in ("pymc", "pytensor") for name in _modules(package)),
            "moved": _moved(),
            "distributions": {name: distribution(name, tries) for name in sorted(ARGUMENTS)},
            "signatures": {name: _signature(_get(name)) for name in CALLS},
            "attributes": _attributes(),
        }
        for owner, methods in METHODS.items():
            for method in methods:
                table["signatures"][f"{owner}.{method}"] = _signature(getattr(_get(owner), method), skip_self=True)
    return table


def versions() -> dict[str, str]:
    """Return the versions of the packages that are looked at."""
    return {package: importlib.metadata.version(package) for package in PACKAGES}


def build(name: str, **more: Any) -> Any:
    """Return a variable of the distribution, built with what it needs and one keyword more."""
    import numpy as np
    import pymc as pm

    stand_ins = {
        "eye": np.eye(2), "eyes": [np.eye(2), np.eye(2)], "HalfNormal": pm.HalfNormal.dist(1.0),
        "Normals": [pm.Normal.dist(0.0, 1.0), pm.Normal.dist(1.0, 1.0)],
    }  # fmt: skip
    given = {k: stand_ins.get(v, v) if isinstance(v, str) else np.asarray(v) if isinstance(v, list) else v
             for k, v in ARGUMENTS[name].items()}  # fmt: skip
    with pm.Model():
        return getattr(pm, name)("x", **given, **more)


def _there(module: str) -> bool:
    try:
        importlib.import_module(module)
    except ImportError:
        try:
            return isinstance(_get(module), types.ModuleType)
        except AttributeError:
            return False
    return True


def _modules(package: str) -> list[str]:
    """Return the modules below a package that it does not show until they are imported, by its files."""
    top = Path(str(importlib.import_module(package).__file__)).parent
    found = []
    for file in sorted(top.rglob("*.py")):
        parts = (package, *file.relative_to(top).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if "tests" not in parts and not any(part.startswith("_") for part in name.split(".")) and name != package:
            found.append(name)
    return found


def _names(module: str) -> str:
    try:
        found = importlib.import_module(module)
    except ImportError:
        found = _get(module)
    return " ".join(sorted(name for name in dir(found) if not name.startswith("_")))


def _moved() -> dict[str, str]:
    """Return names that still work where they were, with a warning: name → the warning's advice."""
    import pymc as pm

    relocated = importlib.import_module("pymc._deprecations")
    relocated._already_warned.clear()  # each name warns once
    found = {}
    candidates = {*relocated._RELOCATED, *dir(pm.plots), *dir(pm.stats)} - set(dir(pm))
    for name in sorted(name for name in candidates if not name.startswith("_")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                getattr(pm, name)
            except AttributeError:
                continue
        for item in caught:
            text = str(item.message)
            if "Use `" in text:
                found[f"pymc.{name}"] = text.split("Use `")[1].split("`")[0]
    return found


def _get(path: str) -> Any:
    """Return what a dotted path leads to, as a program that writes it gets it: attributes before modules."""
    first, *rest = path.split(".")
    found: Any = importlib.import_module(first)
    for i, name in enumerate(rest):
        parent = ".".join([first, *rest[:i]])
        if not hasattr(found, name):
            found = importlib.import_module(parent)  # such as pytensor.ifelse: a module, and a function of that name
        if not hasattr(found, name):
            importlib.import_module(f"{parent}.{name}")
        found = getattr(found, name)
    if isinstance(found, types.ModuleType) and hasattr(found, rest[-1] if rest else ""):
        inner = getattr(found, rest[-1])
        return inner if callable(inner) else found
    return found


def _signature(function: Any, skip_self: bool = False, joined: bool = True) -> dict[str, Any]:
    """Return the arguments: in order, those that can only be named, the needed ones, whether any other is taken."""
    from pymc import Model

    target = Model.__init__ if function is Model else function  # its metaclass hides it
    parameters = list(inspect.signature(target).parameters.values())
    parameters = parameters[1:] if skip_self or function is Model else parameters
    kinds = inspect.Parameter
    found = {
        "positional": [p.name for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)],
        "named": [p.name for p in parameters if p.kind is kinds.KEYWORD_ONLY],
        "needed": [p.name for p in parameters
                   if p.default is p.empty and p.kind not in (kinds.VAR_POSITIONAL, kinds.VAR_KEYWORD)],
        "many": any(p.kind is kinds.VAR_POSITIONAL for p in parameters),
        "open": any(p.kind is kinds.VAR_KEYWORD for p in parameters),
    }  # fmt: skip
    return _joined(found) if joined else found


def _joined(found: dict[str, Any]) -> dict[str, Any]:
    """Return the same with each list as one line of words: the file stays small."""
    return {key: " ".join(value) if isinstance(value, list) else value for key, value in found.items()}


def distribution(name: str, tries: bool) -> dict[str, Any]:
    """Return a distribution's own arguments, those that all of them take, and what it does with any other."""
    import pymc as pm
    from pymc.distributions.distribution import Distribution

    kind = getattr(pm, name)
    own = _signature(kind.dist, joined=False)
    if not own["positional"] and kind.__new__ is not Distribution.__new__:
        own = _signature(kind.__new__, joined=False)
        own["positional"] = [p for p in own["positional"] if p not in ("cls", "name")]
        own["needed"] = [p for p in own["needed"] if p not in ("cls", "name")]
    found = {
        "own": own["positional"] + own["named"],
        "positional": len(own["positional"]),
        "needed": own["needed"],
        "common": sorted({
            p for p in [*inspect.signature(Distribution.__new__).parameters,
                        *inspect.signature(Distribution.dist).parameters, *inspect.signature(kind.__new__).parameters,
                        "size"]
            if p not in ("cls", "name", "args", "kwargs", "dist_params", *own["positional"], *own["named"])
        }),
    }  # fmt: skip
    if tries:
        found["other"] = _tried(name, rlbackends_no_such_keyword=1.0)
        found["sd"] = _tried_without(name, "sigma", "sd")
    return _joined(found)


def _tried(name: str, **more: Any) -> str:
    try:
        build(name, **more)
    except Exception as error:
        return type(error).__name__
    return "ignored"


def _tried_without(name: str, new: str, old: str) -> str:
    """Return what happens if the old spelling of an argument stands in the place of the new one."""
    import pymc as pm

    alternatives = {
        "Beta": {"mu": 0.5}, "Gamma": {"mu": 1.0}, "InverseGamma": {"mu": 1.0}, "LKJCholeskyCov": None,
    }  # fmt: skip
    if name in alternatives:
        given = alternatives[name]
        if given is None:
            return ""
    elif new in ARGUMENTS[name]:
        given = {k: v for k, v in ARGUMENTS[name].items() if k != new and not isinstance(v, str)}
    else:
        return ""
    if any(isinstance(v, str) for v in ARGUMENTS[name].values()):
        return ""
    try:
        with pm.Model():
            getattr(pm, name)("x", **given, **{old: 2.0})
    except Exception as error:
        return type(error).__name__
    return "ignored"


def _attributes() -> dict[str, str]:
    """Return the attributes of what a program holds: a model, a random variable, a posterior."""
    import pymc as pm
    import xarray

    with pm.Model() as model:
        variable = pm.Normal("x")
        tree = xarray.DataTree.from_dict({"/posterior": xarray.Dataset(), "/sample_stats": xarray.Dataset()})
    return {
        "model": " ".join(sorted(name for name in dir(model) if not name.startswith("_"))),
        "variable": " ".join(sorted(name for name in dir(variable) if not name.startswith("_"))),
        "posterior": " ".join(sorted(name for name in dir(tree) if not name.startswith("_"))),
    }


if __name__ == "__main__":
    text = json.dumps(look(), indent=1, sort_keys=True)
    FILE.write_text(text + "\n")
    print(f"{FILE}: {len(text)} characters")
