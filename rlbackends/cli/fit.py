"""``rlbackends fit``: a posterior from a table of trials."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from rlbackends.cli.arguments import (
    DataArgument,
    DataOptions,
    ModelArgument,
    OptionPairs,
    model_options,
)
from rlbackends.cli.population import PopulationOptions, read_population, read_trials_of

if TYPE_CHECKING:
    from rlbackends.inference import Fit

_DATA_OPTIONS = DataOptions()
_POPULATION_OPTIONS = PopulationOptions()
_STOPPED = 130  # what a shell expects after Ctrl-C


def fit(
    model: ModelArgument,
    data: DataArgument = None,
    /,
    *,
    backend: Annotated[Literal["numpyro", "pymc"], Parameter(help="Which library computes and samples.")],
    option: OptionPairs = (),
    columns: DataOptions = _DATA_OPTIONS,
    people: PopulationOptions = _POPULATION_OPTIONS,
    draws: Annotated[int, Parameter(help="Kept draws of each chain.")] = 1000,
    tune: Annotated[int, Parameter(help="Tuning iterations of each chain.")] = 1000,
    chains: int = 4,
    cores: Annotated[
        int | None, Parameter(help="Chains that run at once; default: as many as there are processors.")
    ] = None,
    seed: Annotated[int, Parameter(help="The same seed gives the same draws.")] = 0,
    target_accept: Annotated[float, Parameter(help="Raise it towards 1 if there are divergences.")] = 0.8,
    output: Annotated[
        str,
        Parameter(metavar="FILE", help="Where to save the fit (.nc); default: MODEL-BACKEND.nc in this folder."),
    ] = "",
    regressors: Annotated[
        str,
        Parameter(metavar="FILE", help="Also write a row a trial (.csv): states, records, log-likelihoods."),
    ] = "",
    overwrite: Annotated[bool, Parameter(help="Let these files replace others.")] = False,
    checkpoint: Annotated[
        str,
        Parameter(
            metavar="FOLDER",
            help="Leave the work here while it runs: if it is stopped or killed, the same command goes on from there.",
        ),
    ] = "",
) -> int:
    """Sample a model's posterior, and save it.

    Before it samples it compares the backend with the reference on these data; if they disagree, it does not
    start. Ctrl-C saves the draws so far.
    """
    import rlbackends as rl
    from rlbackends.backends.registry import get_backend
    from rlbackends.cli.files import check_new, check_tables
    from rlbackends.cli.load_model import load_model
    from rlbackends.cli.output import heading, say
    from rlbackends.inference.checkpoint import is_of_run
    from rlbackends.inference.storage import check_output

    get_backend(backend).require()
    found = load_model(model, model_options(option))
    population = read_population(found, people)
    bound = read_trials_of(found, data, columns, population, people).bind(found)
    population.layout(found, bound)
    # What can't be written is told now, not after an hour.
    output = output or f"{found.name}-{backend}.nc"
    replaces = overwrite or (checkpoint != "" and is_of_run(output, checkpoint))
    check_new("--output", output, overwrite=replaces)
    target = check_output(output, overwrite=replaces)
    if regressors:
        check_tables([("--regressors", regressors)], overwrite=overwrite)
    say(bound)
    heading("Equations")
    say("\n".join(f"  {line}".rstrip() for line in found.equations().splitlines()))
    heading(f"Sampling on {backend}: {chains} chains × ({tune} tuning + {draws} kept) draws")
    say("  First the backend is compared with the reference on these data.")
    result = rl.fit(
        found, bound, backend=backend, population=population, draws=draws, tune=tune, chains=chains,
        cores=cores, seed=seed, target_accept=target_accept, output=target, overwrite=overwrite,
        checkpoint=checkpoint or None,
    )  # fmt: skip
    if not result.is_complete:
        drawn = result.tree["posterior"].sizes["draw"]
        more = " Give the same command again to go on." if checkpoint else ""
        print(f"stopped: {drawn} of {draws} draws of each chain are saved in '{target}'.{more}", file=sys.stderr)
        return _STOPPED
    say_fit(result)
    heading("Saved")
    say(f"  {target}   read it with rlbackends.load('{target}')")
    if regressors:
        result.regressors().to_csv(regressors, index=False)
        say(f"  {regressors}   a row a trial")
    return 0


def say_fit(result: Fit) -> None:
    """Write a fit's certificate, summary and diagnostics."""
    from rlbackends.cli.output import heading, say, seconds, table
    from rlbackends.inference.quality import described

    heading("Certificate")
    say("\n".join(f"  {line}" for line in str(result.certificate).splitlines()))
    heading("Posterior")
    summary: Any = result.summary()
    rows = [[name, *(_rounded(column, row[column]) for column in summary.columns)] for name, row in summary.iterrows()]
    table(("", *summary.columns), rows, numbers_from=1, indent=2)
    heading("Diagnostics")
    found = result.diagnostics
    if result.kind == "chains":
        say(
            f"  largest R-hat {found['r_hat_max']:.3f} · smallest effective sample size "
            f"{found['ess_bulk_min']:.0f} (bulk), {found['ess_tail_min']:.0f} (tail) · "
            f"{found['divergences']} divergences"
        )
    else:
        say(f"  {described(found, result.kind)}")
    timing = result.timing
    say(f"  compiled in {seconds(timing['compile_seconds'])}, sampled in {seconds(timing['sample_seconds'])}")


def _rounded(column: str, value: Any) -> str:
    """Return a number of a summary with the digits that its column deserves."""
    return f"{float(value):.0f}" if column.startswith("ess") else f"{float(value):.3f}"
