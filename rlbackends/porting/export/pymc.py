"""The target ``pymc``: one scan over trials, all subjects side by side, one observed variable a response."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from rlbackends.population import priors as p
from rlbackends.porting.export.lines import block, statement
from rlbackends.porting.export.preamble import docstring
from rlbackends.porting.export.pymc_loop import Loop, constants
from rlbackends.porting.export.pymc_plan import Plan
from rlbackends.porting.export.pymc_responses import likelihood
from rlbackends.porting.export.python import parts, real
from rlbackends.porting.export.source import CONDITION, N_SUBJECTS, N_TRIALS, STARTS, Source
from rlbackends.porting.export.tensors import HELPERS, SUBJECTS, TRIALS, Tensors

# PyMC ignores an argument whose name it does not know, so a test compares each of these with the prior's own density.
_PRIORS: Mapping[type[p.Prior], tuple[str, Mapping[str, str]]] = {
    p.Normal: ("Normal", {"mu": "mean", "sigma": "sd"}),
    p.StudentT: ("StudentT", {"nu": "df", "mu": "mean", "sigma": "scale"}),
    p.HalfNormal: ("HalfNormal", {"sigma": "sd"}),
    p.HalfCauchy: ("HalfCauchy", {"beta": "scale"}),
    p.Exponential: ("Exponential", {"lam": "rate"}),
    p.Gamma: ("Gamma", {"alpha": "shape", "beta": "rate"}),
    p.LogNormal: ("LogNormal", {"mu": "mean", "sigma": "sd"}),
    p.Beta: ("Beta", {"alpha": "a", "beta": "b"}),
    p.Uniform: ("Uniform", {"lower": "lo", "upper": "hi"}),
}
_DEPTH = 8  # how far the program's body is indented
_MAIN = '''
    with make_model(data):
        trace = pm.sample(
            draws=1000,
            tune=1000,
            chains=4,
            cores=4,
            target_accept=0.9,
            random_seed=1,
            nuts_sampler="nutpie",
        )
'''


def write(source: Source) -> str:
    """Return a program that builds the model in PyMC, and samples from it."""
    plan = Plan(source)
    body = _make_model(plan)
    note = "All subjects go through a trial side by side; pytensor.scan goes from trial to trial."
    needs = "PyMC, nutpie and matplotlib" if plan.layout.latents else "PyMC"
    head = docstring(source, needs, "python PROGRAM.py DATA.json", [note] if plan.carried else [])
    lines = [*head, "", "import json", "import sys", ""]
    lines += [*(["import arviz as az"] if plan.layout.latents else []), "import numpy as np"]
    lines += ["import pymc as pm", *(["import pytensor"] if plan.carried else []), "import pytensor.tensor as pt"]
    if plan.constants:
        lines += ["", *(line for text, name in plan.constants.items() for line in statement(f"{name} = ", text))]
    written = "\n".join(body)
    for name, helper in HELPERS.items():
        if re.search(rf"(?<![\w.]){name}\(", written):
            lines += ["", "", *helper.strip().split("\n")]
    lines += ["", "", "def make_model(data):", '    """Return the model of the data."""', *block(body, 4)]
    return "\n".join([*lines, "", "", *_main(plan), ""])


def _make_model(plan: Plan) -> list[str]:
    """Return the body of the function that makes the model."""
    sections = [_priors(plan), _subjects(plan), constants(plan), Loop(plan).lines() if plan.carried else []]
    sections.append(likelihood(plan))
    inner = [line for section in sections if section for line in ["", *section]][1:]
    written = "\n".join(line.partition("#")[0] for line in inner)
    coords = [] if plan.carried else [f'"subject": range({N_SUBJECTS})']
    coords += [f'"trial": range({N_TRIALS})'] if '"trial")' in written else []
    if plan.layout.within:
        column = next(plan.words[name] for name, array in plan.layout.columns.items() if array.ndim == 2)
        coords.append(f'"condition": range({column}.shape[1])')
    positions = [
        f"{word} = np.arange({size})"
        for word, size in ((SUBJECTS, N_SUBJECTS), (TRIALS, N_TRIALS))
        if re.search(rf"\b{word}\b", written)
    ]
    lines = [*_data(plan), *positions, *([f"coords = {{{', '.join(coords)}}}"] if coords else [])]
    lines.append(f"with pm.Model({'coords=coords' if coords else ''}) as model:")
    if plan.carried:
        comment = "# A constant length: without it, a scan over trials does not go with one subject."
        inner[:0] = [comment, f'model.add_coord("subject", range({N_SUBJECTS}), length=pt.constant({N_SUBJECTS}))', ""]
    return [*lines, *block(inner, 4), "return model"]


def _data(plan: Plan) -> list[str]:
    """Return the lines that read the data."""
    source = plan.source

    def array(name: str, dtype: str = "") -> str:
        kind = f", dtype={dtype}" if dtype else ""
        return f'{plan.words[name]} = np.array(data["{source.keys[name]}"]{kind})'

    lines = [f'{N_SUBJECTS}, {N_TRIALS} = data["{N_SUBJECTS}"], data["{N_TRIALS}"]']
    lines += [array(name, "float" * (plan.model.events[name].kind.name == "real")) for name in source.events]
    lines += [array(source.missing_name(name), "bool") for name in source.flagged]
    if any(plan.resets(name) for name in plan.carried):
        lines.append(f'{STARTS} = np.array(data["{STARTS}"], dtype=bool)')
    if plan.layout.within:
        lines.append(f'{CONDITION} = np.array(data["{CONDITION}"])')
    return [*lines, *(array(name, "float") for name in source.by_subject)]


def _priors(plan: Plan) -> list[str]:
    """Return the latent variables."""
    lines = []
    for latent in plan.layout.latents:
        if latent.prior is not None:
            kind, given = _PRIORS[type(latent.prior)]
            values = {theirs: _number(getattr(latent.prior, ours), kind) for theirs, ours in given.items()}
        else:
            kind = "Normal"
            values = dict(zip(("mu", "sigma"), (plan.words[name] for name in latent.parents or ()), strict=True))
        inner = ", ".join(f"{name}={value}" for name, value in values.items())
        dims = ', dims="subject"' if latent.per_subject else ""
        call = f"pm.{kind}({plan.name(latent.name)}, {inner}{dims})"
        lines += _nested(f"{plan.words[latent.name]} = ", call)
    if any("np.float64(" in line for line in lines):
        lines.insert(0, "# (np.float64, because PyTensor takes a number such as 0.5 as float32)")
    return ["# Priors", *lines] if lines else []


def _number(value: float, kind: str) -> str:
    """Return a number for PyMC: one that float32 holds would become float32, and so would its logarithm."""
    is_plain = value in (0.0, 1.0) and kind not in ("HalfCauchy", "StudentT")
    return real(value) if is_plain or float(np.float32(value)) != value else f"np.float64({real(value)})"


def _subjects(plan: Plan) -> list[str]:
    """Return the subjects' parameters on the natural scale."""
    lines = []
    for name in plan.layout.fixed:
        value = plan.source.constant(name)
        if value is not None:
            lines.append(f"{plan.words[name]} = np.float64({real(value)})")
    latents = set(plan.layout.names)
    roots = {name: node for name, node in plan.layout.natural.items() if name not in latents}
    names = parts(roots, {}, {}, plan.taken)
    plan.taken |= set(names.values())
    printer = Tensors(plan.words, names, plan.constants, leads=plan.leads, lead=2)
    for node, name in names.items():
        lines += _nested(f"{name} = ", printer.definition(node))
    dims = ("", ', dims="subject"', ', dims=("subject", "condition")')
    for name, node in roots.items():
        call = f"pm.Deterministic({plan.name(name)}, {printer.text(node)}{dims[plan.leads[name]]})"
        lines += _nested(f"{plan.words[name]} = ", call)
    return ["# How subjects differ", *lines] if lines else []


def _main(plan: Plan) -> list[str]:
    """Return what is done with the model when the program is run."""
    names = [latent.name for latent in plan.layout.latents if not latent.per_subject]
    names += [name for name in plan.model.parameters if name not in plan.layout.fixed]
    shown = ", ".join(plan.name(name) for name in dict.fromkeys(names))
    lines = ["    print(make_model(data).compile_logp()({}))  # nothing varies"]
    if names:
        lines = [*_MAIN.strip("\n").split("\n"), *statement("names = ", f"[{shown}]", 4)]
        lines.append("    print(az.summary(trace, var_names=names))")
    return [
        "def main(path):",
        "    with open(path) as file:",
        "        data = json.load(file)",
        *lines,
        "",
        "",
        'if __name__ == "__main__":',
        "    main(sys.argv[1])",
    ]


def _nested(left: str, right: str = "") -> list[str]:
    return [line[_DEPTH:] for line in statement(left, right, _DEPTH)]
