"""Correlated offsets: a Cholesky factor made of partial correlations, one latent each.

Canonical partial correlations of a C-vine are independent under the LKJ distribution, and each is a beta variable
stretched to (−1, 1) (Lewandowski, Kurowicka & Joe 2009, J. Multivariate Anal. 100:1989). So they need no distribution
of their own in any backend, and the factor is elementwise arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from rlbackends.expressions import functions as f
from rlbackends.population.priors import Beta


def unit_name(first: str, second: str) -> str:
    """Return the name of the latent that is ``(1 + partial correlation) / 2``."""
    return f"correlation_unit[{first},{second}]"


def _factor(partial: Callable[[int, int], Any], size: int, root: Callable[[Any], Any]) -> list[list[Any]]:
    """Return the rows of the Cholesky factor; ``partial(j, i)`` is that of i and j given all before j."""
    rows: list[list[Any]] = []
    for i in range(size):
        row: list[Any] = []
        left: Any = None  # what is left of the row's unit length, squared
        for j in range(i):
            p = partial(j, i)
            row.append(p if left is None else p * root(left))
            rest = 1.0 - p * p
            left = rest if left is None else left * rest
        row.append(None if left is None else root(left))
        rows.append(row)
    return rows


def mixed(
    names: tuple[str, ...], concentration: float, offsets: Mapping[str, Any], leaf: Callable[..., Any]
) -> dict[str, Any]:
    """Return correlated offsets of independent ones; ``leaf`` declares the latents of the correlations."""
    size = len(names)
    latents: dict[tuple[int, int], Any] = {}
    for j in range(size):
        for i in range(j + 1, size):
            shape = concentration + (size - 2 - j) / 2
            latents[j, i] = leaf(unit_name(names[j], names[i]), False, Beta(shape, shape))
    rows = _factor(lambda j, i: 2.0 * latents[j, i] - 1.0, size, f.sqrt)
    result = {}
    for i, row in enumerate(rows):
        total: Any = offsets[names[i]] if row[i] is None else row[i] * offsets[names[i]]
        for j in range(i):
            total = total + row[j] * offsets[names[j]]
        result[names[i]] = total
    return result


def correlations(names: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the correlation of each pair from the latents' values; leading axes come free."""
    size = len(names)

    def partial(j: int, i: int) -> np.ndarray:
        return 2.0 * np.asarray(values[unit_name(names[j], names[i])]) - 1.0

    rows = _factor(partial, size, np.sqrt)
    result = {}
    for i in range(size):
        for j in range(i):
            first = [1.0 if x is None else x for x in rows[j]]
            second = [1.0 if x is None else x for x in rows[i]]
            total = sum(first[k] * second[k] for k in range(j + 1))
            result[f"correlation[{names[j]},{names[i]}]"] = np.asarray(total)
    return result
