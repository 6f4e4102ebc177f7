"""What a subject's own parameters are given the group, from any population: offsets, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rlbackends.expressions.node import Node
from rlbackends.population.transforms import constrain, log_jacobian, unconstrain

if TYPE_CHECKING:
    from rlbackends.population.layout import Latent, Layout

Arrays = Mapping[str, np.ndarray]

_CURVES = {"probit": "ndtr", "logit": "sigmoid", "log": "exp", "softplus": "softplus"}
_MOST_VALUES = 16  # of which a quadratic function has 153 coefficients
_WIDER = 1.5  # than its posterior is the stand-in for a prior that is not normal


@dataclass(frozen=True)
class Offsets:
    """The latents of single subjects, each on a line where it is about standard normal given the group.

    An offset is already so. A centred value is taken relative to its group. A subject's own latent with a prior on the
    natural scale is unconstrained and scaled by its posterior; its prior, unlike the others', is not standard normal.

    Attributes
    ----------
    layout : Layout
        The population, for these subjects.
    latents : tuple of Latent
        Those with one value per subject.
    middle, scale : mapping of str to array
        By latent with a prior of its own: what its unconstrained value is moved and scaled by, (subject,).
    """

    layout: Layout
    latents: tuple[Latent, ...]
    middle: Arrays
    scale: Arrays

    @classmethod
    def of(cls, layout: Layout, posterior: Arrays) -> Offsets:
        """Return the offsets of a population; ``posterior`` has the latents' draws, (draw, …)."""
        latents = tuple(latent for latent in layout.latents if latent.per_subject)
        middle, scale = {}, {}
        for latent in latents:
            if latent.parents is None and not _is_offset(latent):
                z = unconstrain(posterior[latent.name], latent.bounds)
                middle[latent.name] = z.mean(axis=0)
                scale[latent.name] = _WIDER * np.maximum(z.std(axis=0), 1e-6)
        return cls(layout, latents, middle, scale)

    def read(self, draws: Arrays) -> np.ndarray:
        """Return the offsets of draws of the latents: (draw, subject, offset)."""
        result = []
        for latent in self.latents:
            value = np.asarray(draws[latent.name])
            if latent.parents is not None:
                location, sd = (np.asarray(draws[name])[:, None] for name in latent.parents)
                value = (value - location) / sd
            elif latent.name in self.middle:
                value = (unconstrain(value, latent.bounds) - self.middle[latent.name]) / self.scale[latent.name]
            result.append(value)
        return np.stack(result, axis=-1)

    def values(self, group: Arrays, offsets: np.ndarray) -> dict[str, np.ndarray]:
        """Return all latents' values, of draws of the group's latents (draw,) and offsets (draw, subject, offset)."""
        result = {latent.name: group[latent.name] for latent in self.layout.latents if not latent.per_subject}
        for i, latent in enumerate(self.latents):
            value = offsets[..., i]
            if latent.parents is not None:
                location, sd = (np.asarray(group[name])[:, None] for name in latent.parents)
                value = location + sd * value
            elif latent.name in self.middle:
                z = self.middle[latent.name] + self.scale[latent.name] * value
                value = constrain(z, latent.bounds)
            result[latent.name] = value
        return result

    def log_prior(self, offsets: np.ndarray) -> np.ndarray:
        """Return the log-density of offsets given the group: (…, subject) of (…, subject, offset)."""
        total = np.zeros(offsets.shape[:-1])
        for i, latent in enumerate(self.latents):
            value = offsets[..., i]
            if latent.name in self.middle and latent.prior is not None:
                z = self.middle[latent.name] + self.scale[latent.name] * value
                total += latent.prior.log_density(constrain(z, latent.bounds))
                total += log_jacobian(z, latent.bounds) + np.log(self.scale[latent.name])
            else:
                total += -0.5 * (value**2 + np.log(2 * np.pi))
        return total

    def affine(self, group: Arrays) -> tuple[np.ndarray, np.ndarray]:
        """Return how the parameters on the link scale follow from offsets, ``start + slope @ offset``.

        Returns
        -------
        start, slope : numpy.ndarray
            (draw, subject, value) and (draw, subject, value, offset). The values are all estimated parameters, in each
            condition within subjects; a latent with a prior of its own is its own value. Where these are many, the
            offsets themselves.
        """
        layout, count = self.layout, len(self.latents)
        n_draws = len(next(iter(group.values()))) if group else 1
        zero = np.zeros((n_draws, layout.n_subjects, count))
        linear = {
            name: _linear(node, layout.description[name]["link"])
            for name, node in layout.natural.items()
            if name not in self.middle
        }
        n_values = len(self.middle) + sum(layout.known.n_conditions if n in layout.within else 1 for n in linear)
        if n_values > _MOST_VALUES:
            return zero, np.broadcast_to(np.eye(count), (*zero.shape, count))
        on_line = replace(layout, natural=linear, fixed={})
        alone = [i for i, latent in enumerate(self.latents) if latent.name in self.middle]

        def at(offsets: np.ndarray) -> np.ndarray:
            found = on_line.by_condition(self.values(group, offsets), 1)
            columns = [value if value.ndim == 3 else value[..., None] for value in found.values()]
            own = np.broadcast_to(offsets[..., alone], (n_draws, layout.n_subjects, len(alone)))
            return np.concatenate([*(np.broadcast_to(c, (n_draws, *c.shape[1:])) for c in columns), own], axis=-1)

        start = at(zero)
        slope = np.stack([at(zero + np.eye(count)[i]) - start for i in range(count)], axis=-1)
        return start, slope


def _is_offset(latent: Latent) -> bool:
    """Say whether a latent's prior is standard normal."""
    from rlbackends.population.priors import Normal

    return latent.prior == Normal(0.0, 1.0)


def _linear(node: Node, link: Any) -> Node:
    """Return the linear predictor inside of an inverse link's graph."""
    curve = _CURVES.get(link)
    while curve is not None and node.op != curve:
        node = next(argument for argument in node.args if argument.op != "const")
    return node.args[0] if curve is not None else node
