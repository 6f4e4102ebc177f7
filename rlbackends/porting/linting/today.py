"""What today's PyMC, PyTensor and ArviZ have, from a table that was written by looking at them."""

from __future__ import annotations

import functools
import importlib.resources
import json
from dataclasses import dataclass
from typing import Any

# The first word of a module's old name → its name today.
HOMES = {"pymc3": "pymc", "pymc4": "pymc", "theano": "pytensor", "aesara": "pytensor", "arviz": "arviz",
         "pymc": "pymc", "pytensor": "pytensor"}  # fmt: skip

# Other spellings of a distribution.
SPELLINGS = {"Lognormal": "LogNormal"}

# Arguments that a distribution hands on by name, which its signature does not show.
_HANDED_ON = {
    "GaussianRandomWalk": ("mu", "sigma", "init_dist", "steps"),
    "MvGaussianRandomWalk": ("mu", "cov", "tau", "chol", "lower", "init_dist", "steps"),
    "MvStudentTRandomWalk": ("nu", "mu", "scale", "tau", "chol", "lower", "init_dist", "steps"),
    "ExGaussian": ("mu", "sigma", "nu"),
    "MvStudentT": ("cov",),
}


@dataclass(frozen=True)
class Signature:
    """What a function takes: in order, by name only, what it needs, and whether it takes any other."""

    positional: tuple[str, ...]
    named: tuple[str, ...]
    needed: tuple[str, ...]
    many: bool
    open: bool


@dataclass(frozen=True)
class DistributionRow:
    """A distribution: its own arguments, those of all, and what becomes of any other keyword.

    ``other`` and ``sd`` are ``"ignored"`` or the name of the error: for a keyword that nobody knows, and for ``sd`` in
    the place of ``sigma`` (empty: it has no such argument).
    """

    own: tuple[str, ...]
    positional: int
    needed: tuple[str, ...]
    common: tuple[str, ...]
    other: str
    sd: str


@functools.cache
def table() -> dict[str, Any]:
    """Return the table as it was written."""
    text = (importlib.resources.files(__package__) / "today.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def versions() -> dict[str, str]:
    """Return the versions of the packages that were looked at."""
    return dict(table()["versions"])


def spoken(package: str) -> str:
    """Return a package's name and version as people say it: ``PyMC 6.4``."""
    title = {"pymc": "PyMC", "pytensor": "PyTensor", "arviz": "ArviZ"}[package]
    return f"{title} {'.'.join(versions()[package].split('.')[:2])}"


@functools.cache
def names(module: str) -> frozenset[str] | None:
    """Return the names that a module has; None: it was not looked at."""
    found = table()["modules"].get(module)
    return None if found is None else frozenset(found.split())


def missing(name: str) -> str | None:
    """Return the part of a dotted name that is gone, such as ``pytensor.tensor.nnet``; None: nothing is missing."""
    if name in table()["moved"]:
        return None
    parts = name.split(".")
    for i in range(len(parts) - 1, 0, -1):
        known = names(".".join(parts[:i]))
        if known is not None:
            found = parts[i] in known or ".".join(parts[: i + 1]) in table()["moved"]
            return None if found else ".".join(parts[: i + 1])
    return None


def moved(name: str) -> str | None:
    """Return where a name lives today, if the old place still gives it, with a warning."""
    found: str | None = table()["moved"].get(name)
    return found


def signature(name: str) -> Signature | None:
    """Return a function's arguments; None: it was not looked at."""
    found = table()["signatures"].get(name)
    if found is None:
        return None
    lists = {key: tuple(found[key].split()) for key in ("positional", "named", "needed")}
    return Signature(**lists, many=found["many"], open=found["open"])


@functools.cache
def distribution(name: str) -> DistributionRow | None:
    """Return a distribution's row by its name, such as ``Normal``; None: there is none."""
    spelled = SPELLINGS.get(name, name)
    found = table()["distributions"].get(spelled)
    if found is None:
        return None
    lists = {key: tuple(found[key].split()) for key in ("own", "needed", "common")}
    lists["own"] += tuple(word for word in _HANDED_ON.get(spelled, ()) if word not in lists["own"])
    return DistributionRow(**lists, positional=found["positional"], other=found["other"], sd=found["sd"])


def attributes(of: str) -> frozenset[str]:
    """Return the attributes of a ``model``, a random ``variable`` or a ``posterior`` (the result of sampling)."""
    return frozenset(table()["attributes"][of].split())


@functools.cache
def importable() -> frozenset[str]:
    """Return modules that can be imported, though their package does not show them until they are."""
    return frozenset(table()["importable"].split())
