"""Mistakes of Jacobians, which the density of unconstrained values has and that of natural values has not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rlbackends.porting.density.mistakes import Mistake, Try, each_and_all, jacobian_of
from rlbackends.porting.density.ours import Ours


def _times(factor: float, *, has_jacobians: bool) -> Callable[[Ours], Iterator[Try]]:
    """Return what finds tries that add the Jacobians this many times to what they are in."""

    def find(ours: Ours) -> Iterator[Try]:
        if ours.has_jacobians is has_jacobians:
            found = {name: factor * values.sum(axis=1) for name, values in ours.log_jacobian.items()}
            yield from each_and_all(found, jacobian_of, "every bounded latent")

    return find


def _widths(ours: Ours) -> Iterator[Try]:
    if not ours.has_jacobians:
        return
    found = {}
    for name, values in ours.log_jacobian.items():
        lo, hi = ours.latents[name].bounds
        if np.isfinite(hi - lo) and hi - lo != 1:
            found[name] = np.full(ours.n_points, -values.shape[1] * np.log(hi - lo))
    yield from each_and_all(found, jacobian_of, "every latent between two bounds")


OF_JACOBIANS = (
    Mistake(
        "Jacobian missing",
        "The values are unconstrained, but the log-Jacobian of the transform of {what} is left out, so its prior is "
        "another one than it says.",
        "Add log |dx/dz|: for a positive latent x = exp(z) that is z, for one between 0 and 1 log x + log(1 − x). If "
        "the old program takes natural values and needs no Jacobians, pass scale='natural'.",
        _times(-1.0, has_jacobians=True),
    ),
    Mistake(
        "Jacobian twice",
        "The log-Jacobian of the transform of {what} is added twice.",
        "Add it once: libraries that transform their variables (PyMC, NumPyro, Stan) add it themselves.",
        _times(1.0, has_jacobians=True),
    ),
    Mistake(
        "Jacobian subtracted",
        "The log-Jacobian of the transform of {what} is subtracted: it is that of the inverse, log |dz/dx|.",
        "Add log |dx/dz|, the derivative of the natural value.",
        _times(-2.0, has_jacobians=True),
    ),
    Mistake(
        "width missing in the Jacobian",
        "The log-Jacobian of {what} lacks the logarithm of the interval's width.",
        "Add log(hi − lo); it is a constant.",
        _widths,
    ),
    Mistake(
        "Jacobian of a natural density",
        "The log-Jacobian of the transform of {what} is in the density, which is thus one of unconstrained values.",
        "Leave it out, or pass scale='unconstrained' and take the unconstrained values.",
        _times(1.0, has_jacobians=False),
    ),
)
