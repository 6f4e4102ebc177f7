"""``rlbackends show``: a model's equations, the columns that it needs, and its default population."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from rlbackends.cli.arguments import ModelArgument, OptionPairs, model_options

if TYPE_CHECKING:
    from rlbackends.model import Model


def show(
    model: ModelArgument,
    /,
    *,
    option: OptionPairs = (),
    latex: Annotated[bool, Parameter(help="Print the equations as LaTeX, and nothing else.")] = False,
    json: Annotated[
        bool,
        Parameter(help="Print the model as JSON, and nothing else: saved as a file it can be used as MODEL."),
    ] = False,
) -> None:
    """Show a model: its equations, the columns that it needs, and how people differ by default."""
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.output import heading, say, table

    found = load_model(model, model_options(option))
    if json:
        say(found.to_json())
        return
    if latex:
        say(found.equations(latex=True))
        return
    say(found.equations())
    heading("Columns that the data need, in the order of a trial")
    table(("event", "holds"), [(name, event.meaning) for name, event in found.events.items()], indent=2)
    heading("How people differ by default")
    say("  A subject's value is link⁻¹(location + sd · offset), its offset ~ Normal(0, 1).")
    table(("parameter", "link", "location", "sd"), _population(found), indent=2)
    gaps = [gap for gap in found.gradient_gaps() if gap.kind != "switch"]
    if gaps:
        heading("Where the gradient stops, and with it samplers that follow it")
        for gap in gaps:
            say(f"  {gap}")
    make = _maker(model)
    for title, lines in sections(make, "Notes", "References").items():
        heading(title)
        say("\n".join(f"  {line}".rstrip() for line in lines))
    options = {} if make is None else _defaults(make)
    if options:
        given = ", ".join(f"{name}={value}" for name, value in options.items())
        say(f"\nOptions and their defaults: {given}. Change one with -o {next(iter(options))}=VALUE.")


def describe(model: Model, make: Callable[..., Any] | None = None) -> dict[str, Any]:
    """Return what there is to know about a model as plain data."""
    return {
        "name": model.name,
        "description": model.description,
        "reference": model.reference,
        "parameters": {
            name: {"support": str(parameter.support), "description": parameter.description}
            for name, parameter in model.parameters.items()
        },
        "events": {
            name: {"description": event.description, "holds": event.holds, "response": event.is_response}
            for name, event in model.events.items()
        },
        "states": {name: [axis.name for axis in state.axes] for name, state in model.states.items()},
        "records": list(model.records),
        "sizes": dict(model.sizes),
        "options": {} if make is None else _defaults(make),
    }


def _population(model: Model) -> list[tuple[str, ...]]:
    """Return each parameter's link and priors, as the default population has them."""
    from rlbackends.population import Population

    rows = []
    for name, item in Population().resolve(model, 1).items():
        pooling = item.pooling
        assert pooling is not None  # nothing is fixed by default
        rows.append((name, str(pooling.link), f"~ {pooling.location}", f"~ {pooling.sd}"))
    return rows


def _maker(word: str) -> Callable[..., Any] | None:
    """Return the catalogue's function of that name, if there is one."""
    from rlbackends.catalogue import MODELS

    return MODELS.get(word)


def sections(make: Callable[..., Any] | None, *titles: str) -> dict[str, list[str]]:
    """Return sections of a function's docstring, as lines."""
    lines = (inspect.getdoc(make) or "").splitlines() if make else []
    starts = [i for i in range(len(lines) - 1) if lines[i] and lines[i + 1] == "-" * len(lines[i])]
    found = {lines[i]: lines[i + 2 : end] for i, end in zip(starts, [*starts[1:], len(lines)], strict=False)}
    return {title: "\n".join(found[title]).strip().splitlines() for title in titles if title in found}


def _defaults(make: Callable[..., Any]) -> dict[str, Any]:
    return {
        name: parameter.default
        for name, parameter in inspect.signature(make).parameters.items()
        if parameter.default is not parameter.empty
    }
