"""The model itself as JSON."""

from __future__ import annotations

from rlbackends.errors import ModelError
from rlbackends.population import Population
from rlbackends.porting.export.source import Source


def write(source: Source) -> str:
    """Return the text from which ``rl.Model.from_json`` makes an equal model.

    Raises
    ------
    ModelError
        If a population was given that is not the default.
    """
    plain = Population().layout(source.model, range(source.layout.n_subjects))
    if source.layout.description != plain.description:
        raise ModelError(
            "export: a population was given, but the JSON of a model says nothing of how its parameters vary over "
            "subjects. Leave population away, or choose another target."
        )
    return source.model.to_json()
