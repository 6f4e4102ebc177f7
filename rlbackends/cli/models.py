"""``rlbackends models``: the catalogue."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter


def models(*, json: Annotated[bool, Parameter(help="Print JSON for programs.")] = False) -> None:
    """List the ready models: parameters, events of a trial, and the paper."""
    from rlbackends.catalogue import MODELS
    from rlbackends.cli.output import say, say_json, table
    from rlbackends.cli.show import describe

    made = {name: make() for name, make in MODELS.items()}
    if json:
        say_json([describe(model, MODELS[name]) for name, model in made.items()])
        return
    rows: list[tuple[str, ...]] = []
    for name, model in made.items():
        if rows and MODELS[name].__module__ != MODELS[rows[-1][0]].__module__:
            rows.append(())  # a line between families
        rows.append((name, ", ".join(model.parameters), ", ".join(model.events), model.reference))
    table(("model", "parameters", "a trial", "reference"), rows)
    say(f"\n{len(MODELS)} models. More about one: rlbackends show rescorla_wagner")
