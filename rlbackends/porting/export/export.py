"""``rl.export``: a model taken out of this library."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from rlbackends.errors import SettingError, did_you_mean, listed
from rlbackends.porting.export.program import Export
from rlbackends.porting.export.source import Source

if TYPE_CHECKING:
    from rlbackends.data import BoundTrials, Trials
    from rlbackends.model.model import Model
    from rlbackends.population import Population


@dataclass(frozen=True)
class Target:
    """A row of the table of targets.

    Attributes
    ----------
    function : str
        ``module:function`` that writes the text of a :class:`Source`.
    suffix : str
        How the name of its file ends.
    takes_data : bool
        Whether what is written reads a file of data.
    summary : str
        What comes out, in a few words.
    """

    function: str
    suffix: str
    takes_data: bool
    summary: str


_HERE = "rlbackends.porting.export"
TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "pymc": Target(f"{_HERE}.pymc:write", ".py", True, "a program in PyMC"),
        "numpyro": Target(f"{_HERE}.numpyro:write", ".py", True, "a program in NumPyro"),
        "stan": Target(f"{_HERE}.stan:write", ".stan", True, "a program in Stan"),
        "numpy": Target(f"{_HERE}.numpy:write", ".py", True, "plain loops in NumPy and SciPy"),
        "latex": Target(f"{_HERE}.latex:write", ".tex", False, "the equations and priors, a LaTeX document"),
        "json": Target(f"{_HERE}.json_file:write", ".json", False, "the model itself, which any rlbackends reads"),
    }
)


def export(
    model: Model,
    to: str,
    *,
    data: Trials | BoundTrials | None = None,
    population: Population | None = None,
) -> Export:
    """Write a model as a readable program that needs no rlbackends, for a supplement or a reviewer.

    Parameters
    ----------
    model : Model
        The specification.
    to : {"pymc", "numpyro", "stan", "numpy", "latex", "json"}
        What is written.
    data : Trials or BoundTrials, optional
        The data. The program is written for what they have (unequal lengths, blocks, missing values) and reads them
        from a JSON file, which :meth:`Export.write` writes beside it. Without data it is written for subjects of one
        length, one block and nothing missing.
    population : Population, optional
        How parameters vary over subjects. Default: the model's own.

    Returns
    -------
    Export
        The text and the data.

    Raises
    ------
    SettingError
        If there is no such target, or some of the data are held out.
    ModelError
        If the target can't say something, or the population needs data that were not given.
    DataError
        If the data do not fit the model.

    Examples
    --------
    >>> import rlbackends as rl
    >>> program = rl.export(rl.catalogue.rescorla_wagner(), to="stan")
    >>> "categorical_logit" in program.text
    True
    """
    if not isinstance(to, str) or to not in TARGETS:
        raise SettingError(
            f"export: there is no target {to!r}. There are {listed(TARGETS)}.{did_you_mean(str(to), TARGETS)}"
        )
    row = TARGETS[to]
    source = Source.of(model, data, population)
    module, _, function = row.function.partition(":")
    text: str = getattr(importlib.import_module(module), function)(source)
    return Export(to, text, row.suffix, source.file() if row.takes_data else None)
