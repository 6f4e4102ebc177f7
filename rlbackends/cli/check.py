"""``rlbackends check``: the backends side by side on a model and data."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from rlbackends.cli.arguments import (
    DataArgument,
    DataOptions,
    ModelArgument,
    OptionPairs,
    model_options,
    numbers,
    read_data,
    words,
)

_DATA_OPTIONS = DataOptions()


def check(
    model: ModelArgument,
    data: DataArgument = None,
    /,
    *,
    option: OptionPairs = (),
    columns: DataOptions = _DATA_OPTIONS,
    param: Annotated[
        tuple[str, ...],
        Parameter(
            metavar="NAME=NUMBER",
            help="A parameter's value at which to compare, such as alpha=0.3; give all or none. Besides, "
            "backends are compared at draws from the prior. Can be repeated.",
        ),
    ] = (),
    backends: Annotated[
        str, Parameter(metavar="NAMES", help="Such as numpyro,pymc; default: all that are installed.")
    ] = "",
    points: Annotated[int, Parameter(help="Number of draws from the prior.")] = 2,
    seed: Annotated[int, Parameter(help="Seed of these draws.")] = 0,
) -> int:
    """Compare the backends on a model and data: trajectories, log-likelihood and gradients.

    Exit status: 0 if all agree with the reference, 1 if one does not.
    """
    import rlbackends as rl
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.output import say

    found = load_model(model, model_options(option))
    bound = read_data(found, data, columns).bind(found)
    report = rl.check(
        found,
        bound,
        numbers("--param", param, "--param alpha=0.3") or None,
        backends=words(backends) or None,
        points=points,
        seed=seed,
    )
    say(report)
    return 0 if report.agrees else 1
