"""What a usual mistake is: a word, what it says, how it is put right, and the difference that it makes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rlbackends.porting.density.ours import Ours

EVERYTHING = "everything"
LIKELIHOOD = "likelihood"


@dataclass(frozen=True, eq=False)
class Try:
    """One form of a mistake, such as the Jacobian of one latent left out.

    Attributes
    ----------
    what : str
        What it is made in: a latent, a parameter, or several.
    changes : frozenset of str
        The terms that it changes; two mistakes that change the same term are not tried together.
    expected : array (point,)
        The other density minus ours, if this is the mistake; besides that of ``params``.
    params : sequence of mappings, optional
        Subjects' parameters at each point, at which the other has its likelihood.
    parameters : frozenset of str
        Those of ``params`` that differ from ours.
    fix : str
        How it is put right, if that depends on what it is made in.
    """

    what: str
    changes: frozenset[str]
    expected: np.ndarray
    params: Sequence[Mapping[str, np.ndarray]] | None = None
    parameters: frozenset[str] = frozenset()
    fix: str = ""


@dataclass(frozen=True)
class Mistake:
    """A row of the table of usual mistakes.

    Attributes
    ----------
    word : str
        Its name.
    sentence : str
        What the old program does; ``{what}`` stands for what it does it to.
    fix : str
        How it is put right.
    find : callable
        From our density to the forms that are to be tried.
    """

    word: str
    sentence: str
    fix: str
    find: Callable[[Ours], Iterable[Try]]


def prior_of(name: str) -> str:
    """Return the name of a term."""
    return f"prior of {name}"


def jacobian_of(name: str) -> str:
    """Return the name of a term."""
    return f"Jacobian of {name}"


def each_and_all(
    found: Mapping[str, np.ndarray], term: Callable[[str], str], everything: str, fixes: Mapping[str, str] | None = None
) -> Iterator[Try]:
    """Give a try for each latent's expected difference, and one for all of them together."""
    for name, expected in found.items():
        yield Try(name, frozenset([term(name)]), expected, fix=(fixes or {}).get(name, ""))
    if len(found) > 1:
        yield Try(everything, frozenset(map(term, found)), np.sum(list(found.values()), axis=0))
