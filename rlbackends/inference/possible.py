"""Whether the data can happen at all under a model, asked before anything is sampled."""

from __future__ import annotations

import numpy as np

from rlbackends.backends.protocol import CompiledModel

_DRAWS = 4


def impossible_response(compiled: CompiledModel) -> str:
    """Return a sentence about the first observed response whose probability is 0 wherever one looks, or nothing.

    One looks at the prior's centre and, if there is such a response, at draws from the prior: what is impossible at the
    centre only is for the search of a start.
    """
    layout, engine, data = compiled.layout, compiled.for_checking().engine, compiled.data
    centre = layout.constrain({latent.name: np.zeros(layout.shape(latent)) for latent in layout.latents})
    rng = np.random.default_rng(0)
    found: dict[str, np.ndarray] = {}
    for number in range(1 + _DRAWS):
        values = centre if number == 0 else layout.draw(rng)
        with np.errstate(all="ignore"):
            log_p = engine.log_likelihood(layout.parameters(values))
        found = {name: found.get(name, data.observed(name)) & np.isneginf(log_p[name]) for name in log_p}
        if not any(cells.any() for cells in found.values()):
            return ""
    name, cells = next((name, cells) for name, cells in found.items() if cells.any())
    subject, trial = (int(i) for i in np.argwhere(cells)[0])
    return (
        f"'{name}' of subject {data.subjects[subject]} on trial {int(data.trial_numbers[subject, trial])} has "
        f"probability 0 under model '{compiled.model.name}' ({int(cells.sum())} such trials). Was an action chosen "
        "that was not available?"
    )
