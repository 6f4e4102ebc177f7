"""Where two densities part that no usual mistake explains: one latent is moved at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rlbackends.errors import BackendError
from rlbackends.porting.density.ours import Ours

if TYPE_CHECKING:
    from rlbackends.porting.density.legacy import Legacy

_STARTS = 2


def moved_alone(ours: Ours, legacy: Legacy, other: np.ndarray) -> dict[str, tuple[float, float, float]]:
    """Move each latent alone from one point to where it is at the next.

    Parameters
    ----------
    ours : Ours
        Our density at all points.
    legacy : Legacy
        The other one.
    other : array (point,)
        Its values at these points.

    Returns
    -------
    dict
        Latent → by how much ours changes, by how much the other changes, and the largest difference of the two, of
        scale, over the starts. Infinite where the other has no value.
    """
    names = list(ours.latents)
    starts = range(min(_STARTS, ours.n_points - 1))
    places = [
        {**ours.points[start], name: ours.points[start + 1][name]} for start in starts for name in names
    ]
    there = Ours(ours.compiled, places, has_jacobians=ours.has_jacobians, by_engine=ours.by_engine)
    changes = there.total - np.repeat(ours.total[list(starts)], len(names))
    scale = np.maximum(there.scale, np.repeat(ours.scale[list(starts)], len(names)))
    moved = _values(legacy, places) - np.repeat(other[list(starts)], len(names))
    with np.errstate(all="ignore"):
        apart = np.abs(moved - changes) / scale
    apart = np.where(np.isfinite(changes), np.where(np.isfinite(apart), apart, np.inf), 0.0)
    rows = {}
    for i, name in enumerate(names):
        own = apart[i :: len(names)]
        worst = i + len(names) * int(np.argmax(own))
        rows[name] = (float(changes[worst]), float(moved[worst]), float(own.max()))
    return rows


def _values(legacy: Legacy, places: Sequence[dict[str, np.ndarray]]) -> np.ndarray:
    found = []
    for z in places:
        try:
            found.append(legacy(z, "with one latent moved"))
        except BackendError:  # not every mix of two points need be possible there
            found.append(np.nan)
    return np.array(found)
